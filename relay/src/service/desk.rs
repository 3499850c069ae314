//! How a store stands: what people look at before they do something with it.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    Relay,
    stores::{self, Overview},
};
use crate::store::{
    IntegrationId, StoreError, TenantId, Tx, drifts, integrations,
    integrations::Policies,
    links, pushes,
    runs::{self, Shown},
    spools::{self, Waiting},
};

/// A spool that has said nothing for so long is none that anything is still to come from.
const SILENT: TimeDelta = TimeDelta::days(1);

/// One store with all that is known of it.
#[derive(Debug)]
pub struct Standing {
    /// What it is and how it is reached.
    pub overview: Overview,
    /// What its spools have still to send; absent where none was ever heard of.
    pub spool: Option<Waiting>,
    /// Stocks that differ and wait for a person.
    pub drifts: i64,
    /// Pieces of which somebody has to say whose count holds.
    pub links: i64,
    /// Pushes that are not through.
    pub pushes: i64,
    /// Why its pushes wait for a person, if they do.
    pub held: Option<String>,
    /// What a person has decided about it.
    pub policies: Policies,
    /// The newest run of each kind that a person can ask for, and the sweep that is under way.
    pub runs: Vec<Run>,
}

/// A run with what went wrong first.
#[derive(Debug)]
pub struct Run {
    /// The run.
    pub run: Shown,
    /// The first thing that it could not bring over: what it is called, and why.
    pub failure: Option<(String, String)>,
}

impl Run {
    /// Whether it is under way, and not waiting after a failure.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.run.finished_at.is_none() && self.run.error.is_none()
    }
}

impl Standing {
    /// What a person asked for and is under way.
    #[must_use]
    pub fn running(&self) -> Option<&Run> {
        self.runs.iter().find(|run| run.run.kind != "sweep" && run.is_running())
    }

    /// The newest that a person asked for.
    #[must_use]
    pub fn newest(&self) -> Option<&Run> {
        let asked = self.runs.iter().filter(|run| run.run.kind != "sweep");
        asked.max_by_key(|run| (run.run.finished_at.is_none(), run.run.finished_at, run.run.id))
    }

    /// The sweep that is under way, and not waiting after a failure.
    #[must_use]
    pub fn sweep(&self) -> Option<&Run> {
        self.runs.iter().find(|run| run.run.kind == "sweep" && run.is_running())
    }
}

/// Every store of a tenant.
///
/// # Errors
/// When the database does not answer.
pub async fn all(
    relay: &Relay,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> Result<Vec<Standing>, StoreError> {
    let stores = stores::list(relay, tenant).await?;
    let mut tx = relay.db.read().await?;
    let mut standing = Vec::with_capacity(stores.len());
    for overview in stores {
        standing.push(of(&mut tx, tenant, overview, now).await?);
    }
    tx.commit().await?;
    Ok(standing)
}

/// One store of a tenant, if it is there.
///
/// # Errors
/// When the database does not answer.
pub async fn one(
    relay: &Relay,
    tenant: TenantId,
    id: IntegrationId,
    now: DateTime<Utc>,
) -> Result<Option<Standing>, StoreError> {
    let Some(overview) = stores::one(relay, tenant, id).await? else { return Ok(None) };
    let mut tx = relay.db.read().await?;
    let standing = of(&mut tx, tenant, overview, now).await?;
    tx.commit().await?;
    Ok(Some(standing))
}

async fn of(
    tx: &mut Tx,
    tenant: TenantId,
    overview: Overview,
    now: DateTime<Utc>,
) -> Result<Standing, StoreError> {
    let id: Uuid = overview.store.id;
    let mut shown = Vec::new();
    for kind in ["products", "customers", "orders", "inventory", "reconcile", "sweep"] {
        let Some(run) = runs::newest(tx, tenant, id, kind).await? else { continue };
        if kind == "sweep" && (run.finished_at.is_some() || run.seen == 0) {
            continue;
        }
        let failure =
            if run.failed > 0 { runs::first_failure(tx, tenant, run.id).await? } else { None };
        shown.push(Run { run, failure });
    }
    Ok(Standing {
        spool: spools::waiting(tx, tenant, id, now - SILENT).await?,
        drifts: drifts::count_held(tx, tenant, id).await?,
        links: links::count_waiting(tx, tenant, id, None).await?,
        pushes: pushes::count_open(tx, tenant, id, now).await?.0,
        held: integrations::held_reason(tx, tenant, id).await?,
        policies: integrations::policies(tx, tenant, id).await?,
        runs: shown,
        overview,
    })
}
