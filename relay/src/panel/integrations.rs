//! `/integrations`: the stores, how each stands, and what can be done with it.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use uuid::Uuid;

use super::{
    Panel,
    error::PanelError,
    extract::Path,
    page::{Answer, Page, Shell, Tab},
    progress, show, words,
};
use crate::{
    service::{
        accounts::Person,
        connect::{by_key, farewell},
        desk::{self, Standing},
        drift, runs, store_policy, webhooks,
    },
    store::{self, integrations::Integration},
};

const HERE: &str = "/integrations";

#[derive(Debug, Template)]
#[template(path = "integrations.html")]
struct IntegrationsPage {
    shell: Shell,
    stores: Vec<Standing>,
}

/// The buttons of the sync panel: the kind in the address, and what stands on it.
const IMPORTS: [(&str, &str); 3] = [
    ("products", "Import products"),
    ("customers", "Import customers"),
    ("orders", "Import orders"),
];

/// `GET /integrations`
pub(super) async fn list(State(panel): State<Panel>, person: Person) -> Answer {
    let stores = desk::all(&panel.relay, person.tenant, store::now()).await?;
    let shell = panel.shell(person, Tab::Integrations).await?;
    Ok(Page(IntegrationsPage { shell, stores }).into_response())
}

/// `POST /integrations/{id}/sync/{kind}`: begins a run, or joins the one of this kind that is under way.
pub(super) async fn sync(
    State(panel): State<Panel>,
    person: Person,
    Path((id, kind)): Path<(Uuid, String)>,
) -> Answer {
    let kind = progress::kind(&kind).ok_or(PanelError::NotFound("There is no such sync."))?;
    let store = panel.store(&person, id).await?;
    let actor = &person.email;
    match runs::start(&panel.relay, person.tenant, &store, kind, actor, store::now()).await {
        Ok(_) => Ok(axum::response::Redirect::to(HERE).into_response()),
        Err(error) => panel.told(&person, HERE, Err(error)).await,
    }
}

/// `POST /integrations/{id}/test`: whether the key still works, and what it may do.
pub(super) async fn test(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let store = panel.store(&person, id).await?;
    let asked = by_key::test(&panel.relay, person.tenant, &store, store::now()).await;
    panel.told(&person, HERE, asked.map(|done| words::by_name(&done.message, &done.store))).await
}

/// `POST /integrations/{id}/webhooks/setup`
pub(super) async fn set_up_webhooks(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let store = panel.store(&person, id).await?;
    let done = webhooks::setup(&panel.relay, person.tenant, store.id, &person.email).await;
    let said = |_| {
        format!("{} now tells Nexpura of every change by webhooks.", words::store(&store.store_url))
    };
    panel.told(&person, HERE, done.map(said)).await
}

/// `POST /integrations/{id}/webhooks/remove`
pub(super) async fn remove_webhooks(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let store = panel.store(&person, id).await?;
    let done = webhooks::switch_off(&panel.relay, person.tenant, store.id, &person.email).await;
    let said = |_| {
        format!(
            "The webhooks of {} are removed; it is checked every few minutes instead.",
            words::store(&store.store_url)
        )
    };
    panel.told(&person, HERE, done.map(said)).await
}

/// `POST /integrations/{id}/resume`: somebody has looked and lets the store's pushes go.
pub(super) async fn resume(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let store = panel.store(&person, id).await?;
    let (actor, now) = (&person.email, store::now());
    let done = drift::resume(&panel.relay, person.tenant, store.id, actor, now).await;
    let said = |held| match held {
        true => format!("Stock is being sent to {} again.", words::store(&store.store_url)),
        false => format!("Nothing was on hold for {}.", words::store(&store.store_url)),
    };
    panel.told(&person, HERE, done.map(said)).await
}

/// `POST /integrations/{id}/accept`: the database that the shop has now is the shop.
pub(super) async fn accept(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let store = panel.store(&person, id).await?;
    let (actor, now) = (&person.email, store::now());
    let done = store_policy::accept_fork(&panel.relay, person.tenant, &store, actor, now).await;
    let said = |()| {
        format!("{} is resumed: its stock is being read again.", words::store(&store.store_url))
    };
    panel.told(&person, HERE, done.map(said)).await
}

#[derive(Debug, Template)]
#[template(path = "disconnect.html")]
struct DisconnectPage {
    shell: Shell,
    store: Standing,
}

/// `GET /integrations/{id}/disconnect`: what it would remove.
pub(super) async fn ask_disconnect(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let store = desk::one(&panel.relay, person.tenant, id, store::now()).await?;
    let store = store.ok_or(UNKNOWN)?;
    let shell = panel.shell(person, Tab::Integrations).await?;
    Ok(Page(DisconnectPage { shell, store }).into_response())
}

/// `POST /integrations/{id}/disconnect`
pub(super) async fn disconnect(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let store = panel.store(&person, id).await?;
    let (actor, now) = (&person.email, store::now());
    let done = farewell::disconnect(&panel.relay, person.tenant, &store, actor, now).await;
    panel.told(&person, HERE, done.map(|done| words::by_name(&done.message, &done.store))).await
}

const UNKNOWN: PanelError = PanelError::NotFound("There is no such store here.");

impl Panel {
    /// A store of the person's own jeweller.
    pub(super) async fn store(&self, person: &Person, id: Uuid) -> Result<Integration, PanelError> {
        Ok(runs::named_store(&self.relay, person.tenant, &id.to_string()).await?)
    }
}

impl IntegrationsPage {
    /// Whether something on the page moves.
    fn is_watching(&self) -> bool {
        let shows_sweep = |store: &Standing| store.newest().is_none() && store.sweep().is_some();
        self.stores.iter().any(|store| store.running().is_some() || shows_sweep(store))
    }
}
