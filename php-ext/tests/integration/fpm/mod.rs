//! Under PHP-FPM: threads after the fork, election among workers, workers that are killed, heartbeats.

use std::{
    collections::HashSet,
    process::Command,
    time::{Duration, Instant},
};

use nexpura_agent::{now_ms, sender::elected};
use serde_json::Value;

use crate::{
    agent::{relay::Relay, until},
    support::{Site, fpm::Fpm},
};

const STATIC: &str = "pm = static\npm.max_children = 4";

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key}: {value}"))
}

/// One capture of this order; answers what the worker said of itself.
fn capture(fpm: &Fpm, id: u64) -> Value {
    let told = fpm.get("fpm/capture.php", &format!("id={id}"));
    assert_eq!(told["captured"], true, "{told}");
    told
}

/// Threads of a process.
fn threads(pid: u64) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

fn kill(signal: &str, pid: u64) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// The workers of this FPM that run a thread of ours.
fn workers_with_threads(fpm: &Fpm) -> Vec<u64> {
    let children = format!("/proc/{0}/task/{0}/children", fpm.master_pid());
    std::fs::read_to_string(children)
        .unwrap()
        .split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .filter(|pid| threads(*pid) > 1)
        .collect()
}

#[test]
fn one_worker_sends_for_all_and_no_thread_starts_before_a_capture() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    let fpm = Fpm::start(&site, STATIC);
    for _ in 0..8 {
        let told = fpm.get("fpm/visit.php", "");
        assert_eq!(number(&told, "threads"), 1, "a visit starts nothing");
    }
    assert_eq!(threads(fpm.master_pid().into()), 1, "nor does the master");
    let mut workers = HashSet::new();
    let mut id = 0;
    until("every worker has captured something", || {
        id += 1;
        workers.insert(number(&capture(&fpm, id), "pid"));
        workers.len() == 4
    });
    until("everything is delivered", || relay.seqs().len() as u64 == id);
    assert_eq!(relay.seqs(), (1..=id).collect::<Vec<_>>());
    assert_eq!(workers_with_threads(&fpm).len(), 1, "only the elected one keeps a thread");
    let peers: HashSet<_> = relay.loaded().iter().map(|push| push.peer).collect();
    assert_eq!(peers.len(), 1, "one sender, one connection");
    assert_eq!(elected(site.spool().path()), "thread");
}

#[test]
fn when_the_elected_worker_is_killed_another_takes_over_at_its_next_request() {
    for signal in ["-KILL", "-TERM", "-QUIT"] {
        let relay = Relay::start();
        let site = Site::connected(&relay.connection());
        let fpm = Fpm::start(&site, STATIC);
        capture(&fpm, 1);
        until("the first is delivered", || relay.seqs() == [1]);
        let first = workers_with_threads(&fpm);
        assert_eq!(first.len(), 1);
        kill(signal, first[0]);
        until("its lock is free", || elected(site.spool().path()) == "none");
        let killed = Instant::now();
        capture(&fpm, 2);
        // The first may come again: it was killed perhaps before it had read the answer.
        until("the second is delivered", || relay.seqs().contains(&2));
        assert!(killed.elapsed() < Duration::from_secs(10));
        assert_ne!(workers_with_threads(&fpm), first, "{signal}");
    }
}

#[test]
fn workers_killed_in_the_middle_of_requests_lose_nothing_they_had_marked() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    let fpm = Fpm::start(&site, STATIC);
    // Making the spool takes a moment, in which others would not wait for it.
    capture(&fpm, 98);
    let marked: Vec<u64> = (1..=8).collect();
    std::thread::scope(|scope| {
        for id in &marked {
            // The script marks, kills its own worker and never comes to its capture.
            let fpm = &fpm;
            scope.spawn(move || {
                assert_eq!(fpm.try_get("fpm/killed.php", &format!("id={id}")), None)
            });
        }
    });
    // Any later request starts a sender, which finds their processes dead.
    capture(&fpm, 99);
    until("each is touched, and the last one delivered", || {
        let told: HashSet<u64> = relay
            .loaded()
            .iter()
            .flat_map(|push| push.batch.events.iter().map(|event| event.resource_id))
            .collect();
        marked.iter().chain(&[99]).all(|id| told.contains(id))
    });
    assert_eq!(site.spool().summary(now_ms()).unwrap().open_intents, 0);
}

