//! One sender at a time: among processes, among threads, and between a thread and the daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod support;

use std::{
    collections::HashSet,
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::http::StatusCode;
use nexpura_agent::{
    Kind, Timing, now_ms,
    sender::{Ended, elected, thread},
};
use nexpura_protocol::{ConnectionString, event::Verb};
use support::{
    Running, Shop, hurried, order,
    relay::{Relay, Say},
    until,
};

/// A daemon process; killed when the test is over.
struct Daemon(Child);

impl Daemon {
    fn start(shop: &Shop, connection: &ConnectionString) -> Self {
        let child = agent(shop, connection).arg("run").stderr(Stdio::null()).spawn().unwrap();
        Self(child)
    }

    /// Ends it as a crash would.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn terminate(mut self) -> Option<i32> {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn agent(shop: &Shop, connection: &ConnectionString) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nexpura-agent"));
    command
        .env("NEXPURA_CONNECTION", connection.expose())
        .env("NEXPURA_SPOOL_DIR", shop.directory.path());
    command
}

/// Who has pushed events: the relay sees one TCP connection a sender.
fn senders(relay: &Relay) -> HashSet<u16> {
    relay.loaded().iter().map(|push| push.peer.port()).collect()
}

#[test]
fn of_three_daemons_one_sends_and_another_takes_over_when_it_is_killed() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let mut daemons: Vec<_> = (0..3).map(|_| Daemon::start(&shop, &relay.connection())).collect();
    until("one is elected", || elected(shop.path()) == "agent" && !relay.pushes().is_empty());
    for id in 1..=20 {
        shop.capture(order(Verb::Created), id, Some("{}"));
    }
    until("everything is delivered", || shop.unsent() == 0);
    assert_eq!(senders(&relay).len(), 1, "only one of them has sent");

    let mut delivered = 20;
    while daemons.len() > 1 {
        // The elected one says who it is in the lock file.
        let lock = std::fs::read_to_string(nexpura_agent::lock::path_for(shop.path())).unwrap();
        let pid: u32 =
            lock.split(['\0', '\n']).next().unwrap().trim_start_matches("agent ").parse().unwrap();
        let index = daemons.iter().position(|daemon| daemon.0.id() == pid).unwrap();
        daemons.remove(index).kill();
        delivered += 1;
        shop.capture(order(Verb::Created), delivered, Some("{}"));
        until("the next one delivers", || shop.unsent() == 0);
    }
    assert_eq!(relay.seqs(), (1..=22).collect::<Vec<_>>());
    assert_eq!(senders(&relay).len(), 3);
    assert_eq!(daemons.remove(0).terminate(), Some(0), "SIGTERM ends it in order");
    assert_eq!(elected(shop.path()), "none");
}

#[test]
fn a_thread_steps_back_for_the_daemon_and_none_starts_while_it_runs() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let mut timing = hurried();
    // Nothing but the daemon's arrival may wake it.
    timing.heartbeat = Duration::from_secs(3600);
    let running = Running::start(&shop, relay.connection(), Kind::Thread, timing);
    until("the thread is elected", || elected(shop.path()) == "thread");
    let daemon = Daemon::start(&shop, &relay.connection());
    assert_eq!(running.ended(), Ended::SteppedBack);
    until("the daemon is elected", || elected(shop.path()) == "agent");

    thread::ensure(&shop.spool, &relay.connection(), hurried()).unwrap();
    assert_eq!(elected(shop.path()), "agent");
    let second = Running::start(&shop, relay.connection(), Kind::Thread, hurried());
    assert_eq!(second.ended(), Ended::NotElected);
    shop.capture_orders(3);
    until("the daemon delivers", || shop.unsent() == 0);
    assert_eq!(elected(shop.path()), "agent");
    drop(daemon);
}

#[test]
fn a_thread_is_started_where_nobody_sends_and_learns_of_a_new_secret() {
    let (shop, relay) = (Shop::new(), Relay::start());
    shop.capture_orders(1);
    let wrong = relay.connection().expose().replace("whsec_AAEC", "whsec_BBBB");
    let wrong = ConnectionString::parse(&wrong).unwrap();
    thread::ensure(&shop.spool, &wrong, hurried()).unwrap();
    until("it is refused", || shop.last_error().is_some());
    assert_eq!(elected(shop.path()), "thread");
    // The same thread, with what was pasted meanwhile.
    thread::ensure(&shop.spool, &relay.connection(), hurried()).unwrap();
    until("it is delivered", || shop.unsent() == 0);
    thread::stop_all();
    until("it ends", || elected(shop.path()) == "none");
    // And one that has ended is started again.
    shop.capture_orders(1);
    thread::ensure(&shop.spool, &relay.connection(), hurried()).unwrap();
    until("it is delivered", || shop.unsent() == 0);
    thread::stop_all();
}

