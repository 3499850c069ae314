//! Settled readings: two of one listing that are equal, and what follows from them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// A listing that waits for a settled reading.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Unsettled {
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// Its parent, if it is a variation.
    pub parent_id: Option<i64>,
    /// Postings, pushes and movements now: noted before the shop is asked.
    pub changes: i64,
    /// Whether it has its first reading.
    pub read: bool,
}

/// The listings of a store that wait for a settled reading, by stock owner; also those of which a drift is held that
/// something has overtaken. The condition on what is read is, word for word, that of the index.
///
/// # Errors
/// When the database does not answer.
pub async fn unsettled(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    after: i64,
    limit: i64,
) -> Result<Vec<Unsettled>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Unsettled,
        "WITH waiting (id) AS (
            SELECT id FROM listings
            WHERE tenant_id = $1 AND integration_id = $2
              AND (state = 'opening' OR (state = 'open'
                AND (reading IS NOT NULL OR doubted_at IS NOT NULL OR unsure_at IS NOT NULL)))
            UNION
            SELECT d.listing_id FROM drifts d
            JOIN listings l ON l.tenant_id = d.tenant_id AND l.id = d.listing_id
            JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
            WHERE d.tenant_id = $1 AND d.integration_id = $2 AND d.status = 'held'
              AND l.state = 'open' AND d.listing_changes <> l.changes + v.changes)
         SELECT l.stock_id, p.parent_id, l.changes + COALESCE(v.changes, 0) AS changes,
            CASE WHEN l.reading_at IS NULL THEN FALSE ELSE TRUE END AS read
         FROM waiting w
         CROSS JOIN listings l
         LEFT JOIN products p ON p.tenant_id = l.tenant_id AND p.integration_id = l.integration_id
           AND p.remote_id = l.stock_id
         LEFT JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE l.tenant_id = $1 AND l.id = w.id AND l.stock_id > $3
         ORDER BY l.stock_id LIMIT $4",
        tenant,
        integration,
        after,
        limit,
    )
}

/// Whether any listing of a store waits for a settled reading.
///
/// # Errors
/// When the database does not answer.
pub async fn any_unsettled(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<bool, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT id FROM listings
         WHERE tenant_id = $1 AND integration_id = $2
           AND (state = 'opening' OR (state = 'open'
             AND (reading IS NOT NULL OR doubted_at IS NOT NULL OR unsure_at IS NOT NULL)))
         UNION ALL
         SELECT d.listing_id FROM drifts d
         JOIN listings l ON l.tenant_id = d.tenant_id AND l.id = d.listing_id
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE d.tenant_id = $1 AND d.integration_id = $2 AND d.status = 'held'
           AND l.state = 'open' AND d.listing_changes <> l.changes + v.changes
         LIMIT 1",
        tenant,
        integration,
    )?;
    Ok(row.is_some())
}

/// Forgets a reading that the ledger agrees with by now, or that has led to something.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_reading(tx: &mut Tx, tenant: TenantId, id: Uuid) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE listings SET reading = NULL, reading_at = NULL, reading_changes = NULL
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )
    .map(drop)
}

/// Keeps the first of two readings.
///
/// # Errors
/// When the database does not answer.
pub async fn first_reading(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    reading: i64,
    changes: i64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE listings SET reading = $3, reading_changes = $4, reading_at = $5
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        reading,
        changes,
        at,
    )
    .map(drop)
}

/// Opens a listing at a settled reading: from now on its lines post.
///
/// # Errors
/// When the database does not answer.
pub async fn open(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    mirror: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE listings SET state = 'open', reason = NULL, holds = NULL, mirror = $3, opened_at = $4,
            updated_at = $4, changes = changes + 1, reading = NULL, reading_at = NULL,
            reading_changes = NULL, unsure_at = NULL
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        mirror,
        now,
    )
    .map(drop)
}

/// Takes a settled reading as the mirror of an open listing: its doubt ends.
///
/// # Errors
/// When the database does not answer.
pub async fn settle_mirror(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    mirror: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE listings SET mirror = $3, reason = NULL, doubted_at = NULL, updated_at = $4,
            changes = changes + 1, reading = NULL, reading_at = NULL, reading_changes = NULL
         WHERE tenant_id = $1 AND id = $2 AND state = 'open'",
        tenant,
        id,
        mirror,
        now,
    )
    .map(drop)
}

/// Only a reading can say whether some of what a listing's lines take is in its count.
///
/// # Errors
/// When the database does not answer.
pub async fn unsure(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE listings SET unsure_at = COALESCE(unsure_at, $3) WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        now,
    )
    .map(drop)
}

/// A reading has said it.
///
/// # Errors
/// When the database does not answer.
pub async fn made_sure(tx: &mut Tx, tenant: TenantId, id: Uuid) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE listings SET unsure_at = NULL WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )
    .map(drop)
}

/// Whether a piece is being counted: one of its listings waits for a settled reading.
///
/// # Errors
/// When the database does not answer.
pub async fn is_opening(
    tx: &mut Tx,
    tenant: TenantId,
    inventory: Uuid,
) -> Result<bool, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT id FROM listings
         WHERE tenant_id = $1 AND inventory_id = $2 AND state = 'opening' LIMIT 1",
        tenant,
        inventory,
    )?;
    Ok(row.is_some())
}
