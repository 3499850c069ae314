//! `/settings/integrations`: what happens by itself where shop and ledger differ.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Panel,
    extract::{Form, Path},
    page::{Answer, Page, Shell, Tab},
    words,
};
use crate::{
    service::{
        accounts::Person,
        desk::{self, Standing},
        store_policy::{self, Change, Policy},
        stores::StockPush,
    },
    store,
};

const HERE: &str = "/settings/integrations";

#[derive(Debug, Template)]
#[template(path = "policies.html")]
struct PoliciesPage {
    shell: Shell,
    stores: Vec<Standing>,
}

/// `GET /settings/integrations`
pub(super) async fn list(State(panel): State<Panel>, person: Person) -> Answer {
    let stores = desk::all(&panel.relay, person.tenant, store::now()).await?;
    let shell = panel.shell(person, Tab::Settings).await?;
    Ok(Page(PoliciesPage { shell, stores }).into_response())
}

/// Whose number counts, and whether the shop is marked: a box that is not ticked is not sent.
#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    drift: Policy,
    marks: Option<String>,
    mark_fields: Option<String>,
    /// Whether there was a box for them.
    fields_shown: Option<String>,
}

/// `POST /settings/integrations/{id}/policy`
pub(super) async fn set(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    Form(chosen): Form<Chosen>,
) -> Answer {
    let store = panel.store(&person, id).await?;
    let (actor, now) = (&person.email, store::now());
    let change = Change {
        drift: Some(chosen.drift),
        marks: Some(chosen.marks.is_some()),
        mark_fields: chosen.fields_shown.map(|_| chosen.mark_fields.is_some()),
    };
    let set = store_policy::set(&panel.relay, person.tenant, store.id, change, actor, now).await;
    panel
        .told(&person, HERE, set.map(|()| format!("Saved for {}.", words::store(&store.store_url))))
        .await
}

/// How what was brought over is marked in a store whose stock goes back this way.
pub(super) fn marking(stock_push: StockPush) -> &'static str {
    match stock_push {
        StockPush::Exact => {
            "In WordPress’s own lists of orders, products and users. Nothing else in the shop changes."
        }
        StockPush::ReadAndWrite => {
            "As a private note on each order, little by little; no customer sees it. The plugin marks products and customers too, and changes nothing."
        }
        StockPush::Off => "This store’s key may only read, so nothing is marked.",
    }
}
