//! The spool by itself: numbering, marks, touches, the bound and what it drops.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod support;

use nexpura_agent::{
    now_ms,
    process::{Identity, Life},
    spool::{Mark, NewEvent, RequestId},
};
use nexpura_protocol::{
    Topic,
    batch::{Batch, MAX_BYTES},
    event::{Resource, Verb},
};
use support::{Shop, customer, order, product};

const MINUTE_MS: i64 = 60_000;

fn mark(shop: &Shop, topic: Topic, id: u64, request: &RequestId, now: i64) -> i64 {
    let mark = Mark { topic, resource_id: id };
    shop.spool.mark(mark, &Identity::current(), request, false, now).unwrap()
}

fn open_intents(shop: &Shop) -> u64 {
    shop.spool.summary(now_ms()).unwrap().open_intents
}

#[test]
fn numbers_have_no_gaps_whatever_is_removed_or_fails() {
    let shop = Shop::new();
    shop.capture_orders(3);
    let push = shop.spool.next_push(100, now_ms()).unwrap();
    let sent: Vec<(u64, &str)> = push.events.iter().map(|(seq, id)| (*seq, id.as_str())).collect();
    assert_eq!(shop.spool.settle(&sent, now_ms()).unwrap(), 3);
    // A second handle, as a process that starts anew.
    let again = shop.spool.again();
    // A capture that fails in the middle of its transaction gives its number back.
    let database = rusqlite::Connection::open(shop.path()).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER fault BEFORE DELETE ON intents BEGIN SELECT RAISE(ABORT, 'fault'); END",
        )
        .unwrap();
    let request = RequestId::random();
    let intent = mark(&shop, order(Verb::Created), 9, &request, now_ms());
    let event = NewEvent::touch(order(Verb::Created), 9, now_ms());
    again.capture(event.clone(), &request, &[intent], now_ms()).unwrap_err();
    assert_eq!(shop.unsent(), 0, "the event did not stay without its intent being closed");
    database.execute_batch("DROP TRIGGER fault").unwrap();
    assert_eq!(again.capture(event, &request, &[intent], now_ms()).unwrap(), 4);
    assert_eq!(open_intents(&shop), 0);
}

#[test]
fn several_processes_at_once_share_one_numbering() {
    let shop = Shop::new();
    shop.capture_orders(1);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let spool = shop.spool.again();
            scope.spawn(move || {
                for id in 1..=6 {
                    let event = NewEvent::touch(order(Verb::Updated), id, now_ms());
                    spool.capture(event, &RequestId::random(), &[], now_ms()).unwrap();
                }
            });
        }
    });
    assert_eq!(shop.unsent(), 49);
    assert_eq!(shop.spool.summary(now_ms()).unwrap().last_seq, 49);
}

#[test]
fn a_capture_closes_its_own_marks_and_nobody_else_s() {
    let shop = Shop::new();
    let (mine, other) = (RequestId::random(), RequestId::random());
    let intent = mark(&shop, order(Verb::Created), 84, &mine, now_ms());
    let foreign = mark(&shop, order(Verb::Created), 84, &other, now_ms());
    let event = NewEvent::touch(order(Verb::Created), 84, now_ms());
    shop.spool.capture(event, &mine, &[intent, foreign], now_ms()).unwrap();
    assert_eq!(open_intents(&shop), 1, "the other request's mark stays open");
}

