//! What is known of each order, product and customer of a shop, and what has to be fetched.

mod due;
mod left;
mod marked;

use chrono::{DateTime, Utc};

use super::{
    IntegrationId, StoreError, TenantId, Tx, execute, execute_many, fetch, fetch_locked, fetch_many,
};

pub use due::{
    Due, claim, first_unread, in_hand, orders_unread, orders_unread_since, orders_wanted, put_back,
    stores_due, want, want_all, want_unseen_products,
};

pub use left::{leave, stays_left};
pub use marked::{accounts_without_mark, orders_without_mark, products_without_mark, set_marked};

/// Which thing of which store.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// The store.
    pub integration: IntegrationId,
    /// `order`, `product` or `customer`.
    pub resource: &'a str,
    /// WooCommerce's id.
    pub remote_id: i64,
}

/// How a thing stands.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Standing {
    /// The highest `rev` that was applied.
    pub rev: Option<i64>,
    /// How often anything about it arrived.
    pub arrived: i64,
    /// When anything about it last arrived.
    pub arrived_at: DateTime<Utc>,
    /// Since when something about it is known that is not in the ledger yet; nothing when all is in.
    pub heard_at: Option<DateTime<Utc>>,
    /// How often fetching it failed in a row.
    pub attempts: i64,
    /// A digest of the representation that is in the ledger.
    pub content: Option<Vec<u8>>,
    /// When it was last brought up to date.
    pub applied_at: Option<DateTime<Utc>>,
    /// Since when nothing of the person behind it is kept.
    pub erased_at: Option<DateTime<Utc>>,
}

/// Counts an arrival and gives how the thing stands now. The row stays locked.
///
/// # Errors
/// When the database does not answer.
pub async fn arrive(tx: &mut Tx, key: Key<'_>, now: DateTime<Utc>) -> Result<Standing, StoreError> {
    let arrived = Arrived { resource: key.resource, remote_id: key.remote_id, times: 1 };
    let standings = arrive_all(tx, key.tenant, key.integration, &[arrived], now).await?;
    let found = standings.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
    Ok(found.standing)
}

/// What arrived, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    /// `order`, `product` or `customer`.
    pub resource: &'a str,
    /// WooCommerce's id.
    pub remote_id: i64,
    /// How often.
    pub times: i64,
}

/// A thing and how it stands.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Found {
    /// `order`, `product` or `customer`.
    pub resource: String,
    /// WooCommerce's id.
    pub remote_id: i64,
    /// How it stands.
    #[sqlx(flatten)]
    pub standing: Standing,
}

/// The same for many things, each of them once, in the order in which others lock them as well: that of their keys.
///
/// # Errors
/// When the database does not answer.
pub async fn arrive_all(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    arrived: &[Arrived<'_>],
    now: DateTime<Utc>,
) -> Result<Vec<Found>, StoreError> {
    let found = fetch_many!(
        tx,
        Found,
        "INSERT INTO resources (tenant_id, integration_id, resource, remote_id, arrived, arrived_at,
            heard_at, attempts)
         VALUES ($1, $2, $3, $4, $5, $6, $6, 0)
         ON CONFLICT (tenant_id, integration_id, resource, remote_id)
         DO UPDATE SET arrived = resources.arrived + excluded.arrived,
            arrived_at = excluded.arrived_at,
            heard_at = COALESCE(resources.heard_at, excluded.heard_at)
         RETURNING resource, remote_id, rev, arrived, arrived_at, heard_at, attempts, content,
            applied_at, erased_at",
        arrived,
        Arrived { resource, remote_id, times } =>
            [tenant, integration, *resource, *remote_id, *times, now]
    );
    Ok(found)
}

