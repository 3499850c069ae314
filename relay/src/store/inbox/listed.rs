//! Events as people look for them: by status, or by what they are about.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Entry;
use crate::store::{IntegrationId, StoreError, TenantId, Tx, fetch};

/// The newest events, before `before`. That a shop's database was known again is none that people look for, unless it
/// failed: such events are there where `all` are asked for.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(
    tx: &mut Tx,
    tenant: TenantId,
    all: bool,
    before: (DateTime<Utc>, Uuid),
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Entry,
        "SELECT e.event_id AS id, i.store_url AS store, e.topic, e.resource_id, e.status, e.detail,
            e.received_at, e.attempts, (SELECT s.number FROM sales s WHERE s.tenant_id = e.tenant_id
                AND s.integration_id = e.integration_id AND s.external_id = e.resource_id
                AND e.resource = 'order' ORDER BY s.id DESC LIMIT 1) AS order_number
         FROM inbox e
         LEFT JOIN integrations i ON i.tenant_id = e.tenant_id AND i.id = e.integration_id
         WHERE e.tenant_id = $1 AND (e.received_at, e.event_id) < ($2, $3)
           AND (e.resource <> 'lineage' OR e.status = 'failed' OR $4)
         ORDER BY e.received_at DESC, e.event_id DESC LIMIT $5",
        tenant,
        before.0,
        before.1,
        all,
        limit,
    )
}

/// The newest events of one status, before `before`; `all` as of [`newest`].
///
/// # Errors
/// When the database does not answer.
pub async fn of_state(
    tx: &mut Tx,
    tenant: TenantId,
    status: &str,
    all: bool,
    before: (DateTime<Utc>, Uuid),
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Entry,
        "SELECT e.event_id AS id, i.store_url AS store, e.topic, e.resource_id, e.status, e.detail,
            e.received_at, e.attempts, (SELECT s.number FROM sales s WHERE s.tenant_id = e.tenant_id
                AND s.integration_id = e.integration_id AND s.external_id = e.resource_id
                AND e.resource = 'order' ORDER BY s.id DESC LIMIT 1) AS order_number
         FROM inbox e
         LEFT JOIN integrations i ON i.tenant_id = e.tenant_id AND i.id = e.integration_id
         WHERE e.tenant_id = $1 AND e.status = $2 AND (e.received_at, e.event_id) < ($3, $4)
           AND (e.resource <> 'lineage' OR e.status = 'failed' OR $5)
         ORDER BY e.received_at DESC, e.event_id DESC LIMIT $6",
        tenant,
        status,
        before.0,
        before.1,
        all,
        limit,
    )
}

/// The newest events of one status that one store told, before `before`; `all` as of [`newest`].
///
/// # Errors
/// When the database does not answer.
pub async fn of_store(
    tx: &mut Tx,
    tenant: TenantId,
    (store, status): (IntegrationId, &str),
    all: bool,
    before: (DateTime<Utc>, Uuid),
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Entry,
        "SELECT e.event_id AS id, i.store_url AS store, e.topic, e.resource_id, e.status, e.detail,
            e.received_at, e.attempts, (SELECT s.number FROM sales s WHERE s.tenant_id = e.tenant_id
                AND s.integration_id = e.integration_id AND s.external_id = e.resource_id
                AND e.resource = 'order' ORDER BY s.id DESC LIMIT 1) AS order_number
         FROM inbox e
         LEFT JOIN integrations i ON i.tenant_id = e.tenant_id AND i.id = e.integration_id
         WHERE e.tenant_id = $1 AND e.integration_id = $2 AND e.status = $3
           AND (e.received_at, e.event_id) < ($4, $5)
           AND (e.resource <> 'lineage' OR e.status = 'failed' OR $6)
         ORDER BY e.received_at DESC, e.event_id DESC LIMIT $7",
        tenant,
        store,
        status,
        before.0,
        before.1,
        all,
        limit,
    )
}

