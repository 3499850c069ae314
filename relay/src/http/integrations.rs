//! `/api/integrations`: the tenant's stores; connecting one by its key, testing and disconnecting it.

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, auth::Bearer, error::ApiError, extract::Body};
use crate::{
    service::{
        connect::{
            by_key::{self, Connected},
            farewell::{self, Disconnected},
        },
        desk, runs,
        told::Store,
    },
    store::{self, integrations::Integration},
};

/// Which store.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    /// Its address or id.
    store: String,
}

/// `GET /api/integrations`: every store, how it stands, how it is reached and what waits for a person in it.
pub(super) async fn list(State(app): State<App>, who: Bearer) -> Result<Json<Value>, ApiError> {
    let stores = desk::all(&app.relay, who.tenant, store::now()).await?;
    let items: Vec<Store> = stores.iter().map(Store::from).collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

/// `POST …/connect`: a store by its address and key, verified before anything is stored.
pub(super) async fn connect(
    State(app): State<App>,
    who: Bearer,
    Body(request): Body<by_key::Request>,
) -> Result<Json<Connected>, ApiError> {
    let shown = by_key::verify(&app.relay, who.tenant, &request).await?;
    let actor = format!("token {}", who.token);
    Ok(Json(by_key::keep(&app.relay, who.tenant, &shown, &actor, store::now()).await?))
}

/// `POST …/test`: whether the key still works, and what it may do.
pub(super) async fn test(
    State(app): State<App>,
    who: Bearer,
    Body(named): Body<Named>,
) -> Result<Json<Connected>, ApiError> {
    let store = find(&app, &who, &named).await?;
    Ok(Json(by_key::test(&app.relay, who.tenant, &store, store::now()).await?))
}

/// `POST …/disconnect`: its secrets go, its history stays.
pub(super) async fn disconnect(
    State(app): State<App>,
    who: Bearer,
    Body(named): Body<Named>,
) -> Result<Json<Disconnected>, ApiError> {
    let store = find(&app, &who, &named).await?;
    let actor = format!("token {}", who.token);
    let done = farewell::disconnect(&app.relay, who.tenant, &store, &actor, store::now()).await?;
    Ok(Json(done))
}

async fn find(app: &App, who: &Bearer, named: &Named) -> Result<Integration, ApiError> {
    Ok(runs::named_store(&app.relay, who.tenant, &named.store).await?)
}
