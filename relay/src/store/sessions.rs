//! Who is logged in: one row a browser, found by the hash of what its cookie holds.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, TenantId, Tx, execute, fetch};

/// A session that still counts, and whose it is.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Session {
    /// The person.
    pub user_id: Uuid,
    /// Their e-mail.
    pub email: String,
    /// `owner`, `manager` or `staff`, as it is now.
    pub role: String,
    /// The jeweller's name.
    pub tenant: String,
    /// What the next page is to say, if anything.
    pub notice: Option<String>,
    /// When it was last used, to some minutes.
    pub seen_at: DateTime<Utc>,
}

/// Begins a session.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    hash: &[u8],
    user: Uuid,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO sessions (tenant_id, hash, user_id, created_at, seen_at, expires_at)
         VALUES ($1, $2, $3, $4, $4, $5)",
        tenant,
        hash,
        user,
        now,
        expires_at,
    )
    .map(drop)
}

/// The session of this hash, if it counts: not expired, used after `idle_since`, of somebody who is
/// still there.
///
/// # Errors
/// When the database does not answer.
pub async fn live(
    tx: &mut Tx,
    tenant: TenantId,
    hash: &[u8],
    idle_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Session>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Session,
        "SELECT s.user_id, u.email, u.role, t.name AS tenant, s.notice, s.seen_at
         FROM sessions s
         JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id AND u.removed_at IS NULL
         JOIN tenants t ON t.id = s.tenant_id
         WHERE s.tenant_id = $1 AND s.hash = $2 AND s.seen_at > $3 AND s.expires_at > $4",
        tenant,
        hash,
        idle_since,
        now,
    )
}

/// Notes that a session is in use.
///
/// # Errors
/// When the database does not answer.
pub async fn seen(
    tx: &mut Tx,
    tenant: TenantId,
    hash: &[u8],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE sessions SET seen_at = $3 WHERE tenant_id = $1 AND hash = $2",
        tenant,
        hash,
        now,
    )
    .map(drop)
}

/// Notes a form as the session's last; `false` where it was that already.
///
/// # Errors
/// When the database does not answer.
pub async fn use_form(
    tx: &mut Tx,
    tenant: TenantId,
    hash: &[u8],
    form: Uuid,
) -> Result<bool, StoreError> {
    let noted = execute!(
        tx,
        "UPDATE sessions SET last_form = $3
         WHERE tenant_id = $1 AND hash = $2 AND (last_form IS NULL OR last_form <> $3)",
        tenant,
        hash,
        form,
    )?;
    Ok(noted > 0)
}

/// Keeps, or forgets, what the next page is to say.
///
/// # Errors
/// When the database does not answer.
pub async fn set_notice(
    tx: &mut Tx,
    tenant: TenantId,
    hash: &[u8],
    notice: Option<&str>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE sessions SET notice = $3 WHERE tenant_id = $1 AND hash = $2",
        tenant,
        hash,
        notice,
    )
    .map(drop)
}

/// Ends a session.
///
/// # Errors
/// When the database does not answer.
pub async fn end(tx: &mut Tx, tenant: TenantId, hash: &[u8]) -> Result<(), StoreError> {
    execute!(tx, "DELETE FROM sessions WHERE tenant_id = $1 AND hash = $2", tenant, hash).map(drop)
}

/// Ends all of a person's sessions but the one of this hash; gives how many. No session has an empty
/// hash.
///
/// # Errors
/// When the database does not answer.
pub async fn end_others(
    tx: &mut Tx,
    tenant: TenantId,
    user: Uuid,
    hash: &[u8],
) -> Result<u64, StoreError> {
    execute!(
        tx,
        "DELETE FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND hash <> $3",
        tenant,
        user,
        hash,
    )
}

/// Forgets a tenant's sessions that have expired.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_expired(
    tx: &mut Tx,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    execute!(tx, "DELETE FROM sessions WHERE tenant_id = $1 AND expires_at <= $2", tenant, now)
}
