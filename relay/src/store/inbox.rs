//! Every event that ever arrived, and what became of it.

mod failed;
mod listed;

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use nexpura_protocol::Verdict;
use serde::Serialize;

use uuid::Uuid;

use super::{
    IntegrationId, StoreError, TenantId, Tx, execute, execute_many, fetch, fetch_many,
    page::{Page, far_ahead, moment_key},
};

pub use failed::{Failed, failed, queue_failed};
pub use listed::{Whole, newest, of_order, of_state, of_store, whole};

/// An event to be kept.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// Its identity for ever.
    pub event_id: Uuid,
    /// The spool it came from.
    pub spool: &'a str,
    /// Its place there.
    pub seq: i64,
    /// Its topic.
    pub topic: &'a str,
    /// `order`, `product`, `customer` or `lineage`.
    pub resource: &'a str,
    /// WooCommerce's id.
    pub resource_id: i64,
    /// The shop's counter of that resource at this event, if it keeps one.
    pub rev: Option<i64>,
    /// When the shop noticed it.
    pub occurred_at: DateTime<Utc>,
    /// WooCommerce's representation, if it came along.
    pub payload: Option<&'a str>,
    /// What that does not tell.
    pub facts: Option<&'a str>,
}

/// Keeps an event as `queued`; `false` when it was here before.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    event: &Arrival<'_>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let kept = execute!(
        tx,
        "INSERT INTO inbox (tenant_id, integration_id, event_id, spool, seq, topic, resource,
            resource_id, rev, occurred_at, received_at, status, payload, facts, attempts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'queued', $12, $13, 0)
         ON CONFLICT (tenant_id, integration_id, event_id) DO NOTHING",
        tenant,
        integration,
        event.event_id,
        event.spool,
        event.seq,
        event.topic,
        event.resource,
        event.resource_id,
        event.rev,
        event.occurred_at,
        now,
        event.payload,
        event.facts,
    )?;
    Ok(kept == 1)
}

/// An event with what became of it.
#[derive(Debug)]
pub struct Settled<'a> {
    /// The event.
    pub event: Arrival<'a>,
    /// What became of it.
    pub status: Verdict,
    /// Why.
    pub detail: Option<String>,
}

/// Which of these events are here already.
///
/// # Errors
/// When the database does not answer.
pub async fn known(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    events: &[Uuid],
) -> Result<HashSet<Uuid>, StoreError> {
    // One look by key each: a join would be planned by what was known of the table when it was small.
    let known = fetch_many!(
        tx,
        (Option<Uuid>,),
        "WITH told (tenant, store, event) AS (VALUES ($1, $2, $3))
         SELECT (SELECT e.event_id FROM inbox e WHERE e.tenant_id = told.tenant
            AND e.integration_id = told.store AND e.event_id = told.event LIMIT 1) FROM told",
        events,
        event => [tenant, integration, *event]
    );
    Ok(known.into_iter().filter_map(|(event,)| event).collect())
}

/// Keeps new events with what became of them.
///
/// # Errors
/// When the database does not answer.
pub async fn keep_all(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    events: &[Settled<'_>],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute_many!(
        tx,
        "INSERT INTO inbox (tenant_id, integration_id, event_id, spool, seq, topic, resource,
            resource_id, rev, occurred_at, received_at, status, detail, payload, facts, attempts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0)",
        events,
        Settled { event, status, detail } => [
            tenant,
            integration,
            event.event_id,
            event.spool,
            event.seq,
            event.topic,
            event.resource,
            event.resource_id,
            event.rev,
            event.occurred_at,
            now,
            status.as_str(),
            detail.as_deref(),
            event.payload,
            event.facts,
        ]
    );
    Ok(())
}

/// Says what became of an event.
///
/// # Errors
/// When the database does not answer.
pub async fn settle(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    event_id: Uuid,
    status: Verdict,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE inbox SET status = $4, detail = $5
         WHERE tenant_id = $1 AND integration_id = $2 AND event_id = $3",
        tenant,
        integration,
        event_id,
        status.as_str(),
        detail,
    )
    .map(drop)
}

/// Lets an event wait again that came once more; `false` where it is waiting still.
///
/// # Errors
/// When the database does not answer.
pub async fn wait_again(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    event_id: Uuid,
) -> Result<bool, StoreError> {
    let waits = execute!(
        tx,
        "UPDATE inbox SET status = 'queued', detail = NULL
         WHERE tenant_id = $1 AND integration_id = $2 AND event_id = $3 AND status <> 'queued'",
        tenant,
        integration,
        event_id,
    )?;
    Ok(waits == 1)
}

