//! Takes pushes in hand: what one adds is decided here, and frozen.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    super::{
        IntegrationId, StoreError, TenantId, Tx, conflicts, execute, fetch, fetch_locked, inventory,
    },
    doubt, finish,
};

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
    /// The number of this claim.
    pub claim: i64,
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
    claims: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Target {
    stock_id: i64,
    parent_id: Option<i64>,
    state: String,
    push_no: i64,
    mirror: Option<i64>,
    doubted_at: Option<DateTime<Utc>>,
    quantity: Option<i64>,
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
            p.attempts, p.claims
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
    // Pieces are locked one after the other, by two claims in the same order. Orders lock them in another:
    // who meets one of those begins anew.
    due.sort_unstable_by_key(|push| push.inventory_id);
    let mut pushes = Vec::with_capacity(due.len());
    for push in due {
        if let Some(push) = freeze(tx, tenant, push, numbered, times).await? {
            pushes.push(push);
        }
    }
    Ok(pushes)
}

/// Lets the pushes of the stock that an order's line draws on go at once.
///
/// # Errors
/// When the database does not answer.
pub async fn hurry_line(
    tx: &mut Tx,
    tenant: TenantId,
    sale: Uuid,
    line_id: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE stock_pushes SET due_at = $4, detail = NULL
         WHERE tenant_id = $1 AND status = 'open' AND delta IS NULL
           AND listing_id IN (SELECT l.id FROM sale_items i
             JOIN listings l ON l.tenant_id = i.tenant_id AND l.integration_id = i.integration_id
               AND l.stock_id = i.stock_id
             WHERE i.tenant_id = $1 AND i.sale_id = $2 AND i.line_id = $3)",
        tenant,
        sale,
        line_id,
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
    // and sees how this push ended. A listing that has let go of its piece is told what was frozen for it.
    inventory::hold_listed(tx, tenant, push.listing_id).await?;
    let target = fetch!(
        fetch_one,
        tx,
        Target,
        "SELECT l.stock_id, p.parent_id, l.state, l.push_no, l.mirror, l.doubted_at, v.quantity
         FROM listings l
         LEFT JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         LEFT JOIN products p ON p.tenant_id = l.tenant_id AND p.integration_id = l.integration_id
           AND p.remote_id = l.stock_id
         WHERE l.tenant_id = $1 AND l.id = $2",
        tenant,
        push.listing_id,
    )?;
    let wanted = match (push.delta, target.quantity.zip(target.mirror)) {
        (Some(delta), _) => Some(delta),
        (None, Some((quantity, mirror)))
            if target.state == "open" && target.doubted_at.is_none() =>
        {
            Some(quantity - mirror).filter(|delta| *delta != 0)
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
    let empties = push.delta.is_none()
        && target.mirror > Some(0)
        && target.quantity.is_some_and(|units| units <= 0);
    let claim = push.claims + 1;
    execute!(
        tx,
        "UPDATE stock_pushes SET push_no = $3, delta = $4, leased_until = $5, claims = $6,
            empties = empties OR $7
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        push.id,
        push_no,
        delta,
        until,
        claim,
        empties,
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
        claim,
    }))
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
