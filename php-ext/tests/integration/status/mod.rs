//! `nexpura_open` and `nexpura_status`: what an admin is told.

use serde_json::{Value, json};

use crate::{
    agent::{relay::Relay, until},
    support::Site,
};

#[test]
fn a_wrong_connection_string_says_what_to_do() {
    let told = Site::alone().run("status/open.php");
    let words = |key: &str| told[key].as_str().unwrap().to_owned();
    assert!(words("empty").contains("paste the one"));
    assert!(words("nonsense").contains("must look like"));
    assert!(words("insecure").contains("https://"));
    assert!(words("no secret").contains("lacks its secret"));
    assert!(words("damaged").contains("damaged"));
    assert_eq!(told["fine"], Value::Null);
    assert_eq!(told["kept"], true, "a wrong one does not undo a right one");
}

#[test]
fn the_status_has_every_key_with_and_without_a_connection() {
    let keys = [
        "version",
        "connection_id",
        "relay",
        "spool",
        "unsent",
        "oldest_unsent_at",
        "open_intents",
        "bytes",
        "max_bytes",
        "writable",
        "sender",
        "last_sent_at",
        "last_error",
        "clock_offset",
    ];
    let told = Site::alone().run("status/keys.php");
    assert_eq!(told["without"].as_array().unwrap(), keys.map(Value::from).as_slice());
    assert_eq!(told["with"], told["without"]);
    assert!(told["missing"].as_str().unwrap().contains("no connection string"));
}

#[test]
fn the_status_follows_an_event_from_the_spool_to_the_relay() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    let told = site.run_with("status/life.php", &["nexpura.sender=off"]);
    let (before, after) = (&told["before"], &told["after"]);
    assert_eq!((&before["unsent"], &before["sender"]), (&json!(2), &json!("none")));
    assert_eq!(before["oldest_unsent_at"], told["now"]);
    assert_eq!(before["last_sent_at"], Value::Null);
    assert_eq!(before["writable"], true);
    assert!(before["bytes"].as_u64().unwrap() > 0);
    assert_eq!(after["unsent"], 0);
    assert_eq!((&after["oldest_unsent_at"], &after["last_error"]), (&Value::Null, &Value::Null));
    assert!(after["last_sent_at"].as_i64() >= told["now"].as_i64());
    assert_eq!(after["sent"], 2);
    until("the relay has both", || relay.seqs() == [1, 2]);
}

#[test]
fn what_waits_is_told_by_its_kind_until_the_relay_has_it() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    let told = site.run_with("status/waiting.php", &["nexpura.sender=off"]);
    assert_eq!(told["before"], json!([]), "without a connection nothing waits");
    assert_eq!(told["orders"], json!([84]));
    assert_eq!(told["products"], json!([7]));
    assert_eq!(told["odd"], json!([[], [], []]));
    assert_eq!(told["after"], json!([]));
}