#[test]
fn a_request_that_ends_leaves_one_touch_for_each_thing_it_never_captured() {
    let shop = Shop::new();
    let other = RequestId::random();
    mark(&shop, order(Verb::Created), 84, &shop.request, now_ms());
    mark(&shop, product(Verb::Updated), 5, &shop.request, now_ms());
    mark(&shop, product(Verb::Updated), 5, &shop.request, now_ms());
    mark(&shop, order(Verb::Updated), 85, &other, now_ms());
    // One of them could not be written when it was marked, another one never.
    let unwritten = [5, 6].map(|id| Mark { topic: product(Verb::Updated), resource_id: id });
    assert_eq!(shop.spool.finish(&shop.request, &unwritten, now_ms()).unwrap(), 3);
    assert_eq!(open_intents(&shop), 1);
    let touches = shop.next_push().events;
    assert!(touches.iter().all(nexpura_protocol::Event::is_touch));
    let told: Vec<_> = touches.iter().map(|event| (event.topic, event.resource_id)).collect();
    assert_eq!(
        told,
        [(order(Verb::Created), 84), (product(Verb::Updated), 5), (product(Verb::Updated), 6)]
    );
    assert_eq!(shop.spool.finish(&shop.request, &[], now_ms()).unwrap(), 0);
}

#[test]
fn intents_of_the_living_are_touched_every_half_minute_and_of_the_dead_once() {
    let shop = Shop::new();
    let start = 1_000_000;
    mark(&shop, order(Verb::Created), 84, &shop.request, start);
    let look = |now, life: Life| shop.spool.touch_abandoned(30_000, now, |_| life).unwrap();
    assert_eq!(look(start + 29_999, Life::Alive), 0);
    assert_eq!(look(start + 30_000, Life::Alive), 1);
    assert_eq!(look(start + 59_999, Life::Alive), 0);
    assert_eq!(look(start + 60_000, Life::Alive), 1);
    assert_eq!(open_intents(&shop), 1);
    assert_eq!(look(start + 60_001, Life::Dead), 1);
    assert_eq!(open_intents(&shop), 0);
    assert_eq!(look(start + 600_000, Life::Dead), 0);
    assert_eq!(shop.unsent(), 3);
}

#[test]
fn a_request_in_another_container_is_waited_for_an_hour() {
    let shop = Shop::new();
    let start = 1_000_000;
    mark(&shop, order(Verb::Created), 84, &shop.request, start);
    let look = |now| shop.spool.touch_abandoned(30_000, now, |_| Life::Unknown).unwrap();
    assert_eq!(look(start + 59 * MINUTE_MS), 1);
    assert_eq!(open_intents(&shop), 1);
    assert_eq!(look(start + 60 * MINUTE_MS), 1);
    assert_eq!(open_intents(&shop), 0);
}

#[test]
fn a_clock_set_back_does_not_silence_an_intent() {
    let shop = Shop::new();
    mark(&shop, order(Verb::Created), 84, &shop.request, 1_000 * MINUTE_MS);
    assert_eq!(shop.spool.touch_abandoned(30_000, MINUTE_MS, |_| Life::Alive).unwrap(), 1);
}

#[test]
fn a_touch_of_a_deletion_only_says_look() {
    let shop = Shop::new();
    mark(&shop, product(Verb::Deleted), 5, &shop.request, now_ms());
    shop.spool.finish(&shop.request, &[], now_ms()).unwrap();
    shop.capture(product(Verb::Deleted), 6, None);
    shop.capture(product(Verb::Deleted), 7, Some("{\"id\":7}"));
    shop.capture(order(Verb::Restored), 8, None);
    let told: Vec<_> = shop.next_push().events.iter().map(|event| event.topic).collect();
    assert_eq!(
        told,
        [
            product(Verb::Updated),
            product(Verb::Updated),
            product(Verb::Deleted),
            order(Verb::Restored)
        ]
    );
}

