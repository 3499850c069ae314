//! A shop registers: its word is checked before anything is stored, and what is stored is sealed.

use std::fs;

use nexpura_protocol::ConnectionString;
use nexpura_relay::{
    service::admin,
    store::{self, Db},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    shop::{
        Shop,
        server::{Behaviour, CONSUMER_KEY, CONSUMER_SECRET, FakeShop, Town},
    },
    support::{
        api::{Api, Reply, Signed},
        on_both,
        relay::TestRelay,
        wait::until,
    },
};

/// A connection that an operator has made, and the shop that is to use it.
struct Newcomer {
    connection: ConnectionString,
    fake: FakeShop,
    store_id: Uuid,
}

impl Newcomer {
    async fn new(relay: &TestRelay, town: &Town, shop: Shop, pinned: Option<&str>) -> Self {
        let connection = connection(relay, pinned).await;
        Self { connection, fake: town.shop(shop), store_id: Uuid::new_v4() }
    }

    /// What the plugin sends.
    fn hello(&self) -> Value {
        json!({
            "store_id": self.store_id,
            "home_url": self.fake.home,
            "rest_url": self.fake.rest_url(),
            "key": { "consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET },
            "versions": {
                "plugin": "0.1.0", "extension": "0.1.0", "wordpress": "6.8.2",
                "woocommerce": "10.0.2", "php": "8.2.35",
            },
            "order_storage": "hpos",
        })
    }

    async fn say(&self, api: &Api, path: &str, body: &Value) -> Reply {
        say(api, &self.connection, path, body).await
    }

    async fn connect(&self, api: &Api) -> Reply {
        self.say(api, "/v1/connect", &self.hello()).await
    }
}

async fn connection(relay: &TestRelay, pinned: Option<&str>) -> ConnectionString {
    let made = admin::create_connection(&relay.relay, "Ann", pinned, store::now()).await;
    made.unwrap().1
}

async fn say(api: &Api, connection: &ConnectionString, path: &str, body: &Value) -> Reply {
    let body = body.to_string().into_bytes();
    let signed = Signed::new(connection.id(), connection.secret(), &body);
    api.post_signed(path, &signed, body).await
}

/// The one spool of these shops.
const SPOOL: &str = "0190a000-0000-7000-8000-000000000001";

async fn heartbeat(api: &Api, connection: &ConnectionString) -> Reply {
    let body = json!({
        "spool": SPOOL, "events": [], "state": { "unsent": 0, "open_intents": 0 },
    });
    say(api, connection, "/v1/push", &body).await
}

on_both! {
    async fn a_store_that_cannot_be_verified_leaves_no_trace(relay: TestRelay) {
        let town = Town::open().await;
        let other = town.shop(Shop::new());
        let newcomer = Newcomer::new(&relay, &town, Shop::new(), None).await;
        let served = relay.serve().await;
        let hello = newcomer.hello();
        let with = |change: &dyn Fn(&mut Value)| {
            let mut changed = hello.clone();
            change(&mut changed);
            changed
        };
        let at = |home: &str| {
            with(&|hello| {
                hello["home_url"] = json!(home);
                hello["rest_url"] = json!(format!("{home}/wp-json/"));
            })
        };
        let wrong_key = "ck_ffffffffffffffffffffffffffffffffffffffff";
        let cases = [
            ("unreachable", Behaviour::Honest, at("http://127.0.0.1:1")),
            ("private", Behaviour::Honest, at("http://10.255.255.1")),
            ("not an address", Behaviour::Honest, at("ftp://x")),
            ("elsewhere", Behaviour::Honest, with(&|h| h["rest_url"] = json!("http://127.0.0.2/"))),
            ("wrong key", Behaviour::Honest, with(&|h| h["key"]["consumer_key"] = json!(wrong_key))),
            ("no key", Behaviour::Honest, with(&|h| h["key"]["consumer_key"] = json!(""))),
            ("refused", Behaviour::Status(401), hello.clone()),
            ("forbidden", Behaviour::Status(403), hello.clone()),
            ("failing", Behaviour::Status(500), hello.clone()),
            ("redirect", Behaviour::Redirect(other.rest_url()), hello.clone()),
            ("a page", Behaviour::Page, hello.clone()),
            ("another home", Behaviour::Calling(other.home.clone()), hello.clone()),
        ];
        let mut heard = Vec::new();
        for (what, behaviour, hello) in cases {
            newcomer.fake.behave(behaviour);
            let reply = newcomer.say(&served.api, "/v1/connect", &hello).await;
            assert!(reply.problem(422).contains("could not be verified"), "{what}");
            heard.push(reply.body);
        }
        heard.dedup();
        assert_eq!(heard.len(), 1, "a stranger could tell these apart: {heard:?}");
        assert_eq!(other.asked().len(), 0, "a redirect was followed");
        for nothing in [
            "SELECT COUNT(*) FROM integrations",
            "SELECT COUNT(*) FROM connections WHERE integration_id IS NOT NULL",
            "SELECT COUNT(*) FROM sync_runs",
            "SELECT COUNT(*) FROM audit_log WHERE action = 'store.connected'",
        ] {
            assert_eq!(relay.number(nothing).await, 0, "{nothing}");
        }
        newcomer.fake.behave(Behaviour::Honest);
        newcomer.connect(&served.api).await.ok();
    }
}

on_both! {
    async fn a_store_that_registers_is_brought_over(relay: TestRelay) {
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 4);
        shop.paid_order(&[(ring, 1)]);
        let newcomer = Newcomer::new(&relay, &Town::open().await, shop, None).await;
        let served = relay.serve().await;
        assert!(heartbeat(&served.api, &newcomer.connection).await.problem(409).contains("register"));
        let answer = newcomer.connect(&served.api).await.ok();
        let home = newcomer.fake.home.clone();
        assert_eq!(answer, json!({ "status": "connected", "store": home, "mode": "extension" }));
        let reply = heartbeat(&served.api, &newcomer.connection).await;
        assert_eq!(reply.ok()["ack"], 0);

        let token = admin::create_token(&relay.relay, "Ann", "test", store::now()).await.unwrap();
        let _working = relay.work();
        until("the ring is counted", || async {
            // The plugin's heartbeat: a spool that fell silent would not be waited for either.
            let reply = heartbeat(&served.api, &newcomer.connection).await;
            assert!(reply.json().get("report_in").is_none_or(|soon| soon == 1));
            let list = served.api.get("/api/inventory?sku=RING", token.expose()).await.ok();
            (list["items"][0]["quantity"] == "3").then_some(())
        })
        .await;
        let sales = served.api.get("/api/sales", token.expose()).await.ok();
        assert_eq!(sales["items"].as_array().unwrap().len(), 1);
    }
}

