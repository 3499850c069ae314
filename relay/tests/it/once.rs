//! Each event counts once, however often, however much at once and beside whatever else it comes.

use std::collections::BTreeMap;

use futures::future::join_all;
use nexpura_protocol::{Batch, Event, Verdict};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    shop::{Shop, server::Town},
    support::{api::Reply, connected::Connected, on_both, relay::TestRelay, wait::until},
};

/// A shop whose ten rings are counted.
async fn counted(relay: &TestRelay) -> (Connected, u64) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 10);
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    (shop, ring)
}

/// The event of one paid order, without those of its products.
fn sell(shop: &Connected, ring: u64, units: i64) -> Event {
    shop.request(|shop| shop.paid_order(&[(ring, units)]));
    let events = shop.spool.lock().unwrap().take();
    let resource = nexpura_protocol::Resource::Order;
    events.into_iter().rfind(|event| event.topic.resource == resource).unwrap()
}

fn body(shop: &Connected, events: Vec<Event>) -> Vec<u8> {
    serde_json::to_vec(&shop.spool.lock().unwrap().batch(events)).unwrap()
}

fn statuses(reply: &Reply) -> Vec<String> {
    let results = reply.ok()["results"].as_array().unwrap().clone();
    results.iter().map(|result| result["status"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    async fn an_event_that_comes_twice_counts_once(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let event = sell(&shop, ring, 2);
        let again = Event { seq: event.seq + 1, ..event.clone() };
        let verdicts = shop.push_events(vec![event.clone(), again]).await;
        assert_eq!(verdicts, [Verdict::Applied, Verdict::Duplicate]);
        assert_eq!(shop.push_events(vec![event.clone()]).await, [Verdict::Duplicate]);
        // Another spool, as after a repair, and another payload change nothing about its identity.
        let mut batch = shop.spool.lock().unwrap().batch(vec![event]);
        batch.spool = Uuid::new_v4().to_string();
        batch.events[0].payload.as_mut().unwrap()["status"] = json!("cancelled");
        assert_eq!(shop.push_batch(&batch).await.results[0].status, Verdict::Duplicate);
        assert_eq!(shop.quantity(ring).await, 8);
        assert_eq!(relay.number("SELECT COUNT(*) FROM stock_movements").await, 2);
    }
}

on_both! {
    async fn an_event_that_cannot_be_applied_takes_nothing_of_the_others_with_it(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let before = shop.quantity(ring).await;
        let served = relay.serve().await;
        let events = vec![sell(&shop, ring, 2), sell(&shop, ring, 3), sell(&shop, ring, 1)];
        let mut body: Value = serde_json::from_slice(&body(&shop, events)).unwrap();
        body["events"][1]["payload"]["currency"] = json!("none of this world");
        // The first comes twice in one push.
        let once_more = body["events"][0].clone();
        let events = body["events"].as_array_mut().unwrap();
        events.push(once_more);
        events[3]["seq"] = json!(events[2]["seq"].as_u64().unwrap() + 1);
        let reply = shop.post(&served.api, "/v1/push", body.to_string().into_bytes()).await;
        assert_eq!(statuses(&reply), ["applied", "failed", "applied", "duplicate"]);
        assert_eq!(shop.quantity(ring).await, before - 3);
        let posted = "SELECT COUNT(*) FROM stock_movements WHERE movement_type = 'sale'";
        assert_eq!(relay.number(posted).await, 2);
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 2);
        assert_eq!(relay.number("SELECT COUNT(*) FROM inbox WHERE status = 'applied'").await, 2);
    }
}

on_both! {
    async fn an_event_that_nobody_understands_is_kept_and_stops_no_other(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let served = relay.serve().await;
        let mut far = sell(&shop, ring, 1);
        far.resource_id = u64::MAX;
        let events = vec![far, sell(&shop, ring, 2), sell(&shop, ring, 3)];
        let mut body: Value = serde_json::from_slice(&body(&shop, events)).unwrap();
        let (first, second) = (&mut body["events"][0].clone(), &mut body["events"][1].clone());
        // Nor does PostgreSQL keep every character.
        first["topic"] = json!("coupon\0.created");
        first["facts"]["rev"] = json!("long ".repeat(10_000));
        second["facts"]["lines"] = json!("many");
        (body["events"][0], body["events"][1]) = (first.clone(), second.clone());
        let body = body.to_string().into_bytes();
        let reply = shop.post(&served.api, "/v1/push", body.clone()).await;
        assert_eq!(statuses(&reply), ["failed", "failed", "applied"]);
        let details = reply.ok()["results"].to_string();
        assert!(details.contains("long long") && details.contains("many"), "{details}");
        assert!(details.len() < 2_000, "{}", details.len());
        // Of the second it is known what to ask the shop for; of the first there is nothing to try again.
        shop.fetch().await;
        assert_eq!(shop.quantity(ring).await, 5, "an order without its event is for the sweep to find");
        let failed = served.api.get("/api/events?status=failed", &shop.token).await;
        let items = failed.ok()["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["topic"], "coupon.created");
        let retry = format!("/api/events/{}/retry", items[0]["id"].as_str().unwrap());
        assert_eq!(served.api.post(&retry, &shop.token, &json!({})).await.status, 409);
        let again = shop.post(&served.api, "/v1/push", body).await;
        assert_eq!(statuses(&again), ["duplicate", "duplicate", "duplicate"]);
    }
}

on_both! {
    async fn an_event_that_comes_eight_times_at_once_counts_once(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let served = relay.serve().await;
        for _ in 0..5 {
            let body = body(&shop, vec![sell(&shop, ring, 1)]);
            let replies =
                join_all((0..8).map(|_| shop.post(&served.api, "/v1/push", body.clone()))).await;
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for status in replies.iter().flat_map(statuses) {
                *counts.entry(status).or_default() += 1;
            }
            let wanted = [("applied".to_owned(), 1), ("duplicate".to_owned(), 7)];
            assert_eq!(counts, BTreeMap::from(wanted));
        }
        assert_eq!(shop.quantity(ring).await, 5);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(5), Some(5)));
    }
}

