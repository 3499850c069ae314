//! Who did what.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, TenantId, Tx, execute, fetch, new_id};

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// Its key within the tenant; newer ones are greater.
    pub id: Uuid,
    /// A person's e-mail, `token …`, `connection …` or `command line`.
    pub actor: String,
    /// What they did, such as `store.connected`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

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

/// What was done before the entry `before`, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Entry,
        "SELECT id, actor, action, subject, created_at FROM audit_log
         WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        tenant,
        before,
        limit,
    )
}

/// What one actor did before the entry `before`, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list_of(
    tx: &mut Tx,
    tenant: TenantId,
    actor: &str,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Entry,
        "SELECT id, actor, action, subject, created_at FROM audit_log
         WHERE tenant_id = $1 AND actor = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
        tenant,
        actor,
        before,
        limit,
    )
}
