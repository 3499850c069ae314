//! Stock pushes: what a shop's stock has still to be told, one open push a listing.
//!
//! A push is only asked for in the transaction that moves a piece. What it adds is decided when it is
//! first sent, so that all moves until then travel together; from then on it is frozen until the shop
//! has acknowledged it.

mod answer;
mod claim;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    IntegrationId, StoreError, TenantId, Tx, execute, execute_many, fetch, fetch_many, inventory,
    new_id,
};
pub use answer::{
    acknowledge, begin_count, counted, doubt, doubt_numbered, finish, held, put_back, refused,
    remember,
};
pub use claim::{Attempt, Push, Times, claim, hurry, hurry_line};

/// Asks for a push to every open listing of a piece whose stock is not what the ledger says.
///
/// The piece is held first: two who change one side of the comparison each would both find the other
/// side as it was before, and neither would ask.
///
/// # Errors
/// When the database does not answer.
pub async fn ask(
    tx: &mut Tx,
    tenant: TenantId,
    inventory: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    inventory::hold(tx, tenant, inventory).await?;
    ask_held(tx, tenant, inventory, now).await
}

/// The same for a piece that this transaction has moved or holds already.
///
/// # Errors
/// When the database does not answer.
pub async fn ask_held(
    tx: &mut Tx,
    tenant: TenantId,
    inventory: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    ask_all_held(tx, tenant, &[inventory], now).await
}

/// The same for many pieces, each of them once.
///
/// # Errors
/// When the database does not answer.
pub async fn ask_all_held(
    tx: &mut Tx,
    tenant: TenantId,
    pieces: &[Uuid],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let rows = fetch_many!(
        tx,
        (Uuid, Uuid),
        "WITH moved (tenant, piece) AS (VALUES ($1, $2))
         SELECT l.id, l.integration_id
         FROM moved CROSS JOIN listings l
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE l.tenant_id = moved.tenant AND l.inventory_id = moved.piece AND l.state = 'open'
           AND v.counted AND v.quantity <> l.mirror AND l.doubted_at IS NULL",
        pieces,
        piece => [tenant, *piece]
    );
    execute_many!(
        tx,
        "INSERT INTO stock_pushes (tenant_id, id, integration_id, listing_id, status, attempts,
            due_at, created_at)
         VALUES ($1, $2, $3, $4, 'open', 0, $5, $5)
         ON CONFLICT (tenant_id, listing_id) WHERE status = 'open' DO NOTHING",
        &rows,
        (listing, integration) => [tenant, new_id(), *integration, *listing, now]
    );
    Ok(!rows.is_empty())
}

/// Which stores have a push due, and may be pushed to: where [`claim`] finds one. A push that has a number waits
/// for the plugin.
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
         WHERE i.forked_at IS NULL AND i.held_at IS NULL AND i.consumer_key IS NOT NULL
           AND i.writable AND EXISTS (SELECT 1 FROM stock_pushes p
             WHERE p.tenant_id = i.tenant_id AND p.integration_id = i.id AND p.status = 'open'
               AND p.due_at <= $1 AND (p.leased_until IS NULL OR p.leased_until <= $1)
               AND (p.push_no IS NULL OR EXISTS (SELECT 1 FROM connections c
                 WHERE c.tenant_id = i.tenant_id AND c.integration_id = i.id
                   AND c.revoked_at IS NULL)))
         LIMIT 1000",
        now,
    )
}

/// Whether a store has a push due, and may be pushed to; as [`stores_due`].
///
/// # Errors
/// When the database does not answer.
pub async fn is_due(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT p.id FROM stock_pushes p
         JOIN integrations i ON i.tenant_id = p.tenant_id AND i.id = p.integration_id
         WHERE p.tenant_id = $1 AND p.integration_id = $2 AND p.status = 'open' AND p.due_at <= $3
           AND (p.leased_until IS NULL OR p.leased_until <= $3)
           AND i.forked_at IS NULL AND i.held_at IS NULL AND i.consumer_key IS NOT NULL
           AND i.writable AND (p.push_no IS NULL OR EXISTS (SELECT 1 FROM connections c
             WHERE c.tenant_id = i.tenant_id AND c.integration_id = i.id
               AND c.revoked_at IS NULL)) LIMIT 1",
        tenant,
        integration,
        now,
    )?;
    Ok(row.is_some())
}

