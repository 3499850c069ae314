//! What a person has left, because it cannot be read.

use chrono::{DateTime, Utc};

use super::Key;
use crate::store::{StoreError, Tx, execute};

/// Has a thing fetched no more until something new of it arrives; `false` where it was not to be fetched. What is
/// known of it stays heard of.
///
/// # Errors
/// When the database does not answer.
pub async fn leave(tx: &mut Tx, key: Key<'_>, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let left = execute!(
        tx,
        "UPDATE resources SET fetch_at = NULL, attempts = 0, left_at = $5, left_content = NULL
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4
           AND fetch_at IS NOT NULL",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
        now,
    )?;
    Ok(left > 0)
}

/// Whether a thing that a listing shows with this digest, and that could not be taken in, was left as that. What is
/// shown first after it was left is what was left; another digest ends it.
///
/// # Errors
/// When the database does not answer.
pub async fn stays_left(tx: &mut Tx, key: Key<'_>, content: &[u8]) -> Result<bool, StoreError> {
    let same = execute!(
        tx,
        "UPDATE resources SET left_content = $5
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4
           AND left_at IS NOT NULL AND (left_content IS NULL OR left_content = $5)",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
        content,
    )?;
    if same > 0 {
        return Ok(true);
    }
    execute!(
        tx,
        "UPDATE resources SET left_at = NULL, left_content = NULL
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4
           AND left_at IS NOT NULL",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
    )?;
    Ok(false)
}
