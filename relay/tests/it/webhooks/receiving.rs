//! Deliveries: who may, what becomes of them, and what they may not do.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    place::Place,
    shop::{deliver, ping, sign},
};
use crate::support::{api::send, on_both};

/// A delivery as a real WooCommerce made it: its topic, its signature under "a shared secret", its body.
fn recorded(name: &str) -> (String, String, String) {
    let text = match name {
        "created" => include_str!("../../fixtures/webhook-order-created.json"),
        _ => include_str!("../../fixtures/webhook-order-deleted.json"),
    };
    let recorded: Value = serde_json::from_str(text).unwrap();
    let header = |name: &str| recorded["headers"][name].as_str().unwrap().to_owned();
    let body = recorded["body_raw"].as_str().unwrap().to_owned();
    (header("X-WC-Webhook-Topic"), header("X-WC-Webhook-Signature"), body)
}

on_both! {
    async fn a_recorded_delivery_makes_the_relay_look_at_the_shop_and_counts_for_nothing_else(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        place.sign_with("a shared secret").await;
        let (topic, signature, body) = recorded("created");
        let mut order: Value = serde_json::from_str(&body).unwrap();
        order["number"] = json!("as the shop has it now");
        place.shop.inside().orders.insert(31, order);
        let reply = deliver(&place.served.api, &place.url(), &topic, &signature, &body).await;
        assert_eq!(reply.ok()["status"], "queued");
        let sales = "SELECT number FROM sales";
        assert!(place.test.texts(sales).await.is_empty(), "nothing is read out of a delivery");
        place.fetch().await;
        assert_eq!(place.test.texts(sales).await, [["as the shop has it now"]]);
        assert_eq!(place.inbox().await, [("order.created".to_owned(), "applied".to_owned())]);
        let (topic, signature, body) = recorded("deleted");
        place.shop.inside().orders.get_mut(&31).unwrap()["status"] = json!("trash");
        let reply = deliver(&place.served.api, &place.url(), &topic, &signature, &body).await;
        assert_eq!(reply.ok()["status"], "queued");
        place.fetch().await;
        assert_eq!(place.test.texts("SELECT status FROM sales").await, [["trash"]]);
    }
}

on_both! {
    async fn the_same_again_is_one_event_but_two_deletions_are_two_looks(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        let secret = place.shop.secret();
        let (_, _, order) = recorded("created");
        place.shop.inside().orders.insert(31, serde_json::from_str(&order).unwrap());
        let looks = || {
            let inside = place.shop.inside();
            inside.asked.iter().filter(|asked| asked.ends_with("orders/31")).count()
        };
        for expected in ["queued", "duplicate", "duplicate"] {
            let reply = place.deliver(&secret, "order.updated", &order).await;
            assert_eq!(reply.ok()["status"], expected);
        }
        place.fetch().await;
        assert_eq!(looks(), 1);
        assert_eq!(place.inbox().await.len(), 1);
        // A deletion carries the id only: trashed, taken out, trashed again looks the same.
        for round in 2..4 {
            place.shop.inside().orders.get_mut(&31).unwrap()["status"] = json!("trash");
            let reply = place.deliver(&secret, "order.deleted", "{\"id\":31}").await;
            assert_eq!(reply.ok()["status"], "queued");
            place.fetch().await;
            assert_eq!(looks(), round);
            assert_eq!(place.test.texts("SELECT status FROM sales").await, [["trash"]]);
            place.shop.inside().orders.get_mut(&31).unwrap()["status"] = json!("processing");
            place.test.run("UPDATE sales SET status = 'processing'").await;
        }
        let topics: Vec<_> = place.inbox().await;
        assert_eq!(topics.len(), 2, "{topics:?}");
        assert!(topics.iter().all(|(_, status)| status == "applied"), "{topics:?}");
    }
}

on_both! {
    async fn what_comes_during_a_look_makes_it_look_again(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        let secret = place.shop.secret();
        place.deliver(&secret, "order.deleted", "{\"id\":31}").await.ok();
        let lease = "UPDATE resources SET leased_until =
            (SELECT MAX(leased) FROM (SELECT due_at AS leased FROM webhook_setups) AS d)";
        assert_eq!(place.test.run(lease).await, 1);
        let arrived = "SELECT arrived FROM resources";
        assert_eq!(place.test.number(arrived).await, 1);
        place.deliver(&secret, "order.deleted", "{\"id\":31}").await.ok();
        assert_eq!(place.test.number(arrived).await, 2, "the look in hand is void");
    }
}

