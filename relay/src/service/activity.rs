//! What was done, by whom: the audit log, read.

use uuid::Uuid;

use super::Relay;
pub use crate::store::audit::Entry;
use crate::store::{
    StoreError, TenantId, audit,
    page::{Page, read_id},
};

/// One page of what was done, the newest first; of one actor where `actor` is not empty. `after` is the
/// `next` of the page before; one that was tampered with begins anew.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    relay: &Relay,
    tenant: TenantId,
    actor: &str,
    after: &str,
    limit: i64,
) -> Result<Page<Entry>, StoreError> {
    let before = read_id(after).unwrap_or(Uuid::max());
    let mut tx = relay.db.read().await?;
    let entries = match actor {
        "" => audit::list(&mut tx, tenant, before, limit + 1).await?,
        actor => audit::list_of(&mut tx, tenant, actor, before, limit + 1).await?,
    };
    tx.commit().await?;
    Ok(Page::cut(entries, limit, |entry| entry.id.to_string()))
}
