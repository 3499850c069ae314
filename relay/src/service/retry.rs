//! A person asks for an event to be tried again, or for all that failed.

use chrono::{DateTime, Utc};
use nexpura_protocol::{Resource, Verdict};
use uuid::Uuid;

use super::{Relay, Work, anew::anew};
use crate::store::{
    StoreError, TenantId, Tx, audit,
    inbox::{self, Failed},
    resources::{self, Arrived, Key},
};

/// Events that one transaction puts back.
const AT_ONCE: i64 = 500;
/// What is said of an event until it was tried.
const AGAIN: &str = "to be tried again";

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The thing is fetched at once.
    Queued,
    /// There is no such event.
    Unknown,
    /// A nonce that did not fit: trying again decides nothing.
    NeedsDecision,
    /// It does not even tell what it is about.
    NotUnderstood,
}

/// Puts an event back, to be fetched at once.
///
/// The shop is asked how the thing stands now: what the event itself said may be long overtaken.
///
/// # Errors
/// When the database does not answer.
pub async fn retry(
    relay: &Relay,
    tenant: TenantId,
    event_id: Uuid,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Retry, StoreError> {
    let mut tx = relay.db.write().await?;
    let Some(origin) = inbox::origin(&mut tx, tenant, event_id).await? else {
        return Ok(Retry::Unknown);
    };
    if origin.resource == Resource::Lineage.as_str() {
        return Ok(Retry::NeedsDecision);
    }
    if origin.resource.parse::<Resource>().is_err() {
        return Ok(Retry::NotUnderstood);
    }
    let key = resources::Key {
        tenant,
        integration: origin.integration_id,
        resource: &origin.resource,
        remote_id: origin.resource_id,
    };
    // As if something had arrived: a fetch that is under way may have read the shop before this.
    resources::arrive(&mut tx, key, now).await?;
    resources::want(&mut tx, key, now).await?;
    let detail = Some(AGAIN);
    let status = Verdict::Queued;
    inbox::settle(&mut tx, tenant, origin.integration_id, event_id, status, detail).await?;
    let subject = format!("{} {}", origin.resource, origin.resource_id);
    audit::record(&mut tx, tenant, actor, "event.retried", &subject, now).await?;
    tx.commit().await?;
    relay.wake.of(Work::Fetch).notify_one();
    Ok(Retry::Queued)
}

/// Puts back all events that failed and say what they are about; gives how many they were.
///
/// # Errors
/// When the database does not answer; what was put back until then stays so.
pub async fn retry_failed(
    relay: &Relay,
    tenant: TenantId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let (mut after, mut again) = ((DateTime::UNIX_EPOCH, Uuid::nil()), 0);
    while let Some((last, some)) = anew(|| retry_some(relay, tenant, after, actor, now)).await? {
        after = last;
        again += some;
        relay.wake.of(Work::Fetch).notify_one();
    }
    Ok(again)
}

/// The next of them: where they end, and how many they are; nothing where there are none.
async fn retry_some(
    relay: &Relay,
    tenant: TenantId,
    after: (DateTime<Utc>, Uuid),
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Option<((DateTime<Utc>, Uuid), u64)>, StoreError> {
    let mut tx = relay.db.write().await?;
    let failed = inbox::failed(&mut tx, tenant, after, AT_ONCE).await?;
    let Some(last) = failed.last().map(Failed::key) else { return Ok(None) };
    ask_for(&mut tx, tenant, &failed, now).await?;
    let again = inbox::queue_failed(&mut tx, tenant, after, last, AGAIN).await?;
    let subject = if again == 1 { "1 event".to_owned() } else { format!("{again} events") };
    audit::record(&mut tx, tenant, actor, "events.retried", &subject, now).await?;
    tx.commit().await?;
    Ok(Some((last, again)))
}

/// Asks for what events are about, each thing once, in the order in which others lock them as well.
async fn ask_for(
    tx: &mut Tx,
    tenant: TenantId,
    failed: &[Failed],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut things: Vec<_> = failed
        .iter()
        .map(|event| (event.integration_id, event.resource.as_str(), event.resource_id))
        .collect();
    things.sort_unstable();
    things.dedup();
    for of_store in things.chunk_by(|one, next| one.0 == next.0) {
        let arrived: Vec<_> = of_store
            .iter()
            .map(|(_, resource, remote_id)| Arrived { resource, remote_id: *remote_id, times: 1 })
            .collect();
        // As if something had arrived: a fetch that is under way may have read the shop before this.
        resources::arrive_all(tx, tenant, of_store[0].0, &arrived, now).await?;
    }
    let wanted: Vec<_> = things
        .into_iter()
        .map(|(integration, resource, remote_id)| Key { tenant, integration, resource, remote_id })
        .collect();
    resources::want_all(tx, &wanted, now).await
}
