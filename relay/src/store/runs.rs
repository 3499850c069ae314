//! Long work on a store: claimed by lease, resumed from its cursor, told in numbers.

mod report;
mod shown;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch, fetch_locked, new_id};

pub use report::{find, find_all, forget_findings, forget_sweeps};
pub use shown::{
    AfterFinding, Finding, Shown, before, findings, first_failure, get, in_hand, newest, of_store,
};

/// A run in hand.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Run {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The store.
    pub integration_id: Uuid,
    /// `sweep`, `reconcile`, `products`, `customers`, `orders` or `inventory`.
    pub kind: String,
    /// Where it stands.
    pub cursor: Value,
    /// Failures in a row.
    pub attempts: i64,
    /// The number of this claim.
    pub claim: i64,
}

impl Run {
    /// The claim, which everything is written under that says where the run stands.
    #[must_use]
    pub fn held(&self) -> Held {
        Held { id: self.id, claim: self.claim }
    }
}

/// A claim of a run. Where its lease has ended and another relay has claimed the run, nothing is written
/// under it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    id: Uuid,
    claim: i64,
}

/// What a step of a run brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows read.
    pub seen: i64,
    /// Rows of which the ledger has something new now.
    pub synced: i64,
    /// Rows that it had before.
    pub unchanged: i64,
    /// Rows that are not for the ledger; the findings say why.
    pub skipped: i64,
    /// Rows that could not be brought over; they are tried again.
    pub failed: i64,
}

/// When a run is asked for, and from when on it may begin.
#[derive(Debug, Clone, Copy)]
pub struct When {
    /// Now.
    pub asked_at: DateTime<Utc>,
    /// Not before this.
    pub due_at: DateTime<Utc>,
}

impl From<DateTime<Utc>> for When {
    /// At once.
    fn from(now: DateTime<Utc>) -> Self {
        Self { asked_at: now, due_at: now }
    }
}

/// Asks for a run of this kind, and gives its key. `cursor` says where it begins; one that is under way
/// keeps its place, unless it is to `restart`, and is due no later than it was. One that is in hand restarts
/// when it is let go or has ended.
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
    when: impl Into<When>,
) -> Result<Uuid, StoreError> {
    let when = when.into();
    let (id,) = fetch!(
        fetch_one,
        tx,
        (Uuid,),
        "INSERT INTO sync_runs (tenant_id, id, integration_id, kind, cursor, due_at, attempts, seen,
            synced, unchanged, skipped, failed, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, 0, 0, 0, $8)
         ON CONFLICT (tenant_id, integration_id, kind) WHERE finished_at IS NULL DO UPDATE SET
            due_at = CASE WHEN sync_runs.due_at > $6 THEN $6 ELSE sync_runs.due_at END,
            cursor = CASE WHEN $7 AND sync_runs.leased_until IS NULL THEN $5
                ELSE sync_runs.cursor END,
            again = CASE WHEN $7 AND sync_runs.leased_until IS NOT NULL THEN $5
                ELSE sync_runs.again END
         RETURNING id",
        tenant,
        new_id(),
        integration,
        kind,
        cursor,
        when.due_at,
        restart,
        when.asked_at,
    )?;
    Ok(id)
}

/// Which stores have a run that is due.
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
        "SELECT DISTINCT r.tenant_id, r.integration_id FROM sync_runs r
         JOIN integrations i ON i.tenant_id = r.tenant_id AND i.id = r.integration_id
         WHERE r.finished_at IS NULL AND r.due_at <= $1
           AND (r.leased_until IS NULL OR r.leased_until <= $1)
           AND i.forked_at IS NULL AND i.consumer_key IS NOT NULL
         LIMIT 1000",
        now,
    )
}

/// Claims a store's next run until `until`; another relay passes over it. What people wait for comes
/// before a sweep.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    tx: &mut Tx,
    (tenant, integration): (TenantId, IntegrationId),
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Run>, StoreError> {
    let run = fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE SKIP LOCKED",
        tx,
        Run,
        "SELECT id, integration_id, kind, COALESCE(again, cursor) AS cursor, attempts,
            claims + 1 AS claim
         FROM sync_runs
         WHERE tenant_id = $1 AND integration_id = $2 AND finished_at IS NULL AND due_at <= $3
           AND (leased_until IS NULL OR leased_until <= $3)
           AND EXISTS (SELECT 1 FROM integrations i WHERE i.tenant_id = $1 AND i.id = $2
             AND i.forked_at IS NULL AND i.consumer_key IS NOT NULL)
         ORDER BY CASE kind WHEN 'sweep' THEN 1 ELSE 0 END, due_at LIMIT 1",
        tenant,
        integration,
        now,
    )?;
    if let Some(run) = &run {
        execute!(
            tx,
            "UPDATE sync_runs SET leased_until = $3, claims = $4,
                cursor = COALESCE(again, cursor), again = NULL
             WHERE tenant_id = $1 AND id = $2",
            tenant,
            run.id,
            until,
            run.claim,
        )?;
    }
    Ok(run)
}

