//! A push on its way into the ledger: what was known before it, and what is written once at its end.
//!
//! A backlog comes a hundred events at a time. What is asked of the database for each of them is what it costs, so
//! that all that can be asked or written for the whole push is.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use nexpura_protocol::{Verdict, event::Resource};
use uuid::Uuid;

use super::{Pusher, read};
use crate::{
    service::{
        ledger::{Source, Unwritten},
        privacy,
    },
    store::{StoreError, Tx, inbox, resources, sales},
};

/// Which thing of the store.
pub(super) type Thing = (Resource, i64);

/// How a thing stands while the push is taken in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// The highest `rev` that was applied.
    pub(super) rev: Option<i64>,
    /// Since when something about it is known that is not in the ledger yet.
    pub(super) heard_at: DateTime<Utc>,
}

/// What a push has come to so far.
#[derive(Debug)]
pub(super) struct Course<'a> {
    /// What lines have posted.
    pub(super) unwritten: Unwritten,
    pusher: Pusher,
    now: DateTime<Utc>,
    /// Events that were here before, and those of the push that were dealt with.
    here: HashSet<Uuid>,
    standings: HashMap<Thing, Standing>,
    /// Orders that may have a sale.
    sold: BTreeSet<i64>,
    /// Things of which no person is kept, whatever the shop goes on to say of one.
    erased: BTreeSet<Thing>,
    brought: BTreeMap<Thing, (i64, Vec<u8>)>,
    settled: Vec<inbox::Settled<'a>>,
}

impl<'a> Course<'a> {
    /// Finds out which events are new, and counts the arrivals that they are. The things' rows stay locked.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn begin(
        tx: &mut Tx,
        pusher: Pusher,
        events: &[read::Arrived<'a>],
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let (tenant, integration) = (pusher.tenant, pusher.integration);
        let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
        let here = inbox::known(tx, tenant, integration, &ids).await?;
        let mut counted = here.clone();
        let mut times: BTreeMap<Thing, i64> = BTreeMap::new();
        for event in events {
            if counted.insert(event.id)
                && let Some(thing) = event.about()
            {
                *times.entry(thing).or_default() += 1;
            }
        }
        let orders: Vec<i64> = times
            .keys()
            .filter(|(resource, _)| *resource == Resource::Order)
            .map(|(_, order)| *order)
            .collect();
        let sold = sales::known(tx, tenant, integration, &orders).await?;
        let arrived: Vec<_> = times
            .into_iter()
            .map(|((resource, remote_id), times)| resources::Arrived {
                resource: resource.as_str(),
                remote_id,
                times,
            })
            .collect();
        let found = resources::arrive_all(tx, tenant, integration, &arrived, now).await?;
        let mut erased = BTreeSet::new();
        let standings = found
            .into_iter()
            .filter_map(|found| {
                let thing = (found.resource.parse().ok()?, found.remote_id);
                if found.standing.erased_at.is_some() {
                    erased.insert(thing);
                }
                let heard_at = found.standing.heard_at.unwrap_or(now);
                Some((thing, Standing { rev: found.standing.rev, heard_at }))
            })
            .collect();
        Ok(Self {
            unwritten: Unwritten::default(),
            pusher,
            now,
            here,
            standings,
            sold,
            erased,
            brought: BTreeMap::new(),
            settled: Vec::with_capacity(events.len()),
        })
    }

    /// Whether an event was never dealt with; from now on it was.
    pub(super) fn is_new(&mut self, event: Uuid) -> bool {
        self.here.insert(event)
    }

    /// How a thing stands.
    pub(super) fn standing(&self, thing: Thing) -> Standing {
        let unknown = Standing { rev: None, heard_at: self.now };
        self.standings.get(&thing).copied().unwrap_or(unknown)
    }

    /// Whether the ledger cannot have an order yet.
    pub(super) fn is_fresh(&self, (resource, id): Thing) -> bool {
        resource == Resource::Order && !self.sold.contains(&id)
    }

    /// From now on the ledger may have it.
    pub(super) fn begin_with(&mut self, (resource, id): Thing) {
        if resource == Resource::Order {
            self.sold.insert(id);
        }
    }

    /// Whether nothing of the person behind a thing is kept.
    pub(super) fn is_erased(&self, thing: Thing) -> bool {
        self.erased.contains(&thing)
    }

    /// Notes that an event brought a thing into the ledger as of `rev`.
    pub(super) fn brought(&mut self, thing: Thing, rev: i64, content: Vec<u8>) {
        self.standings.insert(thing, Standing { rev: Some(rev), heard_at: self.now });
        self.brought.insert(thing, (rev, content));
    }

    /// Notes what became of an event.
    pub(super) fn settle(
        &mut self,
        spool: &'a str,
        event: &'a read::Arrived<'a>,
        status: Verdict,
        detail: Option<String>,
    ) {
        let (resource, resource_id) = event.named();
        let event = inbox::Arrival {
            event_id: event.id,
            spool,
            seq: event.seq,
            topic: &event.topic,
            resource,
            resource_id,
            rev: event.rev(),
            occurred_at: event.occurred_at(self.now),
            payload: event.payload,
            facts: event.facts,
        };
        self.settled.push(inbox::Settled { event, status, detail });
    }

    /// Writes what is still to be written.
    ///
    /// # Errors
    /// When the database does not answer, or refuses a number.
    pub(super) async fn end(mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let (tenant, integration, now) = (self.pusher.tenant, self.pusher.integration, self.now);
        let (event, fresh, heard_at, erased) = (None, false, now, false);
        let source = Source { tenant, integration, event, fresh, heard_at, erased, now };
        self.unwritten.write(tx, &source).await?;
        let brought: Vec<_> = self
            .brought
            .into_iter()
            .map(|((resource, remote_id), (rev, content))| resources::Brought {
                resource: resource.as_str(),
                remote_id,
                rev,
                content,
            })
            .collect();
        resources::brought_all(tx, tenant, integration, &brought, now).await?;
        inbox::keep_all(tx, tenant, integration, &self.settled, now).await?;
        for (resource, remote_id) in self.erased {
            let resource = resource.as_str();
            let key = resources::Key { tenant, integration, resource, remote_id };
            privacy::forget_payloads(tx, key).await?;
        }
        Ok(())
    }
}
