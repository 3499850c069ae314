//! Drift: settled readings that were not what the ledger said the shop must have.

mod listed;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch, fetch_locked, new_id};

pub use listed::{Bulk, Found, Waiting, Wanted, bulk, count_waiting, found, waiting};

/// The status of a drift that waits for a decision.
pub const HELD: &str = "held";

/// A drift that waits for a decision.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Held {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The store.
    pub integration_id: Uuid,
    /// The listing.
    pub listing_id: Uuid,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// The piece that the listing sells.
    pub inventory_id: Uuid,
    /// Its SKU.
    pub sku: String,
    /// What the shop should have had, in thousandths.
    pub mirror: i64,
    /// What it had.
    pub reading: i64,
    /// What the ledger has now.
    pub quantity: i64,
    /// How often its numbers have changed since it was first seen.
    pub changes: i64,
    /// Whether its listing or piece has moved since the reading, or is being read and seems to have: what it says
    /// may be over.
    pub overtaken: bool,
}

/// What a settled reading showed of a listing, in thousandths.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// What the shop should have had.
    pub mirror: i64,
    /// What it had.
    pub reading: i64,
    /// The changes of the listing and its piece at that time.
    pub listing_changes: i64,
}

/// Keeps a drift to be decided. One of the same listing that waits already is brought up to date; it is as old as its
/// numbers are.
///
/// # Errors
/// When the database does not answer.
pub async fn hold(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    listing: Uuid,
    seen: Seen,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO drifts (tenant_id, id, integration_id, listing_id, mirror, reading,
            listing_changes, status, created_at, read_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'held', $8, $8)
         ON CONFLICT (tenant_id, listing_id) WHERE status = 'held'
         DO UPDATE SET mirror = $5, reading = $6, listing_changes = $7, read_at = $8,
            created_at = CASE WHEN drifts.mirror <> $5 OR drifts.reading <> $6
                THEN $8 ELSE drifts.created_at END,
            changes = drifts.changes
                + CASE WHEN drifts.mirror <> $5 OR drifts.reading <> $6 THEN 1 ELSE 0 END",
        tenant,
        new_id(),
        integration,
        listing,
        seen.mirror,
        seen.reading,
        seen.listing_changes,
        now,
    )
    .map(drop)
}

/// What was last read of a listing whose drift waits, in thousandths.
///
/// # Errors
/// When the database does not answer.
pub async fn reading_held(
    tx: &mut Tx,
    tenant: TenantId,
    listing: Uuid,
) -> Result<Option<i64>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (i64,),
        "SELECT reading FROM drifts
         WHERE tenant_id = $1 AND listing_id = $2 AND status = 'held'",
        tenant,
        listing,
    )?;
    Ok(row.map(|(reading,)| reading))
}

/// A drift that waited for a person is over without anybody's word.
///
/// # Errors
/// When the database does not answer.
pub async fn void(
    tx: &mut Tx,
    tenant: TenantId,
    listing: Uuid,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE drifts SET status = 'void', reason = $3, resolved_at = $4
         WHERE tenant_id = $1 AND listing_id = $2 AND status = 'held'",
        tenant,
        listing,
        reason,
        now,
    )
    .map(drop)
}

/// The drifts of a store that were found since `since` and wait for a decision.
///
/// # Errors
/// When the database does not answer.
pub async fn fresh(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    since: DateTime<Utc>,
) -> Result<Vec<Held>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Held,
        "SELECT d.id, d.integration_id, d.listing_id, l.stock_id, l.inventory_id, v.sku,
            d.mirror, d.reading, v.quantity, d.changes,
            (COALESCE(l.reading <> d.reading, FALSE) OR l.doubted_at IS NOT NULL
                OR d.listing_changes <> l.changes + v.changes) AS overtaken
         FROM drifts d
         JOIN listings l ON l.tenant_id = d.tenant_id AND l.id = d.listing_id
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE d.tenant_id = $1 AND d.integration_id = $2 AND d.status = 'held'
           AND COALESCE(d.read_at, d.created_at) >= $3
         ORDER BY d.id",
        tenant,
        integration,
        since,
    )
}