/// How a thing that a listing shows stands; heard of now, if never before. The row stays locked.
///
/// # Errors
/// When the database does not answer.
pub async fn seen(tx: &mut Tx, key: Key<'_>, now: DateTime<Utc>) -> Result<Standing, StoreError> {
    fetch!(
        fetch_one,
        tx,
        Standing,
        "INSERT INTO resources (tenant_id, integration_id, resource, remote_id, arrived, arrived_at,
            heard_at, attempts, seen_at)
         VALUES ($1, $2, $3, $4, 0, $5, $6, 0, $6)
         ON CONFLICT (tenant_id, integration_id, resource, remote_id)
         DO UPDATE SET heard_at = COALESCE(resources.heard_at, $6), seen_at = $6
         RETURNING rev, arrived, arrived_at, heard_at, attempts, content,
            applied_at, erased_at",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
        DateTime::<Utc>::UNIX_EPOCH,
        now,
    )
}

/// How the thing stands, if it was ever heard of. The row stays locked.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(tx: &mut Tx, key: Key<'_>) -> Result<Option<Standing>, StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE",
        tx,
        Standing,
        "SELECT rev, arrived, arrived_at, heard_at, attempts, content, applied_at, erased_at
         FROM resources
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
    )
}

/// Notes that the thing is in the ledger as of `rev`, and that nothing has to be fetched. Whatever else
/// was read meanwhile may be older, so this counts as an arrival.
///
/// # Errors
/// When the database does not answer.
pub async fn applied(
    tx: &mut Tx,
    key: Key<'_>,
    rev: Option<i64>,
    content: Option<&[u8]>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE resources SET rev = COALESCE($5, rev), fetch_at = NULL, leased_until = NULL,
            attempts = 0, heard_at = NULL, content = $6, applied_at = $7, arrived = arrived + 1,
            left_at = NULL, left_content = NULL
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
        rev,
        content,
        now,
    )
    .map(drop)
}

/// Forgets as of which of its states everything of a store is in the ledger, and which orders have a note there: whatever
/// is shown under these ids is brought over as it stands, in a count of states of its own.
///
/// # Errors
/// When the database does not answer.
pub async fn begin_anew(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE resources SET rev = NULL, content = NULL, marked_at = NULL
         WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
    )
    .map(drop)
}

/// Forgets under which ids of a store somebody was erased: they are others' now.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_erasures(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE resources SET erased_at = NULL
         WHERE tenant_id = $1 AND integration_id = $2 AND erased_at IS NOT NULL",
        tenant,
        integration,
    )
    .map(drop)
}

/// A thing that an event brought into the ledger.
#[derive(Debug)]
pub struct Brought<'a> {
    /// `order`, `product` or `customer`.
    pub resource: &'a str,
    /// WooCommerce's id.
    pub remote_id: i64,
    /// As of which of its states.
    pub rev: i64,
    /// A digest of the representation.
    pub content: Vec<u8>,
}

/// Notes that events brought things into the ledger, each thing once. A fetch that is wanted stays wanted: whatever
/// asked for it may be newer than the event, and what waits for it is settled by it.
///
/// # Errors
/// When the database does not answer.
pub async fn brought_all(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    things: &[Brought<'_>],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute_many!(
        tx,
        "INSERT INTO resources (tenant_id, integration_id, resource, remote_id, rev, arrived_at,
            heard_at, content, arrived, attempts)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7, 0, 0)
         ON CONFLICT (tenant_id, integration_id, resource, remote_id)
         DO UPDATE SET rev = excluded.rev, content = excluded.content, left_at = NULL,
            left_content = NULL,
            heard_at = CASE WHEN resources.fetch_at IS NOT NULL THEN excluded.heard_at END",
        things,
        thing => [
            tenant,
            integration,
            thing.resource,
            thing.remote_id,
            thing.rev,
            now,
            thing.content.as_slice(),
        ]
    );
    Ok(())
}

/// Notes that a listing showed the thing as it is in the ledger. What still has to be fetched stays heard
/// of.
///
/// # Errors
/// When the database does not answer.
pub async fn unchanged(tx: &mut Tx, key: Key<'_>) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE resources SET heard_at = NULL
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4
           AND fetch_at IS NULL AND heard_at IS NOT NULL",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
    )
    .map(drop)
}
