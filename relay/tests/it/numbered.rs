//! Stock goes back through the plugin: every push has its number, and whoever may be wrong about one asks the
//! shop instead of guessing.

use chrono::{TimeDelta, Utc};
use nexpura_relay::{
    service::{
        connect::{self, by_key, by_string, farewell},
        drift, runs,
    },
    store::{self, Tx, integrations, pushes},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    shop::{
        Shop,
        server::{CONSUMER_KEY, CONSUMER_SECRET, Town},
    },
    support::{
        connected::Connected,
        database, on_both,
        pushing::{adjust, push, units},
        relay::TestRelay,
    },
};

mod built_anew;
mod goodbye;

const STOCK: &str = "wc-nexpura/v1/stock";

/// A shop with the plugin, whose stocks are open.
async fn with_plugin(relay: &TestRelay, shop: Shop) -> Connected {
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    shop.let_time_pass().await;
    shop
}

pub(super) async fn one_ring(relay: &TestRelay) -> (Connected, u64) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 10);
    (with_plugin(relay, shop).await, ring)
}

/// Sweeps and pushes until nothing is to do. Spools of connections that have ended say nothing any more.
async fn settle(shop: &Connected) {
    database::run(&shop.relay.db, "DELETE FROM spools").await;
    for _ in 0..8 {
        shop.let_time_pass().await;
        shop.want_sweep(false).await;
        shop.run_sweep().await;
        shop.fetch().await;
        push(shop).await;
    }
}

async fn store_row(shop: &Connected) -> integrations::Integration {
    let mut tx = shop.relay.db.read().await.unwrap();
    integrations::get(&mut tx, shop.tenant, shop.integration).await.unwrap().unwrap()
}

/// A person disconnects it.
async fn by_a_person(shop: &Connected) {
    let row = store_row(shop).await;
    farewell::disconnect(&shop.relay, shop.tenant, &row, "Ann", store::now()).await.unwrap();
}

/// The plugin says goodbye.
async fn by_the_plugin(shop: &Connected) {
    let store_id = store_row(shop).await.store_id.unwrap().parse().unwrap();
    let said = connect::Farewell { store_id };
    let now = store::now();
    assert!(
        connect::disconnect(&shop.relay, shop.tenant, shop.connection, &said, now).await.unwrap()
    );
}

/// A person connects it by its key; the plugin there has no connection.
async fn connect_by_key(shop: &Connected) {
    let request = by_key::Request {
        store_url: shop.fake.home.clone(),
        consumer_key: CONSUMER_KEY.to_owned(),
        consumer_secret: SecretString::from(CONSUMER_SECRET),
    };
    let shown = by_key::verify(&shop.relay, shop.tenant, &request).await.unwrap();
    by_key::keep(&shop.relay, shop.tenant, &shown, "Ann", store::now()).await.unwrap();
}

/// The plugin registers with a new connection, and does with its numbers what it is told.
async fn register(shop: &Connected, store_id: &str) -> Connected {
    let (id, secret, request) = said_by(shop, store_id).await;
    let now = store::now();
    let told = connect::connect(&shop.relay, shop.tenant, id, &request, now).await.unwrap();
    if let Value::String(count) = &json!(told)["pushes"] {
        shop.fake.shop().pushes.begin(count);
    }
    Connected { connection: id, secret, ..shop.clone() }
}

/// What the plugin says under a connection of its own.
async fn hello(shop: &Connected, store_id: &str) -> (Uuid, connect::Request) {
    let (id, _, request) = said_by(shop, store_id).await;
    (id, request)
}

