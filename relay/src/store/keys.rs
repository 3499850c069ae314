//! Stores as people see and connect them: by their key, and what that key may do.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, connections::FORGOTTEN, execute, fetch};

/// What is kept of a store that was connected by its key.
#[derive(Debug)]
pub struct ByKey<'a> {
    /// The home address.
    pub store_url: &'a str,
    /// Where its REST API answers; empty for the usual place.
    pub rest_root: &'a str,
    /// `extension`, `webhooks` or `sweep`.
    pub mode: &'a str,
    /// Versions and settings, for people.
    pub config: &'a Value,
    /// The sealed consumer key.
    pub consumer_key: &'a [u8],
    /// The sealed consumer secret.
    pub consumer_secret: &'a [u8],
    /// Whether the key may write.
    pub writable: bool,
}

/// Keeps a store that is connected for the first time. Its plugin, if it gets one, gives it an id later.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    store: &ByKey<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO integrations (tenant_id, id, type, store_url, rest_root, status, mode, config,
            consumer_key, consumer_secret, writable, created_at, updated_at)
         VALUES ($1, $2, 'woocommerce', $3, $4, 'connected', $5, $6, $7, $8, $9, $10, $10)",
        tenant,
        id,
        store.store_url,
        store.rest_root,
        store.mode,
        store.config,
        store.consumer_key,
        store.consumer_secret,
        store.writable,
        now,
    )
    .map(drop)
}

/// Gives a store another key: its row, and so its history, stays.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    store: &ByKey<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET rest_root = $3, mode = $4, config = $5, consumer_key = $6,
            consumer_secret = $7, writable = $8, status = 'connected', status_reason = NULL,
            updated_at = $9
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        store.rest_root,
        store.mode,
        store.config,
        store.consumer_key,
        store.consumer_secret,
        store.writable,
        now,
    )
    .map(drop)
}

/// Notes whether a store's key may write.
///
/// # Errors
/// When the database does not answer.
pub async fn set_writable(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    writable: bool,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET writable = $3, updated_at = $4
         WHERE tenant_id = $1 AND id = $2 AND writable <> $3",
        tenant,
        id,
        writable,
        now,
    )
    .map(drop)
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

/// A store as it is shown.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct Shown {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The home address.
    #[sqlx(rename = "store_url")]
    pub store: String,
    /// `connected`, `disconnected` or `error`.
    pub status: String,
    /// Why, for people.
    #[sqlx(rename = "status_reason")]
    pub reason: Option<String>,
    /// How it reaches us: `extension`, `webhooks` or `sweep`.
    pub mode: String,
    /// Whether its key may write.
    pub writable: bool,
    /// Whether our plugin is registered there.
    pub plugin: bool,
    /// Why it is halted, if it is.
    #[sqlx(rename = "forked_reason")]
    pub halted: Option<String>,
    /// Why stock does not go back to it, until a push is through.
    pub push_trouble: Option<String>,
    /// When it was last joined with the ledger.
    pub last_sync_at: Option<DateTime<Utc>>,
}

/// The stores of a tenant, by address.
///
/// # Errors
/// When the database does not answer.
pub async fn list(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT i.id, i.store_url, i.status, i.status_reason, i.mode, i.writable,
            EXISTS (SELECT 1 FROM connections c WHERE c.tenant_id = i.tenant_id
                AND c.integration_id = i.id AND c.revoked_at IS NULL) AS plugin,
            i.forked_reason, i.push_trouble, i.last_sync_at
         FROM integrations i WHERE i.tenant_id = $1 ORDER BY i.store_url",
        tenant,
    )
}

/// Ends all connections of a store and forgets their secrets; gives how many there were.
///
/// # Errors
/// When the database does not answer.
pub async fn revoke_connections(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    execute!(
        tx,
        "UPDATE connections SET revoked_at = $3, secret = $4, previous_secret = NULL
         WHERE tenant_id = $1 AND integration_id = $2 AND revoked_at IS NULL",
        tenant,
        id,
        now,
        FORGOTTEN,
    )
}

/// Id and address of every store of a tenant, by address.
///
/// # Errors
/// When the database does not answer.
pub async fn names(
    tx: &mut Tx,
    tenant: TenantId,
) -> Result<Vec<(IntegrationId, String)>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        (Uuid, String),
        "SELECT id, store_url FROM integrations WHERE tenant_id = $1 ORDER BY store_url, id",
        tenant,
    )
}
