//! A store is connected by its address and key: what it says is checked first, and each way to fail is
//! told apart, leaves nothing behind, and passes by itself.

use std::{sync::Arc, time::Duration};

use chrono::{TimeDelta, Utc};
use nexpura_relay::{
    channel::{
        Outbound,
        outbound::{Deadlines, SystemResolver},
    },
    service::admin,
    store,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::{
    shop::{
        Shop,
        server::{Behaviour, CONSUMER_KEY, CONSUMER_SECRET, Town},
    },
    support::{
        api::{Api, Reply},
        connected::Connected,
        database, on_both,
        relay::TestRelay,
    },
};

const CONNECT: &str = "/api/integrations/woocommerce/connect";

async fn token(relay: &TestRelay, tenant: &str) -> String {
    let made = admin::create_token(&relay.relay, tenant, "test", store::now()).await;
    made.unwrap().expose().to_owned()
}

async fn connect(api: &Api, token: &str, url: &str) -> Reply {
    let body = json!({
        "store_url": url, "consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET,
    });
    api.post(CONNECT, token, &body).await
}

async fn stores(api: &Api, token: &str) -> Vec<Value> {
    api.get("/api/integrations", token).await.ok()["items"].as_array().unwrap().clone()
}

on_both! {
    async fn an_address_in_any_shape_is_one_store_and_a_tenant_may_have_many(relay: TestRelay) {
        let town = Town::open().await;
        let (one, other) = (town.shop(Shop::new()), town.shop(Shop::new()));
        let served = relay.serve().await;
        let ann = token(&relay, "Ann").await;
        let first = connect(&served.api, &ann, &one.home).await.ok();
        assert_eq!((&first["mode"], &first["writable"]), (&json!("sweep"), &json!(true)));
        assert_eq!(first["stock_push"], "read_and_write");
        for shape in ["  {}/ \n", "{}/wp-admin/", "{}/wp-json/wc/v3", "{}//", "{}/?a=b#c"] {
            let url = shape.replace("{}", &one.home);
            let again = connect(&served.api, &ann, &url).await.ok();
            assert_eq!(again["id"], first["id"], "{url:?}");
        }
        let second = connect(&served.api, &ann, &other.home).await.ok();
        assert_ne!(second["id"], first["id"]);
        assert_eq!(stores(&served.api, &ann).await.len(), 2);
        // Each was asked for all that it has.
        assert_eq!(relay.number("SELECT COUNT(*) FROM sync_runs").await, 2);
        let sealed = relay.number("SELECT COUNT(*) FROM integrations WHERE consumer_key IS NULL");
        assert_eq!(sealed.await, 0);
    }
}

on_both! {
    async fn disconnecting_forgets_the_secrets_and_connecting_again_keeps_the_row(relay: TestRelay) {
        let town = Town::open().await;
        let fake = town.shop(Shop::new());
        let served = relay.serve().await;
        let ann = token(&relay, "Ann").await;
        let first = connect(&served.api, &ann, &fake.home).await.ok();
        let named = json!({ "store": first["id"] });
        let path = "/api/integrations/woocommerce/disconnect";
        let ended = served.api.post(path, &ann, &named).await.ok();
        assert_eq!(ended["key_removed"], false);
        assert!(ended["message"].as_str().unwrap().contains("1234567"), "{ended}");
        let kept = relay
            .number(
                "SELECT COUNT(*) FROM integrations
                 WHERE consumer_key IS NOT NULL OR consumer_secret IS NOT NULL",
            )
            .await;
        assert_eq!(kept, 0);
        assert_eq!(stores(&served.api, &ann).await[0]["status"], "disconnected");
        let tested = served.api.post("/api/integrations/woocommerce/test", &ann, &named).await;
        assert!(tested.problem(422).contains("connect it again"));
        let again = connect(&served.api, &ann, &fake.home).await.ok();
        assert_eq!(again["id"], first["id"]);
        assert_eq!(stores(&served.api, &ann).await[0]["status"], "connected");
    }
}

on_both! {
    async fn a_shop_that_was_built_anew_is_let_go_first_and_then_read_as_a_new_one(relay: TestRelay) {
        let mut shop = Shop::new();
        shop.bare = true;
        let old = shop.simple("RING", 10);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        let served = relay.serve().await;
        // Its key is renewed, and what it calls itself is known from now on.
        connect(&served.api, &shop.token, &shop.fake.home).await.ok();
        shop.open().await;
        assert_eq!(shop.listing(old).await, ("open".to_owned(), Some(10), Some(10)));
        connect(&served.api, &shop.token, &shop.fake.home).await.ok();
        assert_eq!(shop.listing(old).await.0, "open", "the same shop goes on");

        shop.unnoticed(|shop| {
            shop.woocommerce_id = "0d9eb3f0-2a0f-4b52-9d8b-0a5f2f3f6a11".to_owned();
            shop.name_sku(old, "NECK");
            shop.set_stock(old, 3);
        });
        let refused = connect(&served.api, &shop.token, &shop.fake.home).await;
        let said = refused.problem(409);
        assert!(said.contains("disconnect the store") && said.contains("whose counts hold"), "{said}");
        assert_eq!(shop.listing(old).await.0, "open", "nothing is touched");

        let named = json!({ "store": shop.integration });
        served.api.post("/api/integrations/woocommerce/disconnect", &shop.token, &named).await.ok();
        let again = connect(&served.api, &shop.token, &shop.fake.home).await.ok();
        assert_eq!(again["id"], json!(shop.integration), "its history stays");
        shop.let_time_pass().await;
        shop.open().await;
        assert_eq!(shop.listing(old).await, ("open".to_owned(), Some(3), Some(3)));
        let pieces = "SELECT sku, CAST(quantity AS TEXT) FROM inventory ORDER BY sku";
        let pieces = database::texts(&relay.relay.db, pieces).await;
        assert_eq!(pieces, [["NECK", "3000"], ["RING", "10000"]], "the old piece is not the new one");
    }
}

/// A server that answers every request with these bytes, and goes on with `more` for ever.
async fn answering(head: String, body: Vec<u8>, more: Option<(&'static [u8], Duration)>) -> String {
    async fn one(mut to: TcpStream, head: String, body: Vec<u8>, more: Option<(&[u8], Duration)>) {
        let mut asked = [0; 4096];
        let _asked = to.read(&mut asked).await;
        let mut going = to.write_all(head.as_bytes()).await.is_ok();
        going = going && to.write_all(&body).await.is_ok();
        if let Some((more, pause)) = more {
            while going {
                going = to.write_all(more).await.is_ok();
                sleep(pause).await;
            }
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((to, _)) = listener.accept().await {
            tokio::spawn(one(to, head.clone(), body.clone(), more));
        }
    });
    format!("http://{address}")
}

fn head(status: &str, length: Option<usize>) -> String {
    let length = length.map(|length| format!("content-length: {length}\r\n")).unwrap_or_default();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{length}connection: close\r\n\r\n"
    )
}

async fn saying(status: &str, body: &str) -> String {
    answering(head(status, Some(body.len())), body.as_bytes().to_vec(), None).await
}

/// Stores that cannot be connected, each with words that must be in the message.
async fn bad_stores() -> Vec<(String, &'static str)> {
    let cut = "{\"environment\":{\"home_url\":\"http://";
    let cut_early = answering(head("200 OK", Some(4000)), cut.as_bytes().to_vec(), None);
    let endless = answering(
        head("200 OK", None),
        b"{\"environment\":[".to_vec(),
        Some((&[b' '; 65_536], Duration::ZERO)),
    );
    let drip =
        answering(head("200 OK", None), b"{".to_vec(), Some((b" ", Duration::from_millis(50))));
    let moved = "HTTP/1.1 301 Moved\r\nlocation: https://www.shop.example/?secret\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    vec![
        (saying("200 OK", "<!doctype html><title>Soon</title>").await, "something else than JSON"),
        (saying("200 OK", "Warning: x on line 3\n{\"a\":1}").await, "something else than JSON"),
        (saying("500 Oops", "{}").await, "failed with status 500"),
        (saying("503 Busy", "").await, "failed with status 503"),
        (saying("403 No", "<html>firewall</html>").await, "firewall"),
        (saying("401 Who", "<html>password</html>").await, "password of its own"),
        (saying("404 Not", "<html>nothing</html>").await, "Permalinks"),
        (saying("429 Slow", "{}").await, "fewer requests"),
        (saying("200 OK", cut).await, "breaks off"),
        (cut_early.await, "broke off"),
        (endless.await, "too large"),
        (saying("200 OK", &"[".repeat(5_000)).await, "wrong shape"),
        (saying("200 OK", "{\"environment\":[],\"settings\":7}").await, "wrong shape"),
        (saying("200 OK", "[]").await, "wrong shape"),
        (answering(moved.to_owned(), Vec::new(), None).await, "https://www.shop.example/:"),
        (drip.await, "did not answer in time"),
    ]
}

