//! A shop asks how its own things stand, and gets its own and nobody else's.

use nexpura_relay::service::push_stock;
use serde_json::{Value, json};

use crate::{
    shop::{Shop, server::Town},
    support::{api::Api, connected::Connected, on_both},
};

async fn status(shop: &Connected, api: &Api, asked: &Value) -> Value {
    shop.post(api, "/v1/status", asked.to_string().into_bytes()).await.ok()
}

async fn order(shop: &Connected, api: &Api, id: u64) -> Value {
    status(shop, api, &json!({ "orders": [id] })).await["orders"][0].clone()
}

on_both! {
    async fn an_order_is_in_the_ledger_waiting_failed_or_unknown(relay: TestRelay) {
        let (town, mut shop) = (Town::open().await, Shop::new());
        let ring = shop.simple("RING", 9);
        let shop = Connected::new(&relay.relay, &town, shop).await;
        shop.open().await;
        let served = relay.serve().await;
        let api = &served.api;

        let sold = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        assert_eq!(order(&shop, api, sold).await["state"], "unknown");
        shop.push().await;
        let told = order(&shop, api, sold).await;
        assert_eq!((told["id"].as_u64(), &told["state"]), (Some(sold), &json!("in_ledger")));
        let page = told["sale_url"].as_str().unwrap();
        assert!(page.starts_with("https://relay.example/sales/"), "{page}");

        let (touched, marks) = shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)]));
        shop.spool.lock().unwrap().touch(marks[0]);
        shop.push().await;
        let told = order(&shop, api, touched).await;
        assert_eq!((&told["state"], &told["sale_url"]), (&json!("waiting"), &Value::Null));
        shop.fetch().await;
        assert_eq!(order(&shop, api, touched).await["state"], "in_ledger");

        // What could not be applied says why, until it is read again.
        let broken = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        let mut events = shop.spool.lock().unwrap().take();
        for event in events.iter_mut().filter(|event| event.resource_id == broken) {
            event.payload.as_mut().unwrap()["total"] = json!("<script>");
        }
        shop.push_events(events).await;
        let told = order(&shop, api, broken).await;
        assert_eq!(told["state"], "failed");
        assert!(told["detail"].as_str().is_some_and(|why| why.contains("total")), "{told}");
        let again = json!({ "resource": "order", "id": broken }).to_string();
        let reply = shop.post(api, "/v1/retry", again.into_bytes()).await;
        assert_eq!(reply.status, 202, "{}", reply.body);
        assert_eq!(order(&shop, api, broken).await["state"], "waiting");
        shop.fetch().await;
        assert_eq!(order(&shop, api, broken).await["state"], "in_ledger");
        // Screens ask at people's pace; a shop that asks on and on fills nothing and holds nobody up.
        let mut answers = Vec::new();
        for _ in 0..80 {
            let asked = json!({ "orders": [broken] }).to_string();
            answers.push(shop.post(api, "/v1/status", asked.into_bytes()).await.status);
        }
        assert!(answers.contains(&429), "{answers:?}");
        let heartbeat = shop.spool.lock().unwrap().batch(Vec::new());
        let heartbeat = serde_json::to_vec(&heartbeat).unwrap();
        assert_eq!(shop.post(api, "/v1/push", heartbeat).await.status, 200);
    }
}

on_both! {
    async fn a_product_shows_its_count_and_its_last_push(relay: TestRelay) {
        let (town, mut shop) = (Town::open().await, Shop::new());
        let ring = shop.simple("RING", 9);
        let nameless = shop.simple("", 2);
        let shop = Connected::new(&relay.relay, &town, shop).await;
        shop.open().await;
        let served = relay.serve().await;
        let api = &served.api;
        let asked = json!({ "products": [ring, nameless, 4_711] });

        let told = status(&shop, api, &asked).await["products"].clone();
        assert_eq!(told[0]["listing"], "open");
        assert_eq!((&told[0]["sku"], &told[0]["quantity"]), (&json!("RING"), &json!("9")));
        assert_eq!((&told[0]["to_push"], &told[0]["pushed_at"]), (&Value::Null, &Value::Null));
        assert_eq!(told[0]["piece_url"], "https://relay.example/inventory/RING");
        assert_eq!(told[1]["listing"], "skipped");
        assert!(told[1]["detail"].as_str().is_some_and(|why| why.contains("SKU")), "{told}");
        assert_eq!((&told[2]["state"], &told[2]["listing"]), (&json!("unknown"), &Value::Null));

        let change = json!({ "type": "purchase", "quantity_change": "3" });
        api.post("/api/inventory/RING/movements", &shop.token, &change).await.ok();
        let told = status(&shop, api, &asked).await["products"][0].clone();
        assert_eq!((&told["quantity"], &told["to_push"]), (&json!("12"), &json!("3")));
        // As to a shop without the plugin: this one does not understand its route.
        relay.run("UPDATE connections SET revoked_at = created_at").await;
        push_stock::push_due(&relay.relay, shop.tenant, shop.integration).await.unwrap();
        relay.run("UPDATE connections SET revoked_at = NULL").await;
        let told = status(&shop, api, &asked).await["products"][0].clone();
        assert_eq!((&told["to_push"], &told["pushed"]), (&Value::Null, &json!("3")));
        assert!(told["pushed_at"].is_string(), "{told}");
    }
}

on_both! {
    async fn only_so_much_is_asked_for_at_once_and_only_what_there_is(relay: TestRelay) {
        let town = Town::open().await;
        let shop = Connected::new(&relay.relay, &town, Shop::new()).await;
        let served = relay.serve().await;
        let told = status(&shop, &served.api, &json!({})).await;
        assert_eq!(told["store"]["status"], "connected");
        assert_eq!(told["store"]["mode"], "extension");
        assert_eq!(told["store"]["panel_url"], "https://relay.example/");
        let many: Vec<u64> = (1..=101).collect();
        for asked in [json!({ "orders": many }), json!({ "products": many })] {
            let reply =
                shop.post(&served.api, "/v1/status", asked.to_string().into_bytes()).await;
            assert!(reply.problem(400).contains("at most 100"));
        }
        for resource in ["lineage", "coupon"] {
            let thing = json!({ "resource": resource, "id": 1 }).to_string();
            shop.post(&served.api, "/v1/retry", thing.into_bytes()).await.problem(400);
        }
    }
}
