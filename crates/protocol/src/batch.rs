//! A push and its answer.

use serde::{Deserialize, Serialize};

use crate::event::Event;

/// At most this many events a push.
pub const MAX_EVENTS: usize = 100;
/// At most this many bytes of body a push (1 MiB).
pub const MAX_BYTES: usize = 1024 * 1024;

/// The body of `POST /v1/push`. Without events it is the heartbeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// The spool's own id, a UUID; a new one means a new file.
    pub spool: String,
    /// Events in ascending `seq`, at most [`MAX_EVENTS`].
    #[serde(default)]
    pub events: Vec<Event>,
    /// How the spool stands once these events are answered.
    pub state: SpoolState,
}

/// What is still to come from a spool: the relay takes no settled reading while any of it is not zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolState {
    /// Events in the spool that are not in this push.
    pub unsent: u64,
    /// Requests that marked something and have not turned it into an event yet.
    pub open_intents: u64,
    /// When the oldest of the unsent events happened, seconds since 1970; older senders do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_unsent_at: Option<i64>,
}

/// The answer to a push: 200, one [`Outcome`] an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// In the order of the events.
    pub results: Vec<Outcome>,
    /// The highest `seq` up to which all is stored; never above the request's last. 0 for a heartbeat.
    pub ack: u64,
    /// Seconds after which the relay would like a heartbeat, when it waits for one; otherwise the
    /// sender's own half minute holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_in: Option<u32>,
}

/// What became of one event. Whatever it says, the event is stored and the sender removes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The event's id.
    pub id: String,
    /// What became of it.
    pub status: Verdict,
    /// Why, for people; nothing of the payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is in the ledger.
    Applied,
    /// It was here before; nothing was done.
    Duplicate,
    /// A newer state of the same thing is in the ledger already.
    Superseded,
    /// It is stored and the relay will fetch the thing itself, or wait for a person (forked store).
    Queued,
    /// Nothing in the ledger follows from it.
    Ignored,
    /// It could not be applied; it is kept, shown and retried by the relay.
    Failed,
}

impl Verdict {
    /// The word on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Duplicate => "duplicate",
            Self::Superseded => "superseded",
            Self::Queued => "queued",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }
}
