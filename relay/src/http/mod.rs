//! The machine API: what shops push, and what other systems read. Every route is on this page.

mod auth;
mod conflicts;
mod customers;
mod drift;
mod error;
mod events;
mod extract;
mod health;
mod integrations;
mod inventory;
mod links;
mod openapi;
mod runs;
mod sales;
mod shop;
mod sync;
mod webhooks;

use std::time::Duration;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, Request},
    middleware,
    routing::{get, post},
};
use metrics_exporter_prometheus::PrometheusHandle;
use nexpura_protocol::batch::MAX_BYTES;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer, trace::TraceLayer};

pub use crate::limit::Limits;
pub use error::ApiError;

use crate::service::Relay;

/// Largest body of any request but a push.
const MAX_SMALL_BODY: usize = 64 * 1024;
/// How long any request may take, the verification of a store included.
const DEADLINE: Duration = Duration::from_secs(60);

/// Goes with server-sent events: without it a web server in front keeps them back until there are many of them.
pub(crate) const AS_IT_COMES: [(&str, &str); 1] = [("x-accel-buffering", "no")];

/// What the handlers work with.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub relay: Relay,
    /// How fast one connection or token may ask.
    pub limits: Limits,
    /// How fast one shop's screens may ask.
    pub screens: Limits,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
}

/// Every route of the relay: those of the API here, and `pages` beside them.
pub fn router(app: App, pages: Router) -> Router {
    let shop = Router::new()
        .route("/v1/push", post(shop::push))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .merge(
            Router::new()
                .route("/v1/connect", post(shop::connect))
                .route("/v1/disconnect", post(shop::disconnect))
                .route("/v1/status", post(shop::status))
                .route("/v1/retry", post(shop::retry))
                .route("/v1/person", post(shop::person))
                .route("/v1/erase", post(shop::erase))
                .layer(DefaultBodyLimit::max(MAX_SMALL_BODY)),
        );
    let api = Router::new()
        .route("/inventory", get(inventory::list))
        .route("/inventory/{sku}/movements", get(inventory::movements).post(inventory::adjust))
        .route("/integrations", get(integrations::list))
        .route("/sales", get(sales::list))
        .route("/sales/{id}", get(sales::show))
        .route("/customers", get(customers::list))
        .route("/events", get(events::list))
        .route("/events/retry", post(events::retry_failed))
        .route("/events/{id}", get(events::show))
        .route("/events/{id}/retry", post(events::retry))
        .route("/events/{id}/leave", post(events::leave))
        .route("/conflicts", get(conflicts::list))
        .route("/conflicts/{id}/decide", post(conflicts::decide))
        .route("/drift", get(drift::list))
        .route("/drift/{id}/adopt", post(drift::adopt))
        .route("/drift/{id}/push", post(drift::push))
        .route("/links", get(links::list).post(links::choose_all))
        .route("/links/{id}", post(links::choose))
        .route("/runs", get(runs::list))
        .route("/runs/{id}", get(runs::show))
        .route("/integrations/woocommerce", get(integrations::list))
        .route("/openapi.json", get(openapi::openapi))
        .route("/docs", get(openapi::docs))
        .nest("/integrations/woocommerce", woocommerce())
        .layer(DefaultBodyLimit::max(MAX_SMALL_BODY))
        .nest("/integrations/woocommerce", deliveries());
    let bounded = Router::new().merge(shop).nest("/api", api).layer(
        TimeoutLayer::with_status_code(axum::http::StatusCode::SERVICE_UNAVAILABLE, DEADLINE),
    );
    Router::new()
        .merge(bounded)
        // Lasts as long as the run that is watched.
        .route("/api/runs/{id}/progress", get(runs::progress))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .with_state(app)
        .merge(pages)
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(middleware::from_fn(health::measure))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(TraceLayer::new_for_http().make_span_with(span))
}

/// What WooCommerce's own webhooks deliver.
fn deliveries() -> Router<App> {
    Router::new()
        .route("/webhook/{connection}", post(webhooks::receive))
        .route("/webhooks/handle", post(webhooks::handle))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
}

/// What a person asks of a WooCommerce store.
fn woocommerce() -> Router<App> {
    Router::new()
        .route("/webhooks/setup", post(webhooks::setup))
        .route("/setup-webhooks", post(webhooks::setup))
        .route("/webhooks/remove", post(webhooks::remove))
        .route("/connect", post(integrations::connect))
        .route("/test", post(integrations::test))
        .route("/disconnect", post(integrations::disconnect))
        .route("/sync/products", post(sync::products))
        .route("/sync/customers", post(sync::customers))
        .route("/sync/orders", post(sync::orders))
        .route("/sync/inventory", post(sync::inventory))
        .route("/reconcile", post(sync::reconcile))
        .route("/resume", post(sync::resume))
        .route("/policy", post(sync::policy))
        .route("/accept", post(sync::accept))
}

/// A request in the log: its method and path, never its query, headers or body.
fn span<B>(request: &Request<B>) -> tracing::Span {
    let path = request.uri().path();
    tracing::info_span!("request", method = %request.method(), path)
}

/// A header of this relay's own.
pub(crate) const CONNECTION: HeaderName =
    HeaderName::from_static(nexpura_protocol::signature::HEADER_CONNECTION);
