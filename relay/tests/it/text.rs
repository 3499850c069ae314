//! Words and numbers at the ends of what there is: nothing breaks, nothing is cut in the middle, and
//! what cannot be kept is said.

use nexpura_protocol::{Event, Facts, Resource, Topic, Verb, Verdict};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    shop::{Shop, server::Town},
    support::{connected::Connected, on_both, relay::TestRelay},
};

async fn counted(relay: &TestRelay) -> (Connected, u64) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 10);
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    (shop, ring)
}

fn event(resource: Resource, payload: Value, facts: Facts) -> Event {
    Event {
        id: Uuid::new_v4().to_string(),
        seq: 1,
        topic: Topic::new(resource, Verb::Updated),
        resource_id: payload["id"].as_u64().unwrap(),
        occurred_at: chrono::Utc::now(),
        payload: Some(payload),
        facts: Some(facts),
    }
}

/// An order of this shop, as its plugin would tell it.
fn order(shop: &Connected, ring: u64) -> Event {
    shop.request(|shop| shop.paid_order(&[(ring, 1)]));
    let events = shop.spool.lock().unwrap().take();
    events.into_iter().rfind(|event| event.topic.resource == Resource::Order).unwrap()
}

async fn verdict(shop: &Connected, event: Event) -> (Verdict, String) {
    let batch = shop.spool.lock().unwrap().batch(vec![event]);
    let outcome = shop.push_batch(&batch).await.results.remove(0);
    (outcome.status, outcome.detail.unwrap_or_default())
}

on_both! {
    async fn words_of_every_kind_are_kept(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let long = "💍é\u{1F469}\u{200D}\u{1F527}".repeat(3_000);
        let mut sold = order(&shop, ring);
        let payload = sold.payload.as_mut().unwrap();
        payload["billing"]["first_name"] = json!("An\u{0}a 💍 O'Néil <b> \u{202e}");
        payload["billing"]["last_name"] = json!(long);
        payload["customer_note"] = json!(format!("\u{0}{long}"));
        payload["line_items"][0]["name"] = json!("Ring \u{1D54A} &amp; 戒指\u{0}");
        payload["payment_method_title"] = json!(long);
        payload["transaction_id"] = json!("tx\u{0}\u{7}1");
        payload["status"] = json!("wc-".to_owned() + &"x".repeat(5_000));
        payload["number"] = json!("№ 💍-1");
        payload["meta_data"] = json!([{ "key": "a\u{0}b", "value": "\u{0}" }]);
        let id = sold.resource_id;
        assert_eq!(verdict(&shop, sold).await, (Verdict::Applied, String::new()));

        let served = relay.serve().await;
        let list = served.api.get(&format!("/api/sales?external_id={id}"), &shop.token).await.ok();
        let path = format!("/api/sales/{}", list["items"][0]["id"].as_str().unwrap());
        let sale = served.api.get(&path, &shop.token).await.ok();
        assert_eq!(sale["number"], "№ 💍-1");
        assert_eq!(sale["lines"][0]["name"], "Ring \u{1D54A} & 戒指");
        assert_eq!(sale["transaction_id"], "tx1");
        let note = sale["details"]["customer_note"].as_str().unwrap();
        assert!(note.starts_with("💍é") && note.chars().count() == 4_000, "{note:.30}");
        let title = sale["payment_title"].as_str().unwrap();
        assert!(title.starts_with("💍é") && title.chars().count() == 500);
        let customers = served.api.get("/api/customers", &shop.token).await.ok();
        assert_eq!(customers["items"][0]["first_name"], "Ana 💍 O'Néil <b> \u{202e}");
    }
}

