//! `/api/conflicts`: what only a person can decide.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    App,
    auth::Bearer,
    error::ApiError,
    extract::{Body, Path},
};
use crate::{
    service::{
        conflict::{self, Decision},
        told::Conflict,
    },
    store::{self, conflicts, page::Page},
};

/// Conflicts in the list.
const LISTED: i64 = 500;

/// `GET /api/conflicts`: oversales, and paid lines that never left the shop's stock.
pub(super) async fn list(
    State(app): State<App>,
    who: Bearer,
) -> Result<Json<Page<Conflict>>, ApiError> {
    let mut tx = app.relay.db.read().await?;
    let rows = conflicts::open(&mut tx, who.tenant, LISTED).await?;
    tx.commit().await?;
    Ok(Json(Page { items: rows.into_iter().map(Conflict::from).collect(), next: None }))
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
