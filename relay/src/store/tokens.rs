//! Bearer tokens of the machine API, kept as hashes.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, TenantId, Tx, execute, fetch, new_id};

/// Keeps a token's hash.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    hash: &[u8],
    label: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO tokens (tenant_id, id, hash, label, created_at) VALUES ($1, $2, $3, $4, $5)",
        tenant,
        new_id(),
        hash,
        label,
        now,
    )
    .map(drop)
}

/// Every token of a tenant that is not revoked, with its hash, for a comparison in constant time.
///
/// # Errors
/// When the database does not answer.
pub async fn live(tx: &mut Tx, tenant: TenantId) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        (Uuid, Vec<u8>),
        "SELECT id, hash FROM tokens WHERE tenant_id = $1 AND revoked_at IS NULL",
        tenant,
    )
}
