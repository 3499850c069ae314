//! A person leaves an order that cannot be read, so that nothing waits for it any more.

use chrono::{DateTime, Utc};
use nexpura_protocol::{Resource, Verdict};
use uuid::Uuid;

use super::Relay;
use crate::store::{StoreError, TenantId, audit, inbox, integrations, resources};

/// What is said of its events.
const LEFT: &str = "a person has left this order: it is asked for again once the shop tells something new of it, \
    or somebody tries it again";

/// Why nothing was left.
#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    /// There is none.
    #[error("there is no event with this id")]
    Unknown,
    /// Nothing waits for anything but an order.
    #[error("only an order can be left: nothing waits for anything else")]
    NoOrder,
    /// It has been read or left meanwhile, or never waited.
    #[error("this order does not wait to be read: it is in, or has been left already")]
    NotUnread,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Leaves the order that an event is about: it is unread no more, until something new of it arrives or somebody
/// tries it again. Whatever it sold is not posted until then.
///
/// # Errors
/// See [`LeaveError`].
pub async fn leave(
    relay: &Relay,
    tenant: TenantId,
    event_id: Uuid,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), LeaveError> {
    let mut tx = relay.db.write().await?;
    let origin = inbox::origin(&mut tx, tenant, event_id).await?.ok_or(LeaveError::Unknown)?;
    if origin.resource != Resource::Order.as_str() {
        return Err(LeaveError::NoOrder);
    }
    let (store, order) = (origin.integration_id, origin.resource_id);
    let resource = origin.resource.as_str();
    integrations::lock(&mut tx, tenant, store).await?;
    let key = resources::Key { tenant, integration: store, resource, remote_id: order };
    if !resources::leave(&mut tx, key, now).await? {
        return Err(LeaveError::NotUnread);
    }
    let status = Verdict::Ignored;
    inbox::settle_waiting(&mut tx, tenant, store, resource, order, status, Some(LEFT)).await?;
    audit::record(&mut tx, tenant, actor, "order.left", &format!("order {order}"), now).await?;
    Ok(tx.commit().await?)
}
