//! `/api/events`: what arrived, what became of it, and trying it again or leaving it.

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    App,
    auth::Bearer,
    error::ApiError,
    extract::{Path, Query},
    inventory::cursor,
};
use crate::{
    service::{
        events, leave,
        retry::{self, Retry},
        told::Event,
    },
    store::{
        self, inbox,
        page::{DEFAULT_LIMIT, MAX_LIMIT, Page, read_moment_key},
    },
};

/// Which rows of the list.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    status: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /api/events`: the newest first, those of one status if it is given.
pub(super) async fn list(
    State(app): State<App>,
    who: Bearer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<inbox::Entry>>, ApiError> {
    let after = cursor(query.after.as_deref())?.map(|text| key(&text)).transpose()?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let mut tx = app.relay.db.read().await?;
    let status = query.status.as_deref();
    let page = inbox::list(&mut tx, who.tenant, status, after, limit).await?;
    tx.commit().await?;
    Ok(Json(page))
}

/// `GET /api/events/{id}`: one with what it brought.
pub(super) async fn show(
    State(app): State<App>,
    who: Bearer,
    Path(id): Path<Uuid>,
) -> Result<Json<Event>, ApiError> {
    let event = events::whole(&app.relay, who.tenant, id).await?;
    Ok(Json(event.ok_or(UNKNOWN)?.into()))
}

/// How many are tried again.
#[derive(Debug, Serialize)]
pub(super) struct Retried {
    retried: u64,
}

/// `POST /api/events/retry`: everything that failed is fetched again at once.
pub(super) async fn retry_failed(
    State(app): State<App>,
    who: Bearer,
) -> Result<Json<Retried>, ApiError> {
    let (actor, now) = (who.actor(), store::now());
    let retried = retry::retry_failed(&app.relay, who.tenant, &actor, now).await?;
    Ok(Json(Retried { retried }))
}

/// `POST /api/events/{id}/retry`: the thing is fetched again at once.
pub(super) async fn retry(
    State(app): State<App>,
    who: Bearer,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let actor = who.actor();
    match retry::retry(&app.relay, who.tenant, id, &actor, store::now()).await? {
        Retry::Queued => Ok(StatusCode::ACCEPTED),
        Retry::Unknown => Err(UNKNOWN),
        Retry::NeedsDecision => Err(ApiError::Conflict(
            "a nonce cannot be tried again: decide which of the two databases is the shop"
                .to_owned(),
        )),
        Retry::NotUnderstood => Err(ApiError::Conflict(
            "this event does not say what it is about, so there is nothing to ask the shop for: its \
             detail says what is wrong with it"
                .to_owned(),
        )),
    }
}

/// `POST /api/events/{id}/leave`: nothing waits for the order any more.
pub(super) async fn leave(
    State(app): State<App>,
    who: Bearer,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let actor = who.actor();
    leave::leave(&app.relay, who.tenant, id, &actor, store::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

const UNKNOWN: ApiError = ApiError::NotFound("there is no event with this id");

fn key(text: &str) -> Result<(DateTime<Utc>, Uuid), ApiError> {
    let refuse = || ApiError::BadRequest("after: expected the `next` of another page".to_owned());
    read_moment_key(text).ok_or_else(refuse)
}
