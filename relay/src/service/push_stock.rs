//! Stock goes back: what a shop's stock has still to be told, in one request for many listings.

mod plain;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use nexpura_protocol::stock::{MAX_PUSHES, StockPush, StockPushes, StockVerdict};
use serde_json::json;

use super::{
    Relay, Work,
    anew::anew,
    drift::{TOGETHER, empties_too_much},
    fetch::note_trouble,
    ledger::{self, Source},
    store_client,
};
use crate::{
    channel::ChannelError,
    domain::Quantity,
    store::{
        self, IntegrationId, StoreError, TenantId, Tx,
        connections::{self, Newest},
        integrations::{self, Integration},
        keys, listings,
        pushes::{self, Push},
        runs,
    },
};

/// How long a claim holds: longer than a request through the plugin waits for its turn and takes, a minute each.
const LEASE: TimeDelta = TimeDelta::minutes(3);
/// The same without the plugin: several readings, writings and readings again.
const PLAIN_LEASE: TimeDelta = TimeDelta::minutes(10);
/// The longest wait between two tries.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// What became of one push.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// The shop has it.
    Done,
    /// The shop does not manage its stock.
    Unmanaged,
    /// The shop has deleted it.
    Missing,
    /// The shop's plugin knows less than it was told.
    OutOfOrder,
    /// Nobody can say whether the shop has it.
    Doubtful,
    /// Not yet, for this reason.
    Later(&'static str),
}

/// What became of some pushes, and what stopped the others.
#[derive(Debug, Default)]
struct Sent {
    /// One for each push, in their order, as far as it is known.
    outcomes: Vec<Option<Outcome>>,
    /// Why the pushes without an outcome are to be tried again.
    trouble: Option<Trouble>,
    /// The key may read but not write.
    read_only: bool,
}

/// What went wrong on the way.
#[derive(Debug)]
struct Trouble {
    reason: String,
    error: Option<ChannelError>,
    /// Whether it says nothing of the store.
    passing: bool,
}

impl Trouble {
    fn of(error: ChannelError) -> Self {
        Self { reason: error.to_string(), error: Some(error), passing: false }
    }

    fn here(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), error: None, passing: false }
    }

    /// The claim's lease has ended while the store was read, and nothing was written.
    fn taken_up() -> Self {
        let reason = "reading the shop took so long that another relay took some of it up";
        Self { reason: reason.to_owned(), error: None, passing: true }
    }
}

