//! Runs that a person asks for: imports, a reconciliation, pushing what differs.

mod preview;
pub mod watch;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use nexpura_protocol::event::Resource;
use serde_json::json;
use uuid::Uuid;

use super::{
    Relay, Work,
    anew::anew,
    sweep::{Cursor, put_off},
};
use crate::store::{
    self, StoreError, TenantId, audit, integrations,
    integrations::Integration,
    listings, pushes,
    runs::{self, Finding, Run, Tally},
};

pub use preview::{Change, changes, count_changes, dry_run};

/// How often a run that waits for pushes looks whether they are through.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A push that is tried later than this waits for something else than its turn: for a person, or for a shop that has
/// refused it again and again. It goes on by itself; nobody need watch.
const SOON: TimeDelta = TimeDelta::seconds(30);
/// As many pushes as are named one by one.
const NAMED: i64 = 10_000;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bring over every product and variation.
    Products,
    /// Bring over every customer.
    Customers,
    /// Bring over every order.
    Orders,
    /// Push what the shop's stocks differ by.
    Inventory,
    /// Compare everything, and put right what may be.
    Reconcile,
}

impl Kind {
    /// The word in addresses, commands and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::Customers => "customers",
            Self::Orders => "orders",
            Self::Inventory => "inventory",
            Self::Reconcile => "reconcile",
        }
    }
}

/// Why a run was not begun.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No store of the tenant is called that.
    #[error("there is no store {0} here: see the list of stores")]
    Unknown(String),
    /// The store has no key.
    #[error("the store is disconnected: connect it again first")]
    Disconnected,
    /// Two databases claim to be this shop.
    #[error(
        "the store is halted, because two databases claim to be this shop: decide which one is"
    )]
    Forked,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store that a person named by its address or its key.
///
/// # Errors
/// When there is none, or it cannot be asked.
pub async fn named_store(
    relay: &Relay,
    tenant: TenantId,
    name: &str,
) -> Result<Integration, StartError> {
    let unknown = || StartError::Unknown(name.chars().take(200).collect());
    let mut tx = relay.db.read().await?;
    let id = match Uuid::try_parse(name) {
        Ok(id) => Some(id),
        Err(_) => match super::store_client::address(relay, name, "") {
            Ok(url) => integrations::at_address(&mut tx, tenant, url.normalised()).await?,
            Err(_) => None,
        },
    };
    let store = match id {
        Some(id) => integrations::get(&mut tx, tenant, id).await?,
        None => None,
    };
    tx.commit().await?;
    store.ok_or_else(unknown)
}

/// Begins a run, or joins the one of this kind that is under way; gives its key.
///
/// # Errors
/// See [`StartError`].
pub async fn start(
    relay: &Relay,
    tenant: TenantId,
    store: &Integration,
    kind: Kind,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Uuid, StartError> {
    if store.forked_at.is_some() {
        return Err(StartError::Forked);
    }
    if store.consumer_key.is_none() {
        return Err(StartError::Disconnected);
    }
    let kind = kind.as_str();
    let cursor = json!(Cursor::beginning(kind));
    let mut tx = relay.db.write().await?;
    let id = runs::ask(&mut tx, tenant, store.id, kind, &cursor, false, now).await?;
    audit::record(&mut tx, tenant, actor, &format!("sync.{kind}"), &store.store_url, now).await?;
    tx.commit().await?;
    relay.wake.of(Work::Sweep).notify_one();
    Ok(id)
}

/// Asks for every push that a store has still to get, and ends when they are through, or when those that are left
/// wait for a person or for a later time; they are its findings.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn push_inventory(
    relay: &Relay,
    tenant: TenantId,
    run: &Run,
    store: &Integration,
) -> Result<(), StoreError> {
    let held_reason = anew(|| ask_for_pushes(relay, tenant, run, store)).await?;
    relay.wake.of(Work::Push).notify_one();
    match held_reason {
        Some(reason) => put_off(relay, tenant, run, &reason, None).await,
        None => Ok(()),
    }
}

/// The same in one transaction; gives why nothing is pushed, where something is to be.
async fn ask_for_pushes(
    relay: &Relay,
    tenant: TenantId,
    run: &Run,
    store: &Integration,
) -> Result<Option<String>, StoreError> {
    let now = store::now();
    let mut tx = relay.db.write().await?;
    let here = integrations::lock(&mut tx, tenant, store.id).await?;
    let writable = here.is_some_and(|store| store.writable);
    for (piece,) in listings::forgotten(&mut tx, tenant, store.id).await? {
        pushes::ask(&mut tx, tenant, piece, now).await?;
    }
    let (left, soon) = pushes::count_open(&mut tx, tenant, store.id, now + SOON).await?;
    let reason = integrations::held_reason(&mut tx, tenant, store.id).await?;
    let shown = runs::get(&mut tx, tenant, run.id).await?;
    let seen = shown.as_ref().map_or(0, |shown| shown.seen);
    let total = shown.and_then(|shown| shown.total).unwrap_or(left).max(left + seen);
    let through = total - left - seen;
    let ends = left == 0 || (reason.is_none() && (soon == 0 || !writable));
    let skipped = if ends { left } else { 0 };
    let tally = Tally { seen: through + skipped, synced: through, skipped, ..Tally::default() };
    let until = now + TimeDelta::minutes(1);
    let held = run.held();
    if !runs::advance(&mut tx, tenant, held, &run.cursor, tally, Some(total), until).await? {
        return Ok(None);
    }
    if ends {
        let waiting = pushes::waiting(&mut tx, tenant, store.id, NAMED).await?;
        let skipped: Vec<_> = waiting.into_iter().map(|push| skip(push, writable)).collect();
        runs::find_all(&mut tx, tenant, run.id, &skipped).await?;
        runs::finish(&mut tx, tenant, held, now).await?;
        if left == 0 {
            integrations::synced(&mut tx, tenant, store.id, now).await?;
        }
    } else if reason.is_none() {
        let due = now + TimeDelta::from_std(LOOK_EVERY).unwrap_or_default();
        runs::put_back(&mut tx, tenant, held, &run.cursor, due).await?;
    }
    tx.commit().await?;
    Ok(reason.filter(|_| left > 0))
}

/// Why a push is not through although the run ends.
fn skip(push: pushes::Waiting, writable: bool) -> Finding {
    let reason = match push.detail {
        _ if !writable => "the store's key may only read".to_owned(),
        Some(detail) => detail,
        None => "it is tried later".to_owned(),
    };
    Finding {
        resource: Resource::Product.as_str().to_owned(),
        remote_id: push.stock_id,
        outcome: "skipped".to_owned(),
        label: push.sku,
        reason,
    }
}
