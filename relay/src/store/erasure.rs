//! What a store's rows hold of a person, and taking it out of them. The figures stay.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch, resources::Key};

/// What a sale holds of a person.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Sale {
    /// The sale.
    pub id: Uuid,
    /// WooCommerce's id of the order.
    pub external_id: i64,
    /// The number that people know.
    pub number: String,
    /// WooCommerce's status.
    pub status: String,
    /// The billing e-mail.
    pub email: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// In millionths.
    pub total: i64,
    /// As the payment's own system names it.
    pub transaction_id: String,
    /// Addresses, coupons, the customer's note.
    pub details: Value,
    /// When it was ordered.
    pub ordered_at: Option<DateTime<Utc>>,
}

/// A store's sales to an e-mail or a customer, some at a time, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn sales(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    email: &str,
    customer: Option<Uuid>,
    (limit, offset): (i64, i64),
) -> Result<Vec<Sale>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Sale,
        "SELECT id, external_id, number, status, email, currency, total, transaction_id, details,
            ordered_at
         FROM sales WHERE id IN (
            SELECT id FROM sales WHERE tenant_id = $1 AND email = $3
            UNION SELECT id FROM sales WHERE tenant_id = $1 AND customer_id = $4)
           AND tenant_id = $1 AND integration_id = $2
         ORDER BY id LIMIT $5 OFFSET $6",
        tenant,
        integration,
        email,
        customer,
        limit,
        offset,
    )
}

/// The sale of one of a store's orders.
///
/// # Errors
/// When the database does not answer.
pub async fn sale_of(tx: &mut Tx, key: Key<'_>) -> Result<Vec<Sale>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Sale,
        "SELECT id, external_id, number, status, email, currency, total, transaction_id, details,
            ordered_at
         FROM sales WHERE tenant_id = $1 AND integration_id = $2 AND external_id = $3",
        key.tenant,
        key.integration,
        key.remote_id,
    )
}

/// Takes the person out of a sale; `details` is what is left of its own.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_in_sale(
    tx: &mut Tx,
    tenant: TenantId,
    sale: Uuid,
    details: &Value,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE sales SET email = NULL, customer_id = NULL, transaction_id = '', details = $3,
            updated_at = $4
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        sale,
        details,
        now,
    )
    .map(drop)
}

/// Notes that nothing of the person behind an order or account is kept from now on; `false` where that was
/// so already.
///
/// # Errors
/// When the database does not answer.
pub async fn mark(tx: &mut Tx, key: Key<'_>, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let marked = execute!(
        tx,
        "INSERT INTO resources (tenant_id, integration_id, resource, remote_id, arrived, arrived_at,
            attempts, erased_at)
         VALUES ($1, $2, $3, $4, 0, $5, 0, $6)
         ON CONFLICT (tenant_id, integration_id, resource, remote_id)
         DO UPDATE SET erased_at = $6 WHERE resources.erased_at IS NULL",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
        DateTime::<Utc>::UNIX_EPOCH,
        now,
    )?;
    Ok(marked > 0)
}

/// The payloads that are kept of a thing's events.
///
/// # Errors
/// When the database does not answer.
pub async fn payloads(tx: &mut Tx, key: Key<'_>) -> Result<Vec<(Uuid, String)>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        (Uuid, String),
        "SELECT event_id, payload FROM inbox
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND resource_id = $4
           AND payload IS NOT NULL",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
    )
}

/// Puts another payload, or none, in an event's place.
///
/// # Errors
/// When the database does not answer.
pub async fn replace_payload(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    event: Uuid,
    payload: Option<&str>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE inbox SET payload = $4
         WHERE tenant_id = $1 AND integration_id = $2 AND event_id = $3",
        tenant,
        integration,
        event,
        payload,
    )
    .map(drop)
}

/// A store's accounts of a customer.
///
/// # Errors
/// When the database does not answer.
pub async fn accounts(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    customer: Uuid,
) -> Result<Vec<i64>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        (i64,),
        "SELECT remote_id FROM customer_accounts
         WHERE tenant_id = $1 AND customer_id = $3 AND integration_id = $2",
        tenant,
        integration,
        customer,
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Whether another store knows a customer: by a sale or an account.
///
/// # Errors
/// When the database does not answer.
pub async fn is_known_elsewhere(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    customer: Uuid,
) -> Result<bool, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (i64,),
        "SELECT CAST(1 AS BIGINT) FROM sales WHERE tenant_id = $1 AND customer_id = $3 AND integration_id <> $2
         UNION ALL
         SELECT CAST(1 AS BIGINT) FROM customer_accounts
         WHERE tenant_id = $1 AND customer_id = $3 AND integration_id <> $2
         LIMIT 1",
        tenant,
        integration,
        customer,
    )?;
    Ok(row.is_some())
}

/// Takes a store's accounts off a customer.
///
/// # Errors
/// When the database does not answer.
pub async fn unlink(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    customer: Uuid,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "DELETE FROM customer_accounts
         WHERE tenant_id = $1 AND customer_id = $3 AND integration_id = $2",
        tenant,
        integration,
        customer,
    )
    .map(drop)
}

/// Removes a customer whom nothing names any more.
///
/// # Errors
/// When the database does not answer.
pub async fn remove_customer(
    tx: &mut Tx,
    tenant: TenantId,
    customer: Uuid,
) -> Result<(), StoreError> {
    execute!(tx, "DELETE FROM customers WHERE tenant_id = $1 AND id = $2", tenant, customer)
        .map(drop)
}
