//! How one order or product of a shop stands in the ledger, for the shop's own screens.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, Tx, fetch, resources::Key};

/// What was heard of a thing.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Heard {
    /// The highest `rev` that was applied.
    pub rev: Option<i64>,
    /// Since when something about it is known that is not in the ledger yet; nothing when all is in.
    pub heard_at: Option<DateTime<Utc>>,
}

/// What was heard of a thing, if anything ever was.
///
/// # Errors
/// When the database does not answer.
pub async fn heard(tx: &mut Tx, key: Key<'_>) -> Result<Option<Heard>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Heard,
        "SELECT rev, heard_at FROM resources
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
    )
}

/// Why the newest event of a thing failed that is newer than `known`; nothing where none did.
///
/// # Errors
/// When the database does not answer.
pub async fn failure(
    tx: &mut Tx,
    key: Key<'_>,
    known: Option<i64>,
) -> Result<Option<String>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Option<String>,),
        "SELECT detail FROM inbox
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND resource_id = $4
           AND status IN ('queued', 'superseded', 'failed') AND status = 'failed'
           AND (rev IS NULL OR $5 IS NULL OR rev > $5)
         ORDER BY received_at DESC, seq DESC LIMIT 1",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
        known,
    )?;
    Ok(row.map(|(detail,)| detail.unwrap_or_default()))
}

/// The sale of an order; of several that had this id the newest.
///
/// # Errors
/// When the database does not answer.
pub async fn sale(tx: &mut Tx, key: Key<'_>) -> Result<Option<Uuid>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT id FROM sales
         WHERE tenant_id = $1 AND integration_id = $2 AND external_id = $3
         ORDER BY id DESC LIMIT 1",
        key.tenant,
        key.integration,
        key.remote_id,
    )?;
    Ok(row.map(|(id,)| id))
}

/// The stock that a product or variation draws on, and its piece.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Stock {
    /// The listing, where the stock has one.
    pub listing_id: Option<Uuid>,
    /// Its state; see `listings`.
    pub state: Option<String>,
    /// Why, for people.
    pub reason: Option<String>,
    /// What the shop must have, in thousandths.
    pub mirror: Option<i64>,
    /// The piece's SKU, where it is linked to one.
    pub sku: Option<String>,
    /// What the ledger has, in thousandths; nothing until it was counted.
    pub quantity: Option<i64>,
}

/// The stock of a product, if the ledger has heard of the product.
///
/// # Errors
/// When the database does not answer.
pub async fn stock(tx: &mut Tx, key: Key<'_>) -> Result<Option<Stock>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Stock,
        "SELECT l.id AS listing_id, l.state, l.reason, l.mirror, v.sku,
            CASE WHEN v.counted THEN v.quantity END AS quantity
         FROM products p
         LEFT JOIN listings l ON l.tenant_id = p.tenant_id AND l.integration_id = p.integration_id
            AND l.stock_id = p.stock_id
         LEFT JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE p.tenant_id = $1 AND p.integration_id = $2 AND p.remote_id = $3",
        key.tenant,
        key.integration,
        key.remote_id,
    )
}

/// A push to a listing's stock.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Push {
    /// What was added, in thousandths.
    pub delta: Option<i64>,
    /// When the shop acknowledged it.
    pub finished_at: Option<DateTime<Utc>>,
}

/// The last push that a listing's shop has acknowledged.
///
/// # Errors
/// When the database does not answer.
pub async fn last_push(
    tx: &mut Tx,
    tenant: Uuid,
    listing: Uuid,
) -> Result<Option<Push>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Push,
        "SELECT delta, finished_at FROM stock_pushes
         WHERE tenant_id = $1 AND listing_id = $2 AND status = 'done'
         ORDER BY finished_at DESC LIMIT 1",
        tenant,
        listing,
    )
}
