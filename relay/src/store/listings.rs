//! Listings: one stock owner in one store, and the stock that it must have.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch, fetch_locked};

/// A listing.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Listing {
    /// Its key within the tenant.
    pub id: Uuid,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// The piece it sells, once that is decided.
    pub inventory_id: Option<Uuid>,
    /// `opening`, `open`, `unmanaged`, `waiting`, `skipped` or `missing`.
    pub state: String,
    /// The stock it must have, in thousandths, from all that the ledger knows.
    pub mirror: Option<i64>,
    /// Postings and pushes of the listing and movements of its piece so far.
    pub changes: i64,
    /// The first of two readings, in thousandths.
    pub reading: Option<i64>,
    /// `changes` when the first reading was asked for.
    pub reading_changes: Option<i64>,
    /// When the first reading was in.
    pub reading_at: Option<DateTime<Utc>>,
    /// When it was opened.
    pub opened_at: Option<DateTime<Utc>>,
    /// Since when its mirror is doubtful: nobody can say whether a push was written.
    pub doubted_at: Option<DateTime<Utc>>,
    /// Whose count holds when it opens, where a person had to say so: `ledger` or `shop`.
    pub holds: Option<String>,
}

/// The listing of a stock owner, locked until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    stock_id: i64,
) -> Result<Option<Listing>, StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE",
        tx,
        Listing,
        "SELECT id, stock_id, inventory_id, state, mirror,
            changes + COALESCE((SELECT v.changes FROM inventory v
                WHERE v.tenant_id = listings.tenant_id AND v.id = listings.inventory_id), 0) AS changes,
            reading, reading_changes, reading_at, opened_at, doubted_at, holds
         FROM listings WHERE tenant_id = $1 AND integration_id = $2 AND stock_id = $3",
        tenant,
        integration,
        stock_id,
    )
}

/// How a listing shall stand.
#[derive(Debug)]
pub struct Standing<'a> {
    /// The piece it sells.
    pub inventory_id: Option<Uuid>,
    /// Its state.
    pub state: &'a str,
    /// Why, for people.
    pub reason: Option<&'a str>,
    /// Whether the shop sells it below zero.
    pub backorders: bool,
}

/// A new listing.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    stock_id: i64,
    standing: &Standing<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO listings (tenant_id, id, integration_id, stock_id, inventory_id, state, reason,
            backorders, changes, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $9)",
        tenant,
        super::new_id(),
        integration,
        stock_id,
        standing.inventory_id,
        standing.state,
        standing.reason,
        standing.backorders,
        now,
    )
    .map(drop)
}

/// Puts a listing into another state. Its readings are void; its mirror goes unless it stays open.
///
/// # Errors
/// When the database does not answer.
pub async fn restate(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    standing: &Standing<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE drifts SET status = 'void', resolved_at = $3
         WHERE tenant_id = $1 AND listing_id = $2 AND status = 'held'",
        tenant,
        id,
        now,
    )?;
    execute!(
        tx,
        "UPDATE listings SET inventory_id = $3, state = $4, reason = $5, backorders = $6,
            mirror = CASE WHEN $4 = 'open' THEN mirror END,
            reading = NULL, reading_at = NULL, reading_changes = NULL, doubted_at = NULL,
            changes = changes + 1, updated_at = $7
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        standing.inventory_id,
        standing.state,
        standing.reason,
        standing.backorders,
        now,
    )
    .map(drop)
}

/// Follows the shop's backorder setting.
///
/// # Errors
/// When the database does not answer.
pub async fn set_backorders(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    backorders: bool,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE listings SET backorders = $3 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        backorders,
    )
    .map(drop)
}

/// Counts something that makes a reading in progress void, and moves the mirror by `mirror_change`.
///
/// # Errors
/// When the database does not answer.
pub async fn moved(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    mirror_change: i64,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE listings SET changes = changes + 1, mirror = mirror + $3
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        mirror_change,
    )
    .map(drop)
}

/// Whether another listing sells this piece, and whether it is of the same store.
///
/// # Errors
/// When the database does not answer.
pub async fn other_of_piece(
    tx: &mut Tx,
    tenant: TenantId,
    inventory: Uuid,
    integration: IntegrationId,
    stock_id: i64,
) -> Result<Option<Other>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid, i64),
        "SELECT integration_id, stock_id FROM listings
         WHERE tenant_id = $1 AND inventory_id = $2
           AND (integration_id <> $3 OR stock_id <> $4)
         ORDER BY CASE WHEN integration_id = $3 THEN 0 ELSE 1 END LIMIT 1",
        tenant,
        inventory,
        integration,
        stock_id,
    )?;
    Ok(row.map(|(owner, stock_id)| Other { same_store: owner == integration, stock_id }))
}

/// Another listing of the same piece.
#[derive(Debug, Clone, Copy)]
pub struct Other {
    /// Whether it is of the same store.
    pub same_store: bool,
    /// Its stock owner there.
    pub stock_id: i64,
}