on_both! {
    async fn a_bad_store_is_named_with_its_cause_and_leaves_nothing(relay: TestRelay) {
        let mut relay = relay;
        let deadlines =
            Deadlines { connect: Duration::from_secs(1), total: Duration::from_millis(1500) };
        let allow = relay.relay.config.allow_private_stores.clone();
        let outbound = Outbound::with(&allow, deadlines, Arc::new(SystemResolver)).unwrap();
        relay.relay.outbound = Arc::new(outbound);
        let served = relay.serve().await;
        let ann = token(&relay, "Ann").await;
        for (url, words) in bad_stores().await {
            let reply = connect(&served.api, &ann, &url).await;
            let text = reply.problem(422);
            assert!(text.starts_with("Cannot reach store URL: "), "{words}: {text}");
            assert!(text.contains(words), "{words}: {text}");
            assert!(!text.contains("cs_") && !text.contains("oauth"), "{text}");
        }
        for table in ["integrations", "sync_runs", "listings", "audit_log"] {
            let rows = format!("SELECT COUNT(*) FROM {table}");
            let expected = i64::from(table == "audit_log");
            assert_eq!(relay.number(&rows).await, expected, "{table}");
        }
    }
}

on_both! {
    async fn a_shop_is_what_it_calls_itself(relay: TestRelay) {
        let town = Town::open().await;
        let fake = town.shop(Shop::new());
        let served = relay.serve().await;
        let ann = token(&relay, "Ann").await;
        fake.behave(Behaviour::Calling("https://other.example".to_owned()));
        let text = connect(&served.api, &ann, &fake.home).await.problem(422);
        assert!(text.contains("calls itself https://other.example"), "{text}");
        assert!(stores(&served.api, &ann).await.is_empty());
    }
}

