//! Events for people: what arrived, and what became of it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Relay;
pub use crate::store::inbox::{Entry, Whole};
use crate::store::{
    StoreError, TenantId, inbox,
    page::{Page, moment_key, read_cursor, read_moment_key},
};

/// Which events.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// An order's number, with or without its `#`; empty for all.
    pub order: String,
    /// Only those of this status; empty for all.
    pub status: String,
}

/// One page of events, the newest first. `after` is the `next` of the page before; one that was tampered
/// with begins anew.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    relay: &Relay,
    tenant: TenantId,
    search: &Search,
    after: &str,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Page<Entry>, StoreError> {
    let key = read_cursor(after).as_deref().and_then(read_moment_key);
    // A clock that was put back hides nothing that came in the future.
    let before = key.unwrap_or((now + chrono::TimeDelta::days(366), Uuid::max()));
    let status = (!search.status.is_empty()).then_some(search.status.as_str());
    let order = search.order.trim();
    let order = order.strip_prefix('#').unwrap_or(order);
    let mut tx = relay.db.read().await?;
    let rows = match (order, status) {
        ("", None) => inbox::newest(&mut tx, tenant, false, before, limit + 1).await?,
        ("", Some(status)) => {
            inbox::of_status(&mut tx, tenant, status, false, before, limit + 1).await?
        }
        (number, status) => {
            let id = number.parse().ok();
            inbox::of_order(&mut tx, tenant, number, id, status, before, limit + 1).await?
        }
    };
    tx.commit().await?;
    Ok(Page::cut(rows, limit, |event| moment_key(event.received_at, event.id)))
}

/// One event, if it is there.
///
/// # Errors
/// When the database does not answer.
pub async fn whole(relay: &Relay, tenant: TenantId, id: Uuid) -> Result<Option<Whole>, StoreError> {
    let mut tx = relay.db.read().await?;
    let event = inbox::whole(&mut tx, tenant, id).await?;
    tx.commit().await?;
    Ok(event)
}
