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

/// A person's account; `false` when the tenant has one with this e-mail already.
///
/// # Errors
/// When the database does not answer.
pub async fn add_user(
    tx: &mut Tx,
    tenant: TenantId,
    email: &str,
    role: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let added = execute!(
        tx,
        "INSERT INTO users (tenant_id, id, email, role, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, email) DO NOTHING",
        tenant,
        new_id(),
        email,
        role,
        now,
    )?;
    Ok(added == 1)
}

/// Every tenant's key.
///
/// # Errors
/// When the database does not answer.
pub async fn all(tx: &mut Tx) -> Result<Vec<TenantId>, StoreError> {
    let rows = fetch!(fetch_all, tx, (Uuid,), "SELECT id FROM tenants ORDER BY id")?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
