//! WooCommerce's own webhooks of each store: how they stand, their sealed secret, and when they are to
//! be looked at.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch, fetch_locked};

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

/// Which stores have webhooks that are to be looked at.
///
/// # Errors
/// When the database does not answer.
pub async fn stores_due(
    tx: &mut Tx,
    now: DateTime<Utc>,
) -> Result<Vec<(TenantId, IntegrationId)>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        (Uuid, Uuid),
        "SELECT tenant_id, integration_id FROM webhook_setups
         WHERE due_at IS NOT NULL AND due_at <= $1
           AND (leased_until IS NULL OR leased_until <= $1) LIMIT 1000",
        now,
    )
}

/// Claims a store's, if they are due, until `until`; another relay passes over them. Not those of a store
/// that is halted or has no key.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    tx: &mut Tx,
    (tenant, integration): (TenantId, IntegrationId),
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Setup>, StoreError> {
    let due = fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE SKIP LOCKED",
        tx,
        Setup,
        "SELECT integration_id, address_id, state, secret, confirmed_at, heals, attempts
         FROM webhook_setups
         WHERE tenant_id = $1 AND integration_id = $2 AND due_at IS NOT NULL AND due_at <= $3
           AND (leased_until IS NULL OR leased_until <= $3)
           AND EXISTS (SELECT 1 FROM integrations i WHERE i.tenant_id = $1 AND i.id = $2
             AND i.forked_at IS NULL AND i.consumer_key IS NOT NULL)",
        tenant,
        integration,
        now,
    )?;
    if let Some(setup) = &due {
        lease(tx, tenant, setup.integration_id, now, until).await?;
    }
    Ok(due)
}

/// Claims this one until `until`; `false` while somebody else has it in hand.
///
/// # Errors
/// When the database does not answer.
pub async fn lease(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let claimed = execute!(
        tx,
        "UPDATE webhook_setups SET leased_until = $4
         WHERE tenant_id = $1 AND integration_id = $2
           AND (leased_until IS NULL OR leased_until <= $3)",
        tenant,
        integration,
        now,
        until,
    )?;
    Ok(claimed == 1)
}

/// Ends a claim without having found anything.
///
/// # Errors
/// When the database does not answer.
pub async fn let_go(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE webhook_setups SET leased_until = NULL
         WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
    )
    .map(drop)
}

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

/// How a look at a store's webhooks ended.
#[derive(Debug)]
pub struct Looked<'a> {
    /// `waiting`, `active`, `failing`, `removing` or `off`.
    pub state: &'a str,
    /// Why, for people.
    pub detail: Option<&'a str>,
    /// Whether the store answered.
    pub answered: bool,
    /// How often they had to be put right since the last delivery.
    pub heals: i64,
    /// When they are to be looked at again; never, if nothing.
    pub due_at: Option<DateTime<Utc>>,
}

/// Ends a claim with what was found.
///
/// # Errors
/// When the database does not answer.
pub async fn looked(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    found: &Looked<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE webhook_setups SET state = $3, detail = $4, heals = $5, due_at = $6,
            leased_until = NULL, attempts = CASE WHEN $7 THEN 0 ELSE attempts + 1 END,
            checked_at = CASE WHEN $7 THEN $8 ELSE checked_at END
         WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
        found.state,
        found.detail,
        found.heals,
        found.due_at,
        found.answered,
        now,
    )
    .map(drop)
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

/// Asks for all to be looked at that nobody has looked at since `before`: a relay that was away may have
/// made shops switch theirs off.
///
/// # Errors
/// When the database does not answer.
pub async fn ask_all(
    tx: &mut Tx,
    tenant: TenantId,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE webhook_setups SET due_at = $3
         WHERE tenant_id = $1 AND due_at > $3 AND (checked_at IS NULL OR checked_at < $2)",
        tenant,
        before,
        now,
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