on_both! {
    async fn strangers_learn_nothing_and_change_nothing(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        let (url, secret) = (place.url(), place.shop.secret());
        let body = "{\"id\":31}";
        let good = sign(&secret, body);
        let root = "https://relay.example";
        let path = "/api/integrations/woocommerce/webhook";
        let mut answers = BTreeSet::new();
        for (url, signature, body) in [
            (&url, &sign("another", body), body),
            (&url, &good, "{\"id\":32}"),
            (&url, &String::new(), body),
            (&url, &"no base64!".to_owned(), body),
            (&url, &sign("", body), body),
            (&place.dead_address(root), &good, body),
            (&place.foreign_address(root), &good, body),
            (&place.strangers_address(root).await, &good, body),
            (&format!("{root}{path}/garbage"), &good, body),
            (&format!("{root}{path}s/handle"), &good, body),
            (&format!("{root}{path}s/handle?connection=garbage"), &good, body),
        ] {
            let reply = deliver(&place.served.api, url, "order.updated", signature, body).await;
            reply.problem(401);
            answers.insert(reply.body);
        }
        let unsigned = place.served.api.request(Method::POST, &url[root.len()..]).body(body);
        let reply = send(unsigned).await;
        reply.problem(401);
        answers.insert(reply.body);
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(place.inbox().await.is_empty());
        assert_eq!(place.test.number("SELECT COUNT(*) FROM resources").await, 0);
        // The very same, signed well.
        let reply = deliver(&place.served.api, &url, "order.updated", &good, body).await;
        assert_eq!(reply.ok()["status"], "queued");
        let handle = url.replacen("webhook/", "webhooks/handle?connection=", 1);
        let reply = deliver(&place.served.api, &handle, "order.updated", &good, body).await;
        assert_eq!(reply.ok()["status"], "duplicate", "the other name of the same address");
    }
}

on_both! {
    async fn a_ping_is_answered_and_changes_nothing(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        let url = place.url();
        let sql = "SELECT detail, CAST(delivered_at AS TEXT), CAST(heals AS TEXT) FROM webhook_setups";
        let before = place.test.texts(sql).await;
        assert_eq!(ping(&place.served.api, &url, "webhook_id=1").await.status, 200);
        for more in ["webhook_id=1&id=31", "webhook_id=", "id=31", "{\"id\":31}"] {
            assert_eq!(ping(&place.served.api, &url, more).await.status, 401, "{more}");
        }
        assert_eq!(place.test.texts(sql).await, before);
        assert!(place.inbox().await.is_empty());
    }
}

on_both! {
    async fn what_the_ledger_has_no_use_for_is_taken_and_dropped(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        let secret = place.shop.secret();
        for (topic, body) in [
            ("coupon.created", "{\"id\":31}"),
            ("action.woocommerce_add_to_cart", "{\"action\":\"x\",\"arg\":1}"),
            ("order.updated", "{\"code\":\"woocommerce_rest_shop_order_invalid_id\"}"),
            ("order.updated", "no JSON"),
            ("order.updated", ""),
        ] {
            let reply = place.deliver(&secret, topic, body).await;
            assert_eq!(reply.ok()["status"], "ignored", "{topic} {body}");
        }
        assert!(place.inbox().await.is_empty());
        let large = format!("{{\"id\":31,\"x\":\"{}\"}}", "x".repeat(1024 * 1024));
        assert_eq!(place.deliver(&secret, "order.updated", &large).await.status, 413);
        // However deep it is nested, nothing but the id is read.
        let deep = format!("{{\"x\":{}1{},\"id\":31}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(place.deliver(&secret, "order.updated", &deep).await.ok()["status"], "queued");
    }
}

on_both! {
    async fn a_flood_is_slowed_down(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        let secret = place.shop.secret();
        let body = "{\"id\":31}".to_owned();
        let flood = (0..400).map(|_| place.deliver(&secret, "coupon.created", &body));
        let replies = futures::future::join_all(flood).await;
        let count = |status: u16| replies.iter().filter(|reply| reply.status == status).count();
        assert_eq!(count(200) + count(429), 400);
        assert!(count(429) > 0 && count(200) >= 200, "{} passed", count(200));
        let slowed = replies.iter().find(|reply| reply.status == 429).unwrap();
        assert_eq!(slowed.headers["retry-after"], "1");
    }
}

on_both! {
    async fn a_halted_store_keeps_them_until_a_person_has_decided(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        let secret = place.shop.secret();
        let (_, _, order) = recorded("created");
        place.shop.inside().orders.insert(31, serde_json::from_str(&order).unwrap());
        place.test.run("UPDATE integrations SET forked_at = created_at").await;
        place.deliver(&secret, "order.created", &order).await.ok();
        place.fetch().await;
        assert_eq!(place.inbox().await, [("order.created".to_owned(), "queued".to_owned())]);
        assert_eq!(place.test.number("SELECT COUNT(*) FROM sales").await, 0);
        place.test.run("UPDATE integrations SET forked_at = NULL").await;
        place.fetch().await;
        assert_eq!(place.inbox().await, [("order.created".to_owned(), "applied".to_owned())]);
    }
}
