//! Events: written once, read in batches, removed only when the relay has answered for them.

use chrono::{DateTime, SecondsFormat};
use nexpura_protocol::{
    Facts, Topic,
    batch::{MAX_BYTES, MAX_EVENTS},
    event::{Resource, Verb},
};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Care, Spool, SpoolError, bound, intents::RequestId, state};

/// Room that a push needs besides its events: spool id, state, brackets.
const ENVELOPE_BYTES: usize = 256;
/// Room that an event needs besides payload and facts: names, id, topic, numbers, date.
const HEADER_BYTES: usize = 320;

/// Something to be told to the relay.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What happened to what.
    pub topic: Topic,
    /// WooCommerce's id.
    pub resource_id: u64,
    /// When, in milliseconds since 1970.
    pub occurred_at: i64,
    /// JSON text as WooCommerce's REST gives it, or nothing: a touch.
    pub payload: Option<String>,
    /// JSON text in the form of [`Facts`], or nothing.
    pub facts: Option<String>,
}

impl NewEvent {
    /// A touch: "something happened to it, fetch it".
    #[must_use]
    pub fn touch(topic: Topic, resource_id: u64, occurred_at: i64) -> Self {
        Self { topic: touched(topic), resource_id, occurred_at, payload: None, facts: None }
    }

    /// What can be sent of it: a payload or facts that are no JSON of the right form, or that no push has
    /// room for, leave a touch.
    fn sendable(mut self) -> Self {
        let json = |text: &String| serde_json::from_str::<&RawValue>(text).is_ok();
        let facts_fit = self.facts.as_ref().is_none_or(|text| {
            serde_json::from_str::<Facts>(text).is_ok() && text.len() < MAX_BYTES / 4
        });
        let length = |part: &Option<String>| part.as_ref().map_or(0, String::len);
        let fits = length(&self.payload) + length(&self.facts)
            <= MAX_BYTES - ENVELOPE_BYTES - HEADER_BYTES;
        if !self.payload.as_ref().is_some_and(json) || !facts_fit || !fits {
            self.payload = None;
            self.topic = touched(self.topic);
            self.facts = self.facts.as_deref().and_then(touch_facts);
        }
        self
    }
}

/// The topic of a touch. A deletion is never told without what was deleted, so that its touch only says
/// "look": the relay finds it gone.
pub(super) fn touched(topic: Topic) -> Topic {
    match topic.verb {
        Verb::Deleted => Topic { verb: Verb::Updated, ..topic },
        _ => topic,
    }
}

/// Of the facts, what the relay needs for fetching: a variation is read at its parent's address.
pub(super) fn touch_facts(facts: &str) -> Option<String> {
    let parent_id = serde_json::from_str::<Facts>(facts).ok()?.parent_id?;
    Some(format!("{{\"parent_id\":{parent_id}}}"))
}

/// A push's worth of events, as they go over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The body of the push.
    pub body: Vec<u8>,
    /// `seq` and id of each event in it, ascending.
    pub events: Vec<(u64, String)>,
    /// Events in the spool besides these.
    pub unsent: u64,
    /// Marks that are not events yet.
    pub open_intents: u64,
}

