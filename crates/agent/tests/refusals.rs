//! The sender against a relay that is down, slow, lying or wrong: nothing is lost, and the admin is told.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod support;

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use nexpura_agent::{Kind, now_ms};
use nexpura_protocol::{Answer, Outcome, Verdict, event::Verb};
use support::{
    Running, Shop, connection, hurried, order,
    relay::{Push, Relay, Say, applied, problem},
    until,
};

#[test]
fn a_relay_that_is_down_and_comes_back_gets_everything_once() {
    let shop = Shop::new();
    let relay = Relay::start();
    let (port, address) = (relay.port, relay.connection());
    drop(relay);
    shop.capture_orders(50);
    let running = Running::start(&shop, address, Kind::Agent, hurried());
    until("the failure is noted", || {
        shop.last_error().is_some_and(|error| error.contains("cannot be reached"))
    });
    assert_eq!(shop.unsent(), 50);
    let relay = Relay::start_on(port);
    until("everything is delivered", || shop.unsent() == 0);
    assert_eq!(relay.seqs(), (1..=50).collect::<Vec<_>>());
    until("the error is over", || shop.last_error().is_none());
    drop(running);
}

#[test]
fn a_failing_relay_is_tried_ever_more_rarely_and_new_events_do_not_hurry_it() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let mut timing = hurried();
    (timing.first_retry, timing.longest_retry) =
        (Duration::from_millis(200), Duration::from_secs(60));
    timing.intent_check = Duration::from_millis(10);
    relay.always(|_| Say::Raw(StatusCode::INTERNAL_SERVER_ERROR, vec![], String::new()));
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, timing);
    let mut id = 0;
    until("five attempts", || {
        id += 1;
        shop.capture(order(Verb::Updated), id, Some("{}"));
        relay.pushes().len() >= 5
    });
    let at: Vec<Instant> = relay.pushes().iter().map(|push| push.at).collect();
    // Each wait is between half of and its full share of 200, 400, 800, 1600 ms.
    for (number, pair) in at.windows(2).enumerate() {
        let least = Duration::from_millis(100 << number);
        assert!(pair[1] - pair[0] >= least, "wait {number} was {:?}", pair[1] - pair[0]);
    }
    assert!(shop.last_error().unwrap().contains("by itself"));
}

#[test]
fn retry_after_is_waited_out() {
    let (shop, relay) = (Shop::new(), Relay::start());
    shop.capture_orders(1);
    relay.say([Say::Raw(
        StatusCode::TOO_MANY_REQUESTS,
        vec![("retry-after", "2".into())],
        String::new(),
    )]);
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
    until("it is delivered", || shop.unsent() == 0);
    let pushes = relay.loaded();
    assert!(pushes[1].at - pushes[0].at >= Duration::from_secs(2));
}

#[test]
fn a_wrong_clock_is_corrected_by_the_relay_s_and_remembered() {
    let (shop, relay) = (Shop::new(), Relay::start());
    relay.run_ahead(7200);
    shop.capture_orders(1);
    let mut timing = hurried();
    timing.first_retry = Duration::from_secs(3600);
    timing.longest_retry = timing.first_retry;
    let running = Running::start(&shop, relay.connection(), Kind::Agent, timing);
    until("it is delivered, without waiting for a retry", || shop.unsent() == 0);
    let pushes = relay.loaded();
    assert!(pushes[0].verified.is_err());
    assert!(pushes[1].verified.is_ok());
    assert_ne!(pushes[0].message_id, pushes[1].message_id);
    let offset = shop.spool.known(now_ms()).unwrap().clock_offset;
    assert!((7195..=7205).contains(&offset), "{offset}");
    drop(running);

    // Another process begins with what the first one learnt.
    let before = relay.pushes().len();
    shop.capture_orders(1);
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, timing);
    until("it is delivered", || shop.unsent() == 0);
    assert!(relay.pushes()[before..].iter().all(|push| push.verified.is_ok()));
}