#[test]
fn the_mark_of_a_worker_that_was_killed_as_it_sent_is_sent_once_anybody_looks() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    // The only worker is the elected one.
    let fpm = Fpm::start(&site, "pm = static\npm.max_children = 1");
    capture(&fpm, 1);
    until("the first is delivered", || relay.seqs().contains(&1));
    assert_eq!(fpm.try_get("fpm/killed.php", "id=2"), None);
    until("its lock is free", || elected(site.spool().path()) == "none");
    assert_eq!(site.spool().summary(now_ms()).unwrap().open_intents, 1);
    fpm.get("fpm/visit.php", "");
    until("the order that it had marked is touched", || {
        let loaded = relay.loaded();
        loaded.iter().any(|push| push.batch.events.iter().any(|event| event.resource_id == 2))
    });
}

#[test]
fn idle_workers_that_end_leave_the_spool_whole() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    // Every worker ends after two requests, and idle ones after a second.
    let manager =
        "pm = ondemand\npm.max_children = 3\npm.process_idle_timeout = 1s\npm.max_requests = 2";
    let fpm = Fpm::start(&site, manager);
    let mut pids = HashSet::new();
    for id in 1..=20 {
        pids.insert(number(&capture(&fpm, id), "pid"));
    }
    assert!(pids.len() >= 10, "workers come and go: {}", pids.len());
    until("all idle workers have ended", || workers(&fpm) == 0);
    capture(&fpm, 21);
    until("everything is delivered", || {
        let seqs: HashSet<u64> = relay.seqs().into_iter().collect();
        seqs == (1..=21).collect()
    });
    assert!(relay.pushes().iter().all(|push| push.verified.is_ok()));
}

fn workers(fpm: &Fpm) -> usize {
    let children = format!("/proc/{0}/task/{0}/children", fpm.master_pid());
    std::fs::read_to_string(children).unwrap().split_whitespace().count()
}

#[test]
fn an_idle_shop_reports_every_half_minute_and_costs_no_cpu() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    let fpm = Fpm::start(&site, STATIC);
    capture(&fpm, 1);
    until("it is delivered", || relay.seqs() == [1]);
    let last = relay.pushes().last().unwrap().at;
    let worker = workers_with_threads(&fpm)[0];
    let before = cpu_ticks(worker);
    until("some of the pause passes", || last.elapsed() > Duration::from_secs(15));
    assert!(
        cpu_ticks(worker) - before <= 5,
        "{} ticks in 15 idle seconds",
        cpu_ticks(worker) - before
    );
    until("most of it has passed", || last.elapsed() > Duration::from_secs(28));
    assert_eq!(relay.pushes().len(), 1);
    until("the heartbeat", || relay.pushes().len() == 2);
    let beat = relay.pushes().pop().unwrap();
    assert!(beat.batch.events.is_empty());
    assert!((29..=33).contains(&(beat.at - last).as_secs()), "{:?}", beat.at - last);
}

/// User and system time of a process, in hundredths of a second.
fn cpu_ticks(pid: u64) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn a_request_leaves_nothing_to_the_next_one_in_its_worker() {
    let site = Site::alone();
    let fpm = Fpm::start(&site, "pm = static\npm.max_children = 1");
    let first = fpm.get("fpm/leave.php", "");
    assert_eq!(number(&first, "marks"), 1);
    let second = fpm.get("fpm/look.php", "");
    assert_eq!(first["pid"], second["pid"]);
    assert_eq!(second["before_open"], Value::Null, "not even the connection");
    assert_eq!(number(&second, "marks"), 0);
    assert_eq!(number(&second, "open_intents"), 0);
    assert_eq!(number(&second, "unsent"), 1, "what was left became a touch");
}
