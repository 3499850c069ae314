//! What a run has brought over is marked in the shop: by our plugin some pages at once, without it by a note on an order.
//!
//! A mark is for people only, and none is worth a failed run. One of the plugin's that is lost, with a killed relay or a
//! run that breaks off, is made by the next run that reads its row; a note is asked for once.

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use nexpura_protocol::event::Resource;

use super::{StepError, Sweep};
use crate::{
    channel::{
        ChannelError,
        woocommerce::{MAX_SYNCED, Synced},
    },
    store::{self, connections, integrations, resources},
};

/// Orders that are given a note in one sweep: ten seconds at a store's pace.
const NOTES: i64 = 50;

/// What is to be marked.
#[derive(Debug)]
pub(super) struct Marks {
    /// Nothing once the shop has refused them: then nobody asks again in this run.
    waiting: Mutex<Option<Vec<(Resource, i64)>>>,
}

impl Marks {
    /// None yet; where they are not wanted, or the key may not write, there are none.
    pub(super) fn new(wanted: bool) -> Self {
        Self { waiting: Mutex::new(wanted.then(Vec::new)) }
    }

    /// Has things marked with the next request.
    pub(super) fn add(&self, things: Vec<(Resource, i64)>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = waiting.as_mut() {
            waiting.extend(things);
        }
    }

    /// What one request is to name, if there are as many as `at_least`.
    fn take(&self, at_least: usize) -> Option<Synced> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = waiting.as_mut().filter(|waiting| waiting.len() >= at_least)?;
        let rest = waiting.split_off(waiting.len().min(MAX_SYNCED));
        let mut synced = Synced::default();
        for (resource, id) in mem::replace(waiting, rest) {
            match resource {
                Resource::Order => synced.order.push(id),
                Resource::Product => synced.product.push(id),
                Resource::Customer => synced.customer.push(id),
                Resource::Lineage => {}
            }
        }
        Some(synced)
    }

    fn give_up(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Sweep<'_> {
    /// Marks what waits for it where that is enough for a request.
    pub(super) async fn mark(&self) {
        self.mark_where(MAX_SYNCED).await;
    }

    /// Marks all that waits for it.
    pub(super) async fn mark_all(&self) {
        self.mark_where(1).await;
    }

    async fn mark_where(&self, at_least: usize) {
        while let Some(synced) = self.marks.take(at_least) {
            // It may take as long as the claim holds.
            match self.may_mark().await {
                Ok(true) => {}
                Ok(false) => return self.marks.give_up(),
                Err(_) => return,
            }
            if let Err(error) = self.client.mark_synced(&synced).await {
                let store = self.client.store().host();
                tracing::info!(store, %error, "what was brought over is not marked in the shop");
                self.marks.give_up();
            }
        }
    }

    /// Notes beside orders that they were brought over, where there is no plugin to mark them: beside some in each
    /// sweep, for each is a request. Products and accounts get none: `WooCommerce` marks those by nothing but a custom
    /// field, for which it saves the whole of them, with its hooks and a new date; a product whose type another plugin
    /// brings would lose it where that is switched off just then.
    pub(super) async fn note_orders(&self) -> Result<(), StepError> {
        if self.run.kind != "sweep" {
            return Ok(());
        }
        let (tenant, id) = (self.tenant, self.store.id);
        let mut tx = self.relay.db.read().await?;
        let orders = match connections::newest_secret(&mut tx, tenant, id).await? {
            Some(_) => Vec::new(),
            None => resources::orders_without_note(&mut tx, tenant, id, NOTES).await?,
        };
        tx.commit().await?;
        for order in orders {
            if !self.may_mark().await? {
                break;
            }
            // Before it is asked for: a note that got lost is better than one that comes again and again, where only
            // the shop's answers get lost or are none.
            self.set_noted(order, Some(store::now())).await?;
            let Err(error) = self.client.note_synced(order).await else { continue };
            let store = self.client.store().host();
            tracing::info!(store, order, %error, "no note says that it was brought over");
            if is_no_attempt(&error) {
                self.set_noted(order, None).await?;
            }
            break;
        }
        Ok(())
    }

    async fn set_noted(&self, order: i64, at: Option<DateTime<Utc>>) -> Result<(), StepError> {
        let mut tx = self.relay.db.write().await?;
        resources::set_noted(&mut tx, self.tenant, self.store.id, order, at).await?;
        Ok(tx.commit().await?)
    }

    /// Whether marks are still wanted and the store may still be written to; keeps the run's claim.
    async fn may_mark(&self) -> Result<bool, StepError> {
        self.hold_on().await?;
        let mut tx = self.relay.db.read().await?;
        let store = integrations::get(&mut tx, self.tenant, self.store.id).await?;
        tx.commit().await?;
        Ok(store.is_some_and(|store| {
            store.marks && store.writable && store.has_key() && store.forked_at.is_none()
        }))
    }
}

/// Whether the shop has surely done nothing, for a reason that is not the order's.
fn is_no_attempt(error: &ChannelError) -> bool {
    matches!(
        error,
        ChannelError::Unauthorized
            | ChannelError::Forbidden
            | ChannelError::RateLimited { .. }
            | ChannelError::NoTurn
    )
}
