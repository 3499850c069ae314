//! Orders of which a note in the store says that they were brought over.

use chrono::{DateTime, Utc};

use crate::store::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// How many ids before the last order with a note are looked at again: an order has its id before it is placed.
const LOOKS_BACK: i64 = 1_000;

/// The first orders that are sales here and have no note, at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn orders_without_note(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    at_most: i64,
) -> Result<Vec<i64>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        (i64,),
        "SELECT DISTINCT s.external_id FROM integrations i
         JOIN sales s ON s.tenant_id = i.tenant_id AND s.integration_id = i.id
            AND s.external_id > i.noted_order - $4
         JOIN resources r ON r.tenant_id = s.tenant_id AND r.integration_id = s.integration_id
            AND r.resource = 'order' AND r.remote_id = s.external_id
         WHERE i.tenant_id = $1 AND i.id = $2 AND NOT s.gone AND s.status <> 'trash'
           AND r.noted_at IS NULL
         ORDER BY s.external_id LIMIT $3",
        tenant,
        id,
        at_most,
        LOOKS_BACK,
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Remembers that an order has its note.
///
/// # Errors
/// When the database does not answer.
pub async fn noted(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    order: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE resources SET noted_at = $4
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = 'order' AND remote_id = $3",
        tenant,
        id,
        order,
        now,
    )?;
    execute!(
        tx,
        "UPDATE integrations SET noted_order = $3
         WHERE tenant_id = $1 AND id = $2 AND noted_order < $3",
        tenant,
        id,
        order,
    )
    .map(drop)
}