on_both! {
    async fn without_the_extension_a_store_is_swept(relay: TestRelay) {
        let newcomer = Newcomer::new(&relay, &Town::open().await, Shop::new(), None).await;
        let served = relay.serve().await;
        let mut hello = newcomer.hello();
        hello["versions"]["extension"] = json!(null);
        let answer = newcomer.say(&served.api, "/v1/connect", &hello).await.ok();
        assert_eq!(answer["mode"], "sweep");
    }
}

on_both! {
    async fn secrets_are_nowhere_in_the_database(relay: TestRelay) {
        let newcomer = Newcomer::new(&relay, &Town::open().await, Shop::new(), None).await;
        let served = relay.serve().await;
        newcomer.connect(&served.api).await.ok();
        let token = admin::create_token(&relay.relay, "Ann", "test", store::now()).await.unwrap();
        let raw = nexpura_protocol::signature::decode_secret(
            newcomer.connection.secret().expose_secret(),
        );
        let secrets = [
            CONSUMER_KEY.as_bytes().to_vec(),
            CONSUMER_SECRET.as_bytes().to_vec(),
            CONSUMER_SECRET.trim_start_matches("cs_").as_bytes().to_vec(),
            newcomer.connection.secret().expose_secret().as_bytes().to_vec(),
            raw.unwrap(),
            token.expose().as_bytes().to_vec(),
        ];
        let everything = everything_stored(&relay).await;
        assert!(holds(&everything, newcomer.fake.home.as_bytes()), "this is the whole database");
        for secret in &secrets {
            assert!(!holds(&everything, secret), "{}", String::from_utf8_lossy(secret));
            let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(!holds(&everything, hex.as_bytes()), "{hex}");
        }
    }
}

