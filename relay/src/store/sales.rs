//! Sales: orders as the ledger keeps them.

mod listed;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{
    IntegrationId, StoreError, TenantId, Tx, execute, execute_many, fetch, fetch_locked,
    fetch_many, page::Page,
};

pub use listed::{Listed, Sold, Span, Wanted, all, found, newest_currency, of_status, sold};

/// A sale's columns; money in millionths of the currency unit.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Row {
    /// Its key within the tenant.
    pub id: Uuid,
    /// WooCommerce's order id.
    pub external_id: i64,
    /// With store and id, the order's identity.
    pub order_key: String,
    /// The number that the shop's customers see.
    pub number: String,
    /// WooCommerce's status.
    pub status: String,
    /// Whether the order's stock flag is set.
    pub stock_flag: bool,
    /// Whether it is in the trash or deleted.
    pub gone: bool,
    /// Who bought.
    pub customer_id: Option<Uuid>,
    /// The billing e-mail.
    pub email: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// Whether the shop's prices included tax.
    pub prices_include_tax: bool,
    /// Without tax.
    pub shipping: i64,
    /// Its tax.
    pub shipping_tax: i64,
    /// Without tax.
    pub fees: i64,
    /// Their tax.
    pub fees_tax: i64,
    /// Taken off the lines already.
    pub discount: i64,
    /// Its tax.
    pub discount_tax: i64,
    /// All tax, as the shop tells it.
    pub tax: i64,
    /// What is left so that lines, tax and extras add up to the total.
    pub rounding: i64,
    /// What the customer pays.
    pub total: i64,
    /// What was paid back.
    pub refunded: i64,
    /// The gateway's id.
    pub payment_method: String,
    /// The gateway's name.
    pub payment_title: String,
    /// The gateway's reference.
    pub transaction_id: String,
    /// Addresses, coupons, the customer's note.
    pub details: Value,
    /// When it was placed.
    pub ordered_at: Option<DateTime<Utc>>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// When it was completed.
    pub completed_at: Option<DateTime<Utc>>,
}

/// A sale with its store, as it is shown.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Shown {
    /// The store's address.
    pub store: String,
    /// The sale.
    #[sqlx(flatten)]
    pub sale: Row,
}

/// The sale of an order, locked until the transaction ends.
///
/// Without a key, as when a deleted order is told by its id alone, the newest one of that id.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    external_id: i64,
    order_key: Option<&str>,
) -> Result<Option<Row>, StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE",
        tx,
        Row,
        "SELECT id, external_id, order_key, number, status, stock_flag, gone, customer_id, email,
            currency, prices_include_tax, shipping, shipping_tax, fees, fees_tax, discount,
            discount_tax, tax, rounding, total, refunded, payment_method, payment_title,
            transaction_id, details, ordered_at, paid_at, completed_at
         FROM sales
         WHERE tenant_id = $1 AND integration_id = $2 AND external_id = $3
           AND ($4 IS NULL OR order_key = $4)
         ORDER BY id DESC LIMIT 1",
        tenant,
        integration,
        external_id,
        order_key,
    )
}

/// Which of these orders have a sale.
///
/// # Errors
/// When the database does not answer.
pub async fn known(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    orders: &[i64],
) -> Result<BTreeSet<i64>, StoreError> {
    // One look by key each: a join would be planned by what was known of the table when it was small.
    let known = fetch_many!(
        tx,
        (Option<i64>,),
        "WITH told (tenant, store, id) AS (VALUES ($1, $2, $3))
         SELECT (SELECT s.external_id FROM sales s WHERE s.tenant_id = told.tenant
            AND s.integration_id = told.store AND s.external_id = told.id LIMIT 1) FROM told",
        orders,
        order => [tenant, integration, *order]
    );
    Ok(known.into_iter().filter_map(|(order,)| order).collect())
}

/// Keeps sales, or brings them to their present state; each of them is there once.
///
/// # Errors
/// When the database does not answer.
pub async fn upsert_all(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    sales: &[Row],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute_many!(
        tx,
        "INSERT INTO sales (tenant_id, id, integration_id, external_id, order_key, number, status,
            stock_flag, gone, customer_id, email, currency, prices_include_tax, shipping,
            shipping_tax, fees, fees_tax, discount, discount_tax, tax, rounding, total, refunded,
            payment_method, payment_title, transaction_id, details, ordered_at, paid_at,
            completed_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
            $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $31)
         ON CONFLICT (tenant_id, integration_id, external_id, order_key) DO UPDATE SET
            number = excluded.number, status = excluded.status, stock_flag = excluded.stock_flag,
            gone = excluded.gone, customer_id = COALESCE(excluded.customer_id, sales.customer_id),
            email = excluded.email, currency = excluded.currency,
            prices_include_tax = excluded.prices_include_tax, shipping = excluded.shipping,
            shipping_tax = excluded.shipping_tax, fees = excluded.fees,
            fees_tax = excluded.fees_tax, discount = excluded.discount,
            discount_tax = excluded.discount_tax, tax = excluded.tax,
            rounding = excluded.rounding, total = excluded.total, refunded = excluded.refunded,
            payment_method = excluded.payment_method, payment_title = excluded.payment_title,
            transaction_id = excluded.transaction_id, details = excluded.details,
            ordered_at = excluded.ordered_at, paid_at = excluded.paid_at,
            completed_at = excluded.completed_at, updated_at = excluded.updated_at",
        sales,
        sale => [
            tenant,
            sale.id,
            integration,
            sale.external_id,
            &sale.order_key,
            &sale.number,
            &sale.status,
            sale.stock_flag,
            sale.gone,
            sale.customer_id,
            sale.email.as_deref(),
            &sale.currency,
            sale.prices_include_tax,
            sale.shipping,
            sale.shipping_tax,
            sale.fees,
            sale.fees_tax,
            sale.discount,
            sale.discount_tax,
            sale.tax,
            sale.rounding,
            sale.total,
            sale.refunded,
            &sale.payment_method,
            &sale.payment_title,
            &sale.transaction_id,
            &sale.details,
            sale.ordered_at,
            sale.paid_at,
            sale.completed_at,
            now,
        ]
    );
    Ok(())
}

