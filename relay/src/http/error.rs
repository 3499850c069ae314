//! The one error type of the API, and the one way it is answered: RFC 9457 problem details.

use std::any::Any;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    service::{
        adjust::AdjustError,
        conflict::ConflictError,
        connect::{ConnectError, by_key::KeyError},
        drift::DriftError,
        ingest::IngestError,
        leave::LeaveError,
        privacy::PrivacyError,
        runs::StartError,
        standing::StandingError,
        store_policy::AcceptError,
        webhooks::WebhooksError,
    },
    store::StoreError,
};

/// Why a request was refused. What a caller may know is in the text; what only the operator may know is
/// logged.
#[derive(Debug)]
pub enum ApiError {
    /// 400: what was sent breaks the contract; the text names the place.
    BadRequest(String),
    /// 401: no credential, an unknown or a revoked one, or a signature that does not fit. All alike.
    Unauthorized,
    /// 401: the signature fits, but the sender's clock is off.
    StaleTimestamp,
    /// 404.
    NotFound(&'static str),
    /// 405.
    NoSuchMethod,
    /// 409.
    Conflict(String),
    /// 413.
    TooLarge,
    /// 422.
    Unprocessable(String),
    /// 422, of a type of its own: a problem that a form shows beside what it is about.
    Refused(&'static str, String),
    /// 429, with the seconds to wait.
    TooFast(u64),
    /// 500: the cause is logged, not told.
    Internal(anyhow::Error),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        use StatusCode as S;
        let mut kind = "about:blank";
        let mut retry_after = None;
        let (status, detail) = match self {
            Self::BadRequest(detail) => (S::BAD_REQUEST, detail),
            Self::Unauthorized => (
                S::UNAUTHORIZED,
                "the credential is unknown or revoked, or the signature does not fit".to_owned(),
            ),
            Self::StaleTimestamp => {
                kind = "https://nexpura.com/problems/stale-timestamp";
                (
                    S::UNAUTHORIZED,
                    "the signature fits, but its timestamp is more than 5 minutes off: correct the clock"
                        .to_owned(),
                )
            }
            Self::NotFound(detail) => (S::NOT_FOUND, detail.to_owned()),
            Self::NoSuchMethod => {
                (S::METHOD_NOT_ALLOWED, "this address does not know that method".to_owned())
            }
            Self::Conflict(detail) => (S::CONFLICT, detail),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "the body is too large".to_owned()),
            Self::Unprocessable(detail) => (S::UNPROCESSABLE_ENTITY, detail),
            Self::Refused(of, detail) => {
                kind = of;
                (S::UNPROCESSABLE_ENTITY, detail)
            }
            Self::TooFast(seconds) => {
                retry_after = Some(seconds);
                (S::TOO_MANY_REQUESTS, format!("too many requests: wait {seconds} s"))
            }
            Self::Internal(error) => {
                tracing::error!(error = format!("{error:#}"), "request failed");
                (S::INTERNAL_SERVER_ERROR, "the relay failed; its log says why".to_owned())
            }
        };
        let title = status.canonical_reason().unwrap_or_default();
        let body = json!({
            "type": kind, "title": title, "status": status.as_u16(), "detail": detail,
        });
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<IngestError> for ApiError {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Malformed(detail) => Self::BadRequest(detail),
            IngestError::Unregistered => Self::Conflict(error.to_string()),
            IngestError::Store(error) => error.into(),
        }
    }
}

impl From<PrivacyError> for ApiError {
    fn from(error: PrivacyError) -> Self {
        match error {
            PrivacyError::NoEmail | PrivacyError::TooMany => Self::BadRequest(error.to_string()),
            PrivacyError::Unregistered => Self::Conflict(error.to_string()),
            PrivacyError::Store(error) => error.into(),
        }
    }
}

impl From<StandingError> for ApiError {
    fn from(error: StandingError) -> Self {
        match error {
            StandingError::TooMany => Self::BadRequest(error.to_string()),
            StandingError::Unregistered => Self::Conflict(error.to_string()),
            StandingError::Store(error) => error.into(),
        }
    }
}

