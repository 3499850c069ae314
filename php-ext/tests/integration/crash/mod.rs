//! PHP killed at any moment, and a disk that takes nothing: the shop goes on, and nothing captured is lost.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Child, Command},
};

use nexpura_agent::{now_ms, process::Identity};
use nexpura_protocol::{Batch, event::Verb};
use serde_json::{Value, json};

use crate::{
    agent::{Running, Shop, hurried, order, relay::Relay, until},
    support::{Site, fpm::Fpm},
};
use nexpura_agent::{Kind, spool::RequestId};

/// Starts a script and reads its output line by line.
fn start(mut command: Command) -> (Child, impl Iterator<Item = String>) {
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    (child, lines)
}

/// A shop whose spool is that of the site.
fn shop(site: &Site) -> Shop {
    let directory = tempfile::tempdir().unwrap();
    Shop { directory, spool: site.spool(), request: RequestId::random() }
}

#[test]
fn a_process_killed_between_mark_and_capture_leaves_a_touch() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    let (mut child, mut lines) = start(site.php("crash/marked.php"));
    assert_eq!(lines.next().as_deref(), Some("marked"));
    let shop = shop(&site);
    assert_eq!(
        shop.spool.summary(now_ms()).unwrap().open_intents,
        1,
        "it is written before anything else"
    );
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
    until("the relay knows that something is open", || {
        relay.pushes().iter().any(|push| push.batch.state.open_intents == 1)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    until("the relay is told to fetch it", || {
        relay.loaded().iter().any(|push| {
            let event = &push.batch.events[0];
            event.topic == order(Verb::Created) && event.resource_id == 84 && event.is_touch()
        })
    });
    until("nothing is open any more", || {
        shop.spool.summary(now_ms()).unwrap().open_intents == 0 && shop.unsent() == 0
    });
}

#[test]
fn whatever_a_killed_process_reported_as_captured_is_in_the_spool() {
    let site = Site::alone();
    let mut reported = BTreeSet::new();
    for round in 0..15 {
        let mut command = site.php_with("crash/busy.php", &["nexpura.sender=off"]);
        command.arg(round.to_string());
        let (mut child, lines) = start(command);
        for (count, line) in lines.enumerate() {
            // Each round ends at another moment; what is still in the pipe was reported, too.
            if count == 3 + round * 7 {
                child.kill().unwrap();
            }
            reported.insert(line.parse::<u64>().unwrap());
        }
        child.wait().unwrap();
    }
    let spool = site.spool();
    let (mut kept, mut last) = (BTreeSet::new(), 0);
    loop {
        let push = spool.next_push(100, now_ms()).unwrap();
        let batch: Batch = serde_json::from_slice(&push.body).unwrap();
        if batch.events.is_empty() {
            break;
        }
        for event in &batch.events {
            assert_eq!(event.seq, last + 1, "no number is missing or given twice");
            last = event.seq;
            kept.insert(event.resource_id);
        }
        let sent: Vec<_> = push.events.iter().map(|(seq, id)| (*seq, id.as_str())).collect();
        spool.settle(&sent, now_ms()).unwrap();
    }
    let lost: Vec<_> = reported.difference(&kept).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(reported.len() > 500);
    // What was marked and not captured when they died is touched once each.
    let open = spool.summary(now_ms()).unwrap().open_intents;
    assert!(open <= 15);
    spool.touch_abandoned(30_000, now_ms(), Identity::life).unwrap();
    assert_eq!(spool.summary(now_ms()).unwrap().open_intents, 0);
}

#[test]
fn a_full_disk_disturbs_nobody_and_is_shown() {
    let site = Site::alone();
    let script = crate::support::script("crash/full.php");
    let php = site.php("crash/full.php");
    // No file may grow past 100 KiB; PHP ignores the signal for that, as it would see a full disk.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 200; exec \"$@\"", "sh"]);
    command.arg(php.get_program()).args(php.get_args());
    for (name, value) in php.get_envs() {
        command.env(name, value.unwrap());
    }
    let told = crate::support::printed(&command.output().unwrap());
    assert!(script.exists());
    assert_eq!(told["went_on"], true);
    let captured = told["captured"].as_u64().unwrap();
    assert!(captured > 0 && captured < 50, "{told}");
    assert_eq!(told["writable"], false, "{told}");
    assert!(told["last_error"].as_str().unwrap().contains("full"), "{told}");
    // With room again, what was captured is there, and capturing goes on.
    let after = site.run("crash/room.php");
    assert_eq!(after["unsent"].as_u64(), Some(captured + 1));
    assert_eq!((&after["captured"], &after["writable"]), (&json!(true), &json!(true)));
}

#[test]
fn a_spool_that_may_not_be_written_disturbs_nobody_and_is_shown() {
    let site = Site::alone();
    // A file where the directory should be: nobody can write there, root included.
    std::fs::write(site.spool_dir(), "").unwrap();
    let told = site.run("crash/unwritable.php");
    assert_eq!(told["mark"], false);
    assert_eq!(told["marks"], json!([{"resource": "order", "id": 84, "verb": "created"}]));
    assert_eq!(told["capture"], false);
    assert_eq!(told["finish"], false, "the touch could not be written either");
    assert_eq!(told["status"]["writable"], false);
    assert_eq!(told["status"]["sender"], "none");
    assert!(told["status"]["last_error"].as_str().unwrap().contains("is not a directory"));
    assert_eq!(told["drain"]["sent"], 0);
}

#[test]
fn what_one_request_could_not_write_a_later_one_in_its_worker_does() {
    let site = Site::alone();
    // As above; then the directory can be made.
    std::fs::write(site.spool_dir(), "").unwrap();
    let fpm = Fpm::start(&site, "pm = static\npm.max_children = 1");
    let first = fpm.get("crash/later.php", "mark=1");
    assert_eq!((&first["mark"], &first["finish"]), (&json!(false), &json!(false)));
    std::fs::remove_file(site.spool_dir()).unwrap();
    fpm.get("crash/later.php", "");
    let spool = site.spool();
    until("the order is touched", || {
        let push = spool.next_push(100, now_ms()).unwrap();
        let batch: Batch = serde_json::from_slice(&push.body).unwrap();
        batch.events.iter().any(|event| event.resource_id == 84 && event.is_touch())
    });
}

#[test]
fn a_busy_spool_costs_a_request_one_short_wait() {
    let site = Site::alone();
    let shop = shop(&site);
    shop.capture_orders(1);
    let other = rusqlite::Connection::open(shop.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let told = site.run("crash/busy_spool.php");
    assert_eq!(told["marked"], 0);
    assert_eq!(told["known"], 30, "they can still be captured");
    let waited = told["milliseconds"].as_f64().unwrap();
    assert!(waited < 500.0, "thirty marks took {waited} ms");
    let Value::Number(_) = told["milliseconds"] else { panic!("{told}") };
}
