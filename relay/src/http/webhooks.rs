//! WooCommerce's own webhooks: their deliveries, authenticated by signature alone, and setting them up.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, header},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    App,
    auth::{self, Bearer},
    error::ApiError,
    extract::{Path, Query},
    shop::whole,
};
use crate::{
    channel::woocommerce::delivery::{self, HEADER_SIGNATURE, HEADER_TOPIC, Subject},
    service::{runs, stores, webhooks},
    store::{self, IntegrationId},
};

/// The connection, where the address has no place for it.
#[derive(Debug, Deserialize)]
pub(super) struct Addressed {
    #[serde(default)]
    connection: String,
}

/// Which store; the only one there is, if it says nothing.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    store: Option<String>,
}

/// `POST /api/integrations/woocommerce/webhook/{connection id}`: a delivery or a ping.
pub(super) async fn receive(
    State(app): State<App>,
    Path(connection): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    take(&app, &connection, &headers, &whole(body)?).await
}

/// `POST /api/integrations/woocommerce/webhooks/handle?connection=…`: the same.
pub(super) async fn handle(
    State(app): State<App>,
    Query(addressed): Query<Addressed>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    take(&app, &addressed.connection, &headers, &whole(body)?).await
}

async fn take(
    app: &App,
    connection: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Json<Value>, ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signed = headers.contains_key(HEADER_SIGNATURE);
    if delivery::is_ping(text(header::CONTENT_TYPE.as_str()), signed, body) {
        return Ok(Json(json!({ "status": "reached" })));
    }
    let shop = auth::webhook(app, connection, text(HEADER_SIGNATURE), body).await?;
    let subject = Subject::read(text(HEADER_TOPIC), body);
    let received =
        webhooks::receive(&app.relay, shop.tenant, shop.integration, subject, body, store::now())
            .await?;
    metrics::counter!("nexpura_deliveries_total", "status" => received.as_str()).increment(1);
    Ok(Json(json!({ "status": received.as_str() })))
}

/// `POST /api/integrations/woocommerce/webhooks/setup`: registers a store's webhooks under a new secret.
pub(super) async fn setup(
    State(app): State<App>,
    who: Bearer,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let store = named(&app, &who, &whole(body)?).await?;
    let actor = format!("token {}", who.token);
    let report = webhooks::setup(&app.relay, who.tenant, store, &actor).await?;
    let shown = stores::one(&app.relay, who.tenant, store).await?;
    Ok(Json(json!({ "store": shown, "report": report })))
}

/// `POST /api/integrations/woocommerce/webhooks/remove`: removes them; the store is swept instead.
pub(super) async fn remove(
    State(app): State<App>,
    who: Bearer,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let store = named(&app, &who, &whole(body)?).await?;
    let actor = format!("token {}", who.token);
    let removed = webhooks::switch_off(&app.relay, who.tenant, store, &actor).await?;
    let shown = stores::one(&app.relay, who.tenant, store).await?;
    Ok(Json(json!({ "store": shown, "removed": removed })))
}

async fn named(app: &App, who: &Bearer, body: &[u8]) -> Result<IntegrationId, ApiError> {
    let which: Which = if body.is_empty() {
        Which::default()
    } else {
        serde_json::from_slice(body)
            .map_err(|error| ApiError::BadRequest(format!("the body is malformed: {error}")))?
    };
    if let Some(name) = which.store {
        return Ok(runs::named_store(&app.relay, who.tenant, &name).await?.id);
    }
    match &stores::list(&app.relay, who.tenant).await?[..] {
        [only] => Ok(only.store.id),
        _ => Err(ApiError::Unprocessable("store: say which one is meant".to_owned())),
    }
}
