//! `/api/integrations/woocommerce/…`: bringing over, pushing and comparing on demand, and what a person
//! decides.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{App, auth::Bearer, error::ApiError, extract::Body};
use crate::{
    service::{
        drift,
        runs::{self, Kind},
        store_policy::{self, Change},
    },
    store,
};

/// Which store.
#[derive(Debug, Deserialize)]
pub(super) struct Request {
    /// Its address, or its key.
    store: String,
    /// Only show what a push would change.
    #[serde(default)]
    dry_run: bool,
}

/// A run that was begun, or joined.
#[derive(Debug, Serialize)]
struct Begun {
    run_id: Uuid,
    progress: String,
}

/// `POST …/sync/products`.
pub(super) async fn products(app: State<App>, who: Bearer, body: Body<Request>) -> Answer {
    begin(app, who, body, Kind::Products).await
}

/// `POST …/sync/customers`.
pub(super) async fn customers(app: State<App>, who: Bearer, body: Body<Request>) -> Answer {
    begin(app, who, body, Kind::Customers).await
}

/// `POST …/sync/orders`.
pub(super) async fn orders(app: State<App>, who: Bearer, body: Body<Request>) -> Answer {
    begin(app, who, body, Kind::Orders).await
}

/// `POST …/sync/inventory`: with `dry_run` it only shows what would change.
pub(super) async fn inventory(app: State<App>, who: Bearer, body: Body<Request>) -> Answer {
    begin(app, who, body, Kind::Inventory).await
}

/// `POST …/reconcile`.
pub(super) async fn reconcile(app: State<App>, who: Bearer, body: Body<Request>) -> Answer {
    begin(app, who, body, Kind::Reconcile).await
}

type Answer = Result<Response, ApiError>;

async fn begin(
    State(app): State<App>,
    who: Bearer,
    Body(request): Body<Request>,
    kind: Kind,
) -> Answer {
    let store = runs::named_store(&app.relay, who.tenant, &request.store).await?;
    if request.dry_run && kind == Kind::Inventory {
        let changes = runs::dry_run(&app.relay, who.tenant, store.id).await?;
        return Ok(Json(json!({ "changes": changes })).into_response());
    }
    let actor = who.actor();
    let run_id = runs::start(&app.relay, who.tenant, &store, kind, &actor, store::now()).await?;
    let begun = Begun { run_id, progress: format!("/api/runs/{run_id}/progress") };
    Ok((StatusCode::ACCEPTED, Json(begun)).into_response())
}

/// `POST …/resume`: a person has looked and lets the store's pushes go.
pub(super) async fn resume(
    State(app): State<App>,
    who: Bearer,
    Body(request): Body<Request>,
) -> Result<StatusCode, ApiError> {
    let store = runs::named_store(&app.relay, who.tenant, &request.store).await?;
    let actor = who.actor();
    let now = store::now();
    if drift::resume(&app.relay, who.tenant, store.id, &actor, now).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::Conflict("the store's pushes are not held".to_owned()))
    }
}

/// A store's policies, as a person sets them.
#[derive(Debug, Deserialize)]
pub(super) struct PolicyRequest {
    /// Its address, or its key.
    store: String,
    /// What is to be otherwise.
    #[serde(flatten)]
    change: Change,
}

/// `POST …/policy`.
pub(super) async fn policy(
    State(app): State<App>,
    who: Bearer,
    Body(request): Body<PolicyRequest>,
) -> Result<StatusCode, ApiError> {
    if request.change.is_empty() {
        return Err(ApiError::BadRequest(
            "none of drift, marks and mark_fields is given".to_owned(),
        ));
    }
    let store = runs::named_store(&app.relay, who.tenant, &request.store).await?;
    let (actor, now) = (who.actor(), store::now());
    store_policy::set(&app.relay, who.tenant, store.id, request.change, &actor, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST …/accept`: a person says that the database which the shop has now is the shop.
pub(super) async fn accept(
    State(app): State<App>,
    who: Bearer,
    Body(request): Body<Request>,
) -> Result<StatusCode, ApiError> {
    let store = runs::named_store(&app.relay, who.tenant, &request.store).await?;
    let (actor, now) = (who.actor(), store::now());
    store_policy::accept_fork(&app.relay, who.tenant, &store, &actor, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
