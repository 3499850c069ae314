//! A paid order whose units never left the shop's stock holds that stock's pushes until a person decides.

use chrono::{TimeDelta, Utc};
use nexpura_relay::{
    domain::Sku,
    service::{
        adjust::{self, Kind},
        push_stock, runs,
    },
    store::{self, integrations, pushes},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    shop::{Shop, server::Town},
    support::{connected::Connected, on_both, relay::TestRelay},
};

/// A shop whose ten rings are counted, with a paid order of two that its stock knows nothing of.
async fn unreduced(relay: &TestRelay) -> (Connected, u64, u64) {
    unreduced_of(relay, "Ann").await
}

async fn unreduced_of(relay: &TestRelay, tenant: &str) -> (Connected, u64, u64) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 10);
    let shop = Connected::of(&relay.relay, &Town::open().await, shop, tenant).await;
    shop.open().await;
    let order = shop.request(|shop| {
        let (id, marks) = shop.order(&[(ring, 2)]);
        let order = shop.orders.get_mut(&id).unwrap();
        (order.status, order.paid) = ("processing".to_owned(), Some(Utc::now()));
        (id, marks)
    });
    shop.push().await;
    let conflicts = relay.texts("SELECT kind, CAST(quantity AS TEXT) FROM conflicts").await;
    assert_eq!(conflicts, [["never_reduced", "2000"]]);
    assert_eq!(shop.quantity(ring).await, 10);
    (shop, ring, order)
}

async fn receive(shop: &Connected, units: i64) {
    let request = adjust::Request {
        kind: Kind::Purchase,
        quantity_change: json!(units),
        notes: String::new(),
    };
    let sku = Sku::parse("RING").unwrap();
    let now = store::now();
    adjust::adjust(&shop.relay, shop.tenant, Uuid::new_v4(), &sku, &request, now).await.unwrap();
}

/// What would be pushed, with conflicts of that age holding it.
async fn pushed(shop: &Connected, age: TimeDelta) -> Vec<i64> {
    let now = store::now();
    let mut tx = shop.relay.db.write().await.unwrap();
    let times = pushes::Times { now, until: now, held_since: now - age };
    let claimed = pushes::claim(&mut tx, shop.tenant, shop.integration, true, 100, times).await;
    tx.commit().await.unwrap();
    claimed.unwrap().into_iter().map(|push| push.delta / 1_000).collect()
}

async fn decide(relay: &TestRelay, shop: &Connected, decision: &str) -> u16 {
    let served = relay.serve().await;
    let listed = served.api.get("/api/conflicts", &shop.token).await.ok();
    let id = listed["items"][0]["id"].as_str().unwrap();
    let body = json!({ "decision": decision });
    served.api.post(&format!("/api/conflicts/{id}/decide"), &shop.token, &body).await.status
}

on_both! {
    async fn its_stock_is_pushed_nothing_until_a_person_leaves_the_units(relay: TestRelay) {
        let (shop, ring, _) = unreduced(&relay).await;
        receive(&shop, 3).await;
        assert!(pushed(&shop, TimeDelta::zero()).await.is_empty());
        let detail = relay.texts("SELECT detail FROM stock_pushes WHERE status = 'open'").await;
        assert!(detail[0][0].contains("a person decides"), "{detail:?}");
        assert_eq!(decide(&relay, &shop, "acknowledge").await, 422);
        assert_eq!(decide(&relay, &shop, "leave").await, 204);
        assert_eq!(pushed(&shop, TimeDelta::zero()).await, [3]);
        assert_eq!(shop.quantity(ring).await, 13);
        assert_eq!(relay.number("SELECT COUNT(*) FROM conflicts WHERE resolved_at IS NULL").await, 0);
    }
}

on_both! {
    async fn a_checkout_that_was_read_in_the_middle_holds_nothing(relay: TestRelay) {
        let (shop, _, _) = unreduced(&relay).await;
        receive(&shop, 3).await;
        assert_eq!(pushed(&shop, TimeDelta::minutes(1)).await, [3]);
    }
}

