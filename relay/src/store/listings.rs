//! Listings: one stock owner in one store, and the stock that it must have.

mod readings;
mod rivals;
mod shown;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, execute_many, fetch_locked};

pub use readings::{
    Unsettled, any_unsettled, first_reading, forget_reading, is_opening, made_sure, open,
    settle_mirror, unsettled, unsure,
};
pub use rivals::{has_rival, release, waken, waken_of};
pub use shown::{Differing, Shown, between, count_open, count_untold, forgotten, untold, why_not};

/// A listing.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Listing {
    /// Its key within the tenant.
    pub id: Uuid,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// The piece it sells, once that is decided.
    pub inventory_id: Option<Uuid>,
    /// `opening`, `open`, `unmanaged`, `waiting`, `skipped` or `missing`.
    pub state: String,
    /// The stock it must have, in thousandths, from all that the ledger knows.
    pub mirror: Option<i64>,
    /// Postings and pushes of the listing and movements of its piece so far.
    pub changes: i64,
    /// The first of two readings, in thousandths.
    pub reading: Option<i64>,
    /// `changes` when the first reading was asked for.
    pub reading_changes: Option<i64>,
    /// When the first reading was in.
    pub reading_at: Option<DateTime<Utc>>,
    /// When it was opened.
    pub opened_at: Option<DateTime<Utc>>,
    /// Since when all that it sells is no part of a count that was there before it.
    pub told_apart_at: Option<DateTime<Utc>>,
    /// Since when its mirror is doubtful: nobody can say whether a push was written.
    pub doubted_at: Option<DateTime<Utc>>,
    /// Since when only a reading can say whether some of what its lines take is in its count.
    pub unsure_at: Option<DateTime<Utc>>,
    /// Whose count holds when it opens, where a person had to say so: `ledger` or `shop`.
    pub holds: Option<String>,
}

/// The listing of a stock owner, locked until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    stock_id: i64,
) -> Result<Option<Listing>, StoreError> {
    fetch_locked!(
        fetch_optional,
        " FOR NO KEY UPDATE",
        tx,
        Listing,
        "SELECT id, stock_id, inventory_id, state, mirror,
            changes + COALESCE((SELECT v.changes FROM inventory v
                WHERE v.tenant_id = listings.tenant_id AND v.id = listings.inventory_id), 0) AS changes,
            reading, reading_changes, reading_at, opened_at, told_apart_at, doubted_at,
            unsure_at, holds
         FROM listings WHERE tenant_id = $1 AND integration_id = $2 AND stock_id = $3",
        tenant,
        integration,
        stock_id,
    )
}

/// How a listing shall stand.
#[derive(Debug)]
pub struct Standing<'a> {
    /// The piece it sells.
    pub inventory_id: Option<Uuid>,
    /// Its state.
    pub state: &'a str,
    /// Why, for people.
    pub reason: Option<&'a str>,
    /// Whether the shop sells it below zero.
    pub backorders: bool,
}

/// A new listing.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    stock_id: i64,
    standing: &Standing<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO listings (tenant_id, id, integration_id, stock_id, inventory_id, state, reason,
            backorders, changes, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $9)",
        tenant,
        super::new_id(),
        integration,
        stock_id,
        standing.inventory_id,
        standing.state,
        standing.reason,
        standing.backorders,
        now,
    )
    .map(drop)
}

/// Puts a listing into another state. Its readings are void; its mirror goes unless it stays open. What a
/// person said of its count was said of the shop as it stood, and is forgotten where it is not read now.
///
/// # Errors
/// When the database does not answer.
pub async fn restate(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    standing: &Standing<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE drifts SET status = 'void', reason = 'the listing is not open any more',
            resolved_at = $3
         WHERE tenant_id = $1 AND listing_id = $2 AND status = 'held'",
        tenant,
        id,
        now,
    )?;
    execute!(
        tx,
        "UPDATE listings SET inventory_id = $3, state = $4, reason = $5, backorders = $6,
            mirror = CASE WHEN $4 = 'open' THEN mirror END,
            reading = NULL, reading_at = NULL, reading_changes = NULL, doubted_at = NULL,
            holds = CASE WHEN $4 IN ('opening', 'open', 'waiting') THEN holds END,
            changes = changes + 1, updated_at = $7
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        standing.inventory_id,
        standing.state,
        standing.reason,
        standing.backorders,
        now,
    )
    .map(drop)
}