#[test]
fn what_cannot_be_sent_as_it_is_becomes_a_touch() {
    let shop = Shop::new();
    let large = format!("{{\"t\":\"{}\"}}", "x".repeat(MAX_BYTES));
    let just_fits = format!("{{\"t\":\"{}\"}}", "x".repeat(MAX_BYTES - 1024));
    let captured = |payload: &str, facts: Option<&str>| {
        let event = NewEvent {
            topic: order(Verb::Updated),
            resource_id: 84,
            occurred_at: now_ms(),
            payload: Some(payload.to_owned()),
            facts: facts.map(str::to_owned),
        };
        shop.spool.capture(event, &shop.request, &[], now_ms()).unwrap();
        let push = shop.spool.next_push(1, now_ms()).unwrap();
        assert!(push.body.len() <= MAX_BYTES);
        let sent: nexpura_protocol::Batch = serde_json::from_slice(&push.body).unwrap();
        shop.spool.settle(&[(push.events[0].0, &push.events[0].1)], now_ms()).unwrap();
        sent.events[0].clone()
    };
    assert!(captured(&large, None).is_touch());
    assert!(!captured(&just_fits, None).is_touch());
    assert!(captured("{\"id\":", None).is_touch());
    assert!(captured("{} {}", None).is_touch());
    assert!(captured("{}", Some("3")).is_touch());
    assert!(captured("{}", Some("{\"rev\":\"x\"}")).is_touch());
    let whole = captured("{}", Some("{\"rev\":3}"));
    assert_eq!((whole.is_touch(), whole.facts.unwrap().rev), (false, Some(3)));
}

#[test]
fn a_full_spool_drops_products_and_customers_oldest_first_and_orders_never() {
    let shop = Shop::bounded(1024 * 1024);
    let payload = format!("{{\"t\":\"{}\"}}", "x".repeat(20_000));
    for id in 1..=10 {
        shop.capture(product(Verb::Updated), id, Some(&payload));
        shop.capture(customer(Verb::Updated), id, Some(&payload));
    }
    let whole = |shop: &Shop| -> Vec<(Resource, u64)> {
        let mut whole = Vec::new();
        let database = rusqlite::Connection::open(shop.path()).unwrap();
        let mut rows = database
            .prepare("SELECT topic, resource_id FROM events WHERE payload IS NOT NULL ORDER BY seq")
            .unwrap();
        let rows = rows
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
            .unwrap();
        for row in rows {
            let (topic, id) = row.unwrap();
            whole.push((topic.parse::<Topic>().unwrap().resource, id.unsigned_abs()));
        }
        whole
    };
    assert_eq!(whole(&shop).len(), 20, "it is not full yet");
    // Orders take all the room there is, and more.
    let mut seen = Vec::new();
    for id in 1..=80 {
        shop.capture(order(Verb::Created), id, Some(&payload));
        let others = whole(&shop).iter().filter(|(kind, _)| *kind != Resource::Order).count();
        seen.push(others);
        let orders = whole(&shop).iter().filter(|(kind, _)| *kind == Resource::Order).count();
        assert_eq!(orders as u64, id, "no order gives up its payload");
    }
    assert!(seen.windows(2).all(|pair| pair[1] <= pair[0]));
    assert_eq!(seen.last(), Some(&0), "everything else has made room");
    assert!(seen.iter().any(|count| *count > 0 && *count < 20), "step by step, not all at once");
    let summary = shop.spool.summary(now_ms()).unwrap();
    assert!(summary.bytes > shop.spool.max_bytes(), "orders may exceed the bound");
    assert_eq!((summary.unsent, summary.last_seq), (100, 100), "rows stay: seq has no gaps");

    // A product captured now is a touch at once; an order is whole.
    shop.capture(product(Verb::Updated), 99, Some(&payload));
    shop.capture(order(Verb::Created), 99, Some(&payload));
    let now = whole(&shop);
    assert!(now.contains(&(Resource::Order, 99)));
    assert!(!now.contains(&(Resource::Product, 99)));
}

#[test]
fn the_oldest_payloads_go_first() {
    let shop = Shop::bounded(1024 * 1024);
    let payload = format!("{{\"t\":\"{}\"}}", "x".repeat(30_000));
    for id in 1..=60 {
        shop.capture(product(Verb::Updated), id, Some(&payload));
    }
    let events = shop.next_push().events;
    let first_whole = events.iter().position(|event| !event.is_touch()).unwrap();
    assert!(first_whole > 0);
    assert!(events[first_whole..].iter().all(|event| !event.is_touch()));
    let summary = shop.spool.summary(now_ms()).unwrap();
    assert!(summary.bytes <= shop.spool.max_bytes(), "{} bytes", summary.bytes);
}

