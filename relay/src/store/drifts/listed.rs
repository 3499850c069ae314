//! Drifts as people see them: those that wait for a word, and all that there ever were.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::Shown;
use crate::store::{
    IntegrationId, StoreError, TenantId, Tx, fetch,
    inventory::{Texts, count_called},
};

/// A drift that waits for a word; quantities in thousandths.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Waiting {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The store's address.
    pub store: String,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
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

/// Which drifts.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// How the folded SKU or the folded name of their piece begins.
    pub texts: Option<Texts>,
    /// The store that they were found in.
    pub store: Option<IntegrationId>,
}

impl Wanted {
    fn first(&self) -> Option<&str> {
        self.texts.as_ref().map(|texts| texts.first.as_str())
    }

    fn behind(&self) -> Option<&str> {
        self.texts.as_ref().map(|texts| texts.behind.as_str())
    }
}

/// As many pieces as each is asked for what was found of it. Of more than these there is something among the newest
/// drifts, which are gone through then.
const FEW: i64 = 2_000;

/// What is searched for, if only a few pieces are called so.
async fn few<'a>(
    tx: &mut Tx,
    tenant: TenantId,
    wanted: &'a Wanted,
) -> Result<Option<&'a Texts>, StoreError> {
    let Some(texts) = &wanted.texts else { return Ok(None) };
    let found = count_called(tx, tenant, texts, FEW + 1).await?;
    Ok((found <= FEW).then_some(texts))
}

/// The drifts that wait, before the one of the key `before`, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(
    tx: &mut Tx,
    tenant: TenantId,
    wanted: &Wanted,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    match few(tx, tenant, wanted).await? {
        Some(texts) => waiting_of(tx, tenant, texts, wanted.store, before, limit).await,
        None => waiting_in(tx, tenant, wanted, before, limit).await,
    }
}

/// Those of some pieces, as [`found_of`].
async fn waiting_of(
    tx: &mut Tx,
    tenant: TenantId,
    texts: &Texts,
    store: Option<IntegrationId>,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Waiting,
        "WITH pieces AS (
            SELECT id FROM inventory WHERE tenant_id = $1 AND lower(sku) >= $4 AND lower(sku) < $5
            UNION
            SELECT id FROM inventory WHERE tenant_id = $1 AND lower(name) >= $4 AND lower(name) < $5
         ), sold AS MATERIALIZED (
            SELECT l.id, l.stock_id, v.sku, v.name FROM pieces p
            JOIN inventory v ON v.tenant_id = $1 AND v.id = p.id
            JOIN listings l ON l.tenant_id = $1 AND l.inventory_id = p.id
         )
         SELECT d.id, i.store_url AS store, o.stock_id, o.sku, o.name, d.mirror, d.reading, d.changes,
            d.created_at
         FROM sold o
         CROSS JOIN drifts d
         JOIN integrations i ON i.tenant_id = d.tenant_id AND i.id = d.integration_id
         WHERE d.tenant_id = $1 AND d.listing_id = o.id AND d.status = 'held' AND d.id < $2
           AND ($3 IS NULL OR d.integration_id = $3)
         ORDER BY d.id DESC LIMIT $6",
        tenant,
        before,
        store,
        &texts.first,
        &texts.behind,
        limit,
    )
}

/// Those of all pieces, or of many.
async fn waiting_in(
    tx: &mut Tx,
    tenant: TenantId,
    wanted: &Wanted,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Waiting,
        "SELECT d.id, i.store_url AS store, l.stock_id, v.sku, v.name, d.mirror, d.reading, d.changes,
            d.created_at
         FROM drifts d
         JOIN integrations i ON i.tenant_id = d.tenant_id AND i.id = d.integration_id
         JOIN listings l ON l.tenant_id = d.tenant_id AND l.id = d.listing_id
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE d.tenant_id = $1 AND d.status = 'held' AND d.id < $2
           AND ($3 IS NULL OR d.integration_id = $3)
           AND ($4 IS NULL OR (lower(v.sku) >= $4 AND lower(v.sku) < $5)
                OR (lower(v.name) >= $4 AND lower(v.name) < $5))
         ORDER BY d.id DESC LIMIT $6",
        tenant,
        before,
        wanted.store,
        wanted.first(),
        wanted.behind(),
        limit,
    )
}

/// A drift, whatever became of it, and its piece's name where it has a piece.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Found {
    /// The drift.
    #[sqlx(flatten)]
    pub drift: Shown,
    /// The piece's name.
    pub name: Option<String>,
}

