//! A push from a shop: each event is kept and, where it may be, applied, all in one transaction.

use chrono::{DateTime, TimeDelta, Utc};
use nexpura_protocol::{
    Answer, Batch, Event, Facts, Outcome, Verdict,
    event::{Resource, Verb},
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use uuid::Uuid;

use super::{
    Relay, Work,
    ledger::{self, ApplyError, OrderFate, Source},
};
use crate::{
    domain::limits,
    store::{
        IntegrationId, StoreError, TenantId, Tx, inbox, integrations, lineage, listings, resources,
        runs, spools,
    },
};

/// How often a transaction that met another one is tried.
const TRIES: u32 = 5;
/// When an event that could not be applied is tried again for the first time.
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(30);
/// When a shop whose stock is being read shall report again, in seconds.
const REPORT_SOON: u32 = 1;

/// Why a whole push was refused.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// It breaks the protocol; nothing of it was kept. The text names the place.
    #[error("{0}")]
    Malformed(String),
    /// The shop has not registered with this connection yet.
    #[error("this connection is not registered with a store yet: register with /v1/connect first")]
    Unregistered,
    /// The database did not answer; nothing of it was kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who pushes.
#[derive(Debug, Clone, Copy)]
pub struct Pusher {
    /// The tenant, from the connection alone.
    pub tenant: TenantId,
    /// The connection.
    pub connection: Uuid,
    /// The store that registered with it.
    pub integration: IntegrationId,
}

/// An event with the very text that it came as, which is what is kept.
#[derive(Debug, Deserialize)]
struct Raw<'a> {
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default)]
    facts: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct RawBatch<'a> {
    #[serde(borrow, default)]
    events: Vec<Raw<'a>>,
}

