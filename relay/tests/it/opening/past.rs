//! What a shop sold before its count: it is in the count, whenever and however it becomes known.

use serde_json::json;

use super::{counted, movements, report_and_sweep, with_a_ring};
use crate::{
    shop::{Shop, server::Town},
    support::{connected::Connected, database, on_both},
};

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
    database::number(&shop.relay.db, &format!("{sql} {}", shop.mine())).await
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
