//! Up to when the ledger knows all that changed in a store.

use chrono::{DateTime, Utc};

use crate::store::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// Up to when all changes of a store are known, by what its listings said.
#[derive(Debug, Clone, Copy, Default, sqlx::FromRow)]
pub struct KnownUntil {
    /// Orders.
    pub orders: Option<DateTime<Utc>>,
    /// By how many seconds the store's clock was slow at most when that was read.
    pub orders_slow: i64,
    /// Products.
    pub products: Option<DateTime<Utc>>,
    /// The same for these.
    pub products_slow: i64,
    /// Everything, however old, by a deep sweep.
    pub deep: Option<DateTime<Utc>>,
}

/// Up to when all changes of a store are known.
///
/// # Errors
/// When the database does not answer.
pub async fn known_until(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<KnownUntil, StoreError> {
    let known = fetch!(
        fetch_optional,
        tx,
        KnownUntil,
        "SELECT orders_known_until AS orders, orders_slow,
            products_known_until AS products, products_slow, deep_at AS deep
         FROM integrations WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )?;
    Ok(known.unwrap_or_default())
}

/// Notes up to when all orders of a store are known, and by how many seconds its clock was slow at most when they were
/// read.
///
/// # Errors
/// When the database does not answer.
pub async fn orders_known(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    until: DateTime<Utc>,
    slow: i64,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET orders_known_until = $3, orders_slow = $4
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        until,
        slow,
    )
    .map(drop)
}

/// Notes up to when all products of a store are known, and by how many seconds its clock was slow at most when they were
/// read.
///
/// # Errors
/// When the database does not answer.
pub async fn products_known(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    until: DateTime<Utc>,
    slow: i64,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET products_known_until = $3, products_slow = $4
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        until,
        slow,
    )
    .map(drop)
}

/// Notes that a whole sweep of the store has ended.
///
/// # Errors
/// When the database does not answer.
pub async fn synced(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET last_sync_at = $3 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        now,
    )
    .map(drop)
}

/// Notes that everything in the store, however old, was read.
///
/// # Errors
/// When the database does not answer.
pub async fn deeply_swept(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET deep_at = $3 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        now,
    )
    .map(drop)
}

/// Forgets up to when anything of a store is known: what is there may be another shop's.
///
/// # Errors
/// When the database does not answer.
pub async fn nothing_known(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET orders_known_until = NULL, products_known_until = NULL,
            deep_at = NULL
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )
    .map(drop)
}
