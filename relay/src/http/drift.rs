//! `/api/drift`: stocks that were not what the ledger expected, and what a person decides of them.

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
        adjust::By,
        drift::{self, Verdict},
        told::Drift,
    },
    store::{
        self,
        drifts::{self, Wanted},
        page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
    },
};

/// Which rows of the list.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    status: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /api/drift`: the newest first, those of one status if it is given.
pub(super) async fn list(
    State(app): State<App>,
    who: Bearer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Drift>>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let before = key_cursor(query.after.as_deref())?.unwrap_or(Uuid::max());
    let mut tx = app.relay.db.read().await?;
    let rows = match &query.status {
        Some(status) => drifts::of_status(&mut tx, who.tenant, status, before, limit + 1).await?,
        None => {
            let all = Wanted::default();
            let found = drifts::found(&mut tx, who.tenant, &all, true, before, limit + 1).await?;
            found.into_iter().map(|found| found.drift).collect()
        }
    };
    tx.commit().await?;
    let rows = rows.into_iter().map(Drift::from).collect();
    Ok(Json(Page::cut(rows, limit, |drift: &Drift| drift.id.to_string())))
}

/// What was looked at.
#[derive(Debug, Deserialize)]
pub(super) struct Decided {
    seen: i64,
}

/// `POST /api/drift/{id}/adopt`: the shop's number counts.
pub(super) async fn adopt(
    app: State<App>,
    who: Bearer,
    id: Path<Uuid>,
    body: Body<Decided>,
) -> Result<StatusCode, ApiError> {
    decide(app, who, id, (Verdict::Adopt, body)).await
}

/// `POST /api/drift/{id}/push`: the ledger's number counts.
pub(super) async fn push(
    app: State<App>,
    who: Bearer,
    id: Path<Uuid>,
    body: Body<Decided>,
) -> Result<StatusCode, ApiError> {
    decide(app, who, id, (Verdict::Push, body)).await
}

async fn decide(
    State(app): State<App>,
    who: Bearer,
    Path(id): Path<Uuid>,
    (verdict, Body(Decided { seen })): (Verdict, Body<Decided>),
) -> Result<StatusCode, ApiError> {
    let by = By::Token(who.token);
    drift::decide(&app.relay, who.tenant, id, (verdict, seen), by, store::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
