//! Where somebody asks for it, products and accounts of a shop without the plugin are given a custom field, and nothing
//! that this could do harm to.

use nexpura_protocol::Resource::{Customer, Product};
use nexpura_relay::{
    service::store_policy::{self, Change},
    store,
};
use serde_json::json;

use super::{sweeps, without_plugin};
use crate::{
    shop::Stock,
    support::{connected::Connected, database, on_both, relay::TestRelay},
};

/// The ring of such a shop.
const RING: u64 = 11;

async fn ask(shop: &Connected, fields: bool) {
    let change = Change { mark_fields: Some(fields), ..Change::default() };
    let (tenant, store) = (shop.tenant, shop.integration);
    store_policy::set(&shop.relay, tenant, store, change, "Ann", store::now()).await.unwrap();
}

/// How many rows the last run found changed.
async fn changed(relay: &TestRelay) -> i64 {
    relay.number("SELECT synced FROM sync_runs ORDER BY finished_at DESC LIMIT 1").await
}

on_both! {
    async fn each_gets_its_field_once_and_is_no_news_for_it(relay: TestRelay) {
        let (shop, _) = without_plugin(&relay, 1).await;
        let (band, nameless, set, linked, box_of_rings, ada, brien, ben) = shop.unnoticed(|shop| {
            let band = shop.product(None, "variable", Some("BAND"), Stock::Unmanaged);
            shop.product(Some(band), "variation", Some("BAND-52"), Stock::Own(2));
            let nameless = shop.product(None, "simple", None, Stock::Own(1));
            let set = shop.product(None, "grouped", None, Stock::Unmanaged);
            let linked = shop.product(None, "external", Some("LINK"), Stock::Unmanaged);
            // Its plugin is switched off.
            let boxed = shop.simple("BOX", 2);
            shop.kept_types.insert(boxed, "subscription");
            let ada = shop.customer("ada@example.org", "Ada");
            let brien = shop.customer("o'brien@example.org", "Brien");
            let ben = shop.customer("ben@example.org", "Ben");
            (band, nameless, set, linked, boxed, ada, brien, ben)
        });
        sweeps(&shop, true).await;
        assert!(shop.fake.shop().fields.is_empty(), "nobody has asked for it");
        shop.unnoticed(|shop| shop.customers.get_mut(&ben).unwrap().role = "shop_manager");
        ask(&shop, true).await;
        sweeps(&shop, true).await;
        let sorted = || {
            let mut fields = shop.fake.shop().fields.clone();
            fields.sort_unstable();
            fields
        };
        let expected =
            [(Product, RING), (Product, band), (Product, set), (Product, linked), (Customer, ada)];
        assert_eq!(sorted(), expected, "not {nameless}, {box_of_rings}, {brien}, nor {ben}");
        assert_eq!(shop.fake.shop().kept_types.len(), 1, "it was made a simple product");
        assert!(shop.fake.shop().mailed.is_empty());
        sweeps(&shop, true).await;
        assert_eq!(changed(&relay).await, 0, "a mark is no change");
        assert_eq!(sorted(), expected, "once is enough");
        assert_eq!(shop.quantity(RING).await, 500);
    }
}

on_both! {
    async fn what_has_its_field_already_is_not_saved_again(relay: TestRelay) {
        let (shop, _) = without_plugin(&relay, 0).await;
        let ada = shop.unnoticed(|shop| {
            let ada = shop.customer("ada@example.org", "Ada");
            shop.fields.extend([(Product, RING), (Customer, ada)]);
            ada
        });
        ask(&shop, true).await;
        sweeps(&shop, true).await;
        assert_eq!(shop.fake.shop().fields, [(Product, RING), (Customer, ada)]);
    }
}

