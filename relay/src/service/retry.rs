//! A person asks for an event to be tried again.

use chrono::{DateTime, Utc};
use nexpura_protocol::{Resource, Verdict};
use uuid::Uuid;

use super::{Relay, Work};
use crate::store::{StoreError, TenantId, audit, inbox, resources};

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
    let detail = Some("to be tried again");
    let status = Verdict::Queued;
    inbox::settle(&mut tx, tenant, origin.integration_id, event_id, status, detail).await?;
    let subject = format!("{} {}", origin.resource, origin.resource_id);
    audit::record(&mut tx, tenant, actor, "event.retried", &subject, now).await?;
    tx.commit().await?;
    relay.wake.of(Work::Fetch).notify_one();
    Ok(Retry::Queued)
}