#[test]
fn a_drain_sends_everything_and_ends_or_says_what_is_left() {
    let (shop, relay) = (Shop::new(), Relay::start());
    shop.capture_orders(230);
    let done = agent(&shop, &relay.connection()).args(["drain", "--json"]).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let status: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(status["unsent"], 0);
    assert_eq!(relay.seqs().len(), 230);

    let address = relay.connection();
    drop(relay);
    shop.capture_orders(2);
    let left = agent(&shop, &address).args(["drain", "--seconds", "1"]).output().unwrap();
    assert!(!left.status.success());
    assert!(String::from_utf8_lossy(&left.stderr).contains("2 events are left"), "{left:?}");
}

#[test]
fn a_drain_beside_an_elected_sender_waits_for_it() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
    until("it is elected", || elected(shop.path()) == "agent");
    shop.capture_orders(50);
    let limit = Duration::from_secs(10);
    let sent = thread::drain(&shop.spool, &relay.connection(), limit, Timing::default()).unwrap();
    assert_eq!((sent, shop.unsent()), (0, 0), "the other one delivered");
    drop(running);
    shop.capture_orders(50);
    let sent = thread::drain(&shop.spool, &relay.connection(), limit, Timing::default()).unwrap();
    assert_eq!((sent, shop.unsent()), (50, 0));
}

#[test]
fn a_drain_has_the_elected_sender_try_again_at_once() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let connection = relay.connection();
    let port = relay.port;
    drop(relay);
    // Whoever has failed for long waits for a minute, which no person at a button does.
    let minute = Duration::from_secs(60);
    let patient = Timing { first_retry: minute, ..Timing::default() };
    let running = Running::start(&shop, connection.clone(), Kind::Thread, patient);
    shop.capture_orders(3);
    until("it has failed", || shop.last_error().is_some());
    let limit = Duration::from_secs(10);
    let failing = thread::drain(&shop.spool, &connection, Duration::from_secs(1), patient).unwrap();
    assert_eq!((failing, shop.unsent()), (0, 3), "the relay is away");
    let relay = Relay::start_on(port);
    let sent = thread::drain(&shop.spool, &connection, limit, patient).unwrap();
    assert_eq!((sent, shop.unsent()), (0, 0), "the elected one delivered");
    assert_eq!(relay.seqs(), [1, 2, 3]);
    assert!(!running.is_over(), "it goes on");
}

#[test]
fn a_drain_does_not_hurry_a_relay_that_asked_to_be_left_alone() {
    let (shop, relay) = (Shop::new(), Relay::start());
    relay.always(|_| {
        let headers = vec![("retry-after", "60".to_owned())];
        Say::Raw(StatusCode::SERVICE_UNAVAILABLE, headers, String::new())
    });
    let running = Running::start(&shop, relay.connection(), Kind::Thread, hurried());
    until("it was put off", || shop.last_error().is_some());
    shop.capture_orders(1);
    let limit = Duration::from_secs(1);
    thread::drain(&shop.spool, &relay.connection(), limit, hurried()).unwrap();
    assert_eq!((relay.pushes().len(), shop.unsent()), (1, 1));
    assert!(!running.is_over());
}

#[test]
fn a_wrong_connection_string_is_refused_with_what_to_do() {
    let shop = Shop::new();
    let told = |text: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_nexpura-agent"))
            .args(["run", "--spool-dir", shop.directory.path().to_str().unwrap()])
            .env("NEXPURA_CONNECTION", text)
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(told("https://relay.example").contains("lacks its connection id"));
    assert!(told("nonsense").contains("must look like"));
    let secret = support::connection(1).expose();
    let damaged = secret.replace("whsec_AAEC", "whsec_A");
    let words = told(&damaged);
    assert!(words.contains("damaged") && !words.contains("whsec_"), "{words}");
    assert_eq!(shop.spool.known(now_ms()).unwrap().last_error, None);
}

#[test]
fn a_relay_on_this_machine_needs_no_certificates_and_another_says_what_is_missing() {
    let (shop, relay) = (Shop::new(), Relay::start());
    shop.capture_orders(1);
    let drain = |connection: &ConnectionString| {
        let mut command = agent(&shop, connection);
        command.args(["drain", "--seconds", "2"]);
        command.env("SSL_CERT_FILE", "/nonexistent").env("SSL_CERT_DIR", "/nonexistent");
        command.output().unwrap()
    };
    let secure = relay.connection().expose().replace("http://", "https://");
    let refused = drain(&ConnectionString::parse(&secure).unwrap());
    assert!(!refused.status.success());
    assert!(shop.last_error().unwrap().contains("install the package ca-certificates"));
    assert!(drain(&relay.connection()).status.success());
    assert_eq!(relay.seqs(), [1]);
}
