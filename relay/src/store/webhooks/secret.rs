//! What a delivery has to be signed with.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// Begins a registration under this secret. While it is not confirmed, the previous one counts too.
///
/// # Errors
/// When the database does not answer.
pub async fn begin(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    secret: &[u8],
    previous_secret: Option<&[u8]>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE webhook_setups SET secret = $3, previous_secret = $4, previous_until = NULL,
            confirmed_at = NULL
         WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
        secret,
        previous_secret,
    )
    .map(drop)
}

/// Notes that every webhook is in place and signs with the secret; the previous one counts until
/// `previous_until`, for what is on its way.
///
/// # Errors
/// When the database does not answer.
pub async fn confirm(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
    previous_until: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE webhook_setups SET confirmed_at = $3, previous_until = $4
         WHERE tenant_id = $1 AND integration_id = $2 AND confirmed_at IS NULL",
        tenant,
        integration,
        now,
        previous_until,
    )
    .map(drop)
}

/// What a delivery has to be signed with.
#[derive(Debug, sqlx::FromRow)]
pub struct Sealed {
    /// The store.
    pub integration_id: Uuid,
    /// The sealed secret.
    pub secret: Vec<u8>,
    /// The sealed secret before it.
    pub previous_secret: Option<Vec<u8>>,
    /// Until when that counts; until the new one is confirmed, if nothing.
    pub previous_until: Option<DateTime<Utc>>,
}

/// The secrets behind the address of a delivery, unless nobody delivers there.
///
/// # Errors
/// When the database does not answer.
pub async fn secrets(
    tx: &mut Tx,
    tenant: TenantId,
    address: Uuid,
) -> Result<Option<Sealed>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Sealed,
        "SELECT s.integration_id, s.secret, s.previous_secret, s.previous_until
         FROM webhook_setups s
         JOIN integrations i ON i.tenant_id = s.tenant_id AND i.id = s.integration_id
         WHERE s.tenant_id = $1 AND s.address_id = $2 AND s.secret IS NOT NULL
           AND i.status <> 'disconnected'",
        tenant,
        address,
    )
}

/// Which store's webhooks deliver to this address, if any do.
///
/// # Errors
/// When the database does not answer.
pub async fn at_address(
    tx: &mut Tx,
    tenant: TenantId,
    address: Uuid,
) -> Result<Option<IntegrationId>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT integration_id FROM webhook_setups WHERE tenant_id = $1 AND address_id = $2",
        tenant,
        address,
    )?;
    Ok(row.map(|(id,)| id))
}
