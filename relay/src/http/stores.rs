//! `/api/integrations/woocommerce`: the stores, and how each tells of what happens in it.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{App, auth::Bearer, error::ApiError};
use crate::service::stores;

/// `GET /api/integrations/woocommerce`: all stores of the tenant.
pub(super) async fn list(State(app): State<App>, who: Bearer) -> Result<Json<Value>, ApiError> {
    let items = stores::all(&app.relay, who.tenant).await?;
    Ok(Json(json!({ "items": items, "next": null })))
}
