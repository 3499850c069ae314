//! `/integrations/{id}/runs` and `/integrations/runs/{id}`: a store's runs, what each brought, what it did not and why,
//! and how one gets on.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Panel, csv,
    error::PanelError,
    extract::{After, Path, Query},
    link::Link,
    page::{Answer, Page, Shell, Tab},
    progress, show, words,
};
use crate::{
    service::{accounts::Person, runs::watch},
    store::{
        integrations::Integration,
        page::DEFAULT_LIMIT,
        runs::{Finding, Shown},
    },
};

/// Which of a store's runs, as the list's form sends it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    kind: String,
    after: String,
}

impl Asked {
    /// What is no kind says nothing.
    fn kind(&self) -> Option<&'static str> {
        progress::KINDS.iter().find(|(kind, _)| *kind == self.kind).map(|(kind, _)| *kind)
    }
}

#[derive(Debug, Template)]
#[template(path = "runs.html")]
struct RunsPage {
    shell: Shell,
    store: Integration,
    asked: Asked,
    runs: Vec<Shown>,
    first: Option<Link>,
    next: Option<Link>,
}

/// `GET /integrations/{id}/runs`: a store's runs, the newest first.
pub(super) async fn list(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    Query(asked): Query<Asked>,
) -> Answer {
    let store = panel.store(&person, id).await?;
    let (relay, tenant, kind) = (&panel.relay, person.tenant, asked.kind());
    let page = watch::of_store(relay, tenant, id, kind, &asked.after, DEFAULT_LIMIT).await?;
    let shell = panel.shell(person, Tab::Integrations).await?;
    let here = Link::to(words::runs(&id)).with("kind", kind.unwrap_or_default());
    let (first, next) = here.pages(&asked.after, page.next);
    Ok(Page(RunsPage { shell, store, asked, runs: page.items, first, next }).into_response())
}

#[derive(Debug, Template)]
#[template(path = "run.html")]
struct RunPage {
    shell: Shell,
    run: Shown,
    findings: Vec<Finding>,
    first: Option<Link>,
    next: Option<Link>,
}

impl RunPage {
    /// Whether there was something to be listed, which is too long ago to be kept.
    fn is_forgotten(&self) -> bool {
        let left = self.run.skipped > 0 || self.run.failed > 0;
        left && self.run.finished_at.is_some() && self.findings.is_empty() && self.first.is_none()
    }
}

/// `GET /integrations/runs/{id}`
pub(super) async fn report(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    Query(After { after }): Query<After>,
) -> Answer {
    let report = watch::report(&panel.relay, person.tenant, id, &after, DEFAULT_LIMIT).await?;
    let (run, page) = report.ok_or(UNKNOWN)?;
    let shell = panel.shell(person, Tab::Integrations).await?;
    let (first, next) = Link::to(words::run(&id)).pages(&after, page.next);
    Ok(Page(RunPage { shell, run, findings: page.items, first, next }).into_response())
}

/// `GET /integrations/runs/{id}/findings.csv`: all that it did not take over.
pub(super) async fn export(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    watch::find(&panel.relay, person.tenant, id).await?.ok_or(UNKNOWN)?;
    let heads = ["Outcome", "What", "Name", "Number in the shop", "Why"];
    Ok(csv::send("report", &heads, row, move |after| {
        let relay = panel.relay.clone();
        async move { watch::findings(&relay, person.tenant, id, &after, csv::A_PAGE).await }
    }))
}

fn row(finding: Finding) -> Vec<String> {
    let Finding { resource, remote_id, outcome, label, reason } = finding;
    vec![outcome, resource, label, remote_id.to_string(), reason]
}

/// `GET /integrations/runs/{id}/progress`: server-sent events until it has ended.
pub(super) async fn progress(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    watch::find(&panel.relay, person.tenant, id).await?.ok_or(UNKNOWN)?;
    let moves = watch::moves(panel.relay.clone(), person.tenant, id);
    Ok(panel.tell(person, progress::events(moves)))
}

const UNKNOWN: PanelError = PanelError::NotFound("There is no such run here.");
