//! The sender thread within PHP: when it starts, which signals it takes, and who else may send.

use serde_json::json;

use crate::{
    agent::{
        Running, Shop, hurried,
        relay::{Relay, Say},
        until,
    },
    support::Site,
};
use nexpura_agent::{Kind, sender::elected, spool::RequestId};

#[test]
fn no_thread_before_the_first_capture_and_one_after_it() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    let told = site.run("thread/start.php");
    assert_eq!(told["at_start"], 1, "PHP alone");
    assert_eq!(told["after_open"], 1);
    assert_eq!(told["after_mark"], 1);
    assert_eq!(told["after_empty_finish"], 1);
    assert!(told["after_capture"].as_u64().unwrap() >= 2);
    assert_eq!(told["sender"], "thread");
    assert_eq!(told["unsent"], 0, "it delivers while PHP goes on");
    until("the relay has it", || relay.seqs() == [1]);
}

#[test]
fn every_thread_but_php_s_own_blocks_all_signals() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    let told = site.run("thread/signals.php");
    let threads = told["threads"].as_object().unwrap();
    assert!(!threads.is_empty(), "{told}");
    // All but SIGKILL and SIGSTOP, which cannot be blocked, and the two that glibc keeps for itself.
    let all: u64 = !(1 << 8) & !(1 << 18) & !(1 << 31) & !(1 << 32);
    for (name, blocked) in threads {
        let blocked = u64::from_str_radix(blocked.as_str().unwrap(), 16).unwrap();
        assert_eq!(blocked & all, all, "{name}");
    }
    assert_eq!(told["own"], "0000000000000000", "PHP's own mask is as it was");
    assert_eq!(told["handled_in_php"], true);
}

#[test]
fn php_starts_no_thread_where_it_is_told_not_to_or_a_daemon_sends() {
    let relay = Relay::start();
    for mode in ["agent", "off"] {
        let site = Site::connected(&relay.connection());
        let told = site.run_with("thread/start.php", &[&format!("nexpura.sender={mode}")]);
        assert_eq!(
            (&told["after_capture"], &told["sender"]),
            (&json!(1), &json!("none")),
            "{mode}"
        );
        assert_eq!(told["unsent"], 1);
    }
    let site = Site::connected(&relay.connection());
    let shop = Shop {
        directory: tempfile::tempdir().unwrap(),
        spool: site.spool(),
        request: RequestId::random(),
    };
    let daemon = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
    until("the daemon is elected", || elected(shop.path()) == "agent");
    let told = site.run("thread/start.php");
    assert_eq!((&told["after_capture"], &told["sender"]), (&json!(1), &json!("agent")));
    assert_eq!(told["unsent"], 0, "the daemon delivers");
    drop(daemon);
}

#[test]
fn a_relay_that_hangs_delays_neither_a_request_nor_the_end_of_php() {
    let relay = Relay::start();
    relay.always(|_| Say::Silence(std::time::Duration::from_secs(60)));
    let site = Site::connected(&relay.connection());
    let began = std::time::Instant::now();
    let told = site.run("thread/hang.php");
    assert!(relay.pushes().len() == 1, "the sender was in the middle of a push");
    assert_eq!(told["done"], 20);
    assert!(told["slowest_milliseconds"].as_f64().unwrap() < 2_000.0, "{told}");
    assert!(began.elapsed() < std::time::Duration::from_secs(20));
    assert_eq!(site.spool().summary(nexpura_agent::now_ms()).unwrap().unsent, 21);
}

#[test]
fn php_cannot_unload_the_library_under_a_running_thread() {
    let library = crate::support::extension();
    let told = std::process::Command::new("readelf").arg("-d").arg(library).output().unwrap();
    assert!(String::from_utf8_lossy(&told.stdout).contains("NODELETE"));
}
