//! `/integrations/runs/{id}`: what a run brought, what it did not and why, and how it gets on.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use uuid::Uuid;

use super::{
    Panel,
    error::PanelError,
    extract::Path,
    page::{Answer, Page, Shell, Tab},
    progress, show,
};
use crate::{
    service::{accounts::Person, runs::watch},
    store::runs::{Finding, Shown},
};

#[derive(Debug, Template)]
#[template(path = "run.html")]
struct RunPage {
    shell: Shell,
    run: Shown,
    findings: Vec<Finding>,
}

/// `GET /integrations/runs/{id}`
pub(super) async fn report(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let report = watch::report(&panel.relay, person.tenant, id).await?;
    let (run, findings) = report.ok_or(UNKNOWN)?;
    let shell = panel.shell(person, Tab::Integrations).await?;
    Ok(Page(RunPage { shell, run, findings }).into_response())
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
