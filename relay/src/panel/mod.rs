//! The panel: pages for people, rendered here, working without scripts but for live progress
//! and the reader's own time zone.
//!
//! A page is added in four steps:
//! 1. a handler in a file named after its page, which takes `Person` (and `Form`, `Query`, `Path` from
//!    `extract`), calls one use case of `service/` and answers with a `Page` or a redirect;
//! 2. a template in `templates/` that extends `shell.html` and uses the parts in `ui.html`; its struct has
//!    a `shell: Shell`, made by [`Panel::shell`];
//! 3. a line in [`routes`], with the role that it needs: the guard asks for it before the handler runs,
//!    and only the guard makes a `Person`, so no handler can forget it;
//! 4. a line in the table of `tests/it/panel/routes.rs`, which fails until the route stands there.
//!
//! Whatever changes something is a POST that ends in [`Panel::told`]: on to a page, which says what was done,
//! or why it was not (`said`). The stylesheet's tokens stand in `assets/tokens.css`; the policy allows neither inline scripts
//! nor inline styles, so a chart is SVG with attributes and classes only.

mod account;
mod activity;
mod ask;
mod assets;
mod changes;
mod chart;
mod conflicts;
mod connect;
mod csv;
mod customers;
mod drift;
mod error;
mod events;
mod extract;
mod gate;
mod guard;
mod headers;
mod home;
mod integrations;
mod inventory;
mod link;
mod links;
mod live;
mod login;
mod lost;
mod page;
mod people;
mod pictures;
mod policies;
mod progress;
mod route;
mod runs;
mod said;
mod sales;
mod show;
mod words;

use std::sync::Arc;

use axum::{Router, middleware};

pub use route::Needs;

use crate::{domain::Role, service::Relay};
use gate::Gate;
use guard::Cookie;
use route::{Route, get, post};

/// What the handlers work with.
#[derive(Debug, Clone)]
pub struct Panel {
    relay: Relay,
    gate: Arc<Gate>,
    cookie: Cookie,
}

impl Panel {
    /// The panel of a relay.
    ///
    /// # Errors
    /// When the relay's address cannot be the origin of its own forms.
    pub fn new(relay: Relay) -> anyhow::Result<Self> {
        let cookie = Cookie::of(&relay.config);
        Ok(Self { relay, gate: Arc::default(), cookie })
    }
}

const ANYBODY: Needs = Needs::Nothing;
const STAFF: Needs = Needs::Role(Role::Staff);
const MANAGER: Needs = Needs::Role(Role::Manager);
const OWNER: Needs = Needs::Role(Role::Owner);