#[test]
fn a_relay_that_calls_every_time_stale_is_not_asked_without_end() {
    let (shop, relay) = (Shop::new(), Relay::start());
    shop.capture_orders(1);
    relay.always(|_| problem(StatusCode::UNAUTHORIZED, "stale-timestamp", "no"));
    let mut timing = hurried();
    (timing.first_retry, timing.longest_retry) =
        (Duration::from_secs(3600), Duration::from_secs(3600));
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, timing);
    until("it is told", || shop.last_error().is_some_and(|error| error.contains("clock")));
    assert!(relay.pushes().len() <= 2);
    assert_eq!(shop.unsent(), 1);
}

#[test]
fn a_refused_connection_keeps_everything_and_says_what_to_do() {
    for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
        let (shop, relay) = (Shop::new(), Relay::start());
        shop.capture_orders(3);
        relay.always(move |_| problem(status, "unauthorized", "unknown connection"));
        let _running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
        until("several attempts", || relay.pushes().len() >= 3);
        assert_eq!(shop.unsent(), 3);
        assert!(shop.last_error().unwrap().contains("paste its string"));
        relay.always(|_| Say::Applied);
        until("everything is delivered", || shop.unsent() == 0);
    }
}

#[test]
fn a_refused_batch_is_halved_until_the_one_event_is_found_and_the_rest_go_on() {
    for status in [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE] {
        let (shop, relay) = (Shop::new(), Relay::start());
        shop.capture_orders(20);
        relay.always(move |push: &Push| {
            let whole = |id: u64| {
                push.batch.events.iter().any(|event| event.resource_id == id && !event.is_touch())
            };
            if whole(13) { problem(status, "refused", "no thirteen") } else { Say::Applied }
        });
        let _running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
        until("everything is delivered", || shop.unsent() == 0);
        let settled: Vec<_> = relay
            .loaded()
            .into_iter()
            .flat_map(|push| push.batch.events)
            .filter(|event| event.resource_id != 13 || event.is_touch())
            .collect();
        let thirteen: Vec<_> = settled.iter().filter(|event| event.resource_id == 13).collect();
        assert_eq!(thirteen.len(), 1, "the refused event travels as a touch");
        let mut ids: Vec<u64> = settled.iter().map(|event| event.resource_id).collect();
        ids.dedup();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids, (1..=20).collect::<Vec<_>>());
    }
}

#[test]
fn an_event_whose_touch_is_refused_too_stays_and_is_shown() {
    let (shop, relay) = (Shop::new(), Relay::start());
    shop.capture_orders(3);
    relay.always(|push: &Push| match push.batch.events.as_slice() {
        [] => Say::Applied,
        _ => problem(StatusCode::BAD_REQUEST, "refused", "nothing at all"),
    });
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
    until("it is shown", || {
        shop.last_error().is_some_and(|error| error.contains("nothing at all"))
    });
    assert_eq!(shop.unsent(), 3);
    let left = shop.next_push().events;
    assert!(left[0].is_touch(), "the first was reduced");
    assert!(left[1..].iter().all(|event| !event.is_touch()), "the others keep their payloads");
    relay.always(|_| Say::Applied);
    until("everything is delivered", || shop.unsent() == 0);
}

#[test]
fn only_what_was_answered_is_removed_and_never_beyond_the_acknowledgement() {
    let (shop, relay) = (Shop::new(), Relay::start());
    shop.capture_orders(6);
    relay.say([Say::Computed(Box::new(|batch| {
        let mut answer = applied(batch);
        // The second is not answered; of what is answered, only what lies up to 4 is acknowledged.
        answer.results.remove(1);
        answer.results.push(Outcome {
            id: "00000000-0000-0000-0000-000000000000".into(),
            status: Verdict::Applied,
            detail: None,
        });
        answer.ack = 4;
        answer
    }))]);
    relay.always(|_| Say::Raw(StatusCode::SERVICE_UNAVAILABLE, vec![], String::new()));
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
    until("the next attempt", || relay.loaded().len() >= 2);
    let left: Vec<u64> = shop.next_push().events.iter().map(|event| event.seq).collect();
    assert_eq!(left, [2, 5, 6]);
}

