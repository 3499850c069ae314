//! The sender against a relay that behaves: batches, keep-alive, wake-up, heartbeat, what a touch is.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod support;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use nexpura_agent::{
    Kind, now_ms,
    process::Identity,
    sender::Ended,
    spool::{Mark, RequestId},
};
use nexpura_protocol::{
    batch::{MAX_BYTES, MAX_EVENTS},
    event::Verb,
};
use support::{
    Running, Shop, hurried, order, product,
    relay::{Relay, Say, applied},
    until,
};

#[test]
fn a_backlog_goes_out_in_full_batches_in_order_over_one_connection() {
    let (shop, relay) = (Shop::new(), Relay::start());
    shop.capture_orders(250);
    let running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
    until("everything is delivered", || shop.unsent() == 0);
    assert_eq!(running.stop(), Ended::Stopped);

    let pushes = relay.loaded();
    assert_eq!(
        pushes.iter().map(|push| push.batch.events.len()).collect::<Vec<_>>(),
        [100, 100, 50]
    );
    assert_eq!(pushes.iter().map(|push| push.batch.state.unsent).collect::<Vec<_>>(), [150, 50, 0]);
    assert_eq!(relay.seqs(), (1..=250).collect::<Vec<_>>());
    let peers: HashSet<_> = relay.pushes().iter().map(|push| push.peer).collect();
    assert_eq!(peers.len(), 1, "every push used the same TCP connection");
    assert!(relay.pushes().iter().all(|push| push.verified.is_ok()));
}

#[test]
fn a_push_never_exceeds_a_mebibyte_or_a_hundred_events() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(300_000));
    for id in 1..=7 {
        shop.capture(order(Verb::Updated), id, Some(&large));
    }
    shop.capture_orders(120);
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
    until("everything is delivered", || shop.unsent() == 0);
    let pushes = relay.loaded();
    assert!(pushes.len() >= 4);
    for push in &pushes {
        assert!(push.bytes <= MAX_BYTES, "{} bytes", push.bytes);
        assert!(push.batch.events.len() <= MAX_EVENTS);
    }
    assert_eq!(pushes[0].batch.events.len(), 3, "three large ones fit, a fourth does not");
}

#[test]
fn what_woocommerce_said_travels_to_the_last_digit() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let payload = r#"{"total":"212.119091","n":1e25,"i":12345678901234567890,"u":"\u00e9é","nested":{"b":1,"a":2}}"#;
    shop.capture(order(Verb::Created), 84, Some(payload));
    let push = shop.spool.next_push(100, now_ms()).unwrap();
    let body = String::from_utf8(push.body).unwrap();
    assert!(body.contains(&format!("\"payload\":{payload}")), "{body}");
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
    until("it is delivered", || shop.unsent() == 0);
    let received = relay.loaded()[0].batch.events[0].clone();
    assert_eq!(
        received.payload.unwrap(),
        serde_json::from_str::<serde_json::Value>(payload).unwrap()
    );
    assert_eq!((received.seq, received.resource_id), (1, 84));
}

#[test]
fn a_new_event_wakes_an_idle_sender_at_once() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let mut timing = hurried();
    timing.heartbeat = Duration::from_secs(30);
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, timing);
    until("the first heartbeat", || !relay.pushes().is_empty());
    // Written through another connection to the file, as another process would.
    let mut fastest = Duration::MAX;
    for id in 1..=10 {
        let written = Instant::now();
        shop.capture(order(Verb::Created), id, Some("{}"));
        until("the push", || relay.loaded().len() as u64 == id);
        fastest = fastest.min(relay.loaded().last().unwrap().at - written);
        until("its answer is settled", || shop.unsent() == 0);
    }
    // Any timer of the sender takes a second at least.
    assert!(fastest < Duration::from_millis(500), "{fastest:?}");
}

#[test]
fn an_event_whose_process_died_before_it_could_say_so_is_found_all_the_same() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let mut timing = hurried();
    timing.heartbeat = Duration::from_secs(3600);
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, timing);
    until("the first heartbeat", || !relay.pushes().is_empty());
    until("it is settled", || shop.spool.known(now_ms()).unwrap().last_sent_at.is_some());
    // SQLite alone: committed, and nobody woken.
    let database = rusqlite::Connection::open(shop.path()).unwrap();
    database
        .execute(
            "INSERT INTO events (id, topic, resource_id, occurred_at, droppable)
             VALUES ('0199b7de-0000-7000-8000-000000000001', 'order.created', 84, 0, 0)",
            [],
        )
        .unwrap();
    until("the push", || relay.seqs() == [1]);
}

