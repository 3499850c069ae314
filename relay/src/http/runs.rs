//! `/api/runs`: what was brought over, what was found, and how a run gets on.

use std::convert::Infallible;

use axum::{
    Json,
    extract::State,
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    AS_IT_COMES, App,
    auth::Bearer,
    error::ApiError,
    extract::{Path, Query},
    inventory::{cursor, key_cursor},
};
use crate::{
    service::runs::{self, watch},
    store::{
        page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
        runs::{Finding, Shown},
    },
};

/// A run with a page of what it found.
#[derive(Debug, Serialize)]
pub(super) struct Whole {
    #[serde(flatten)]
    run: Shown,
    findings: Vec<Finding>,
    next: Option<String>,
}

/// Which of a run's findings.
#[derive(Debug, Deserialize)]
pub(super) struct Part {
    after: Option<String>,
    limit: Option<i64>,
}

/// Which rows of the list.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    store: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /api/runs`: the newest first, those of one store if it is given.
pub(super) async fn list(
    State(app): State<App>,
    who: Bearer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Shown>>, ApiError> {
    let before = key_cursor(query.after.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let store = match &query.store {
        Some(name) => Some(runs::named_store(&app.relay, who.tenant, name).await?.id),
        None => None,
    };
    Ok(Json(watch::list(&app.relay, who.tenant, store, before, limit).await?))
}

/// `GET /api/runs/{id}`: one run with a page of its report.
pub(super) async fn show(
    State(app): State<App>,
    who: Bearer,
    Path(id): Path<Uuid>,
    Query(Part { after, limit }): Query<Part>,
) -> Result<Json<Whole>, ApiError> {
    cursor(after.as_deref())?;
    let (after, limit) = (after.unwrap_or_default(), limit.unwrap_or(DEFAULT_LIMIT));
    let limit = limit.clamp(1, MAX_LIMIT);
    let report = watch::report(&app.relay, who.tenant, id, &after, limit).await?;
    let (run, Page { items: findings, next }) = report.ok_or(UNKNOWN)?;
    Ok(Json(Whole { run, findings, next }))
}

/// `GET /api/runs/{id}/progress`: server-sent events, one whenever the run has moved, until it has ended.
pub(super) async fn progress(
    State(app): State<App>,
    who: Bearer,
    Path(id): Path<Uuid>,
) -> Result<impl IntoResponse, ApiError> {
    watch::find(&app.relay, who.tenant, id).await?.ok_or(UNKNOWN)?;
    let events = watch::moves(app.relay, who.tenant, id).map(|run| {
        let event = if run.finished_at.is_some() { "done" } else { "progress" };
        Ok::<_, Infallible>(Event::default().event(event).json_data(run).unwrap_or_default())
    });
    Ok((AS_IT_COMES, Sse::new(events).keep_alive(KeepAlive::default())))
}

const UNKNOWN: ApiError = ApiError::NotFound("there is no run with this id");