impl Spool {
    /// Writes an event and, in the same transaction, closes the marks that led to it. Survives a power cut.
    /// Answers its `seq`.
    ///
    /// # Errors
    /// See [`SpoolError`]; nothing was written then.
    pub fn capture(
        &self,
        event: NewEvent,
        request: &RequestId,
        intents: &[i64],
        now_ms: i64,
    ) -> Result<u64, SpoolError> {
        let event = event.sendable();
        let seq = self.run(Care::Durable, now_ms, |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let seq = insert(&transaction, &event)?;
            for intent in intents {
                transaction
                    .prepare_cached("DELETE FROM intents WHERE id = ?1 AND request = ?2")?
                    .execute(params![intent, request.as_str()])?;
            }
            bound::enforce(&transaction, self.max_bytes())?;
            transaction.commit()?;
            Ok(seq)
        })?;
        self.wake_sender();
        Ok(seq)
    }

    /// The next push: at most `limit` events, at most 1 MiB, and how the spool stands besides them. Without
    /// events it is the heartbeat.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn next_push(&self, limit: usize, now_ms: i64) -> Result<Outgoing, SpoolError> {
        self.run(Care::Relaxed, now_ms, |connection| {
            let transaction = connection.transaction()?;
            let spool = state::spool_id(&transaction)?;
            let mut body = format!("{{\"spool\":{},\"events\":[", json_string(&spool));
            let mut events = Vec::new();
            {
                let mut statement = transaction.prepare_cached(
                    "SELECT seq, id, topic, resource_id, occurred_at, payload, facts
                     FROM events ORDER BY seq LIMIT ?1",
                )?;
                let limit = i64::try_from(limit.min(MAX_EVENTS)).unwrap_or(1);
                let mut rows = statement.query([limit])?;
                while let Some(row) = rows.next()? {
                    let (seq, id): (u64, String) = (row.get(0)?, row.get(1)?);
                    let text = render(row, seq, &id)?;
                    if !events.is_empty() && body.len() + text.len() + ENVELOPE_BYTES > MAX_BYTES {
                        break;
                    }
                    if !events.is_empty() {
                        body.push(',');
                    }
                    body.push_str(&text);
                    events.push((seq, id));
                }
            }
            let counts = state::counts(&transaction)?;
            let unsent = counts.events - events.len() as u64;
            let open_intents = counts.intents;
            body.push_str(&format!(
                "],\"state\":{{\"unsent\":{unsent},\"open_intents\":{open_intents}"
            ));
            let sent = events.last().map_or(0, |(seq, _)| *seq);
            if let Some(oldest) = state::oldest_after(&transaction, sent)? {
                body.push_str(&format!(",\"oldest_unsent_at\":{}", oldest / 1000));
            }
            body.push_str("}}");
            Ok(Outgoing { body: body.into_bytes(), events, unsent, open_intents })
        })
    }

    /// Removes events for which the relay has answered, and remembers when that was. Answers how many.
    ///
    /// # Errors
    /// See [`SpoolError`]; they are sent again then, and the relay knows them.
    pub fn settle(&self, answered: &[(u64, &str)], now_ms: i64) -> Result<usize, SpoolError> {
        self.run(Care::Relaxed, now_ms, |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut removed = 0;
            for (seq, id) in answered {
                // The id too: the spool may have been replaced by a new one since, which counts anew.
                removed += transaction
                    .prepare_cached("DELETE FROM events WHERE seq = ?1 AND id = ?2")?
                    .execute(params![seq, id])?;
            }
            state::note_sent(&transaction, now_ms)?;
            transaction.commit()?;
            Ok(removed)
        })
    }

    /// Takes the payload from an event that the relay refuses as it is. Answers whether there was one.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn reduce_to_touch(&self, seq: u64, id: &str, now_ms: i64) -> Result<bool, SpoolError> {
        self.run(Care::Durable, now_ms, |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let there: bool = transaction
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM events WHERE seq = ?1 AND id = ?2)")?
                .query_row(params![seq, id], |row| row.get(0))?;
            let reduced = there && drop_payload(&transaction, seq)?;
            transaction.commit()?;
            Ok(reduced)
        })
    }
}

/// Appends an event; its row is the next `seq`.
pub(super) fn insert(connection: &Connection, event: &NewEvent) -> rusqlite::Result<u64> {
    let droppable = event.payload.is_some()
        && matches!(event.topic.resource, Resource::Product | Resource::Customer);
    let seq = connection
        .prepare_cached(
            "INSERT INTO events (id, topic, resource_id, occurred_at, droppable, payload, facts)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING seq",
        )?
        .query_row(
            params![
                Uuid::now_v7().to_string(),
                event.topic.to_string(),
                event.resource_id,
                event.occurred_at,
                droppable,
                event.payload,
                event.facts,
            ],
            |row| row.get(0),
        )?;
    Ok(seq)
}

/// Leaves of an event its touch, in its place; `false` when it is one already or gone.
pub(super) fn drop_payload(connection: &Connection, seq: u64) -> rusqlite::Result<bool> {
    let found: Option<(String, Option<String>)> = connection
        .prepare_cached("SELECT topic, facts FROM events WHERE seq = ?1 AND payload IS NOT NULL")?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((topic, facts)) = found else { return Ok(false) };
    let topic = topic.parse::<Topic>().map_or(topic, |known| touched(known).to_string());
    connection
        .prepare_cached(
            "UPDATE events SET topic = ?2, facts = ?3, payload = NULL, droppable = 0 WHERE seq = ?1",
        )?
        .execute(params![seq, topic, facts.as_deref().and_then(touch_facts)])?;
    Ok(true)
}

/// One event as JSON. Payload and facts go in as the text they are: they were checked when captured, and
/// reading them as numbers would change them.
fn render(row: &rusqlite::Row<'_>, seq: u64, id: &str) -> rusqlite::Result<String> {
    let topic: String = row.get(2)?;
    let resource_id: u64 = row.get(3)?;
    let occurred_at: i64 = row.get(4)?;
    let payload: Option<String> = row.get(5)?;
    let facts: Option<String> = row.get(6)?;
    let at = DateTime::from_timestamp_millis(occurred_at).unwrap_or_default();
    Ok(format!(
        "{{\"id\":{},\"seq\":{seq},\"topic\":{},\"resource_id\":{resource_id},\"occurred_at\":\"{}\",\"payload\":{},\"facts\":{}}}",
        json_string(id),
        json_string(&topic),
        at.to_rfc3339_opts(SecondsFormat::Millis, true),
        payload.as_deref().unwrap_or("null"),
        facts.as_deref().unwrap_or("null"),
    ))
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