async fn said_by(shop: &Connected, store_id: &str) -> (Uuid, SecretString, connect::Request) {
    let now = store::now();
    let (id, string) = by_string::create(&shop.relay, shop.tenant, None, "Ann", now).await.unwrap();
    let hello = json!({
        "store_id": store_id,
        "home_url": shop.fake.home,
        "rest_url": shop.fake.rest_url(),
        "key": { "consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET },
        "versions": { "extension": "0.1.0" },
        "pushes": shop.fake.shop().pushes.count,
    });
    (id.id, string.secret().clone(), serde_json::from_value(hello).unwrap())
}

async fn register_again(shop: &Connected) -> Connected {
    let store_id = store_row(shop).await.store_id.unwrap();
    register(shop, &store_id).await
}

/// Whether the store is offered to a worker that pushes.
async fn is_offered(shop: &Connected) -> bool {
    let mut tx = shop.relay.db.read().await.unwrap();
    let stores = pushes::stores_due(&mut tx, store::now()).await.unwrap();
    stores.contains(&(shop.tenant, shop.integration))
}

async fn halted(relay: &TestRelay) -> i64 {
    relay.number("SELECT COUNT(*) FROM integrations WHERE forked_at IS NOT NULL").await
}

/// Whether a lost push was added in the shop shows only when it is read.
async fn lost(relay: &TestRelay, added: bool, person: bool) {
    let (shop, ring) = one_ring(relay).await;
    adjust(&shop, "RING", "-3").await;
    shop.fake.answer_with(STOCK, Some((500, json!({}))));
    assert_eq!(push(&shop).await, 1);
    shop.fake.answer_with(STOCK, None);
    if added {
        shop.unnoticed(|shop| shop.set_stock(ring, 7));
    }
    if person {
        by_a_person(&shop).await;
    } else {
        by_the_plugin(&shop).await;
    }
    connect_by_key(&shop).await;
    push(&shop).await;
    assert!(!is_offered(&shop).await, "a push is due that nobody takes up");
    settle(&shop).await;
    assert_eq!(units(&shop, ring), 7, "added: {added}, by a person: {person}");
    assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(7), Some(7)));
}

on_both! {
    async fn a_push_whose_answer_was_lost_is_read_where_the_plugin_is_gone(relay: TestRelay) {
        for (added, person) in [(false, false), (true, false), (false, true), (true, true)] {
            lost(&relay, added, person).await;
        }
    }
}

on_both! {
    async fn numbers_begin_anew_on_both_sides_when_the_plugin_comes_back(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        let shop = register_again(&shop).await;
        adjust(&shop, "RING", "-1").await;
        push(&shop).await;
        assert_eq!(units(&shop, ring), 9);
        // The next one never arrives.
        adjust(&shop, "RING", "-1").await;
        shop.fake.answer_with(STOCK, Some((500, json!({}))));
        push(&shop).await;
        shop.fake.answer_with(STOCK, None);
        by_a_person(&shop).await;
        connect_by_key(&shop).await;
        settle(&shop).await;
        assert_eq!(units(&shop, ring), 8);
        let shop = register_again(&shop).await;
        adjust(&shop, "RING", "-1").await;
        settle(&shop).await;
        assert_eq!(halted(&relay).await, 0, "taken for a shop that was restored");
        assert_eq!(units(&shop, ring), 7);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(7), Some(7)));
    }
}

on_both! {
    async fn a_shop_that_was_with_another_ledger_meanwhile_is_no_restored_one(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        let shop = register_again(&shop).await;
        for _ in 0..3 {
            adjust(&shop, "RING", "-1").await;
            push(&shop).await;
        }
        // One more that is on its way when the shop leaves.
        adjust(&shop, "RING", "-1").await;
        shop.fake.answer_with(STOCK, Some((500, json!({}))));
        push(&shop).await;
        shop.fake.answer_with(STOCK, None);
        by_the_plugin(&shop).await;
        shop.fake.shop().pushes.begin("another ledger's");
        let shop = register_again(&shop).await;
        adjust(&shop, "RING", "-1").await;
        settle(&shop).await;
        assert_eq!(halted(&relay).await, 0, "taken for a shop that was restored");
        assert_eq!(units(&shop, ring), 5);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(5), Some(5)));
    }
}

