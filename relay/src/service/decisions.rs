//! What waits for a person's word: drift, conflicts, and pieces of which nobody has said whose count holds.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Relay,
    drift::{self, DriftError, Verdict},
    links::{self, Link},
};
use crate::store::{
    self, StoreError, TenantId, Tx, conflicts, drifts, keys,
    page::{MAX_LIMIT, Page, read_cursor},
};
pub use crate::store::{
    conflicts::Shown as Conflict,
    drifts::{Bulk, Shown as Drift, Waiting as WaitingDrift},
};

/// Decided drifts that are shown beside those that wait.
const LATELY: usize = 10;

/// All that waits.
#[derive(Debug)]
pub struct Waiting {
    /// Oversales, and paid lines that never left the shop's stock; the newest.
    pub conflicts: Vec<Conflict>,
    /// Pieces that both sides have; the first of them.
    pub links: Page<Link>,
    /// A page of the drifts.
    pub drifts: Page<WaitingDrift>,
    /// Drifts that were decided last.
    pub lately: Vec<Drift>,
}

fn key(after: &str) -> Uuid {
    read_cursor(after).and_then(|key| Uuid::try_parse(&key).ok()).unwrap_or(Uuid::max())
}

/// How many listings wait for a choice: asked store by store, as the index has them.
///
/// # Errors
/// When the database does not answer.
pub async fn links_waiting(tx: &mut Tx, tenant: TenantId) -> Result<i64, StoreError> {
    let mut waiting = 0;
    for (store, _) in keys::names(tx, tenant).await? {
        waiting += store::links::count_waiting(tx, tenant, store, None).await?;
    }
    Ok(waiting)
}

/// What waits. `after` is the `next` of the page of drifts before; one that was tampered with begins anew.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(
    relay: &Relay,
    tenant: TenantId,
    after: &str,
    limit: i64,
) -> Result<Waiting, StoreError> {
    let mut tx = relay.db.read().await?;
    let links_wait = links_waiting(&mut tx, tenant).await? > 0;
    let conflicts = conflicts::open(&mut tx, tenant, limit).await?;
    let drifts = drifts::waiting(&mut tx, tenant, key(after), limit + 1).await?;
    let newest = drifts::all(&mut tx, tenant, Uuid::max(), limit).await?;
    tx.commit().await?;
    let mut links = Page { items: Vec::new(), next: None };
    if links_wait {
        links = links::waiting(relay, tenant, None, None, limit).await?;
    }
    let drifts = Page::cut(drifts, limit, |drift| drift.id.to_string());
    let decided = newest.into_iter().filter(|drift| drift.resolved_at.is_some());
    Ok(Waiting { conflicts, links, drifts, lately: decided.take(LATELY).collect() })
}

/// One page of all drifts that there ever were, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn drifts(
    relay: &Relay,
    tenant: TenantId,
    after: &str,
    limit: i64,
) -> Result<Page<Drift>, StoreError> {
    let mut tx = relay.db.read().await?;
    let rows = drifts::all(&mut tx, tenant, key(after), limit + 1).await?;
    tx.commit().await?;
    Ok(Page::cut(rows, limit, |drift| drift.id.to_string()))
}

/// What deciding every drift that waits alike would come to.
///
/// # Errors
/// When the database does not answer.
pub async fn bulk(relay: &Relay, tenant: TenantId) -> Result<Bulk, StoreError> {
    let mut tx = relay.db.read().await?;
    let bulk = drifts::bulk(&mut tx, tenant).await?;
    tx.commit().await?;
    Ok(bulk)
}

/// What became of deciding all that waits alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Together {
    /// Drifts that were decided.
    pub decided: usize,
    /// Drifts that wait on: their numbers are newer than what was looked at, or cannot be relied on now.
    pub left: usize,
}

/// Decides every drift alike whose numbers are not newer than what was looked at, at `seen_at`.
///
/// # Errors
/// When the database does not answer.
pub async fn decide_drifts(
    relay: &Relay,
    tenant: TenantId,
    (verdict, seen_at): (Verdict, DateTime<Utc>),
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Together, StoreError> {
    let (mut before, mut done) = (Uuid::max(), Together::default());
    loop {
        let mut tx = relay.db.read().await?;
        let waiting = drifts::waiting(&mut tx, tenant, before, MAX_LIMIT).await?;
        tx.commit().await?;
        let Some(last) = waiting.last() else { return Ok(done) };
        before = last.id;
        for one in waiting {
            if one.created_at > seen_at {
                done.left += 1;
                continue;
            }
            let word = (verdict, one.changes);
            match drift::decide(relay, tenant, one.id, word, actor, now).await {
                Ok(()) => done.decided += 1,
                // Somebody else has decided it, or it went away.
                Err(DriftError::Unknown) => {}
                Err(DriftError::Changed | DriftError::Overtaken | DriftError::Unread) => {
                    done.left += 1;
                }
                Err(DriftError::Store(error)) => return Err(error),
            }
        }
    }
}