/// The newest events about orders of this number, or of this id in WooCommerce, before `before`; those of
/// one store or status if it is given. They are few: the order by time is written so that no index of it is taken to
/// look through all.
///
/// # Errors
/// When the database does not answer.
pub async fn of_order(
    tx: &mut Tx,
    tenant: TenantId,
    number: &str,
    external_id: Option<i64>,
    (store, status): (Option<IntegrationId>, Option<&str>),
    before: (DateTime<Utc>, Uuid),
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Entry,
        "SELECT e.event_id AS id, i.store_url AS store, e.topic, e.resource_id, e.status, e.detail,
            e.received_at, e.attempts, (SELECT s.number FROM sales s WHERE s.tenant_id = e.tenant_id
                AND s.integration_id = e.integration_id AND s.external_id = e.resource_id
                AND e.resource = 'order' ORDER BY s.id DESC LIMIT 1) AS order_number
         FROM inbox e
         LEFT JOIN integrations i ON i.tenant_id = e.tenant_id AND i.id = e.integration_id
         WHERE e.tenant_id = $1 AND e.resource = 'order' AND e.resource_id IN (
            SELECT s.external_id FROM sales s WHERE s.tenant_id = $1 AND s.number = $2
            UNION SELECT o.resource_id FROM inbox o
            WHERE o.tenant_id = $1 AND o.resource = 'order' AND o.resource_id = $3)
           AND ($4 IS NULL OR e.status = $4) AND ($5 IS NULL OR e.integration_id = $5)
           AND (COALESCE(e.received_at, e.received_at), e.event_id) < ($6, $7)
         ORDER BY COALESCE(e.received_at, e.received_at) DESC, e.event_id DESC LIMIT $8",
        tenant,
        number,
        external_id,
        status,
        store,
        before.0,
        before.1,
        limit,
    )
}

/// One event with what it brought.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Whole {
    /// The event.
    #[sqlx(flatten)]
    pub entry: Entry,
    /// When the shop noticed it.
    pub occurred_at: DateTime<Utc>,
    /// What it is about: `order`, `product`, `customer` or `lineage`.
    pub resource: String,
    /// WooCommerce's representation, as long as it is kept.
    pub payload: Option<String>,
    /// What that does not tell, as long as it is kept.
    pub facts: Option<String>,
    /// The sale that it is about.
    pub sale_id: Option<Uuid>,
    /// Whether what it is about could not be read when that was tried, and is to be tried again.
    pub unread: bool,
    /// Whether a person has left what it is about.
    pub is_left: bool,
}

/// One event, if it is there.
///
/// # Errors
/// When the database does not answer.
pub async fn whole(tx: &mut Tx, tenant: TenantId, id: Uuid) -> Result<Option<Whole>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Whole,
        "SELECT e.event_id AS id, i.store_url AS store, e.topic, e.resource_id, e.status, e.detail,
            e.received_at, e.attempts, e.occurred_at, e.resource, e.payload, e.facts, s.id AS sale_id,
            s.number AS order_number, COALESCE(r.fetch_at IS NOT NULL AND r.attempts > 0, FALSE) AS unread,
            COALESCE(r.fetch_at IS NULL AND r.left_at IS NOT NULL, FALSE) AS is_left
         FROM inbox e
         LEFT JOIN integrations i ON i.tenant_id = e.tenant_id AND i.id = e.integration_id
         LEFT JOIN sales s ON s.tenant_id = e.tenant_id AND s.integration_id = e.integration_id
           AND s.external_id = e.resource_id AND e.resource = 'order'
         LEFT JOIN resources r ON r.tenant_id = e.tenant_id AND r.integration_id = e.integration_id
           AND r.resource = e.resource AND r.remote_id = e.resource_id
         WHERE e.tenant_id = $1 AND e.event_id = $2 ORDER BY s.id DESC LIMIT 1",
        tenant,
        id,
    )
}
