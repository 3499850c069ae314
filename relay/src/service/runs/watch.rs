//! Looking at runs: one with what it found, and how one gets on while somebody watches.

use std::time::Duration;

use futures::{Stream, stream};
use uuid::Uuid;

use super::super::Relay;
use crate::store::{
    IntegrationId, StoreError, TenantId,
    page::{MAX_LIMIT, Page, read_cursor, read_id},
    runs::{self, Finding, Shown},
};

/// How often a run is looked at while somebody watches it.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// One page of runs before the one of the key `before`, the newest first; those of one store if it is given.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    relay: &Relay,
    tenant: TenantId,
    store: Option<IntegrationId>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Page<Shown>, StoreError> {
    let before = before.unwrap_or(Uuid::max());
    let mut tx = relay.db.read().await?;
    let rows = runs::before(&mut tx, tenant, store, before, limit + 1).await?;
    tx.commit().await?;
    Ok(Page::cut(rows, limit, |run| run.id.to_string()))
}

/// One run.
///
/// # Errors
/// When the database does not answer.
pub async fn find(relay: &Relay, tenant: TenantId, id: Uuid) -> Result<Option<Shown>, StoreError> {
    let mut tx = relay.db.read().await?;
    let run = runs::get(&mut tx, tenant, id).await?;
    tx.commit().await?;
    Ok(run)
}

/// One page of a store's runs, the newest first: of this kind, or of all, where sweeps that found nothing are left out.
/// `after` is the `next` of the page before; one that was tampered with begins anew.
///
/// # Errors
/// When the database does not answer.
pub async fn of_store(
    relay: &Relay,
    tenant: TenantId,
    store: IntegrationId,
    kind: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Page<Shown>, StoreError> {
    let before = read_id(after).unwrap_or(Uuid::max());
    let mut tx = relay.db.read().await?;
    let rows = runs::of_store(&mut tx, tenant, store, kind, before, limit + 1).await?;
    tx.commit().await?;
    Ok(Page::cut(rows, limit, |run| run.id.to_string()))
}

/// One run with a page of what it found. `after` is the `next` of the page before; one that was tampered with begins
/// anew.
///
/// # Errors
/// When the database does not answer.
pub async fn report(
    relay: &Relay,
    tenant: TenantId,
    id: Uuid,
    after: &str,
    limit: i64,
) -> Result<Option<(Shown, Page<Finding>)>, StoreError> {
    let mut tx = relay.db.read().await?;
    let run = runs::get(&mut tx, tenant, id).await?;
    tx.commit().await?;
    let Some(run) = run else { return Ok(None) };
    Ok(Some((run, findings(relay, tenant, id, after, limit).await?)))
}

/// One page of what a run found; see [`report`].
///
/// # Errors
/// When the database does not answer.
pub async fn findings(
    relay: &Relay,
    tenant: TenantId,
    id: Uuid,
    after: &str,
    limit: i64,
) -> Result<Page<Finding>, StoreError> {
    let cursor = read_cursor(after).unwrap_or_default();
    let after = read_key(&cursor).unwrap_or(("", "", 0));
    let mut tx = relay.db.read().await?;
    let rows = runs::findings(&mut tx, tenant, id, after, limit + 1).await?;
    tx.commit().await?;
    Ok(Page::cut(rows, limit, |one| format!("{} {} {}", one.outcome, one.resource, one.remote_id)))
}

/// All that a run found.
///
/// # Errors
/// When the database does not answer.
pub async fn all_findings(
    relay: &Relay,
    tenant: TenantId,
    id: Uuid,
) -> Result<Vec<Finding>, StoreError> {
    let (mut found, mut after) = (Vec::new(), Some(String::new()));
    while let Some(from) = after {
        let page = findings(relay, tenant, id, &from, MAX_LIMIT).await?;
        found.extend(page.items);
        after = page.next;
    }
    Ok(found)
}

fn read_key(key: &str) -> Option<runs::AfterFinding<'_>> {
    let mut parts = key.splitn(3, ' ');
    Some((parts.next()?, parts.next()?, parts.next()?.parse().ok()?))
}

/// The run each time it has moved, the last time when it has ended.
pub fn moves(relay: Relay, tenant: TenantId, id: Uuid) -> impl Stream<Item = Shown> {
    stream::unfold(Some(None::<Shown>), move |seen| {
        let relay = relay.clone();
        async move {
            let seen = seen?;
            loop {
                let run = find(&relay, tenant, id).await.ok().flatten()?;
                if seen.as_ref() != Some(&run) {
                    let next = run.finished_at.is_none().then(|| Some(run.clone()));
                    return Some((run, next));
                }
                if relay.wake.is_stopping() {
                    return None;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    })
}