/// Whether a listing has a push that was sent and is not answered for.
///
/// # Errors
/// When the database does not answer.
pub async fn is_frozen(tx: &mut Tx, tenant: TenantId, listing: Uuid) -> Result<bool, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT id FROM stock_pushes
         WHERE tenant_id = $1 AND listing_id = $2 AND status = 'open' AND delta IS NOT NULL",
        tenant,
        listing,
    )?;
    Ok(row.is_some())
}

/// A push that may or may not have been added, and what keeps it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Frozen {
    held_reason: Option<String>,
    push_trouble: Option<String>,
    writable: bool,
    detail: Option<String>,
}

impl Frozen {
    /// What keeps it, in words.
    #[must_use]
    pub fn why(self) -> String {
        let key = (!self.writable).then(|| "the store's key may only read".to_owned());
        let why = self.held_reason.or(self.push_trouble).or(key).or(self.detail);
        why.unwrap_or_else(|| "it is being sent".to_owned())
    }
}

/// The push of a listing that may or may not have been added, if there is one.
///
/// # Errors
/// When the database does not answer.
pub async fn frozen(
    tx: &mut Tx,
    tenant: TenantId,
    listing: Uuid,
) -> Result<Option<Frozen>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Frozen,
        "SELECT i.held_reason, i.push_trouble, i.writable, p.detail
         FROM stock_pushes p
         JOIN integrations i ON i.tenant_id = p.tenant_id AND i.id = p.integration_id
         WHERE p.tenant_id = $1 AND p.listing_id = $2 AND p.status = 'open' AND p.delta IS NOT NULL",
        tenant,
        listing,
    )
}

/// How many listings of a store pushes bring to nothing: those that wait, those that are on their way, and those that
/// are through since `since` and have not been undone. What a person has approved is left out.
///
/// # Errors
/// When the database does not answer.
pub async fn would_empty(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    since: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(DISTINCT l.id) FROM (
             SELECT listing_id, empties AS told FROM stock_pushes
             WHERE tenant_id = $1 AND integration_id = $2 AND status = 'open' AND NOT approved
               AND (delta IS NULL OR empties)
             UNION ALL
             SELECT listing_id, empties FROM stock_pushes
             WHERE tenant_id = $1 AND integration_id = $2 AND status = 'done' AND empties
               AND NOT approved AND finished_at >= $3) p
         JOIN listings l ON l.tenant_id = $1 AND l.id = p.listing_id
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE v.quantity <= 0 AND (l.mirror > 0 OR p.told)",
        tenant,
        integration,
        since,
    )?;
    Ok(count)
}

/// A person has looked: what waits may empty what it empties, and what was emptied counts no longer.
///
/// # Errors
/// When the database does not answer.
pub async fn approve(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE stock_pushes SET approved = TRUE
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'open'",
        tenant,
        integration,
    )?;
    execute!(
        tx,
        "UPDATE stock_pushes SET approved = TRUE
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'done' AND empties
           AND NOT approved",
        tenant,
        integration,
    )
    .map(drop)
}

/// How many pushes of a store are not through, and how many of them are in hand or tried until `soon`.
///
/// # Errors
/// When the database does not answer.
pub async fn count_open(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    soon: DateTime<Utc>,
) -> Result<(i64, i64), StoreError> {
    fetch!(
        fetch_one,
        tx,
        (i64, i64),
        "SELECT COUNT(*), COUNT(CASE WHEN due_at <= $3 THEN 1 END) FROM stock_pushes
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'open'",
        tenant,
        integration,
        soon,
    )
}

/// A push that is not through.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Waiting {
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// The piece's SKU.
    pub sku: String,
    /// Why, for people, where it was tried.
    pub detail: Option<String>,
}

/// The pushes of a store that are not through, by SKU.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Waiting,
        "SELECT l.stock_id, v.sku, p.detail FROM stock_pushes p
         JOIN listings l ON l.tenant_id = p.tenant_id AND l.id = p.listing_id
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE p.tenant_id = $1 AND p.integration_id = $2 AND p.status = 'open'
         ORDER BY v.sku LIMIT $3",
        tenant,
        integration,
        limit,
    )
}
