//! What waits for a person in a store, and what a person has decided.

use chrono::{DateTime, Utc};

use crate::store::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// Halts the store until a person decides; the first reason stays.
///
/// # Errors
/// When the database does not answer.
pub async fn fork(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET forked_at = $3, forked_reason = $4, updated_at = $3
         WHERE tenant_id = $1 AND id = $2 AND forked_at IS NULL",
        tenant,
        id,
        now,
        reason,
    )
    .map(drop)
}

/// Takes a halted store up again; `false` when it was not halted.
///
/// # Errors
/// When the database does not answer.
pub async fn unfork(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let taken_up = execute!(
        tx,
        "UPDATE integrations SET forked_at = NULL, forked_reason = NULL, updated_at = $3
         WHERE tenant_id = $1 AND id = $2 AND forked_at IS NOT NULL",
        tenant,
        id,
        now,
    )?;
    Ok(taken_up == 1)
}

/// Forgets the plugin's own id of the shop.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_plugin(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET store_id = NULL WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )
    .map(drop)
}

/// What a person has decided about a store.
#[derive(Debug, sqlx::FromRow)]
pub struct Policies {
    /// Whose number counts where a stock was edited in it: `ledger` or `adopt`.
    pub drift_policy: String,
    /// Whether what is brought over from it is marked in it.
    pub marks: bool,
    /// Whether, where it has no plugin, products and customers are marked as well.
    pub mark_fields: bool,
    /// Whether its key may write: else nothing is marked.
    pub writable: bool,
    /// Its mode, on which it depends what is in force.
    pub mode: String,
}

/// A store's policies.
///
/// # Errors
/// When the database does not answer.
pub async fn policies(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<Policies, StoreError> {
    fetch!(
        fetch_one,
        tx,
        Policies,
        "SELECT drift_policy, marks, mark_fields, writable, mode FROM integrations
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )
}

/// Says whose number counts from now on.
///
/// # Errors
/// When the database does not answer.
pub async fn set_policy(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    policy: &str,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET drift_policy = $3 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        policy,
    )
    .map(drop)
}

/// Says whether what is brought over from a store is marked in it from now on, and whether by fields as well.
///
/// # Errors
/// When the database does not answer.
pub async fn set_marks(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    marks: bool,
    fields: bool,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET marks = $3, mark_fields = $4 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        marks,
        fields,
    )
    .map(drop)
}

/// Holds a store's pushes until a person has looked; the first reason stays.
///
/// # Errors
/// When the database does not answer.
pub async fn hold(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET held_at = $3, held_reason = $4
         WHERE tenant_id = $1 AND id = $2 AND held_at IS NULL",
        tenant,
        id,
        now,
        reason,
    )
    .map(drop)
}

/// Lets a store's pushes go; `false` when they were not held.
///
/// # Errors
/// When the database does not answer.
pub async fn release(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let released = execute!(
        tx,
        "UPDATE integrations SET held_at = NULL, held_reason = NULL, updated_at = $3
         WHERE tenant_id = $1 AND id = $2 AND held_at IS NOT NULL",
        tenant,
        id,
        now,
    )?;
    Ok(released == 1)
}

/// Why a store's pushes wait for a person, if they do.
///
/// # Errors
/// When the database does not answer.
pub async fn held_reason(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<Option<String>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Option<String>,),
        "SELECT held_reason FROM integrations WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )?;
    Ok(row.and_then(|(reason,)| reason))
}
