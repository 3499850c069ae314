//! Stock pushes: what a shop's stock has still to be told, one open push a listing.
//!
//! A push is only asked for in the transaction that moves a piece. What it adds is decided when it is
//! first sent, so that all moves until then travel together; from then on it is frozen until the shop
//! has acknowledged it.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    IntegrationId, StoreError, TenantId, Tx, conflicts, execute, fetch, fetch_locked, inventory,
    new_id,
};

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
    let rows = fetch!(
        fetch_all,
        tx,
        (Uuid, Uuid),
        "SELECT l.id, l.integration_id
         FROM listings l
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE l.tenant_id = $1 AND l.inventory_id = $2 AND l.state = 'open' AND v.counted
           AND v.quantity <> l.mirror AND l.doubted_at IS NULL",
        tenant,
        inventory,
    )?;
    for (listing, integration) in &rows {
        execute!(
            tx,
            "INSERT INTO stock_pushes (tenant_id, id, integration_id, listing_id, status, attempts,
                due_at, created_at)
             VALUES ($1, $2, $3, $4, 'open', 0, $5, $5)
             ON CONFLICT (tenant_id, listing_id) WHERE status = 'open' DO NOTHING",
            tenant,
            new_id(),
            *integration,
            *listing,
            now,
        )?;
    }
    Ok(!rows.is_empty())
}

/// When a push that waits for a person is looked at again.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(60);

/// The moments that matter to a claim.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Now.
    pub now: DateTime<Utc>,
    /// How long the claim holds.
    pub until: DateTime<Utc>,
    /// A paid line that was never reduced holds its stock's pushes if it was noticed before this. A
    /// younger one may be a checkout that was read in the middle.
    pub held_since: DateTime<Utc>,
}

/// A push in hand, frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Its identity for ever.
    pub id: Uuid,
    /// The listing.
    pub listing_id: Uuid,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// Its parent, if it is a variation.
    pub parent_id: Option<i64>,
    /// Its place among the listing's pushes through the plugin; nothing without the plugin.
    pub push_no: Option<i64>,
    /// What to add, in thousandths.
    pub delta: i64,
    /// What an earlier try without the plugin may have written.
    pub attempt: Option<Attempt>,
    /// Failures in a row.
    pub attempts: i64,
}

/// A stock that was read and then written, or nearly; both in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// What was read.
    pub reading: i64,
    /// What was to be written.
    pub target: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Due {
    id: Uuid,
    listing_id: Uuid,
    inventory_id: Option<Uuid>,
    push_no: Option<i64>,
    delta: Option<i64>,
    reading: Option<i64>,
    target: Option<i64>,
    attempts: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Target {
    stock_id: i64,
    parent_id: Option<i64>,
    state: String,
    push_no: i64,
    mirror: Option<i64>,
    doubted_at: Option<DateTime<Utc>>,
    quantity: i64,
}

/// Which stores have a push due, and may be pushed to.
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
        "SELECT DISTINCT p.tenant_id, p.integration_id FROM stock_pushes p
         JOIN integrations i ON i.tenant_id = p.tenant_id AND i.id = p.integration_id
         WHERE p.status = 'open' AND p.due_at <= $1
           AND (p.leased_until IS NULL OR p.leased_until <= $1)
           AND i.forked_at IS NULL AND i.held_at IS NULL AND i.consumer_key IS NOT NULL
           AND i.writable LIMIT 1000",
        now,
    )
}

/// Whether a store has a push due, and may be pushed to.
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
           AND i.writable LIMIT 1",
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

/// Ends a push that the shop has refused for good; its number goes to the next.
///
/// # Errors
/// When the database does not answer.
pub async fn refused(
    tx: &mut Tx,
    tenant: TenantId,
    push: &Push,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if finish(tx, tenant, push.id, "void", Some(reason), now).await? {
        execute!(
            tx,
            "UPDATE listings SET push_no = push_no - 1
             WHERE tenant_id = $1 AND id = $2 AND push_no = $3",
            tenant,
            push.listing_id,
            push.push_no,
        )?;
    }
    Ok(())
}

/// How many listings of a store the pushes that wait would bring to nothing, those that a person has
/// approved left out.
///
/// # Errors
/// When the database does not answer.
pub async fn would_empty(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM stock_pushes p
         JOIN listings l ON l.tenant_id = p.tenant_id AND l.id = p.listing_id
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE p.tenant_id = $1 AND p.integration_id = $2 AND p.status = 'open'
           AND p.delta IS NULL AND NOT p.approved AND l.mirror > 0 AND v.quantity <= 0",
        tenant,
        integration,
    )?;
    Ok(count)
}

