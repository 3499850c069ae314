//! Customers, and which account of which shop is which.

mod consenting;
mod listed;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch, fetch_locked, page::Page};

pub use consenting::{by_name_of, newest_of, with_emails_of};
pub use listed::{by_name, newest, with_emails};

/// What a shop says of a customer.
#[derive(Debug)]
pub struct Person<'a> {
    /// Case folded; what people are matched by.
    pub email: Option<&'a str>,
    /// May be empty.
    pub first_name: &'a str,
    /// May be empty.
    pub last_name: &'a str,
    /// May be empty.
    pub company: &'a str,
    /// May be empty.
    pub phone: &'a str,
    /// The billing address.
    pub address: &'a Value,
    /// Whether they agreed to be written to, where the shop knows.
    pub marketing_consent: Option<bool>,
}

/// A customer with what the ledger may still lack of them.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Known {
    /// Their key within the tenant.
    pub id: Uuid,
    /// The store that brought them.
    pub origin_integration_id: Option<Uuid>,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
    /// May be empty.
    pub company: String,
    /// May be empty.
    pub phone: String,
    /// Whether they agreed to be written to, where that is known.
    pub marketing_consent: Option<bool>,
}

impl Known {
    /// Takes over what is told and was lacking, as [`fill`] writes it; `false` where there is no such thing.
    pub fn take_over(&mut self, told: &Person<'_>) -> bool {
        let mut took = false;
        for (known, told) in [
            (&mut self.first_name, told.first_name),
            (&mut self.last_name, told.last_name),
            (&mut self.company, told.company),
            (&mut self.phone, told.phone),
        ] {
            if known.is_empty() && !told.is_empty() {
                told.clone_into(known);
                took = true;
            }
        }
        if self.marketing_consent.is_none() && told.marketing_consent.is_some() {
            self.marketing_consent = told.marketing_consent;
            took = true;
        }
        took
    }
}

/// The customer of this e-mail.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_by_email(
    tx: &mut Tx,
    tenant: TenantId,
    email: &str,
) -> Result<Option<Known>, StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE",
        tx,
        Known,
        "SELECT id, origin_integration_id, first_name, last_name, company, phone, marketing_consent
         FROM customers WHERE tenant_id = $1 AND email = $2",
        tenant,
        email,
    )
}

/// The customer that this account of this shop is, and the store that brought them.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_by_account(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    remote_id: i64,
) -> Result<Option<(Uuid, Option<Uuid>)>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        (Uuid, Option<Uuid>),
        "SELECT c.id, c.origin_integration_id FROM customer_accounts a
         JOIN customers c ON c.tenant_id = a.tenant_id AND c.id = a.customer_id
         WHERE a.tenant_id = $1 AND a.integration_id = $2 AND a.remote_id = $3",
        tenant,
        integration,
        remote_id,
    )
}

/// Keeps a new customer.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    person: &Person<'_>,
    origin: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO customers (tenant_id, id, email, first_name, last_name, company, phone, address,
            marketing_consent, origin_integration_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
        tenant,
        id,
        person.email,
        person.first_name,
        person.last_name,
        person.company,
        person.phone,
        person.address,
        person.marketing_consent,
        origin,
        now,
    )
    .map(drop)
}

/// Fills what the ledger does not know yet of a customer, and overwrites nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn fill(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    person: &Person<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE customers SET
            first_name = CASE WHEN first_name = '' THEN $3 ELSE first_name END,
            last_name = CASE WHEN last_name = '' THEN $4 ELSE last_name END,
            company = CASE WHEN company = '' THEN $5 ELSE company END,
            phone = CASE WHEN phone = '' THEN $6 ELSE phone END,
            marketing_consent = COALESCE(marketing_consent, $7),
            updated_at = $8
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        person.first_name,
        person.last_name,
        person.company,
        person.phone,
        person.marketing_consent,
        now,
    )
    .map(drop)
}

/// Brings a customer to what the store that brought them says now; the e-mail only where it is free.
///
/// # Errors
/// When the database does not answer.
pub async fn update(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    person: &Person<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE customers SET first_name = $3, last_name = $4, company = $5, phone = $6, address = $7,
            marketing_consent = COALESCE($8, marketing_consent),
            email = CASE WHEN $9 IS NULL OR EXISTS (SELECT 1 FROM customers other
                WHERE other.tenant_id = $1 AND other.email = $9) THEN email ELSE $9 END,
            updated_at = $10
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        person.first_name,
        person.last_name,
        person.company,
        person.phone,
        person.address,
        person.marketing_consent,
        person.email,
        now,
    )
    .map(drop)
}

/// Notes which customer an account of a shop is.
///
/// # Errors
/// When the database does not answer.
pub async fn link(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    remote_id: i64,
    customer: Uuid,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO customer_accounts (tenant_id, integration_id, remote_id, customer_id, gone)
         VALUES ($1, $2, $3, $4, FALSE)
         ON CONFLICT (tenant_id, integration_id, remote_id)
         DO UPDATE SET customer_id = $4, gone = FALSE",
        tenant,
        integration,
        remote_id,
        customer,
    )
    .map(drop)
}

/// Notes that the shop has deleted an account; the customer stays.
///
/// # Errors
/// When the database does not answer.
pub async fn account_gone(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    remote_id: i64,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE customer_accounts SET gone = TRUE
         WHERE tenant_id = $1 AND integration_id = $2 AND remote_id = $3",
        tenant,
        integration,
        remote_id,
    )
    .map(drop)
}

/// Forgets which customers the accounts of a store are; the customers stay.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_accounts(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "DELETE FROM customer_accounts WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
    )
    .map(drop)
}

/// A customer as they are shown.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Shown {
    /// Their key within the tenant.
    pub id: Uuid,
    /// Case folded.
    pub email: Option<String>,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
    /// May be empty.
    pub company: String,
    /// May be empty.
    pub phone: String,
    /// The billing address.
    pub address: Value,
    /// Whether they agreed to be written to.
    pub marketing_consent: Option<bool>,
    /// When the ledger first had them.
    pub created_at: DateTime<Utc>,
}

/// The customer of an e-mail, and the store that brought them.
///
/// # Errors
/// When the database does not answer.
pub async fn by_email(
    tx: &mut Tx,
    tenant: TenantId,
    email: &str,
) -> Result<Option<(Shown, Option<Uuid>)>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        Brought,
        "SELECT id, email, first_name, last_name, company, phone, address, marketing_consent,
            created_at, origin_integration_id
         FROM customers WHERE tenant_id = $1 AND email = $2",
        tenant,
        email,
    )?;
    Ok(row.map(|row| (row.shown, row.origin_integration_id)))
}

#[derive(sqlx::FromRow)]
struct Brought {
    #[sqlx(flatten)]
    shown: Shown,
    origin_integration_id: Option<Uuid>,
}

/// Customers, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Page<Shown>, StoreError> {
    let rows = newest(tx, tenant, before.unwrap_or(Uuid::max()), limit + 1).await?;
    Ok(Page::cut(rows, limit, |row| row.id.to_string()))
}
