//! A product or variation becomes a piece of inventory, if it has stock and an SKU.

use nexpura_protocol::Facts;
use serde_json::Value;

use super::{ApplyError, Source, listing, post, remote};
use crate::{
    domain::Product,
    store::{Tx, products, sale_items},
};

/// Brings what the ledger knows of a product to what the representation shows.
pub(super) async fn apply(
    tx: &mut Tx,
    source: &Source,
    payload: &Value,
    facts: Option<&Facts>,
) -> Result<(), ApplyError> {
    let (tenant, integration) = (source.tenant, source.integration);
    let product = Product::read(payload, facts)?;
    let remote_id = remote(product.id)?;
    let stock_id = remote(product.stock_id)?;
    let known = products::Known {
        remote_id,
        parent_id: product.parent_id.map(remote).transpose()?,
        stock_id,
        kind: &product.kind,
        has_variations: product.has_variations,
        sku: product.sku.as_ref().map(|sku| sku.as_str()),
        name: &product.name,
        status: &product.status,
    };
    products::upsert(tx, tenant, integration, &known, source.now).await?;
    // The product's own listing follows what it says of its own stock, whoever owns that now.
    listing::follow(tx, source, &product, remote_id).await?;
    if let ("trash", Some(sku)) = (product.status.as_str(), &product.sku) {
        listing::waken(tx, source, sku.as_str()).await?;
    }
    if stock_id != remote_id
        && products::stock_owner(tx, tenant, integration, stock_id).await?.is_none()
    {
        listing::want_product(tx, source, stock_id).await?;
    }
    if sale_items::resolve_owner(tx, tenant, integration, remote_id, stock_id).await? > 0 {
        post::settle_stock(tx, source, stock_id).await?;
    }
    Ok(())
}

/// The shop has no such product any more.
pub(super) async fn gone(tx: &mut Tx, source: &Source, remote_id: i64) -> Result<(), ApplyError> {
    let (tenant, integration) = (source.tenant, source.integration);
    let sku = products::gone(tx, tenant, integration, remote_id, source.now).await?;
    listing::missing(tx, source, remote_id).await?;
    if let Some(sku) = sku {
        listing::waken(tx, source, &sku).await?;
    }
    Ok(())
}
