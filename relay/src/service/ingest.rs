//! A push from a shop: each event is kept and, where it may be, applied, all in one transaction.

mod course;
mod read;

use chrono::{DateTime, TimeDelta, Utc};
use nexpura_protocol::{
    Answer, Event, Facts, Outcome, Verdict,
    event::{Resource, Verb},
};
use serde_json::json;
use uuid::Uuid;

use course::{Course, Standing};
use read::Content;

use super::{
    Relay, Work,
    anew::{anew, may_be_store},
    ledger::{self, ApplyError, OrderFate, Source, Unwritten},
};
use crate::{
    domain::limits,
    store::{
        IntegrationId, StoreError, TenantId, Tx, integrations, lineage, listings, resources, runs,
        spools,
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
    let mut manner = Manner::Together;
    loop {
        let taken = anew(|| take_in(relay, pusher, &push, manner, now)).await?;
        if let Some(answer) = taken {
            return Ok(answer);
        }
        manner = Manner::Apart;
    }
}

/// How the events of a push are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// All at once, as nearly every push can be.
    Together,
    /// Each within a savepoint, so that one's failure leaves the others untouched.
    Apart,
}

/// Why a push was stopped on its way.
#[derive(Debug)]
enum Stopped {
    /// The database did not answer.
    Store(StoreError),
    /// An event could not be applied: the push is to be taken in anew, its events apart.
    Failing,
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Takes it in and answers; nothing where an event could not be applied together with the others.
async fn take_in(
    relay: &Relay,
    pusher: Pusher,
    push: &read::Push<'_>,
    manner: Manner,
    now: DateTime<Utc>,
) -> Result<Option<Answer>, IngestError> {
    let mut tx = relay.db.write().await?;
    let store = integrations::lock(&mut tx, pusher.tenant, pusher.integration)
        .await?
        .ok_or(IngestError::Unregistered)?;
    let mut halted = store.forked_at.is_some();
    let mut course = Course::begin(&mut tx, pusher, &push.events, now).await?;
    let mut results = Vec::with_capacity(push.events.len());
    let mut wanted = false;
    for arrived in &push.events {
        let id = arrived.id_text.clone();
        if !course.is_new(arrived.id) {
            results.push(Outcome { id, status: Verdict::Duplicate, detail: None });
            continue;
        }
        let mut taker = Taker { tx: &mut tx, course: &mut course, pusher, manner, halted, now };
        let (status, detail) = match taker.one(arrived).await {
            Ok(settled) => settled,
            Err(Stopped::Failing) => return Ok(None),
            Err(Stopped::Store(error)) => return Err(error.into()),
        };
        // A nonce may have halted the store: what follows is kept only.
        if arrived.is_lineage() && status == Verdict::Failed {
            halted = true;
        }
        wanted |= matches!(status, Verdict::Queued | Verdict::Superseded | Verdict::Failed);
        course.settle(&push.spool, arrived, status, detail.clone());
        results.push(Outcome { id, status, detail });
    }
    match course.end(&mut tx).await {
        Err(error) if error.is_refusal() && manner == Manner::Together => return Ok(None),
        ended => ended?,
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
    Ok(Some(Answer {
        results,
        ack: push.events.last().map_or(0, |event| event.seq.unsigned_abs()),
        report_in: reading.then_some(REPORT_SOON),
    }))
}

/// What became of an event, and why.
type Settled = (Verdict, Option<String>);

/// Takes one event in, where it may be.
struct Taker<'a, 'p> {
    tx: &'a mut Tx,
    course: &'a mut Course<'p>,
    pusher: Pusher,
    manner: Manner,
    halted: bool,
    now: DateTime<Utc>,
}

impl Taker<'_, '_> {
    async fn one(&mut self, arrived: &read::Arrived<'_>) -> Result<Settled, Stopped> {
        match &arrived.content {
            Content::Clear(event) if arrived.is_lineage() => {
                Ok(follow_lineage(self.tx, self.pusher, event, self.now).await?)
            }
            Content::Clear(event) => self.understood(arrived, event).await,
            Content::Unclear(unclear) => {
                if let Some((resource, id)) = unclear.about {
                    // At least it is known what to ask the shop for.
                    resources::want(self.tx, self.key(resource, id), self.now).await?;
                }
                let detail = format!("the event is not understood: {}", unclear.reason);
                Ok((Verdict::Failed, Some(detail)))
            }
        }
    }

    fn key(&self, resource: Resource, remote_id: i64) -> resources::Key<'static> {
        resources::Key {
            tenant: self.pusher.tenant,
            integration: self.pusher.integration,
            resource: resource.as_str(),
            remote_id,
        }
    }

    /// Applies an event that is understood, where it may be.
    async fn understood(
        &mut self,
        arrived: &read::Arrived<'_>,
        event: &Event,
    ) -> Result<Settled, Stopped> {
        let thing = (event.topic.resource, whole(event.resource_id));
        let key = self.key(thing.0, thing.1);
        if self.halted {
            let detail = "kept only: two databases claim to be this shop, a person has to decide";
            resources::want(self.tx, key, self.now).await?;
            return Ok((Verdict::Queued, Some(detail.to_owned())));
        }
        let standing = self.course.standing(thing);
        let rev = arrived.rev();
        let newer = rev.filter(|rev| standing.rev.is_none_or(|known| *rev > known));
        let superseded = rev.is_some() && newer.is_none();
        // Whether a thing lies in the trash or is gone for good, only the shop can say.
        let told = event.topic.verb != Verb::Deleted || event.topic.resource == Resource::Order;
        match (&event.payload, newer) {
            (Some(payload), Some(rev)) if told => {
                self.apply(event, arrived.id, payload, rev, standing).await
            }
            _ => {
                resources::want(self.tx, key, self.now).await?;
                Ok((if superseded { Verdict::Superseded } else { Verdict::Queued }, None))
            }
        }
    }

    async fn apply(
        &mut self,
        event: &Event,
        event_id: Uuid,
        payload: &serde_json::Value,
        rev: i64,
        standing: Standing,
    ) -> Result<Settled, Stopped> {
        let (tenant, integration) = (self.pusher.tenant, self.pusher.integration);
        let thing = (event.topic.resource, whole(event.resource_id));
        let source = Source {
            tenant,
            integration,
            event: Some(event_id),
            fresh: self.course.is_fresh(thing),
            heard_at: standing.heard_at,
            erased: self.course.is_erased(thing),
            now: self.now,
        };
        if let Err(error) = identified(event, payload) {
            return self.failed(thing, &error).await;
        }
        self.course.begin_with(thing);
        if self.manner == Manner::Apart {
            self.tx.savepoint().await?;
        }
        match self.posted(&source, event, payload).await {
            Ok(()) => {
                if self.manner == Manner::Apart {
                    self.tx.keep().await?;
                }
                let content = ledger::digest(payload, event.facts.as_ref());
                self.course.brought(thing, rev, content);
                Ok((Verdict::Applied, None))
            }
            Err(ApplyError::Store(error)) if !error.is_refusal() => Err(error.into()),
            Err(_) if self.manner == Manner::Together => Err(Stopped::Failing),
            Err(error) => {
                self.tx.undo().await?;
                self.course.unwritten = Unwritten::default();
                self.failed(thing, &error).await
            }
        }
    }

    /// Brings the ledger to what the event shows; apart from others, to the last movement.
    async fn posted(
        &mut self,
        source: &Source,
        event: &Event,
        payload: &serde_json::Value,
    ) -> Result<(), ApplyError> {
        let deleted = event.topic.verb == Verb::Deleted;
        let fate = if deleted { OrderFate::Deleted } else { OrderFate::Stands };
        let (resource, facts) = (event.topic.resource, event.facts.as_ref());
        let unwritten = &mut self.course.unwritten;
        ledger::apply_with(self.tx, unwritten, source, resource, payload, facts, fate).await?;
        if self.manner == Manner::Apart {
            unwritten.write(self.tx, source).await?;
        }
        Ok(())
    }

    /// The event is kept, shown to people, and its thing is asked for later.
    async fn failed(
        &mut self,
        (resource, id): (Resource, i64),
        error: &ApplyError,
    ) -> Result<Settled, Stopped> {
        let key = self.key(resource, id);
        resources::put_back(self.tx, key, self.now + FIRST_RETRY, true).await?;
        Ok((Verdict::Failed, Some(error.for_people())))
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
) -> Result<Settled, StoreError> {
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