on_both! {
    async fn a_sweep_marks_twenty_five_the_newest_first(relay: TestRelay) {
        let (shop, _) = without_plugin(&relay, 0).await;
        let rings: Vec<u64> =
            shop.unnoticed(|shop| (0..30).map(|n| shop.simple(&format!("RING-{n}"), 1)).collect());
        ask(&shop, true).await;
        sweeps(&shop, true).await;
        let marked = |shop: &Connected| {
            let fields = shop.fake.shop().fields.clone();
            let mut ids: Vec<u64> = fields.into_iter().map(|(_, id)| id).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(marked(&shop), rings[5..]);
        sweeps(&shop, false).await;
        let mut all = vec![RING];
        all.extend(rings);
        assert_eq!(marked(&shop), all);
    }
}

on_both! {
    async fn a_shop_that_fails_is_asked_once_and_one_that_refuses_again(relay: TestRelay) {
        let batch = "wc/v3/products/batch";
        let (failing, _) = without_plugin(&relay, 0).await;
        let (refusing, _) = without_plugin(&relay, 0).await;
        for (shop, status) in [(&failing, 500), (&refusing, 401)] {
            ask(shop, true).await;
            shop.fake.answer_with(batch, Some((status, json!({}))));
            sweeps(shop, true).await;
            let asked = shop.fake.times_asked(batch);
            assert!(asked > 0, "{status}");
            shop.fake.answer_with(batch, None);
            sweeps(shop, true).await;
            let again = shop.fake.times_asked(batch) - asked;
            assert_eq!(again, usize::from(status == 401), "{status}: the field may be there");
        }
        assert_eq!(refusing.fake.shop().fields, [(Product, RING)]);
    }
}

on_both! {
    async fn whoever_takes_it_back_is_heard_at_once(relay: TestRelay) {
        let stops = [
            "mark_fields = FALSE",
            "marks = FALSE",
            "writable = FALSE",
            "forked_at = created_at, forked_reason = 'two of them'",
        ];
        for stop in stops {
            let (shop, orders) = without_plugin(&relay, 1).await;
            ask(&shop, true).await;
            let key = database::key(&relay.relay.db, shop.integration);
            let (db, fake) = (relay.relay.db.clone(), shop.fake.clone());
            let stop_it = format!("UPDATE integrations SET {stop} WHERE id = {key}");
            // While the relay looks which products can be marked.
            shop.fake.interrupt(&format!("wc/v3/orders/{}/notes", orders[0]), move || async move {
                fake.interrupt("wc/v3/products", move || async move {
                    database::run(&db, &stop_it).await;
                });
            });
            shop.want_sweep(true).await;
            for _ in 0..3 {
                shop.run_sweep().await;
            }
            assert_eq!(shop.fake.interruptions_left(), 0, "{stop}");
            assert!(shop.fake.shop().fields.is_empty(), "{stop}");
        }
    }
}

on_both! {
    async fn the_plugin_needs_no_fields(relay: TestRelay) {
        let (shop, _) = without_plugin(&relay, 1).await;
        ask(&shop, true).await;
        let key = database::key(&relay.relay.db, shop.integration);
        relay.run(&format!("UPDATE connections SET revoked_at = NULL WHERE integration_id = {key}")).await;
        sweeps(&shop, true).await;
        let asked = shop.fake.shop().clone();
        assert!(asked.fields.is_empty() && asked.notes.is_empty());
    }
}

on_both! {
    async fn what_another_plugin_changes_on_saving_ends_it(relay: TestRelay) {
        let (shop, _) = without_plugin(&relay, 0).await;
        shop.unnoticed(|shop| {
            for n in 0..8 {
                shop.simple(&format!("RING-{n}"), 1);
            }
            shop.customer("ada@example.org", "Ada");
            shop.alters = Some(RING + 8);
        });
        ask(&shop, true).await;
        sweeps(&shop, true).await;
        sweeps(&shop, true).await;
        let fields = shop.fake.shop().fields.clone();
        assert_eq!(fields.len(), 5, "no more than with the first request: {fields:?}");
        assert_eq!(relay.number("SELECT COUNT(*) FROM integrations WHERE mark_fields").await, 0);
        let told = "SELECT actor, subject FROM audit_log WHERE action = 'mark_fields.stopped'";
        let told = relay.texts(told).await.concat();
        assert_eq!(told[0], "relay");
        assert!(told[1].ends_with(&format!("product {}: name", RING + 8)), "{told:?}");
        // What ends it is not what the shop refuses.
        shop.unnoticed(|shop| {
            shop.refuses = Some(RING);
            shop.alters = None;
        });
        ask(&shop, true).await;
        sweeps(&shop, true).await;
        assert_eq!(relay.number("SELECT COUNT(*) FROM integrations WHERE mark_fields").await, 1);
        let fields = shop.fake.shop().fields.clone();
        assert_eq!(fields.len(), 9, "all but the one: {fields:?}");
    }
}

on_both! {
    async fn who_is_erased_and_what_is_gone_or_waits_gets_none(relay: TestRelay) {
        let (shop, _) = without_plugin(&relay, 0).await;
        let (gone, binned, waiting, low, ada) = shop.unnoticed(|shop| {
            let gone = shop.simple("GONE", 1);
            let binned = shop.simple("BINNED", 1);
            let waiting = shop.simple("WAITING", 1);
            let low = shop.simple("LOW", 1);
            (gone, binned, waiting, low, shop.customer("ada@example.org", "Ada"))
        });
        sweeps(&shop, true).await;
        for change in [
            format!("UPDATE products SET gone = TRUE WHERE remote_id = {gone}"),
            format!("UPDATE products SET status = 'trash' WHERE remote_id = {binned}"),
            format!("UPDATE listings SET state = 'waiting' WHERE stock_id = {waiting}"),
            format!("UPDATE resources SET erased_at = arrived_at WHERE resource = 'customer' AND remote_id = {ada}"),
        ] {
            assert_eq!(relay.run(&change).await, 1, "{change}");
        }
        // Since then the shop keeps its last piece back: a saving would take what it has one of off sale.
        shop.unnoticed(|shop| shop.none_left = 1);
        ask(&shop, true).await;
        sweeps(&shop, false).await;
        assert_eq!(shop.fake.shop().fields, [(Product, RING)], "not {low}");
    }
}

on_both! {
    async fn variations_keep_nobody_from_a_field(relay: TestRelay) {
        let (shop, _) = without_plugin(&relay, 0).await;
        let band = shop.unnoticed(|shop| {
            let band = shop.product(None, "variable", Some("BAND"), Stock::Unmanaged);
            for n in 0..60 {
                shop.product(Some(band), "variation", Some(&format!("BAND-{n}")), Stock::Own(1));
            }
            band
        });
        ask(&shop, true).await;
        sweeps(&shop, true).await;
        let mut fields = shop.fake.shop().fields.clone();
        fields.sort_unstable();
        assert_eq!(fields, [(Product, RING), (Product, band)]);
        let left = "SELECT COUNT(*) FROM resources WHERE resource = 'product' AND marked_at IS NULL";
        assert_eq!(relay.number(left).await, 0, "each sweep would go through them all");
    }
}

on_both! {
    async fn what_the_shop_cannot_show_keeps_nobody_else_from_a_field(relay: TestRelay) {
        let (shop, _) = without_plugin(&relay, 0).await;
        let (band, signet) = shop.unnoticed(|shop| {
            let band = shop.product(None, "variable", Some("BAND"), Stock::Unmanaged);
            shop.product(Some(band), "variation", Some("BAND-52"), Stock::Own(2));
            let signet = shop.product(None, "variable", Some("SIGNET"), Stock::Unmanaged);
            shop.product(Some(signet), "variation", Some("SIGNET-52"), Stock::Own(2));
            (band, signet)
        });
        ask(&shop, true).await;
        let (fake, broken) = (shop.fake.clone(), format!("wc/v3/products/{signet}/variations"));
        let route = broken.clone();
        shop.fake.interrupt("wc/v3/settings/products", move || async move {
            fake.answer_with(&route, Some((500, json!({}))));
        });
        sweeps(&shop, true).await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        assert_eq!(shop.fake.shop().fields, [(Product, RING)]);
        shop.fake.answer_with(&broken, None);
        sweeps(&shop, false).await;
        assert_eq!(shop.fake.shop().fields, [(Product, RING), (Product, band)], "not {signet}");
    }
}
