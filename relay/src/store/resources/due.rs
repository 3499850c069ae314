//! What has to be fetched of a shop: asked for, claimed for a while, put back.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Key;
use crate::store::{
    IntegrationId, StoreError, TenantId, Tx, execute, execute_many, fetch, fetch_locked,
};

/// Asks for the thing to be fetched, at `at` or before.
///
/// # Errors
/// When the database does not answer.
pub async fn want(tx: &mut Tx, key: Key<'_>, at: DateTime<Utc>) -> Result<(), StoreError> {
    want_all(tx, &[key], at).await
}

/// The same for many things, each of them once, in the order in which others lock them as well: that of their keys.
///
/// # Errors
/// When the database does not answer.
pub async fn want_all(tx: &mut Tx, keys: &[Key<'_>], at: DateTime<Utc>) -> Result<(), StoreError> {
    execute_many!(
        tx,
        "INSERT INTO resources (tenant_id, integration_id, resource, remote_id, arrived, arrived_at,
            heard_at, attempts, fetch_at)
         VALUES ($1, $2, $3, $4, 0, $5, $5, 0, $5)
         ON CONFLICT (tenant_id, integration_id, resource, remote_id)
         DO UPDATE SET heard_at = COALESCE(resources.heard_at, excluded.heard_at),
            fetch_at = CASE WHEN resources.fetch_at IS NULL OR resources.fetch_at > excluded.fetch_at
                THEN excluded.fetch_at ELSE resources.fetch_at END",
        keys,
        Key { tenant, integration, resource, remote_id } =>
            [tenant, integration, *resource, *remote_id, at]
    );
    Ok(())
}

/// Asks for every product of a store to be fetched that its listings have not shown since `since`, and that is not
/// known to be gone or in the trash.
///
/// # Errors
/// When the database does not answer.
pub async fn want_unseen_products(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    since: DateTime<Utc>,
    at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    execute!(
        tx,
        "UPDATE resources SET fetch_at = $4
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = 'product' AND fetch_at IS NULL
           AND (seen_at IS NULL OR seen_at < $3)
           AND EXISTS (SELECT 1 FROM products p
             WHERE p.tenant_id = resources.tenant_id
               AND p.integration_id = resources.integration_id
               AND p.remote_id = resources.remote_id AND NOT p.gone AND p.status <> 'trash')",
        tenant,
        integration,
        since,
        at,
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

/// The numbers of the first of them, or their ids where no number is known; those that failed to be read come before
/// those that were not tried yet.
///
/// # Errors
/// When the database does not answer.
pub async fn first_unread(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        (String,),
        "SELECT COALESCE((SELECT NULLIF(s.number, '') FROM sales s WHERE s.tenant_id = r.tenant_id
            AND s.integration_id = r.integration_id AND s.external_id = r.remote_id
            ORDER BY s.id DESC LIMIT 1), CAST(r.remote_id AS TEXT))
         FROM resources r
         WHERE r.tenant_id = $1 AND r.integration_id = $2 AND r.resource = 'order'
           AND r.fetch_at IS NOT NULL
         ORDER BY r.attempts DESC, r.remote_id LIMIT $3",
        tenant,
        integration,
        limit,
    )?;
    Ok(rows.into_iter().map(|(number,)| number).collect())
}

/// How many of them something has been heard of since `since`.
///
/// # Errors
/// When the database does not answer.
pub async fn orders_unread_since(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    since: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM resources
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = 'order'
           AND fetch_at IS NOT NULL AND arrived_at >= $3",
        tenant,
        integration,
        since,
    )?;
    Ok(count)
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

/// Puts a thing back, to be fetched at `at`; `failed` counts against it. One that was left meanwhile stays so.
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
        "UPDATE resources SET leased_until = NULL, attempts = attempts + $6,
            fetch_at = CASE WHEN left_at IS NULL OR fetch_at IS NOT NULL THEN $5 END
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
