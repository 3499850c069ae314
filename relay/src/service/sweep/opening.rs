//! The opening count: a stock is believed when it reads the same twice, some time apart, and nothing
//! can have moved it in between that the ledger does not know of.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use nexpura_protocol::event::Resource;
use serde_json::Value;

use super::{Cursor, Next, Stage, StepError, Sweep};
use crate::{
    service::{fetch::apply_answer, ledger::Source, stock_reading},
    store::{
        self, StoreError, Tx, integrations, inventory,
        listings::{self, Opening},
        movements::{self, Movement},
        pushes, resources, sale_items, spools,
    },
};

/// Stocks read in one step.
const AT_ONCE: i64 = 100;
/// A spool that was silent for longer than this is not live: four missed heartbeats.
const LIVE: TimeDelta = TimeDelta::minutes(2);
/// The shortest wait before a reading is tried again.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// What the shop says a stock is, and what was known of the listing before it was asked.
struct Reading {
    stock_id: i64,
    /// In thousandths.
    quantity: i64,
    changes: i64,
    asked_at: DateTime<Utc>,
}

impl Sweep<'_> {
    pub(super) async fn first_reading(&self, cursor: &Cursor) -> Result<Next, StepError> {
        let opening = self.opening(cursor.after).await?;
        let Some(last) = opening.last().map(|listing| listing.stock_id) else {
            return Ok(Next::Go(cursor.enter(Stage::Orders)));
        };
        let unread: Vec<_> = opening.into_iter().filter(|listing| !listing.read).collect();
        self.read_and_take(&unread, None).await?;
        Ok(Next::Go(Cursor { after: last, ..cursor.clone() }))
    }

    pub(super) async fn second_reading(&self, cursor: &Cursor) -> Result<Next, StepError> {
        let opening = self.opening(cursor.after).await?;
        if let Some(last) = opening.last().map(|listing| listing.stock_id) {
            self.read_and_take(&opening, cursor.orders_from).await?;
            return Ok(Next::Go(Cursor { after: last, ..cursor.clone() }));
        }
        let mut tx = self.relay.db.read().await?;
        let more = listings::any_opening(&mut tx, self.tenant, self.store.id).await?;
        tx.commit().await?;
        if !more {
            return Ok(Next::Done);
        }
        // Listings that are new since, or were not settled yet, get their next reading.
        let wait = self.relay.config.settle().max(SHORTEST_WAIT);
        Ok(Next::Wait(cursor.enter(Stage::FirstReading), wait))
    }

    async fn opening(&self, after: i64) -> Result<Vec<Opening>, StoreError> {
        let mut tx = self.relay.db.read().await?;
        let opening =
            listings::opening(&mut tx, self.tenant, self.store.id, after, AT_ONCE).await?;
        tx.commit().await?;
        Ok(opening)
    }

    async fn read_and_take(
        &self,
        opening: &[Opening],
        orders_from: Option<DateTime<Utc>>,
    ) -> Result<(), StepError> {
        // One parent's at a time: the shorter a reading is, the less moves meanwhile.
        let mut by_parent: BTreeMap<Option<i64>, Vec<&Opening>> = BTreeMap::new();
        for listing in opening {
            by_parent.entry(listing.parent_id).or_default().push(listing);
        }
        for (parent, listings) in by_parent {
            let asked_at = store::now();
            let stocks = listings.iter().map(|listing| (listing.stock_id, parent));
            let mut shown = stock_reading::read(&self.client, stocks).await?;
            for listing in listings {
                let item = shown.remove(&listing.stock_id).flatten();
                self.take(listing, item, asked_at, orders_from).await?;
            }
        }
        Ok(())
    }

    async fn take(
        &self,
        listing: &Opening,
        item: Option<Value>,
        asked_at: DateTime<Utc>,
        orders_from: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let now = store::now();
        let mut tx = self.relay.db.write().await?;
        let halted = integrations::lock(&mut tx, self.tenant, self.store.id)
            .await?
            .is_none_or(|store| store.forked_at.is_some());
        if halted {
            return tx.commit().await;
        }
        match item.as_ref().and_then(stock_reading::units) {
            Some(quantity) => {
                let changes = listing.changes;
                let stock_id = listing.stock_id;
                let reading = Reading { stock_id, quantity, changes, asked_at };
                self.settle(&mut tx, &reading, orders_from, now).await?;
            }
            // Deleted, or not managed any more: the product itself says which.
            None => self.product_changed(&mut tx, listing.stock_id, item, now).await?,
        }
        tx.commit().await
    }

    /// Takes a reading as the first, or opens the listing if it confirms the first.
    async fn settle(
        &self,
        tx: &mut Tx,
        reading: &Reading,
        orders_from: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (tenant, integration) = (self.tenant, self.store.id);
        let listing = listings::lock(tx, tenant, integration, reading.stock_id).await?;
        let wanted = |listing: &listings::Listing| {
            listing.state == "opening" || listing.doubted_at.is_some()
        };
        let Some(listing) = listing.filter(wanted) else {
            return Ok(());
        };
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
        if apart && orders_fetched && quiet {
            self.open(tx, &listing, reading.quantity, now).await?;
        }
        Ok(())
    }

    /// Opens a listing. A piece that nobody has counted takes the shop's count; one that was counted
    /// keeps its own, and the difference is for the shop to get.
    async fn open(
        &self,
        tx: &mut Tx,
        listing: &listings::Listing,
        quantity: i64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (tenant, integration) = (self.tenant, self.store.id);
        let Some(inventory_id) = listing.inventory_id else { return Ok(()) };
        if listing.state == "open" {
            // Its lines have posted all the while: only what the shop has was in doubt.
            listings::settle_mirror(tx, tenant, listing.id, quantity, now).await?;
            return pushes::ask(tx, tenant, inventory_id, now).await.map(drop);
        }
        if inventory::mark_counted(tx, tenant, inventory_id).await? {
            let movement = Movement {
                inventory_id,
                kind: "stocktake",
                change: quantity,
                notes: "opening count, as the shop had it",
                integration_id: Some(integration),
                ..Movement::default()
            };
            movements::post(tx, tenant, &movement, now).await?;
        }
        sale_items::take_as_posted(tx, tenant, integration, listing.stock_id).await?;
        listings::open(tx, tenant, listing.id, quantity, now).await?;
        pushes::ask(tx, tenant, inventory_id, now).await.map(drop)
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
            heard_at: standing.heard_at.unwrap_or(now),
            now,
        };
        if let Err(error) = apply_answer(tx, &source, key, Resource::Product, item).await? {
            super::report::failed(tx, key, &error.for_people(), now).await?;
        }
        Ok(())
    }
}
