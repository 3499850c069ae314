//! Long work on a store: claimed by lease, resumed from its cursor.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch, fetch_locked, new_id};

/// A run in hand.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Run {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The store.
    pub integration_id: Uuid,
    /// Where it stands.
    pub cursor: Value,
    /// Failures in a row.
    pub attempts: i64,
}

/// Asks for a run of this kind at `at` or before. `cursor` says where it begins; a run that is there
/// already keeps its place, unless it is to `restart`.
///
/// # Errors
/// When the database does not answer.
pub async fn ask(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    kind: &str,
    cursor: &Value,
    restart: bool,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO sync_runs (tenant_id, id, integration_id, kind, cursor, due_at, attempts,
            created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $6)
         ON CONFLICT (tenant_id, integration_id, kind) DO UPDATE SET
            due_at = CASE WHEN sync_runs.due_at > $6 THEN $6 ELSE sync_runs.due_at END,
            cursor = CASE WHEN $7 THEN $5 ELSE sync_runs.cursor END",
        tenant,
        new_id(),
        integration,
        kind,
        cursor,
        at,
        restart,
    )
    .map(drop)
}

/// Which tenants have a run that is due.
///
/// # Errors
/// When the database does not answer.
pub async fn tenants_due(tx: &mut Tx, now: DateTime<Utc>) -> Result<Vec<TenantId>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        (Uuid,),
        "SELECT DISTINCT tenant_id FROM sync_runs
         WHERE due_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
         LIMIT 1000",
        now,
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Claims a tenant's next run until `until`; another relay passes over it.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    tx: &mut Tx,
    tenant: TenantId,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Run>, StoreError> {
    let run = fetch_locked!(
        fetch_optional,
        " FOR UPDATE SKIP LOCKED",
        tx,
        Run,
        "SELECT id, integration_id, cursor, attempts FROM sync_runs
         WHERE tenant_id = $1 AND due_at <= $2
           AND (leased_until IS NULL OR leased_until <= $2)
           AND integration_id IN (SELECT id FROM integrations
             WHERE tenant_id = $1 AND forked_at IS NULL AND consumer_key IS NOT NULL)
         ORDER BY due_at LIMIT 1",
        tenant,
        now,
    )?;
    if let Some(run) = &run {
        execute!(
            tx,
            "UPDATE sync_runs SET leased_until = $3 WHERE tenant_id = $1 AND id = $2",
            tenant,
            run.id,
            until,
        )?;
    }
    Ok(run)
}

/// Keeps where a run stands, to go on at `due_at`. `error` counts against it.
///
/// # Errors
/// When the database does not answer.
pub async fn put_back(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    cursor: &Value,
    due_at: DateTime<Utc>,
    error: Option<&str>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE sync_runs SET cursor = $3, due_at = $4, leased_until = NULL, error = $5,
            attempts = CASE WHEN $5 IS NULL THEN 0 ELSE attempts + 1 END
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        cursor,
        due_at,
        error,
    )
    .map(drop)
}

/// Keeps where a run stands while it goes on, and renews its lease.
///
/// # Errors
/// When the database does not answer.
pub async fn advance(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    cursor: &Value,
    until: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE sync_runs SET cursor = $3, leased_until = $4 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        cursor,
        until,
    )
    .map(drop)
}
