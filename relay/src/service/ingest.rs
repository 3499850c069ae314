//! A push from a shop: each event is kept and, where it may be, applied, all in one transaction.

mod read;

use chrono::{DateTime, TimeDelta, Utc};
use nexpura_protocol::{
    Answer, Event, Facts, Outcome, Verdict,
    event::{Resource, Verb},
};
use serde_json::json;
use uuid::Uuid;

use read::Content;

use super::{
    Relay, Work,
    anew::{anew, may_be_store},
    ledger::{self, ApplyError, OrderFate, Source},
    privacy,
};
use crate::{
    domain::limits,
    store::{
        IntegrationId, StoreError, TenantId, Tx, inbox, integrations, lineage, listings, resources,
        runs, spools,
    },
};

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

may_be_store!(IngestError);

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
    let push = read::push(body)?;
    anew(|| take_in(relay, pusher, &push, now)).await
}

async fn take_in(
    relay: &Relay,
    pusher: Pusher,
    push: &read::Push<'_>,
    now: DateTime<Utc>,
) -> Result<Answer, IngestError> {
    let mut tx = relay.db.write().await?;
    let store = integrations::lock(&mut tx, pusher.tenant, pusher.integration)
        .await?
        .ok_or(IngestError::Unregistered)?;
    let mut halted = store.forked_at.is_some();
    let mut results = Vec::with_capacity(push.events.len());
    let mut wanted = false;
    for arrived in &push.events {
        let (status, detail) = one(&mut tx, pusher, &push.spool, arrived, halted, now).await?;
        // A nonce may have halted the store: what follows is kept only.
        if arrived.is_lineage() && status == Verdict::Failed {
            halted = true;
        }
        wanted |= matches!(status, Verdict::Queued | Verdict::Superseded | Verdict::Failed);
        results.push(Outcome { id: arrived.id_text.clone(), status, detail });
    }
    let span = push.events.first().zip(push.events.last());
    let report = spools::Report {
        connection: pusher.connection,
        spool: &push.spool,
        span: span.map(|(first, last)| (first.seq, last.seq)),
        state: push.state,
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
        ack: push.events.last().map_or(0, |event| event.seq.unsigned_abs()),
        report_in: reading.then_some(REPORT_SOON),
    })
}

/// Keeps one event and, where it may be, applies it. Its own failure leaves the others untouched.
async fn one(
    tx: &mut Tx,
    pusher: Pusher,
    spool: &str,
    arrived: &read::Arrived<'_>,
    halted: bool,
    now: DateTime<Utc>,
) -> Result<(Verdict, Option<String>), IngestError> {
    let (tenant, integration, event_id) = (pusher.tenant, pusher.integration, arrived.id);
    let (topic, resource, resource_id, rev) = match &arrived.content {
        Content::Clear(event) => (
            event.topic.to_string(),
            event.topic.resource.as_str(),
            whole(event.resource_id),
            event.facts.as_ref().and_then(|facts| facts.rev).map(whole),
        ),
        Content::Unclear(unclear) => {
            let about = unclear.about.map(|(resource, id)| (resource.as_str(), id));
            let (resource, id) = about.unwrap_or((read::UNKNOWN, 0));
            (unclear.topic.clone(), resource, id, None)
        }
    };
    let arrival = inbox::Arrival {
        event_id,
        spool,
        seq: arrived.seq,
        topic: &topic,
        resource,
        resource_id,
        rev,
        occurred_at: arrived.occurred_at(now),
        payload: arrived.payload,
        facts: arrived.facts,
    };
    if !inbox::insert(tx, tenant, integration, &arrival, now).await? {
        return Ok((Verdict::Duplicate, None));
    }
    let settled = match &arrived.content {
        Content::Clear(event) => understood(tx, pusher, event_id, event, halted, now).await?,
        Content::Unclear(unclear) => {
            if let Some((resource, remote_id)) = unclear.about {
                // At least it is known what to ask the shop for.
                let resource = resource.as_str();
                let key = resources::Key { tenant, integration, resource, remote_id };
                if resources::arrive(tx, key, now).await?.erased_at.is_some() {
                    privacy::forget_payloads(tx, key).await?;
                }
                resources::want(tx, key, now).await?;
            }
            (Verdict::Failed, Some(format!("the event is not understood: {}", unclear.reason)))
        }
    };
    inbox::settle(tx, tenant, integration, event_id, settled.0, settled.1.as_deref()).await?;
    Ok(settled)
}

/// Applies an event that is understood, where it may be.
async fn understood(
    tx: &mut Tx,
    pusher: Pusher,
    event_id: Uuid,
    event: &Event,
    halted: bool,
    now: DateTime<Utc>,
) -> Result<(Verdict, Option<String>), IngestError> {
    let (tenant, integration) = (pusher.tenant, pusher.integration);
    if event.topic.resource == Resource::Lineage {
        return follow_lineage(tx, pusher, event, now).await;
    }
    let key = resources::Key {
        tenant,
        integration,
        resource: event.topic.resource.as_str(),
        remote_id: whole(event.resource_id),
    };
    let standing = resources::arrive(tx, key, now).await?;
    if standing.erased_at.is_some() {
        // The shop may go on to name a person whom the ledger has forgotten.
        privacy::forget_payloads(tx, key).await?;
    }
    if halted {
        let detail = "kept only: two databases claim to be this shop, a person has to decide";
        resources::want(tx, key, now).await?;
        return Ok((Verdict::Queued, Some(detail.to_owned())));
    }
    let rev = event.facts.as_ref().and_then(|facts| facts.rev).map(whole);
    let newer = rev.is_some_and(|rev| standing.rev.is_none_or(|known| rev > known));
    let superseded = rev.is_some() && !newer;
    match &event.payload {
        Some(payload) if newer => {
            let source = Source {
                tenant,
                integration,
                event: Some(event_id),
                heard_at: standing.heard_at.unwrap_or(now),
                erased: standing.erased_at.is_some(),
                now,
            };
            apply(tx, &source, event, payload, key, rev).await
        }
        _ => {
            resources::want(tx, key, now).await?;
            Ok((if superseded { Verdict::Superseded } else { Verdict::Queued }, None))
        }
    }
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
        (!value.is_empty() && value.len() <= 100 && !value.contains('\0')).then_some(value)
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