/// How many stocks of a store were emptied by adopting what the shop had, since `since`.
///
/// # Errors
/// When the database does not answer.
pub async fn emptied_since(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    since: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM drifts
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'adopted'
           AND resolved_at >= $3 AND mirror > 0 AND reading <= 0",
        tenant,
        integration,
        since,
    )?;
    Ok(count)
}

/// How many drifts of a store that wait would empty a stock: by the shop's number where `adopting`, else by the
/// ledger's.
///
/// # Errors
/// When the database does not answer.
pub async fn held_emptying(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    adopting: bool,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM drifts d
         JOIN listings l ON l.tenant_id = d.tenant_id AND l.id = d.listing_id
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE d.tenant_id = $1 AND d.integration_id = $2 AND d.status = 'held'
           AND ($3 AND d.mirror > 0 AND d.reading <= 0
             OR NOT $3 AND d.reading > 0 AND v.quantity <= 0)",
        tenant,
        integration,
        adopting,
    )?;
    Ok(count)
}

/// The store that a drift was found in.
///
/// # Errors
/// When the database does not answer.
pub async fn store_of(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<IntegrationId>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT integration_id FROM drifts WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )?;
    Ok(row.map(|(store,)| store))
}

/// A drift that waits for a person, by its key.
///
/// # Errors
/// When the database does not answer.
pub async fn held(tx: &mut Tx, tenant: TenantId, id: Uuid) -> Result<Option<Held>, StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE OF d",
        tx,
        Held,
        "SELECT d.id, d.integration_id, d.listing_id, l.stock_id, l.inventory_id, v.sku,
            d.mirror, d.reading, v.quantity, d.changes,
            (COALESCE(l.reading <> d.reading, FALSE) OR l.doubted_at IS NOT NULL
                OR d.listing_changes <> l.changes + v.changes) AS overtaken
         FROM drifts d
         JOIN listings l ON l.tenant_id = d.tenant_id AND l.id = d.listing_id
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE d.tenant_id = $1 AND d.id = $2 AND d.status = 'held'",
        tenant,
        id,
    )
}

/// Notes how a held drift was decided.
///
/// # Errors
/// When the database does not answer.
pub async fn resolve(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    status: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE drifts SET status = $3, resolved_at = $4 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        status,
        now,
    )
    .map(drop)
}

/// A drift as it is stored; quantities in thousandths.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Shown {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The store's address.
    pub store: String,
    /// The piece's SKU.
    pub sku: Option<String>,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// What the shop should have had.
    pub mirror: i64,
    /// What it had.
    pub reading: i64,
    /// How often its numbers have changed since it was first seen.
    pub changes: i64,
    /// `held`, `pushed`, `adopted` or `void`.
    pub status: String,
    /// Why it went away without anybody's word.
    pub reason: Option<String>,
    /// When it was found.
    pub created_at: DateTime<Utc>,
    /// When it was decided.
    pub resolved_at: Option<DateTime<Utc>>,
}

/// The drifts of one status before the one of the key `before`, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn of_status(
    tx: &mut Tx,
    tenant: TenantId,
    status: &str,
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
         JOIN integrations i ON i.tenant_id = d.tenant_id AND i.id = d.integration_id
         JOIN listings l ON l.tenant_id = d.tenant_id AND l.id = d.listing_id
         LEFT JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE d.tenant_id = $1 AND d.status = $2 AND d.id < $3
         ORDER BY d.id DESC LIMIT $4",
        tenant,
        status,
        before,
        limit,
    )
}

/// How many stocks of a store differ and wait for a person.
///
/// # Errors
/// When the database does not answer.
pub async fn count_held(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM drifts
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'held'",
        tenant,
        integration,
    )?;
    Ok(count)
}
