//! Rivals: several products of one store that have the SKU of one piece, of which one sells it.
//!
//! A listing holds its piece while it is read or open and its product is there under the piece's SKU. One whose
//! product is gone, in the trash, kept no count of or called otherwise keeps nobody from the piece.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{
    IntegrationId, StoreError, TenantId, Tx, execute, fetch, fetch_many, inventory,
};

/// Whether another listing of the store holds this piece.
///
/// # Errors
/// When the database does not answer.
pub async fn has_rival(
    tx: &mut Tx,
    tenant: TenantId,
    inventory: Uuid,
    integration: IntegrationId,
    stock_id: i64,
) -> Result<bool, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT o.id FROM listings o
         JOIN inventory v ON v.tenant_id = o.tenant_id AND v.id = o.inventory_id
         JOIN products p ON p.tenant_id = o.tenant_id AND p.integration_id = o.integration_id
           AND p.remote_id = o.stock_id
         WHERE o.tenant_id = $1 AND o.inventory_id = $2 AND o.integration_id = $3
           AND o.stock_id <> $4 AND o.state IN ('opening', 'open')
           AND p.sku = v.sku AND NOT p.gone AND p.status <> 'trash' LIMIT 1",
        tenant,
        inventory,
        integration,
        stock_id,
    )?;
    Ok(row.is_some())
}

/// Lets what was skipped for a rival wait for a choice, where no rival holds its piece any more; gives how many
/// there were.
///
/// # Errors
/// When the database does not answer.
pub async fn waken(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    execute!(
        tx,
        "UPDATE listings SET state = 'waiting', reason = $3, changes = changes + 1, updated_at = $4
         WHERE tenant_id = $1 AND integration_id = $2 AND state = 'skipped'
           AND EXISTS (
             SELECT 1 FROM products q
             JOIN inventory v ON v.tenant_id = q.tenant_id AND v.sku = q.sku
             WHERE q.tenant_id = $1 AND q.integration_id = $2 AND q.remote_id = listings.stock_id
               AND NOT q.gone AND q.status <> 'trash'
               AND NOT EXISTS (
                 SELECT 1 FROM listings o CROSS JOIN products p
                 WHERE o.tenant_id = $1 AND o.inventory_id = v.id AND o.integration_id = $2
                   AND o.state IN ('opening', 'open')
                   AND p.tenant_id = $1 AND p.integration_id = $2 AND p.remote_id = o.stock_id
                   AND p.sku = v.sku AND NOT p.gone AND p.status <> 'trash'))",
        tenant,
        integration,
        reason,
        now,
    )
}

/// The same of one SKU, which somebody has let go of.
///
/// # Errors
/// When the database does not answer.
pub async fn waken_of(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    sku: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let Some(piece) = inventory::lock_by_sku(tx, tenant, sku).await? else { return Ok(0) };
    if has_rival(tx, tenant, piece.id, integration, NOBODY).await? {
        return Ok(0);
    }
    execute!(
        tx,
        "UPDATE listings SET state = 'waiting', reason = $4, changes = changes + 1, updated_at = $5
         WHERE tenant_id = $1 AND integration_id = $2 AND state = 'skipped'
           AND stock_id IN (
             SELECT q.remote_id FROM products q
             WHERE q.tenant_id = $1 AND q.integration_id = $2 AND q.sku = $3
               AND NOT q.gone AND q.status <> 'trash')",
        tenant,
        integration,
        sku,
        reason,
        now,
    )
}

/// The id of no product.
const NOBODY: i64 = 0;

/// Takes these pieces from all other listings of the store but those that were linked just now, at `now`. Gives the
/// stock owners that had them; what was not sure of their lines is not of any other piece.
///
/// # Errors
/// When the database does not answer.
pub async fn release(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    pieces: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<i64>, StoreError> {
    let released = fetch_many!(
        tx,
        (i64,),
        "UPDATE listings SET inventory_id = NULL,
            reason = CASE WHEN state IN ('opening', 'open') THEN v.column4 ELSE reason END,
            state = CASE WHEN state IN ('opening', 'open') THEN 'skipped' ELSE state END,
            mirror = NULL, reading = NULL, reading_at = NULL, reading_changes = NULL,
            doubted_at = NULL, unsure_at = NULL, holds = NULL, changes = changes + 1, updated_at = v.column5
         FROM (VALUES ($1, $2, $3, $4, $5)) AS v
         WHERE tenant_id = v.column1 AND integration_id = v.column2 AND inventory_id = v.column3
           AND NOT (state = 'opening' AND holds IS NOT NULL AND updated_at = v.column5)
         RETURNING stock_id",
        pieces,
        piece => [tenant, integration, *piece, SOLD_BY_ANOTHER, now]
    );
    execute!(
        tx,
        "UPDATE drifts SET status = 'void', reason = 'another product of the store sells the piece now',
            resolved_at = $3
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'held'
           AND EXISTS (SELECT 1 FROM listings l
             WHERE l.tenant_id = $1 AND l.id = drifts.listing_id AND l.state <> 'open')",
        tenant,
        integration,
        now,
    )?;
    Ok(released.into_iter().map(|(stock_id,)| stock_id).collect())
}

/// Why a listing that had a piece sells it no more.
const SOLD_BY_ANOTHER: &str = "another product of this store sells the piece now";
