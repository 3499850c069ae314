//! Whether the relay lives, whether it can work, and how it does.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};

use super::{App, error::ApiError};
use crate::store::tenants;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the database answers too.
pub(super) async fn ready(State(app): State<App>) -> Result<&'static str, StatusCode> {
    let check = async {
        let mut tx = app.relay.db.read().await?;
        tenants::find(&mut tx, "").await?;
        tx.commit().await
    };
    check.await.map(|()| "ready\n").map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

/// `GET /metrics`: Prometheus text.
pub(super) async fn metrics(State(app): State<App>) -> Result<String, ApiError> {
    Ok(app.metrics.render())
}

/// Counts requests and their time by route, method and status; never by anything a caller chooses.
pub(super) async fn measure(request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    // A caller may make up methods; axum knows these.
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
    let method = known.into_iter().find(|known| *known == request.method().as_str());
    let method = method.unwrap_or("other").to_owned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let labels =
        [("route", route), ("method", method), ("status", response.status().as_u16().to_string())];
    metrics::counter!("nexpura_requests_total", &labels).increment(1);
    metrics::histogram!("nexpura_request_seconds", &labels).record(begun.elapsed().as_secs_f64());
    response
}