on_both! {
    async fn many_states_of_one_order_at_once_end_in_its_last(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let served = relay.serve().await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        for units in [4, 2, 5, 3] {
            shop.act(|shop| shop.edit(order, 0, units));
        }
        let events = shop.spool.lock().unwrap().take();
        let pushes: Vec<_> = events.into_iter().map(|event| body(&shop, vec![event])).collect();
        let pushed = pushes.into_iter().map(|body| shop.post(&served.api, "/v1/push", body));
        for reply in join_all(pushed).await {
            reply.ok();
        }
        shop.fetch().await;
        assert_eq!(shop.quantity(ring).await, 7);
        let waiting = "SELECT COUNT(*) FROM inbox WHERE status IN ('queued', 'failed')";
        assert_eq!(relay.number(waiting).await, 0);
    }
}

on_both! {
    async fn orders_of_one_ring_at_once_all_count(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let served = relay.serve().await;
        let pushes: Vec<_> = (0..10).map(|_| body(&shop, vec![sell(&shop, ring, 1)])).collect();
        let pushed = pushes.into_iter().map(|body| shop.post(&served.api, "/v1/push", body));
        for reply in join_all(pushed).await {
            assert_eq!(statuses(&reply), ["applied"]);
        }
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(0), Some(0)));
        assert_eq!(relay.number("SELECT COUNT(*) FROM conflicts").await, 0);
    }
}

on_both! {
    async fn below_zero_is_an_oversale_for_a_person(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        shop.push_events(vec![sell(&shop, ring, 11)]).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(-1), Some(-1)));
        let oversold = relay.texts("SELECT kind, CAST(quantity AS TEXT) FROM conflicts").await;
        assert_eq!(oversold, [["oversale", "-1000"]]);
    }
}

on_both! {
    async fn below_zero_is_no_oversale_where_backorders_are_taken(relay: TestRelay) {
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 1);
        shop.products.get_mut(&ring).unwrap().backorders = "notify";
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        shop.push_events(vec![sell(&shop, ring, 3)]).await;
        assert_eq!(shop.quantity(ring).await, -2);
        assert_eq!(relay.number("SELECT COUNT(*) FROM conflicts").await, 0);
    }
}

