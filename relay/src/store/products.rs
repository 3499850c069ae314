//! A shop's products and variations, and which one owns the stock that each draws on.

use chrono::{DateTime, Utc};

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// A product as the ledger knows it.
#[derive(Debug)]
pub struct Known<'a> {
    /// WooCommerce's id.
    pub remote_id: i64,
    /// The product that a variation belongs to.
    pub parent_id: Option<i64>,
    /// Whose stock it draws on.
    pub stock_id: i64,
    /// `simple`, `variable`, `variation`, …
    pub kind: &'a str,
    /// Whether its variations are listed apart.
    pub has_variations: bool,
    /// Its SKU, if it has one.
    pub sku: Option<&'a str>,
    /// Its name.
    pub name: &'a str,
    /// `publish`, `draft`, `trash`, …
    pub status: &'a str,
}

/// Keeps what is known of a product.
///
/// # Errors
/// When the database does not answer.
pub async fn upsert(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    product: &Known<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO products (tenant_id, integration_id, remote_id, parent_id, stock_id, kind, sku,
            name, status, gone, updated_at, has_variations)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, FALSE, $10, $11)
         ON CONFLICT (tenant_id, integration_id, remote_id) DO UPDATE SET parent_id = $4,
            stock_id = $5, kind = $6, sku = $7, name = $8, status = $9, gone = FALSE,
            updated_at = $10, has_variations = $11",
        tenant,
        integration,
        product.remote_id,
        product.parent_id,
        product.stock_id,
        product.kind,
        product.sku,
        product.name,
        product.status,
        now,
        product.has_variations,
    )
    .map(drop)
}

/// Whose stock a product draws on, if it is known.
///
/// # Errors
/// When the database does not answer.
pub async fn stock_owner(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    remote_id: i64,
) -> Result<Option<i64>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (i64,),
        "SELECT stock_id FROM products
         WHERE tenant_id = $1 AND integration_id = $2 AND remote_id = $3",
        tenant,
        integration,
        remote_id,
    )?;
    Ok(row.map(|(stock_id,)| stock_id))
}

/// The first product of a store after `after`, by id, whose variations are listed apart; with `since` of those that its
/// listing has shown since then.
///
/// # Errors
/// When the database does not answer.
pub async fn next_parent(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    after: i64,
    since: Option<DateTime<Utc>>,
) -> Result<Option<i64>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (i64,),
        "SELECT p.remote_id FROM products p
         WHERE p.tenant_id = $1 AND p.integration_id = $2 AND p.remote_id > $3
           AND (p.has_variations OR p.kind = 'variable') AND NOT p.gone
           AND ($4 IS NULL OR EXISTS (SELECT 1 FROM resources r
             WHERE r.tenant_id = p.tenant_id AND r.integration_id = p.integration_id
               AND r.resource = 'product' AND r.remote_id = p.remote_id AND r.seen_at >= $4))
         ORDER BY p.remote_id LIMIT 1",
        tenant,
        integration,
        after,
        since,
    )?;
    Ok(row.map(|(id,)| id))
}

/// Notes that the shop has deleted a product; gives the SKU that it had.
///
/// # Errors
/// When the database does not answer.
pub async fn gone(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    remote_id: i64,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Option<String>,),
        "UPDATE products SET gone = TRUE, updated_at = $4
         WHERE tenant_id = $1 AND integration_id = $2 AND remote_id = $3 RETURNING sku",
        tenant,
        integration,
        remote_id,
        now,
    )?;
    Ok(row.and_then(|(sku,)| sku))
}
