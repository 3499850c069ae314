//! Links by which a person sets a password, once: at most one a person, kept as a hash.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, TenantId, Tx, execute, fetch, fetch_locked};

/// Keeps a person's link; one that they had before counts no longer.
///
/// # Errors
/// When the database does not answer.
pub async fn put(
    tx: &mut Tx,
    tenant: TenantId,
    user: Uuid,
    hash: &[u8],
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO password_links (tenant_id, user_id, hash, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, user_id) DO UPDATE SET hash = $3, created_at = $4, expires_at = $5",
        tenant,
        user,
        hash,
        now,
        expires_at,
    )
    .map(drop)
}

/// The e-mail of whose link this is, if it counts.
///
/// # Errors
/// When the database does not answer.
pub async fn whose(
    tx: &mut Tx,
    tenant: TenantId,
    hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (String,),
        "SELECT u.email FROM password_links l
         JOIN users u ON u.tenant_id = l.tenant_id AND u.id = l.user_id AND u.removed_at IS NULL
         WHERE l.tenant_id = $1 AND l.hash = $2 AND l.expires_at > $3",
        tenant,
        hash,
        now,
    )?;
    Ok(row.map(|(email,)| email))
}

/// Whose link this is, whether it counts or not.
///
/// # Errors
/// When the database does not answer.
pub async fn holder(
    tx: &mut Tx,
    tenant: TenantId,
    hash: &[u8],
) -> Result<Option<Uuid>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT user_id FROM password_links WHERE tenant_id = $1 AND hash = $2",
        tenant,
        hash,
    )?;
    Ok(row.map(|(user,)| user))
}

/// Takes a link that counts: it is gone afterwards, and of two who come at once one gets it. Gives whose
/// it was.
///
/// # Errors
/// When the database does not answer.
pub async fn take(
    tx: &mut Tx,
    tenant: TenantId,
    hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<(Uuid, String)>, StoreError> {
    let held = fetch_locked!(
        fetch_optional,
        " FOR UPDATE OF l",
        tx,
        (Uuid, String),
        "SELECT u.id, u.email FROM password_links l
         JOIN users u ON u.tenant_id = l.tenant_id AND u.id = l.user_id AND u.removed_at IS NULL
         WHERE l.tenant_id = $1 AND l.hash = $2 AND l.expires_at > $3",
        tenant,
        hash,
        now,
    )?;
    if let Some((user, _)) = &held {
        forget(tx, tenant, *user).await?;
    }
    Ok(held)
}

/// Forgets a person's link.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(tx: &mut Tx, tenant: TenantId, user: Uuid) -> Result<(), StoreError> {
    execute!(tx, "DELETE FROM password_links WHERE tenant_id = $1 AND user_id = $2", tenant, user,)
        .map(drop)
}
