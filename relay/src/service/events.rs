//! Events for people: what arrived, and what became of it.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Relay;
pub use crate::store::inbox::{Entry, Whole};
use crate::store::{
    IntegrationId, StoreError, TenantId, Tx, inbox,
    page::{Page, moment_key, read_cursor, read_moment_key},
};

/// What can become of an event: its statuses, the one that somebody has to look at first.
pub const STATES: [&str; 5] = ["failed", "queued", "applied", "superseded", "ignored"];

/// Which events.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// An order's number, with or without its `#`; empty for all.
    pub order: String,
    /// Only those of this status; empty for all.
    pub status: String,
    /// Only what this store told.
    pub store: Option<IntegrationId>,
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
    let rows = match (order, search.store, status) {
        ("", None, None) => inbox::newest(&mut tx, tenant, false, before, limit + 1).await?,
        ("", None, Some(status)) => {
            inbox::of_state(&mut tx, tenant, status, false, before, limit + 1).await?
        }
        ("", Some(store), status) => {
            of_store(&mut tx, tenant, (store, status), before, limit + 1).await?
        }
        (number, store, status) => {
            let (id, only) = (number.parse().ok(), (store, status));
            inbox::of_order(&mut tx, tenant, number, id, only, before, limit + 1).await?
        }
    };
    tx.commit().await?;
    Ok(Page::cut(rows, limit, |event| moment_key(event.received_at, event.id)))
}

/// The newest events that one store told, of one status or put together from those of each: one index finds both, and
/// the rare among the many.
async fn of_store(
    tx: &mut Tx,
    tenant: TenantId,
    (store, status): (IntegrationId, Option<&str>),
    before: (DateTime<Utc>, Uuid),
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    let mut rows = Vec::new();
    for one in STATES {
        if status.is_none_or(|status| status == one) {
            let which = (store, one);
            rows.extend(inbox::of_store(tx, tenant, which, false, before, limit).await?);
        }
    }
    rows.sort_unstable_by_key(|event| Reverse((event.received_at, event.id)));
    rows.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(rows)
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
