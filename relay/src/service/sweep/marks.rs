//! What a run has brought over is marked in the shop: by our plugin some pages at once, without it as far as WooCommerce
//! has means of its own.
//!
//! A mark is for people only, and none is worth a failed run. One of the plugin's that is lost, with a killed relay or a
//! run that breaks off, is made by the next run that reads its row.

mod without_plugin;

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use nexpura_protocol::event::Resource;

use super::{StepError, Sweep};
use crate::{
    channel::woocommerce::{MAX_SYNCED, Synced},
    store::integrations::{self, Integration},
};

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
                Ok(Some(_)) => {}
                Ok(None) => return self.marks.give_up(),
                Err(_) => return,
            }
            if let Err(error) = self.client.mark_synced(&synced).await {
                let store = self.client.store().host();
                tracing::info!(store, %error, "what was brought over is not marked in the shop");
                self.marks.give_up();
            }
        }
    }

    /// The store, where marks are still wanted in it and it may still be written to; keeps the run's claim.
    async fn may_mark(&self) -> Result<Option<Integration>, StepError> {
        self.hold_on().await?;
        let mut tx = self.relay.db.read().await?;
        let store = integrations::get(&mut tx, self.tenant, self.store.id).await?;
        tx.commit().await?;
        Ok(store.filter(|store| {
            store.marks && store.writable && store.has_key() && store.forked_at.is_none()
        }))
    }
}
