//! Customers as people look for them: the newest, by family name or by e-mail, each by an index.

use uuid::Uuid;

use super::Shown;
use crate::store::{StoreError, TenantId, Tx, fetch, inventory::Texts};

/// The newest customers, before the one of the key `before`.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(
    tx: &mut Tx,
    tenant: TenantId,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT id, email, first_name, last_name, company, phone, address, marketing_consent,
            created_at
         FROM customers WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        tenant,
        before,
        limit,
    )
}

/// Customers whose e-mail lies in `emails`, in its order, after `after`.
///
/// # Errors
/// When the database does not answer.
pub async fn with_emails(
    tx: &mut Tx,
    tenant: TenantId,
    emails: &Texts,
    after: &str,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT id, email, first_name, last_name, company, phone, address, marketing_consent,
            created_at
         FROM customers WHERE tenant_id = $1 AND email >= $2 AND email > $3 AND email < $4
         ORDER BY email LIMIT $5",
        tenant,
        emails.first.as_str().max(after),
        after,
        &emails.behind,
        limit,
    )
}

/// Customers whose folded family name lies in `names`, in its order, after `after`, but for those whose
/// e-mail lies in `emails`.
///
/// # Errors
/// When the database does not answer.
pub async fn by_name(
    tx: &mut Tx,
    tenant: TenantId,
    names: &Texts,
    emails: Option<&Texts>,
    after: (&str, Uuid),
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT id, email, first_name, last_name, company, phone, address, marketing_consent,
            created_at
         FROM customers
         WHERE tenant_id = $1 AND lower(last_name) >= $2 AND lower(last_name) < $3
           AND (lower(last_name), id) > ($4, $5)
           AND ($6 IS NULL OR email IS NULL OR email < $6 OR email >= $7)
         ORDER BY lower(last_name), id LIMIT $8",
        tenant,
        names.first.as_str().max(after.0),
        &names.behind,
        after.0,
        after.1,
        emails.map(|emails| emails.first.as_str()),
        emails.map(|emails| emails.behind.as_str()),
        limit,
    )
}
