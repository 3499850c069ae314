//! Posting: what each line still owes its stock becomes movements.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{ApplyError, Source, listing};
use crate::{
    domain::Quantity,
    store::{
        StoreError, TenantId, Tx, conflicts,
        listings::{self, Listing},
        movements::{self, Movement, Posted},
        pushes, sale_items,
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

/// What lines have posted that is not written yet: many orders of one push write each piece once.
///
/// The store's lock is held from before the first to after the writing, so that nobody else changes a listing of
/// the store meanwhile; whatever in the same transaction reads or changes stock writes them first.
#[derive(Debug, Default)]
pub struct Postings {
    movements: Vec<Movement<'static>>,
    moved: BTreeMap<Uuid, i64>,
    listings: BTreeMap<i64, Listing>,
}

impl Postings {
    /// Posts what a line owes to the stock it draws on, and gives what is accounted for now. Where the stock has no
    /// listing yet, its product is asked for.
    pub(super) async fn post(
        &mut self,
        tx: &mut Tx,
        source: &Source,
        stock_id: i64,
        owed: Owed,
    ) -> Result<i64, ApplyError> {
        let listing = match self.listings.get(&stock_id) {
            Some(listing) => listing.clone(),
            None => match listing::ensure_known(tx, source, stock_id).await? {
                Some(listing) => self.listings.entry(stock_id).or_insert(listing).clone(),
                None => return Ok(owed.posted),
            },
        };
        post_line(self, source, &listing, owed)
    }

    fn moved(&mut self, listing: Uuid, change: i64) {
        *self.moved.entry(listing).or_default() += change;
    }

    /// Writes all of it, and forgets what was read.
    ///
    /// # Errors
    /// When the database does not answer, or refuses a number.
    pub async fn write(
        &mut self,
        tx: &mut Tx,
        tenant: TenantId,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Self { movements, moved, listings: _ } = mem::take(self);
        let posted = movements::post_all(tx, tenant, &movements, now).await?;
        listings::moved_all(tx, tenant, &moved).await?;
        let pieces: BTreeSet<Uuid> =
            movements.iter().map(|movement| movement.inventory_id).collect();
        let pieces: Vec<Uuid> = pieces.into_iter().collect();
        pushes::ask_all_held(tx, tenant, &pieces, now).await?;
        for (movement, posted) in movements.iter().zip(&posted) {
            note_oversale(tx, tenant, movement, posted, now).await?;
        }
        Ok(())
    }
}

/// Posts what a line owes to the listing it draws on, and gives what is accounted for now.
///
/// Nothing is posted while the listing is not open; its opening takes the line as it stands then. What
/// was heard of before the opening, but could be read only after it, is in the count already, so it is
/// taken as it stands too.
fn post_line(
    postings: &mut Postings,
    source: &Source,
    listing: &Listing,
    owed: Owed,
) -> Result<i64, ApplyError> {
    let (Some(inventory_id), "open") = (listing.inventory_id, listing.state.as_str()) else {
        if owed.news {
            postings.moved(listing.id, 0);
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
        postings.moved(listing.id, 0);
        return Ok(owed.desired);
    }
    let change = -delta.thousandths();
    postings.movements.push(Movement {
        inventory_id,
        kind: if change < 0 { "sale" } else { "return" },
        change,
        integration_id: Some(source.integration),
        sale_id: Some(owed.sale_id),
        line_id: Some(owed.line_id),
        event_id: source.event,
        ..Movement::default()
    });
    postings.moved(listing.id, change);
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
    let mut postings = Postings::default();
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
        let posted = post_line(&mut postings, source, &listing, owed)?;
        if posted != line.posted {
            sale_items::set_posted(tx, tenant, line.sale_id, line.line_id, posted).await?;
        }
    }
    Ok(postings.write(tx, tenant, source.now).await?)
}
