//! What an operator does with a store on the command line: connecting it, bringing over, comparing, pushing.

use std::{collections::BTreeSet, fs, process::Output};

use nexpura_relay::{
    domain::Sku,
    service::{
        Relay,
        adjust::{self, Kind},
    },
    store::{self, tenants},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::program::Home;
use crate::{
    shop::{
        Shop, Stock,
        server::{CONSUMER_KEY, CONSUMER_SECRET, FakeShop, Town},
    },
    support::{
        database,
        relay::{MASTER_KEY, config},
    },
};

const SET: [(&str, &str); 2] =
    [("NEXPURA_MASTER_KEY", MASTER_KEY), ("NEXPURA_SETTLE_SECONDS", "1")];

/// Runs a command on the ledger of this folder, where a stock is settled after a second.
fn run(home: &Home, words: &[&str], secret: &str) -> Output {
    home.command(words).envs(SET).env("NEXPURA_CONSUMER_SECRET", secret).output().unwrap()
}

/// What it prints, which must be one document of JSON, and whether it succeeded.
fn told(home: &Home, words: &[&str]) -> (Value, bool) {
    let done = run(home, &[words, &["--json"]].concat(), CONSUMER_SECRET);
    let told = serde_json::from_slice(&done.stdout)
        .unwrap_or_else(|_| panic!("{words:?}: {}", String::from_utf8_lossy(&done.stderr)));
    (told, done.status.success())
}

/// The same of a command that must succeed.
fn json_of(home: &Home, words: &[&str]) -> Value {
    let (told, success) = told(home, words);
    assert!(success, "{words:?}: {told}");
    told
}

fn words_of(home: &Home, words: &[&str]) -> String {
    let done = run(home, words, CONSUMER_SECRET);
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn connecting<'a>(fake: &'a FakeShop, key: &'a str) -> [&'a str; 8] {
    ["store", "connect", "--tenant", "Ann", "--store-url", &fake.home, "--consumer-key", key]
}

/// Kind, synced, unchanged, skipped and failed of a run's report.
fn counts(told: &Value) -> (&str, [i64; 4]) {
    let run = &told["run"];
    assert!(!run["finished_at"].is_null(), "{told}");
    let count = |name: &str| run[name].as_i64().unwrap_or_else(|| panic!("{name}: {told}"));
    let counted = ["synced", "unchanged", "skipped", "failed"].map(count);
    (run["kind"].as_str().unwrap(), counted)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_connected_on_the_command_line_or_nothing_is_kept() {
    let home = Home::new();
    let mut shop = Shop::new();
    shop.bare = true;
    let fake = Town::open().await.shop(shop);
    let stores = "SELECT COUNT(*) FROM integrations";

    let unknown = format!("ck_{}", "0".repeat(40));
    let wrong = run(&home, &connecting(&fake, &unknown), CONSUMER_SECRET);
    assert!(!wrong.status.success());
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(said.contains("Invalid API credentials") && !said.contains(CONSUMER_SECRET), "{said}");
    assert_eq!(database::number(&home.db().await, stores).await, 0);

    let done = json_of(&home, &connecting(&fake, CONSUMER_KEY));
    assert_eq!((&done["mode"], &done["writable"]), (&json!("sweep"), &json!(true)), "{done}");
    let id = done["id"].as_str().unwrap();
    // The same store again, its secret from a file, which goes before the environment's.
    let file = home.folder.path().join("secret");
    fs::write(&file, format!("{CONSUMER_SECRET}\n")).unwrap();
    let from_file = ["--consumer-secret-file", file.to_str().unwrap()];
    let again = run(
        &home,
        &[&connecting(&fake, CONSUMER_KEY)[..], &from_file, &["--json"]].concat(),
        "cs_damaged",
    );
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["id"], id, "{again}");
    assert_eq!(database::number(&home.db().await, stores).await, 1);
    let list = json_of(&home, &["store", "list", "--tenant", "Ann"]);
    assert_eq!(
        (&list["items"][0]["id"], &list["items"][0]["status"]),
        (&done["id"], &json!("connected"))
    );
    assert!(words_of(&home, &["store", "list", "--tenant", "Ann"]).contains("connected by sweep"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_brought_over_on_the_command_line_and_each_run_reports() {
    let home = Home::new();
    let mut shop = Shop::new();
    shop.bare = true;
    let ring = shop.simple("RING", 9);
    shop.simple("CHAIN", 4);
    shop.product(None, "simple", None, Stock::Own(2));
    shop.customer("ana@example.test", "Ana");
    let (order, _) = shop.paid_order(&[(ring, 1)]);
    let fake = Town::open().await.shop(shop);
    json_of(&home, &connecting(&fake, CONSUMER_KEY));
    let sync = |kind| ["sync", kind, "--store", &*fake.home];

    let products = json_of(&home, &sync("products"));
    assert_eq!(counts(&products), ("products", [2, 0, 1, 0]), "{products}");
    let findings = products["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{products}");
    assert_eq!(findings[0]["outcome"], "skipped");
    assert!(findings[0]["reason"].as_str().unwrap().contains("SKU"), "{products}");
    let again = words_of(&home, &sync("products"));
    assert!(again.starts_with("Synced 0 items, 2 unchanged, 1 skipped, 0 failed.\n"), "{again}");
    assert!(again.lines().nth(1).is_some_and(|line| line.contains("skipped, ")), "{again}");
    assert_eq!(counts(&json_of(&home, &sync("customers"))), ("customers", [1, 0, 0, 0]));

    // What fails is reported, and the command says so by its status.
    fake.damage_order(order);
    let (orders, success) = told(&home, &sync("orders"));
    assert_eq!(counts(&orders), ("orders", [0, 0, 0, 1]), "{orders}");
    assert!(!success);
    fake.repair();
    assert_eq!(counts(&json_of(&home, &sync("orders"))), ("orders", [1, 0, 0, 0]));
    let db = home.db().await;
    assert_eq!(database::number(&db, "SELECT COUNT(*) FROM sales").await, 1);
    assert_eq!(database::number(&db, "SELECT COUNT(*) FROM customer_accounts").await, 1);

    for nowhere in [["sync", "orders"], ["sync", "inventory"]] {
        let done = run(&home, &[&nowhere[..], &["--store", "http://127.0.0.1:9/"]].concat(), "");
        assert!(!done.status.success());
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(said.contains("no store at http://127.0.0.1:9"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_shows_how_far_an_import_is_and_a_file_only_what_it_came_to() {
    let home = Home::new();
    let mut shop = Shop::new();
    shop.bare = true;
    for piece in 0..550 {
        shop.simple(&format!("RING-{piece}"), 1);
    }
    let fake = Town::open().await.shop(shop);
    json_of(&home, &connecting(&fake, CONSUMER_KEY));
    let sync = ["sync", "products", "--store", &*fake.home];

    // Its own screen, and nobody else who does the work meanwhile.
    let done = home.in_a_terminal(&sync).envs(SET).output().unwrap();
    let screen = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{screen}");
    let told: BTreeSet<u32> = screen
        .split_whitespace()
        .filter_map(|word| word.strip_suffix("/550")?.parse().ok())
        .filter(|seen| (1..550).contains(seen))
        .collect();
    assert!(told.len() >= 2, "{told:?} of 550 were told while they came: {screen}");
    assert!(screen.contains("Synced 550 items, 0 unchanged, 0 skipped, 0 failed."), "{screen}");

    let again = words_of(&home, &sync);
    assert_eq!(again, "Synced 0 items, 550 unchanged, 0 skipped, 0 failed.\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_is_shown_before_it_is_done_and_a_comparison_counts_the_stock() {
    let home = Home::new();
    let mut shop = Shop::new();
    shop.bare = true;
    let ring = shop.simple("RING", 9);
    let fake = Town::open().await.shop(shop);
    json_of(&home, &connecting(&fake, CONSUMER_KEY));
    let reconcile = ["reconcile", "--store", &*fake.home];
    let open = "SELECT COUNT(*) FROM listings WHERE state = 'open'";
    let db = home.db().await;
    for _ in 0..5 {
        assert_eq!(counts(&json_of(&home, &reconcile)).0, "reconcile");
        if database::number(&db, open).await == 1 {
            break;
        }
    }
    assert_eq!(database::number(&db, open).await, 1, "the stock is counted");

    let push = ["sync", "inventory", "--store", &*fake.home];
    let looking = [&push[..], &["--dry-run"]].concat();
    assert_eq!(json_of(&home, &looking), json!({ "changes": [] }));
    assert_eq!(words_of(&home, &looking), "Nothing would change.\n");

    sell_by_hand(&home).await;
    let asked = fake.asked().len();
    let changes = json_of(&home, &looking);
    let change = &changes["changes"][0];
    assert_eq!(changes["changes"].as_array().unwrap().len(), 1, "{changes}");
    assert_eq!(
        [&change["sku"], &change["shop"], &change["ledger"]],
        ["RING", "9", "7"],
        "{changes}"
    );
    assert_eq!(words_of(&home, &looking), "RING: 9 -> 7\n");
    assert_eq!(fake.asked().len(), asked, "looking asks the shop for nothing");
    assert_eq!(fake.shop().units(ring), Some(9));

    assert_eq!(counts(&json_of(&home, &push)).0, "inventory");
    assert_eq!(fake.shop().units(ring), Some(7), "and the push does what was shown");
    assert_eq!(words_of(&home, &looking), "Nothing would change.\n");
}

/// Takes two rings from the ledger while no relay serves, so that nothing is pushed by itself.
async fn sell_by_hand(home: &Home) {
    let relay = Relay::open(config(&home.database())).await.unwrap();
    let mut tx = relay.db.write().await.unwrap();
    let tenant = tenants::find(&mut tx, "Ann").await.unwrap().expect("Ann");
    drop(tx);
    let request = adjust::Request {
        kind: Kind::Adjustment,
        quantity_change: json!("-2"),
        notes: "by hand".to_owned(),
    };
    let sku = Sku::parse("RING").unwrap();
    adjust::adjust(&relay, tenant, Uuid::new_v4(), &sku, &request, store::now()).await.unwrap();
    relay.db.close().await;
}