impl From<ConnectError> for ApiError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Unverified => Self::Unprocessable(error.to_string()),
            ConnectError::Pinned(_) | ConnectError::Taken => Self::Conflict(error.to_string()),
            ConnectError::Store(error) => error.into(),
            ConnectError::Seal(error) => Self::Internal(error),
        }
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        let detail = error.to_string();
        match error {
            KeyError::Credentials(_) => {
                Self::Refused("https://nexpura.com/problems/invalid-credentials", detail)
            }
            KeyError::Unreachable(_) => {
                Self::Refused("https://nexpura.com/problems/unreachable-store", detail)
            }
            KeyError::Another => Self::Conflict(detail),
            KeyError::Store(error) => error.into(),
            KeyError::Seal(error) => Self::Internal(error),
        }
    }
}

impl From<AcceptError> for ApiError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::NotHalted | AcceptError::Shop(_) => Self::Conflict(error.to_string()),
            AcceptError::Store(error) => error.into(),
        }
    }
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Unknown(_) => Self::NotFound("there is no store of this address or id"),
            StartError::Disconnected | StartError::Forked => Self::Conflict(error.to_string()),
            StartError::Store(error) => error.into(),
        }
    }
}

impl From<AdjustError> for ApiError {
    fn from(error: AdjustError) -> Self {
        match error {
            AdjustError::Unknown => Self::NotFound("there is no piece with this SKU"),
            AdjustError::Quantity(_) | AdjustError::Note => Self::Unprocessable(error.to_string()),
            AdjustError::Counting | AdjustError::Same => Self::Conflict(error.to_string()),
            AdjustError::Store(error) => error.into(),
        }
    }
}

impl From<ConflictError> for ApiError {
    fn from(error: ConflictError) -> Self {
        match error {
            ConflictError::Unknown => {
                Self::NotFound("no conflict with this id waits for a decision")
            }
            ConflictError::Unfit(..) => Self::Unprocessable(error.to_string()),
            ConflictError::NotCounted => Self::Conflict(error.to_string()),
            ConflictError::Store(error) => error.into(),
        }
    }
}

impl From<DriftError> for ApiError {
    fn from(error: DriftError) -> Self {
        match error {
            DriftError::Unknown => Self::NotFound("no drift with this id waits for a decision"),
            DriftError::Changed
            | DriftError::Overtaken
            | DriftError::Unread(_)
            | DriftError::Frozen(_) => Self::Conflict(error.to_string()),
            DriftError::Store(error) => error.into(),
        }
    }
}

impl From<LeaveError> for ApiError {
    fn from(error: LeaveError) -> Self {
        match error {
            LeaveError::Unknown => Self::NotFound("there is no event with this id"),
            LeaveError::NoOrder | LeaveError::NotUnread => Self::Conflict(error.to_string()),
            LeaveError::Store(error) => error.into(),
        }
    }
}

impl From<WebhooksError> for ApiError {
    fn from(error: WebhooksError) -> Self {
        use WebhooksError as E;
        match error {
            E::Unknown => Self::NotFound("there is no such store"),
            E::Disconnected | E::Extension | E::Halted | E::NoAddress(_) | E::Busy => {
                Self::Conflict(error.to_string())
            }
            E::ReadOnly | E::Refused(_) | E::Channel(_) | E::Client(_) => {
                Self::Unprocessable(error.to_string())
            }
            E::Store(error) => error.into(),
            E::Secret(error) => Self::Internal(error),
        }
    }
}

/// 404 in the same shape as every other error.
pub(super) async fn no_such_route() -> ApiError {
    ApiError::NotFound("there is nothing at this address")
}

/// 405 in the same shape as every other error.
pub(super) async fn no_such_method() -> ApiError {
    ApiError::NoSuchMethod
}

/// A panic in a handler ends that request only.
pub(super) fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let cause = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    ApiError::Internal(anyhow::anyhow!("panic: {cause}")).into_response()
}