on_both! {
    async fn an_event_that_cannot_be_applied_stops_nothing_and_is_tried_again(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let (first, mut bad, last) =
            (sell(&shop, ring, 1), sell(&shop, ring, 2), sell(&shop, ring, 3));
        bad.payload.as_mut().unwrap()["line_items"][0]["quantity"] = json!("two");
        let answer = {
            let batch = shop.spool.lock().unwrap().batch(vec![first, bad.clone(), last.clone()]);
            shop.push_batch(&batch).await
        };
        let verdicts: Vec<_> = answer.results.iter().map(|result| result.status).collect();
        assert_eq!(verdicts, [Verdict::Applied, Verdict::Failed, Verdict::Applied]);
        let detail = answer.results[1].detail.clone().unwrap();
        assert!(detail.contains("order.line_items[0].quantity"), "{detail}");
        assert_eq!(answer.ack, last.seq);
        assert_eq!(shop.quantity(ring).await, 6);

        let served = relay.serve().await;
        let failed = served.api.get("/api/events?status=failed", &shop.token).await.ok();
        assert_eq!(failed["items"].as_array().unwrap().len(), 1);
        assert_eq!(failed["items"][0]["id"], bad.id);
        assert_eq!(failed["items"][0]["detail"], detail);
        // A person asks for it now instead of in half a minute; the shop's own word is fine.
        let retry = format!("/api/events/{}/retry", bad.id);
        assert_eq!(served.api.post(&retry, &shop.token, &json!({})).await.status, 202);
        let working = relay.work();
        until("the failed event is applied", || async {
            let sql = "SELECT COUNT(*) FROM inbox WHERE status IN ('failed', 'queued')";
            (relay.number(sql).await == 0).then_some(())
        })
        .await;
        working.stop().await;
        assert_eq!(shop.quantity(ring).await, 4);
    }
}

on_both! {
    async fn a_failed_event_is_tried_again_by_itself(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let mut bad = sell(&shop, ring, 2);
        bad.payload = Some(json!({ "id": bad.resource_id }));
        assert_eq!(shop.push_events(vec![bad]).await, [Verdict::Failed]);
        shop.fetch().await;
        assert_eq!(shop.quantity(ring).await, 10, "not at once");
        assert_eq!(shop.make_due().await, 1);
        shop.fetch().await;
        assert_eq!(shop.quantity(ring).await, 8);
    }
}

on_both! {
    async fn a_payload_about_something_else_is_not_believed(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let (other, mut lying) = (sell(&shop, ring, 1), sell(&shop, ring, 2));
        lying.payload.clone_from(&other.payload);
        let batch = shop.spool.lock().unwrap().batch(vec![lying]);
        let answer = shop.push_batch(&batch).await;
        assert_eq!(answer.results[0].status, Verdict::Failed);
        assert!(answer.results[0].detail.as_ref().unwrap().contains("id"));
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 0);
        assert_eq!(shop.quantity(ring).await, 10);
    }
}

on_both! {
    async fn a_hundred_events_are_one_push(relay: TestRelay) {
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 500);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        let served = relay.serve().await;
        let mut events: Vec<Event> = (0..100).map(|_| sell(&shop, ring, 1)).collect();
        let last = events[99].seq;
        let reply = shop.post(&served.api, "/v1/push", body(&shop, events.clone())).await;
        assert_eq!(statuses(&reply), vec!["applied"; 100]);
        assert_eq!(reply.ok()["ack"], last);
        assert_eq!(shop.quantity(ring).await, 400);

        events.push(sell(&shop, ring, 1));
        let reply = shop.post(&served.api, "/v1/push", body(&shop, events)).await;
        assert!(reply.problem(400).contains("at most 100"));
    }
}

on_both! {
    async fn a_push_that_breaks_the_protocol_is_refused_whole_with_the_place(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let served = relay.serve().await;
        let good = sell(&shop, ring, 1);
        let whole = String::from_utf8(body(&shop, vec![good.clone()])).unwrap();
        let broken = |from: &str, to: &str| {
            let changed = whole.replacen(from, to, 1);
            assert_ne!(changed, whole);
            changed
        };
        let with = |change: &dyn Fn(&mut Batch)| {
            let mut batch = shop.spool.lock().unwrap().batch(vec![good.clone()]);
            change(&mut batch);
            serde_json::to_string(&batch).unwrap()
        };
        for (sent, place) in [
            (whole[..whole.len() / 2].to_owned(), "line 1 column"),
            (broken("{", "{,"), "line 1 column 2"),
            (String::new(), "line 1 column 0"),
            ("[]".to_owned(), "line 1 column"),
            (broken("\"seq\":", "\"seq\":-"), "line 1 column"),
            (with(&|batch| batch.spool = "x".to_owned()), "spool"),
            (with(&|batch| batch.events[0].id = "x".to_owned()), "events[0].id"),
            (broken("\"seq\":", "\"place\":"), "events[0]: missing field `seq`"),
            (with(&|batch| batch.events[0].seq = 0), "events[0].seq"),
            (with(&|batch| batch.events.push(good.clone())), "events[1].seq"),
            (with(&|batch| batch.events[0].seq = u64::MAX), "events[0]"),
        ] {
            let reply = shop.post(&served.api, "/v1/push", sent.clone().into_bytes()).await;
            let detail = reply.problem(400);
            assert!(detail.contains(place), "{detail:?} does not tell {place:?} for {sent:.300}");
        }
        assert_eq!(relay.number("SELECT COUNT(*) FROM inbox").await, 0);
        assert_eq!(shop.post(&served.api, "/v1/push", whole.into_bytes()).await.status, 200);
    }
}

