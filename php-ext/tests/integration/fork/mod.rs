//! A PHP process that forks after it has captured: connections, marks, locks and threads stay the parent's.

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
    until("the relay has both", || relay.seqs() == [1, 2]);
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
