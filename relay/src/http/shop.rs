//! What shops send: pushes, and hello and goodbye. All signed, verified over the raw bytes.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
};
use nexpura_protocol::{Answer, Resource};
use serde::{Deserialize, de::DeserializeOwned};

use super::{App, auth, error::ApiError};
use crate::{
    service::{
        connect::{self, Connected},
        ingest::{self, IngestError, Pusher},
        privacy::{self, Erased, Held, Person},
        standing::{self, Asked, Told},
    },
    store,
};

/// `POST /v1/push`: events, or a heartbeat.
pub(super) async fn push(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Answer>, ApiError> {
    let body = whole(body)?;
    let shop = auth::shop(&app, &headers, &body).await?;
    let integration = shop.integration.ok_or(IngestError::Unregistered)?;
    let pusher = Pusher { tenant: shop.tenant, connection: shop.connection, integration };
    let answer = ingest::push(&app.relay, pusher, &body, store::now()).await?;
    for outcome in &answer.results {
        metrics::counter!("nexpura_events_total", "status" => outcome.status.as_str()).increment(1);
    }
    Ok(Json(answer))
}

/// `POST /v1/connect`: a shop registers with its key.
pub(super) async fn connect(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Connected>, ApiError> {
    let body = whole(body)?;
    let shop = auth::shop(&app, &headers, &body).await?;
    let request = read(&body)?;
    let now = store::now();
    let connected =
        connect::connect(&app.relay, shop.tenant, shop.connection, &request, now).await?;
    Ok(Json(connected))
}

/// `POST /v1/disconnect`: the connection ends.
pub(super) async fn disconnect(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, ApiError> {
    let body = whole(body)?;
    let shop = auth::shop(&app, &headers, &body).await?;
    let farewell = read(&body)?;
    let now = store::now();
    if connect::disconnect(&app.relay, shop.tenant, shop.connection, &farewell, now).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::Conflict("this connection belongs to another store".to_owned()))
    }
}

/// `POST /v1/status`: how the shop and some of its orders and products stand in the ledger.
pub(super) async fn status(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Told>, ApiError> {
    let body = whole(body)?;
    let (shop, integration) = auth::screen(&app, &headers, &body).await?;
    let asked: Asked = read(&body)?;
    Ok(Json(standing::tell(&app.relay, shop.tenant, integration, &asked).await?))
}

/// Which thing of the shop.
#[derive(Debug, Deserialize)]
struct Thing {
    resource: String,
    id: u64,
}

/// `POST /v1/retry`: the relay reads one order, product or customer of the shop again.
pub(super) async fn retry(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, ApiError> {
    let body = whole(body)?;
    let (shop, integration) = auth::screen(&app, &headers, &body).await?;
    let thing: Thing = read(&body)?;
    let known = thing.resource.parse().ok().filter(|known| *known != Resource::Lineage);
    let resource: Resource = known.ok_or_else(|| {
        ApiError::BadRequest("resource: expected order, product or customer".to_owned())
    })?;
    let (thing, now) = ((resource, thing.id), store::now());
    standing::again(&app.relay, shop.tenant, integration, thing, now).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `POST /v1/person`: what the ledger holds of a person because of the shop.
pub(super) async fn person(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Held>, ApiError> {
    let body = whole(body)?;
    let (shop, integration) = auth::screen(&app, &headers, &body).await?;
    let person: Person = read(&body)?;
    Ok(Json(privacy::tell(&app.relay, shop.tenant, integration, &person).await?))
}

/// `POST /v1/erase`: the ledger forgets a person who bought in the shop.
pub(super) async fn erase(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Erased>, ApiError> {
    let body = whole(body)?;
    let (shop, integration) = auth::screen(&app, &headers, &body).await?;
    let person: Person = read(&body)?;
    let (relay, now) = (&app.relay, store::now());
    let erased =
        privacy::erase(relay, shop.tenant, shop.connection, integration, &person, now).await?;
    Ok(Json(erased))
}

pub(super) fn whole(body: Result<Bytes, BytesRejection>) -> Result<Bytes, ApiError> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        _ => ApiError::BadRequest("the body did not arrive whole".to_owned()),
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body)
        .map_err(|error| ApiError::BadRequest(format!("the body is malformed: {error}")))
}