/// A person has looked: what waits may empty what it empties.
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
    )
    .map(drop)
}

/// How many pushes of a store are not through.
///
/// # Errors
/// When the database does not answer.
pub async fn count_open(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM stock_pushes
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'open'",
        tenant,
        integration,
    )?;
    Ok(count)
}

/// Claims up to `limit` pushes of a store until `until`, and freezes those that were never sent. The
/// caller holds the store's lock. A push that has become superfluous ends here. `numbered` says whether
/// they go through the plugin; one that has a number goes no other way.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    numbered: bool,
    limit: i64,
    times: Times,
) -> Result<Vec<Push>, StoreError> {
    let mut due = fetch_locked!(
        fetch_all,
        " FOR NO KEY UPDATE OF p SKIP LOCKED",
        tx,
        Due,
        "SELECT p.id, p.listing_id, l.inventory_id, p.push_no, p.delta, p.reading, p.target,
            p.attempts
         FROM stock_pushes p JOIN listings l ON l.tenant_id = p.tenant_id AND l.id = p.listing_id
         WHERE p.tenant_id = $1 AND p.integration_id = $2 AND p.status = 'open' AND p.due_at <= $3
           AND (p.leased_until IS NULL OR p.leased_until <= $3) AND ($5 OR p.push_no IS NULL)
         ORDER BY p.due_at, p.id LIMIT $4",
        tenant,
        integration,
        times.now,
        limit,
        numbered,
    )?;
    // Pieces are locked one after the other; everybody who locks several does so in this order.
    due.sort_unstable_by_key(|push| push.inventory_id);
    let mut pushes = Vec::with_capacity(due.len());
    for push in due {
        if let Some(push) = freeze(tx, tenant, push, numbered, times).await? {
            pushes.push(push);
        }
    }
    Ok(pushes)
}

async fn postpone(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    due_at: DateTime<Utc>,
    reason: &str,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE stock_pushes SET due_at = $3, detail = $4 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        due_at,
        reason,
    )
    .map(drop)
}

/// Lets a listing's push that waited for a person go at once.
///
/// # Errors
/// When the database does not answer.
pub async fn hurry(
    tx: &mut Tx,
    tenant: TenantId,
    listing: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE stock_pushes SET due_at = $3, detail = NULL
         WHERE tenant_id = $1 AND listing_id = $2 AND status = 'open' AND delta IS NULL",
        tenant,
        listing,
        now,
    )
    .map(drop)
}

async fn freeze(
    tx: &mut Tx,
    tenant: TenantId,
    push: Due,
    numbered: bool,
    Times { now, until, held_since }: Times,
) -> Result<Option<Push>, StoreError> {
    let attempt = push.reading.zip(push.target);
    let attempt = attempt.map(|(reading, target)| Attempt { reading, target });
    if numbered && attempt.is_some() {
        doubt(tx, tenant, push.id, push.listing_id, now).await?;
        return Ok(None);
    }
    let untold = push.delta.is_none() && attempt.is_none();
    if untold && conflicts::holds(tx, tenant, push.listing_id, held_since).await? {
        let reason = "a paid order's units never left the shop's stock: a person decides first";
        postpone(tx, tenant, push.id, now + LOOK_AGAIN, reason).await?;
        return Ok(None);
    }
    // The piece is held: whoever moves it either is through, and this push tells of it, or comes after,
    // and sees how this push ended.
    let target = fetch_locked!(
        fetch_one,
        " FOR NO KEY UPDATE OF v",
        tx,
        Target,
        "SELECT l.stock_id, p.parent_id, l.state, l.push_no, l.mirror, l.doubted_at, v.quantity
         FROM listings l JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         LEFT JOIN products p ON p.tenant_id = l.tenant_id AND p.integration_id = l.integration_id
           AND p.remote_id = l.stock_id
         WHERE l.tenant_id = $1 AND l.id = $2",
        tenant,
        push.listing_id,
    )?;
    let wanted = match (push.delta, target.mirror) {
        (Some(delta), _) => Some(delta),
        (None, Some(mirror)) if target.state == "open" && target.doubted_at.is_none() => {
            Some(target.quantity - mirror).filter(|delta| *delta != 0)
        }
        _ => None,
    };
    let Some(delta) = wanted else {
        finish(tx, tenant, push.id, "void", Some("nothing was left to tell"), now).await?;
        return Ok(None);
    };
    let push_no = push.push_no.or_else(|| numbered.then_some(target.push_no + 1));
    if push.delta.is_none() || push.push_no != push_no {
        execute!(
            tx,
            "UPDATE listings SET push_no = COALESCE($3, push_no), changes = changes + 1
             WHERE tenant_id = $1 AND id = $2",
            tenant,
            push.listing_id,
            push_no,
        )?;
    }
    execute!(
        tx,
        "UPDATE stock_pushes SET push_no = $3, delta = $4, leased_until = $5
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        push.id,
        push_no,
        delta,
        until,
    )?;
    Ok(Some(Push {
        id: push.id,
        listing_id: push.listing_id,
        stock_id: target.stock_id,
        parent_id: target.parent_id,
        push_no,
        delta,
        attempt,
        attempts: push.attempts,
    }))
}

