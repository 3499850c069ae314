//! Runs: a store's own listings are read, and what is missing is brought over.
//!
//! A *sweep* does it every few minutes for what changed, once a day for everything. A *reconcile* is a
//! sweep of everything that a person asked for; *products*, *customers* and *orders* bring over just
//! those. An ordinary sweep reads the variations of the parents that changed; where everything is read, what no
//! listing showed is asked for by itself. Each is a run with a cursor, so that any relay goes on where another was killed. Stocks that
//! nobody has counted yet, or that are not what they should be, are read until the reading is settled.

mod drift;
mod known;
mod marks;
mod opening;
mod pages;
mod report;
mod settled;
mod stages;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Relay, fetch::note_trouble, store_client};
use crate::{
    channel::{
        ChannelError,
        woocommerce::{Client, Listing},
    },
    store::{
        self, IntegrationId, StoreError, TenantId, integrations,
        integrations::Integration,
        keys, listings,
        runs::{self, Run, When},
    },
};
use marks::Marks;
use pages::Source;

/// How often a sweep reads everything, however old.
const DEEP_EVERY: TimeDelta = TimeDelta::hours(24);
/// How long a claim holds; it is renewed after every page.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// What people are told of a run that the database failed; the log says more.
const DATABASE: &str = "the relay's own database failed; its log tells why";
/// Failures in a row, two minutes of them, after which even what may pass by itself is shown.
const PASSING: i64 = 5;
/// The longest wait after failures.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// Where a run stands. The default is the beginning of an ordinary sweep.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::service) struct Cursor {
    /// Whether all is read, however old.
    pub(super) everything: bool,
    /// What is being read.
    pub(super) stage: Stage,
    /// Where the next page of its listing begins. A cursor that counts pages, as cursors did before, knows no such
    /// place: its listing is read anew.
    pub(super) offset: u64,
    /// The last id of that listing that is in.
    pub(super) last: u64,
    /// The last id of it that is in, where it goes from one listing or reading to the next.
    pub(super) after: i64,
    /// When reading it began: what changed since then is for the next sweep.
    pub(super) since: Option<DateTime<Utc>>,
    /// When the orders were last read from their beginning in this run.
    pub(super) orders_from: Option<DateTime<Utc>>,
    /// By how many seconds the shop's clock was slow at most in this run.
    pub(super) slow: i64,
    /// When this run began.
    pub(super) began: Option<DateTime<Utc>>,
}

/// What a run reads, in this order. Orders come after the first readings: one that took from a stock
/// before its first reading is known before the second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    #[default]
    Products,
    Variations,
    Customers,
    FirstReading,
    Orders,
    TrashedOrders,
    SecondReading,
}

/// What follows one stage.
enum Next {
    /// Another stage at once.
    Go(Cursor),
    /// The same run goes on later.
    Wait(Cursor, Duration),
    /// The run is over.
    Done(Cursor),
}

/// Why a stage failed.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its lease has ended and another relay has taken it up.
    #[error("another relay has taken it up")]
    Lost,
    /// Nothing more may be read there.
    #[error("the store is disconnected")]
    Disconnected,
    /// The relay stops; the cursor stands where the last page was brought over.
    #[error("the relay stops")]
    Stopping,
}

/// One run in hand.
struct Sweep<'a> {
    relay: &'a Relay,
    tenant: TenantId,
    store: Integration,
    client: Client,
    run: Run,
    /// What is to be marked in the shop.
    marks: Marks,
}

/// Takes up the next due run of a store; `false` when there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep_due(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<bool, StoreError> {
    let now = store::now();
    let mut tx = relay.db.write().await?;
    let run = runs::claim(&mut tx, (tenant, integration), now, now + LEASE).await?;
    let store = match &run {
        Some(run) => integrations::get(&mut tx, tenant, run.integration_id).await?,
        None => None,
    };
    tx.commit().await?;
    let (Some(run), Some(store)) = (run, store) else { return Ok(false) };
    if run.kind == "inventory" {
        super::runs::push_inventory(relay, tenant, &run, &store).await?;
        return Ok(true);
    }
    let cursor: Cursor = serde_json::from_value(run.cursor.clone()).unwrap_or_default();
    match store_client::client(relay, tenant, &store) {
        Ok(client) => {
            let client = client.in_bulk();
            let marks = Marks::new(store.writable && store.marks);
            let sweep = Sweep { relay, tenant, store, client, run, marks };
            if let Err(error) = sweep.run(cursor).await {
                // What met another transaction goes on at once from where it stands.
                if error.is_transient() {
                    let mut tx = relay.db.write().await?;
                    runs::let_go(&mut tx, tenant, sweep.run.held()).await?;
                    tx.commit().await?;
                } else {
                    put_off(relay, tenant, &sweep.run, DATABASE, None).await?;
                }
                return Err(error);
            }
        }
        Err(error) => put_off(relay, tenant, &run, &error.to_string(), None).await?,
    }
    Ok(true)
}

