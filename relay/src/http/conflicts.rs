//! `/api/conflicts`: what only a person can decide.

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    App,
    auth::Bearer,
    error::ApiError,
    extract::{Body, Path},
};
use crate::{
    domain::Quantity,
    service::conflict::{self, Decision},
    store::{self, conflicts, page::Page},
};

/// Conflicts in the list.
const LISTED: i64 = 500;

#[derive(Debug, Serialize)]
pub(super) struct Conflict {
    id: Uuid,
    kind: String,
    sku: Option<String>,
    sale_id: Option<Uuid>,
    order_number: Option<String>,
    quantity: Quantity,
    created_at: DateTime<Utc>,
}

/// `GET /api/conflicts`: oversales, and paid lines that never left the shop's stock.
pub(super) async fn list(
    State(app): State<App>,
    who: Bearer,
) -> Result<Json<Page<Conflict>>, ApiError> {
    let mut tx = app.relay.db.read().await?;
    let rows = conflicts::open(&mut tx, who.tenant, LISTED).await?;
    tx.commit().await?;
    let shown = |row: conflicts::Shown| Conflict {
        id: row.id,
        kind: row.kind,
        sku: row.sku,
        sale_id: row.sale_id,
        order_number: row.order_number,
        quantity: Quantity::from_thousandths(row.quantity),
        created_at: row.created_at,
    };
    Ok(Json(Page { items: rows.into_iter().map(shown).collect(), next: None }))
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
