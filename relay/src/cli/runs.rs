//! `run`: what was brought over, pushed and compared, and what each run did not bring.

use clap::Subcommand;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    listed::{Paging, Table, inert, moment},
    named::OfJeweller,
};
use crate::{
    service::{Relay, admin, runs::watch},
    store::{
        page::Page,
        runs::{Finding, Shown},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the runs, the newest first
    List {
        #[command(flatten)]
        of: OfJeweller,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one run's report, with every row that was skipped or failed and why
    Show {
        /// The jeweller whose store it is of
        #[arg(long)]
        tenant: String,
        /// One that `list` shows
        id: Uuid,
    },
}

impl Command {
    /// Runs it; gives what to print, as JSON and for people.
    pub(super) async fn run(self, relay: &Relay) -> anyhow::Result<(Value, String)> {
        match self {
            Self::List { of, paging } => {
                let (tenant, store) = of.find(relay).await?;
                let page = watch::list(relay, tenant, store, paging.key()?, paging.limit).await?;
                let text = listed(&page);
                Ok((json!(page), text))
            }
            Self::Show { tenant, id } => {
                let tenant = admin::known_tenant(relay, &tenant).await?;
                let Some(run) = watch::find(relay, tenant, id).await? else {
                    anyhow::bail!("there is no run with this id: see `run list`")
                };
                let findings = watch::all_findings(relay, tenant, id).await?;
                let mut text = format!("{} of {}, {}", run.kind, run.store, standing(&run));
                text = format!("{text}\n{}", said(&run, &findings, findings.len()));
                Ok((json!({ "run": run, "findings": findings }), text))
            }
        }
    }
}

fn listed(page: &Page<Shown>) -> String {
    let heads =
        ["ID", "WHAT", "ASKED FOR", "SYNCED", "UNCHANGED", "SKIPPED", "FAILED", "STORE", "STANDS"];
    let mut table = Table::new(heads);
    for run in &page.items {
        let counts =
            [run.synced, run.unchanged, run.skipped, run.failed].map(|count| count.to_string());
        let [synced, unchanged, skipped, failed] = counts;
        let (id, kind, asked) = (run.id.to_string(), run.kind.clone(), moment(run.created_at));
        let store = run.store.clone();
        table.row([id, kind, asked, synced, unchanged, skipped, failed, store, standing(run)]);
    }
    table.told(page, "No run yet.")
}

fn standing(run: &Shown) -> String {
    match (run.finished_at, &run.error) {
        (Some(at), _) => format!("ended {}", moment(at)),
        (None, Some(error)) => format!("waits: {error}"),
        (None, None) => "under way".to_owned(),
    }
}

/// What a run came to and the first of its findings.
pub(super) fn said(run: &Shown, findings: &[Finding], first: usize) -> String {
    let mut lines = vec![format!(
        "Synced {} items, {} unchanged, {} skipped, {} failed.",
        run.synced, run.unchanged, run.skipped, run.failed
    )];
    lines.extend(findings.iter().take(first).map(|finding| {
        let Finding { resource, label, outcome, reason, .. } = finding;
        inert(&format!("  {resource} {label}: {outcome}, {reason}"))
    }));
    if findings.len() > first {
        let more = findings.len() - first;
        lines.push(format!("  and {more} more: see `run show {}`", run.id));
    }
    lines.join("\n")
}