/// Remembers what is about to be written without the plugin.
///
/// # Errors
/// When the database does not answer.
pub async fn remember(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    attempt: Attempt,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE stock_pushes SET reading = $3, target = $4
         WHERE tenant_id = $1 AND id = $2 AND status = 'open'",
        tenant,
        id,
        attempt.reading,
        attempt.target,
    )
    .map(drop)
}

/// Why a listing is pushed nothing more for now.
const DOUBT: &str = "the shop's stock moved while it was written: it is read until it is sure, nothing is pushed before";

/// Ends a push of which nobody can say whether it was written. Its listing is pushed nothing more until
/// a settled reading says what the shop has.
///
/// # Errors
/// When the database does not answer.
pub async fn doubt(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    listing: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    finish(tx, tenant, id, "void", Some(DOUBT), now).await?;
    execute!(
        tx,
        "UPDATE listings SET doubted_at = $3, reason = $4, reading = NULL, reading_at = NULL,
            reading_changes = NULL, changes = changes + 1
         WHERE tenant_id = $1 AND id = $2 AND state = 'open'",
        tenant,
        listing,
        now,
        DOUBT,
    )
    .map(drop)
}

/// Doubts every push that only the plugin could have spoken of, now that it is gone.
///
/// # Errors
/// When the database does not answer.
pub async fn doubt_numbered(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let numbered = fetch!(
        fetch_all,
        tx,
        (Uuid, Uuid),
        "SELECT id, listing_id FROM stock_pushes
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'open' AND push_no IS NOT NULL",
        tenant,
        integration,
    )?;
    for (id, listing) in numbered {
        doubt(tx, tenant, id, listing, now).await?;
    }
    Ok(())
}

/// The shop has it: the mirror follows.
///
/// The piece is held before the push ends. Somebody who moves it meanwhile has compared its quantity with
/// the mirror of before and found nothing to ask for, or found this push still open.
///
/// # Errors
/// When the database does not answer.
pub async fn acknowledge(
    tx: &mut Tx,
    tenant: TenantId,
    push: &Push,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, StoreError> {
    inventory::hold_listed(tx, tenant, push.listing_id).await?;
    if !finish(tx, tenant, push.id, "done", None, now).await? {
        return Ok(None);
    }
    let row = fetch!(
        fetch_optional,
        tx,
        (Option<Uuid>,),
        "UPDATE listings SET mirror = mirror + $3, changes = changes + 1
         WHERE tenant_id = $1 AND id = $2 RETURNING inventory_id",
        tenant,
        push.listing_id,
        push.delta,
    )?;
    Ok(row.and_then(|(inventory,)| inventory))
}

/// Ends a push; `false` when it had ended before.
///
/// # Errors
/// When the database does not answer.
pub async fn finish(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    status: &str,
    detail: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let ended = execute!(
        tx,
        "UPDATE stock_pushes SET status = $3, detail = $4, finished_at = $5, leased_until = NULL
         WHERE tenant_id = $1 AND id = $2 AND status = 'open'",
        tenant,
        id,
        status,
        detail,
        now,
    )?;
    Ok(ended == 1)
}

/// Puts a push back, frozen as it is, to be sent again at `at`.
///
/// # Errors
/// When the database does not answer.
pub async fn put_back(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    at: DateTime<Utc>,
    detail: &str,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE stock_pushes SET due_at = $3, leased_until = NULL, attempts = attempts + 1,
            detail = $4
         WHERE tenant_id = $1 AND id = $2 AND status = 'open'",
        tenant,
        id,
        at,
        detail,
    )
    .map(drop)
}