/// Follows the shop's backorder setting.
///
/// # Errors
/// When the database does not answer.
pub async fn set_backorders(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    backorders: bool,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE listings SET backorders = $3 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        backorders,
    )
    .map(drop)
}

/// Counts something that makes a reading in progress void, and moves the mirror by `mirror_change`.
///
/// # Errors
/// When the database does not answer.
pub async fn moved(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    mirror_change: i64,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE listings SET changes = changes + 1, mirror = mirror + $3
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        mirror_change,
    )
    .map(drop)
}

/// The same for many listings, each with the change of its mirror.
///
/// # Errors
/// When the database does not answer.
pub async fn moved_all(
    tx: &mut Tx,
    tenant: TenantId,
    changes: &BTreeMap<Uuid, i64>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = changes.iter().collect();
    execute_many!(
        tx,
        "UPDATE listings SET changes = changes + 1, mirror = mirror + v.column3
         FROM (VALUES ($1, $2, $3)) AS v WHERE tenant_id = v.column1 AND id = v.column2",
        &rows,
        (id, change) => [tenant, **id, **change]
    );
    Ok(())
}

impl Listing {
    /// Whether its stock is being read: it is new, not what it should be, or doubtful.
    #[must_use]
    pub fn is_read(&self) -> bool {
        let open = self.state == "open";
        let doubtful = self.doubted_at.is_some() || self.unsure_at.is_some();
        self.state == "opening" || (open && (self.reading.is_some() || doubtful))
    }

    /// Whether what it sells while it is not open is posted when it opens, where the ledger's count holds.
    #[must_use]
    pub fn posts_meanwhile(&self) -> bool {
        self.opened_at.is_some() || self.told_apart_at.is_some()
    }
}

/// Has every open listing of a store read anew, as if it were new: the shop's database is not the one
/// that the mirrors were kept for. Pushes that were frozen for that one are void, and numbers begin
/// anew.
///
/// # Errors
/// When the database does not answer.
pub async fn begin_anew(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE drifts SET status = 'void', reason = 'the shop has another database now',
            resolved_at = $3
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'held'",
        tenant,
        integration,
        now,
    )?;
    execute!(
        tx,
        "UPDATE stock_pushes SET status = 'void', detail = 'the shop has another database now',
            finished_at = $3, leased_until = NULL
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'open'",
        tenant,
        integration,
        now,
    )?;
    execute!(
        tx,
        "UPDATE listings SET state = CASE WHEN state = 'open' THEN 'opening' ELSE state END,
            mirror = NULL, reading = NULL, reading_at = NULL, reading_changes = NULL, push_no = 0,
            holds = NULL, doubted_at = NULL,
            changes = changes + 1, updated_at = $3
         WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
        now,
    )
    .map(drop)
}

/// Unlinks all that a store lists, for good: whether its stock owners are those that were known by these ids, nobody can
/// say. What is seen there again is looked at as if it were new; nothing is counted or posted of it before.
///
/// # Errors
/// When the database does not answer.
pub async fn unlink(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE sale_items SET unsure = 0
         WHERE tenant_id = $1 AND integration_id = $2 AND unsure <> 0",
        tenant,
        integration,
    )?;
    execute!(
        tx,
        "UPDATE listings SET state = 'missing', reason = $3, inventory_id = NULL, holds = NULL,
            opened_at = NULL, told_apart_at = NULL, unsure_at = NULL,
            changes = changes + 1, updated_at = $4
         WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
        NOT_SEEN,
        now,
    )
    .map(drop)
}

/// Why a listing is missing that nobody has seen in the shop of now.
const NOT_SEEN: &str = "it was not seen since the shop was connected as a new one";