#[test]
fn an_idle_shop_reports_regularly_and_tells_what_is_open() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let mark = Mark { topic: order(Verb::Created), resource_id: 7 };
    let mut timing = hurried();
    timing.intent_age = Duration::from_secs(60);
    shop.spool.mark(mark, &Identity::current(), &shop.request, false, now_ms()).unwrap();
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, timing);
    until("three heartbeats", || relay.pushes().len() >= 3);
    let pushes = relay.pushes();
    assert!(pushes.iter().all(|push| push.batch.events.is_empty()));
    assert!(pushes.iter().all(|push| push.batch.state.open_intents == 1));
    let pause = pushes[2].at - pushes[1].at;
    assert!(pause >= timing.heartbeat - Duration::from_millis(50), "{pause:?}");
    shop.spool.finish(&shop.request, &[], now_ms()).unwrap();
    until("the touch, and nothing open", || {
        relay.loaded().last().is_some_and(|push| push.batch.state.open_intents == 0)
    });
}

#[test]
fn a_relay_that_waits_for_a_report_gets_it_sooner() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let mut timing = hurried();
    timing.heartbeat = Duration::from_secs(3600);
    relay.always(|_| {
        Say::Computed(Box::new(|batch| {
            let mut answer = applied(batch);
            answer.report_in = Some(0);
            answer
        }))
    });
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, timing);
    until("a second heartbeat, an hour early", || relay.pushes().len() >= 2);
}

#[test]
fn every_attempt_is_signed_anew_and_events_keep_their_identity() {
    let (shop, relay) = (Shop::new(), Relay::start());
    shop.capture_orders(2);
    relay.say(
        (0..3)
            .map(|_| Say::Raw(axum::http::StatusCode::SERVICE_UNAVAILABLE, vec![], String::new())),
    );
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, hurried());
    until("everything is delivered", || shop.unsent() == 0);
    let pushes = relay.loaded();
    assert_eq!(pushes.len(), 4);
    let messages: HashSet<_> = pushes.iter().map(|push| push.message_id.clone()).collect();
    assert_eq!(messages.len(), 4, "a new webhook-id for each attempt");
    assert!(pushes.iter().all(|push| push.ids() == pushes[0].ids()));
    assert!(pushes.iter().all(|push| push.verified.is_ok()));
}

#[test]
fn a_living_request_is_touched_again_and_again_and_a_dead_one_once() {
    let (shop, relay) = (Shop::new(), Relay::start());
    let mut process = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    let started =
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap();
    let owner = Identity { pid: process.id(), started, ..Identity::current() };
    let mark = Mark { topic: order(Verb::Created), resource_id: 84 };
    let marked = Instant::now();
    shop.spool.mark(mark, &owner, &RequestId::random(), false, now_ms()).unwrap();

    let timing = hurried();
    let _running = Running::start(&shop, relay.connection(), Kind::Agent, timing);
    until("three touches", || relay.loaded().len() >= 3);
    assert!(
        relay.loaded()[0].at - marked >= timing.intent_age - Duration::from_millis(20),
        "not before its time"
    );
    let touch = relay.loaded()[0].batch.events[0].clone();
    assert_eq!((touch.topic, touch.resource_id, touch.payload), (order(Verb::Created), 84, None));
    assert!(
        relay.loaded()[0].batch.state.open_intents == 1,
        "it stays open while its process lives"
    );

    process.kill().unwrap();
    process.wait().unwrap();
    until("the intent is gone", || shop.spool.summary(now_ms()).unwrap().open_intents == 0);
    until("its last touch is out", || shop.unsent() == 0);
    let then = relay.loaded().len();
    let beats = relay.pushes().len();
    until("some heartbeats more", || relay.pushes().len() >= beats + 4);
    assert_eq!(relay.loaded().len(), then, "no touch after the last one");
}

#[test]
fn a_variation_s_touch_still_says_where_to_fetch_it() {
    let shop = Shop::new();
    let event = nexpura_agent::spool::NewEvent {
        topic: product(Verb::Updated),
        resource_id: 12,
        occurred_at: now_ms(),
        payload: Some("not json".into()),
        facts: Some(
            r#"{"rev":4,"parent_id":11,"stock":{"stock_id":12,"managed":true,"backorders":"no"}}"#
                .into(),
        ),
    };
    shop.spool.capture(event, &shop.request, &[], now_ms()).unwrap();
    let touch = shop.next_push().events.remove(0);
    assert!(touch.is_touch());
    let facts = touch.facts.unwrap();
    assert_eq!((facts.parent_id, facts.rev), (Some(11), None));
}
