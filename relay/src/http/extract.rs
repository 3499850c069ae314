//! What handlers take from a request, refused in the one shape of every other error.

use axum::{
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// The query.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

/// The parts of the path.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

/// The body.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let taken = axum::extract::Query::from_request_parts(parts, state).await;
        let refuse = |refusal: QueryRejection| ApiError::BadRequest(refusal.body_text());
        taken.map(|axum::extract::Query(query)| Self(query)).map_err(refuse)
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let taken = axum::extract::Path::from_request_parts(parts, state).await;
        let refuse = |refusal: PathRejection| ApiError::BadRequest(refusal.body_text());
        taken.map(|axum::extract::Path(path)| Self(path)).map_err(refuse)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let taken = axum::Json::from_request(request, state).await;
        let refuse = |refusal: JsonRejection| match refusal.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
            _ => ApiError::BadRequest(refusal.body_text()),
        };
        taken.map(|axum::Json(body)| Self(body)).map_err(refuse)
    }
}
