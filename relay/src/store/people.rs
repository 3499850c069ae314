//! People with an account, and how each logs in.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, TenantId, Tx, execute, fetch, fetch_locked, new_id};

/// A person as their colleagues see them.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Shown {
    /// The person's key within the tenant.
    pub id: Uuid,
    /// Their e-mail, folded.
    pub email: String,
    /// `owner`, `manager` or `staff`.
    pub role: String,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When they last logged in.
    pub logged_in_at: Option<DateTime<Utc>>,
    /// Until when the link counts by which they may set a password, if there is one.
    pub link_until: Option<DateTime<Utc>>,
}

/// What a login is checked against.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Account {
    /// The jeweller.
    pub tenant_id: TenantId,
    /// The jeweller's name.
    pub tenant: String,
    /// The person's key within the tenant.
    pub id: Uuid,
    /// The password's hash.
    pub password: String,
}

/// Makes a person's account, or makes one that was removed anew; absent when the tenant has one with this
/// e-mail already.
///
/// # Errors
/// When the database does not answer.
pub async fn add(
    tx: &mut Tx,
    tenant: TenantId,
    email: &str,
    role: &str,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "INSERT INTO users (tenant_id, id, email, role, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, email) DO UPDATE SET role = $4, password = NULL, created_at = $5,
            logged_in_at = NULL, removed_at = NULL
         WHERE users.removed_at IS NOT NULL
         RETURNING id",
        tenant,
        new_id(),
        email,
        role,
        now,
    )?;
    Ok(row.map(|(id,)| id))
}

/// Every account with this e-mail that has a password, whichever jeweller it is with: the one question that
/// comes before a tenant is known. Each tenant is asked by its own index.
///
/// # Errors
/// When the database does not answer.
pub async fn accounts(tx: &mut Tx, email: &str) -> Result<Vec<Account>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Account,
        "SELECT u.tenant_id, t.name AS tenant, u.id, u.password
         FROM tenants t JOIN users u ON u.tenant_id = t.id AND u.email = $1
         WHERE u.removed_at IS NULL AND u.password IS NOT NULL ORDER BY t.name LIMIT 10",
        email,
    )
}

/// A tenant's person by e-mail.
///
/// # Errors
/// When the database does not answer.
pub async fn by_email(
    tx: &mut Tx,
    tenant: TenantId,
    email: &str,
) -> Result<Option<Uuid>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT id FROM users WHERE tenant_id = $1 AND email = $2 AND removed_at IS NULL",
        tenant,
        email,
    )?;
    Ok(row.map(|(id,)| id))
}

/// Everybody of a tenant, by e-mail.
///
/// # Errors
/// When the database does not answer.
pub async fn list(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT u.id, u.email, u.role, u.created_at, u.logged_in_at, l.expires_at AS link_until
         FROM users u LEFT JOIN password_links l ON l.tenant_id = u.tenant_id AND l.user_id = u.id
         WHERE u.tenant_id = $1 AND u.removed_at IS NULL ORDER BY u.email",
        tenant,
    )
}

/// One person's e-mail and role, held until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<(String, String)>, StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE",
        tx,
        (String, String),
        "SELECT email, role FROM users WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL",
        tenant,
        id,
    )
}

/// The tenant's owners, held until the transaction ends, so that two of them cannot remove each other
/// and leave none.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_owners(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Uuid>, StoreError> {
    let rows = fetch_locked!(
        fetch_all,
        " FOR NO KEY UPDATE",
        tx,
        (Uuid,),
        "SELECT id FROM users
         WHERE tenant_id = $1 AND role = 'owner' AND removed_at IS NULL ORDER BY id",
        tenant,
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The hash of a person's password.
///
/// # Errors
/// When the database does not answer.
pub async fn password(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<String>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Option<String>,),
        "SELECT password FROM users WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL",
        tenant,
        id,
    )?;
    Ok(row.and_then(|(password,)| password))
}

/// Keeps the hash of a person's password.
///
/// # Errors
/// When the database does not answer.
pub async fn set_password(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    hash: &str,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE users SET password = $3 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        hash,
    )
    .map(drop)
}

/// Gives a person another role.
///
/// # Errors
/// When the database does not answer.
pub async fn set_role(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    role: &str,
) -> Result<(), StoreError> {
    execute!(tx, "UPDATE users SET role = $3 WHERE tenant_id = $1 AND id = $2", tenant, id, role,)
        .map(drop)
}

/// Ends a person's account. The row stays, since what they did refers to it.
///
/// # Errors
/// When the database does not answer.
pub async fn remove(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE users SET removed_at = $3, password = NULL WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        now,
    )
    .map(drop)
}

/// Notes that a person has logged in.
///
/// # Errors
/// When the database does not answer.
pub async fn logged_in(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE users SET logged_in_at = $3 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        now,
    )
    .map(drop)
}