/// Settles all that waited for a fetch of one thing.
///
/// # Errors
/// When the database does not answer.
pub async fn settle_waiting(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    resource: &str,
    resource_id: i64,
    status: Verdict,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE inbox SET status = $5, detail = $6, attempts = attempts + 1
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = $3 AND resource_id = $4
           AND status IN ('queued', 'superseded', 'failed') AND status <> 'superseded'",
        tenant,
        integration,
        resource,
        resource_id,
        status.as_str(),
        detail,
    )
    .map(drop)
}

/// How many events of a store wait for their order to be fetched.
///
/// # Errors
/// When the database does not answer.
pub async fn orders_waiting(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM inbox
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = 'order' AND status = 'queued'",
        tenant,
        integration,
    )?;
    Ok(count)
}

/// An event as it is shown.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Entry {
    /// The event's id.
    pub id: Uuid,
    /// Its store.
    pub store: String,
    /// What happened.
    pub topic: String,
    /// To what.
    pub resource_id: i64,
    /// What became of it.
    pub status: String,
    /// Why.
    pub detail: Option<String>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// How often the relay tried to fetch it.
    pub attempts: i64,
    /// The number of the sale that it is about.
    pub order_number: Option<String>,
}

/// The newest events first, those of one status if it is given.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    status: Option<&str>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Page<Entry>, StoreError> {
    let before = after.unwrap_or((far_ahead(), Uuid::max()));
    let rows = match status {
        Some(status) => of_state(tx, tenant, status, true, before, limit + 1).await?,
        None => newest(tx, tenant, true, before, limit + 1).await?,
    };
    Ok(Page::cut(rows, limit, |row| moment_key(row.received_at, row.id)))
}

/// What the newest event that told of an order's deletion, and is newer than `known`, told: the order as
/// it last stood. The trash tells of a deletion too, so that one may be older than what is in the ledger.
///
/// # Errors
/// When the database does not answer.
pub async fn last_words(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    order: i64,
    known: Option<i64>,
) -> Result<Option<(String, Option<String>)>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        (String, Option<String>),
        "SELECT payload, facts FROM inbox
         WHERE tenant_id = $1 AND integration_id = $2 AND resource = 'order' AND resource_id = $3
           AND status IN ('queued', 'superseded', 'failed') AND topic = 'order.deleted'
           AND payload IS NOT NULL AND (rev IS NULL OR $4 IS NULL OR rev > $4)
         ORDER BY COALESCE(rev, 0) DESC, received_at DESC, seq DESC LIMIT 1",
        tenant,
        integration,
        order,
        known,
    )
}

/// What a retry needs to know of an event.
#[derive(Debug, sqlx::FromRow)]
pub struct Origin {
    /// The store it came from.
    pub integration_id: Uuid,
    /// `order`, `product`, `customer` or `lineage`.
    pub resource: String,
    /// WooCommerce's id.
    pub resource_id: i64,
    /// What became of it so far.
    pub status: String,
}

/// Finds an event of the tenant by its id.
///
/// # Errors
/// When the database does not answer.
pub async fn origin(
    tx: &mut Tx,
    tenant: TenantId,
    event_id: Uuid,
) -> Result<Option<Origin>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Origin,
        "SELECT integration_id, resource, resource_id, status FROM inbox
         WHERE tenant_id = $1 AND event_id = $2",
        tenant,
        event_id,
    )
}

/// Forgets the payloads of events older than `before`; their ids stay for ever.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_payloads(
    tx: &mut Tx,
    tenant: TenantId,
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    execute!(
        tx,
        "UPDATE inbox SET payload = NULL, facts = NULL
         WHERE tenant_id = $1 AND received_at < $2 AND payload IS NOT NULL",
        tenant,
        before,
    )
}

/// How many events a tenant has in each state.
///
/// # Errors
/// When the database does not answer.
pub async fn counts(tx: &mut Tx, tenant: TenantId) -> Result<Vec<(String, i64)>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        (String, i64),
        "SELECT status, COUNT(*) FROM inbox
         WHERE tenant_id = $1 AND status IN ('queued', 'failed') GROUP BY status",
        tenant,
    )
}
