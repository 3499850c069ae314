//! What the tests of the agent share: a relay that can be slow, lying or down, and a spool in a directory of
//! its own.
// Each test program uses a part of it.
#![allow(dead_code)]

pub mod relay;

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicU64},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use nexpura_agent::{
    Kind, Sender, SharedConnection, Spool, Timing, now_ms,
    sender::{Ended, deliver::Deadlines},
    spool::{NewEvent, RequestId},
};
use nexpura_protocol::{
    ConnectionString, Topic,
    event::{Resource, Verb},
};
use tempfile::TempDir;
use tokio::sync::watch;

pub const ID: &str = "0190000000007000800000000000000101900000000070008000000000000002";
pub const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A connection to a relay on this machine.
pub fn connection(port: u16) -> ConnectionString {
    ConnectionString::parse(&format!("http://{ID}:{SECRET}@127.0.0.1:{port}")).unwrap()
}

/// A spool in a directory that goes when this does.
pub struct Shop {
    pub directory: TempDir,
    pub spool: Spool,
    pub request: RequestId,
}

impl Shop {
    pub fn new() -> Self {
        Self::bounded(256 * 1024 * 1024)
    }

    pub fn bounded(max_bytes: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let spool = Spool::at(directory.path(), ID, max_bytes);
        Self { directory, spool, request: RequestId::random() }
    }

    pub fn path(&self) -> &Path {
        self.spool.path()
    }

    pub fn capture(&self, topic: Topic, id: u64, payload: Option<&str>) -> u64 {
        let event = NewEvent {
            topic,
            resource_id: id,
            occurred_at: now_ms(),
            payload: payload.map(str::to_owned),
            facts: None,
        };
        self.spool.capture(event, &self.request, &[], now_ms()).unwrap()
    }

    /// Captures `count` small orders, numbered from 1.
    pub fn capture_orders(&self, count: u64) {
        for id in 1..=count {
            self.capture(order(Verb::Created), id, Some(&format!("{{\"id\":{id}}}")));
        }
    }

    pub fn unsent(&self) -> u64 {
        self.spool.summary(now_ms()).unwrap().unsent
    }

    pub fn last_error(&self) -> Option<String> {
        self.spool.known(now_ms()).unwrap().last_error
    }

    /// The push that would go out now, read as the relay reads it.
    pub fn next_push(&self) -> nexpura_protocol::Batch {
        let push = self.spool.next_push(100, now_ms()).unwrap();
        serde_json::from_slice(&push.body).unwrap()
    }
}

pub fn order(verb: Verb) -> Topic {
    Topic::new(Resource::Order, verb)
}

pub fn product(verb: Verb) -> Topic {
    Topic::new(Resource::Product, verb)
}

pub fn customer(verb: Verb) -> Topic {
    Topic::new(Resource::Customer, verb)
}

/// The product's times, shortened so that a test sees in a second what takes minutes.
pub fn hurried() -> Timing {
    Timing {
        heartbeat: Duration::from_millis(200),
        intent_age: Duration::from_millis(300),
        intent_check: Duration::from_millis(50),
        first_retry: Duration::from_millis(20),
        longest_retry: Duration::from_millis(100),
        election: Duration::from_millis(20),
        deadlines: Deadlines {
            connect: Duration::from_millis(500),
            total: Duration::from_millis(1000),
        },
    }
}

/// A sender running in a thread of this test; it ends with the value.
pub struct Running {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<Ended>>,
}

impl Running {
    pub fn start(shop: &Shop, connection: ConnectionString, kind: Kind, timing: Timing) -> Self {
        let sender = Sender {
            spool: shop.spool.again(),
            connection: SharedConnection::new(connection),
            kind,
            timing,
            delivered: Arc::new(AtomicU64::new(0)),
        };
        let (stop, stopped) = watch::channel(false);
        let thread = std::thread::spawn(move || sender.run(stopped).unwrap());
        Self { stop, thread: Some(thread) }
    }

    /// Why it ended, once it has.
    pub fn ended(mut self) -> Ended {
        self.thread.take().unwrap().join().unwrap()
    }

    pub fn stop(self) -> Ended {
        self.stop.send_replace(true);
        self.ended()
    }

    pub fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Waits until `condition` holds; fails the test, saying what was waited for, after twenty seconds.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
