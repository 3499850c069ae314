//! Touches: the relay asks the shop itself, once at a time, and believes no answer that was overtaken.

mod refusals;
mod work;

use nexpura_protocol::{Resource, Verb};
use nexpura_relay::service::fetch;
use serde_json::json;

use crate::{
    shop::{Mark, Shop, server::Town},
    support::{connected::Connected, database, on_both, relay::TestRelay, wait::until},
};

/// A shop whose ten rings are counted.
async fn counted(relay: &TestRelay) -> (Connected, u64) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 10);
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    (shop, ring)
}

fn order_mark(id: u64) -> Mark {
    Mark { resource: Resource::Order, id, verb: Verb::Updated }
}

/// Tells the relay only that something about this order was touched.
async fn touch(shop: &Connected, order: u64) {
    shop.spool.lock().unwrap().touch(order_mark(order));
    shop.push().await;
}

/// An order of so many rings that nothing tells of.
fn sell_unnoticed(shop: &Connected, ring: u64, units: i64) -> u64 {
    shop.unnoticed(|shop| shop.paid_order(&[(ring, units)]).0)
}

async fn sale(shop: &Connected, order: u64) -> Vec<String> {
    let sql = format!(
        "SELECT status, CASE WHEN gone THEN 'gone' ELSE 'there' END FROM sales
         WHERE external_id = {order} AND {}",
        shop.mine()
    );
    database::texts(&shop.relay.db, &sql).await.remove(0)
}

/// The store's status and its reason.
async fn status(shop: &Connected) -> (String, String) {
    let key = database::key(&shop.relay.db, shop.integration);
    let sql = format!("SELECT status, status_reason FROM integrations WHERE id = {key}");
    let row = database::texts(&shop.relay.db, &sql).await.remove(0);
    (row[0].clone(), row[1].clone())
}

on_both! {
    async fn a_touch_is_fetched(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = sell_unnoticed(&shop, ring, 2);
        touch(&shop, order).await;
        assert_eq!(shop.quantity(ring).await, 10);
        let working = relay.work();
        until("the touch is fetched", || async {
            (shop.quantity(ring).await == 8).then_some(())
        })
        .await;
        working.stop().await;
        let queued = "SELECT COUNT(*) FROM inbox WHERE status = 'queued'";
        assert_eq!(relay.number(queued).await, 0);
        assert_eq!(shop.fake.times_asked(&format!("wc/v3/orders/{order}")), 1);
        let asked = shop.fake.asked();
        let mut readings = asked.iter().filter(|asked| asked.body.is_null());
        assert!(readings.all(|asked| asked.query["nexpura"] == "1"));
    }
}

on_both! {
    async fn an_answer_that_an_event_overtook_is_discarded(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = sell_unnoticed(&shop, ring, 2);
        touch(&shop, order).await;
        let meanwhile = shop.clone();
        shop.fake.interrupt("wc/v3/orders/", move || async move {
            meanwhile.act(|shop| shop.edit(order, 0, 5));
            meanwhile.push().await;
            // The shop is not asked a second time while the first answer is out.
            assert_eq!(fetch::fetch_due(&meanwhile.relay, meanwhile.tenant, meanwhile.integration).await.unwrap(), 0);
        });
        assert_eq!(fetch::fetch_due(&shop.relay, shop.tenant, shop.integration).await.unwrap(), 1);
        assert_eq!(shop.fake.interruptions_left(), 0);
        assert_eq!(shop.quantity(ring).await, 5, "the event's state, not the older answer's");
        // Whatever arrived may itself be older than the shop: it is asked once more.
        shop.fetch().await;
        assert_eq!(shop.quantity(ring).await, 5);
        assert_eq!(shop.fake.times_asked(&format!("wc/v3/orders/{order}")), 2);
    }
}

on_both! {
    async fn an_answer_that_a_touch_overtook_is_discarded(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = sell_unnoticed(&shop, ring, 2);
        touch(&shop, order).await;
        let meanwhile = shop.clone();
        shop.fake.interrupt("wc/v3/orders/", move || async move {
            meanwhile.unnoticed(|shop| shop.edit(order, 0, 5));
            touch(&meanwhile, order).await;
        });
        assert_eq!(fetch::fetch_due(&shop.relay, shop.tenant, shop.integration).await.unwrap(), 1);
        assert_eq!(shop.quantity(ring).await, 10, "the answer of two rings is discarded");
        shop.fetch().await;
        assert_eq!(shop.quantity(ring).await, 5);
        let queued = "SELECT COUNT(*) FROM inbox WHERE status = 'queued'";
        assert_eq!(relay.number(queued).await, 0);
    }
}

on_both! {
    async fn an_older_event_changes_nothing_and_is_looked_into(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.act(|shop| shop.edit(order, 0, 4));
        let mut events = shop.spool.lock().unwrap().take();
        events.retain(|event| event.topic.resource == Resource::Order);
        let newest = events.pop().unwrap();
        shop.push_events(vec![newest]).await;
        assert_eq!(shop.quantity(ring).await, 6);
        let verdicts = shop.push_events(events).await;
        assert!(verdicts.iter().all(|verdict| *verdict == nexpura_protocol::Verdict::Superseded));
        assert_eq!(shop.quantity(ring).await, 6);
        shop.fetch().await;
        assert_eq!(shop.fake.times_asked(&format!("wc/v3/orders/{order}")), 1);
        assert_eq!(shop.quantity(ring).await, 6);
    }
}

