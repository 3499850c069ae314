//! `/website/connect`: a WooCommerce store by a connection string, or by its address and key.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, sse::Event},
};
use futures::StreamExt;
use secrecy::SecretString;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Panel,
    error::PanelError,
    extract::{Form, Path},
    page::{Answer, Page, Shell, Tab},
    said::Said,
};
use crate::{
    service::{
        accounts::Person,
        connect::{
            by_key,
            by_string::{self, Progress},
        },
    },
    store,
};

#[derive(Debug, Template)]
#[template(path = "connect.html")]
struct ConnectPage {
    shell: Shell,
    store_url: String,
    consumer_key: String,
    error: Option<String>,
}

/// `GET /website/connect`
pub(super) async fn show(State(panel): State<Panel>, person: Person) -> Answer {
    let shell = panel.shell(person, Tab::Integrations).await?;
    let (store_url, consumer_key) = (String::new(), String::new());
    Ok(Page(ConnectPage { shell, store_url, consumer_key, error: None }).into_response())
}

/// A store's address and key, as somebody pasted them.
#[derive(Debug, Deserialize)]
pub(super) struct Pasted {
    store_url: String,
    consumer_key: String,
    consumer_secret: SecretString,
}

/// `POST /website/connect`: the store is asked before anything is stored; what was typed stays in the
/// form when it is refused, but for the secret.
pub(super) async fn by_key(
    State(panel): State<Panel>,
    person: Person,
    Form(pasted): Form<Pasted>,
) -> Answer {
    let Pasted { store_url, consumer_key, consumer_secret } = pasted;
    let request = by_key::Request { store_url, consumer_key, consumer_secret };
    let (relay, tenant, now) = (&panel.relay, person.tenant, store::now());
    let connected = match by_key::verify(relay, tenant, &request).await {
        Ok(shown) => by_key::keep(relay, tenant, &shown, &person.email, now).await,
        Err(error) => Err(error),
    };
    match connected {
        Ok(done) => {
            panel.told::<by_key::KeyError>(&person, "/integrations", Ok(done.message)).await
        }
        Err(error) => {
            let error = Some(error.said()?);
            let shell = panel.shell(person, Tab::Integrations).await?;
            let by_key::Request { store_url, consumer_key, .. } = request;
            let page = ConnectPage { shell, store_url, consumer_key, error };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "connect-string.html")]
struct StringPage {
    shell: Shell,
    id: Uuid,
    /// Shown this once.
    string: Option<String>,
    /// The shop that has used it.
    store: Option<String>,
}

/// `POST /website/connect/string`: makes a connection string and shows it, once.
pub(super) async fn by_string(State(panel): State<Panel>, person: Person) -> Answer {
    let (relay, actor) = (&panel.relay, &person.email);
    let (id, string) = by_string::create(relay, person.tenant, None, actor, store::now()).await?;
    let shell = panel.shell(person, Tab::Integrations).await?;
    let string = Some(string.expose());
    Ok(Page(StringPage { shell, id: id.id, string, store: None }).into_response())
}

/// `GET /website/connect/string/{id}`: whether a shop has used it.
pub(super) async fn waiting(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let store = match by_string::progress(&panel.relay, person.tenant, id).await? {
        Some(Progress::Connected(store)) => Some(store),
        Some(Progress::Waiting) => None,
        None => return Err(UNKNOWN),
    };
    let shell = panel.shell(person, Tab::Integrations).await?;
    Ok(Page(StringPage { shell, id, string: None, store }).into_response())
}

/// `GET /website/connect/string/{id}/progress`: one event, when a shop has used it.
pub(super) async fn wait(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    by_string::progress(&panel.relay, person.tenant, id).await?.ok_or(UNKNOWN)?;
    let done = by_string::wait(panel.relay.clone(), person.tenant, id)
        .map(|store| Event::default().event("done").data(store));
    Ok(panel.tell(person, done))
}

const UNKNOWN: PanelError =
    PanelError::NotFound("There is no such connection string here, or it counts no longer.");