/// Every byte of the database: its files, or what PostgreSQL gives out of each table.
async fn everything_stored(relay: &TestRelay) -> Vec<u8> {
    let mut all = Vec::new();
    if let Db::Postgres(_) = relay.relay.db {
        let tables =
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
        for table in relay.texts(tables).await {
            let rows = relay.texts(&format!("SELECT t::text FROM {} t", table[0])).await;
            rows.into_iter().flatten().for_each(|row| all.extend(row.into_bytes()));
        }
        return all;
    }
    for entry in fs::read_dir(relay.database.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        all.extend(fs::read(path).unwrap());
    }
    all
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

on_both! {
    async fn a_store_that_registers_again_keeps_its_row_and_its_history(relay: TestRelay) {
        let mut shop = Shop::new();
        shop.simple("RING", 4);
        let newcomer = Newcomer::new(&relay, &Town::open().await, shop, None).await;
        let served = relay.serve().await;
        newcomer.connect(&served.api).await.ok();
        let rows = "SELECT COUNT(*) FROM integrations";
        let sealed = async |relay: &TestRelay| {
            relay.texts("SELECT CAST(updated_at AS TEXT) FROM integrations").await
        };
        let before = sealed(&relay).await;
        relay.run("UPDATE integrations SET status = 'error', status_reason = 'x'").await;
        newcomer.connect(&served.api).await.ok();
        assert_eq!(relay.number(rows).await, 1);
        assert_ne!(sealed(&relay).await, before);
        let status = relay.texts("SELECT status, status_reason FROM integrations").await;
        assert_eq!(status, [["connected", ""]]);

        // A second connection to the same store is one more credential, not one more store.
        let second = connection(&relay, None).await;
        say(&served.api, &second, "/v1/connect", &newcomer.hello()).await.ok();
        assert_eq!(relay.number(rows).await, 1);
        for connection in [&newcomer.connection, &second] {
            heartbeat(&served.api, connection).await.ok();
        }

        // Each ends by itself; with the last one the store has no key any more.
        let goodbye = json!({ "store_id": newcomer.store_id });
        let reply = newcomer.say(&served.api, "/v1/disconnect", &goodbye).await;
        assert_eq!(reply.status, 204);
        heartbeat(&served.api, &newcomer.connection).await.problem(401);
        heartbeat(&served.api, &second).await.ok();
        let keys = "SELECT COUNT(*) FROM integrations WHERE consumer_key IS NOT NULL
            AND consumer_secret IS NOT NULL AND status = 'connected'";
        assert_eq!(relay.number(keys).await, 1);
        say(&served.api, &second, "/v1/disconnect", &goodbye).await.ok();
        heartbeat(&served.api, &second).await.problem(401);
        let gone = "SELECT COUNT(*) FROM integrations WHERE consumer_key IS NULL
            AND consumer_secret IS NULL AND status = 'disconnected'";
        assert_eq!(relay.number(gone).await, 1);

        // Coming back with a new connection string it is the same store.
        let third = connection(&relay, None).await;
        say(&served.api, &third, "/v1/connect", &newcomer.hello()).await.ok();
        assert_eq!(relay.number(rows).await, 1);
        assert_eq!(relay.number(keys).await, 1);
        newcomer.say(&served.api, "/v1/connect", &newcomer.hello()).await.problem(401);
    }
}

on_both! {
    async fn a_connection_and_a_store_stay_with_their_first_address(relay: TestRelay) {
        let town = Town::open().await;
        let newcomer = Newcomer::new(&relay, &town, Shop::new(), None).await;
        let served = relay.serve().await;
        newcomer.connect(&served.api).await.ok();

        // A copy of the shop at another address, with everything that the first one has.
        let clone = Newcomer {
            connection: newcomer.connection.clone(),
            fake: town.shop(Shop::new()),
            store_id: newcomer.store_id,
        };
        let told = clone.connect(&served.api).await.problem(409);
        assert!(told.contains(&newcomer.fake.home), "{told}");
        // The same with an id of its own.
        let stranger = Newcomer { store_id: Uuid::new_v4(), ..clone };
        assert!(stranger.connect(&served.api).await.problem(409).contains(&newcomer.fake.home));
        // The same store by another connection, from another address.
        let moved = Newcomer {
            connection: connection(&relay, None).await,
            store_id: newcomer.store_id,
            ..stranger
        };
        assert!(moved.connect(&served.api).await.problem(409).contains(&newcomer.fake.home));
        // Another installation at the same address.
        let squatter = Newcomer {
            connection: connection(&relay, None).await,
            fake: newcomer.fake.clone(),
            store_id: Uuid::new_v4(),
        };
        let told = squatter.connect(&served.api).await.problem(409);
        assert!(told.contains("disconnect the store in Nexpura"), "{told}");
        assert_eq!(relay.number("SELECT COUNT(*) FROM integrations").await, 1);
        let bound = "SELECT COUNT(*) FROM connections WHERE integration_id IS NOT NULL";
        assert_eq!(relay.number(bound).await, 1);
    }
}

on_both! {
    async fn a_connection_made_for_one_address_serves_no_other(relay: TestRelay) {
        let town = Town::open().await;
        let newcomer = Newcomer::new(&relay, &town, Shop::new(), Some("http://127.0.0.1:9/")).await;
        let served = relay.serve().await;
        let told = newcomer.connect(&served.api).await.problem(409);
        assert!(told.contains("http://127.0.0.1:9"), "{told}");
        assert_eq!(relay.number("SELECT COUNT(*) FROM integrations").await, 0);
        let home = format!("  {}/ ", newcomer.fake.home);
        let welcome = Newcomer { connection: connection(&relay, Some(&home)).await, ..newcomer };
        welcome.connect(&served.api).await.ok();
    }
}

on_both! {
    async fn a_hello_that_is_none_is_malformed(relay: TestRelay) {
        let newcomer = Newcomer::new(&relay, &Town::open().await, Shop::new(), None).await;
        let served = relay.serve().await;
        for (body, place) in [
            (json!({}), "store_id"),
            (json!({ "store_id": "x" }), "line 1"),
            (json!([]), "line 1"),
        ] {
            let told = newcomer.say(&served.api, "/v1/connect", &body).await.problem(400);
            assert!(told.contains(place), "{told}");
            assert!(!told.contains("cs_"), "{told}");
        }
    }
}
