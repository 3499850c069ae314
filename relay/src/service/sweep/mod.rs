//! The sweep: every few minutes a store's own listings are read, what is missing is brought over, and
//! stocks that nobody has counted yet are read until the reading is settled.
//!
//! A sweep is one run with a cursor, so that any relay goes on where another was killed.

mod opening;
mod pages;
mod report;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Relay, fetch::note_trouble, store_client};
use crate::{
    channel::{ChannelError, woocommerce::Client},
    store::{
        self, StoreError, TenantId, integrations,
        integrations::Integration,
        keys,
        runs::{self, Run},
    },
};

/// From the end of one sweep to the beginning of the next.
const EVERY: TimeDelta = TimeDelta::minutes(5);
/// How long a claim holds; it is renewed after every page.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// Failures in a row, two minutes of them, after which even what may pass by itself is shown.
const PASSING: i64 = 5;
/// The longest wait after failures.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// Where a sweep stands. The default is the beginning of an ordinary one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    /// Whether all is read, however old.
    everything: bool,
    /// What is being read.
    stage: Stage,
    /// Pages of it that are in.
    page: u32,
    /// The last id of it that is in, where it goes by ids.
    after: i64,
    /// When reading it began: what changed since then is for the next sweep.
    since: Option<DateTime<Utc>>,
    /// When the orders were last read from their beginning in this sweep.
    orders_from: Option<DateTime<Utc>>,
}

/// What a sweep reads, in this order. Orders come after the first readings once more: an order that
/// took from a stock before its first reading is known before the second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    #[default]
    Products,
    Variations,
    Customers,
    FirstReading,
    Orders,
    TrashedOrders,
    SecondReading,
}

/// What follows one step.
enum Next {
    /// Another step at once.
    Go(Cursor),
    /// The same sweep goes on later.
    Wait(Cursor, Duration),
    /// The sweep is over.
    Done,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One sweep in hand.
struct Sweep<'a> {
    relay: &'a Relay,
    tenant: TenantId,
    store: Integration,
    client: Client,
}

/// Takes up the next due sweep of a tenant; `false` when there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep_due(relay: &Relay, tenant: TenantId) -> Result<bool, StoreError> {
    let now = store::now();
    let mut tx = relay.db.write().await?;
    let run = runs::claim(&mut tx, tenant, now, now + LEASE).await?;
    let store = match &run {
        Some(run) => integrations::get(&mut tx, tenant, run.integration_id).await?,
        None => None,
    };
    tx.commit().await?;
    let (Some(run), Some(store)) = (run, store) else { return Ok(false) };
    let cursor: Cursor = serde_json::from_value(run.cursor.clone()).unwrap_or_default();
    let client = match store_client::client(relay, tenant, &store) {
        Ok(client) => client,
        Err(error) => {
            put_off(relay, tenant, &run, &cursor, &error.to_string(), None).await?;
            return Ok(true);
        }
    };
    Sweep { relay, tenant, store, client }.run(&run, cursor).await?;
    Ok(true)
}

impl Sweep<'_> {
    async fn run(&self, run: &Run, mut cursor: Cursor) -> Result<(), StoreError> {
        loop {
            let next = match self.step(&cursor).await {
                Ok(next) => next,
                Err(StepError::Store(error)) => return Err(error),
                Err(StepError::Channel(error)) => {
                    let text = error.to_string();
                    let (relay, tenant) = (self.relay, self.tenant);
                    return put_off(relay, tenant, run, &cursor, &text, Some(&error)).await;
                }
            };
            // A key that could only read may have been given more.
            let writable = match next {
                Next::Done if !self.store.writable => self.client.may_write().await.ok(),
                _ => None,
            };
            let now = store::now();
            let mut tx = self.relay.db.write().await?;
            // It answers and takes the key: whatever was wrong has been put right.
            let id = self.store.id;
            integrations::set_status(&mut tx, self.tenant, id, "connected", None, now).await?;
            match next {
                Next::Go(next) => {
                    let at = json!(next);
                    runs::advance(&mut tx, self.tenant, run.id, &at, now + LEASE).await?;
                    tx.commit().await?;
                    cursor = next;
                }
                Next::Wait(next, wait) => {
                    let due = now + TimeDelta::from_std(wait).unwrap_or(EVERY);
                    runs::put_back(&mut tx, self.tenant, run.id, &json!(next), due, None).await?;
                    return tx.commit().await;
                }
                Next::Done => {
                    integrations::synced(&mut tx, self.tenant, id, now).await?;
                    if let Some(writable) = writable {
                        keys::set_writable(&mut tx, self.tenant, id, writable, now).await?;
                    }
                    let fresh = json!(Cursor::default());
                    runs::put_back(&mut tx, self.tenant, run.id, &fresh, now + EVERY, None).await?;
                    return tx.commit().await;
                }
            }
        }
    }

    async fn step(&self, cursor: &Cursor) -> Result<Next, StepError> {
        match cursor.stage {
            Stage::Products => self.products(cursor).await,
            Stage::Variations => self.variations(cursor).await,
            Stage::Customers => self.customers(cursor).await,
            Stage::FirstReading => self.first_reading(cursor).await,
            Stage::Orders => self.orders(cursor, false).await,
            Stage::TrashedOrders => self.orders(cursor, true).await,
            Stage::SecondReading => self.second_reading(cursor).await,
        }
    }
}

impl Cursor {
    /// The beginning of another stage of the same sweep.
    fn enter(&self, stage: Stage) -> Self {
        Self { stage, page: 0, after: 0, since: None, ..self.clone() }
    }
}

async fn put_off(
    relay: &Relay,
    tenant: TenantId,
    run: &Run,
    cursor: &Cursor,
    reason: &str,
    error: Option<&ChannelError>,
) -> Result<(), StoreError> {
    let now = store::now();
    let mut tx = relay.db.write().await?;
    if let Some(error) = error {
        note_trouble(&mut tx, tenant, run.integration_id, error, now).await?;
    }
    if run.attempts >= PASSING {
        // What passes by itself has not passed for minutes: a person should look.
        let id = run.integration_id;
        integrations::set_status(&mut tx, tenant, id, "error", Some(reason), now).await?;
    }
    let doublings = u32::try_from(run.attempts.clamp(0, 9)).unwrap_or(9);
    let mut wait = TimeDelta::seconds(2 << doublings).min(LONGEST_WAIT);
    if let Some(ChannelError::RateLimited { retry_after: Some(after) }) = error {
        wait = TimeDelta::from_std(*after).unwrap_or(wait).max(wait);
    }
    runs::put_back(&mut tx, tenant, run.id, &json!(cursor), now + wait, Some(reason)).await?;
    tx.commit().await
}
