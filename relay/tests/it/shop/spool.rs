//! The plugin and its spool: marks become events, events become pushes.

use std::collections::VecDeque;

use chrono::Utc;
use nexpura_protocol::{Batch, Event, Resource, SpoolState, Topic, Verb};
use serde_json::json;
use uuid::Uuid;

use super::{Mark, Shop};

/// A shop's spool, and the marks of requests that are still running.
#[derive(Debug, Clone)]
pub(crate) struct Spool {
    pub(crate) id: Uuid,
    seq: u64,
    /// What running requests have marked and not captured.
    pub(crate) open: Vec<Mark>,
    /// What is captured and not sent.
    pub(crate) unsent: VecDeque<Event>,
}

impl Default for Spool {
    fn default() -> Self {
        Self { id: Uuid::new_v4(), seq: 0, open: Vec::new(), unsent: VecDeque::new() }
    }
}

impl Spool {
    /// The end of a request: reads what it touched, in its final state. The counter is raised before
    /// the reading, and nothing can overtake it here.
    pub(crate) fn capture(&mut self, shop: &mut Shop, mark: Mark) {
        *shop.revisions.entry((mark.resource, mark.id)).or_default() += 1;
        let mut event = self.event(mark);
        event.payload = shop.show(mark.resource, mark.id);
        if event.payload.is_some() {
            event.facts = Some(shop.facts(mark.resource, mark.id));
        }
        self.unsent.push_back(event);
    }

    /// Captures all marks at once, as after one request.
    pub(crate) fn capture_all(&mut self, shop: &mut Shop, marks: &[Mark]) {
        marks.iter().for_each(|mark| self.capture(shop, *mark));
    }

    /// A process that died after its mark: all that is left is that something was touched.
    pub(crate) fn touch(&mut self, mark: Mark) {
        let verb = if mark.verb == Verb::Deleted { Verb::Updated } else { mark.verb };
        let event = self.event(Mark { verb, ..mark });
        self.unsent.push_back(event);
    }

    /// Deletes an order: it is read first.
    pub(crate) fn delete_order(&mut self, shop: &mut Shop, id: u64) {
        if shop.orders.contains_key(&id) {
            self.capture(shop, Mark { resource: Resource::Order, id, verb: Verb::Deleted });
            shop.delete(id);
        }
    }

    /// The nonce of the shop's lineage.
    pub(crate) fn lineage(&mut self, previous: &str, next: &str) {
        self.seq += 1;
        self.unsent.push_back(Event {
            id: Uuid::new_v4().to_string(),
            seq: self.seq,
            topic: Topic::LINEAGE,
            resource_id: 0,
            occurred_at: Utc::now(),
            payload: Some(json!({ "previous": previous, "next": next })),
            facts: None,
        });
    }

    fn event(&mut self, mark: Mark) -> Event {
        self.seq += 1;
        Event {
            id: Uuid::new_v4().to_string(),
            seq: self.seq,
            topic: Topic::new(mark.resource, mark.verb),
            resource_id: mark.id,
            occurred_at: Utc::now(),
            payload: None,
            facts: None,
        }
    }

    /// A push of these events, saying truly what is still to come.
    pub(crate) fn batch(&self, mut events: Vec<Event>) -> Batch {
        events.sort_by_key(|event| event.seq);
        let state = SpoolState {
            unsent: self.unsent.len() as u64,
            open_intents: self.open.len() as u64,
            oldest_unsent_at: None,
        };
        Batch { spool: self.id.to_string(), events, state }
    }

    /// Takes everything that is unsent.
    pub(crate) fn take(&mut self) -> Vec<Event> {
        self.unsent.drain(..).collect()
    }
}
