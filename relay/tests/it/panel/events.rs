//! Events: finding what arrived, why it failed, and trying it again.

use chrono::{TimeDelta, Utc};
use nexpura_relay::domain::Role;
use uuid::Uuid;

use super::{
    browser::{leads_to, somebody},
    inert::is_inert,
    sales::rings,
};
use crate::{
    shop::{Shop, server::Town},
    support::{connected::Connected, database, on_both},
};

/// Addresses of events on a page, in their order.
fn links(page: &str) -> Vec<String> {
    let parts = page.split("href=\"").filter(|part| part.starts_with("/events/"));
    parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
}

on_both! {
    async fn an_event_tells_what_it_brought_and_is_found_by_its_order(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, staff) = rings(&relay, &served).await;
        assert!(staff.open("/events").await.body.contains("Nothing has arrived yet"));
        let order = shop.request(|shop| shop.paid_order(&[(ring, 3)]));
        shop.push().await;
        let all = staff.open("/events").await.body;
        assert!(all.contains(&format!("Order #{order} created")), "{all}");
        let found = staff.open(&format!("/events?q=%23{order}")).await.body;
        assert!(found.contains(&format!("Order #{order} created")) && !found.contains("Product"), "{found}");
        relay.run("UPDATE sales SET number = 'G-7'").await;
        assert_eq!(links(&staff.open("/events?q=G-7").await.body), links(&found));
        let all = staff.open("/events").await.body;
        assert!(all.contains("Order #G-7 created") && !all.contains(&format!("Order #{order} ")), "{all}");
        assert!(staff.open("/events?q=G-8").await.body.contains("Nothing like that"));
        assert!(staff.open("/events?status=failed").await.body.contains("Nothing like that"));
        assert!(!links(&staff.open("/events?status=applied").await.body).is_empty());
        relay.run("UPDATE inbox SET resource = 'lineage' WHERE resource = 'order'").await;
        assert!(links(&staff.open("/events").await.body).iter().all(|link| !links(&found).contains(link)));
        assert!(!staff.open("/events?status=applied").await.body.contains(&links(&found)[0]));
        relay.run("UPDATE inbox SET resource = 'order' WHERE resource = 'lineage' AND topic LIKE 'order%'").await;
        let here = links(&found)[0].clone();
        let event = staff.open(&here).await.body;
        for said in ["It is in Nexpura.", "line_items", "<h1>Order #G-7 ", "stock_reduced"] {
            assert!(event.contains(said), "{said}: {event}");
        }
        relay.run("UPDATE inbox SET payload = NULL, facts = NULL").await;
        assert!(staff.open(&here).await.body.contains("Nothing is kept"));
        assert_eq!(staff.open(&format!("/events/{}", Uuid::new_v4())).await.status, 404);
        let file = staff.open("/events.csv").await.body;
        assert!(file.contains(&format!(",order.created,{order},applied,")), "{file}");
    }
}

on_both! {
    async fn events_are_found_by_their_store(relay: TestRelay) {
        let served = relay.serve().await;
        let town = Town::open().await;
        let (mut first, mut second) = (Shop::new(), Shop::new());
        let (ring, chain) = (first.simple("RING", 9), second.simple("CHAIN", 70));
        let shop = Connected::of(&relay.relay, &town, first, "Gold").await;
        shop.open().await;
        let staff = somebody(&relay.relay, &served, shop.tenant, "s@example.test", Role::Staff).await;
        assert!(!staff.open("/events").await.body.contains("name=\"store\""), "there is only one");
        let second = Connected::of(&relay.relay, &town, second, "Gold").await;
        second.open().await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 3)]));
        shop.push().await;
        for _ in 0..60 {
            second.request(|shop| shop.paid_order(&[(chain, 1)]));
        }
        second.push().await;
        let (here, there) = (shop.integration, second.integration);
        let of = async |query: String| staff.walk(&format!("/events?{query}"), "<td class=\"lead\"><a href=\"", "\"").await.0;
        let all = of(String::new()).await;
        let (mine, theirs) = (of(format!("store={here}")).await, of(format!("store={there}")).await);
        assert!(!mine.is_empty() && theirs.len() > 60, "{mine:?} {theirs:?}");
        // Each stands in the order of all, and none is forgotten.
        for (list, other) in [(&mine, &theirs), (&theirs, &mine)] {
            let expected: Vec<_> = all.iter().filter(|one| !other.contains(one)).cloned().collect();
            assert_eq!(*list, expected);
        }
        let page = staff.open(&format!("/events?store={there}")).await.body;
        assert!(page.contains(&format!("<option value=\"{there}\" selected>")), "{page}");
        assert_eq!(of(format!("store={there}&q={order}")).await.iter().filter(|one| mine.contains(one)).count(), 0);
        assert!(!of(format!("store={here}&q={order}")).await.is_empty());
        let failed = database::key(&relay.relay.db, here);
        relay.run(&format!("UPDATE inbox SET status = 'failed' WHERE integration_id = {failed}")).await;
        assert_eq!(of(format!("store={here}&status=failed")).await, mine);
        assert!(of(format!("store={there}&status=failed")).await.is_empty());
        assert_eq!(of("store=nonsense".to_owned()).await, all);
        let file = staff.open(&format!("/events.csv?store={here}")).await.body;
        assert_eq!(file.lines().count(), mine.len() + 1);
    }
}

