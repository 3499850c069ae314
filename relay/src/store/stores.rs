//! How each store of a tenant stands, for people.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// How a store stands.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Standing {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The home address.
    pub store: String,
    /// `connected`, `disconnected` or `error`.
    pub status: String,
    /// Why, for people.
    pub reason: Option<String>,
    /// Why it is halted, if it is.
    pub halted: Option<String>,
    /// How it tells of what happens: `extension`, `webhooks` or `sweep`.
    pub mode: String,
    /// When it was last joined with the ledger.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// `waiting`, `active`, `failing`, `removing` or `off`; nothing where it needs no webhooks.
    pub webhooks_state: Option<String>,
    /// Why, for people.
    pub webhooks_detail: Option<String>,
    /// What names them in the address that they deliver to.
    pub webhooks_address: Option<Uuid>,
    /// When the store was last asked about them.
    pub webhooks_checked_at: Option<DateTime<Utc>>,
    /// When one was last delivered, to the minute.
    pub webhooks_delivered_at: Option<DateTime<Utc>>,
}

/// Every store of a tenant, or the one of this key.
///
/// # Errors
/// When the database does not answer.
pub async fn standing(
    tx: &mut Tx,
    tenant: TenantId,
    id: Option<IntegrationId>,
) -> Result<Vec<Standing>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Standing,
        "SELECT i.id, i.store_url AS store, i.status, i.status_reason AS reason,
            i.forked_reason AS halted, i.mode, i.last_sync_at, s.state AS webhooks_state,
            s.detail AS webhooks_detail, s.address_id AS webhooks_address,
            s.checked_at AS webhooks_checked_at, s.delivered_at AS webhooks_delivered_at
         FROM integrations i
         LEFT JOIN webhook_setups s ON s.tenant_id = i.tenant_id AND s.integration_id = i.id
         WHERE i.tenant_id = $1 AND ($2 IS NULL OR i.id = $2) ORDER BY i.store_url",
        tenant,
        id,
    )
}

/// Which stores of any tenant are at this address, for the operator's own command line.
///
/// # Errors
/// When the database does not answer.
pub async fn at_address(
    tx: &mut Tx,
    store_url: &str,
) -> Result<Vec<(TenantId, IntegrationId)>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        (Uuid, Uuid),
        "SELECT tenant_id, id FROM integrations WHERE type = 'woocommerce' AND store_url = $1",
        store_url,
    )
}

/// How the store tells of what happens: `extension`, `webhooks` or `sweep`.
///
/// # Errors
/// When the database does not answer.
pub async fn mode(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<Option<String>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (String,),
        "SELECT mode FROM integrations WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )?;
    Ok(row.map(|(mode,)| mode))
}

/// Says how a store without the extension tells of what happens: `webhooks`, or `sweep` while it has
/// none.
///
/// # Errors
/// When the database does not answer.
pub async fn set_mode(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    mode: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET mode = $3, updated_at = $4
         WHERE tenant_id = $1 AND id = $2 AND mode <> 'extension' AND mode <> $3",
        tenant,
        id,
        mode,
        now,
    )
    .map(drop)
}
