//! Pieces, and how many of each there are.

mod listed;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{
    IntegrationId, StoreError, TenantId, Tx, execute, fetch, fetch_locked, fetch_many, page::Page,
};

pub use listed::{Amount, Texts, by_name, by_quantity, by_sku, count_below, count_called, get};

/// A piece in a transaction that may change it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The sum of its movements, in thousandths.
    pub quantity: i64,
    /// Whether that was ever counted.
    pub counted: bool,
    /// Whether it may be sold below zero.
    pub backorders: bool,
    /// The store that brought it.
    pub origin_integration_id: Option<Uuid>,
}

/// What a store says of a piece.
#[derive(Debug)]
pub struct Described<'a> {
    /// Its SKU.
    pub sku: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Whether it may be sold below zero.
    pub backorders: bool,
    /// Its price, in millionths.
    pub price: Option<i64>,
    /// A picture's address.
    pub image: Option<&'a str>,
    /// Categories, attributes, tax class, address in the shop.
    pub details: &'a Value,
}

/// The piece of this SKU, locked until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_by_sku(
    tx: &mut Tx,
    tenant: TenantId,
    sku: &str,
) -> Result<Option<Row>, StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE",
        tx,
        Row,
        "SELECT id, quantity, counted, backorders, origin_integration_id FROM inventory
         WHERE tenant_id = $1 AND sku = $2",
        tenant,
        sku,
    )
}

/// A piece's SKU.
///
/// # Errors
/// When the database does not answer, or there is no such piece.
pub async fn sku_of(tx: &mut Tx, tenant: TenantId, id: Uuid) -> Result<String, StoreError> {
    let (sku,) = fetch!(
        fetch_one,
        tx,
        (String,),
        "SELECT sku FROM inventory WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )?;
    Ok(sku)
}

/// Whether a SKU is that of another piece than this one.
///
/// # Errors
/// When the database does not answer.
pub async fn is_anothers(
    tx: &mut Tx,
    tenant: TenantId,
    sku: &str,
    piece: Uuid,
) -> Result<bool, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT id FROM inventory WHERE tenant_id = $1 AND sku = $2 AND id <> $3",
        tenant,
        sku,
        piece,
    )?;
    Ok(row.is_some())
}

/// Holds a piece until the transaction ends: nobody moves it meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn hold(tx: &mut Tx, tenant: TenantId, id: Uuid) -> Result<(), StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE",
        tx,
        (Uuid,),
        "SELECT id FROM inventory WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )
    .map(drop)
}

/// Holds the piece that a listing sells.
///
/// # Errors
/// When the database does not answer.
pub async fn hold_listed(tx: &mut Tx, tenant: TenantId, listing: Uuid) -> Result<(), StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE OF v",
        tx,
        (Uuid,),
        "SELECT v.id FROM inventory v
         JOIN listings l ON l.tenant_id = v.tenant_id AND l.inventory_id = v.id
         WHERE l.tenant_id = $1 AND l.id = $2",
        tenant,
        listing,
    )
    .map(drop)
}

/// The quantity of a piece in thousandths, locked until the transaction ends.
///
/// # Errors
/// When the database does not answer, or the piece does not exist.
pub async fn lock_quantity(tx: &mut Tx, tenant: TenantId, id: Uuid) -> Result<i64, StoreError> {
    let (quantity,) = fetch_locked!(
        fetch_one,
        " FOR NO KEY UPDATE",
        tx,
        (i64,),
        "SELECT quantity FROM inventory WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )?;
    Ok(quantity)
}

/// A new piece that nobody has counted yet.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    piece: &Described<'_>,
    origin: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO inventory (tenant_id, id, sku, name, quantity, counted, backorders, price, image,
            details, origin_integration_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 0, FALSE, $5, $6, $7, $8, $9, $10, $10)",
        tenant,
        id,
        piece.sku,
        piece.name,
        piece.backorders,
        piece.price,
        piece.image,
        piece.details,
        origin,
        now,
    )
    .map(drop)
}

/// Describes a piece anew, in the words of the store that brought it.
///
/// # Errors
/// When the database does not answer.
pub async fn describe(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    piece: &Described<'_>,
    origin: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE inventory SET name = $3, backorders = $4, price = $5, image = $6, details = $7,
            updated_at = $9
         WHERE tenant_id = $1 AND id = $2 AND origin_integration_id = $8",
        tenant,
        id,
        piece.name,
        piece.backorders,
        piece.price,
        piece.image,
        piece.details,
        origin,
        now,
    )
    .map(drop)
}

/// Adds to the quantities of pieces, and gives for each the new one and whether it may be sold below zero. Only
/// [`super::movements`] calls this, so that the quantity stays the sum of the movements.
pub(super) async fn add(
    tx: &mut Tx,
    tenant: TenantId,
    changes: &BTreeMap<Uuid, i64>,
    now: DateTime<Utc>,
) -> Result<Vec<(Uuid, i64, bool)>, StoreError> {
    // In the order of their keys, so that two who move the same pieces wait for each other in turn.
    let rows: Vec<_> = changes.iter().collect();
    let after = fetch_many!(
        tx,
        (Uuid, i64, bool),
        "UPDATE inventory SET quantity = quantity + v.column3, changes = changes + 1,
            updated_at = v.column4
         FROM (VALUES ($1, $2, $3, $4)) AS v WHERE tenant_id = v.column1 AND id = v.column2
         RETURNING id, quantity, backorders",
        &rows,
        (id, change) => [tenant, **id, **change, now]
    );
    Ok(after)
}

/// Notes that the piece's quantity means something from now on; `false` when it did before.
///
/// # Errors
/// When the database does not answer.
pub async fn mark_counted(tx: &mut Tx, tenant: TenantId, id: Uuid) -> Result<bool, StoreError> {
    let marked = execute!(
        tx,
        "UPDATE inventory SET counted = TRUE WHERE tenant_id = $1 AND id = $2 AND NOT counted",
        tenant,
        id,
    )?;
    Ok(marked == 1)
}

/// How many pieces a store has brought since `since`.
///
/// # Errors
/// When the database does not answer.
pub async fn brought_since(
    tx: &mut Tx,
    tenant: TenantId,
    origin: IntegrationId,
    since: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM inventory
         WHERE tenant_id = $1 AND origin_integration_id = $2 AND created_at >= $3",
        tenant,
        origin,
        since,
    )?;
    Ok(count)
}

/// A piece as it is shown.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Shown {
    /// Its key within the tenant.
    pub id: Uuid,
    /// Its SKU.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// In thousandths; means nothing until `counted`.
    pub quantity: i64,
    /// Whether it was counted.
    pub counted: bool,
    /// Whether it may be sold below zero.
    pub backorders: bool,
    /// In millionths.
    pub price: Option<i64>,
    /// A picture's address.
    pub image: Option<String>,
}

/// A piece with all that the store which brought it says of it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Whole {
    /// The piece.
    #[sqlx(flatten)]
    pub shown: Shown,
    /// See [`Described::details`].
    pub details: Value,
}

/// Pieces by SKU, after the one of the SKU `after`.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    after: Option<&str>,
    limit: i64,
) -> Result<Page<Whole>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        Whole,
        "SELECT id, sku, name, quantity, counted, backorders, price, image, details FROM inventory
         WHERE tenant_id = $1 AND sku > $2 ORDER BY sku LIMIT $3",
        tenant,
        after.unwrap_or(""),
        limit + 1,
    )?;
    Ok(Page::cut(rows, limit, |row| row.shown.sku.clone()))
}
