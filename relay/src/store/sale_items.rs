//! The lines of a sale, and how much of each the ledger has accounted for.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, execute_many, fetch};

/// A line; quantities in thousandths, money in millionths.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// WooCommerce's id of the line.
    pub line_id: i64,
    /// The product.
    pub product_id: i64,
    /// The variation, or 0.
    pub variation_id: i64,
    /// Whose stock it draws on, once that is known.
    pub stock_id: Option<i64>,
    /// The product's name.
    pub name: String,
    /// The product's SKU when it was last told.
    pub sku: Option<String>,
    /// Units ordered.
    pub quantity: i64,
    /// Before discount, without tax.
    pub subtotal: i64,
    /// Its tax.
    pub subtotal_tax: i64,
    /// After discount, without tax.
    pub total: i64,
    /// Its tax.
    pub total_tax: i64,
    /// Units that have left the shop's stock, as the shop tells it.
    pub desired: i64,
    /// Units that the ledger has accounted for.
    pub posted: i64,
    /// Whether the shop has removed the line.
    pub gone: bool,
}

/// The lines of a sale, those that are gone included.
///
/// # Errors
/// When the database does not answer.
pub async fn of_sale(tx: &mut Tx, tenant: TenantId, sale: Uuid) -> Result<Vec<Row>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Row,
        "SELECT line_id, product_id, variation_id, stock_id, name, sku, quantity, subtotal,
            subtotal_tax, total, total_tax, desired, posted, gone
         FROM sale_items WHERE tenant_id = $1 AND sale_id = $2 ORDER BY line_id",
        tenant,
        sale,
    )
}

/// A line and its sale.
#[derive(Debug)]
pub struct OfSale {
    /// The sale.
    pub sale: Uuid,
    /// The line.
    pub line: Row,
}

/// Keeps lines, or brings them to their present state; each of them is there once.
///
/// # Errors
/// When the database does not answer.
pub async fn upsert_all(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    lines: &[OfSale],
) -> Result<(), StoreError> {
    execute_many!(
        tx,
        "INSERT INTO sale_items (tenant_id, sale_id, line_id, integration_id, product_id,
            variation_id, stock_id, name, sku, quantity, subtotal, subtotal_tax, total, total_tax,
            desired, posted, gone)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         ON CONFLICT (tenant_id, sale_id, line_id) DO UPDATE SET product_id = excluded.product_id,
            variation_id = excluded.variation_id, stock_id = excluded.stock_id,
            name = excluded.name, sku = excluded.sku, quantity = excluded.quantity,
            subtotal = excluded.subtotal, subtotal_tax = excluded.subtotal_tax,
            total = excluded.total, total_tax = excluded.total_tax, desired = excluded.desired,
            posted = excluded.posted, gone = excluded.gone",
        lines,
        OfSale { sale, line } => [
            tenant,
            *sale,
            line.line_id,
            integration,
            line.product_id,
            line.variation_id,
            line.stock_id,
            &line.name,
            line.sku.as_deref(),
            line.quantity,
            line.subtotal,
            line.subtotal_tax,
            line.total,
            line.total_tax,
            line.desired,
            line.posted,
            line.gone,
        ]
    );
    Ok(())
}

/// At a listing's opening: all that has left its stock is in the count, so it counts as posted.
///
/// # Errors
/// When the database does not answer.
pub async fn take_as_posted(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    stock_id: i64,
) -> Result<u64, StoreError> {
    execute!(
        tx,
        "UPDATE sale_items SET posted = desired
         WHERE tenant_id = $1 AND integration_id = $2 AND stock_id = $3 AND posted <> desired",
        tenant,
        integration,
        stock_id,
    )
}

/// Gives lines whose stock owner was unknown the one that their product turned out to have.
///
/// # Errors
/// When the database does not answer.
pub async fn resolve_owner(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    product_id: i64,
    stock_id: i64,
) -> Result<u64, StoreError> {
    execute!(
        tx,
        "UPDATE sale_items SET stock_id = $4
         WHERE tenant_id = $1 AND integration_id = $2 AND stock_id IS NULL
           AND ((variation_id = 0 AND product_id = $3) OR variation_id = $3)",
        tenant,
        integration,
        product_id,
        stock_id,
    )
}

/// A line that has not been posted as it should.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Unposted {
    /// Its sale.
    pub sale_id: Uuid,
    /// The line.
    pub line_id: i64,
    /// Units that have left the shop's stock.
    pub desired: i64,
    /// Units accounted for.
    pub posted: i64,
    /// When the ledger first had the sale.
    pub created_at: DateTime<Utc>,
}

/// The lines of one stock owner that are not posted as they should be.
///
/// # Errors
/// When the database does not answer.
pub async fn unposted(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    stock_id: i64,
) -> Result<Vec<Unposted>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Unposted,
        "SELECT l.sale_id, l.line_id, l.desired, l.posted, s.created_at
         FROM sale_items l JOIN sales s ON s.tenant_id = l.tenant_id AND s.id = l.sale_id
         WHERE l.tenant_id = $1 AND l.integration_id = $2 AND l.stock_id = $3
           AND l.posted <> l.desired
         ORDER BY l.sale_id, l.line_id",
        tenant,
        integration,
        stock_id,
    )
}

/// Says how much of a line is accounted for.
///
/// # Errors
/// When the database does not answer.
pub async fn set_posted(
    tx: &mut Tx,
    tenant: TenantId,
    sale: Uuid,
    line_id: i64,
    posted: i64,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE sale_items SET posted = $4 WHERE tenant_id = $1 AND sale_id = $2 AND line_id = $3",
        tenant,
        sale,
        line_id,
        posted,
    )
    .map(drop)
}

/// Units of a line of which only a reading can say whether they are in the count of its stock.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Unsure {
    /// Its sale.
    pub sale_id: Uuid,
    /// The line.
    pub line_id: i64,
    /// Units that are taken to be in the count, in thousandths.
    pub units: i64,
}

/// Adds to what is not sure of a line.
///
/// # Errors
/// When the database does not answer.
pub async fn unsure(tx: &mut Tx, tenant: TenantId, line: &Unsure) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE sale_items SET unsure = unsure + $4
         WHERE tenant_id = $1 AND sale_id = $2 AND line_id = $3",
        tenant,
        line.sale_id,
        line.line_id,
        line.units,
    )
    .map(drop)
}

/// What is not sure of the lines of one stock owner, and from now on is.
///
/// # Errors
/// When the database does not answer.
pub async fn made_sure(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    stock_id: i64,
) -> Result<Vec<Unsure>, StoreError> {
    let mut lines = fetch!(
        fetch_all,
        tx,
        Unsure,
        "SELECT sale_id, line_id, unsure AS units FROM sale_items
         WHERE tenant_id = $1 AND integration_id = $2 AND stock_id = $3 AND unsure <> 0",
        tenant,
        integration,
        stock_id,
    )?;
    execute!(
        tx,
        "UPDATE sale_items SET unsure = 0
         WHERE tenant_id = $1 AND integration_id = $2 AND stock_id = $3 AND unsure <> 0",
        tenant,
        integration,
        stock_id,
    )?;
    lines.sort_by_key(|line| (line.sale_id, line.line_id));
    Ok(lines)
}
