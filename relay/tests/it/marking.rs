//! What was brought over is marked in the shop, where the key may write; nothing depends on it.

mod fields;

use nexpura_protocol::Resource::{Customer, Order, Product};
use nexpura_relay::{
    service::{
        runs::{self, Kind},
        store_policy::{self, Change},
    },
    store::{self, integrations},
};
use serde_json::json;

use crate::{
    shop::{Shop, Stock, server::Town},
    support::{connected::Connected, database, on_both, relay::TestRelay},
};

const SYNCED: &str = "wc-nexpura/v1/synced";

/// A shop with some of everything, its rings first.
async fn some_of_everything(relay: &TestRelay, rings: i64) -> (Connected, Vec<u64>) {
    let mut shop = Shop::new();
    let rings = (0..rings).map(|n| shop.simple(&format!("RING-{n}"), 5)).collect();
    (Connected::new(&relay.relay, &Town::open().await, shop).await, rings)
}

async fn ended(relay: &TestRelay) -> i64 {
    relay.number("SELECT COUNT(*) FROM sync_runs WHERE finished_at IS NOT NULL").await
}

on_both! {
    async fn what_a_run_brought_over_is_marked_and_nothing_else(relay: TestRelay) {
        let (shop, rings) = some_of_everything(&relay, 1).await;
        let ring = rings[0];
        let (band, small, nameless, ada, bought, damaged) = shop.unnoticed(|shop| {
            let band = shop.product(None, "variable", Some("BAND"), Stock::Unmanaged);
            let small = shop.product(Some(band), "variation", Some("BAND-52"), Stock::Own(2));
            let nameless = shop.product(None, "simple", None, Stock::Own(1));
            let ada = shop.customer("ada@example.org", "Ada");
            let (bought, _) = shop.order(&[(ring, 1)]);
            let (damaged, _) = shop.order(&[(ring, 1)]);
            (band, small, nameless, ada, bought, damaged)
        });
        shop.fake.damage_order(damaged);
        shop.want_sweep(true).await;
        while shop.run_sweep().await {}
        let marked = shop.fake.shop().synced.clone();
        for thing in [(Product, ring), (Product, small), (Customer, ada), (Order, bought)] {
            assert!(marked.contains(&thing), "{thing:?} is missing in {marked:?}");
        }
        assert!(marked.contains(&(Product, band)), "its variations are in: {marked:?}");
        for thing in [(Product, nameless), (Order, damaged)] {
            assert!(!marked.contains(&thing), "{thing:?} was not brought over: {marked:?}");
        }
    }
}

on_both! {
    async fn many_are_marked_with_one_request(relay: TestRelay) {
        let (shop, rings) = some_of_everything(&relay, 230).await;
        shop.want_sweep(true).await;
        while ended(&relay).await == 0 && shop.run_sweep().await {}
        let marked = shop.fake.shop().synced.clone();
        for ring in rings {
            assert!(marked.contains(&(Product, ring)), "{ring} is missing");
        }
        assert_eq!(shop.fake.times_asked(SYNCED), 2, "200 with the first, the rest with the last");
    }
}

on_both! {
    async fn a_shop_that_takes_no_marks_is_not_asked_again_and_all_is_brought_over(relay: TestRelay) {
        for refusal in [401, 404, 500] {
            let (shop, rings) = some_of_everything(&relay, 230).await;
            shop.fake.answer_with(SYNCED, Some((refusal, json!({ "code": "rest_no_route" }))));
            shop.want_sweep(true).await;
            shop.run_sweep().await;
            assert_eq!(shop.fake.times_asked(SYNCED), 1);
            shop.open().await;
            assert_eq!(shop.listing(rings[0]).await, ("open".to_owned(), Some(5), Some(5)));
            assert_eq!(shop.listing(rings[229]).await, ("open".to_owned(), Some(5), Some(5)));
            let status = format!("SELECT status FROM integrations WHERE id = {}",
                database::key(&relay.relay.db, shop.integration));
            assert_eq!(database::texts(&relay.relay.db, &status).await, [["connected"]]);
        }
    }
}

on_both! {
    async fn with_a_key_that_may_only_read_nothing_is_marked(relay: TestRelay) {
        let (shop, rings) = some_of_everything(&relay, 1).await;
        let key = database::key(&relay.relay.db, shop.integration);
        relay.run(&format!("UPDATE integrations SET writable = FALSE WHERE id = {key}")).await;
        shop.open().await;
        assert_eq!(shop.quantity(rings[0]).await, 5);
        assert_eq!(shop.fake.times_asked(SYNCED), 0);
    }
}

