//! The first page: what was sold and moved today, and what waits.

use chrono::{TimeDelta, Utc};
use uuid::Uuid;

use super::sales::rings;
use crate::support::{database, on_both};

on_both! {
    async fn it_says_what_was_sold_what_moved_and_what_waits(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, staff) = rings(&relay, &served).await;
        let page = staff.open("/").await.body;
        assert!(page.contains("Nothing yet") && !page.contains("Needs your attention"), "{page}");
        shop.request(|shop| shop.paid_order(&[(ring, 3)]));
        shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.request(|shop| shop.order_in("cancelled", &[(ring, 1)]));
        shop.push().await;
        shop.fetch().await;
        // The shop's clock is not ours.
        let now = database::moment(&relay.relay.db, Utc::now() - TimeDelta::minutes(1));
        relay.run(&format!(
            "UPDATE sales SET ordered_at = {now}, total = 1450000000, refunded = 100000000"
        )).await;
        relay.run("UPDATE inbox SET status = 'failed' WHERE resource = 'order'").await;
        let failed = relay.number("SELECT COUNT(*) FROM inbox WHERE status = 'failed'").await;
        let page = staff.open("/").await.body;
        for said in [
            "A$2,700.00",
            "2 sales",
            "2 sales in the last 14 days, at most 2 in a day.",
            "<h3>Sales a day, last 14 days</h3>",
            "Sold, 2 times",
            "<dd>−4</dd>",
            "Needs your attention",
            &format!("{failed} events could not be processed"),
            "href=\"/events?status=failed\"",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let then = database::moment(&relay.relay.db, Utc::now() - TimeDelta::hours(30));
        relay.run(&format!("UPDATE sales SET ordered_at = {then}")).await;
        let page = staff.open("/").await.body;
        assert!(page.contains("Nothing yet"), "{page}");
        assert!(page.contains("2 sales in the last 14 days"), "{page}");
        let named = shop.fake.home.split_once("://").unwrap().1;
        assert!(!page.contains("cannot be reached"), "no store is in trouble: {page}");
        relay.run("UPDATE integrations SET status = 'error', held_at = created_at, held_reason = 'x'").await;
        relay.run(&format!(
            "UPDATE spools SET unsent = 2, oldest_unsent_at = {then}, reported_at = {then}"
        )).await;
        let page = staff.open("/").await.body;
        for said in [
            format!("{named} cannot be reached"),
            format!("Stock changes for {named} are on hold"),
            format!("2 events are waiting in {named}"),
        ] {
            assert!(page.contains(&said), "{said}: {page}");
        }
        relay.run("UPDATE inventory SET quantity = -1000").await;
        relay.run(&format!(
            "UPDATE integrations SET status = 'connected', held_at = NULL, held_reason = NULL,
                push_trouble = 'x', last_sync_at = {then}"
        )).await;
        let db = &relay.relay.db;
        let key = |id| database::key(db, id);
        relay.run(&format!(
            "INSERT INTO webhook_setups (tenant_id, integration_id, address_id, state, heals, attempts,
                created_at)
             VALUES ({}, {}, {}, 'failing', 0, 0, {then})",
            key(shop.tenant), key(shop.integration), key(Uuid::new_v4()),
        )).await;
        let page = staff.open("/").await.body;
        let card = format!("href=\"/integrations#store-{}\"", shop.integration);
        for said in [
            format!("{card}>Stock changes do not reach {named}"),
            format!("{card}>{named} was last checked 1 day ago"),
            format!("{card}>The webhooks of {named} fail"),
            "href=\"/inventory?stock=below\">1 piece is below zero".to_owned(),
        ] {
            assert!(page.contains(&said), "{said}: {page}");
        }
        // One that takes long is none that does not come.
        let soon = database::moment(&relay.relay.db, Utc::now() + TimeDelta::minutes(2));
        let hold = format!("UPDATE sync_runs SET leased_until = {soon} WHERE finished_at IS NULL");
        assert!(relay.run(&hold).await > 0);
        let page = staff.open("/").await.body;
        assert!(!page.contains("was last checked"), "it is being swept: {page}");
        let cards = staff.open("/integrations").await.body;
        assert!(cards.contains(&format!("id=\"store-{}\"", shop.integration)), "{cards}");
        assert!(staff.open("/inventory?stock=below").await.body.contains("RING"));
        relay.run("UPDATE integrations SET forked_at = created_at, forked_reason = 'two of it'").await;
        let page = staff.open("/").await.body;
        assert!(page.contains(&format!("{named} is halted")), "{page}");
        relay.run("UPDATE integrations SET status = 'disconnected'").await;
        assert!(!staff.open("/").await.body.contains("is halted"), "nobody waits for it");
    }
}