on_both! {
    async fn an_event_without_a_revision_is_a_touch(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        let mut events = shop.spool.lock().unwrap().take();
        events.retain(|event| event.topic.resource == Resource::Order);
        for event in &mut events {
            event.facts.as_mut().unwrap().rev = None;
            event.payload.as_mut().unwrap()["line_items"][0]["meta_data"] = json!([]);
        }
        let verdicts = shop.push_events(events).await;
        assert!(verdicts.iter().all(|verdict| *verdict == nexpura_protocol::Verdict::Queued));
        assert_eq!(shop.quantity(ring).await, 10);
        shop.fetch().await;
        assert_eq!(shop.quantity(ring).await, 9);
    }
}

on_both! {
    async fn an_order_that_is_gone_leaves_its_sale_as_it_stood(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 2)]));
        shop.push().await;
        shop.unnoticed(|shop| shop.delete(order));
        touch(&shop, order).await;
        shop.fetch().await;
        assert_eq!(sale(&shop, order).await, ["processing", "gone"]);
        assert_eq!(shop.quantity(ring).await, 8);
        let lines = "SELECT desired, posted FROM sale_items";
        assert_eq!(relay.numbers(lines).await, [[2_000, 2_000]]);
    }
}

on_both! {
    async fn an_order_that_is_trashed_or_deleted_keeps_its_units(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 2)]));
        shop.act(|shop| shop.trash(order));
        shop.push().await;
        assert_eq!(sale(&shop, order).await, ["trash", "gone"]);
        shop.act(|shop| shop.untrash(order));
        shop.push().await;
        assert_eq!(sale(&shop, order).await, ["processing", "there"]);
        {
            let mut held = shop.fake.shop();
            shop.spool.lock().unwrap().delete_order(&mut held, order);
        }
        shop.push().await;
        assert_eq!(sale(&shop, order).await, ["processing", "gone"]);
        assert_eq!(shop.quantity(ring).await, 8);
    }
}

on_both! {
    async fn of_what_was_told_of_a_deletion_the_last_word_counts(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 2)]));
        shop.push().await;
        // The trash tells of a deletion too, and there the units still were with the buyer.
        shop.act(|shop| shop.trash(order));
        shop.act(|shop| shop.refund(order, 0, 2, true));
        {
            let mut held = shop.fake.shop();
            shop.spool.lock().unwrap().delete_order(&mut held, order);
        }
        let mut events = shop.spool.lock().unwrap().take();
        events.reverse();
        for event in events {
            shop.push_events(vec![event]).await;
        }
        shop.fetch().await;
        assert_eq!(sale(&shop, order).await, ["trash", "gone"]);
        assert_eq!(shop.quantity(ring).await, 10);
    }
}

on_both! {
    async fn a_refusal_that_is_not_about_the_order_says_nothing_of_it(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 2)]));
        shop.push().await;
        let route = format!("wc/v3/orders/{order}");
        shop.fake.answer_with(&route, Some((404, json!({ "code": "rest_no_route" }))));
        touch(&shop, order).await;
        shop.fetch().await;
        assert_eq!(sale(&shop, order).await, ["processing", "there"]);
        let (status, reason) = status(&shop).await;
        assert_eq!(status, "error");
        assert!(reason.contains("404"), "{reason}");
    }
}

on_both! {
    async fn a_product_that_is_gone_is_missing(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        shop.act(|shop| shop.delete_product(ring));
        shop.push().await;
        shop.fetch().await;
        assert_eq!(shop.listing(ring).await, ("missing".to_owned(), None, Some(10)));
        let gone = "SELECT COUNT(*) FROM products WHERE gone";
        assert_eq!(relay.number(gone).await, 1);
    }
}

on_both! {
    async fn without_the_plugin_refunds_are_asked_for_where_there_are_some(relay: TestRelay) {
        let mut shop = Shop::new();
        shop.bare = true;
        let ring = shop.simple("RING", 10);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        let order = sell_unnoticed(&shop, ring, 5);
        touch(&shop, order).await;
        shop.fetch().await;
        let route = format!("wc/v3/orders/{order}/refunds");
        assert_eq!(shop.fake.times_asked(&route), 0);
        shop.unnoticed(|shop| shop.refund(order, 0, 2, true));
        shop.unnoticed(|shop| shop.refund(order, 0, 1, false));
        touch(&shop, order).await;
        shop.fetch().await;
        assert_eq!(shop.fake.times_asked(&route), 1);
        assert_eq!(shop.quantity(ring).await, 7);
        let served = relay.serve().await;
        let sale = served.api.get(&format!("/api/sales?external_id={order}"), &shop.token).await.ok();
        let path = format!("/api/sales/{}", sale["items"][0]["id"].as_str().unwrap());
        let sale = served.api.get(&path, &shop.token).await.ok();
        let refunds = sale["refunds"].as_array().unwrap();
        assert_eq!(refunds.len(), 2, "{sale}");
        let units: Vec<_> = refunds.iter().map(|refund| &refund["lines"][0]["quantity"]).collect();
        assert_eq!(units, ["2", "1"]);
    }
}

on_both! {
    async fn a_retry_while_the_thing_is_being_read_is_not_lost(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)])).0;
        shop.fake.damage_order(order);
        touch(&shop, order).await;
        shop.fetch().await;
        let served = relay.serve().await;
        let failed = served.api.get("/api/events?status=failed", &shop.token).await.ok();
        let path = format!("/api/events/{}/retry", failed["items"][0]["id"].as_str().unwrap());
        let (api, fake, token) = (served.api.clone(), shop.fake.clone(), shop.token.clone());
        // It is put right, and somebody says so, after the shop has been asked once more.
        shop.fake.interrupt(&format!("wc/v3/orders/{order}"), move || async move {
            fake.repair();
            assert_eq!(api.post(&path, &token, &serde_json::json!({})).await.status, 202);
        });
        shop.make_due().await;
        shop.fetch().await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        assert_eq!(shop.quantity(ring).await, 9, "what was read before was kept, and nobody asks again");
    }
}
