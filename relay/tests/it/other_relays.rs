//! Another relay moves a piece on the same PostgreSQL while this one tells the shop of it: no push is forgotten.

use chrono::{TimeDelta, Utc};
use nexpura_relay::{
    service::push_stock,
    store::{
        self, Tx, inventory,
        movements::{self, Movement},
        pushes,
    },
};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    shop::{Shop, server::Town},
    support::{
        connected::Connected,
        database::{self, Backend},
        relay::TestRelay,
        wait::until,
    },
};

const BATCH: &str = "wc/v3/products/batch";

async fn one_ring(relay: &TestRelay) -> (Connected, u64) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 10);
    shop.bare = true;
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    shop.let_time_pass().await;
    relay.run("UPDATE connections SET revoked_at = created_at").await;
    relay.run("DELETE FROM spools").await;
    (shop, ring)
}

/// Moves the piece as another relay does that has not committed yet.
async fn begin_to_move(shop: &Connected, units: i64) -> Tx {
    let now = store::now();
    let mut tx = shop.relay.db.write().await.unwrap();
    let piece = inventory::lock_by_sku(&mut tx, shop.tenant, "RING").await.unwrap().unwrap();
    let movement = Movement {
        inventory_id: piece.id,
        kind: "adjustment",
        change: units * 1_000,
        ..Movement::default()
    };
    movements::post(&mut tx, shop.tenant, &movement, now).await.unwrap();
    pushes::ask_held(&mut tx, shop.tenant, piece.id, now).await.unwrap();
    tx
}

async fn moves(shop: &Connected, units: i64) {
    begin_to_move(shop, units).await.commit().await.unwrap();
}

/// Pushes what waits, beside whatever the test does.
fn pushing(shop: &Connected) -> JoinHandle<usize> {
    let shop = shop.clone();
    tokio::spawn(async move {
        let ago = database::moment(&shop.relay.db, Utc::now() - TimeDelta::seconds(1));
        let sql = format!("UPDATE stock_pushes SET due_at = {ago} WHERE status = 'open'");
        database::run(&shop.relay.db, &sql).await;
        push_stock::push_due(&shop.relay, shop.tenant, shop.integration).await.unwrap()
    })
}

/// Commits a movement once the other side waits for it, or has gone past it.
async fn commit_beside(shop: &Connected, movement: Tx, pushing: &JoinHandle<usize>) {
    until("the push waits or has ended", || async {
        let waiting = database::number(
            &shop.relay.db,
            "SELECT COUNT(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        (waiting.await > 0 || pushing.is_finished()).then_some(())
    })
    .await;
    movement.commit().await.unwrap();
}

/// What waits is pushed; then shop and ledger have this many.
async fn both_come_to(shop: &Connected, ring: u64, units: i64) {
    pushing(shop).await.unwrap();
    assert_eq!(shop.fake.shop().units(ring), Some(units));
    assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(units), Some(units)));
}

#[tokio::test]
async fn a_piece_that_moves_back_while_its_push_is_acknowledged_is_pushed_back() {
    let relay = TestRelay::new(Backend::Postgres).await;
    let (shop, ring) = one_ring(&relay).await;
    moves(&shop, 1).await;
    let (begun, beginning) = oneshot::channel();
    let other = shop.clone();
    shop.fake.interrupt(BATCH, || async move {
        // Ten again, which is what the mirror still says.
        assert!(begun.send(begin_to_move(&other, -1).await).is_ok());
    });
    let pushing = pushing(&shop);
    let movement = beginning.await.unwrap();
    commit_beside(&shop, movement, &pushing).await;
    assert_eq!(pushing.await.unwrap(), 1);
    both_come_to(&shop, ring, 10).await;
}

#[tokio::test]
async fn a_piece_that_moves_while_its_push_is_found_superfluous_is_pushed() {
    let relay = TestRelay::new(Backend::Postgres).await;
    let (shop, ring) = one_ring(&relay).await;
    moves(&shop, 1).await;
    moves(&shop, -1).await;
    // The push of before is still there, so that nobody asks for another.
    let movement = begin_to_move(&shop, 2).await;
    // Moving its due date waits for nobody: only the claim does.
    let pushing = pushing(&shop);
    commit_beside(&shop, movement, &pushing).await;
    pushing.await.unwrap();
    both_come_to(&shop, ring, 12).await;
}
