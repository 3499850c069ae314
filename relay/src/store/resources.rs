//! What is known of each order, product and customer of a shop, and what has to be fetched.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    IntegrationId, StoreError, TenantId, Tx, execute, execute_many, fetch, fetch_locked, fetch_many,
};

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
            heard_at, attempts)
         VALUES ($1, $2, $3, $4, 0, $5, $6, 0)
         ON CONFLICT (tenant_id, integration_id, resource, remote_id)
         DO UPDATE SET heard_at = COALESCE(resources.heard_at, $6)
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

/// Whether a fetch of the thing is under way, which may have read it before what arrives now happened.
///
/// # Errors
/// When the database does not answer.
pub async fn in_hand(tx: &mut Tx, key: Key<'_>, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (i64,),
        "SELECT arrived FROM resources
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4
           AND leased_until > $5",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
        now,
    )?;
    Ok(row.is_some())
}

/// Asks for the thing to be fetched, at `at` or before.
///
/// # Errors
/// When the database does not answer.
pub async fn want(tx: &mut Tx, key: Key<'_>, at: DateTime<Utc>) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO resources (tenant_id, integration_id, resource, remote_id, arrived, arrived_at,
            heard_at, attempts, fetch_at)
         VALUES ($1, $2, $3, $4, 0, $5, $5, 0, $5)
         ON CONFLICT (tenant_id, integration_id, resource, remote_id)
         DO UPDATE SET heard_at = COALESCE(resources.heard_at, $5), fetch_at = CASE WHEN resources.fetch_at IS NULL OR resources.fetch_at > $5
            THEN $5 ELSE resources.fetch_at END",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
        at,
    )
    .map(drop)
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
            attempts = 0, heard_at = NULL, content = $6, applied_at = $7, arrived = arrived + 1
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
         DO UPDATE SET rev = excluded.rev, content = excluded.content,
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

/// Puts a thing back, to be fetched at `at`; `failed` counts against it.
///
/// # Errors
/// When the database does not answer.
pub async fn put_back(
    tx: &mut Tx,
    key: Key<'_>,
    at: DateTime<Utc>,
    failed: bool,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE resources SET fetch_at = $5, leased_until = NULL, attempts = attempts + $6
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4",
        key.tenant,
        key.integration,
        key.resource,
        key.remote_id,
        at,
        i64::from(failed),
    )
    .map(drop)
}

/// A thing that is due to be fetched.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Due {
    /// The store.
    pub integration_id: Uuid,
    /// `order`, `product` or `customer`.
    pub resource: String,
    /// WooCommerce's id.
    pub remote_id: i64,
    /// Arrivals at the moment of the claim.
    pub arrived: i64,
    /// Failed fetches in a row.
    pub attempts: i64,
}

/// How many orders of a store are known of and could not be read yet.
///
/// # Errors
/// When the database does not answer.
pub async fn orders_unread(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM resources
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = 'order'
           AND fetch_at IS NOT NULL",
        tenant,
        integration,
    )?;
    Ok(count)
}

/// Which stores have something to be fetched.
///
/// # Errors
/// When the database does not answer.
pub async fn stores_due(
    tx: &mut Tx,
    now: DateTime<Utc>,
) -> Result<Vec<(TenantId, IntegrationId)>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        (Uuid, Uuid),
        "SELECT i.tenant_id, i.id FROM integrations i
         WHERE i.forked_at IS NULL AND i.consumer_key IS NOT NULL
           AND EXISTS (SELECT 1 FROM resources r
             WHERE r.tenant_id = i.tenant_id AND r.integration_id = i.id
               AND r.fetch_at IS NOT NULL AND r.fetch_at <= $1
               AND (r.leased_until IS NULL OR r.leased_until <= $1))
         LIMIT 1000",
        now,
    )
}

/// Claims up to `limit` things of a store until `until`; another relay passes over them.
///
/// Orders come first, and nothing of a store that is halted or has no key.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    tx: &mut Tx,
    (tenant, integration): (TenantId, IntegrationId),
    limit: i64,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Due>, StoreError> {
    let due = fetch_locked!(
        fetch_all,
        " FOR NO KEY UPDATE SKIP LOCKED",
        tx,
        Due,
        "SELECT integration_id, resource, remote_id, arrived, attempts FROM resources
         WHERE tenant_id = $1 AND integration_id = $2 AND fetch_at IS NOT NULL AND fetch_at <= $3
           AND (leased_until IS NULL OR leased_until <= $3)
           AND EXISTS (SELECT 1 FROM integrations i WHERE i.tenant_id = $1 AND i.id = $2
             AND i.forked_at IS NULL AND i.consumer_key IS NOT NULL)
         ORDER BY CASE resource WHEN 'order' THEN 0 WHEN 'product' THEN 1 ELSE 2 END, fetch_at
         LIMIT $4",
        tenant,
        integration,
        now,
        limit,
    )?;
    for thing in &due {
        execute!(
            tx,
            "UPDATE resources SET leased_until = $5
             WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND remote_id = $4",
            tenant,
            thing.integration_id,
            thing.resource.as_str(),
            thing.remote_id,
            until,
        )?;
    }
    Ok(due)
}

/// How many orders of a store wait to be fetched.
///
/// # Errors
/// When the database does not answer.
pub async fn orders_wanted(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM resources
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = 'order'
           AND fetch_at IS NOT NULL AND attempts = 0",
        tenant,
        integration,
    )?;
    Ok(count)
}
