//! Tenants: jewellers.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, TenantId, Tx, execute, fetch, new_id};

/// The tenant of this name, made if it is new.
///
/// # Errors
/// When the database does not answer.
pub async fn ensure(tx: &mut Tx, name: &str, now: DateTime<Utc>) -> Result<TenantId, StoreError> {
    execute!(
        tx,
        "INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO NOTHING",
        new_id(),
        name,
        now,
    )?;
    let (id,) = fetch!(fetch_one, tx, (Uuid,), "SELECT id FROM tenants WHERE name = $1", name)?;
    Ok(id)
}

/// The tenant of this name.
///
/// # Errors
/// When the database does not answer.
pub async fn find(tx: &mut Tx, name: &str) -> Result<Option<TenantId>, StoreError> {
    let row = fetch!(fetch_optional, tx, (Uuid,), "SELECT id FROM tenants WHERE name = $1", name)?;
    Ok(row.map(|(id,)| id))
}

/// Every tenant's key.
///
/// # Errors
/// When the database does not answer.
pub async fn all(tx: &mut Tx) -> Result<Vec<TenantId>, StoreError> {
    let rows = fetch!(fetch_all, tx, (Uuid,), "SELECT id FROM tenants ORDER BY id")?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
