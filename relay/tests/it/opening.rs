//! The opening count: a stock is believed when it reads the same twice and nothing can have moved it in
//! between; nothing posts before, and nothing that is in the count posts after.

mod again;
mod past;
mod pieces;

use nexpura_protocol::SpoolState;
use nexpura_relay::store::{integrations, listings, movements, pushes};
use serde_json::json;

use crate::{
    shop::{Shop, Stock, server::Town},
    support::{connected::Connected, database, on_both, relay::TestRelay},
};

/// A relay with one shop that holds three of a ring.
async fn with_a_ring(relay: &TestRelay) -> (Connected, u64) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 3);
    (Connected::new(&relay.relay, &Town::open().await, shop).await, ring)
}

/// Says that nothing is to come, and sweeps once: the first such sweep finds and reads, the second
/// confirms.
async fn report_and_sweep(shop: &Connected) {
    shop.push_events(Vec::new()).await;
    shop.want_sweep(false).await;
    assert!(shop.run_sweep().await);
    shop.let_time_pass().await;
    shop.fetch().await;
}

async fn state(shop: &Connected, stock: u64) -> String {
    shop.listing(stock).await.0
}

/// Type and units of every movement of the tenant, in their order.
async fn movements(shop: &Connected) -> Vec<(String, i64)> {
    let sql = format!(
        "SELECT movement_type, CAST(quantity_change AS TEXT) FROM stock_movements WHERE {}
         ORDER BY id",
        shop.of_tenant()
    );
    let rows = database::texts(&shop.relay.db, &sql).await;
    rows.into_iter().map(|row| (row[0].clone(), row[1].parse::<i64>().unwrap() / 1_000)).collect()
}

fn counted(units: i64) -> Vec<(String, i64)> {
    vec![("stocktake".to_owned(), units)]
}

on_both! {
    async fn two_equal_readings_open_a_stock(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        assert_eq!(shop.listing(ring).await, ("opening".to_owned(), None, Some(0)));
        report_and_sweep(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
        assert_eq!(movements(&shop).await, counted(3));
    }
}

on_both! {
    async fn a_changed_reading_begins_anew(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        shop.unnoticed(|shop| shop.set_stock(ring, 5));
        report_and_sweep(&shop).await;
        assert_eq!(state(&shop, ring).await, "opening");
        report_and_sweep(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(5), Some(5)));
    }
}

on_both! {
    async fn two_readings_too_near_are_one(relay: TestRelay) {
        let mut relay = relay;
        relay.set(|config| config.settle_seconds = 3_600);
        let (shop, ring) = with_a_ring(&relay).await;
        for _ in 0..4 {
            report_and_sweep(&shop).await;
        }
        assert_eq!(state(&shop, ring).await, "opening");
        an_hour_passes(&shop).await;
        report_and_sweep(&shop).await;
        assert_eq!(state(&shop, ring).await, "open");
    }
}

/// Since the last reading.
async fn an_hour_passes(shop: &Connected) {
    let then = chrono::Utc::now() - chrono::TimeDelta::minutes(61);
    let at = database::moment(&shop.relay.db, then);
    let sql = format!("UPDATE listings SET reading_at = {at} WHERE {}", shop.mine());
    database::run(&shop.relay.db, &sql).await;
}

on_both! {
    async fn no_stock_opens_while_a_spool_has_something_to_come(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        for still_to_come in [
            SpoolState { unsent: 1, ..SpoolState::default() },
            SpoolState { open_intents: 1, ..SpoolState::default() },
        ] {
            let batch = nexpura_protocol::Batch { state: still_to_come, ..shop.spool.lock().unwrap().batch(Vec::new()) };
            shop.push_batch(&batch).await;
            shop.want_sweep(false).await;
            shop.run_sweep().await;
            assert_eq!(state(&shop, ring).await, "opening");
        }
        report_and_sweep(&shop).await;
        assert_eq!(state(&shop, ring).await, "open");
    }
}

on_both! {
    async fn a_report_from_before_the_reading_says_nothing_about_it(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        for _ in 0..3 {
            shop.want_sweep(false).await;
            shop.run_sweep().await;
            assert_eq!(state(&shop, ring).await, "opening");
        }
        report_and_sweep(&shop).await;
        assert_eq!(state(&shop, ring).await, "open");
    }
}

on_both! {
    async fn a_spool_that_fell_silent_is_not_waited_for(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        let then = chrono::Utc::now() - chrono::TimeDelta::minutes(3);
        let at = database::moment(&shop.relay.db, then);
        let sql = format!("UPDATE spools SET reported_at = {at}, unsent = 7 WHERE {}", shop.mine());
        assert_eq!(relay.run(&sql).await, 1);
        shop.want_sweep(false).await;
        shop.run_sweep().await;
        assert_eq!(state(&shop, ring).await, "open");
    }
}

on_both! {
    async fn an_order_between_the_readings_voids_the_first(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        // Sold, and one put in by hand, so that the readings are equal.
        let order = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.unnoticed(|shop| shop.set_stock(ring, 3));
        shop.push().await;
        report_and_sweep(&shop).await;
        assert_eq!(state(&shop, ring).await, "opening");
        report_and_sweep(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
        assert_eq!(movements(&shop).await, counted(3));
        shop.act(|shop| shop.enter(order, "cancelled"));
        shop.push().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(4), Some(4)));
    }
}

