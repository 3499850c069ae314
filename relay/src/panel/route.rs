//! One route: its address, who may use it, and how long it may take. All of them get the same guards.

use std::time::Duration;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    http::StatusCode,
    middleware,
    routing::{self, MethodRouter},
};
use tower_http::timeout::TimeoutLayer;

use super::{Panel, guard, headers};
use crate::domain::Role;

/// How long a page may take, the verification of a store included.
const DEADLINE: Duration = Duration::from_secs(60);
/// Largest form.
const MAX_FORM: usize = 64 * 1024;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Anybody: it holds nothing of any tenant.
    Nothing,
    /// Somebody logged in with at least this role.
    Role(Role),
}

/// One method of one address.
pub(super) struct Route {
    method: &'static str,
    path: &'static str,
    needs: Needs,
    handler: MethodRouter<Panel>,
    endless: bool,
}

impl Route {
    /// Its method, path and need.
    pub(super) fn described(&self) -> (&'static str, &'static str, Needs) {
        (self.method, self.path, self.needs)
    }

    /// Lasts as long as what is watched.
    pub(super) fn endless(mut self) -> Self {
        self.endless = true;
        self
    }
}

/// Something to look at.
pub(super) fn get<H, T>(path: &'static str, needs: Needs, handler: H) -> Route
where
    H: Handler<T, Panel>,
    T: 'static,
{
    Route { method: "GET", path, needs, handler: routing::get(handler), endless: false }
}

/// Something to do.
pub(super) fn post<H, T>(path: &'static str, needs: Needs, handler: H) -> Route
where
    H: Handler<T, Panel>,
    T: 'static,
{
    Route { method: "POST", path, needs, handler: routing::post(handler), endless: false }
}

/// Routes behind what every one of them has: its guard, its deadline, the check of a form's origin, the
/// bound of a form, and the headers of a page.
pub(super) fn assemble(routes: Vec<Route>, panel: Panel) -> Router {
    let mut router = Router::new();
    for Route { path, needs, handler, endless, .. } in routes {
        let guarded = middleware::from_fn_with_state((panel.clone(), needs), guard::admit);
        let mut handler = handler.route_layer(guarded);
        if !endless {
            let late = StatusCode::SERVICE_UNAVAILABLE;
            handler = handler.route_layer(TimeoutLayer::with_status_code(late, DEADLINE));
        }
        router = router.route(path, handler);
    }
    router
        .layer(guard::same_origin(&panel.relay.config))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::map_response_with_state(panel.clone(), headers::add))
        .with_state(panel)
}