on_both! {
    async fn every_event_is_on_one_page(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, staff) = rings(&relay, &served).await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        for _ in 0..70 {
            shop.act(|shop| shop.edit(order, 0, 1));
            shop.push().await;
        }
        let wanted = relay.number("SELECT COUNT(*) FROM inbox WHERE resource = 'order'").await;
        for query in [format!("q={order}"), String::new(), "status=applied".to_owned()] {
            let (mut path, mut seen) = (format!("/events?{query}"), Vec::new());
            loop {
                let page = staff.open(&path).await.body;
                seen.extend(links(&page));
                let Some(next) = page.split("<a ").find(|link| link.contains("rel=\"next\"")) else {
                    break;
                };
                path = next.split('"').nth(3).unwrap().replace("&#38;", "&");
            }
            let mut once = seen.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), seen.len(), "{query}: an event stands twice");
            assert!(once.len() >= usize::try_from(wanted).unwrap(), "{query}: {}", once.len());
        }
    }
}

on_both! {
    async fn what_failed_is_tried_again_one_or_all(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, staff) = rings(&relay, &served).await;
        let mut manager =
            somebody(&relay.relay, &served, shop.tenant, "m@example.test", Role::Manager).await;
        for units in [1, 2] {
            shop.request(|shop| shop.paid_order(&[(ring, units)]));
        }
        shop.push().await;
        let broken = "UPDATE inbox SET status = 'failed', detail = 'it <b>broke</b>'
            WHERE resource = 'order'";
        relay.run(broken).await;
        let page = manager.open("/events?status=failed").await.body;
        assert!(page.contains("it &#60;b&#62;broke"), "{page}");
        let failed = relay.number("SELECT COUNT(*) FROM inbox WHERE status = 'failed'").await;
        assert_eq!(i64::try_from(links(&page).len()).unwrap(), failed);
        let here = links(&page)[0].clone();
        let page = manager.open(&here).await.body;
        let reason = page.find("<dt>Reason</dt><dd>it &#60;b&#62;broke").expect("why it failed");
        assert!(reason < page.find("<details").unwrap(), "nobody has to unfold it: {page}");
        assert_eq!(leads_to(&manager.submit(&format!("{here}/retry"), &[]).await), here);
        assert!(manager.open(&here).await.body.contains("It is being tried again"));
        let waiting = "SELECT COUNT(*) FROM inbox WHERE resource = 'order' AND status = 'queued'";
        assert_eq!(relay.number(waiting).await, 1);
        relay.run(broken).await;
        assert_eq!(leads_to(&manager.submit("/events/retry", &[]).await), "/events");
        assert!(manager.open("/events").await.body.contains(&format!("{failed} are being")));
        assert_eq!(relay.number(waiting).await, failed);
        shop.fetch().await;
        assert_eq!(relay.number(waiting).await, 0);
        assert_eq!(shop.quantity(ring).await, 7);
        manager.submit("/events/retry", &[]).await;
        assert!(manager.open("/events").await.body.contains("Nothing had failed"));
        // Who may only look sees no button.
        assert!(!staff.open(&here).await.body.contains("/retry"));
    }
}

