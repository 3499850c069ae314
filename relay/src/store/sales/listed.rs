//! Sales as a list shows them, each order and each filter of it by an index.
//!
//! A list is one store's: that of several is put together from theirs, so that a store which has sold little, or nothing
//! for years, costs no look at what the others sold. The store and the customer are joined from the left, so that the
//! sales' own order decides the plan. The span's ends stand there twice: SQLite finds neither by an index where an
//! expression is part of a row.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{IntegrationId, StoreError, TenantId, Tx, fetch, fetch_sorted};

/// A sale in a list; money in millionths of the currency unit.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Listed {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The number that the shop's customers see.
    pub number: String,
    /// WooCommerce's status.
    pub status: String,
    /// Whether it is in the trash or deleted.
    pub gone: bool,
    /// When it was placed, or where that is unknown, when the ledger got it.
    pub placed_at: DateTime<Utc>,
    /// The store's address.
    pub store: String,
    /// ISO 4217.
    pub currency: String,
    /// What the customer pays.
    pub total: i64,
    /// What was paid back.
    pub refunded: i64,
    /// The billing e-mail.
    pub email: Option<String>,
    /// The customer's first name, where the ledger knows the customer.
    pub first_name: Option<String>,
    /// Their family name.
    pub last_name: Option<String>,
}

/// A stretch of a list: nothing before `from`, nothing from `to` on, each with the key that breaks a tie.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Only what comes after this.
    pub from: (DateTime<Utc>, Uuid),
    /// Only what comes before this.
    pub to: (DateTime<Utc>, Uuid),
    /// Whether it is read from its end.
    pub newest_first: bool,
    /// Rows at most.
    pub limit: i64,
}

/// All sales, by when they were placed.
///
/// # Errors
/// When the database does not answer.
pub async fn all(
    tx: &mut Tx,
    tenant: TenantId,
    store: IntegrationId,
    span: Span,
) -> Result<Vec<Listed>, StoreError> {
    fetch_sorted!(
        fetch_all,
        span.newest_first,
        tx,
        Listed,
        "SELECT s.id, s.number, s.status, s.gone, COALESCE(s.ordered_at, s.created_at) AS placed_at,
            i.store_url AS store, s.currency, s.total, s.refunded, s.email, c.first_name, c.last_name
         FROM sales s
         LEFT JOIN integrations i ON i.tenant_id = s.tenant_id AND i.id = s.integration_id
         LEFT JOIN customers c ON c.tenant_id = s.tenant_id AND c.id = s.customer_id
         WHERE s.tenant_id = $1 AND s.integration_id = $2
           AND COALESCE(s.ordered_at, s.created_at) >= $3 AND COALESCE(s.ordered_at, s.created_at) <= $5
           AND (COALESCE(s.ordered_at, s.created_at), s.id) > ($3, $4)
           AND (COALESCE(s.ordered_at, s.created_at), s.id) < ($5, $6)
         ORDER BY COALESCE(s.ordered_at, s.created_at)",
        ", s.id",
        " LIMIT $7",
        tenant,
        store,
        span.from.0,
        span.from.1,
        span.to.0,
        span.to.1,
        span.limit,
    )
}

/// Sales of one status, by when they were placed.
///
/// # Errors
/// When the database does not answer.
pub async fn of_status(
    tx: &mut Tx,
    tenant: TenantId,
    store: IntegrationId,
    status: &str,
    span: Span,
) -> Result<Vec<Listed>, StoreError> {
    fetch_sorted!(
        fetch_all,
        span.newest_first,
        tx,
        Listed,
        "SELECT s.id, s.number, s.status, s.gone, COALESCE(s.ordered_at, s.created_at) AS placed_at,
            i.store_url AS store, s.currency, s.total, s.refunded, s.email, c.first_name, c.last_name
         FROM sales s
         LEFT JOIN integrations i ON i.tenant_id = s.tenant_id AND i.id = s.integration_id
         LEFT JOIN customers c ON c.tenant_id = s.tenant_id AND c.id = s.customer_id
         WHERE s.tenant_id = $1 AND s.integration_id = $2 AND s.status = $3
           AND COALESCE(s.ordered_at, s.created_at) >= $4 AND COALESCE(s.ordered_at, s.created_at) <= $6
           AND (COALESCE(s.ordered_at, s.created_at), s.id) > ($4, $5)
           AND (COALESCE(s.ordered_at, s.created_at), s.id) < ($6, $7)
         ORDER BY COALESCE(s.ordered_at, s.created_at)",
        ", s.id",
        " LIMIT $8",
        tenant,
        store,
        status,
        span.from.0,
        span.from.1,
        span.to.0,
        span.to.1,
        span.limit,
    )
}