/// Drifts before the one of the key `before`, the newest first: those that are decided, and where
/// `undecided`, those that wait as well.
///
/// # Errors
/// When the database does not answer.
pub async fn found(
    tx: &mut Tx,
    tenant: TenantId,
    wanted: &Wanted,
    undecided: bool,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Found>, StoreError> {
    match (few(tx, tenant, wanted).await?, wanted.store) {
        (Some(texts), store) => found_of(tx, tenant, texts, store, undecided, before, limit).await,
        (None, Some(store)) if !undecided => {
            found_at(tx, tenant, wanted, store, before, limit).await
        }
        (None, _) => found_in(tx, tenant, wanted, undecided, before, limit).await,
    }
}

/// Those of some pieces: few, and each found from its piece. SQLite takes what it is to `CROSS JOIN` in the order in
/// which it is written; else it would go through all drifts, since they are wanted in their order.
async fn found_of(
    tx: &mut Tx,
    tenant: TenantId,
    texts: &Texts,
    store: Option<IntegrationId>,
    undecided: bool,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Found>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Found,
        "WITH pieces AS (
            SELECT id FROM inventory WHERE tenant_id = $1 AND lower(sku) >= $5 AND lower(sku) < $6
            UNION
            SELECT id FROM inventory WHERE tenant_id = $1 AND lower(name) >= $5 AND lower(name) < $6
         ), sold AS MATERIALIZED (
            SELECT l.id, l.stock_id, v.sku, v.name FROM pieces p
            JOIN inventory v ON v.tenant_id = $1 AND v.id = p.id
            JOIN listings l ON l.tenant_id = $1 AND l.inventory_id = p.id
         )
         SELECT d.id, i.store_url AS store, o.sku, o.name, o.stock_id, d.mirror, d.reading, d.changes,
            d.status, d.reason, d.created_at, d.resolved_at
         FROM sold o
         CROSS JOIN drifts d
         LEFT JOIN integrations i ON i.tenant_id = d.tenant_id AND i.id = d.integration_id
         WHERE d.tenant_id = $1 AND d.listing_id = o.id AND d.id < $2
           AND (d.status <> 'held' OR $3) AND ($4 IS NULL OR d.integration_id = $4)
         ORDER BY d.id DESC LIMIT $7",
        tenant,
        before,
        undecided,
        store,
        &texts.first,
        &texts.behind,
        limit,
    )
}

/// Those of all pieces, or of many. What is joined from the left is looked up for each drift in turn.
async fn found_in(
    tx: &mut Tx,
    tenant: TenantId,
    wanted: &Wanted,
    undecided: bool,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Found>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Found,
        "SELECT d.id, i.store_url AS store, v.sku, v.name, l.stock_id, d.mirror, d.reading, d.changes,
            d.status, d.reason, d.created_at, d.resolved_at
         FROM drifts d
         LEFT JOIN integrations i ON i.tenant_id = d.tenant_id AND i.id = d.integration_id
         LEFT JOIN listings l ON l.tenant_id = d.tenant_id AND l.id = d.listing_id
         LEFT JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE d.tenant_id = $1 AND d.id < $2 AND (d.status <> 'held' OR $3)
           AND ($4 IS NULL OR d.integration_id = $4)
           AND ($5 IS NULL OR (lower(v.sku) >= $5 AND lower(v.sku) < $6)
                OR (lower(v.name) >= $5 AND lower(v.name) < $6))
         ORDER BY d.id DESC LIMIT $7",
        tenant,
        before,
        undecided,
        wanted.store,
        wanted.first(),
        wanted.behind(),
        limit,
    )
}

/// Those of one store that are decided, of which there may be few.
async fn found_at(
    tx: &mut Tx,
    tenant: TenantId,
    wanted: &Wanted,
    store: IntegrationId,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Found>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Found,
        "SELECT d.id, i.store_url AS store, v.sku, v.name, l.stock_id, d.mirror, d.reading, d.changes,
            d.status, d.reason, d.created_at, d.resolved_at
         FROM drifts d
         LEFT JOIN integrations i ON i.tenant_id = d.tenant_id AND i.id = d.integration_id
         LEFT JOIN listings l ON l.tenant_id = d.tenant_id AND l.id = d.listing_id
         LEFT JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE d.tenant_id = $1 AND d.integration_id = $2 AND d.id < $3 AND d.status <> 'held'
           AND ($4 IS NULL OR (lower(v.sku) >= $4 AND lower(v.sku) < $5)
                OR (lower(v.name) >= $4 AND lower(v.name) < $5))
         ORDER BY d.id DESC LIMIT $6",
        tenant,
        store,
        before,
        wanted.first(),
        wanted.behind(),
        limit,
    )
}

/// What deciding several that wait alike would come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Bulk {
    /// How many wait.
    pub waiting: i64,
    /// Of how many the ledger would have none left by the shops' numbers.
    pub emptied_here: i64,
    /// Of how many a shop would have none left by the ledger's numbers.
    pub emptied_there: i64,
}

/// What deciding those of them that wait alike would come to.
///
/// # Errors
/// When the database does not answer.
pub async fn bulk(tx: &mut Tx, tenant: TenantId, wanted: &Wanted) -> Result<Bulk, StoreError> {
    fetch!(
        fetch_one,
        tx,
        Bulk,
        "SELECT COUNT(*) AS waiting,
            COUNT(CASE WHEN d.reading <= 0 AND d.mirror > 0 THEN 1 END) AS emptied_here,
            COUNT(CASE WHEN d.mirror <= 0 AND d.reading > 0 THEN 1 END) AS emptied_there
         FROM drifts d
         JOIN listings l ON l.tenant_id = d.tenant_id AND l.id = d.listing_id
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE d.tenant_id = $1 AND d.status = 'held'
           AND ($2 IS NULL OR d.integration_id = $2)
           AND ($3 IS NULL OR (lower(v.sku) >= $3 AND lower(v.sku) < $4)
                OR (lower(v.name) >= $3 AND lower(v.name) < $4))",
        tenant,
        wanted.store,
        wanted.first(),
        wanted.behind(),
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
