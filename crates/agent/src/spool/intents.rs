//! Intents: what a request has marked and not turned into an event yet.

use std::fmt;

use nexpura_protocol::{
    Topic,
    event::{Resource, Verb},
};
use rusqlite::{Connection, TransactionBehavior, params};
use uuid::Uuid;

use super::{Care, Spool, SpoolError, events};
use crate::process::{Identity, Life};

/// An intent of a process in another pid namespace counts as abandoned after this long: an hour, longer
/// than any web request lives.
const UNKNOWN_LIFE_MS: i64 = 3_600_000;

/// One request of one process: nothing but its own marks can be closed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What was marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The topic as it would be captured.
    pub topic: Topic,
    /// WooCommerce's id.
    pub resource_id: u64,
}

/// An intent as it stands in the spool.
struct Intent {
    id: i64,
    mark: Mark,
    owner: Identity,
    marked_at: i64,
    touched_at: i64,
}

impl Spool {
    /// Writes down, before anything else can go wrong, that this request has touched something. Answers the
    /// intent's id, for [`Spool::capture`]. Waits at most some 50 ms for other writers, and not at all when
    /// `waited` says that this request has waited before.
    ///
    /// # Errors
    /// See [`SpoolError`]; the mark is not in the spool then.
    pub fn mark(
        &self,
        mark: Mark,
        owner: &Identity,
        request: &RequestId,
        waited: bool,
        now_ms: i64,
    ) -> Result<i64, SpoolError> {
        let care = if waited { Care::Impatient } else { Care::Quick };
        self.run(care, now_ms, |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO intents (request, pid, started, place, resource, resource_id, verb,
                                          marked_at, touched_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
                )?
                .execute(params![
                    request.as_str(),
                    owner.pid,
                    owner.started,
                    owner.place,
                    mark.topic.resource.as_str(),
                    mark.resource_id,
                    verb_word(mark.topic.verb),
                    now_ms,
                ])?;
            Ok(connection.last_insert_rowid())
        })
    }

    /// Ends a request: what it marked and never captured becomes touches, and so does what is in
    /// `unwritten`, marks that could not be written at the time. Answers how many touches that made.
    ///
    /// # Errors
    /// See [`SpoolError`]; the intents stay, and are touched by the sender.
    pub fn finish(
        &self,
        request: &RequestId,
        unwritten: &[Mark],
        now_ms: i64,
    ) -> Result<usize, SpoolError> {
        let touched = self.run(Care::Durable, now_ms, |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let left = read(&transaction, Some(request))?;
            let marks = left.iter().map(|intent| &intent.mark).chain(unwritten);
            let touched = touch(&transaction, marks, now_ms)?;
            transaction
                .prepare_cached("DELETE FROM intents WHERE request = ?1")?
                .execute([request.as_str()])?;
            transaction.commit()?;
            Ok(touched)
        })?;
        if touched > 0 {
            self.wake_sender();
        }
        Ok(touched)
    }

    /// Turns abandoned intents into touches: each once when its process is dead, and while its process
    /// lives every `age_ms` from the mark on. Answers how many touches that made.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn touch_abandoned(
        &self,
        age_ms: i64,
        now_ms: i64,
        life: impl Fn(&Identity) -> Life,
    ) -> Result<usize, SpoolError> {
        // Looking costs no write; only what is due is written.
        let due = |connection: &Connection| -> rusqlite::Result<(Vec<Intent>, Vec<Intent>)> {
            let (mut dead, mut waiting) = (Vec::new(), Vec::new());
            for intent in read(connection, None)? {
                match life(&intent.owner) {
                    Life::Dead => dead.push(intent),
                    Life::Unknown if now_ms - intent.marked_at >= UNKNOWN_LIFE_MS => {
                        dead.push(intent)
                    }
                    // Either way round: a clock that was set back must not silence it.
                    _ if (now_ms - intent.touched_at).abs() >= age_ms => waiting.push(intent),
                    _ => {}
                }
            }
            Ok((dead, waiting))
        };
        let found = self.run(Care::Relaxed, now_ms, |connection| due(connection))?;
        if found.0.is_empty() && found.1.is_empty() {
            return Ok(0);
        }
        self.run(Care::Durable, now_ms, |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Its request may have captured one meanwhile: only what is still there counts.
            let (dead, waiting) = due(&transaction)?;
            let marks = dead.iter().chain(&waiting).map(|intent| &intent.mark);
            let touched = touch(&transaction, marks, now_ms)?;
            for intent in &dead {
                transaction
                    .prepare_cached("DELETE FROM intents WHERE id = ?1")?
                    .execute([intent.id])?;
            }
            for intent in &waiting {
                transaction
                    .prepare_cached("UPDATE intents SET touched_at = ?2 WHERE id = ?1")?
                    .execute([intent.id, now_ms])?;
            }
            transaction.commit()?;
            Ok(touched)
        })
    }
}

fn read(connection: &Connection, request: Option<&RequestId>) -> rusqlite::Result<Vec<Intent>> {
    connection
        .prepare_cached(
            "SELECT id, pid, started, place, resource, resource_id, verb, marked_at, touched_at
             FROM intents WHERE ?1 IS NULL OR request = ?1 ORDER BY id",
        )?
        .query_map([request.map(RequestId::as_str)], |row| {
            let resource: String = row.get(4)?;
            let verb: String = row.get(6)?;
            // Both were written by `mark`; a word that this version does not know still gets its touch.
            let resource = resource.parse().unwrap_or(Resource::Order);
            Ok(Intent {
                id: row.get(0)?,
                owner: Identity { pid: row.get(1)?, started: row.get(2)?, place: row.get(3)? },
                mark: Mark {
                    topic: Topic::new(resource, verb_named(&verb).unwrap_or(Verb::Updated)),
                    resource_id: row.get(5)?,
                },
                marked_at: row.get(7)?,
                touched_at: row.get(8)?,
            })
        })?
        .collect()
}

/// One touch for each thing, however often it was marked.
fn touch<'a>(
    connection: &Connection,
    marks: impl Iterator<Item = &'a Mark>,
    now_ms: i64,
) -> rusqlite::Result<usize> {
    let mut done: Vec<(Resource, u64)> = Vec::new();
    for mark in marks {
        let thing = (mark.topic.resource, mark.resource_id);
        if !done.contains(&thing) {
            let event = events::NewEvent::touch(mark.topic, mark.resource_id, now_ms);
            events::insert(connection, &event)?;
            done.push(thing);
        }
    }
    Ok(done.len())
}

/// The word for a verb, as in topics.
#[must_use]
pub fn verb_word(verb: Verb) -> &'static str {
    match verb {
        Verb::Created => "created",
        Verb::Updated => "updated",
        Verb::Deleted => "deleted",
        Verb::Restored => "restored",
    }
}

/// The verb of that name.
#[must_use]
pub fn verb_named(word: &str) -> Option<Verb> {
    match word {
        "created" => Some(Verb::Created),
        "updated" => Some(Verb::Updated),
        "deleted" => Some(Verb::Deleted),
        "restored" => Some(Verb::Restored),
        _ => None,
    }
}