#[test]
fn an_answer_for_a_spool_that_was_replaced_removes_nothing_from_the_new_one() {
    let shop = Shop::new();
    shop.capture_orders(2);
    let push = shop.spool.next_push(100, now_ms()).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let mut name = shop.path().as_os_str().to_owned();
        name.push(suffix);
        std::fs::remove_file(name).unwrap();
    }
    shop.capture_orders(2);
    let sent: Vec<(u64, &str)> = push.events.iter().map(|(seq, id)| (*seq, id.as_str())).collect();
    assert_eq!(sent.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(shop.spool.settle(&sent, now_ms()).unwrap(), 0);
    assert!(!shop.spool.reduce_to_touch(1, sent[0].1, now_ms()).unwrap());
    assert_eq!(shop.unsent(), 2);
}

#[test]
fn the_log_is_written_back_and_the_file_shrinks_once_all_is_sent() {
    let shop = Shop::new();
    let payload = format!("{{\"t\":\"{}\"}}", "x".repeat(100_000));
    for id in 1..=100 {
        shop.capture(order(Verb::Created), id, Some(&payload));
        shop.spool.tidy(now_ms()).unwrap();
    }
    let size = |suffix: &str| {
        let mut name = shop.path().as_os_str().to_owned();
        name.push(suffix);
        std::fs::metadata(name).unwrap().len()
    };
    assert!(size("-wal") < 3 * 1024 * 1024, "{} bytes of log", size("-wal"));
    while shop.unsent() > 0 {
        let push = shop.spool.next_push(100, now_ms()).unwrap();
        let sent: Vec<_> = push.events.iter().map(|(seq, id)| (*seq, id.as_str())).collect();
        shop.spool.settle(&sent, now_ms()).unwrap();
        shop.spool.tidy(now_ms()).unwrap();
    }
    assert!(size("") < 1024 * 1024, "{} bytes of file", size(""));
}

#[test]
fn no_mark_is_the_one_that_begins_the_log_anew_and_waits_for_the_disk() {
    let shop = Shop::new();
    // Which time the log is being written, as its header says (SQLite's file format, 4.1).
    let generation = || {
        let mut log = shop.path().as_os_str().to_owned();
        log.push("-wal");
        std::fs::read(log).unwrap()[12..16].to_vec()
    };
    let payload = format!("{{\"t\":\"{}\"}}", "x".repeat(100_000));
    for id in 1..=15 {
        shop.capture(order(Verb::Created), id, Some(&payload));
    }
    let first = generation();
    shop.spool.tidy(now_ms()).unwrap();
    let second = generation();
    assert_ne!(second, first, "tidying begins it anew");
    mark(&shop, order(Verb::Updated), 1, &shop.request, now_ms());
    assert_eq!(generation(), second);
}

#[test]
fn a_push_tells_when_the_oldest_event_behind_it_happened() {
    let shop = Shop::new();
    let begin = now_ms() - 10 * MINUTE_MS;
    for n in 0..3 {
        let at = begin + n * MINUTE_MS;
        let event = NewEvent::touch(order(Verb::Updated), 1, at);
        shop.spool.capture(event, &RequestId::random(), &[], at).unwrap();
    }
    let state = |limit| {
        let push = shop.spool.next_push(limit, now_ms()).unwrap();
        serde_json::from_slice::<Batch>(&push.body).unwrap().state
    };
    let second = Some((begin + MINUTE_MS) / 1000);
    assert_eq!((state(1).unsent, state(1).oldest_unsent_at), (2, second));
    assert_eq!((state(3).unsent, state(3).oldest_unsent_at), (0, None));
}
