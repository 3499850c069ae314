//! Connected stores.

mod decided;
mod known;
mod summary;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch, fetch_locked};

pub use decided::{
    Policies, forget_plugin, fork, held_reason, hold, policies, release, set_marks, set_policy,
    unfork,
};
pub use known::{
    KnownUntil, deeply_swept, known_until, nothing_known, orders_known, products_known, synced,
};
pub use summary::{Summary, summaries};

/// A store that is, or was, connected.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Integration {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The plugin's own id of the shop.
    pub store_id: Option<String>,
    /// The home address, pinned at the first registration.
    pub store_url: String,
    /// Where its REST API answers.
    pub rest_root: String,
    /// `connected`, `disconnected` or `error`.
    pub status: String,
    /// How it reaches us: `extension`, `webhooks` or `sweep`.
    pub mode: String,
    /// Whether its key may write.
    pub writable: bool,
    /// The sealed consumer key.
    pub consumer_key: Option<Vec<u8>>,
    /// The sealed consumer secret.
    pub consumer_secret: Option<Vec<u8>>,
    /// Since when nothing is applied or pushed, because two databases claim to be this shop.
    pub forked_at: Option<DateTime<Utc>>,
    /// Whether what is brought over from it is marked in it.
    pub marks: bool,
    /// Whether, where it has no plugin, products and customers are marked as well.
    pub mark_fields: bool,
}

impl Integration {
    /// Whether it may be asked: a disconnected store has no key.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.consumer_key.is_some()
    }
}

/// What a registration says about a store.
#[derive(Debug)]
pub struct Registration<'a> {
    /// The plugin's own id of the shop.
    pub store_id: &'a str,
    /// The home address.
    pub store_url: &'a str,
    /// Where its REST API answers.
    pub rest_root: &'a str,
    /// `extension` or `sweep`.
    pub mode: &'a str,
    /// Versions and settings, for people.
    pub config: &'a Value,
    /// The sealed consumer key.
    pub consumer_key: &'a [u8],
    /// The sealed consumer secret.
    pub consumer_secret: &'a [u8],
}

/// The store, locked until the transaction ends: all that writes to one store's ledger begins here, so
/// that its events, its fetches and its settled readings happen one after the other.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<Option<Integration>, StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE",
        tx,
        Integration,
        "SELECT id, store_id, store_url, rest_root, status, mode, writable, consumer_key,
            consumer_secret, forked_at, marks, mark_fields
         FROM integrations WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )
}

/// The store.
///
/// # Errors
/// When the database does not answer.
pub async fn get(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<Option<Integration>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Integration,
        "SELECT id, store_id, store_url, rest_root, status, mode, writable, consumer_key,
            consumer_secret, forked_at, marks, mark_fields
         FROM integrations WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )
}

/// WooCommerce's own id of the shop, as it told it when it was last connected.
///
/// # Errors
/// When the database does not answer.
pub async fn woocommerce_id(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<Option<String>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Value,),
        "SELECT config FROM integrations WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )?;
    Ok(row.and_then(|(config,)| config["woocommerce_id"].as_str().map(str::to_owned)))
}

/// Keeps WooCommerce's own id of the shop where none is known yet.
///
/// # Errors
/// When the database does not answer.
pub async fn learn_woocommerce_id(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    told: &str,
) -> Result<(), StoreError> {
    let row = fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE",
        tx,
        (Value,),
        "SELECT config FROM integrations WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )?;
    let Some((mut config,)) = row else { return Ok(()) };
    if !config["woocommerce_id"].is_null() || !config.is_object() {
        return Ok(());
    }
    config["woocommerce_id"] = Value::from(told);
    execute!(
        tx,
        "UPDATE integrations SET config = $3 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        &config,
    )
    .map(drop)
}

/// The store with this plugin's id, else the one at this address.
///
/// # Errors
/// When the database does not answer.
pub async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    store_id: &str,
    store_url: &str,
) -> Result<Option<Integration>, StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE",
        tx,
        Integration,
        "SELECT id, store_id, store_url, rest_root, status, mode, writable, consumer_key,
            consumer_secret, forked_at, marks, mark_fields
         FROM integrations
         WHERE tenant_id = $1 AND type = 'woocommerce'
           AND (store_id = $2 OR (store_url = $3 AND store_id IS NULL))
         ORDER BY CASE WHEN store_id = $2 THEN 0 ELSE 1 END LIMIT 1",
        tenant,
        store_id,
        store_url,
    )
}

/// Whether any store of the tenant is at this address.
///
/// # Errors
/// When the database does not answer.
pub async fn at_address(
    tx: &mut Tx,
    tenant: TenantId,
    store_url: &str,
) -> Result<Option<IntegrationId>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT id FROM integrations
         WHERE tenant_id = $1 AND type = 'woocommerce' AND store_url = $2",
        tenant,
        store_url,
    )?;
    Ok(row.map(|(id,)| id))
}

/// Keeps a store that registers for the first time.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    store: &Registration<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO integrations (tenant_id, id, type, store_id, store_url, rest_root, status, mode,
            config, consumer_key, consumer_secret, created_at, updated_at)
         VALUES ($1, $2, 'woocommerce', $3, $4, $5, 'connected', $6, $7, $8, $9, $10, $10)",
        tenant,
        id,
        store.store_id,
        store.store_url,
        store.rest_root,
        store.mode,
        store.config,
        store.consumer_key,
        store.consumer_secret,
        now,
    )
    .map(drop)
}

/// Renews a store that registers again: its row, and so its history, stays. A plugin's key may write.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    store: &Registration<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET store_id = $3, rest_root = $4, mode = $5, config = $6,
            consumer_key = $7, consumer_secret = $8, writable = TRUE, status = 'connected',
            status_reason = NULL, updated_at = $9
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        store.store_id,
        store.rest_root,
        store.mode,
        store.config,
        store.consumer_key,
        store.consumer_secret,
        now,
    )
    .map(drop)
}

/// Says how the store stands; `reason` is for people.
///
/// # Errors
/// When the database does not answer.
pub async fn set_status(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    status: &str,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET status = $3, status_reason = $4, updated_at = $5
         WHERE tenant_id = $1 AND id = $2 AND status <> 'disconnected'
           AND (status <> $3 OR COALESCE(status_reason, '') <> COALESCE($4, ''))",
        tenant,
        id,
        status,
        reason,
        now,
    )
    .map(drop)
}

/// Says why stock does not go back, for people, or that it does.
///
/// # Errors
/// When the database does not answer.
pub async fn set_push_trouble(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET push_trouble = $3
         WHERE tenant_id = $1 AND id = $2 AND status <> 'disconnected'
           AND COALESCE(push_trouble, '') <> COALESCE($3, '')",
        tenant,
        id,
        reason,
    )
    .map(drop)
}

/// Disconnects: the keys are forgotten, all else stays.
///
/// # Errors
/// When the database does not answer.
pub async fn disconnect(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET status = 'disconnected', status_reason = NULL, consumer_key = NULL,
            consumer_secret = NULL, push_trouble = NULL, updated_at = $3
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        now,
    )
    .map(drop)
}
