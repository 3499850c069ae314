//! Runs as they are shown, and what they found.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::store::{IntegrationId, StoreError, TenantId, Tx, fetch};

/// Something that a run did not bring over as a matter of course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Finding {
    /// `order`, `product` or `customer`.
    pub resource: String,
    /// WooCommerce's id.
    pub remote_id: i64,
    /// `skipped`, `failed` or `drift`.
    pub outcome: String,
    /// What people call it: its SKU or number.
    pub label: String,
    /// Why.
    pub reason: String,
}

/// A run as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct Shown {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The store.
    #[serde(skip)]
    pub integration_id: Uuid,
    /// The store's address.
    pub store: String,
    /// What it does.
    pub kind: String,
    /// Why it waits, if it does.
    pub error: Option<String>,
    /// Rows read.
    pub seen: i64,
    /// Rows there are, by the store's word, of what is being read.
    pub total: Option<i64>,
    /// Rows of which the ledger has something new.
    pub synced: i64,
    /// Rows that it had before.
    pub unchanged: i64,
    /// Rows that are not for the ledger.
    pub skipped: i64,
    /// Rows that could not be brought over.
    pub failed: i64,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it ended; absent while it is under way.
    pub finished_at: Option<DateTime<Utc>>,
}

/// One run.
///
/// # Errors
/// When the database does not answer.
pub async fn get(tx: &mut Tx, tenant: TenantId, id: Uuid) -> Result<Option<Shown>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Shown,
        "SELECT r.id, r.integration_id, i.store_url AS store, r.kind, r.error, r.seen, r.total, r.synced, r.unchanged,
            r.skipped, r.failed, r.created_at, r.finished_at
         FROM sync_runs r
         JOIN integrations i ON i.tenant_id = r.tenant_id AND i.id = r.integration_id
         WHERE r.tenant_id = $1 AND r.id = $2",
        tenant,
        id,
    )
}

/// The runs before the one of the key `before`, the newest first, sweeps that are only waiting left out; those of one
/// store if it is given.
///
/// # Errors
/// When the database does not answer.
pub async fn before(
    tx: &mut Tx,
    tenant: TenantId,
    integration: Option<IntegrationId>,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT r.id, r.integration_id, i.store_url AS store, r.kind, r.error, r.seen, r.total, r.synced, r.unchanged,
            r.skipped, r.failed, r.created_at, r.finished_at
         FROM sync_runs r
         JOIN integrations i ON i.tenant_id = r.tenant_id AND i.id = r.integration_id
         WHERE r.tenant_id = $1 AND r.id < $2 AND (r.kind <> 'sweep' OR r.seen > 0)
           AND ($3 IS NULL OR r.integration_id = $3)
         ORDER BY r.id DESC LIMIT $4",
        tenant,
        before,
        integration,
        limit,
    )
}

/// A store's runs of this kind, or of all kinds, before the one of the key `before`, the newest first. Among all
/// kinds a sweep stands only if it found something or is held up: most find that nothing has changed.
///
/// # Errors
/// When the database does not answer.
pub async fn of_store(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    kind: Option<&str>,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    match kind {
        Some(kind) => of_kind(tx, tenant, integration, kind, before, limit).await,
        None => of_any_kind(tx, tenant, integration, before, limit).await,
    }
}

async fn of_kind(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    kind: &str,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT r.id, r.integration_id, i.store_url AS store, r.kind, r.error, r.seen, r.total,
            r.synced, r.unchanged, r.skipped, r.failed, r.created_at, r.finished_at
         FROM sync_runs r
         JOIN integrations i ON i.tenant_id = r.tenant_id AND i.id = r.integration_id
         WHERE r.tenant_id = $1 AND r.integration_id = $2 AND r.kind = $3 AND r.id < $4
           AND (r.kind <> 'sweep' OR r.seen > 0 OR r.error IS NOT NULL)
         ORDER BY r.id DESC LIMIT $5",
        tenant,
        integration,
        kind,
        before,
        limit,
    )
}

async fn of_any_kind(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT r.id, r.integration_id, i.store_url AS store, r.kind, r.error, r.seen, r.total,
            r.synced, r.unchanged, r.skipped, r.failed, r.created_at, r.finished_at
         FROM sync_runs r
         JOIN integrations i ON i.tenant_id = r.tenant_id AND i.id = r.integration_id
         WHERE r.tenant_id = $1 AND r.integration_id = $2 AND r.id < $3
           AND (r.kind <> 'sweep' OR r.synced > 0 OR r.skipped > 0 OR r.failed > 0
                OR r.error IS NOT NULL)
         ORDER BY r.id DESC LIMIT $4",
        tenant,
        integration,
        before,
        limit,
    )
}

/// After which of a run's findings a page begins: its outcome, its resource and its id there.
pub type AfterFinding<'a> = (&'a str, &'a str, i64);

/// What a run found, after `after`: what differs, what failed and what was skipped, each by resource and id.
///
/// # Errors
/// When the database does not answer.
pub async fn findings(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    after: AfterFinding<'_>,
    limit: i64,
) -> Result<Vec<Finding>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Finding,
        "SELECT resource, remote_id, outcome, label, reason FROM run_findings
         WHERE tenant_id = $1 AND run_id = $2 AND (outcome, resource, remote_id) > ($3, $4, $5)
         ORDER BY outcome, resource, remote_id LIMIT $6",
        tenant,
        id,
        after.0,
        after.1,
        after.2,
        limit,
    )
}

/// The newest run of this kind on a store.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    kind: &str,
) -> Result<Option<Shown>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Shown,
        "SELECT r.id, r.integration_id, i.store_url AS store, r.kind, r.error, r.seen, r.total, r.synced, r.unchanged,
            r.skipped, r.failed, r.created_at, r.finished_at
         FROM sync_runs r
         JOIN integrations i ON i.tenant_id = r.tenant_id AND i.id = r.integration_id
         WHERE r.tenant_id = $1 AND r.integration_id = $2 AND r.kind = $3
         ORDER BY r.id DESC LIMIT 1",
        tenant,
        integration,
        kind,
    )
}

/// The first thing that a run could not bring over: what people call it, and why.
///
/// # Errors
/// When the database does not answer.
pub async fn first_failure(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<(String, String)>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        (String, String),
        "SELECT label, reason FROM run_findings
         WHERE tenant_id = $1 AND run_id = $2 AND outcome = 'failed'
         ORDER BY resource, remote_id LIMIT 1",
        tenant,
        id,
    )
}

/// Whether a relay has a run of the store in hand.
///
/// # Errors
/// When the database does not answer.
pub async fn in_hand(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT id FROM sync_runs WHERE tenant_id = $1 AND integration_id = $2
           AND finished_at IS NULL AND leased_until > $3 LIMIT 1",
        tenant,
        integration,
        now,
    )?;
    Ok(row.is_some())
}
