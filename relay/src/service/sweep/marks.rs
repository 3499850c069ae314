//! What a run has brought over is marked in the shop, some pages at once.
//!
//! A mark is for people only. None is worth a request of its own or a failed run, and one that is lost, with a killed
//! relay or a run that breaks off, is made by the next run that reads its row.

use std::sync::{Mutex, PoisonError};

use nexpura_protocol::event::Resource;
use serde_json::Value;

use super::{StepError, Sweep};
use crate::{
    channel::woocommerce::{Listing, MAX_FIELDS, MAX_SYNCED, Synced, is_marked},
    store::{self, resources},
};

/// How a thing is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By our plugin, again and again: that costs the shop nothing.
    Plugin,
    /// By a custom field, once: the shop saves the thing.
    Field,
}

/// One thing that is to be marked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    way: Way,
    listing: Listing,
    id: i64,
}

impl Mark {
    /// What marks a row of a listing once it is in. A variation is found in the shop by its parent, which has the
    /// mark; only our plugin marks it by itself, and only our plugin what is in the trash.
    pub(super) fn of(item: &Value, listing: Listing, id: i64) -> Option<Self> {
        if item.get("nexpura").is_some() {
            return Some(Self { way: Way::Plugin, listing, id });
        }
        let takes_none = matches!(listing, Listing::Variations { .. }) || item["status"] == "trash";
        (!takes_none && !is_marked(item)).then_some(Self { way: Way::Field, listing, id })
    }

    fn goes_with(self, other: Self) -> bool {
        self.way == other.way && (self.way == Way::Plugin || self.listing == other.listing)
    }
}

/// What waits to be marked.
#[derive(Debug)]
pub(super) struct Marks {
    /// Nothing once the shop has refused them: then nobody asks again in this run.
    waiting: Mutex<Option<Vec<Mark>>>,
}

impl Marks {
    /// None yet; where they are not wanted, or the key may not write, there are none.
    pub(super) fn new(wanted: bool) -> Self {
        Self { waiting: Mutex::new(wanted.then(Vec::new)) }
    }

    /// Has things marked with the next request.
    pub(super) fn add(&self, things: Vec<Mark>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = waiting.as_mut() {
            waiting.extend(things);
        }
    }

    /// What one request is to mark: what fills one, or whatever waits where `all` is to be marked.
    fn take(&self, all: bool) -> Option<Vec<Mark>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = waiting.as_mut()?;
        let first = waiting.iter().copied().find(|mark| {
            let together = waiting.iter().filter(|other| other.goes_with(*mark)).count();
            all || together >= mark.way.at_once()
        })?;
        let mut taken = Vec::new();
        waiting.retain(|mark| {
            let takes = taken.len() < first.way.at_once() && mark.goes_with(first);
            if takes {
                taken.push(*mark);
            }
            !takes
        });
        Some(taken)
    }

    fn give_up(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Way {
    /// How many one request marks.
    fn at_once(self) -> usize {
        match self {
            Self::Plugin => MAX_SYNCED,
            Self::Field => MAX_FIELDS,
        }
    }
}

impl Sweep<'_> {
    /// Marks what waits for it where that is enough for a request.
    pub(super) async fn mark(&self) {
        self.mark_where(false).await;
    }

    /// Marks all that waits for it.
    pub(super) async fn mark_all(&self) {
        self.mark_where(true).await;
    }

    async fn mark_where(&self, all: bool) {
        while let Some(marks) = self.marks.take(all) {
            // It may take as long as the claim holds.
            if self.hold_on().await.is_err() {
                return;
            }
            let marked = match marks[..] {
                [Mark { way: Way::Field, listing, .. }, ..] => {
                    self.mark_by_field(listing, &marks).await
                }
                _ => self.mark_by_plugin(&marks).await,
            };
            if let Err(error) = marked {
                let store = self.client.store().host();
                tracing::info!(store, %error, "what was brought over is not marked in the shop");
                self.marks.give_up();
            }
        }
    }

    async fn mark_by_plugin(&self, marks: &[Mark]) -> Result<(), StepError> {
        let ids = |resource| {
            let these = marks.iter().filter(|mark| mark.listing.resource() == resource);
            these.map(|mark| mark.id).collect()
        };
        let (order, product) = (ids(Resource::Order), ids(Resource::Product));
        let customer = ids(Resource::Customer);
        Ok(self.client.mark_synced(&Synced { order, product, customer }).await?)
    }

    /// Marks rows of one listing, each once: a shop may take a mark and yet not show it, and would be read and marked
    /// for ever.
    async fn mark_by_field(&self, listing: Listing, marks: &[Mark]) -> Result<(), StepError> {
        let key = |remote_id| resources::Key {
            tenant: self.tenant,
            integration: self.store.id,
            resource: listing.resource().as_str(),
            remote_id,
        };
        let mut ids = Vec::new();
        let mut tx = self.relay.db.read().await?;
        for mark in marks {
            if !resources::was_marked(&mut tx, key(mark.id)).await? {
                ids.push(mark.id);
            }
        }
        tx.commit().await?;
        if ids.is_empty() {
            return Ok(());
        }
        let now = store::now();
        self.client.mark_by_field(listing, &ids, now).await?;
        let mut tx = self.relay.db.write().await?;
        // In the order in which others lock them.
        ids.sort_unstable();
        for id in ids {
            resources::marked(&mut tx, key(id), now).await?;
        }
        Ok(tx.commit().await?)
    }
}