on_both! {
    async fn a_shop_that_registers_again_counts_on_and_a_restored_one_is_halted(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        let shop = register_again(&shop).await;
        adjust(&shop, "RING", "-1").await;
        push(&shop).await;
        let backup = shop.fake.shop().pushes.clone();
        let counted = backup.last[&ring].0;
        let shop = register_again(&shop).await;
        adjust(&shop, "RING", "-1").await;
        push(&shop).await;
        assert_eq!(shop.fake.shop().pushes.last[&ring].0, counted + 1, "it began anew");
        shop.fake.shop().pushes = backup;
        adjust(&shop, "RING", "-1").await;
        push(&shop).await;
        assert_eq!(halted(&relay).await, 1, "nobody noticed that it was restored");
    }
}

on_both! {
    async fn an_answer_to_a_claim_that_was_lost_counts_for_nothing(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        adjust(&shop, "RING", "-1").await;
        let id = relay.texts(match relay.relay.db {
            store::Db::Sqlite { .. } => "SELECT lower(hex(id)) FROM stock_pushes",
            store::Db::Postgres(_) => "SELECT CAST(id AS TEXT) FROM stock_pushes",
        }).await[0][0].clone();
        // Its request waited for so long that another relay has sent this push and the next.
        let late = json!({ "push_id": id, "status": "out_of_order", "stock": null });
        shop.fake.answer_with(STOCK, Some((200, json!({ "results": [late] }))));
        let other = shop.clone();
        let soon = database::moment(&relay.relay.db, Utc::now() + TimeDelta::seconds(125));
        shop.fake.interrupt(STOCK, move || async move {
            let longer = format!("SELECT COUNT(*) FROM stock_pushes WHERE leased_until > {soon}");
            assert_eq!(database::number(&other.relay.db, &longer).await, 1, "it is claimed for less");
            other.fake.answer_with(STOCK, None);
            database::run(&other.relay.db, "UPDATE stock_pushes SET leased_until = NULL").await;
            assert_eq!(push(&other).await, 1);
            adjust(&other, "RING", "-1").await;
            assert_eq!(push(&other).await, 1);
        });
        push(&shop).await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        assert_eq!(halted(&relay).await, 0, "a late answer halted the store");
        assert_eq!(units(&shop, ring), 8);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(8), Some(8)));
    }
}

on_both! {
    async fn a_claim_that_was_lost_puts_nothing_back(relay: TestRelay) {
        let (shop, _) = one_ring(&relay).await;
        adjust(&shop, "RING", "-1").await;
        shop.fake.answer_with(STOCK, Some((500, json!({}))));
        let other = shop.clone();
        shop.fake.interrupt(STOCK, move || async move {
            database::run(&other.relay.db, "UPDATE stock_pushes SET leased_until = NULL").await;
            // Another relay takes it up, and is not through yet.
            let mut tx = other.relay.db.write().await.unwrap();
            let now = store::now();
            let times = pushes::Times { now, until: now + TimeDelta::minutes(3), held_since: now };
            let (tenant, store) = (other.tenant, other.integration);
            let taken = pushes::claim(&mut tx, tenant, store, true, 100, times).await.unwrap();
            assert_eq!(taken.len(), 1);
            tx.commit().await.unwrap();
        });
        push(&shop).await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        let held = "SELECT COUNT(*) FROM stock_pushes WHERE leased_until IS NOT NULL AND attempts = 0";
        assert_eq!(relay.number(held).await, 1, "what another relay has in hand was put back");
    }
}