on_both! {
    async fn what_is_too_large_is_refused_and_what_just_fits_is_not(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let served = relay.serve().await;
        let event = sell(&shop, ring, 1);
        let mut whole = body(&shop, vec![event]);
        whole.resize(nexpura_protocol::batch::MAX_BYTES, b' ');
        let mut larger = whole.clone();
        larger.push(b' ');
        assert_eq!(shop.post(&served.api, "/v1/push", larger).await.problem(413), "the body is too large");
        assert_eq!(statuses(&shop.post(&served.api, "/v1/push", whole).await), ["applied"]);
        let huge = vec![b' '; 16 * nexpura_protocol::batch::MAX_BYTES];
        // So much is not even read to its end: a sender that goes on writing finds the door shut.
        let sent = served.api.request(reqwest::Method::POST, "/v1/push").body(huge).send().await;
        assert!(sent.is_err() || sent.is_ok_and(|reply| reply.status() == 413));
        let small = vec![b' '; 64 * 1024 + 1];
        for path in ["/v1/connect", "/v1/disconnect"] {
            shop.post(&served.api, path, small.clone()).await.problem(413);
        }
        let note = json!({ "type": "sale", "quantity_change": "1", "notes": "x".repeat(65 * 1024) });
        let path = "/api/inventory/RING/movements";
        served.api.post(path, &shop.token, &note).await.problem(413);
    }
}

on_both! {
    async fn who_asks_too_fast_is_told_when_to_come_again_and_others_are_not(relay: TestRelay) {
        let (shop, _) = counted(&relay).await;
        let (other, _) = counted(&relay).await;
        let served = relay.serve().await;
        let heartbeat = body(&shop, Vec::new());
        let mut slowed = None;
        for _ in 0..40 {
            let burst = (0..40).map(|_| shop.post(&served.api, "/v1/push", heartbeat.clone()));
            slowed = join_all(burst).await.into_iter().find(|reply| reply.status != 200);
            if slowed.is_some() {
                break;
            }
        }
        let slowed = slowed.expect("nobody was slowed down");
        assert!(slowed.problem(429).contains("wait"));
        let wait: u64 = slowed.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait));
        assert_eq!(other.post(&served.api, "/v1/push", body(&other, Vec::new())).await.status, 200);
        until("the sender may come again", || async {
            let reply = shop.post(&served.api, "/v1/push", heartbeat.clone()).await;
            (reply.status == 200).then_some(())
        })
        .await;
    }
}

on_both! {
    async fn a_connection_without_a_store_is_told_to_register(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let served = relay.serve().await;
        let id = crate::support::database::key(&relay.relay.db, shop.connection);
        relay.run(&format!("UPDATE connections SET integration_id = NULL WHERE id = {id}")).await;
        let push = body(&shop, vec![sell(&shop, ring, 1)]);
        let reply = shop.post(&served.api, "/v1/push", push).await;
        assert!(reply.problem(409).contains("/v1/connect"));
        assert_eq!(relay.number("SELECT COUNT(*) FROM inbox").await, 0);
    }
}

on_both! {
    async fn what_was_pushed_is_kept_as_it_came(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let event = sell(&shop, ring, 1);
        let mut push: Value = serde_json::from_slice(&body(&shop, vec![event])).unwrap();
        push["events"][0]["payload"]["custom"] = json!({ "z": 1, "a": [1.10, "é\u{0}"] });
        shop.push_raw(push.to_string().as_bytes()).await.unwrap();
        let kept = relay.texts("SELECT payload, facts FROM inbox").await;
        let payload: Value = serde_json::from_str(&kept[0][0]).unwrap();
        assert_eq!(payload, push["events"][0]["payload"]);
        let facts: Value = serde_json::from_str(&kept[0][1]).unwrap();
        assert_eq!(facts, push["events"][0]["facts"]);
    }
}