/// Every page and every form, and who may use it.
fn routes() -> Vec<Route> {
    vec![
        get("/assets/{file}", ANYBODY, assets::serve),
        get("/login", ANYBODY, login::show),
        post("/login", ANYBODY, login::enter),
        get("/set-password", ANYBODY, login::choose),
        post("/set-password", ANYBODY, login::set),
        post("/logout", STAFF, login::leave),
        get("/", STAFF, home::show),
        get("/website/connect", MANAGER, connect::show),
        post("/website/connect", MANAGER, connect::by_key),
        get("/website/nexpura.zip", MANAGER, connect::plugin),
        post("/website/connect/string", MANAGER, connect::by_string),
        get("/website/connect/string/{id}", MANAGER, connect::waiting),
        get("/website/connect/string/{id}/progress", MANAGER, connect::wait).endless(),
        get("/integrations", STAFF, integrations::list),
        get("/integrations/runs/{id}", STAFF, runs::report),
        get("/integrations/runs/{id}/findings.csv", STAFF, runs::export),
        get("/integrations/runs/{id}/progress", STAFF, runs::progress).endless(),
        get("/integrations/{id}/runs", STAFF, runs::list),
        get("/integrations/{id}/changes", STAFF, changes::list),
        get("/integrations/{id}/changes.csv", STAFF, changes::export),
        post("/integrations/{id}/sync/{kind}", MANAGER, integrations::sync),
        post("/integrations/{id}/test", MANAGER, integrations::test),
        post("/integrations/{id}/webhooks/setup", MANAGER, integrations::set_up_webhooks),
        post("/integrations/{id}/webhooks/remove", MANAGER, integrations::remove_webhooks),
        post("/integrations/{id}/resume", MANAGER, integrations::resume),
        post("/integrations/{id}/accept", MANAGER, integrations::accept),
        get("/integrations/{id}/disconnect", MANAGER, integrations::ask_disconnect),
        post("/integrations/{id}/disconnect", MANAGER, integrations::disconnect),
        get("/settings/integrations", MANAGER, policies::list),
        post("/settings/integrations/{id}/policy", MANAGER, policies::set),
        get("/sales", STAFF, sales::list),
        get("/sales.csv", STAFF, sales::export),
        get("/sales/news", STAFF, sales::news).endless(),
        get("/sales/{id}", STAFF, sales::show),
        get("/inventory", STAFF, inventory::list),
        get("/inventory.csv", STAFF, inventory::export),
        get("/inventory/{sku}", STAFF, inventory::show),
        post("/inventory/{sku}/adjust", STAFF, inventory::adjust),
        post("/inventory/{sku}/count", STAFF, inventory::count),
        get("/events", STAFF, events::list),
        get("/events.csv", STAFF, events::export),
        post("/events/retry", MANAGER, events::retry_failed),
        get("/events/{id}", STAFF, events::show),
        post("/events/{id}/retry", MANAGER, events::retry),
        post("/events/{id}/leave", MANAGER, events::leave),
        get("/drift", STAFF, drift::list),
        get("/drift.csv", STAFF, drift::export),
        get("/drift/adopt", MANAGER, drift::ask_adopt_all),
        get("/drift/push", MANAGER, drift::ask_push_all),
        post("/drift/adopt", MANAGER, drift::adopt_all),
        post("/drift/push", MANAGER, drift::push_all),
        post("/drift/{id}/adopt", MANAGER, drift::adopt),
        post("/drift/{id}/push", MANAGER, drift::push),
        get("/conflicts", STAFF, conflicts::list),
        get("/conflicts.csv", STAFF, conflicts::export),
        post("/conflicts/{id}", MANAGER, conflicts::settle),
        get("/links", STAFF, links::list),
        get("/links.csv", STAFF, links::export),
        get("/links/ledger", MANAGER, links::ask_ledger),
        get("/links/shop", MANAGER, links::ask_shop),
        post("/links", MANAGER, links::choose_all),
        post("/links/{id}", MANAGER, links::choose),
        get("/customers", STAFF, customers::list),
        get("/customers.csv", STAFF, customers::export),
        get("/settings", STAFF, account::show),
        post("/settings/password", STAFF, account::change_password),
        post("/settings/sessions/end", STAFF, account::end_others),
        get("/settings/activity", MANAGER, activity::list),
        get("/settings/activity.csv", MANAGER, activity::export),
        get("/settings/people", OWNER, people::list),
        post("/settings/people", OWNER, people::invite),
        post("/settings/people/{id}/role", OWNER, people::set_role),
        post("/settings/people/{id}/link", OWNER, people::renew_link),
        get("/settings/people/{id}/remove", OWNER, people::ask_remove),
        post("/settings/people/{id}/remove", OWNER, people::remove),
    ]
}

/// Every route's method, path and need, for whoever checks that none is open by mistake.
#[must_use]
pub fn table() -> Vec<(&'static str, &'static str, Needs)> {
    routes().iter().map(Route::described).collect()
}

/// The panel's routes, each behind its guard.
pub fn router(panel: Panel) -> Router {
    route::assemble(routes(), panel)
}

/// Everything that the relay serves, where people come to: an address that leads nowhere is answered by a page.
pub fn for_people(served: Router, panel: Panel) -> Router {
    served.layer(middleware::from_fn_with_state(panel, lost::answer))
}