on_both! {
    async fn what_is_emptied_little_by_little_counts_together(relay: TestRelay) {
        let mut shop = Shop::new();
        let rings: Vec<u64> = (0..40).map(|n| shop.simple(&format!("RING-{n}"), 1)).collect();
        let shop = with_plugin(&relay, shop).await;
        let empty = async |from: usize, to: usize| {
            for n in from..to {
                adjust(&shop, &format!("RING-{n}"), "-1").await;
            }
            while push(&shop).await > 0 {}
        };
        let left = || rings.iter().filter(|ring| units(&shop, **ring) > 0).count();
        empty(0, 9).await;
        assert_eq!(left(), 31);
        // One that came back is not empty any more.
        adjust(&shop, "RING-0", "1").await;
        push(&shop).await;
        assert_eq!(left(), 32);
        empty(9, 18).await;
        assert_eq!(left(), 32, "emptied by nines");
        let held = "SELECT COUNT(*) FROM integrations WHERE held_at IS NOT NULL";
        assert_eq!(relay.number(held).await, 1);
        // What a person has let go counts no longer.
        assert!(drift::resume(&shop.relay, shop.tenant, shop.integration, "Ann", store::now()).await.unwrap());
        while push(&shop).await > 0 {}
        assert_eq!(left(), 23);
        empty(18, 21).await;
        assert_eq!(left(), 20);
        assert_eq!(relay.number(held).await, 0);
    }
}

async fn trouble(relay: &TestRelay, shop: &Connected) -> (Value, Value) {
    let served = relay.serve().await;
    let stores = served.api.get("/api/integrations", &shop.token).await.ok();
    (stores["items"][0]["status"].clone(), stores["items"][0]["push_trouble"].clone())
}

on_both! {
    async fn what_keeps_stock_from_going_back_is_shown_until_it_goes(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        adjust(&shop, "RING", "-1").await;
        let no_route = json!({ "code": "rest_no_route", "message": "No.", "data": { "status": 404 } });
        let engine = json!({ "code": "nexpura_engine", "message": "No.", "data": { "status": 501 } });
        for (status, body, words) in [(404, no_route, "plugin is not active"), (501, engine, "InnoDB")] {
            shop.fake.answer_with(STOCK, Some((status, body)));
            push(&shop).await;
            shop.let_time_pass().await;
            shop.want_sweep(false).await;
            shop.run_sweep().await;
            let (status, told) = trouble(&relay, &shop).await;
            assert_eq!(status, "connected");
            assert!(told.as_str().is_some_and(|told| told.contains(words)), "{words}: {told}");
        }
        shop.fake.answer_with(STOCK, None);
        push(&shop).await;
        assert_eq!(units(&shop, ring), 9);
        assert_eq!(trouble(&relay, &shop).await, (json!("connected"), Value::Null));
    }
}

on_both! {
    async fn pushing_an_inventory_ends_where_nothing_may_be_written(relay: TestRelay) {
        let (shop, _) = one_ring(&relay).await;
        adjust(&shop, "RING", "-1").await;
        relay.run("UPDATE integrations SET writable = FALSE").await;
        let row = store_row(&shop).await;
        let kind = runs::Kind::Inventory;
        runs::start(&shop.relay, shop.tenant, &row, kind, "Ann", store::now()).await.unwrap();
        shop.run_sweep().await;
        let ended = "SELECT COUNT(*) FROM sync_runs WHERE kind = 'inventory' AND finished_at IS NOT NULL";
        assert_eq!(relay.number(ended).await, 1, "it waits for what will not happen");
        let found = relay.texts("SELECT outcome, label, reason FROM run_findings").await;
        assert_eq!((found[0][0].as_str(), found[0][1].as_str()), ("skipped", "RING"));
        assert!(found[0][2].contains("may only read"), "{found:?}");
    }
}

/// Has an order fetched.
pub(super) async fn want(shop: &Connected, order: u64) {
    let key = store::resources::Key {
        tenant: shop.tenant,
        integration: shop.integration,
        resource: "order",
        remote_id: i64::try_from(order).unwrap(),
    };
    let mut tx: Tx = shop.relay.db.write().await.unwrap();
    let ago = store::now() - TimeDelta::seconds(1);
    store::resources::want(&mut tx, key, ago).await.unwrap();
    tx.commit().await.unwrap();
}
