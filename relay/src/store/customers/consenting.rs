//! Customers as [`super::listed`] has them, only those who agreed to be written to, or all others. Each list has an index of
//! its own: however few have agreed, nobody looks through all the others for them. What is looked for by e-mail or by name is
//! written as those indexes have it and no other, or SQLite would take one that has everybody.

use uuid::Uuid;

use super::Shown;
use crate::store::{StoreError, TenantId, Tx, fetch, inventory::Texts};

/// The newest, before the one of the key `before`.
///
/// # Errors
/// When the database does not answer.
pub async fn newest_of(
    tx: &mut Tx,
    tenant: TenantId,
    consents: bool,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT id, email, first_name, last_name, company, phone, address, marketing_consent,
            created_at
         FROM customers
         WHERE tenant_id = $1 AND COALESCE(marketing_consent, FALSE) = $2 AND id < $3
         ORDER BY id DESC LIMIT $4",
        tenant,
        consents,
        before,
        limit,
    )
}

/// Those whose e-mail lies in `emails`, in its order, after `after`.
///
/// # Errors
/// When the database does not answer.
pub async fn with_emails_of(
    tx: &mut Tx,
    tenant: TenantId,
    consents: bool,
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
         FROM customers
         WHERE tenant_id = $1 AND COALESCE(marketing_consent, FALSE) = $2
           AND COALESCE(email, '') >= $3 AND COALESCE(email, '') > $4 AND COALESCE(email, '') < $5
         ORDER BY COALESCE(email, '') LIMIT $6",
        tenant,
        consents,
        emails.first.as_str().max(after),
        after,
        &emails.behind,
        limit,
    )
}

/// Those whose folded family name lies in `names`, in its order, after `after`, but for those whose e-mail lies in
/// `emails`.
///
/// # Errors
/// When the database does not answer.
pub async fn by_name_of(
    tx: &mut Tx,
    tenant: TenantId,
    consents: bool,
    (names, emails): (&Texts, Option<&Texts>),
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
         WHERE tenant_id = $1 AND COALESCE(marketing_consent, FALSE) = $2
           AND COALESCE(lower(last_name), '') >= $3 AND COALESCE(lower(last_name), '') < $4
           AND (COALESCE(lower(last_name), ''), id) > ($5, $6)
           AND ($7 IS NULL OR email IS NULL OR email < $7 OR email >= $8)
         ORDER BY COALESCE(lower(last_name), ''), id LIMIT $9",
        tenant,
        consents,
        names.first.as_str().max(after.0),
        &names.behind,
        after.0,
        after.1,
        emails.map(|emails| emails.first.as_str()),
        emails.map(|emails| emails.behind.as_str()),
        limit,
    )
}
