//! Events that failed, to be tried again all together.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// An event that failed and what it is about.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Failed {
    /// Its id.
    pub event_id: Uuid,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// Whose it is.
    pub integration_id: IntegrationId,
    /// `order`, `product` or `customer`.
    pub resource: String,
    /// WooCommerce's id.
    pub resource_id: i64,
}

impl Failed {
    /// Where it stands among them.
    #[must_use]
    pub fn key(&self) -> (DateTime<Utc>, Uuid) {
        (self.received_at, self.event_id)
    }
}

/// The oldest events after `after` that failed and say what they are about.
///
/// # Errors
/// When the database does not answer.
pub async fn failed(
    tx: &mut Tx,
    tenant: TenantId,
    after: (DateTime<Utc>, Uuid),
    limit: i64,
) -> Result<Vec<Failed>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Failed,
        "SELECT event_id, received_at, integration_id, resource, resource_id FROM inbox
         WHERE tenant_id = $1 AND status = 'failed' AND (received_at, event_id) > ($2, $3)
           AND resource IN ('order', 'product', 'customer')
         ORDER BY received_at, event_id LIMIT $4",
        tenant,
        after.0,
        after.1,
        limit,
    )
}

/// Lets those after one and up to another wait again; gives how many they were.
///
/// # Errors
/// When the database does not answer.
pub async fn queue_failed(
    tx: &mut Tx,
    tenant: TenantId,
    after: (DateTime<Utc>, Uuid),
    last: (DateTime<Utc>, Uuid),
    detail: &str,
) -> Result<u64, StoreError> {
    execute!(
        tx,
        "UPDATE inbox SET status = 'queued', detail = $6
         WHERE tenant_id = $1 AND status = 'failed' AND (received_at, event_id) > ($2, $3)
           AND (received_at, event_id) <= ($4, $5) AND resource IN ('order', 'product', 'customer')",
        tenant,
        after.0,
        after.1,
        last.0,
        last.1,
        detail,
    )
}
