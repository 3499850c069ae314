//! How a spool stands: counts, sizes, and what the sender last saw.

use nexpura_protocol::Resource;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{Care, Spool, SpoolError, bound};
use crate::sys;

/// Less free space than this on the spool's file system counts as a full disk: 4 MiB.
const SPARE_BYTES: u64 = 4 * 1024 * 1024;

/// Events that are looked through for those of one kind.
const LOOKED_THROUGH: i64 = 1000;

/// What a spool holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The spool's own id.
    pub id: String,
    /// Events not acknowledged.
    pub unsent: u64,
    /// When the oldest of them happened, seconds since 1970.
    pub oldest_unsent_at: Option<i64>,
    /// Marks that are not events yet.
    pub open_intents: u64,
    /// Bytes of content.
    pub bytes: u64,
    /// The last `seq` given; 0 before the first event.
    pub last_seq: u64,
}

/// What the sender remembers from one run to the next, whichever process it runs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// When the relay last answered well, seconds since 1970.
    pub last_sent_at: Option<i64>,
    /// Why sending does not work, for the shop's admin; nothing while it does.
    pub last_error: Option<String>,
    /// Seconds to add to this machine's clock.
    pub clock_offset: i64,
}

pub(super) struct Counts {
    pub(super) events: u64,
    pub(super) intents: u64,
}

impl Spool {
    /// How the spool stands.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn summary(&self, now_ms: i64) -> Result<Summary, SpoolError> {
        self.run(Care::Relaxed, now_ms, |connection| {
            let transaction = connection.transaction()?;
            let counts = counts(&transaction)?;
            let oldest = oldest_after(&transaction, 0)?;
            let last_seq: Option<u64> = transaction
                .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'events'", [], |row| {
                    row.get(0)
                })
                .optional()?;
            Ok(Summary {
                id: spool_id(&transaction)?,
                unsent: counts.events,
                oldest_unsent_at: oldest.map(|at| at / 1000),
                open_intents: counts.intents,
                bytes: bound::used_bytes(&transaction)?,
                last_seq: last_seq.unwrap_or(0),
            })
        })
    }

    /// Which things of a kind wait here as events; of very many only the newest are looked through.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn waiting(&self, resource: Resource, now_ms: i64) -> Result<Vec<u64>, SpoolError> {
        self.run(Care::Relaxed, now_ms, |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT resource_id FROM
                    (SELECT topic, resource_id FROM events ORDER BY seq DESC LIMIT ?2)
                 WHERE topic GLOB ?1 || '.*' GROUP BY resource_id",
            )?;
            let ids = statement.query_map(params![resource.as_str(), LOOKED_THROUGH], |row| {
                row.get::<_, u64>(0)
            })?;
            ids.collect()
        })
    }

    /// What the sender last saw.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn known(&self, now_ms: i64) -> Result<Known, SpoolError> {
        self.run(Care::Relaxed, now_ms, |connection| {
            let transaction = connection.transaction()?;
            Ok(Known {
                last_sent_at: meta::<i64>(&transaction, "last_sent_at")?.map(|at| at / 1000),
                last_error: meta(&transaction, "last_error")?,
                clock_offset: meta(&transaction, "clock_offset")?.unwrap_or(0),
            })
        })
    }

    /// Remembers why sending does not work.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn note_error(&self, message: &str, now_ms: i64) -> Result<(), SpoolError> {
        self.run(Care::Relaxed, now_ms, |connection| {
            // Said again and again while the relay is away, and written once.
            if meta::<String>(connection, "last_error")?.as_deref() == Some(message) {
                return Ok(());
            }
            set_meta(connection, "last_error", &message)
        })
    }

    /// Remembers what to add to this machine's clock, in seconds.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn note_clock_offset(&self, seconds: i64, now_ms: i64) -> Result<(), SpoolError> {
        self.run(Care::Relaxed, now_ms, |connection| set_meta(connection, "clock_offset", &seconds))
    }

    /// Writes to the spool and looks at the disk's free space: whether an event captured now would be kept.
    ///
    /// # Errors
    /// Why it would not.
    pub fn probe(&self, now_ms: i64) -> Result<(), SpoolError> {
        self.run(Care::Relaxed, now_ms, |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            set_meta(&transaction, "probed_at", &now_ms)?;
            transaction.commit()
        })?;
        match self.path.parent().map(sys::free_space) {
            Some(Ok(free)) if free < SPARE_BYTES => Err(SpoolError::Full(self.path.clone())),
            _ => Ok(()),
        }
    }

    /// Whether anything waits here: an event to be sent, or a mark whose process may be dead.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn has_waiting(&self, now_ms: i64) -> Result<bool, SpoolError> {
        self.run(Care::Quick, now_ms, |connection| {
            connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM events) OR EXISTS (SELECT 1 FROM intents)",
                )?
                .query_row([], |row| row.get(0))
        })
    }
}

pub(super) fn spool_id(connection: &Connection) -> rusqlite::Result<String> {
    Ok(meta(connection, "spool")?.unwrap_or_default())
}

pub(super) fn counts(connection: &Connection) -> rusqlite::Result<Counts> {
    connection
        .prepare_cached("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM intents)")?
        .query_row([], |row| Ok(Counts { events: row.get(0)?, intents: row.get(1)? }))
}

/// When the first event after this `seq` happened, in milliseconds since 1970.
pub(super) fn oldest_after(connection: &Connection, seq: u64) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT occurred_at FROM events WHERE seq > ?1 ORDER BY seq LIMIT 1")?
        .query_row([seq], |row| row.get(0))
        .optional()
}

/// The relay has answered well: whatever was wrong is over.
pub(super) fn note_sent(connection: &Connection, now_ms: i64) -> rusqlite::Result<()> {
    set_meta(connection, "last_sent_at", &now_ms)?;
    connection.prepare_cached("DELETE FROM meta WHERE key = 'last_error'")?.execute([])?;
    Ok(())
}

pub(super) fn note_tidied(connection: &Connection, now_ms: i64) -> rusqlite::Result<()> {
    set_meta(connection, "tidied_at", &now_ms)
}

fn meta<T: rusqlite::types::FromSql>(
    connection: &Connection,
    key: &str,
) -> rusqlite::Result<Option<T>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

fn set_meta(
    connection: &Connection,
    key: &str,
    value: &dyn rusqlite::types::ToSql,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
        .execute(params![key, value])?;
    Ok(())
}
