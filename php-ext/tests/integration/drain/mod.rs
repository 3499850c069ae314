//! `nexpura_drain`: for CLI and cron, where nothing else sends.

use std::time::{Duration, Instant};

use crate::{agent::relay::Relay, support::Site};

#[test]
fn a_drain_ends_when_the_spool_is_empty() {
    let relay = Relay::start();
    let site = Site::connected(&relay.connection());
    let told = site.run_with("drain/drain.php", &["nexpura.sender=off"]);
    assert_eq!((told["sent"].as_u64(), told["unsent"].as_u64()), (Some(250), Some(0)));
    assert_eq!(relay.seqs(), (1..=250).collect::<Vec<_>>());
}

#[test]
fn a_drain_of_a_relay_that_is_down_ends_when_its_time_is_up() {
    let site = Site::alone();
    let began = Instant::now();
    let told = site.run_with("drain/drain.php", &["nexpura.sender=off"]);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!((told["sent"].as_u64(), told["unsent"].as_u64()), (Some(0), Some(250)));
    assert!(told["last_error"].as_str().unwrap().contains("cannot be reached"));
}