on_both! {
    async fn whatever_ails_a_connected_store_is_shown_and_passes_by_itself(relay: TestRelay) {
        let mut shop = Shop::new();
        shop.simple("RING", 10);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        let before = shop.listings().await;
        let stands = format!("SELECT status, status_reason FROM integrations WHERE id IN
            (SELECT integration_id FROM listings WHERE {})", shop.mine());
        let strange = json!([{ "id": "seven" }]);
        let products = "wc/v3/products";
        for (behaviour, special, words) in [
            (Behaviour::Status(401), None, "does not accept the API key"),
            (Behaviour::Page, None, "something else than JSON"),
            (Behaviour::Redirect("https://www.shop.example/".to_owned()), None, "sends requests on"),
            (Behaviour::Honest, Some((200, strange)), "wrong shape"),
            (Behaviour::Status(500), None, "failed with status 500"),
            (Behaviour::LeaveMeAlone(0), None, "fewer requests"),
        ] {
            shop.fake.behave(behaviour);
            shop.fake.answer_with(products, special);
            // What may pass by itself is shown when it has not passed for minutes.
            for _ in 0..7 {
                shop.want_sweep(false).await;
                assert!(shop.run_sweep().await, "{words}: it is not asked any more");
            }
            let shown = relay.texts(&stands).await;
            assert_eq!(shown[0][0], "error", "{words}");
            assert!(shown[0][1].contains(words), "{words}: {}", shown[0][1]);
            let soon = database::moment(&relay.relay.db, Utc::now() + TimeDelta::minutes(15));
            let due = format!(
                "SELECT COUNT(*) FROM sync_runs WHERE finished_at IS NULL AND due_at <= {soon}"
            );
            assert_eq!(relay.number(&due).await, 1, "{words}: nobody will ask it again soon");
            shop.fake.behave(Behaviour::Honest);
            shop.fake.answer_with(products, None);
            shop.let_time_pass().await;
            shop.want_sweep(false).await;
            assert!(shop.run_sweep().await);
            assert_eq!(relay.texts(&stands).await, [["connected", ""]], "{words}");
            assert_eq!(shop.listings().await, before, "{words}");
        }
    }
}