impl Sweep<'_> {
    async fn run(&self, mut cursor: Cursor) -> Result<(), StoreError> {
        cursor.began.get_or_insert_with(store::now);
        loop {
            let stage = match self.relay.wake.is_stopping() {
                true => Err(StepError::Stopping),
                false => self.stage(&cursor).await,
            };
            let next = match stage {
                Ok(next) => next,
                Err(StepError::Store(error)) => return Err(error),
                Err(StepError::Lost) => return Ok(()),
                // Where it is connected again, the run goes on where it stands.
                Err(StepError::Stopping | StepError::Disconnected) => {
                    let mut tx = self.relay.db.write().await?;
                    runs::let_go(&mut tx, self.tenant, self.run.held()).await?;
                    return tx.commit().await;
                }
                Err(StepError::Channel(error)) => {
                    let text = error.to_string();
                    return put_off(self.relay, self.tenant, &self.run, &text, Some(&error)).await;
                }
            };
            if !matches!(next, Next::Go(_)) {
                self.mark_all().await;
            }
            if matches!(next, Next::Done(_)) {
                match self.mark_without_plugin().await {
                    Err(StepError::Store(error)) => return Err(error),
                    Err(StepError::Lost) => return Ok(()),
                    _ => {}
                }
            }
            // A key that could only read may have been given more.
            let writable = match next {
                Next::Done(_) if !self.store.writable => self.client.may_write().await.ok(),
                _ => None,
            };
            let now = store::now();
            let mut tx = self.relay.db.write().await?;
            let id = self.store.id;
            // Whoever brings a new stock holds the store: none comes between this look and the end.
            let store = integrations::lock(&mut tx, self.tenant, id).await?;
            if !store.is_some_and(|store| store.has_key()) {
                runs::let_go(&mut tx, self.tenant, self.run.held()).await?;
                return tx.commit().await;
            }
            let next = match next {
                Next::Done(last) => {
                    let goes_on = self.reading_goes_on(&mut tx, &last).await?;
                    goes_on.unwrap_or(Next::Done(last))
                }
                next => next,
            };
            // The store has answered: whatever ailed it is over.
            integrations::set_status(&mut tx, self.tenant, id, "connected", None, now).await?;
            match next {
                Next::Go(next) => {
                    let (at, until) = (json!(next), now + LEASE);
                    let (held, tally) = (self.run.held(), runs::Tally::default());
                    if !runs::advance(&mut tx, self.tenant, held, &at, tally, None, until).await? {
                        return Ok(());
                    }
                    tx.commit().await?;
                    cursor = next;
                }
                Next::Wait(next, wait) => {
                    let due = now + TimeDelta::from_std(wait).unwrap_or(LONGEST_WAIT);
                    let at = json!(next);
                    runs::put_back(&mut tx, self.tenant, self.run.held(), &at, due).await?;
                    return tx.commit().await;
                }
                Next::Done(last) => {
                    if let Some(writable) = writable {
                        keys::set_writable(&mut tx, self.tenant, id, writable, now).await?;
                    }
                    self.finish(&mut tx, &last, now).await?;
                    return tx.commit().await;
                }
            }
        }
    }

    async fn stage(&self, cursor: &Cursor) -> Result<Next, StepError> {
        let next = match cursor.stage {
            Stage::Products => self.products(cursor).await?,
            Stage::Variations => self.variations(cursor).await?,
            Stage::Customers => self.read(cursor, Source::Plain(Listing::Customers)).await?,
            Stage::FirstReading => return self.first_reading(cursor).await,
            Stage::Orders => self.orders(cursor).await?,
            Stage::TrashedOrders => self.trashed_orders(cursor).await?,
            Stage::SecondReading => return self.second_reading(cursor).await,
        };
        Ok(match self.follows(cursor) {
            Some(stage) => Next::Go(next.enter(stage)),
            None => Next::Done(next),
        })
    }

    /// What is read after a stage.
    fn follows(&self, cursor: &Cursor) -> Option<Stage> {
        let all = cursor.everything;
        match (self.run.kind.as_str(), cursor.stage) {
            ("products", Stage::Products) => Some(Stage::Variations),
            ("orders", Stage::Orders) => Some(Stage::TrashedOrders),
            ("products" | "customers" | "orders", _) => None,
            (_, Stage::Products) => Some(Stage::Variations),
            (_, Stage::Variations) if all => Some(Stage::Customers),
            (_, Stage::Variations | Stage::Customers) => Some(Stage::FirstReading),
            (_, Stage::FirstReading) => Some(Stage::Orders),
            (_, Stage::Orders) => Some(Stage::TrashedOrders),
            (_, Stage::TrashedOrders) => Some(Stage::SecondReading),
            (_, Stage::SecondReading) => None,
        }
    }

    /// Before a request that brings nothing by itself: keeps the run's claim, and stops where the relay stops.
    async fn hold_on(&self) -> Result<(), StepError> {
        if self.relay.wake.is_stopping() {
            return Err(StepError::Stopping);
        }
        let mut tx = self.relay.db.write().await?;
        let until = store::now() + LEASE;
        if !runs::renew(&mut tx, self.tenant, self.run.held(), until).await? {
            return Err(StepError::Lost);
        }
        Ok(tx.commit().await?)
    }

    async fn finish(
        &self,
        tx: &mut store::Tx,
        cursor: &Cursor,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (tenant, id) = (self.tenant, self.store.id);
        let Some(ended) = runs::finish(tx, tenant, self.run.held(), now).await? else {
            return Ok(());
        };
        integrations::synced(tx, tenant, id, now).await?;
        let swept = matches!(self.run.kind.as_str(), "sweep" | "reconcile");
        if swept && cursor.everything {
            integrations::deeply_swept(tx, tenant, id, now).await?;
        }
        if let Some(cursor) = ended.again {
            runs::ask(tx, tenant, id, &self.run.kind, &cursor, false, now).await?;
        } else if self.run.kind == "sweep" {
            let deep = integrations::known_until(tx, tenant, id).await?.deep;
            let everything = deep.is_none_or(|deep| now - deep >= DEEP_EVERY);
            let cursor = json!(Cursor { everything, ..Cursor::default() });
            let every = self.relay.config.sweep_every();
            let more = listings::any_unsettled(tx, tenant, id).await?;
            let wait = if more { every.min(self.between_readings()) } else { every };
            let next = When { asked_at: now, due_at: now + wait };
            runs::ask(tx, tenant, id, "sweep", &cursor, false, next).await?;
        } else {
            // New listings get their readings, and what is in doubt its second look.
            let cursor = json!(Cursor::default());
            runs::ask(tx, tenant, id, "sweep", &cursor, false, now).await?;
        }
        Ok(())
    }
}