/// Renews the lease of a run; `false` where it is lost.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(
    tx: &mut Tx,
    tenant: TenantId,
    held: Held,
    until: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let touched = execute!(
        tx,
        "UPDATE sync_runs SET leased_until = $4
         WHERE tenant_id = $1 AND id = $2 AND claims = $3 AND finished_at IS NULL",
        tenant,
        held.id,
        held.claim,
        until,
    )?;
    Ok(touched > 0)
}

/// Keeps where a run stands, to go on at `due_at`; at once, if it is to begin anew. `false` where it is lost.
///
/// # Errors
/// When the database does not answer.
pub async fn put_back(
    tx: &mut Tx,
    tenant: TenantId,
    held: Held,
    cursor: &Value,
    due_at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let touched = execute!(
        tx,
        "UPDATE sync_runs SET cursor = $4, leased_until = NULL, error = NULL, attempts = 0,
            due_at = CASE WHEN again IS NULL THEN $5 ELSE due_at END
         WHERE tenant_id = $1 AND id = $2 AND claims = $3 AND finished_at IS NULL",
        tenant,
        held.id,
        held.claim,
        cursor,
        due_at,
    )?;
    Ok(touched > 0)
}

/// Leaves a run where it stands, to go on at `due_at`; the failure counts against it. One that is to begin
/// anew does so at once: whoever asked for that may have mended what failed. `false` for that, and where it is
/// lost.
///
/// # Errors
/// When the database does not answer.
pub async fn delay(
    tx: &mut Tx,
    tenant: TenantId,
    held: Held,
    due_at: DateTime<Utc>,
    error: &str,
) -> Result<bool, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (bool,),
        "UPDATE sync_runs SET leased_until = NULL,
            due_at = CASE WHEN again IS NULL THEN $4 ELSE due_at END,
            error = CASE WHEN again IS NULL THEN $5 END,
            attempts = CASE WHEN again IS NULL THEN attempts + 1 ELSE 0 END
         WHERE tenant_id = $1 AND id = $2 AND claims = $3 AND finished_at IS NULL
         RETURNING again IS NULL",
        tenant,
        held.id,
        held.claim,
        due_at,
        error,
    )?;
    Ok(row.is_some_and(|(delayed,)| delayed))
}

/// Keeps where a run stands while it goes on, adds what the step brought, and renews its lease; `false` where it
/// is lost.
///
/// # Errors
/// When the database does not answer.
pub async fn advance(
    tx: &mut Tx,
    tenant: TenantId,
    held: Held,
    cursor: &Value,
    tally: Tally,
    total: Option<i64>,
    until: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let touched = execute!(
        tx,
        "UPDATE sync_runs SET cursor = $4, leased_until = $5, seen = seen + $6,
            synced = synced + $7, unchanged = unchanged + $8, skipped = skipped + $9,
            failed = failed + $10, total = COALESCE($11, total), attempts = 0, error = NULL
         WHERE tenant_id = $1 AND id = $2 AND claims = $3 AND finished_at IS NULL",
        tenant,
        held.id,
        held.claim,
        cursor,
        until,
        tally.seen,
        tally.synced,
        tally.unchanged,
        tally.skipped,
        tally.failed,
        total,
    )?;
    Ok(touched > 0)
}

/// Lets go of a run where it stands: another relay, or this one when it starts again, goes on.
///
/// # Errors
/// When the database does not answer.
pub async fn let_go(tx: &mut Tx, tenant: TenantId, held: Held) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE sync_runs SET leased_until = NULL WHERE tenant_id = $1 AND id = $2 AND claims = $3",
        tenant,
        held.id,
        held.claim,
    )
    .map(drop)
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Where another is to begin at once, if that was asked for meanwhile.
    pub again: Option<Value>,
}

/// Ends a run; nothing where it is lost.
///
/// # Errors
/// When the database does not answer.
pub async fn finish(
    tx: &mut Tx,
    tenant: TenantId,
    held: Held,
    now: DateTime<Utc>,
) -> Result<Option<Ended>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Option<Value>,),
        "UPDATE sync_runs SET finished_at = $4, leased_until = NULL, error = NULL
         WHERE tenant_id = $1 AND id = $2 AND claims = $3 AND finished_at IS NULL
         RETURNING again",
        tenant,
        held.id,
        held.claim,
        now,
    )?;
    Ok(row.map(|(again,)| Ended { again }))
}
