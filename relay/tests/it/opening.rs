//! The opening count: a stock is believed when it reads the same twice and nothing can have moved it in
//! between; nothing posts before, and nothing that is in the count posts after.

use nexpura_protocol::SpoolState;
use serde_json::json;

use crate::{
    shop::{Shop, Stock, server::Town},
    support::{connected::Connected, database::Backend, on_both, relay::TestRelay},
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
    let rows = crate::support::database::texts(&shop.relay.db, &sql).await;
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
    let at = crate::support::database::moment(&shop.relay.db, then);
    let sql = format!("UPDATE listings SET reading_at = {at} WHERE {}", shop.mine());
    crate::support::database::run(&shop.relay.db, &sql).await;
}

on_both! {
    async fn no_stock_opens_while_a_spool_has_something_to_come(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        for still_to_come in [
            SpoolState { unsent: 1, open_intents: 0 },
            SpoolState { unsent: 0, open_intents: 1 },
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
        let at = crate::support::database::moment(&shop.relay.db, then);
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
    async fn a_piece_that_exists_already_waits_for_a_person(relay: TestRelay) {
        let town = Town::open().await;
        let tenant = "Two shops";
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 3);
        let first = Connected::of(&relay.relay, &town, shop.clone(), tenant).await;
        first.open().await;
        let second = Connected::of(&relay.relay, &town, shop, tenant).await;
        second.unnoticed(|shop| shop.set_stock(ring, 8));
        second.open().await;
        assert_eq!(second.listing(ring).await, ("waiting".to_owned(), None, None));
        second.request(|shop| shop.paid_order(&[(ring, 2)]));
        second.push().await;
        assert_eq!(first.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
        assert_eq!(movements(&first).await, counted(3));
        let served = relay.serve().await;
        let list = served.api.get("/api/inventory", &first.token).await.ok();
        let listings = list["items"][0]["listings"].as_array().unwrap();
        assert_eq!(listings.len(), 1, "the other shop's listing is not linked: {list}");
    }
}

on_both! {
    async fn of_two_products_with_one_sku_the_first_is_kept(relay: TestRelay) {
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 3);
        let again = shop.simple("RING", 7);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
        assert_eq!(shop.listing(again).await, ("skipped".to_owned(), None, None));
        let sql = format!("SELECT reason FROM listings WHERE state = 'skipped' AND {}", shop.mine());
        assert!(relay.texts(&sql).await[0][0].contains("same SKU"));
    }
}

on_both! {
    async fn without_a_sku_a_product_is_skipped_until_it_has_one(relay: TestRelay) {
        let mut shop = Shop::new();
        let ring = shop.product(None, "simple", None, Stock::Own(4));
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        assert_eq!(shop.listing(ring).await, ("skipped".to_owned(), None, None));
        shop.act(|shop| shop.name_sku(ring, "RING"));
        shop.push().await;
        shop.let_time_pass().await;
        shop.open().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(4), Some(4)));
    }
}

on_both! {
    async fn unmanaged_stock_is_unknown_and_not_zero(relay: TestRelay) {
        let mut shop = Shop::new();
        let gift = shop.product(None, "simple", Some("GIFT"), Stock::Unmanaged);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        shop.request(|shop| shop.paid_order(&[(gift, 2)]));
        shop.push().await;
        assert_eq!(shop.listing(gift).await, ("unmanaged".to_owned(), None, Some(0)));
        assert_eq!(movements(&shop).await, []);
        let served = relay.serve().await;
        let list = served.api.get("/api/inventory?sku=GIFT", &shop.token).await.ok();
        assert_eq!(list["items"][0]["quantity"], json!(null));
        assert_eq!(list["items"][0]["listings"][0]["mirror"], json!(null));
        assert_eq!(list["items"][0]["listings"][0]["state"], "unmanaged");
    }
}

on_both! {
    async fn variations_have_their_own_stock_or_their_parents(relay: TestRelay) {
        let mut shop = Shop::new();
        let band = shop.product(None, "variable", Some("BAND"), Stock::Unmanaged);
        let gold = shop.product(Some(band), "variation", Some("BAND-AU"), Stock::Own(4));
        let silver = shop.product(Some(band), "variation", Some("BAND-AG"), Stock::Own(6));
        let stud = shop.product(None, "variable", Some("STUD"), Stock::Own(10));
        let left = shop.product(Some(stud), "variation", Some("STUD-L"), Stock::Parent);
        let right = shop.product(Some(stud), "variation", Some("STUD-R"), Stock::Parent);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        let order = shop.request(|shop| {
            shop.paid_order(&[(gold, 1), (silver, 2), (left, 3), (right, 4)])
        });
        shop.push().await;
        for (stock, units) in [(gold, 3), (silver, 4), (stud, 3)] {
            assert_eq!(shop.listing(stock).await, ("open".to_owned(), Some(units), Some(units)));
        }
        let listed: Vec<i64> = shop.listings().await.into_iter().map(|(id, ..)| id).collect();
        assert_eq!(listed, [gold, silver, stud].map(|id| i64::try_from(id).unwrap()));
        shop.act(|shop| shop.enter(order, "cancelled"));
        shop.push().await;
        assert_eq!([shop.quantity(gold).await, shop.quantity(stud).await], [4, 10]);
    }
}

