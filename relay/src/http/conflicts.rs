//! `/api/conflicts`: what only a person can decide.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    App,
    auth::Bearer,
    error::ApiError,
    extract::{Body, Path, Query},
    inventory::key_cursor,
};
use crate::{
    service::{
        conflict::{self, Decision},
        told::Conflict,
    },
    store::{
        self,
        page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
    },
};

/// Which rows of the list.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /api/conflicts`: oversales, and paid lines that never left the shop's stock, the newest first.
pub(super) async fn list(
    State(app): State<App>,
    who: Bearer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Conflict>>, ApiError> {
    let before = key_cursor(query.after.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    Ok(Json(conflict::open(&app.relay, who.tenant, before, limit).await?))
}

#[derive(Debug, Deserialize)]
pub(super) struct Decide {
    decision: Decision,
}

/// `POST /api/conflicts/{id}/decide`: of a paid line that never left the shop's stock `take` or `leave`
/// its units, of an oversale `acknowledge` it.
pub(super) async fn decide(
    State(app): State<App>,
    who: Bearer,
    Path(id): Path<Uuid>,
    Body(asked): Body<Decide>,
) -> Result<StatusCode, ApiError> {
    let (actor, now) = (who.actor(), store::now());
    conflict::decide(&app.relay, who.tenant, id, asked.decision, &actor, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
