//! `/api/customers`: who bought.

use axum::{Json, extract::State};
use serde::Deserialize;

use super::{App, auth::Bearer, error::ApiError, extract::Query, inventory::key_cursor};
use crate::store::{
    customers,
    page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
};

/// Which rows of the list.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /api/customers`: the newest first.
pub(super) async fn list(
    State(app): State<App>,
    who: Bearer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<customers::Shown>>, ApiError> {
    let before = key_cursor(query.after.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let mut tx = app.relay.db.read().await?;
    let page = customers::list(&mut tx, who.tenant, before, limit).await?;
    tx.commit().await?;
    Ok(Json(page))
}
