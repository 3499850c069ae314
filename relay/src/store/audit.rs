//! Who did what.

use chrono::{DateTime, Utc};

use super::{StoreError, TenantId, Tx, execute, new_id};

/// Writes one line of the audit log, in the transaction that does the thing.
///
/// # Errors
/// When the database does not answer.
pub async fn record(
    tx: &mut Tx,
    tenant: TenantId,
    actor: &str,
    action: &str,
    subject: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO audit_log (tenant_id, id, actor, action, subject, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        tenant,
        new_id(),
        actor,
        action,
        subject,
        now,
    )
    .map(drop)
}
