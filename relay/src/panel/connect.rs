//! `/website/connect`: a WooCommerce store by a connection string, or by its address and key.

use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, header},
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
    said::{Said, sentence},
    words,
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
    error: Option<Refusal>,
}

/// Why a store was not connected, in the parts that are shown apart: each is told as `what: why: help`.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    /// In the words that every refusal begins with.
    what: String,
    /// The cause, as a sentence.
    why: String,
    /// What to do about it; empty where the cause says it already.
    help: String,
}

impl Refusal {
    fn of(told: &str) -> Self {
        let mut parts = told.splitn(3, ": ");
        let what = parts.next().unwrap_or_default().to_owned();
        let mut next = || parts.next().map(sentence).unwrap_or_default();
        Self { what, why: next(), help: next() }
    }
}

/// `GET /website/connect`
pub(super) async fn show(State(panel): State<Panel>, person: Person) -> Answer {
    let shell = panel.shell(person, Tab::Integrations).await?;
    let (store_url, consumer_key) = (String::new(), String::new());
    Ok(Page(ConnectPage { shell, store_url, consumer_key, error: None }).into_response())
}

/// `GET /website/nexpura.zip`: the plugin that fits this relay.
pub(super) async fn plugin() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "application/zip"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"nexpura.zip\""),
    ];
    (headers, crate::plugin::ZIP)
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
            let told = words::by_name(&done.message, &done.store);
            panel.told::<by_key::KeyError>(&person, "/integrations", Ok(told)).await
        }
        Err(error) => {
            let error = Some(Refusal::of(&error.said()?));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_sentences() {
        let told =
            "Cannot reach store URL: the store sends on to https://a.example: use that address";
        let refusal = Refusal::of(told);
        assert_eq!(refusal.what, "Cannot reach store URL");
        assert_eq!(refusal.why, "The store sends on to https://a.example.");
        assert_eq!(refusal.help, "Use that address.");
        assert_eq!(Refusal::of("No").help, "");
    }
}
