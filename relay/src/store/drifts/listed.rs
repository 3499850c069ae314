//! Drifts as people see them: those that wait for a word, and all that there ever were.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Shown;
use crate::store::{StoreError, TenantId, Tx, fetch};

/// A drift that waits for a word; quantities in thousandths.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Waiting {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The store's address.
    pub store: String,
    /// The piece's SKU.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// What the shop should have had.
    pub mirror: i64,
    /// What it had.
    pub reading: i64,
    /// How often its numbers have changed since it was first seen.
    pub changes: i64,
    /// When that was seen.
    pub created_at: DateTime<Utc>,
}

/// The drifts that wait, before the one of the key `before`, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(
    tx: &mut Tx,
    tenant: TenantId,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Waiting,
        "SELECT d.id, i.store_url AS store, v.sku, v.name, d.mirror, d.reading, d.changes,
            d.created_at
         FROM drifts d
         JOIN integrations i ON i.tenant_id = d.tenant_id AND i.id = d.integration_id
         JOIN listings l ON l.tenant_id = d.tenant_id AND l.id = d.listing_id
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE d.tenant_id = $1 AND d.status = 'held' AND d.id < $2
         ORDER BY d.id DESC LIMIT $3",
        tenant,
        before,
        limit,
    )
}

/// All drifts, before the one of the key `before`, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn all(
    tx: &mut Tx,
    tenant: TenantId,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT d.id, i.store_url AS store, v.sku, l.stock_id, d.mirror, d.reading, d.changes,
            d.status, d.reason, d.created_at, d.resolved_at
         FROM drifts d
         LEFT JOIN integrations i ON i.tenant_id = d.tenant_id AND i.id = d.integration_id
         LEFT JOIN listings l ON l.tenant_id = d.tenant_id AND l.id = d.listing_id
         LEFT JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE d.tenant_id = $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3",
        tenant,
        before,
        limit,
    )
}

/// What deciding all that wait alike would come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Bulk {
    /// How many wait.
    pub waiting: i64,
    /// Of how many the ledger would have none left by the shops' numbers.
    pub emptied_here: i64,
    /// Of how many a shop would have none left by the ledger's numbers.
    pub emptied_there: i64,
}

/// What deciding all that wait alike would come to.
///
/// # Errors
/// When the database does not answer.
pub async fn bulk(tx: &mut Tx, tenant: TenantId) -> Result<Bulk, StoreError> {
    fetch!(
        fetch_one,
        tx,
        Bulk,
        "SELECT COUNT(*) AS waiting,
            COUNT(CASE WHEN reading <= 0 AND mirror > 0 THEN 1 END) AS emptied_here,
            COUNT(CASE WHEN mirror <= 0 AND reading > 0 THEN 1 END) AS emptied_there
         FROM drifts WHERE tenant_id = $1 AND status = 'held'",
        tenant,
    )
}

/// How many drifts wait.
///
/// # Errors
/// When the database does not answer.
pub async fn count_waiting(tx: &mut Tx, tenant: TenantId) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM drifts WHERE tenant_id = $1 AND status = 'held'",
        tenant,
    )?;
    Ok(count)
}
