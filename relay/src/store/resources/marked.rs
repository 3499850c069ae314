//! What was to be marked in a shop that has no plugin: each order by a note, products and accounts by a custom field.

use chrono::{DateTime, Utc};

use crate::store::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// The newest orders that are sales here and were given no mark, at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn orders_without_mark(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    at_most: i64,
) -> Result<Vec<i64>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        (i64,),
        "SELECT r.remote_id FROM resources r
         WHERE r.tenant_id = $1 AND r.integration_id = $2 AND r.resource = 'order'
           AND r.marked_at IS NULL AND EXISTS (
            SELECT 1 FROM sales s
            WHERE s.tenant_id = r.tenant_id AND s.integration_id = r.integration_id
              AND s.external_id = r.remote_id AND NOT s.gone AND s.status <> 'trash')
         ORDER BY r.remote_id DESC LIMIT $3",
        tenant,
        integration,
        at_most,
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The newest products of these types, with their type, that are in the inventory or need not be and were given no mark,
/// at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn products_without_mark(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    at_most: i64,
) -> Result<Vec<(i64, String)>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        (i64, String),
        "SELECT r.remote_id, p.kind FROM resources r
         JOIN products p ON p.tenant_id = r.tenant_id AND p.integration_id = r.integration_id
            AND p.remote_id = r.remote_id
         WHERE r.tenant_id = $1 AND r.integration_id = $2 AND r.resource = 'product'
           AND r.marked_at IS NULL AND NOT p.gone AND p.status <> 'trash' AND NOT EXISTS (
            SELECT 1 FROM listings l
            WHERE l.tenant_id = r.tenant_id AND l.integration_id = r.integration_id
              AND l.stock_id = r.remote_id AND l.state IN ('skipped', 'waiting'))
         ORDER BY r.remote_id DESC LIMIT $3",
        tenant,
        integration,
        at_most,
    )
}

/// The newest accounts of which something is kept and that were given no mark, at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn accounts_without_mark(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    at_most: i64,
) -> Result<Vec<i64>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        (i64,),
        "SELECT r.remote_id FROM resources r
         WHERE r.tenant_id = $1 AND r.integration_id = $2 AND r.resource = 'customer'
           AND r.marked_at IS NULL AND r.erased_at IS NULL AND EXISTS (
            SELECT 1 FROM customer_accounts a
            WHERE a.tenant_id = r.tenant_id AND a.integration_id = r.integration_id
              AND a.remote_id = r.remote_id AND NOT a.gone)
         ORDER BY r.remote_id DESC LIMIT $3",
        tenant,
        integration,
        at_most,
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Remembers when a thing was to be given its mark; with nothing, that it was not.
///
/// # Errors
/// When the database does not answer.
pub async fn set_marked(
    tx: &mut Tx,
    key: super::Key<'_>,
    at: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE resources SET marked_at = $5
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
        at,
    )
    .map(drop)
}
