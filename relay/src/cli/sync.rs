//! `sync` and `reconcile`: a run with a progress bar, and its report.

use std::{convert::Infallible, time::Duration};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use uuid::Uuid;

use super::listed::inert;
use crate::{
    service::{
        Relay,
        adjust::OPERATOR,
        push_stock,
        runs::{self, Kind, watch},
        sweep,
    },
    store::{
        self, TenantId,
        integrations::{self, Integration},
        runs as rows, tenants,
    },
};

/// How often the run is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How a run is shown before and after it has said how much there is to do.
const COUNTED: &str = "{prefix:>10} {spinner} {pos} {elapsed} {msg}";
const MEASURED: &str = "{prefix:>10} [{bar:40}] {pos}/{len} {elapsed} {msg}";
/// Findings shown without `--json`.
const SHOWN: usize = 20;

/// Which store.
#[derive(Debug, Args)]
pub(super) struct Store {
    /// Its address
    #[arg(long)]
    pub(super) store: String,
    /// Whose it is, where several jewellers have the same store
    #[arg(long)]
    tenant: Option<String>,
}

/// Begins a run and stays until it has ended. Where no relay is serving, the work is done here.
pub(super) async fn run(
    relay: &Relay,
    store: &Store,
    kind: Kind,
    json: bool,
) -> anyhow::Result<()> {
    let tenant = tenant(relay, store).await?;
    let named = runs::named_store(relay, tenant, &store.store).await?;
    let id = runs::start(relay, tenant, &named, kind, OPERATOR, store::now()).await?;
    let bar = if json { ProgressBar::hidden() } else { bar(kind) };
    // What works here may take long until it looks up again.
    let run = tokio::select! {
        run = worked(relay, tenant, &named, kind, id) => run?,
        never = shown_on(&bar, relay, tenant, id) => match never {},
    };
    bar.finish_and_clear();
    report(relay, tenant, &run, json).await?;
    relay.db.close().await;
    anyhow::ensure!(run.failed == 0, "{} could not be brought over", run.failed);
    Ok(())
}

/// Works until the run has ended, here or at another relay.
async fn worked(
    relay: &Relay,
    tenant: TenantId,
    store: &Integration,
    kind: Kind,
    id: Uuid,
) -> anyhow::Result<rows::Shown> {
    loop {
        let pushed = match kind {
            Kind::Inventory => push_stock::push_due(relay, tenant, store.id).await? > 0,
            _ => false,
        };
        let swept = sweep::sweep_due(relay, tenant, store.id).await?;
        let run = show(relay, tenant, id).await?;
        if run.finished_at.is_some() {
            return Ok(run);
        }
        if !pushed && !swept {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// Shows how far the run is, for as long as somebody wants to know. What cannot be read now is read at the next look:
/// whether the work goes on is not decided here.
async fn shown_on(bar: &ProgressBar, relay: &Relay, tenant: TenantId, id: Uuid) -> Infallible {
    loop {
        if !bar.is_hidden()
            && let Ok(run) = show(relay, tenant, id).await
        {
            if let Some(total) = run.total.and_then(|total| u64::try_from(total).ok()) {
                if bar.length().is_none() {
                    bar.set_style(style(MEASURED));
                }
                bar.set_length(total);
            }
            bar.set_position(u64::try_from(run.seen).unwrap_or(0));
            bar.set_message(inert(&run.error.unwrap_or_default()));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Shows what a push of the inventory would change.
pub(super) async fn dry_run(relay: &Relay, store: &Store, json: bool) -> anyhow::Result<()> {
    let tenant = tenant(relay, store).await?;
    let named = runs::named_store(relay, tenant, &store.store).await?;
    let changes = runs::dry_run(relay, tenant, named.id).await?;
    if json {
        println!("{}", json!({ "changes": changes }));
    } else if changes.is_empty() {
        println!("Nothing would change.");
    } else {
        for change in &changes {
            println!("{}: {} -> {}", change.sku, change.shop, change.ledger);
        }
    }
    relay.db.close().await;
    Ok(())
}

/// Whose store is meant.
pub(super) async fn tenant(relay: &Relay, store: &Store) -> anyhow::Result<TenantId> {
    let mut tx = relay.db.read().await?;
    if let Some(name) = &store.tenant {
        let found = tenants::find(&mut tx, name).await?;
        return found.ok_or_else(|| anyhow::anyhow!("there is no tenant {name}"));
    }
    let url = crate::service::store_client::address(relay, &store.store, "")?;
    let mut owners = Vec::new();
    for tenant in tenants::all(&mut tx).await? {
        if integrations::at_address(&mut tx, tenant, url.normalised()).await?.is_some() {
            owners.push(tenant);
        }
    }
    match owners.as_slice() {
        [tenant] => Ok(*tenant),
        [] => anyhow::bail!("no store at {} is connected: see `doctor`", url.normalised()),
        _ => anyhow::bail!("several tenants have this store: say whose with --tenant"),
    }
}

async fn show(relay: &Relay, tenant: TenantId, id: Uuid) -> anyhow::Result<rows::Shown> {
    let mut tx = relay.db.read().await?;
    let run = rows::get(&mut tx, tenant, id).await?;
    run.ok_or_else(|| anyhow::anyhow!("the run is gone"))
}

async fn report(
    relay: &Relay,
    tenant: TenantId,
    run: &rows::Shown,
    json: bool,
) -> anyhow::Result<()> {
    let findings = watch::all_findings(relay, tenant, run.id).await?;
    if json {
        println!("{}", json!({ "run": run, "findings": findings }));
        return Ok(());
    }
    println!("{}", super::runs::said(run, &findings, SHOWN));
    Ok(())
}

/// How far a run is that has not said yet how much there is to do.
fn bar(kind: Kind) -> ProgressBar {
    ProgressBar::no_length().with_style(style(COUNTED)).with_prefix(kind.as_str())
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
