//! What handlers take from a request, refused as a page like every other error.

use axum::{
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{FormRejection, PathRejection, QueryRejection},
    },
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::error::PanelError;

/// The query.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

/// The parts of the path.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

/// A form that was sent.
#[derive(Debug)]
pub(super) struct Form<T>(pub(super) T);

/// After which item of a list a page begins, where nothing else is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct After {
    pub(super) after: String,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = PanelError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PanelError> {
        let taken = axum::extract::Query::from_request_parts(parts, state).await;
        let refuse = |refusal: QueryRejection| PanelError::BadRequest(refusal.body_text());
        taken.map(|axum::extract::Query(query)| Self(query)).map_err(refuse)
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = PanelError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PanelError> {
        let taken = axum::extract::Path::from_request_parts(parts, state).await;
        let refuse = |_: PathRejection| PanelError::NotFound("There is nothing at this address.");
        taken.map(|axum::extract::Path(path)| Self(path)).map_err(refuse)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = PanelError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PanelError> {
        let taken = axum::Form::from_request(request, state).await;
        let refuse = |refusal: FormRejection| PanelError::BadRequest(refusal.body_text());
        taken.map(|axum::Form(form)| Self(form)).map_err(refuse)
    }
}
