//! What was brought over is marked in the shop, where the key may write; nothing depends on it.

use nexpura_protocol::Resource::{Customer, Order, Product};
use nexpura_relay::{
    service::{
        runs::{self, Kind},
        store_policy::{self, Change},
    },
    store::{self, integrations},
};
use serde_json::{Value, json};

use crate::{
    shop::{Shop, Stock, server::Town},
    support::{connected::Connected, database, on_both, relay::TestRelay},
};

const SYNCED: &str = "wc-nexpura/v1/synced";
/// The custom field that marks a thing where there is no plugin.
const FIELD: &str = "Synced with Nexpura";

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

/// The ids that were marked with each request, in turn.
fn fielded(shop: &Connected, listing: &str) -> Vec<Vec<u64>> {
    let route = format!("wc/v3/{listing}/batch");
    let asked = shop.fake.asked();
    let bodies = asked.iter().filter(|asked| asked.route == route).map(|asked| &asked.body);
    let marks = bodies.filter(|body| body["update"][0]["meta_data"][0]["key"] == FIELD);
    let ids = |body: &Value| {
        let updates = body["update"].as_array().unwrap().iter();
        updates.map(|update| update["id"].as_u64().unwrap()).collect()
    };
    marks.map(ids).collect()
}

on_both! {
    async fn without_the_plugin_each_is_marked_once_by_a_field(relay: TestRelay) {
        let mut shop = Shop::new();
        shop.bare = true;
        let ring = shop.simple("RING", 5);
        let band = shop.product(None, "variable", Some("BAND"), Stock::Unmanaged);
        let small = shop.product(Some(band), "variation", Some("BAND-52"), Stock::Own(2));
        let nameless = shop.product(None, "simple", None, Stock::Own(1));
        let ada = shop.customer("ada@example.org", "Ada");
        let (bought, _) = shop.order(&[(ring, 1)]);
        let (binned, _) = shop.order(&[(ring, 1)]);
        shop.trash(binned);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        assert_eq!(fielded(&shop, "products"), [[ring, band]], "not {small}, nor {nameless}");
        assert_eq!(fielded(&shop, "orders"), [[bought]]);
        assert_eq!(fielded(&shop, "customers"), [[ada]]);
        let shown = shop.fake.shop().show(Order, bought).unwrap();
        let at = shown["meta_data"][0]["value"].as_str().unwrap();
        assert!(at.ends_with(" UTC") && at.len() == "2026-11-21 10:00 UTC".len(), "{at}");

        // Each was modified by that, so each is read again: nothing of it is new, and nothing is marked again.
        shop.let_time_pass().await;
        relay.run("DELETE FROM run_findings").await;
        relay.run("DELETE FROM sync_runs").await;
        shop.want_sweep(true).await;
        while shop.run_sweep().await {}
        assert_eq!(relay.number("SELECT CAST(SUM(unchanged) AS BIGINT) FROM sync_runs").await, 6);
        assert_eq!(relay.number("SELECT CAST(SUM(synced) AS BIGINT) FROM sync_runs").await, 0);
        assert_eq!(fielded(&shop, "products").len() + fielded(&shop, "orders").len(), 2);
        assert_eq!(shop.quantity(ring).await, 5);
    }
}

on_both! {
    async fn a_shop_that_does_not_show_its_marks_is_marked_once_all_the_same(relay: TestRelay) {
        let (shop, rings) = some_of_everything(&relay, 1).await;
        shop.fake.shop().bare = true;
        shop.open().await;
        for _ in 0..2 {
            shop.fake.shop().fields.clear();
            shop.let_time_pass().await;
            shop.want_sweep(true).await;
            while shop.run_sweep().await {}
        }
        assert_eq!(fielded(&shop, "products"), [[rings[0]]]);
    }
}

on_both! {
    async fn fifty_of_a_kind_are_marked_with_one_request(relay: TestRelay) {
        let mut shop = Shop::new();
        shop.bare = true;
        let rings: Vec<u64> = (0..120).map(|n| shop.simple(&format!("RING-{n}"), 5)).collect();
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.want_sweep(true).await;
        while ended(&relay).await == 0 && shop.run_sweep().await {}
        let marked = fielded(&shop, "products");
        assert_eq!(marked.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20]);
        assert_eq!(marked.concat(), rings);
    }
}

on_both! {
    async fn where_nobody_wants_marks_there_are_none(relay: TestRelay) {
        for bare in [true, false] {
            let (shop, rings) = some_of_everything(&relay, 1).await;
            shop.fake.shop().bare = bare;
            let off = Change { marks: Some(false), ..Change::default() };
            let (tenant, now) = (shop.tenant, store::now());
            store_policy::set(&relay.relay, tenant, shop.integration, off, "Ann", now).await.unwrap();
            shop.open().await;
            assert_eq!(shop.quantity(rings[0]).await, 5);
            assert_eq!(shop.fake.times_asked(SYNCED), 0);
            assert!(fielded(&shop, "products").is_empty());
        }
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