/// Pushes what is due to a store; gives how many pushes were in hand.
///
/// # Errors
/// When the database does not answer.
pub async fn push_due(
    relay: &Relay,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<usize, StoreError> {
    let now = store::now();
    let mut tx = relay.db.read().await?;
    let due = pushes::is_due(&mut tx, tenant, id, now).await?;
    tx.commit().await?;
    if !due {
        return Ok(0);
    }
    let mut tx = relay.db.write().await?;
    let store = integrations::lock(&mut tx, tenant, id).await?;
    let Some(store) = store.filter(|store| store.forked_at.is_none()) else {
        return Ok(0);
    };
    let connection = connections::newest_secret(&mut tx, tenant, id).await?;
    // What comes little by little counts together.
    let emptied = pushes::would_empty(&mut tx, tenant, id, now - TOGETHER).await?;
    let open = listings::count_open(&mut tx, tenant, id).await?;
    if empties_too_much(emptied, open) {
        let reason = format!(
            "{emptied} of {open} products would become 0 at once, or within an hour: check why, then send the changes"
        );
        integrations::hold(&mut tx, tenant, id, &reason, now).await?;
        tx.commit().await?;
        return Ok(0);
    }
    let limit = i64::try_from(MAX_PUSHES).unwrap_or(i64::MAX);
    let lease = if connection.is_some() { LEASE } else { PLAIN_LEASE };
    let young = TimeDelta::from_std(relay.config.settle()).unwrap_or(TimeDelta::days(1));
    let held_since = now - young;
    let times = pushes::Times { now, until: now + lease, held_since };
    let claimed = pushes::claim(&mut tx, tenant, id, connection.is_some(), limit, times).await?;
    tx.commit().await?;
    if claimed.is_empty() {
        return Ok(0);
    }
    let sent = match &connection {
        Some(connection) => by_plugin(relay, tenant, &store, connection, &claimed).await,
        None => plain::send(relay, tenant, &store, &claimed).await?,
    };
    anew(|| keep(relay, tenant, id, &claimed, &sent)).await?;
    if sent.outcomes.contains(&Some(Outcome::Doubtful)) {
        relay.wake.of(Work::Sweep).notify_one();
    }
    Ok(claimed.len())
}

/// Keeps what the shop answered.
async fn keep(
    relay: &Relay,
    tenant: TenantId,
    id: IntegrationId,
    claimed: &[Push],
    sent: &Sent,
) -> Result<(), StoreError> {
    let now = store::now();
    let mut tx = relay.db.write().await?;
    integrations::lock(&mut tx, tenant, id).await?;
    if sent.read_only {
        keys::set_writable(&mut tx, tenant, id, false, now).await?;
    }
    match &sent.trouble {
        Some(trouble) => note(&mut tx, tenant, id, trouble, now).await?,
        None => {
            integrations::set_status(&mut tx, tenant, id, "connected", None, now).await?;
            integrations::set_push_trouble(&mut tx, tenant, id, None).await?;
        }
    }
    let held = pushes::held(&mut tx, tenant, claimed).await?;
    for (at, push) in claimed.iter().enumerate().filter(|(_, push)| held.contains(&push.id)) {
        match (sent.outcomes.get(at).and_then(Option::as_ref), &sent.trouble) {
            (Some(outcome), _) => settle(&mut tx, tenant, id, push, outcome, now).await?,
            (None, trouble) => {
                let error = trouble.as_ref().and_then(|trouble| trouble.error.as_ref());
                let reason = trouble.as_ref().map_or(UNTOLD, |trouble| trouble.reason.as_str());
                let at = now + wait(push.attempts, error);
                pushes::put_back(&mut tx, tenant, push.id, at, reason).await?;
            }
        }
    }
    tx.commit().await
}

/// Shows what keeps stock from going back and does not pass by itself. All else of the shop may be well: the next
/// step of a sweep says so, and must not take this with it.
async fn note(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    trouble: &Trouble,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if trouble.passing {
        return Ok(());
    }
    let Some(error) = &trouble.error else {
        return integrations::set_push_trouble(tx, tenant, id, Some(&trouble.reason)).await;
    };
    if error.is_transient() {
        return Ok(());
    }
    integrations::set_push_trouble(tx, tenant, id, Some(&trouble.reason)).await?;
    match error {
        ChannelError::NoPlugin | ChannelError::NoInnoDb => Ok(()),
        error => note_trouble(tx, tenant, id, error, now).await,
    }
}

/// What is said of a push that the shop did not speak of.
const UNTOLD: &str = "the shop could not do it";

/// Sends pushes to our plugin's own route, signed.
async fn by_plugin(
    relay: &Relay,
    tenant: TenantId,
    store: &Integration,
    connection: &Newest,
    claimed: &[Push],
) -> Sent {
    let stopped = |trouble| Sent { trouble: Some(trouble), ..Sent::default() };
    let signer = match store_client::signer(relay, tenant, connection) {
        Ok(signer) => signer,
        Err(error) => return stopped(Trouble::here(error)),
    };
    let client = match store_client::client(relay, tenant, store) {
        Ok(client) => client,
        Err(error) => return stopped(Trouble::here(error)),
    };
    let pushes = claimed
        .iter()
        .map(|push| StockPush {
            push_id: push.id.to_string(),
            push_no: push.push_no.and_then(|number| u64::try_from(number).ok()).unwrap_or_default(),
            stock_id: u64::try_from(push.stock_id).unwrap_or_default(),
            delta: Quantity::from_thousandths(push.delta).to_string(),
        })
        .collect();
    let told = match client.push_stock(&StockPushes { pushes }, &signer).await {
        Ok(told) => told,
        Err(error) => return stopped(Trouble::of(error)),
    };
    let outcome = |push: &Push| match told.iter().find(|told| told.push_id == push.id) {
        Some(told) => match told.status {
            StockVerdict::Applied | StockVerdict::Duplicate => Outcome::Done,
            StockVerdict::Unmanaged => Outcome::Unmanaged,
            StockVerdict::Missing => Outcome::Missing,
            StockVerdict::OutOfOrder => Outcome::OutOfOrder,
            StockVerdict::Failed => Outcome::Later(UNTOLD),
        },
        None => Outcome::Later(UNTOLD),
    };
    Sent { outcomes: claimed.iter().map(outcome).map(Some).collect(), ..Sent::default() }
}

/// Has a shop forget the numbers of all pushes, before it is taken up again with another database.
///
/// # Errors
/// With what to do, in words.
pub(super) async fn begin_anew(
    relay: &Relay,
    tenant: TenantId,
    store: &Integration,
) -> Result<(), String> {
    let mut tx = relay.db.read().await.map_err(|error| error.to_string())?;
    let connection = connections::newest_secret(&mut tx, tenant, store.id).await;
    let connection = connection.map_err(|error| error.to_string())?;
    drop(tx);
    // A shop whose plugin is gone keeps no numbers, and nothing is pushed to it under one.
    let Some(connection) = connection else { return Ok(()) };
    let signer =
        store_client::signer(relay, tenant, &connection).map_err(|error| error.to_string())?;
    let client = store_client::client(relay, tenant, store).map_err(|error| error.to_string())?;
    client.begin_pushes(&signer).await.map_err(|error| error.to_string())
}

/// Brings one push, its listing and its store to what the shop answered.
async fn settle(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    push: &Push,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (fresh, erased) = (false, false);
    let source = Source { tenant, integration, event: None, fresh, heard_at: now, erased, now };
    match outcome {
        Outcome::Done => {
            if let Some(piece) = pushes::acknowledge(tx, tenant, push, now).await? {
                // What moved since the push was frozen goes with the next one.
                pushes::ask_held(tx, tenant, piece, now).await?;
            }
        }
        Outcome::Unmanaged => {
            let reason = "the shop does not manage its stock";
            pushes::refused(tx, tenant, push, reason, now).await?;
            ledger::listing_lost(tx, &source, push.stock_id, "unmanaged", reason).await?;
        }
        Outcome::Missing => {
            let reason = "the shop has deleted it";
            pushes::refused(tx, tenant, push, reason, now).await?;
            ledger::listing_lost(tx, &source, push.stock_id, "missing", reason).await?;
        }
        Outcome::OutOfOrder => {
            let reason = "the shop's database does not know of stock that it was given: it was restored from a backup or copied";
            integrations::fork(tx, tenant, integration, reason, now).await?;
            pushes::put_back(tx, tenant, push.id, now + LONGEST_WAIT, reason).await?;
        }
        Outcome::Doubtful => {
            pushes::doubt(tx, tenant, push.id, push.listing_id, now).await?;
            runs::ask(tx, tenant, integration, "sweep", &json!({}), false, now).await?;
        }
        Outcome::Later(reason) => {
            let at = now + wait(push.attempts, None);
            pushes::put_back(tx, tenant, push.id, at, reason).await?;
        }
    }
    Ok(())
}

/// 1 s, doubling; longer where the store asks for it.
fn wait(attempts: i64, error: Option<&ChannelError>) -> TimeDelta {
    let doublings = u32::try_from(attempts.clamp(0, 10)).unwrap_or(10);
    let usual = TimeDelta::seconds(1 << doublings).min(LONGEST_WAIT);
    match error {
        Some(ChannelError::RateLimited { retry_after: Some(after) }) => {
            let asked: Duration = *after;
            TimeDelta::from_std(asked).unwrap_or(LONGEST_WAIT).clamp(usual, LONGEST_WAIT)
        }
        _ => usual,
    }
}
