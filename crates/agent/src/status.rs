//! How a connection stands, for Site Health, `nexpura_status()` and `nexpura-agent status`.

use nexpura_protocol::ConnectionString;
use serde::Serialize;

use crate::{
    sender,
    spool::{Known, Spool, SpoolError, Summary},
};

/// The state of one connection in this shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// This library's version.
    pub version: &'static str,
    /// The connection id; no secret.
    pub connection_id: String,
    /// The relay's address.
    pub relay: String,
    /// The spool's file.
    pub spool: String,
    /// Events not acknowledged.
    pub unsent: u64,
    /// When the oldest of them happened, seconds since 1970.
    pub oldest_unsent_at: Option<i64>,
    /// Marks that are not events yet.
    pub open_intents: u64,
    /// Bytes of content.
    pub bytes: u64,
    /// Where product and customer events begin to give up their payloads.
    pub max_bytes: u64,
    /// Whether an event captured now would be kept.
    pub writable: bool,
    /// What is elected: `agent`, `thread` or `none`.
    pub sender: &'static str,
    /// When the relay last answered well, seconds since 1970.
    pub last_sent_at: Option<i64>,
    /// What is wrong and what to do about it.
    pub last_error: Option<String>,
    /// Seconds added to this machine's clock when signing.
    pub clock_offset: i64,
}

impl Status {
    /// Looks at the spool, writes a probe to it, and asks who is elected. Never fails: what is wrong is part
    /// of the status.
    #[must_use]
    pub fn of(spool: &Spool, connection: &ConnectionString, now_ms: i64) -> Self {
        let probed = spool.probe(now_ms);
        let read = || -> Result<(Summary, Known), SpoolError> {
            Ok((spool.summary(now_ms)?, spool.known(now_ms)?))
        };
        let (summary, known, trouble) = match (read(), probed.as_ref().err()) {
            (Ok((summary, known)), None) => (Some(summary), known, None),
            (Ok((summary, known)), Some(error)) => (Some(summary), known, Some(error.to_string())),
            (Err(error), _) => (None, Known::default(), Some(error.to_string())),
        };
        // A spool that is only busy is written a moment later.
        let writable = trouble.is_none() || probed.is_err_and(|error| error.is_busy());
        Self {
            version: env!("CARGO_PKG_VERSION"),
            connection_id: connection.id().to_owned(),
            relay: connection.relay().to_string(),
            spool: spool.path().display().to_string(),
            unsent: summary.as_ref().map_or(0, |summary| summary.unsent),
            oldest_unsent_at: summary.as_ref().and_then(|summary| summary.oldest_unsent_at),
            open_intents: summary.as_ref().map_or(0, |summary| summary.open_intents),
            bytes: summary.as_ref().map_or(0, |summary| summary.bytes),
            max_bytes: spool.max_bytes(),
            writable,
            sender: sender::elected(spool.path()),
            last_sent_at: known.last_sent_at,
            last_error: trouble.or(known.last_error),
            clock_offset: known.clock_offset,
        }
    }
}