on_both! {
    async fn a_person_takes_the_units_and_a_shop_that_takes_them_later_gives_them_back(
        relay: TestRelay
    ) {
        let (shop, ring, order) = unreduced(&relay).await;
        assert_eq!(decide(&relay, &shop, "take").await, 204);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(10), Some(8)));
        // The order is told again as it was: what a person has decided is not asked twice.
        shop.act(|shop| shop.edit(order, 0, 2));
        shop.push().await;
        assert_eq!(relay.number("SELECT COUNT(*) FROM conflicts").await, 1);
        assert_eq!(shop.quantity(ring).await, 8);
        // On hold and processing again: now the shop takes the two itself.
        shop.act(|shop| shop.enter(order, "on-hold"));
        shop.push().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(8), Some(8)));
        let sum = "SELECT CAST(SUM(quantity_change) AS BIGINT) FROM stock_movements";
        assert_eq!(relay.number(sum).await, 8_000);
    }
}

on_both! {
    async fn what_a_person_took_stays_taken_where_the_shop_gives_nothing_back(relay: TestRelay) {
        for status in ["refunded", "failed", "wc-shipped", "trash"] {
            relay.run("DELETE FROM conflicts").await;
            let (shop, ring, order) = unreduced_of(&relay, status).await;
            assert_eq!(decide(&relay, &shop, "take").await, 204);
            shop.act(|shop| if status == "trash" { shop.trash(order) } else { shop.enter(order, status) });
            shop.push().await;
            assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(10), Some(8)), "{status}");
            relay.run("UPDATE conflicts SET resolved_at = created_at").await;
        }
    }
}

on_both! {
    async fn a_line_that_is_removed_holds_nothing_and_gives_back_what_was_taken(relay: TestRelay) {
        let (shop, ring, order) = unreduced(&relay).await;
        receive(&shop, 3).await;
        assert!(pushed(&shop, TimeDelta::zero()).await.is_empty());
        shop.act(|shop| shop.remove_line(order, 0));
        shop.push().await;
        assert_eq!(pushed(&shop, TimeDelta::zero()).await, [3], "at once, and not after a minute");
        assert_eq!(shop.quantity(ring).await, 13);
        assert_eq!(relay.number("SELECT COUNT(*) FROM conflicts WHERE resolved_at IS NULL").await, 0);
    }
}

on_both! {
    async fn taking_what_is_not_there_is_an_oversale(relay: TestRelay) {
        let (shop, ring, _) = unreduced(&relay).await;
        receive(&shop, -9).await;
        assert_eq!(decide(&relay, &shop, "take").await, 204);
        assert_eq!(shop.quantity(ring).await, -1);
        let waiting = relay.texts("SELECT kind FROM conflicts WHERE resolved_at IS NULL").await;
        assert_eq!(waiting, [["oversale"]]);
    }
}

on_both! {
    async fn pushing_an_inventory_ends_where_only_a_person_can_go_on(relay: TestRelay) {
        let (shop, _, _) = unreduced(&relay).await;
        receive(&shop, 3).await;
        let mut tx = shop.relay.db.read().await.unwrap();
        let row = integrations::get(&mut tx, shop.tenant, shop.integration).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let kind = runs::Kind::Inventory;
        runs::start(&shop.relay, shop.tenant, &row, kind, "Ann", store::now()).await.unwrap();
        shop.run_sweep().await;
        let open = "SELECT COUNT(*) FROM sync_runs WHERE kind = 'inventory' AND finished_at IS NULL";
        assert_eq!(relay.number(open).await, 1, "it ended before anything was tried");
        push_stock::push_due(&shop.relay, shop.tenant, shop.integration).await.unwrap();
        relay.run("UPDATE sync_runs SET due_at = created_at").await;
        shop.run_sweep().await;
        assert_eq!(relay.number(open).await, 0, "it waits for a person for ever");
        let found = relay.texts("SELECT outcome, label, reason FROM run_findings").await;
        assert_eq!((found[0][0].as_str(), found[0][1].as_str()), ("skipped", "RING"));
        assert!(found[0][2].contains("a person decides"), "{found:?}");
        let skipped = "SELECT skipped FROM sync_runs WHERE kind = 'inventory'";
        assert_eq!(relay.number(skipped).await, 1);
    }
}
