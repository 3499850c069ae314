//! `/api/drift`: stocks that were not what the ledger expected, and what a person decides of them.

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    App,
    auth::Bearer,
    error::ApiError,
    extract::{Path, Query},
};
use crate::{
    domain::Quantity,
    service::drift::{self, Verdict},
    store::{
        self, drifts,
        page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
    },
};

/// Which rows of the list.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    status: Option<String>,
    limit: Option<i64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Drift {
    id: Uuid,
    store: String,
    sku: Option<String>,
    stock_id: i64,
    expected: Quantity,
    found: Quantity,
    status: String,
    created_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
}

/// `GET /api/drift`: the newest first, those of one status if it is given.
pub(super) async fn list(
    State(app): State<App>,
    who: Bearer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Drift>>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let mut tx = app.relay.db.read().await?;
    let rows = match &query.status {
        Some(status) => drifts::of_status(&mut tx, who.tenant, status, limit).await?,
        None => drifts::all(&mut tx, who.tenant, Uuid::max(), limit).await?,
    };
    tx.commit().await?;
    let items = rows.into_iter().map(shown).collect();
    Ok(Json(Page { items, next: None }))
}

/// `POST /api/drift/{id}/adopt`: the shop's number counts.
pub(super) async fn adopt(
    app: State<App>,
    who: Bearer,
    id: Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    decide(app, who, id, Verdict::Adopt).await
}

/// `POST /api/drift/{id}/push`: the ledger's number counts.
pub(super) async fn push(
    app: State<App>,
    who: Bearer,
    id: Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    decide(app, who, id, Verdict::Push).await
}

async fn decide(
    State(app): State<App>,
    who: Bearer,
    Path(id): Path<Uuid>,
    verdict: Verdict,
) -> Result<StatusCode, ApiError> {
    let actor = who.actor();
    if drift::decide(&app.relay, who.tenant, id, verdict, &actor, store::now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound("no drift with this id waits for a decision"))
    }
}

fn shown(row: drifts::Shown) -> Drift {
    Drift {
        id: row.id,
        store: row.store,
        sku: row.sku,
        stock_id: row.stock_id,
        expected: Quantity::from_thousandths(row.mirror),
        found: Quantity::from_thousandths(row.reading),
        status: row.status,
        created_at: row.created_at,
        resolved_at: row.resolved_at,
    }
}
