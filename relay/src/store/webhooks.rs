//! WooCommerce's own webhooks of each store: how they stand, their sealed secret, and when they are to
//! be looked at.

mod due;
mod secret;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch, fetch_locked};
pub use due::{Looked, ask_all, claim, lease, let_go, looked, stores_due};
pub use secret::{Sealed, at_address, begin, confirm, secrets};

/// How a store's webhooks stand.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Setup {
    /// The store.
    pub integration_id: Uuid,
    /// What names them in the address that they deliver to.
    pub address_id: Uuid,
    /// `waiting`, `active`, `failing`, `removing` or `off`.
    pub state: String,
    /// The sealed secret.
    pub secret: Option<Vec<u8>>,
    /// Since when all of them sign with it.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// How often they had to be put right since the last delivery.
    pub heals: i64,
    /// Failures in a row.
    pub attempts: i64,
}

/// Asks for a store's webhooks to be put in place (`waiting`) or taken away (`removing`) at `at`. Those
/// that a person switched off stay so.
///
/// # Errors
/// When the database does not answer.
pub async fn ask(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    state: &str,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO webhook_setups (tenant_id, integration_id, address_id, state, heals, attempts,
            due_at, created_at)
         VALUES ($1, $2, $5, $3, 0, 0, $4, $4)
         ON CONFLICT (tenant_id, integration_id) DO UPDATE SET due_at = $4,
            state = CASE WHEN $3 = 'waiting' AND webhook_setups.state = 'active'
                THEN webhook_setups.state ELSE $3 END
         WHERE webhook_setups.state <> 'off'",
        tenant,
        integration,
        state,
        at,
        Uuid::new_v4(),
    )
    .map(drop)
}

/// A person wants webhooks for this store, whatever was said before.
///
/// # Errors
/// When the database does not answer.
pub async fn switch_on(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE webhook_setups SET state = 'waiting', due_at = $3
         WHERE tenant_id = $1 AND integration_id = $2 AND state IN ('off', 'removing')",
        tenant,
        integration,
        now,
    )?;
    ask(tx, tenant, integration, "waiting", now).await
}

/// How the store's webhooks stand; nothing where it never needed any. The row stays locked.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<Option<Setup>, StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE",
        tx,
        Setup,
        "SELECT integration_id, address_id, state, secret, confirmed_at, heals, attempts
         FROM webhook_setups WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
    )
}

/// Notes a signed delivery; not each of them, or every one would wait for this row.
///
/// # Errors
/// When the database does not answer.
pub async fn delivered(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
    unless_since: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE webhook_setups SET delivered_at = $3, heals = 0
         WHERE tenant_id = $1 AND integration_id = $2
           AND (delivered_at IS NULL OR delivered_at < $4 OR heals > 0)",
        tenant,
        integration,
        now,
        unless_since,
    )
    .map(drop)
}

/// Forgets them, the secret too: what still comes gets 401.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "DELETE FROM webhooks WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
    )?;
    execute!(
        tx,
        "DELETE FROM webhook_setups WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
    )
    .map(drop)
}

/// Remembers that a person wants none for this store.
///
/// # Errors
/// When the database does not answer.
pub async fn switch_off(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO webhook_setups (tenant_id, integration_id, address_id, state, heals, attempts,
            created_at)
         VALUES ($1, $2, $4, 'off', 0, 0, $3)",
        tenant,
        integration,
        now,
        Uuid::new_v4(),
    )
    .map(drop)
}

/// One of a store's webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Webhook {
    /// What it tells of.
    pub topic: String,
    /// Its id in the store.
    pub remote_id: i64,
    /// `active`, `paused` or `disabled`, as it was last seen.
    pub status: String,
}

/// Keeps how one of a store's webhooks was last seen.
///
/// # Errors
/// When the database does not answer.
pub async fn seen(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    webhook: &Webhook,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO webhooks (tenant_id, integration_id, topic, remote_id, status, created_at,
            updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)
         ON CONFLICT (tenant_id, integration_id, topic) DO UPDATE SET remote_id = $4, status = $5,
            updated_at = CASE WHEN webhooks.remote_id <> $4 OR webhooks.status <> $5
                THEN $6 ELSE webhooks.updated_at END",
        tenant,
        integration,
        webhook.topic.as_str(),
        webhook.remote_id,
        webhook.status.as_str(),
        now,
    )
    .map(drop)
}

/// A store's webhooks, by topic.
///
/// # Errors
/// When the database does not answer.
pub async fn of_store(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<Vec<Webhook>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Webhook,
        "SELECT topic, remote_id, status FROM webhooks
         WHERE tenant_id = $1 AND integration_id = $2 ORDER BY topic",
        tenant,
        integration,
    )
}

/// How a store's webhooks stand, for people.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Standing {
    /// The store.
    pub integration_id: Uuid,
    /// What names them in the address that they deliver to.
    pub address_id: Uuid,
    /// `waiting`, `active`, `failing`, `removing` or `off`.
    pub state: String,
    /// Why.
    pub detail: Option<String>,
    /// When the store was last asked about them.
    pub checked_at: Option<DateTime<Utc>>,
    /// When one was last delivered, to the minute.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// How the webhooks of every store of a tenant stand that has or had any.
///
/// # Errors
/// When the database does not answer.
pub async fn standing(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Standing>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Standing,
        "SELECT integration_id, address_id, state, detail, checked_at, delivered_at
         FROM webhook_setups WHERE tenant_id = $1",
        tenant,
    )
}
