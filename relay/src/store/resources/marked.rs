//! What was marked in the shop as brought over, where a mark is a change of the thing.

use chrono::{DateTime, Utc};

use super::Key;
use crate::store::{StoreError, Tx, execute, fetch};

/// Whether a thing was marked.
///
/// # Errors
/// When the database does not answer.
pub async fn was_marked(tx: &mut Tx, key: Key<'_>) -> Result<bool, StoreError> {
    let marked = fetch!(
        fetch_optional,
        tx,
        (i64,),
        "SELECT remote_id FROM resources
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4
           AND marked_at IS NOT NULL",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
    )?;
    Ok(marked.is_some())
}

/// Notes that a thing was marked.
///
/// # Errors
/// When the database does not answer.
pub async fn marked(tx: &mut Tx, key: Key<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE resources SET marked_at = $5
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
        now,
    )
    .map(drop)
}