/// Takes a push in and answers for each of its events.
///
/// # Errors
/// See [`IngestError`]; then nothing was kept and the shop sends it again.
pub async fn push(
    relay: &Relay,
    pusher: Pusher,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Answer, IngestError> {
    let batch: Batch = serde_json::from_slice(body)
        .map_err(|error| IngestError::Malformed(format!("the push is malformed: {error}")))?;
    let raw: RawBatch<'_> = serde_json::from_slice(body)
        .map_err(|error| IngestError::Malformed(format!("the push is malformed: {error}")))?;
    check(&batch)?;
    let mut tries = 0;
    loop {
        tries += 1;
        match take_in(relay, pusher, &batch, &raw, now).await {
            Err(IngestError::Store(error)) if error.is_transient() && tries < TRIES => {}
            outcome => return outcome,
        }
    }
}

/// What the protocol demands of a batch beyond its form.
fn check(batch: &Batch) -> Result<(), IngestError> {
    let malformed = |text: String| Err(IngestError::Malformed(text));
    if Uuid::try_parse(&batch.spool).is_err() {
        return malformed("spool: expected a UUID".to_owned());
    }
    if batch.events.len() > nexpura_protocol::batch::MAX_EVENTS {
        return malformed(format!(
            "events: at most {} in one push",
            nexpura_protocol::batch::MAX_EVENTS
        ));
    }
    let mut last = 0;
    for (at, event) in batch.events.iter().enumerate() {
        if Uuid::try_parse(&event.id).is_err() {
            return malformed(format!("events[{at}].id: expected a UUID"));
        }
        if i64::try_from(event.resource_id).is_err() || i64::try_from(event.seq).is_err() {
            return malformed(format!("events[{at}]: a number is out of range"));
        }
        if event.seq <= last {
            return malformed(format!("events[{at}].seq: expected more than {last}"));
        }
        last = event.seq;
    }
    Ok(())
}

async fn take_in(
    relay: &Relay,
    pusher: Pusher,
    batch: &Batch,
    raw: &RawBatch<'_>,
    now: DateTime<Utc>,
) -> Result<Answer, IngestError> {
    let mut tx = relay.db.write().await?;
    let store = integrations::lock(&mut tx, pusher.tenant, pusher.integration)
        .await?
        .ok_or(IngestError::Unregistered)?;
    let mut halted = store.forked_at.is_some();
    let mut results = Vec::with_capacity(batch.events.len());
    let mut wanted = false;
    for (event, raw) in batch.events.iter().zip(&raw.events) {
        let (status, detail) = one(&mut tx, pusher, batch, event, raw, halted, now).await?;
        // A nonce may have halted the store: what follows is kept only.
        if event.topic.resource == Resource::Lineage && status == Verdict::Failed {
            halted = true;
        }
        wanted |= matches!(status, Verdict::Queued | Verdict::Superseded | Verdict::Failed);
        results.push(Outcome { id: event.id.clone(), status, detail });
    }
    let span = batch.events.first().zip(batch.events.last());
    let report = spools::Report {
        connection: pusher.connection,
        spool: &batch.spool,
        span: span.map(|(first, last)| (whole(first.seq), whole(last.seq))),
        state: batch.state,
    };
    if spools::report(&mut tx, pusher.tenant, pusher.integration, &report, now).await? {
        // What was lost on the way, or in another spool, is found by reading everything.
        let cursor = json!({ "everything": true });
        runs::ask(&mut tx, pusher.tenant, pusher.integration, "sweep", &cursor, true, now).await?;
    }
    let reading = listings::any_unsettled(&mut tx, pusher.tenant, pusher.integration).await?;
    tx.commit().await?;
    if wanted {
        relay.wake.of(Work::Fetch).notify_one();
    }
    // Other shops that sell the same piece have it still to be told.
    relay.wake.of(Work::Push).notify_one();
    Ok(Answer {
        results,
        ack: batch.events.last().map_or(0, |event| event.seq),
        report_in: reading.then_some(REPORT_SOON),
    })
}

/// Keeps one event and, where it may be, applies it. Its own failure leaves the others untouched.
async fn one(
    tx: &mut Tx,
    pusher: Pusher,
    batch: &Batch,
    event: &Event,
    raw: &Raw<'_>,
    halted: bool,
    now: DateTime<Utc>,
) -> Result<(Verdict, Option<String>), IngestError> {
    let (tenant, integration) = (pusher.tenant, pusher.integration);
    let event_id = Uuid::try_parse(&event.id)
        .map_err(|_| IngestError::Malformed("an event's id is no UUID".to_owned()))?;
    let topic = event.topic.to_string();
    let rev = event.facts.as_ref().and_then(|facts| facts.rev).map(whole);
    let arrival = inbox::Arrival {
        event_id,
        spool: &batch.spool,
        seq: whole(event.seq),
        topic: &topic,
        resource: event.topic.resource.as_str(),
        resource_id: whole(event.resource_id),
        rev,
        occurred_at: event.occurred_at,
        payload: raw.payload.map(RawValue::get),
        facts: raw.facts.map(RawValue::get),
    };
    if !inbox::insert(tx, tenant, integration, &arrival, now).await? {
        return Ok((Verdict::Duplicate, None));
    }
    if event.topic.resource == Resource::Lineage {
        let (status, detail) = follow_lineage(tx, pusher, event, now).await?;
        inbox::settle(tx, tenant, integration, event_id, status, detail.as_deref()).await?;
        return Ok((status, detail));
    }
    let key = resources::Key {
        tenant,
        integration,
        resource: event.topic.resource.as_str(),
        remote_id: whole(event.resource_id),
    };
    let standing = resources::arrive(tx, key, now).await?;
    if halted {
        let detail = "kept only: two databases claim to be this shop, a person has to decide";
        resources::want(tx, key, now).await?;
        inbox::settle(tx, tenant, integration, event_id, Verdict::Queued, Some(detail)).await?;
        return Ok((Verdict::Queued, Some(detail.to_owned())));
    }
    let newer = rev.is_some_and(|rev| standing.rev.is_none_or(|known| rev > known));
    let superseded = rev.is_some() && !newer;
    let settled = match &event.payload {
        Some(payload) if newer => {
            let source = Source {
                tenant,
                integration,
                event: Some(event_id),
                heard_at: standing.heard_at.unwrap_or(now),
                now,
            };
            apply(tx, &source, event, payload, key, rev).await?
        }
        _ => {
            resources::want(tx, key, now).await?;
            (if superseded { Verdict::Superseded } else { Verdict::Queued }, None)
        }
    };
    inbox::settle(tx, tenant, integration, event_id, settled.0, settled.1.as_deref()).await?;
    Ok(settled)
}

async fn apply(
    tx: &mut Tx,
    source: &Source,
    event: &Event,
    payload: &serde_json::Value,
    key: resources::Key<'_>,
    rev: Option<i64>,
) -> Result<(Verdict, Option<String>), IngestError> {
    let deleted = event.topic.verb == Verb::Deleted;
    if deleted && event.topic.resource != Resource::Order {
        // Whether it lies in the trash or is gone for good, only the shop can say.
        resources::want(tx, key, source.now).await?;
        return Ok((Verdict::Queued, None));
    }
    let fate = if deleted { OrderFate::Deleted } else { OrderFate::Stands };
    tx.savepoint().await?;
    let applied = match identified(event, payload) {
        Ok(()) => {
            ledger::apply(tx, source, event.topic.resource, payload, event.facts.as_ref(), fate)
                .await
        }
        Err(error) => Err(error),
    };
    match applied {
        Ok(()) => {
            tx.keep().await?;
            let content = ledger::digest(payload, event.facts.as_ref());
            resources::brought(tx, key, rev, &content, source.now).await?;
            Ok((Verdict::Applied, None))
        }
        Err(ApplyError::Store(error)) if !error.is_refusal() => Err(error.into()),
        Err(error) => {
            tx.undo().await?;
            resources::put_back(tx, key, source.now + FIRST_RETRY, true).await?;
            Ok((Verdict::Failed, Some(error.for_people())))
        }
    }
}

/// A payload must be about what its event names, and no deeper than anything WooCommerce sends.
fn identified(event: &Event, payload: &serde_json::Value) -> Result<(), ApplyError> {
    limits::check_depth(payload, limits::MAX_DEPTH)?;
    let id = payload.get("id").and_then(serde_json::Value::as_u64);
    if id == Some(event.resource_id) {
        return Ok(());
    }
    Err(ApplyError::Range("the payload's id is not the event's".to_owned()))
}

/// Follows the chain of nonces; a link that does not fit halts the store.
async fn follow_lineage(
    tx: &mut Tx,
    pusher: Pusher,
    event: &Event,
    now: DateTime<Utc>,
) -> Result<(Verdict, Option<String>), IngestError> {
    let text = |key: &str| {
        let value = event.payload.as_ref()?.get(key)?.as_str()?;
        (!value.is_empty() && value.len() <= 100).then_some(value)
    };
    let (Some(previous), Some(next)) = (text("previous"), text("next")) else {
        return Ok((Verdict::Ignored, Some("a nonce without previous and next".to_owned())));
    };
    let link = lineage::link(tx, pusher.tenant, pusher.integration, previous, next, now).await?;
    let reason = match link {
        lineage::Link::Fits => return Ok((Verdict::Applied, None)),
        lineage::Link::UnknownPrevious => {
            "the shop's database goes on from a state that was never seen: restored from a backup, or another database under the same connection"
        }
        lineage::Link::SecondNext => {
            "two databases go on from the same state: the shop was copied, and both copies are live"
        }
    };
    integrations::fork(tx, pusher.tenant, pusher.integration, reason, now).await?;
    Ok((Verdict::Failed, Some(reason.to_owned())))
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What the facts of a representation that the relay fetched itself say.
#[must_use]
pub fn facts_of(payload: &mut serde_json::Value) -> Option<Facts> {
    let facts = payload.as_object_mut()?.remove("nexpura")?;
    serde_json::from_value(facts).ok()
}