/// Notes that the shop has trashed or deleted the order; all else stays as it last stood.
///
/// # Errors
/// When the database does not answer.
pub async fn gone(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    status: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE sales SET gone = TRUE, status = $3, updated_at = $4
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        status,
        now,
    )
    .map(drop)
}

/// Sales before the one of the key `before`, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    before: Uuid,
    limit: i64,
) -> Result<Page<Shown>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT i.store_url AS store, s.id, s.external_id, s.order_key, s.number, s.status,
            s.stock_flag, s.gone, s.customer_id, s.email, s.currency, s.prices_include_tax, s.shipping,
            s.shipping_tax, s.fees, s.fees_tax, s.discount, s.discount_tax, s.tax, s.rounding, s.total,
            s.refunded, s.payment_method, s.payment_title, s.transaction_id, s.details, s.ordered_at,
            s.paid_at, s.completed_at
         FROM sales s
         LEFT JOIN integrations i ON i.tenant_id = s.tenant_id AND i.id = s.integration_id
         WHERE s.tenant_id = $1 AND s.id < $2 ORDER BY s.id DESC LIMIT $3",
        tenant,
        before,
        limit + 1,
    )?;
    Ok(Page::cut(rows, limit, |row| row.sale.id.to_string()))
}

/// The sales of the orders of this id in the tenant's stores before the one of the key `before`, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list_of_order(
    tx: &mut Tx,
    tenant: TenantId,
    external_id: i64,
    before: Uuid,
    limit: i64,
) -> Result<Page<Shown>, StoreError> {
    // Store by store, as the index has them.
    let rows = fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT i.store_url AS store, s.id, s.external_id, s.order_key, s.number, s.status,
            s.stock_flag, s.gone, s.customer_id, s.email, s.currency, s.prices_include_tax, s.shipping,
            s.shipping_tax, s.fees, s.fees_tax, s.discount, s.discount_tax, s.tax, s.rounding, s.total,
            s.refunded, s.payment_method, s.payment_title, s.transaction_id, s.details, s.ordered_at,
            s.paid_at, s.completed_at
         FROM integrations i
         CROSS JOIN sales s
         WHERE i.tenant_id = $1 AND s.tenant_id = i.tenant_id AND s.integration_id = i.id
           AND s.external_id = $2 AND s.id < $3
         ORDER BY s.id DESC LIMIT $4",
        tenant,
        external_id,
        before,
        limit + 1,
    )?;
    Ok(Page::cut(rows, limit, |row| row.sale.id.to_string()))
}

/// One sale.
///
/// # Errors
/// When the database does not answer.
pub async fn get(tx: &mut Tx, tenant: TenantId, id: Uuid) -> Result<Option<Shown>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Shown,
        "SELECT i.store_url AS store, s.id, s.external_id, s.order_key, s.number, s.status,
            s.stock_flag, s.gone, s.customer_id, s.email, s.currency, s.prices_include_tax, s.shipping,
            s.shipping_tax, s.fees, s.fees_tax, s.discount, s.discount_tax, s.tax, s.rounding, s.total,
            s.refunded, s.payment_method, s.payment_title, s.transaction_id, s.details, s.ordered_at,
            s.paid_at, s.completed_at
         FROM sales s
         JOIN integrations i ON i.tenant_id = s.tenant_id AND i.id = s.integration_id
         WHERE s.tenant_id = $1 AND s.id = $2",
        tenant,
        id,
    )
}

/// A refund of a sale.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Refund {
    /// WooCommerce's id.
    pub external_id: i64,
    /// In millionths, positive.
    pub amount: i64,
    /// For people.
    pub reason: String,
    /// Which lines, how many units, how much.
    pub lines: Value,
    /// When.
    pub refunded_at: Option<DateTime<Utc>>,
}

/// Puts a sale's refunds in place of those it had.
///
/// # Errors
/// When the database does not answer.
pub async fn replace_refunds(
    tx: &mut Tx,
    tenant: TenantId,
    sale: Uuid,
    refunds: &[Refund],
) -> Result<(), StoreError> {
    execute!(tx, "DELETE FROM refunds WHERE tenant_id = $1 AND sale_id = $2", tenant, sale)?;
    for refund in refunds {
        execute!(
            tx,
            "INSERT INTO refunds (tenant_id, sale_id, external_id, amount, reason, lines, refunded_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant_id, sale_id, external_id) DO NOTHING",
            tenant,
            sale,
            refund.external_id,
            refund.amount,
            &refund.reason,
            &refund.lines,
            refund.refunded_at,
        )?;
    }
    Ok(())
}

/// A sale's refunds.
///
/// # Errors
/// When the database does not answer.
pub async fn refunds(tx: &mut Tx, tenant: TenantId, sale: Uuid) -> Result<Vec<Refund>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Refund,
        "SELECT external_id, amount, reason, lines, refunded_at FROM refunds
         WHERE tenant_id = $1 AND sale_id = $2 ORDER BY external_id",
        tenant,
        sale,
    )
}