on_both! {
    async fn what_a_shop_sends_stays_text(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, staff) = rings(&relay, &served).await;
        shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.push().await;
        let evil = "<script>alert(1)</script>\"''><img src=x onerror=alert(1)>";
        for column in ["topic", "detail", "payload", "facts"] {
            relay.run(&format!("UPDATE inbox SET {column} = '{evil}'")).await;
        }
        let list = staff.open("/events").await.body;
        is_inert(&list, "/events");
        is_inert(&staff.open(&links(&list)[0]).await.body, "/events/{id}");
    }
}

on_both! {
    async fn all_that_failed_is_tried_again_however_many_they_are(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, _) = rings(&relay, &served).await;
        let mut manager =
            somebody(&relay.relay, &served, shop.tenant, "m@example.test", Role::Manager).await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.push().await;
        let db = &relay.relay.db;
        let (tenant, store) = (database::key(db, shop.tenant), database::key(db, shop.integration));
        for n in 0..1_100_i64 {
            // Some at the same moment, some about the same order.
            let at = database::moment(db, Utc::now() - TimeDelta::seconds(n / 3));
            let (id, about) = (database::key(db, Uuid::new_v4()), order + 1 + n.unsigned_abs() / 2);
            let (topic, resource) =
                if n % 100 == 0 { ("lineage.moved", "lineage") } else { ("order.updated", "order") };
            relay
                .run(&format!(
                    "INSERT INTO inbox (tenant_id, integration_id, event_id, spool, seq, topic,
                        resource, resource_id, occurred_at, received_at, status, attempts)
                     VALUES ({tenant}, {store}, {id}, 's', {n}, '{topic}', '{resource}', {about},
                        {at}, {at}, 'failed', 1)"
                ))
                .await;
        }
        manager.submit("/events/retry", &[]).await;
        let page = manager.open("/events").await.body;
        assert!(page.contains("1,089 are being tried again"), "{page}");
        for (count, wanted) in [
            ("SELECT COUNT(*) FROM inbox WHERE status = 'queued'", 1_089),
            ("SELECT COUNT(*) FROM inbox WHERE status = 'failed'", 11),
            ("SELECT COUNT(*) FROM resources WHERE fetch_at IS NOT NULL AND resource = 'order'", 550),
            ("SELECT COUNT(*) FROM audit_log WHERE action = 'events.retried'", 3),
        ] {
            assert_eq!(relay.number(count).await, wanted, "{count}");
        }
        let log = manager.open("/settings/activity").await.body;
        assert!(log.contains("Tried all failed events again") && log.contains("500 events"), "{log}");
    }
}

on_both! {
    async fn an_order_that_can_never_be_read_can_be_left(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, staff) = rings(&relay, &served).await;
        let mut manager =
            somebody(&relay.relay, &served, shop.tenant, "m@example.test", Role::Manager).await;
        let order = shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)])).0;
        shop.fake.damage_order(order);
        shop.let_time_pass().await;
        shop.want_sweep(true).await;
        shop.run_sweep().await;
        let here = links(&manager.open("/events?status=failed").await.body)[0].clone();
        let button = format!("action=\"{here}/leave\"");
        let page = manager.open(&here).await.body;
        assert!(page.contains(&button) && page.contains("decided like any other"), "{page}");
        assert!(!staff.open(&here).await.body.contains(&button), "staff only look");
        assert_eq!(leads_to(&manager.submit(&format!("{here}/leave"), &[]).await), here);
        let page = manager.open(&here).await.body;
        for said in ["The order is left", "Somebody has left this order", "Try again"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        assert!(!page.contains(&button), "{page}");
        manager.submit(&format!("{here}/leave"), &[]).await;
        assert!(manager.open(&here).await.body.contains("This order does not wait to be read"));
        let log = manager.open("/settings/activity").await.body;
        assert!(log.contains("Left an order that could not be read"), "{log}");
        // Whoever thinks better of it tries again.
        shop.fake.repair();
        manager.submit(&format!("{here}/retry"), &[]).await;
        shop.fetch().await;
        assert!(manager.open(&here).await.body.contains("It is in Nexpura."));
    }
}