impl Cursor {
    /// The beginning of another stage of the same run.
    fn enter(&self, stage: Stage) -> Self {
        Self { stage, offset: 0, last: 0, after: 0, since: None, ..self.clone() }
    }

    /// Where a run of this kind begins.
    pub(super) fn beginning(kind: &str) -> Self {
        let stage = match kind {
            "customers" => Stage::Customers,
            "orders" => Stage::Orders,
            _ => Stage::Products,
        };
        Self { everything: kind != "sweep", stage, ..Self::default() }
    }
}

/// Leaves a run where it stands, to be tried again.
pub(super) async fn put_off(
    relay: &Relay,
    tenant: TenantId,
    run: &Run,
    reason: &str,
    error: Option<&ChannelError>,
) -> Result<(), StoreError> {
    let now = store::now();
    let doublings = u32::try_from(run.attempts.clamp(0, 9)).unwrap_or(9);
    let mut wait = TimeDelta::seconds(2 << doublings).min(LONGEST_WAIT);
    if let Some(ChannelError::RateLimited { retry_after: Some(after) }) = error {
        wait = TimeDelta::from_std(*after).unwrap_or(wait).max(wait);
    }
    let mut tx = relay.db.write().await?;
    let id = run.integration_id;
    integrations::lock(&mut tx, tenant, id).await?;
    if !runs::delay(&mut tx, tenant, run.held(), now + wait, reason).await? {
        return tx.commit().await;
    }
    if let Some(error) = error {
        note_trouble(&mut tx, tenant, id, error, now).await?;
    }
    if run.attempts >= PASSING {
        // What passes by itself has not passed for minutes: a person should look.
        integrations::set_status(&mut tx, tenant, id, "error", Some(reason), now).await?;
    }
    tx.commit().await
}
