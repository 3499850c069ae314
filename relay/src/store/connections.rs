//! Connections: credentials to a store. Their secrets come and go sealed.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// What stands for the secret of a connection that has ended.
pub(super) const FORGOTTEN: &[u8] = &[];

/// What a connection string stands for.
#[derive(Debug, sqlx::FromRow)]
pub struct Connection {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The store it belongs to, once that has registered.
    pub integration_id: Option<Uuid>,
    /// The only address that may register, where the operator named one.
    pub store_url: Option<String>,
    /// The sealed secret.
    pub secret: Vec<u8>,
    /// The sealed secret before the last rotation, while both count.
    pub previous_secret: Option<Vec<u8>>,
}

/// Keeps a new connection.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    store_url: Option<&str>,
    secret: &[u8],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO connections (tenant_id, id, store_url, secret, created_at)
         VALUES ($1, $2, $3, $4, $5)",
        tenant,
        id,
        store_url,
        secret,
        now,
    )
    .map(drop)
}

/// The connection, unless it is unknown or revoked.
///
/// # Errors
/// When the database does not answer.
pub async fn live(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<Connection>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Connection,
        "SELECT id, integration_id, store_url, secret, previous_secret FROM connections
         WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
        tenant,
        id,
    )
}

/// Binds a connection to the store that registered with it.
///
/// # Errors
/// When the database does not answer.
pub async fn bind(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE connections SET integration_id = $3, last_seen_at = $4
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        integration,
        now,
    )
    .map(drop)
}

/// Whether the store has another connection that counts.
///
/// # Errors
/// When the database does not answer.
pub async fn has_other(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    id: Uuid,
) -> Result<bool, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT id FROM connections
         WHERE tenant_id = $1 AND integration_id = $2 AND id <> $3 AND revoked_at IS NULL LIMIT 1",
        tenant,
        integration,
        id,
    )?;
    Ok(row.is_some())
}

/// A store's newest connection and its sealed secrets.
#[derive(Debug, sqlx::FromRow)]
pub struct Newest {
    /// The connection's key within the tenant.
    pub id: Uuid,
    /// The sealed secret.
    pub secret: Vec<u8>,
    /// The sealed secret before the last rotation, while the shop has not used the new one.
    pub previous_secret: Option<Vec<u8>>,
}

/// The sealed secrets of a store's newest connection: of the shop's plugin, if it has one.
///
/// # Errors
/// When the database does not answer.
pub async fn newest_secret(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<Option<Newest>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Newest,
        "SELECT id, secret, previous_secret FROM connections
         WHERE tenant_id = $1 AND integration_id = $2 AND revoked_at IS NULL
         ORDER BY COALESCE(last_seen_at, created_at) DESC LIMIT 1",
        tenant,
        integration,
    )
}

/// Gives a connection another secret; the one that counted so far counts on until the shop uses the new
/// one. `false` when there is no such connection, or it is revoked.
///
/// # Errors
/// When the database does not answer.
pub async fn rotate(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    secret: &[u8],
    previous: &[u8],
) -> Result<bool, StoreError> {
    let rotated = execute!(
        tx,
        "UPDATE connections SET secret = $3, previous_secret = $4
         WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
        tenant,
        id,
        secret,
        previous,
    )?;
    Ok(rotated == 1)
}

/// The shop has used its new secret: the one before counts no longer.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_previous(tx: &mut Tx, tenant: TenantId, id: Uuid) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE connections SET previous_secret = NULL WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )
    .map(drop)
}

/// Ends a connection: from now on it gets 401, and its secret is forgotten.
///
/// # Errors
/// When the database does not answer.
pub async fn revoke(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let revoked = execute!(
        tx,
        "UPDATE connections SET revoked_at = $3, secret = $4, previous_secret = NULL
         WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
        tenant,
        id,
        now,
        FORGOTTEN,
    )?;
    Ok(revoked == 1)
}