on_both! {
    async fn a_cancellation_between_the_readings_voids_the_first(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.push().await;
        shop.let_time_pass().await;
        report_and_sweep(&shop).await;
        shop.act(|shop| shop.enter(order, "cancelled"));
        shop.unnoticed(|shop| shop.set_stock(ring, 2));
        shop.push().await;
        report_and_sweep(&shop).await;
        assert_eq!(state(&shop, ring).await, "opening");
        report_and_sweep(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
    }
}

on_both! {
    async fn an_order_that_is_still_to_be_fetched_is_waited_for(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        let (order, marks) = shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)]));
        shop.unnoticed(|shop| shop.set_stock(ring, 3));
        shop.spool.lock().unwrap().touch(marks[0]);
        shop.push().await;
        shop.push_events(Vec::new()).await;
        shop.want_sweep(false).await;
        shop.run_sweep().await;
        assert_eq!(state(&shop, ring).await, "opening", "order {order} is not fetched yet");
        shop.fetch().await;
        report_and_sweep(&shop).await;
        report_and_sweep(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
        assert_eq!(movements(&shop).await, counted(3));
    }
}

on_both! {
    async fn a_movement_between_the_readings_voids_the_first(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        shop.open().await;
        // The piece is counted; its listing begins anew when the shop manages its stock again.
        for stock in [Stock::Unmanaged, Stock::Own(9)] {
            shop.act(|shop| shop.keep_stock(ring, stock));
            shop.push().await;
        }
        shop.let_time_pass().await;
        report_and_sweep(&shop).await;
        let served = relay.serve().await;
        let sold = json!({ "type": "sale", "quantity_change": "-1", "notes": "at the till" });
        served.api.post("/api/inventory/RING/movements", &shop.token, &sold).await.ok();
        report_and_sweep(&shop).await;
        assert_eq!(shop.listing(ring).await, ("opening".to_owned(), None, Some(2)));
        report_and_sweep(&shop).await;
        // A piece that was counted keeps its count; what differs is for the shop to get.
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(9), Some(2)));
    }
}

on_both! {
    async fn a_piece_that_is_being_counted_takes_no_movement(relay: TestRelay) {
        let (shop, _) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        let served = relay.serve().await;
        let sold = json!({ "type": "sale", "quantity_change": "-1", "notes": "" });
        let reply = served.api.post("/api/inventory/RING/movements", &shop.token, &sold).await;
        assert!(reply.problem(409).contains("being counted"));
        report_and_sweep(&shop).await;
        served.api.post("/api/inventory/RING/movements", &shop.token, &sold).await.ok();
        assert_eq!(movements(&shop).await, [counted(3), vec![("sale".to_owned(), -1)]].concat());
    }
}

on_both! {
    async fn what_is_sold_while_a_store_is_halted_is_not_given_back(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        shop.open().await;
        let before = shop.quantity(ring).await;
        let now = nexpura_relay::store::now();
        let (tenant, store) = (shop.tenant, shop.integration);
        let mut tx = relay.relay.db.write().await.unwrap();
        integrations::fork(&mut tx, tenant, store, "two databases", now).await.unwrap();
        tx.commit().await.unwrap();
        shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.push().await;
        assert_eq!(shop.quantity(ring).await, before, "kept only");
        let mut tx = relay.relay.db.write().await.unwrap();
        integrations::unfork(&mut tx, tenant, store, now).await.unwrap();
        listings::begin_anew(&mut tx, tenant, store, now).await.unwrap();
        tx.commit().await.unwrap();
        shop.fetch().await;
        shop.let_time_pass().await;
        shop.open().await;
        let left = before - 1;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(left), Some(left)));
        assert_eq!(relay.number("SELECT COUNT(*) FROM stock_pushes").await, 0, "nothing to give back");
    }
}

on_both! {
    async fn a_frozen_push_keeps_a_reading_from_being_believed(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        shop.open().await;
        let before = shop.quantity(ring).await;
        let now = nexpura_relay::store::now();
        let (tenant, store) = (shop.tenant, shop.integration);
        // Sold at the till; the push was added by the shop, and its answer was lost.
        let mut tx = relay.relay.db.write().await.unwrap();
        let stock = i64::try_from(ring).unwrap();
        let listing = listings::lock(&mut tx, tenant, store, stock).await.unwrap().unwrap();
        let inventory_id = listing.inventory_id.unwrap();
        let movement = movements::Movement {
            inventory_id,
            kind: "sale",
            change: -1_000,
            ..movements::Movement::default()
        };
        movements::post(&mut tx, tenant, &movement, now).await.unwrap();
        pushes::ask(&mut tx, tenant, inventory_id, now).await.unwrap();
        let times = pushes::Times { now, until: now, held_since: now };
        let claimed = pushes::claim(&mut tx, tenant, store, true, 100, times).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((claimed[0].push_no, claimed[0].delta), (Some(1), -1_000));
        shop.unnoticed(|shop| shop.set_stock(ring, before - 1));
        for _ in 0..4 {
            shop.push().await;
            shop.want_sweep(true).await;
            shop.run_sweep().await;
        }
        assert_eq!(relay.number("SELECT COUNT(*) FROM drifts").await, 0);
        let mut tx = relay.relay.db.write().await.unwrap();
        pushes::acknowledge(&mut tx, tenant, &claimed[0], now).await.unwrap();
        tx.commit().await.unwrap();
        let left = before - 1;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(left), Some(left)));
    }
}
