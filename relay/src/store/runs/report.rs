//! What a run could not bring over, row by row, and for how long that is kept.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Finding;
use crate::store::{StoreError, TenantId, Tx, execute, many::execute_many};

/// Notes what a run could not bring over. A shop that has nothing else to tell fills no more than a hundred thousand
/// rows of a report.
///
/// # Errors
/// When the database does not answer.
pub async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    run: Uuid,
    finding: &Finding,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO run_findings (tenant_id, run_id, resource, remote_id, outcome, label, reason)
         SELECT $1, $2, $3, $4, $5, $6, $7
         WHERE (SELECT skipped + failed FROM sync_runs WHERE tenant_id = $1 AND id = $2) < 100000
         ON CONFLICT (tenant_id, run_id, resource, remote_id)
         DO UPDATE SET outcome = $5, label = $6, reason = $7",
        tenant,
        run,
        &finding.resource,
        finding.remote_id,
        &finding.outcome,
        &finding.label,
        &finding.reason,
    )
    .map(drop)
}

/// Notes all of this at once.
///
/// # Errors
/// When the database does not answer.
pub async fn find_all(
    tx: &mut Tx,
    tenant: TenantId,
    run: Uuid,
    findings: &[Finding],
) -> Result<(), StoreError> {
    execute_many!(
        tx,
        "INSERT INTO run_findings (tenant_id, run_id, resource, remote_id, outcome, label, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, run_id, resource, remote_id)
         DO UPDATE SET outcome = excluded.outcome, label = excluded.label, reason = excluded.reason",
        findings,
        finding => [
            tenant,
            run,
            &finding.resource,
            finding.remote_id,
            &finding.outcome,
            &finding.label,
            &finding.reason,
        ]
    );
    Ok(())
}

/// Forgets what runs found that ended before `before`; their numbers stay.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_findings(
    tx: &mut Tx,
    tenant: TenantId,
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    execute!(
        tx,
        "DELETE FROM run_findings WHERE tenant_id = $1 AND run_id IN
            (SELECT id FROM sync_runs WHERE tenant_id = $1 AND finished_at < $2)",
        tenant,
        before,
    )
}

/// Forgets ended sweeps from before `before` that found nothing new.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_sweeps(
    tx: &mut Tx,
    tenant: TenantId,
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    execute!(
        tx,
        "DELETE FROM sync_runs WHERE tenant_id = $1 AND kind = 'sweep' AND finished_at < $2
           AND synced = 0 AND skipped = 0 AND failed = 0
           AND NOT EXISTS (SELECT 1 FROM run_findings f
             WHERE f.tenant_id = sync_runs.tenant_id AND f.run_id = sync_runs.id)",
        tenant,
        before,
    )
}
