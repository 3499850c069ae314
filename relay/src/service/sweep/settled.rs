//! Settled readings: a stock is believed when it reads the same twice, some time apart, and nothing can
//! have moved it in between that the ledger does not know of.
//!
//! A new listing opens at one; an open listing whose stock is not what it should be has drifted by one.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use nexpura_protocol::event::Resource;
use serde_json::Value;

use super::{Cursor, LEASE, Next, Stage, StepError, Sweep};
use crate::{
    service::{fetch::apply_answer, ledger::Source, stock_reading},
    store::{
        self, StoreError, Tx, drifts,
        integrations::{self, Integration},
        inventory, links,
        listings::{self, Unsettled},
        pushes, resources, runs, spools,
    },
};

/// Stocks read in one step.
const AT_ONCE: i64 = 100;
/// A spool that was silent for longer than this is not live: four missed heartbeats.
const LIVE: TimeDelta = TimeDelta::minutes(2);
/// The shortest wait before a reading is tried again.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Why a drift that was held is over.
const AGREES: &str = "the shop was read again, and has what the ledger expects";

/// What the shop says a stock is, and what was known of the listing before it was asked.
struct Reading {
    stock_id: i64,
    /// In thousandths.
    quantity: i64,
    changes: i64,
    asked_at: DateTime<Utc>,
}