on_both! {
    async fn products_and_customers_of_every_kind_are_kept(relay: TestRelay) {
        let (shop, _) = counted(&relay).await;
        let sku = "💍".repeat(255);
        let product = json!({
            "id": 900, "name": format!("{}\u{0}", "é".repeat(9_999)), "type": "simple",
            "status": "publish", "sku": sku, "price": "1", "manage_stock": true, "stock_quantity": 2,
        });
        let facts = Facts { rev: Some(1), ..Facts::default() };
        let told = verdict(&shop, event(Resource::Product, product.clone(), facts.clone())).await;
        assert_eq!(told.0, Verdict::Applied, "{}", told.1);
        for sku in ["x".repeat(256), "a\u{0}b".to_owned()] {
            let mut product = product.clone();
            (product["id"], product["sku"]) = (json!(901), json!(sku));
            let told = verdict(&shop, event(Resource::Product, product, facts.clone())).await;
            assert_eq!(told.0, Verdict::Failed);
            assert!(told.1.contains("product.sku"), "{}", told.1);
        }
        let customer = json!({
            "id": 5, "email": "ÄNN@Example.TEST", "first_name": "Ä\u{0}nn 💍", "last_name": "",
            "billing": {}, "shipping": {},
        });
        let told = verdict(&shop, event(Resource::Customer, customer, facts)).await;
        assert_eq!(told.0, Verdict::Applied, "{}", told.1);

        let served = relay.serve().await;
        let path = format!("/api/inventory?sku={}", percent(&sku));
        let list = served.api.get(&path, &shop.token).await.ok();
        assert_eq!(list["items"][0]["name"].as_str().unwrap().chars().count(), 500);
        let path = format!("/api/inventory/{}/movements", percent(&sku));
        assert_eq!(served.api.get(&path, &shop.token).await.status, 200);
        let customers = served.api.get("/api/customers", &shop.token).await.ok();
        assert_eq!(customers["items"][0]["email"], "änn@example.test");
        assert_eq!(customers["items"][0]["first_name"], "Änn 💍");
    }
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

on_both! {
    async fn numbers_at_the_ends_of_their_ranges(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let with = |change: &dyn Fn(&mut Value)| {
            let mut event = order(&shop, ring);
            change(event.payload.as_mut().unwrap());
            event.resource_id = event.payload.as_ref().unwrap()["id"].as_u64().unwrap_or(event.resource_id);
            event
        };
        let reduced = |line: &mut Value, units: &str| {
            line["meta_data"] = json!([{ "id": 1, "key": "_reduced_stock", "value": units }]);
        };
        for (fits, change) in [
            (true, &(|o: &mut Value| o["id"] = json!(i64::MAX)) as &dyn Fn(&mut Value)),
            (true, &|o| o["line_items"][0]["id"] = json!(i64::MAX)),
            (false, &|o| o["line_items"][0]["id"] = json!(u64::MAX)),
            (true, &|o| reduced(&mut o["line_items"][0], "1000000")),
            (true, &|o| reduced(&mut o["line_items"][0], "-1000000")),
            (false, &|o| reduced(&mut o["line_items"][0], "1000000.001")),
            (true, &|o| reduced(&mut o["line_items"][0], "0.001")),
            (false, &|o| reduced(&mut o["line_items"][0], "0.0001")),
            (true, &|o| o["total"] = json!("9223372036816.997583")),
            (true, &|o| o["total"] = json!("-9223372036816.997583")),
            (false, &|o| o["total"] = json!("9223372036854.775808")),
            (false, &|o| o["total"] = json!("1e30")),
            (true, &|o| o["line_items"][0]["total"] = json!("9223372036854.775807")),
            (false, &|o| {
                o["line_items"][0]["total"] = json!("9223372036854.775807");
                o["shipping_total"] = json!("9223372036854.775807");
            }),
            (false, &|o| o["line_items"][0]["quantity"] = json!(-1)),
            (false, &|o| o["total"] = json!("NaN")),
        ] {
            let event = with(change);
            let told = verdict(&shop, event.clone()).await;
            let wanted = if fits { Verdict::Applied } else { Verdict::Failed };
            assert_eq!(told.0, wanted, "{}: {}", told.1, event.payload.unwrap());
            assert_eq!(told.1.is_empty(), fits, "{}", told.1);
        }
        let sums = "SELECT i.quantity - CAST((SELECT SUM(m.quantity_change) FROM stock_movements m
            WHERE m.tenant_id = i.tenant_id AND m.inventory_id = i.id) AS BIGINT) FROM inventory i";
        assert_eq!(relay.numbers(sums).await, [[0]]);
    }
}

on_both! {
    async fn no_movement_leads_beyond_what_can_be_counted(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order_id = shop.request(|shop| shop.paid_order(&[(ring, 5)]));
        shop.push().await;
        let served = relay.serve().await;
        let post = |change: &str| {
            let body = json!({ "type": "adjustment", "quantity_change": change, "notes": "" });
            let (api, token) = (served.api.clone(), shop.token.clone());
            async move { api.post("/api/inventory/RING/movements", &token, &body).await }
        };
        for change in ["9223372036854775.807", "-9223372036854775.808", "1e400", "9223372036854775808"] {
            assert!(post(change).await.problem(422).contains("quantity_change"));
        }
        // As far up as it goes, and then some units come back from the shop.
        post("999999995").await.ok();
        assert!(post("0.001").await.problem(422).contains("1000000000.001"));
        let at = 1_000_000_000;
        assert_eq!(shop.quantity(ring).await, at);
        shop.act(|shop| shop.enter(order_id, "cancelled"));
        let verdicts = shop.push().await;
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Applied), "{verdicts:?}");
        assert_eq!(shop.quantity(ring).await, at + 5);
        let integers = match relay.database.backend {
            crate::support::database::Backend::Sqlite => {
                relay.texts("SELECT typeof(quantity) FROM inventory").await
            }
            crate::support::database::Backend::Postgres => vec![vec!["integer".to_owned()]],
        };
        assert_eq!(integers, [["integer"]]);
    }
}

on_both! {
    async fn what_nests_too_deeply_is_said_and_not_followed(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let mut deep = json!(1);
        for _ in 0..40 {
            deep = json!([deep]);
        }
        let mut sold = order(&shop, ring);
        sold.payload.as_mut().unwrap()["meta_data"] = json!([{ "key": "x", "value": deep }]);
        let told = verdict(&shop, sold).await;
        assert_eq!(told.0, Verdict::Failed);
        assert!(told.1.contains("nested"), "{}", told.1);
        assert_eq!(shop.quantity(ring).await, 10);
    }
}
