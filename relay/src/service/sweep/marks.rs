//! What a run has brought over is marked in the shop, some pages at once.
//!
//! A mark is for people only. None is worth a request of its own or a failed run, and one that is lost, with a killed
//! relay or a run that breaks off, is made by the next run that reads its row.

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use nexpura_protocol::event::Resource;

use super::Sweep;
use crate::channel::woocommerce::{MAX_SYNCED, Synced};

/// What is to be marked.
#[derive(Debug)]
pub(super) struct Marks {
    /// Nothing once the shop has refused them: then nobody asks again in this run.
    waiting: Mutex<Option<Vec<(Resource, i64)>>>,
}

impl Marks {
    /// None yet; with a key that may not write there are none.
    pub(super) fn new(writable: bool) -> Self {
        Self { waiting: Mutex::new(writable.then(Vec::new)) }
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
            if self.hold_on().await.is_err() {
                return;
            }
            if let Err(error) = self.client.mark_synced(&synced).await {
                let store = self.client.store().host();
                tracing::info!(store, %error, "what was brought over is not marked in the shop");
                self.marks.give_up();
            }
        }
    }
}