/// A shop without the plugin, with a ring and so many orders of it, the oldest first.
async fn without_plugin(relay: &TestRelay, orders: usize) -> (Connected, Vec<u64>) {
    let mut shop = Shop::new();
    shop.bare = true;
    let ring = shop.simple("RING", 500);
    let orders = (0..orders).map(|_| shop.order(&[(ring, 1)]).0).collect();
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    let key = database::key(&relay.relay.db, shop.integration);
    // It never had the plugin.
    let gone =
        format!("UPDATE connections SET revoked_at = created_at WHERE integration_id = {key}");
    assert_eq!(relay.run(&gone).await, 1);
    (shop, orders)
}

fn noted(shop: &Connected) -> Vec<u64> {
    let notes = shop.fake.shop().notes.clone();
    assert!(notes.iter().all(|(_, note)| note == "Synced with Nexpura"), "{notes:?}");
    notes.into_iter().map(|(order, _)| order).collect()
}

async fn sweeps(shop: &Connected, everything: bool) {
    shop.let_time_pass().await;
    shop.want_sweep(everything).await;
    while shop.run_sweep().await {}
}

on_both! {
    async fn without_the_plugin_a_note_says_it_of_each_order_once(relay: TestRelay) {
        let (shop, orders) = without_plugin(&relay, 2).await;
        let (binned, draft) = shop.unnoticed(|shop| {
            let binned = shop.order(&[(11, 1)]).0;
            shop.trash(binned);
            (binned, shop.draft(&[(11, 1)]))
        });
        sweeps(&shop, true).await;
        assert_eq!(noted(&shop), [orders[1], orders[0]], "the newest first; not {binned}, nor {draft}");
        assert_eq!(shop.fake.times_asked(SYNCED), 0);
        sweeps(&shop, true).await;
        let newest = shop.unnoticed(|shop| {
            // It has had its id for long.
            shop.enter(draft, "processing");
            shop.order(&[(11, 1)]).0
        });
        sweeps(&shop, false).await;
        assert_eq!(noted(&shop), [orders[1], orders[0], newest, draft]);
    }
}

on_both! {
    async fn a_sweep_notes_fifty_orders_and_an_import_none(relay: TestRelay) {
        let (shop, orders) = without_plugin(&relay, 70).await;
        let row = {
            let mut tx = relay.relay.db.read().await.unwrap();
            integrations::get(&mut tx, shop.tenant, shop.integration).await.unwrap().unwrap()
        };
        runs::start(&relay.relay, shop.tenant, &row, Kind::Orders, "Ann", store::now()).await.unwrap();
        while ended(&relay).await == 0 && shop.run_sweep().await {}
        assert!(noted(&shop).is_empty(), "whoever imports does not wait for notes");
        sweeps(&shop, true).await;
        let newest: Vec<u64> = orders.iter().rev().copied().collect();
        assert_eq!(noted(&shop), newest[..50]);
        sweeps(&shop, true).await;
        assert_eq!(noted(&shop), newest);
    }
}

on_both! {
    async fn an_order_that_the_shop_fails_on_keeps_no_other_from_its_note(relay: TestRelay) {
        let (shop, orders) = without_plugin(&relay, 4).await;
        // The last one as where something speaks before WooCommerce does.
        let failures = [
            (orders[1], 500, json!({})),
            (orders[2], 404, json!({ "code": "woocommerce_rest_order_invalid_id" })),
            (orders[3], 200, json!("Notice: undefined")),
        ];
        let route = |order: u64| format!("wc/v3/orders/{order}/notes");
        for (order, status, body) in failures {
            shop.fake.answer_with(&route(order), Some((status, body)));
        }
        for _ in 0..5 {
            sweeps(&shop, true).await;
        }
        assert_eq!(noted(&shop), [orders[0]]);
        for order in &orders {
            assert_eq!(shop.fake.times_asked(&route(*order)), 1, "{order}: it may have its note");
        }
        // A shop that takes no notes now may take them later.
        let (newest, _) = shop.unnoticed(|shop| shop.order(&[(11, 1)]));
        let route = format!("wc/v3/orders/{newest}/notes");
        shop.fake.answer_with(&route, Some((401, json!({}))));
        sweeps(&shop, true).await;
        shop.fake.answer_with(&route, None);
        sweeps(&shop, true).await;
        assert_eq!(noted(&shop), [orders[0], newest]);
    }
}

