//! Which webhooks are to be looked at, and by whom.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch, fetch_locked},
    Setup,
};

/// Which stores have webhooks that are to be looked at, and may be asked: what [`claim`] takes.
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
        "SELECT w.tenant_id, w.integration_id FROM webhook_setups w
         WHERE w.due_at IS NOT NULL AND w.due_at <= $1
           AND (w.leased_until IS NULL OR w.leased_until <= $1)
           AND EXISTS (SELECT 1 FROM integrations i
             WHERE i.tenant_id = w.tenant_id AND i.id = w.integration_id
               AND i.forked_at IS NULL AND i.consumer_key IS NOT NULL)
         LIMIT 1000",
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