/// What sales are looked for by: the first of these that is given.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// The number that customers see.
    pub number: Option<&'a str>,
    /// The billing e-mail, case folded.
    pub email: Option<&'a str>,
    /// The customer.
    pub customer: Option<Uuid>,
    /// Of these only the ones of this status.
    pub status: Option<&'a str>,
    /// Of these only what one store sold.
    pub store: Option<IntegrationId>,
}

/// The sales of one number, one e-mail or one customer, the newest first whatever the span says.
///
/// They are few: the order by time is written so that no index of it is taken to look through all.
///
/// # Errors
/// When the database does not answer.
pub async fn found(
    tx: &mut Tx,
    tenant: TenantId,
    wanted: Wanted<'_>,
    span: Span,
) -> Result<Vec<Listed>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Listed,
        "SELECT s.id, s.number, s.status, s.gone, COALESCE(s.ordered_at, s.created_at) AS placed_at,
            i.store_url AS store, s.currency, s.total, s.refunded, s.email, c.first_name, c.last_name
         FROM sales s
         LEFT JOIN integrations i ON i.tenant_id = s.tenant_id AND i.id = s.integration_id
         LEFT JOIN customers c ON c.tenant_id = s.tenant_id AND c.id = s.customer_id
         WHERE s.tenant_id = $1 AND s.id IN (
            SELECT n.id FROM sales n WHERE n.tenant_id = $1 AND n.number = $2
            UNION SELECT e.id FROM sales e WHERE e.tenant_id = $1 AND e.email = $3
            UNION SELECT b.id FROM sales b WHERE b.tenant_id = $1 AND b.customer_id = $4)
           AND ($5 IS NULL OR s.status = $5)
           AND (COALESCE(s.ordered_at, s.created_at, s.created_at), s.id) > ($6, $7)
           AND (COALESCE(s.ordered_at, s.created_at, s.created_at), s.id) < ($8, $9)
           AND ($10 IS NULL OR s.integration_id = $10)
         ORDER BY COALESCE(s.ordered_at, s.created_at, s.created_at) DESC, s.id DESC LIMIT $11",
        tenant,
        wanted.number,
        wanted.email,
        wanted.customer,
        wanted.status,
        span.from.0,
        span.from.1,
        span.to.0,
        span.to.1,
        wanted.store,
        span.limit,
    )
}

/// What was sold in one currency.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Sold {
    /// ISO 4217.
    pub currency: String,
    /// How many sales.
    pub sales: i64,
    /// What they brought, refunds taken off, in millionths.
    pub total: i64,
}

/// The currency of a store's newest order, if it has any.
///
/// # Errors
/// When the database does not answer.
pub async fn newest_currency(
    tx: &mut Tx,
    tenant: TenantId,
    store: IntegrationId,
) -> Result<Option<String>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (String,),
        "SELECT currency FROM sales WHERE tenant_id = $1 AND integration_id = $2
         ORDER BY external_id DESC LIMIT 1",
        tenant,
        store,
    )?;
    Ok(row.map(|(currency,)| currency))
}

/// What was sold from one moment up to another, without what was never paid or is called off.
///
/// # Errors
/// When the database does not answer.
pub async fn sold(
    tx: &mut Tx,
    tenant: TenantId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Sold>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Sold,
        "SELECT s.currency, COUNT(*) AS sales, CAST(SUM(s.total - s.refunded) AS BIGINT) AS total
         FROM integrations i
         CROSS JOIN sales s
         WHERE i.tenant_id = $1 AND s.tenant_id = i.tenant_id AND s.integration_id = i.id
           AND COALESCE(s.ordered_at, s.created_at) >= $2
           AND COALESCE(s.ordered_at, s.created_at) < $3 AND NOT s.gone
           AND s.status NOT IN ('pending', 'cancelled', 'failed', 'checkout-draft', 'trash')
         GROUP BY s.currency ORDER BY s.currency",
        tenant,
        from,
        until,
    )
}
