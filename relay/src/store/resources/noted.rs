//! Orders of which a note in the shop says that they were brought over.

use chrono::{DateTime, Utc};

use crate::store::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// The newest orders that are sales here and were given no note, at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn orders_without_note(
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
           AND r.noted_at IS NULL AND EXISTS (
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

/// Remembers when an order was to be given its note; with nothing, that it was not.
///
/// # Errors
/// When the database does not answer.
pub async fn set_noted(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    order: i64,
    at: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE resources SET noted_at = $4
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = 'order' AND remote_id = $3",
        tenant,
        integration,
        order,
        at,
    )
    .map(drop)
}