on_both! {
    async fn there_are_no_marks_where_nobody_wants_them_or_the_store_is_stopped(relay: TestRelay) {
        let now = database::moment(&relay.relay.db, store::now());
        let stops = [
            "marks = FALSE".to_owned(),
            "writable = FALSE".to_owned(),
            format!("forked_at = {now}, forked_reason = 'two of them'"),
        ];
        for (at, stop) in stops.iter().enumerate() {
            let (bare, _) = without_plugin(&relay, 1).await;
            let (shop, _) = some_of_everything(&relay, 230).await;
            for one in [&bare, &shop] {
                let key = database::key(&relay.relay.db, one.integration);
                let fake = one.fake.clone();
                let (stop, db) = (stop.clone(), relay.relay.db.clone());
                // While the run is under way.
                let route = "wc/v3/customers";
                fake.interrupt(route, move || async move {
                    database::run(&db, &format!("UPDATE integrations SET {stop} WHERE id = {key}")).await;
                });
                one.want_sweep(true).await;
                for _ in 0..3 {
                    one.run_sweep().await;
                }
                assert_eq!(fake.interruptions_left(), 0, "{at}");
            }
            assert!(noted(&bare).is_empty(), "{stop}");
            // Those that were brought over before.
            assert!(shop.fake.times_asked(SYNCED) <= 1, "{stop}");
            assert!(shop.fake.shop().synced.len() <= 200, "{stop}");
        }
    }
}

on_both! {
    async fn a_policy_keeps_the_shop_as_it_is(relay: TestRelay) {
        let (bare, _) = without_plugin(&relay, 1).await;
        let (shop, rings) = some_of_everything(&relay, 1).await;
        let off = Change { marks: Some(false), ..Change::default() };
        for one in [&bare, &shop] {
            let (tenant, now) = (one.tenant, store::now());
            store_policy::set(&relay.relay, tenant, one.integration, off, "Ann", now).await.unwrap();
            sweeps(one, true).await;
        }
        assert!(noted(&bare).is_empty());
        assert_eq!(shop.quantity(rings[0]).await, 5);
        assert_eq!(shop.fake.times_asked(SYNCED), 0);
    }
}

on_both! {
    async fn what_an_event_has_just_brought_is_marked_too(relay: TestRelay) {
        let (shop, rings) = some_of_everything(&relay, 1).await;
        let order = shop.request(|shop| shop.paid_order(&[(rings[0], 1)]));
        shop.push().await;
        // Too soon for the page to be believed before the event; but the order is in.
        shop.want_sweep(true).await;
        shop.run_sweep().await;
        assert!(shop.fake.shop().synced.contains(&(Order, order)), "{:?}", shop.fake.shop().synced);
    }
}

on_both! {
    async fn what_the_ledger_keeps_nothing_of_is_skipped_and_not_marked(relay: TestRelay) {
        let (shop, rings) = some_of_everything(&relay, 1).await;
        let (draft, ada) = shop.unnoticed(|shop| {
            (shop.draft(&[(rings[0], 1)]), shop.customer("ada@example.org", "Ada"))
        });
        shop.open().await;
        relay.run("DELETE FROM sync_runs").await;
        let erased = format!(
            "UPDATE resources SET erased_at = arrived_at WHERE resource = 'customer' AND remote_id = {ada}"
        );
        assert_eq!(relay.run(&erased).await, 1);
        shop.fake.shop().synced.clear();
        let row = {
            let mut tx = relay.relay.db.read().await.unwrap();
            integrations::get(&mut tx, shop.tenant, shop.integration).await.unwrap().unwrap()
        };
        shop.let_time_pass().await;
        for kind in [Kind::Orders, Kind::Customers] {
            runs::start(&relay.relay, shop.tenant, &row, kind, "Ann", store::now()).await.unwrap();
        }
        while shop.run_sweep().await {}
        let reasons = "SELECT label, reason FROM run_findings ORDER BY resource";
        let reasons = database::texts(&relay.relay.db, reasons).await;
        assert_eq!(reasons.len(), 2, "{reasons:?}");
        assert!(reasons[0][1].contains("erased") && reasons[1][1].contains("no order yet"), "{reasons:?}");
        let marked = shop.fake.shop().synced.clone();
        assert!(!marked.contains(&(Order, draft)) && !marked.contains(&(Customer, ada)), "{marked:?}");
    }
}