#[test]
fn an_answer_that_acknowledges_nothing_removes_nothing_and_is_not_asked_in_a_loop() {
    let (shop, relay) = (Shop::new(), Relay::start());
    shop.capture_orders(2);
    relay.always(|_| {
        Say::Computed(Box::new(|_| Answer { results: vec![], ack: u64::MAX, report_in: None }))
    });
    let mut timing = hurried();
    (timing.first_retry, timing.longest_retry) =
        (Duration::from_secs(3600), Duration::from_secs(3600));
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, timing);
    until("it is told", || shop.last_error().is_some_and(|error| error.contains("acknowledging")));
    assert_eq!((shop.unsent(), relay.loaded().len()), (2, 1));
}

#[test]
fn a_failed_event_is_the_relay_s_to_retry_and_leaves_the_spool() {
    let (shop, relay) = (Shop::new(), Relay::start());
    shop.capture_orders(2);
    relay.always(|_| {
        Say::Computed(Box::new(|batch| {
            let mut answer = applied(batch);
            for outcome in &mut answer.results {
                outcome.status = Verdict::Failed;
            }
            answer
        }))
    });
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
    until("both are gone", || shop.unsent() == 0);
    assert_eq!(relay.loaded().len(), 1);
}

#[test]
fn what_is_no_relay_is_told_and_keeps_everything() {
    type Stranger = fn() -> Say;
    let strangers: [(&str, Stranger); 5] = [
        ("is not a Nexpura relay", || {
            Say::Raw(StatusCode::OK, vec![], "<html>Welcome</html>".into())
        }),
        ("its answer is too long", || {
            Say::Raw(StatusCode::OK, vec![], " ".repeat(2 * 1024 * 1024))
        }),
        ("redirects elsewhere", || {
            let to = ("location", "http://127.0.0.1:1/v1/push".to_owned());
            Say::Raw(StatusCode::TEMPORARY_REDIRECT, vec![to], String::new())
        }),
        ("check the address", || Say::Raw(StatusCode::NOT_FOUND, vec![], String::new())),
        ("has a problem", || Say::Raw(StatusCode::NO_CONTENT, vec![], String::new())),
    ];
    for (words, stranger) in strangers {
        let (shop, relay) = (Shop::new(), Relay::start());
        shop.capture_orders(2);
        relay.always(move |_| stranger());
        let _running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
        until(words, || shop.last_error().is_some_and(|error| error.contains(words)));
        assert_eq!(shop.unsent(), 2);
    }
}

#[test]
fn a_relay_that_never_answers_is_given_up_in_time_and_tried_with_less() {
    let (shop, relay) = (Shop::new(), Relay::start());
    shop.capture_orders(8);
    let mut timing = hurried();
    timing.deadlines.total = Duration::from_millis(300);
    relay.say([Say::Silence(Duration::from_secs(60))]);
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, timing);
    until("everything is delivered", || shop.unsent() == 0);
    let counts: Vec<usize> = relay.loaded().iter().map(|push| push.batch.events.len()).collect();
    assert_eq!(counts[..2], [8, 4]);
}

#[test]
fn an_unknown_host_and_a_closed_port_are_told_apart_from_success() {
    let shop = Shop::new();
    shop.capture_orders(1);
    // Port 9 on the loopback: nothing listens there.
    let _running = Running::start(&shop, connection(9), Kind::Agent, hurried());
    until("it is told", || {
        shop.last_error().is_some_and(|error| error.contains("cannot be reached"))
    });
    assert_eq!(shop.unsent(), 1);
    assert_eq!(shop.spool.known(now_ms()).unwrap().last_sent_at, None);
}
