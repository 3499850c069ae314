//! Posting: what each line still owes its stock becomes movements.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{ApplyError, Source, Unwritten};
use crate::{
    domain::Quantity,
    store::{
        StoreError, TenantId, Tx, conflicts,
        listings::{self, Listing},
        movements::{Movement, Posted},
        sale_items,
    },
};

/// What a line wants, and what it has posted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owed {
    /// The line's sale.
    pub sale_id: Uuid,
    /// The line.
    pub line_id: i64,
    /// Units that have left the shop's stock, in thousandths.
    pub desired: i64,
    /// Units accounted for.
    pub posted: i64,
    /// Since when this may have been known without being in the ledger.
    pub heard_at: DateTime<Utc>,
    /// Whether this is news: the same representation applied once more must not make a reading void.
    pub news: bool,
}

/// Posts what a line owes to the listing it draws on, and gives what is accounted for now.
///
/// Nothing is posted while the listing is not open; its opening takes the line as it stands then. What
/// was heard of before the opening, but could be read only after it, is taken to be in the count already;
/// whether it is, a reading has to say: it may have left the stock after the count as well.
pub(super) fn post_line(
    unwritten: &mut Unwritten,
    source: &Source,
    listing: &Listing,
    owed: Owed,
) -> Result<i64, ApplyError> {
    let (Some(inventory_id), "open") = (listing.inventory_id, listing.state.as_str()) else {
        if owed.news {
            unwritten.moved(listing.id, 0);
        }
        return Ok(owed.posted);
    };
    let delta = Quantity::from_thousandths(owed.desired)
        .checked_sub(Quantity::from_thousandths(owed.posted))
        .map_err(|error| ApplyError::Range(error.to_string()))?;
    if delta.is_zero() {
        return Ok(owed.posted);
    }
    if listing.opened_at.is_some_and(|opened| owed.heard_at < opened) {
        unwritten.moved(listing.id, 0);
        unwritten.unsure(listing.id, owed.sale_id, owed.line_id, delta.thousandths());
        return Ok(owed.desired);
    }
    let change = -delta.thousandths();
    unwritten.movements.push(Movement {
        inventory_id,
        kind: if change < 0 { "sale" } else { "return" },
        change,
        integration_id: Some(source.integration),
        sale_id: Some(owed.sale_id),
        line_id: Some(owed.line_id),
        event_id: source.event,
        ..Movement::default()
    });
    unwritten.moved(listing.id, change);
    Ok(owed.desired)
}

/// Units that left a piece which had none, and may not be sold without: for a person to look at.
///
/// # Errors
/// When the database does not answer.
pub(in crate::service) async fn note_oversale(
    tx: &mut Tx,
    tenant: TenantId,
    movement: &Movement<'_>,
    posted: &Posted,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if movement.change >= 0 || posted.quantity >= 0 || posted.backorders {
        return Ok(());
    }
    let conflict = conflicts::Conflict {
        kind: "oversale",
        inventory_id: Some(movement.inventory_id),
        sale_id: movement.sale_id,
        line_id: movement.line_id,
        quantity: posted.quantity,
    };
    conflicts::record(tx, tenant, &conflict, now).await
}

/// Posts all that a stock owner's lines owe, after their owner became known.
///
/// # Errors
/// See [`ApplyError`].
pub async fn settle_stock(tx: &mut Tx, source: &Source, stock_id: i64) -> Result<(), ApplyError> {
    let (tenant, integration) = (source.tenant, source.integration);
    let Some(listing) = listings::lock(tx, tenant, integration, stock_id).await? else {
        return Ok(());
    };
    let mut unwritten = Unwritten::default();
    for line in sale_items::unposted(tx, tenant, integration, stock_id).await? {
        let owed = Owed {
            sale_id: line.sale_id,
            line_id: line.line_id,
            desired: line.desired,
            posted: line.posted,
            // A sale that was known when the listing opened, but not whose stock it drew on, is in
            // the count.
            heard_at: line.created_at,
            news: true,
        };
        let posted = post_line(&mut unwritten, source, &listing, owed)?;
        if posted != line.posted {
            sale_items::set_posted(tx, tenant, line.sale_id, line.line_id, posted).await?;
        }
    }
    Ok(unwritten.write(tx, source).await?)
}
