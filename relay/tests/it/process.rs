//! The real program: its commands, what it prints, and how it ends.

mod program;
mod stores;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use nexpura_protocol::{ConnectionString, Signer};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    shop::{
        Shop,
        server::{CONSUMER_KEY, CONSUMER_SECRET, FakeShop, Town},
    },
    support::{
        api::{Api, Reply, Signed},
        database,
        postgres::Postgres,
        relay::MASTER_KEY,
        wait::until,
    },
};
use program::{Home, Serving, terminate};

async fn say(serving: &Serving, connection: &ConnectionString, path: &str, body: &Value) -> Reply {
    let body = body.to_string().into_bytes();
    let signed = Signed::new(connection.id(), connection.secret(), &body);
    Api::new(serving.address).post_signed(path, &signed, body).await
}

fn hello(fake: &FakeShop) -> Value {
    json!({
        "store_id": Uuid::new_v4(), "home_url": fake.home, "rest_url": fake.rest_url(),
        "key": { "consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET },
        "versions": { "plugin": "0.1.0", "extension": "0.1.0" }, "order_storage": "hpos",
    })
}

fn push_of(fake: &FakeShop, order: u64, touch: bool) -> Value {
    let shop = fake.shop();
    let resource = nexpura_protocol::Resource::Order;
    let mut facts = shop.facts(resource, order);
    facts.rev = Some(1);
    let payload = (!touch).then(|| shop.show(resource, order));
    json!({
        "spool": Uuid::new_v4(),
        "events": [{
            "id": Uuid::new_v4(), "seq": 1, "topic": "order.created", "resource_id": order,
            "occurred_at": "2026-11-21T04:00:00Z", "payload": payload,
            "facts": (!touch).then_some(facts),
        }],
        "state": { "unsent": 0, "open_intents": 0 },
    })
}

#[test]
fn commands_answer_in_json_and_in_words() {
    let home = Home::new();
    assert_eq!(home.json(&["migrate"]), json!({ "migrated": true }));
    assert_eq!(home.json(&["migrate"]), json!({ "migrated": true }), "again");

    let added =
        home.json(&["user", "add", " Ann@Example.test", "--tenant", "Ann", "--role", "owner"]);
    assert_eq!(
        [&added["email"], &added["tenant"], &added["role"]],
        ["ann@example.test", "Ann", "owner"]
    );
    let link = added["set_password"].as_str().unwrap();
    assert!(link.starts_with("https://relay.example/set-password?link=nxl_"), "{link}");
    let anew = home.json(&["user", "link", "ann@example.test", "--tenant", "Ann"]);
    assert_ne!(anew["set_password"], added["set_password"]);
    let nobody = ["user", "link", "nobody@example.test", "--tenant", "Ann"];
    assert!(home.refused(&nobody, &[]).contains("no such person"));
    let again = ["user", "add", "ann@example.test", "--tenant", "Ann", "--role", "staff"];
    assert!(home.refused(&again, &[]).contains("has an account"));
    let elsewhere = ["user", "add", "ann@example.test", "--tenant", "Ben", "--role", "staff"];
    assert!(home.run(&elsewhere).status.success(), "the same person at another jeweller");
    let none = ["user", "add", "ann", "--tenant", "Ann", "--role", "staff"];
    assert!(home.refused(&none, &[]).contains("e-mail"));
    let king = ["user", "add", "b@x.test", "--tenant", "Ann", "--role", "king"];
    assert!(home.refused(&king, &[]).contains("possible values: owner, manager, staff"));

    let connection = home.connection(&[]);
    assert_eq!(connection.relay().as_str(), "https://relay.example/");
    let another = home.connection(&["--store-url", "https://shop.example/fine/"]);
    assert_ne!(connection.id(), another.id());
    assert_eq!(connection.id()[..32], another.id()[..32], "both are Ann's");
    let words = home.run(&["connection", "create", "--tenant", "Ben"]);
    let printed = String::from_utf8(words.stdout).unwrap();
    assert_eq!(printed.lines().count(), 1, "one line, to be pasted whole");
    let of_ben = ConnectionString::parse(&printed).unwrap();
    assert_ne!(connection.id()[..32], of_ben.id()[..32]);
    let bad = ["connection", "create", "--tenant", "Ann", "--store-url", "shop example"];
    assert!(home.refused(&bad, &[]).contains("web address"));

    let token = home.json(&["token", "create", "--tenant", "Ann"]);
    assert!(token["token"].as_str().unwrap().starts_with("nxt_"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_set_wrongly_is_told_with_what_to_do() {
    let home = Home::new();
    let postgres = Postgres::shared().create().await;
    let create = ["connection", "create", "--tenant", "Ann"];
    for (variable, value, told) in [
        ("NEXPURA_PUBLIC_URL", "http://relay.example", "https"),
        ("NEXPURA_PUBLIC_URL", "nonsense", "NEXPURA_PUBLIC_URL"),
        ("NEXPURA_PUBLIC_URL", "https://relay.example/nexpura", "without a path"),
        ("NEXPURA_PUBLIC_URL", "https://relay.example/?of=ann", "without a path"),
        ("NEXPURA_DATABASE_URL", "mysql://x/y", "sqlite:// or postgres://"),
        ("NEXPURA_DATABASE_URL", "postgres://x:secretly@127.0.0.1:1/y", "NEXPURA_DATABASE_URL"),
        ("NEXPURA_DATABASE_URL", "sqlite:///no/such/folder/n.db", "NEXPURA_DATABASE_URL"),
        ("NEXPURA_DATABASE_URL", postgres.as_str(), "NEXPURA_MASTER_KEY"),
        ("NEXPURA_MASTER_KEY", "short", "32 bytes in base64"),
        ("NEXPURA_LISTEN", "here", "NEXPURA_LISTEN"),
        ("NEXPURA_ALLOW_PRIVATE_STORES", "everything", "NEXPURA_ALLOW_PRIVATE_STORES"),
    ] {
        let said = home.refused(&create, &[(variable, value)]);
        let named =
            told == variable && said.contains(&variable[8..].to_lowercase().replace('_', "-"));
        assert!(said.contains(told) || named, "{variable}={value}: {said}");
        assert!(!said.contains("secretly") && !said.contains("short"), "{said}");
    }
    // The master key of another relay opens nothing of this one.
    home.run(&create);
    let key = home.folder.path().join("n.db.key");
    assert!(key.exists());
    fs::remove_file(&key).unwrap();
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = busy.local_addr().unwrap().to_string();
    let said = home.refused(&["serve"], &[("NEXPURA_LISTEN", at.as_str())]);
    assert!(said.contains("is another relay running there"), "{said}");
}

#[test]
fn the_doctor_says_what_is_wrong() {
    let home = Home::new();
    let doctor = |set: &[(&str, &str)]| {
        let done = home.command(&["doctor", "--json"]).envs(set.iter().copied()).output().unwrap();
        let told: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(told["ok"].as_bool().unwrap(), done.status.success(), "{told}");
        told
    };
    let finding = |told: &Value, what: &str| {
        let findings = told["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["what"] == what);
        let found = found.unwrap_or_else(|| panic!("nothing about {what}: {told}"));
        (found["ok"].as_bool().unwrap(), found["detail"].as_str().unwrap().to_owned())
    };
    let (ok, detail) = finding(&doctor(&[]), "database");
    assert!(!ok && detail.contains("migrate"), "{detail}");
    home.run(&["migrate"]);
    assert_eq!(doctor(&[])["ok"], true);
    let hasty = doctor(&[("NEXPURA_SETTLE_SECONDS", "2")]);
    assert!(!finding(&hasty, "settled reading").0);
    let open = doctor(&[("NEXPURA_PUBLIC_URL", "http://relay.example")]);
    assert!(finding(&open, "public address").1.contains("https"));
    let words = home.run(&["doctor"]);
    assert!(String::from_utf8(words.stdout).unwrap().contains("ok   database: "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_in_hand_is_answered_before_the_end() {
    let home = Home::new();
    let connection = home.connection(&[]);
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 3);
    let (order, _) = shop.paid_order(&[(ring, 1)]);
    let fake = Town::open().await.shop(shop);
    let mut serving = Serving::start(&home, &[]);
    say(&serving, &connection, "/v1/connect", &hello(&fake)).await.ok();

    // Half of a push is on its way when the relay is told to stop.
    let body = push_of(&fake, order, false).to_string();
    let signer = Signer::new([connection.secret()]).unwrap();
    let headers = signer.sign("msg_1", chrono::Utc::now().timestamp(), body.as_bytes());
    let head = format!(
        "POST /v1/push HTTP/1.1\r\nhost: relay\r\ncontent-length: {}\r\nnexpura-connection: {}\r\n\
         webhook-id: {}\r\nwebhook-timestamp: {}\r\nwebhook-signature: {}\r\n\r\n",
        body.len(),
        connection.id(),
        headers.id,
        headers.timestamp,
        headers.signature,
    );
    let mut stream = TcpStream::connect(serving.address).unwrap();
    let (first, second) = body.split_at(body.len() / 2);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(first.as_bytes()).unwrap();
    stream.flush().unwrap();
    // It has the request in hand once it has answered another one that came later.
    Api::new(serving.address).get("/healthz", "").await;
    serving.terminate();
    until("no new connection is taken", || async {
        TcpStream::connect(serving.address).is_err().then_some(())
    })
    .await;
    stream.write_all(second.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("\"applied\""), "{answer}");
    serving.ended();

    let db = home.db().await;
    let sales = database::number(&db, "SELECT COUNT(*) FROM sales").await;
    assert_eq!(sales, 1, "what was answered is kept");
    assert_eq!(database::number(&db, "SELECT COUNT(*) FROM inbox").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_in_hand_is_ended_before_the_end() {
    let home = Home::new();
    let connection = home.connection(&[]);
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 3);
    let fake = Town::open().await.shop(shop);
    let mut serving = Serving::start(&home, &[]);
    say(&serving, &connection, "/v1/connect", &hello(&fake)).await.ok();
    let order = fake.shop().paid_order(&[(ring, 1)]).0;
    let process = serving.child.id();
    let address = serving.address;
    fake.interrupt(&format!("wc/v3/orders/{order}"), move || async move {
        terminate(process);
        until("it stops listening", || async {
            TcpStream::connect(address).is_err().then_some(())
        })
        .await;
    });
    say(&serving, &connection, "/v1/push", &push_of(&fake, order, true)).await.ok();
    let ended = tokio::task::spawn_blocking(move || serving.ended());
    ended.await.unwrap();
    assert_eq!(fake.interruptions_left(), 0);
    let db = home.db().await;
    let kept = "SELECT COUNT(*) FROM inbox WHERE status = 'applied'";
    assert_eq!(database::number(&db, kept).await, 1);
    assert_eq!(database::number(&db, "SELECT COUNT(*) FROM sales").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_are_json_without_secrets_and_people() {
    let home = Home::new();
    let connection = home.connection(&[]);
    let token = home.json(&["token", "create", "--tenant", "Ann"]);
    let token = token["token"].as_str().unwrap();
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 3);
    let (order, _) = shop.paid_order(&[(ring, 1)]);
    shop.orders.get_mut(&order).unwrap().email = "secretly@example.test".to_owned();
    let fake = Town::open().await.shop(shop);
    let set = [
        ("RUST_LOG", "debug"),
        ("NEXPURA_MASTER_KEY", MASTER_KEY),
        ("NEXPURA_SETTLE_SECONDS", "1"),
    ];
    // Sealed under the key file of the commands above: this relay has another one.
    fs::write(home.folder.path().join("n.db.key"), MASTER_KEY).unwrap();
    let home_key = home.connection(&[]);
    let mut serving = Serving::start(&home, &set);
    let other = say(&serving, &connection, "/v1/connect", &hello(&fake)).await;
    assert_eq!(other.status, 500, "its secret was sealed under another key: {}", other.body);
    assert!(!other.body.contains("key"), "{}", other.body);
    say(&serving, &home_key, "/v1/connect", &hello(&fake)).await.ok();
    say(&serving, &home_key, "/v1/push", &push_of(&fake, order, false)).await.ok();
    say(&serving, &home_key, "/v1/push", &push_of(&fake, order, true)).await.ok();
    let api = Api::new(serving.address);
    until("the shop is swept", || async {
        let list = api.get("/api/inventory?sku=RING", token).await.ok();
        (list["items"][0]["sku"] == "RING").then_some(())
    })
    .await;
    assert_eq!(api.get("/readyz", "").await.body, "ready\n");
    let metrics = api.get("/metrics", "").await.body;
    assert!(metrics.contains("nexpura_requests_total{route=\"/v1/push\""), "{metrics}");
    assert!(metrics.contains("nexpura_events_total{status=\"applied\"} 1"), "{metrics}");
    serving.terminate();
    serving.ended();
    let log = serving.log.lock().unwrap().clone();
    assert!(log.contains("asked the store"), "{log}");
    let secret = secrecy::ExposeSecret::expose_secret(home_key.secret());
    for hidden in [CONSUMER_SECRET, CONSUMER_KEY, secret, token, MASTER_KEY, "secretly@", "1 St"] {
        let line = log.lines().find(|line| line.contains(hidden));
        assert!(line.is_none(), "{hidden} is in the log: {line:?}");
    }
    for line in log.lines() {
        serde_json::from_str::<Value>(line).expect("a line of JSON");
    }
}