on_both! {
    async fn an_order_that_could_not_be_read_before_does_not_double(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        // The shop has sold one, but says so in words that nobody understands.
        let order = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        let mut events = shop.spool.lock().unwrap().take();
        for event in &mut events {
            if event.topic.resource == nexpura_protocol::Resource::Order {
                event.payload.as_mut().unwrap()["currency"] = json!(7);
            }
        }
        let verdicts = shop.push_events(events).await;
        assert!(verdicts.contains(&nexpura_protocol::Verdict::Failed), "{verdicts:?}");
        shop.fake.damage_order(order);
        shop.let_time_pass().await;
        for _ in 0..3 {
            report_and_sweep(&shop).await;
        }
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
        // Now it can be read.
        shop.fake.repair();
        shop.make_due().await;
        shop.fetch().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
        assert_eq!(movements(&shop).await, counted(2));
        shop.act(|shop| shop.enter(order, "cancelled"));
        shop.push().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
        assert_eq!(waiting(&shop).await, 0);
    }
}

async fn waiting(shop: &Connected) -> i64 {
    let sql = "SELECT COUNT(*) FROM inbox WHERE status IN ('queued', 'failed') AND";
    crate::support::database::number(&shop.relay.db, &format!("{sql} {}", shop.mine())).await
}

on_both! {
    async fn a_change_that_could_not_be_read_before_does_not_double_either(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.push().await;
        shop.act(|shop| shop.edit(order, 0, 2));
        shop.fake.damage_order(order);
        let mut events = shop.spool.lock().unwrap().take();
        events[0].payload.as_mut().unwrap()["currency"] = json!(7);
        shop.push_events(events).await;
        shop.let_time_pass().await;
        for _ in 0..3 {
            report_and_sweep(&shop).await;
        }
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(1), Some(1)));
        shop.fake.repair();
        shop.make_due().await;
        shop.fetch().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(1), Some(1)));
        shop.act(|shop| shop.enter(order, "cancelled"));
        shop.push().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
    }
}

on_both! {
    async fn a_checkout_begun_before_and_paid_after_is_a_sale(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        let draft = shop.unnoticed(|shop| shop.draft(&[(ring, 2)]));
        let mark = crate::shop::Mark {
            resource: nexpura_protocol::Resource::Order,
            id: draft,
            verb: nexpura_protocol::Verb::Created,
        };
        shop.spool.lock().unwrap().touch(mark);
        shop.push().await;
        shop.fetch().await;
        shop.let_time_pass().await;
        shop.open().await;
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 0);
        shop.act(|shop| shop.enter(draft, "processing"));
        shop.push().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(1), Some(1)));
    }
}

on_both! {
    async fn a_shop_with_a_past_posts_nothing_of_it(relay: TestRelay) {
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 100);
        let statuses =
            ["pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "being-engraved"];
        let mut orders = Vec::new();
        for status in statuses {
            for through in ["pending", "processing"] {
                let (order, _) = shop.order(&[(ring, 1)]);
                shop.enter(order, through);
                shop.enter(order, status);
                orders.push(order);
            }
        }
        let (trashed, _) = shop.paid_order(&[(ring, 1)]);
        shop.trash(trashed);
        let (refunded, _) = shop.paid_order(&[(ring, 3)]);
        shop.refund(refunded, 0, 2, true);
        let there = shop.units(ring).unwrap();
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(there), Some(there)));
        assert_eq!(movements(&shop).await, counted(there));
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 18);
        let open = "SELECT COUNT(*) FROM sale_items WHERE posted <> desired";
        assert_eq!(relay.number(open).await, 0);

        // The past goes on: what is given back now is given back in the ledger too.
        for order in orders {
            shop.act(|shop| shop.enter(order, "cancelled"));
        }
        shop.act(|shop| shop.enter(refunded, "cancelled"));
        shop.act(|shop| shop.untrash(trashed));
        shop.act(|shop| shop.enter(trashed, "cancelled"));
        shop.push().await;
        let units = shop.fake.shop().units(ring).unwrap();
        assert_eq!(units, 100);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(100), Some(100)));
        let returned: i64 = movements(&shop)
            .await
            .iter()
            .filter(|(kind, _)| kind == "return")
            .map(|(_, units)| units)
            .sum();
        assert_eq!(returned, 100 - there);
    }
}

on_both! {
    async fn a_product_in_the_trash_is_counted_where_it_lies(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        shop.act(|shop| shop.trash_product(ring));
        shop.push().await;
        report_and_sweep(&shop).await;
        report_and_sweep(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
    }
}

on_both! {
    async fn a_product_that_goes_while_it_is_counted_is_missing(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        shop.unnoticed(|shop| shop.delete_product(ring));
        report_and_sweep(&shop).await;
        assert_eq!(shop.listing(ring).await, ("missing".to_owned(), None, Some(0)));
        assert_eq!(movements(&shop).await, []);
    }
}

/// A hundred listings are one request, and more are all read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_catalogue_is_counted_whole() {
    let relay = TestRelay::new(Backend::Sqlite).await;
    let mut shop = Shop::new();
    let rings: Vec<u64> = (0..230).map(|n| shop.simple(&format!("RING-{n:03}"), n)).collect();
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    for (units, ring) in rings.into_iter().enumerate().step_by(37) {
        assert_eq!(shop.quantity(ring).await, i64::try_from(units).unwrap());
    }
    assert_eq!(relay.number("SELECT COUNT(*) FROM listings WHERE state = 'open'").await, 230);
    let asked = shop.fake.asked().len();
    assert!(asked <= 25, "{asked} requests for 230 products");
}
