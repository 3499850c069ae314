//! A PHP process that forks after it has captured: connections, marks, locks and threads stay the parent's.

use std::io::{BufRead, BufReader};

use nexpura_agent::now_ms;
use nexpura_protocol::Batch;
use serde_json::json;

use crate::{
    agent::{relay::Relay, until},
    support::Site,
};

#[test]
fn a_child_begins_anew_and_both_go_on() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    let told = site.run("fork/fork.php");
    let child = &told["child"];
    assert_eq!(child["marks"], json!([]), "the parent's marks are the parent's to capture");
    assert_eq!(child["sender_seen"], "thread", "the lock is still the parent's");
    assert_eq!(
        child["threads"], 1,
        "the parent's thread did not come along, and no second one starts"
    );
    assert_eq!(child["captured"], true);
    assert_eq!(told["parent"]["marks"], 1);
    assert_eq!(
        told["parent"]["sender"], "thread",
        "the child's end gave up no lock of the parent's"
    );
    assert_eq!(told["parent"]["unsent"], 0);
    until("the relay has all four", || {
        let mut ids: Vec<u64> = relay
            .loaded()
            .iter()
            .flat_map(|push| push.batch.events.iter().map(|event| event.resource_id))
            .collect();
        ids.sort_unstable();
        ids == [1, 2, 3, 4]
    });
}

#[test]
fn a_child_that_outlives_its_parent_takes_the_sending_over() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    // The parent ends by SIGKILL; what is printed is the child's.
    let output = site.php("fork/orphan.php").output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!output.status.success());
    assert_eq!(told["sender"], "thread");
    assert!(told["threads"].as_u64().unwrap() >= 2, "a thread of its own: {told}");
    until("the relay has both", || {
        // The parent may have been killed between the relay's answer and its own note of it.
        let mut seqs = relay.seqs();
        seqs.dedup();
        seqs == [1, 2]
    });
}

#[test]
fn a_child_locks_the_spool_itself_so_that_nobody_clears_its_log_away() {
    let site = Site::alone();
    let go = site.directory.path().join("go");
    let mut php = site.php_with("fork/locks.php", &["nexpura.sender=off"]);
    let mut child = php.arg(&go).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert_eq!(lines.next().as_deref(), Some("ready"));
    child.wait().unwrap();
    // The parent is gone. Whoever closes a database last clears SQLite's log away, unless others hold
    // locks; a child that went on with its parent's connection would hold none.
    let other = rusqlite::Connection::open(site.spool().path()).unwrap();
    let unsent = |database: &rusqlite::Connection| -> i64 {
        database.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(unsent(&other), 1);
    other.close().unwrap();
    std::fs::write(&go, "").unwrap();
    assert_eq!(lines.next().as_deref(), Some("captured"));
    let other = rusqlite::Connection::open(site.spool().path()).unwrap();
    assert_eq!(unsent(&other), 2);
}

#[test]
fn forks_in_the_middle_of_sending_lose_nothing_and_hang_nobody() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    let told = site.run("fork/storm.php");
    assert_eq!(told["failed"], json!([]), "no child hung or crashed");
    // A child of a fork that could not wait for a slow disk is told so, and may not write.
    assert!(told["refused"].as_u64().unwrap() <= 2, "{told}");
    let drained = site.run("fork/drain.php");
    assert_eq!(drained["unsent"], 0, "{drained}");
    let mut seqs = relay.seqs();
    seqs.sort_unstable();
    seqs.dedup();
    assert_eq!(seqs, (1..=told["captured"].as_u64().unwrap()).collect::<Vec<_>>());
    let left = site.spool().next_push(100, now_ms()).unwrap();
    let batch: Batch = serde_json::from_slice(&left.body).unwrap();
    assert_eq!(batch.state.open_intents, 0);
}
