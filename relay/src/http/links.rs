//! `/api/links`: pieces that a shop brings and the ledger has already, and whose count holds.

use axum::{Json, extract::State};
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
        links::{self, ChooseError, Chosen, Holds, Link, Which},
        runs,
    },
    store::{
        self, IntegrationId,
        page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
    },
};

/// Which rows of the list.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    store: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// Whose count holds.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    holds: Holds,
}

/// The same for all that waits.
#[derive(Debug, Deserialize)]
pub(super) struct ChoiceForAll {
    holds: Holds,
    /// Only what waits in this store: its address or id.
    store: Option<String>,
}

/// `GET /api/links`: what waits for a choice, in one store if it is given.
pub(super) async fn list(
    State(app): State<App>,
    who: Bearer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Link>>, ApiError> {
    let after = key_cursor(query.after.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let store = named(&app, &who, query.store.as_deref()).await?;
    Ok(Json(links::waiting(&app.relay, who.tenant, store, after, limit).await?))
}

/// `POST /api/links/{id}`: whose count of one piece holds.
pub(super) async fn choose(
    State(app): State<App>,
    who: Bearer,
    Path(id): Path<Uuid>,
    Body(choice): Body<Choice>,
) -> Result<Json<Chosen>, ApiError> {
    decide(&app, &who, Which::One(id), choice.holds).await
}

/// `POST /api/links`: whose count holds of all that waits, in one store if it is given.
pub(super) async fn choose_all(
    State(app): State<App>,
    who: Bearer,
    Body(choice): Body<ChoiceForAll>,
) -> Result<Json<Chosen>, ApiError> {
    let store = named(&app, &who, choice.store.as_deref()).await?;
    decide(&app, &who, store.map_or(Which::All, Which::OfStore), choice.holds).await
}

async fn named(
    app: &App,
    who: &Bearer,
    store: Option<&str>,
) -> Result<Option<IntegrationId>, ApiError> {
    let Some(name) = store else { return Ok(None) };
    Ok(Some(runs::named_store(&app.relay, who.tenant, name).await?.id))
}

async fn decide(
    app: &App,
    who: &Bearer,
    which: Which,
    holds: Holds,
) -> Result<Json<Chosen>, ApiError> {
    let actor = who.actor();
    let done = links::choose(&app.relay, who.tenant, which, holds, &actor, store::now()).await?;
    Ok(Json(done))
}

impl From<ChooseError> for ApiError {
    fn from(error: ChooseError) -> Self {
        match error {
            ChooseError::Unknown => Self::NotFound("nothing with this id waits for a choice"),
            ChooseError::Unfit => Self::Conflict(error.to_string()),
            ChooseError::Store(error) => error.into(),
        }
    }
}