impl Listing {
    /// Whether its stock is being read: it is new, not what it should be, or doubtful.
    #[must_use]
    pub fn is_read(&self) -> bool {
        let open = self.state == "open";
        self.state == "opening" || (open && (self.reading.is_some() || self.doubted_at.is_some()))
    }
}

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

/// The listings of a store that wait for a settled reading, by stock owner.
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
        "SELECT l.stock_id, p.parent_id, l.changes + COALESCE(v.changes, 0) AS changes,
            CASE WHEN l.reading_at IS NULL THEN FALSE ELSE TRUE END AS read
         FROM listings l
         LEFT JOIN products p ON p.tenant_id = l.tenant_id AND p.integration_id = l.integration_id
           AND p.remote_id = l.stock_id
         LEFT JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE l.tenant_id = $1 AND l.integration_id = $2 AND l.stock_id > $3
           AND (l.state = 'opening' OR (l.state = 'open'
             AND (l.reading IS NOT NULL OR l.doubted_at IS NOT NULL)))
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
             AND (reading IS NOT NULL OR doubted_at IS NOT NULL))) LIMIT 1",
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

/// How many listings of a store are open.
///
/// # Errors
/// When the database does not answer.
pub async fn count_open(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM listings
         WHERE tenant_id = $1 AND integration_id = $2 AND state = 'open'",
        tenant,
        integration,
    )?;
    Ok(count)
}

/// Why a product of a store is not in the inventory, if it is not.
///
/// # Errors
/// When the database does not answer.
pub async fn why_not(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    stock_id: i64,
) -> Result<Option<String>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Option<String>,),
        "SELECT reason FROM listings
         WHERE tenant_id = $1 AND integration_id = $2 AND stock_id = $3
           AND state IN ('skipped', 'waiting')",
        tenant,
        integration,
        stock_id,
    )?;
    Ok(row.map(|(reason,)| reason.unwrap_or_default()))
}

/// An open listing whose stock is not what the ledger has, in thousandths.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Differing {
    /// The piece.
    pub inventory_id: Uuid,
    /// Its SKU.
    pub sku: String,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// What the shop has, by all that the ledger knows.
    pub mirror: i64,
    /// What the ledger has.
    pub quantity: i64,
}

/// The open listings of a store that have something still to be told.
///
/// # Errors
/// When the database does not answer.
pub async fn differing(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<Vec<Differing>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Differing,
        "SELECT v.id AS inventory_id, v.sku, l.stock_id, l.mirror, v.quantity
         FROM listings l JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE l.tenant_id = $1 AND l.integration_id = $2 AND l.state = 'open' AND v.counted
           AND v.quantity <> l.mirror
         ORDER BY v.sku",
        tenant,
        integration,
    )
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
            reading_changes = NULL
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

/// A listing as it is shown with its piece.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Shown {
    /// The store's address.
    pub store: String,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// Its state.
    pub state: String,
    /// Why, for people.
    pub reason: Option<String>,
    /// In thousandths.
    pub mirror: Option<i64>,
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

/// The listings of all pieces from one SKU to another: of one page of the inventory.
///
/// # Errors
/// When the database does not answer.
pub async fn between(
    tx: &mut Tx,
    tenant: TenantId,
    first: &str,
    last: &str,
) -> Result<HashMap<Uuid, Vec<Shown>>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        OfPiece,
        "SELECT v.id AS piece, i.store_url AS store, l.stock_id, l.state, l.reason, l.mirror
         FROM inventory v
         JOIN listings l ON l.tenant_id = v.tenant_id AND l.inventory_id = v.id
         JOIN integrations i ON i.tenant_id = l.tenant_id AND i.id = l.integration_id
         WHERE v.tenant_id = $1 AND v.sku >= $2 AND v.sku <= $3 ORDER BY i.store_url, l.stock_id",
        tenant,
        first,
        last,
    )?;
    let mut found: HashMap<Uuid, Vec<Shown>> = HashMap::new();
    for row in rows {
        found.entry(row.piece).or_default().push(row.shown);
    }
    Ok(found)
}

#[derive(sqlx::FromRow)]
struct OfPiece {
    piece: Uuid,
    #[sqlx(flatten)]
    shown: Shown,
}

/// Has every open listing of a store read anew, as if it were new: the shop's database is not the one
/// that the mirrors were kept for. Pushes that were frozen for that one are void, and numbers begin
/// anew.
///
/// # Errors
/// When the database does not answer.
pub async fn begin_anew(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE drifts SET status = 'void', resolved_at = $3
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'held'",
        tenant,
        integration,
        now,
    )?;
    execute!(
        tx,
        "UPDATE stock_pushes SET status = 'void', detail = 'the shop has another database now',
            finished_at = $3, leased_until = NULL
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'open'",
        tenant,
        integration,
        now,
    )?;
    execute!(
        tx,
        "UPDATE listings SET state = CASE WHEN state = 'open' THEN 'opening' ELSE state END,
            mirror = NULL, reading = NULL, reading_at = NULL, reading_changes = NULL, push_no = 0,
            changes = changes + 1, updated_at = $3
         WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
        now,
    )
    .map(drop)
}