impl Sweep<'_> {
    /// Reads the new listings that no page has shown.
    pub(super) async fn first_reading(&self, cursor: &Cursor) -> Result<Next, StepError> {
        let unsettled = self.unsettled(cursor.after).await?;
        let Some(last) = unsettled.last().map(|listing| listing.stock_id) else {
            return Ok(Next::Go(cursor.enter(Stage::Orders)));
        };
        let unread: Vec<_> = unsettled.into_iter().filter(|listing| !listing.read).collect();
        self.read_and_take(&unread, None).await?;
        Ok(Next::Go(Cursor { after: last, ..cursor.clone() }))
    }

    /// Reads all that has a first reading again, and decides what is settled.
    pub(super) async fn second_reading(&self, cursor: &Cursor) -> Result<Next, StepError> {
        if cursor.after == 0 {
            self.tell_apart().await?;
        }
        let unsettled = self.unsettled(cursor.after).await?;
        if let Some(last) = unsettled.last().map(|listing| listing.stock_id) {
            self.read_and_take(&unsettled, cursor.orders_from).await?;
            return Ok(Next::Go(Cursor { after: last, ..cursor.clone() }));
        }
        self.decide(cursor).await?;
        let mut tx = self.relay.db.read().await?;
        let next = self.reading_goes_on(&mut tx, cursor).await?;
        tx.commit().await?;
        Ok(next.unwrap_or_else(|| Next::Done(cursor.clone())))
    }

    /// Listings that are new since, or were not settled yet, get their next reading.
    pub(super) async fn reading_goes_on(
        &self,
        tx: &mut Tx,
        cursor: &Cursor,
    ) -> Result<Option<Next>, StoreError> {
        let reads = cursor.stage == Stage::SecondReading;
        if !reads || !listings::any_unsettled(tx, self.tenant, self.store.id).await? {
            return Ok(None);
        }
        // A stock that does not settle keeps nothing else from being swept.
        let lasted = cursor.began.and_then(|began| (store::now() - began).to_std().ok());
        if lasted.is_some_and(|lasted| lasted >= self.relay.config.sweep_every()) {
            return Ok(None);
        }
        let again = Cursor { everything: false, ..cursor.enter(Stage::FirstReading) };
        Ok(Some(Next::Wait(again, self.between_readings())))
    }

    /// How long a first reading is left alone before the second.
    pub(super) fn between_readings(&self) -> Duration {
        self.relay.config.settle().max(SHORTEST_WAIT)
    }

    async fn unsettled(&self, after: i64) -> Result<Vec<Unsettled>, StoreError> {
        let mut tx = self.relay.db.read().await?;
        let (tenant, id) = (self.tenant, self.store.id);
        let unsettled = listings::unsettled(&mut tx, tenant, id, after, AT_ONCE).await?;
        tx.commit().await?;
        Ok(unsettled)
    }

    async fn read_and_take(
        &self,
        unsettled: &[Unsettled],
        orders_from: Option<DateTime<Utc>>,
    ) -> Result<(), StepError> {
        // One parent's at a time: the shorter a reading is, the less moves meanwhile.
        let mut by_parent: BTreeMap<Option<i64>, Vec<&Unsettled>> = BTreeMap::new();
        for listing in unsettled {
            by_parent.entry(listing.parent_id).or_default().push(listing);
        }
        for (parent, listings) in by_parent {
            let asked_at = store::now();
            let stocks = listings.iter().map(|listing| (listing.stock_id, parent));
            let mut shown = stock_reading::read(&self.client, stocks).await?;
            let mut read = Vec::with_capacity(listings.len());
            for listing in listings {
                read.push((listing, shown.remove(&listing.stock_id).flatten()));
            }
            self.take(read, asked_at, orders_from).await?;
        }
        Ok(())
    }

    async fn take(
        &self,
        read: Vec<(&Unsettled, Option<Value>)>,
        asked_at: DateTime<Utc>,
        orders_from: Option<DateTime<Utc>>,
    ) -> Result<(), StepError> {
        let now = store::now();
        let mut tx = self.relay.db.write().await?;
        let store = integrations::lock(&mut tx, self.tenant, self.store.id).await?;
        let store = store.filter(Integration::has_key).ok_or(StepError::Disconnected)?;
        let halted = store.forked_at.is_some();
        if !runs::renew(&mut tx, self.tenant, self.run.held(), now + LEASE).await? {
            return Err(StepError::Lost);
        }
        for (listing, item) in read.into_iter().filter(|_| !halted) {
            let (stock_id, changes) = (listing.stock_id, listing.changes);
            match item.as_ref().and_then(stock_reading::units) {
                Some(quantity) => {
                    let reading = Reading { stock_id, quantity, changes, asked_at };
                    self.settle(&mut tx, &reading, orders_from, now).await?;
                }
                // Deleted, or not managed any more: the product itself says which.
                None => self.product_changed(&mut tx, stock_id, item, now).await?,
            }
        }
        Ok(tx.commit().await?)
    }

    /// Takes a reading as the first, or believes it if it confirms the first.
    async fn settle(
        &self,
        tx: &mut Tx,
        reading: &Reading,
        orders_from: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (tenant, integration) = (self.tenant, self.store.id);
        let listing = listings::lock(tx, tenant, integration, reading.stock_id).await?;
        let Some(mut listing) = listing else { return Ok(()) };
        // A drift that waits for a person is looked at again once something has moved.
        let held = drifts::reading_held(tx, tenant, listing.id).await?.is_some();
        let read = listing.is_read() || held && listing.state == "open";
        if !read {
            return Ok(());
        }
        if let (Some("shop"), Some(piece)) = (listing.holds.as_deref(), listing.inventory_id) {
            // What another store posts to the piece from here on waits, and what it has posted is counted.
            inventory::lock_quantity(tx, tenant, piece).await?;
            let again = listings::lock(tx, tenant, integration, reading.stock_id).await?;
            listing = again.unwrap_or(listing);
        }
        // A push that may or may not have been added: the reading says nothing until it is answered for.
        if pushes::is_frozen(tx, tenant, listing.id).await? {
            return Ok(());
        }
        let doubted = listing.doubted_at.is_some();
        let unsure = listing.unsure_at.is_some();
        let agrees = listing.mirror == Some(reading.quantity);
        if listing.state == "open" && !doubted && !unsure && agrees && !held {
            return listings::forget_reading(tx, tenant, listing.id).await;
        }
        let first = listing.reading.zip(listing.reading_changes).zip(listing.reading_at);
        let confirmed = first.filter(|((quantity, changes), _)| {
            *quantity == reading.quantity
                && *changes == listing.changes
                && reading.changes == listing.changes
        });
        let Some((_, first_at)) = confirmed else {
            let (quantity, changes) = (reading.quantity, reading.changes);
            return listings::first_reading(tx, tenant, listing.id, quantity, changes, now).await;
        };
        let settle = TimeDelta::from_std(self.relay.config.settle()).unwrap_or(TimeDelta::MAX);
        let apart = reading.asked_at >= first_at + settle;
        let orders_fetched = orders_from.is_some_and(|from| from >= first_at)
            && resources::orders_wanted(tx, tenant, integration).await? == 0;
        let quiet = spools::restless(tx, tenant, integration, now - LIVE, first_at).await? == 0;
        if !(apart && orders_fetched && quiet) {
            return Ok(());
        }
        match (listing.state.as_str(), listing.mirror) {
            // What the shop has may lack an order that is known of and could not be read.
            ("open", _)
                if (doubted || unsure)
                    && resources::orders_unread(tx, tenant, integration).await? > 0 =>
            {
                Ok(())
            }
            ("open", Some(mirror)) if unsure => {
                self.make_sure(tx, &listing, mirror, reading.quantity, now).await?;
                // What is left of a difference is somebody's edit, or a push that nobody knows of: it is read again.
                Ok(())
            }
            // Nobody edited it: it was not known whether a push was written, and now it is.
            ("open", _) if doubted => self.settle_mirror(tx, &listing, reading.quantity, now).await,
            ("open", Some(_)) if agrees => {
                drifts::void(tx, tenant, listing.id, AGREES, now).await?;
                listings::forget_reading(tx, tenant, listing.id).await
            }
            ("open", Some(mirror)) => {
                let listing_changes = listing.changes;
                let seen = drifts::Seen { mirror, reading: reading.quantity, listing_changes };
                drifts::hold(tx, tenant, integration, listing.id, seen, now).await?;
                listings::forget_reading(tx, tenant, listing.id).await
            }
            _ => {
                // What it has sold meanwhile is in the reading and posted by order: one that is known of and
                // could not be read would be given back.
                let posts = listing.posts_meanwhile() && listing.holds.as_deref() != Some("shop");
                if posts && resources::orders_unread(tx, tenant, integration).await? > 0 {
                    return Ok(());
                }
                // The number that was read may be older or newer than what has just been heard of.
                if resources::orders_unread_since(tx, tenant, integration, first_at).await? > 0 {
                    let (quantity, changes) = (reading.quantity, listing.changes);
                    return listings::first_reading(tx, tenant, listing.id, quantity, changes, now)
                        .await;
                }
                self.open(tx, &listing, reading.quantity, now).await
            }
        }
    }

    /// Notes what a page shows of a stock: the first reading of a new listing, or of one that is not
    /// what it should be.
    pub(super) async fn note_reading(
        &self,
        tx: &mut Tx,
        stock_id: i64,
        quantity: i64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (tenant, integration) = (self.tenant, self.store.id);
        let Some(listing) = listings::lock(tx, tenant, integration, stock_id).await? else {
            return Ok(());
        };
        if listing.state == "waiting" {
            return links::seen(tx, tenant, integration, stock_id, quantity, now).await;
        }
        let doubtful = match listing.state.as_str() {
            "opening" => listing.reading.is_none(),
            "open" if listing.doubted_at.is_some() || listing.unsure_at.is_some() => {
                listing.reading.is_none()
            }
            "open" if listing.mirror == Some(quantity) => {
                // What was seen before is over, it seems.
                listing.reading.is_none()
                    && drifts::reading_held(tx, tenant, listing.id).await?.is_some()
            }
            "open" => listing.reading != Some(quantity),
            _ => false,
        };
        if doubtful {
            let changes = listing.changes;
            listings::first_reading(tx, tenant, listing.id, quantity, changes, now).await?;
        }
        Ok(())
    }

    /// The stock that a row of a page shows as the product's own, in thousandths.
    pub(super) fn stock_shown(&self, resource: Resource, item: &Value) -> Option<i64> {
        (resource == Resource::Product).then(|| stock_reading::units(item)).flatten()
    }

    async fn product_changed(
        &self,
        tx: &mut Tx,
        stock_id: i64,
        item: Option<Value>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = resources::Key {
            tenant: self.tenant,
            integration: self.store.id,
            resource: Resource::Product.as_str(),
            remote_id: stock_id,
        };
        let standing = resources::seen(tx, key, now).await?;
        let source = Source {
            tenant: self.tenant,
            integration: self.store.id,
            event: None,
            fresh: false,
            heard_at: standing.heard_at.unwrap_or(now),
            erased: false,
            now,
        };
        if let Err(error) = apply_answer(tx, &source, key, Resource::Product, item).await? {
            super::report::failed(tx, key, &error.for_people(), now).await?;
        }
        Ok(())
    }
}
