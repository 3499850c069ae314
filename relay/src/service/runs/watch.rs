//! Looking at runs: one with what it found, and how one gets on while somebody watches.

use std::time::Duration;

use futures::{Stream, stream};
use uuid::Uuid;

use super::super::Relay;
use crate::store::{
    IntegrationId, StoreError, TenantId,
    page::Page,
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

/// One run with what it found.
///
/// # Errors
/// When the database does not answer.
pub async fn report(
    relay: &Relay,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<(Shown, Vec<Finding>)>, StoreError> {
    let mut tx = relay.db.read().await?;
    let run = runs::get(&mut tx, tenant, id).await?;
    let findings = runs::findings(&mut tx, tenant, id).await?;
    tx.commit().await?;
    Ok(run.map(|run| (run, findings)))
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
