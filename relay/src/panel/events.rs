//! `/events` and `/events/{id}`: what arrived, what became of it, and trying it again or leaving it.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Panel, csv,
    error::PanelError,
    extract::{Path, Query},
    link::Link,
    page::{Answer, Notice, Page, Shell, Tab},
    said::Said,
    show, words,
};
use crate::{
    service::{
        accounts::Person,
        events::{self, Entry, Search, Whole},
        leave::{self, LeaveError},
        retry::{self, Retry},
        stores,
    },
    store::{self, page::DEFAULT_LIMIT},
};

const HERE: &str = "/events";

/// What the list is asked for, as its form sends it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    status: String,
    store: String,
    after: String,
}

impl Asked {
    fn link(&self, path: &str) -> Link {
        Link::to(path)
            .with("q", self.q.trim())
            .with("status", &self.status)
            .with("store", &self.store)
    }

    fn narrows(&self) -> bool {
        [&self.q, &self.status, &self.store].iter().any(|field| !field.is_empty())
    }

    /// What is no id says nothing.
    fn search(&self) -> Search {
        let store = self.store.parse().ok();
        Search { order: self.q.clone(), status: self.status.clone(), store }
    }
}

#[derive(Debug, Template)]
#[template(path = "events.html")]
struct EventsPage {
    shell: Shell,
    /// Address and id of each store.
    stores: Vec<(String, String)>,
    events: Vec<Entry>,
    asked: Asked,
    export: Link,
    first: Option<Link>,
    next: Option<Link>,
}

/// `GET /events`
pub(super) async fn list(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Answer {
    let (relay, search, now) = (&panel.relay, asked.search(), store::now());
    let (tenant, after) = (person.tenant, asked.after.as_str());
    let page = events::list(relay, tenant, &search, after, now, DEFAULT_LIMIT).await?;
    let stores = stores::names(relay, tenant).await?;
    let stores = stores.into_iter().map(|(id, url)| (url, id.to_string())).collect();
    let shell = panel.shell(person, Tab::Events).await?;
    let (first, next) = asked.link(HERE).pages(&asked.after, page.next);
    let export = asked.link("/events.csv");
    let shown = EventsPage { shell, stores, events: page.items, asked, export, first, next };
    Ok(Page(shown).into_response())
}

/// `GET /events.csv`
pub(super) async fn export(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Answer {
    let heads = ["Arrived", "What", "Number in the shop", "State", "Why", "Tries", "Store"];
    let now = store::now();
    Ok(csv::send("events", &heads, row, move |after| {
        let (relay, search) = (panel.relay.clone(), asked.search());
        async move { events::list(&relay, person.tenant, &search, &after, now, csv::A_PAGE).await }
    }))
}

fn row(event: Entry) -> Vec<String> {
    vec![
        show::machine(&event.received_at),
        event.topic,
        event.resource_id.to_string(),
        event.status,
        event.detail.unwrap_or_default(),
        event.attempts.to_string(),
        event.store,
    ]
}

#[derive(Debug, Template)]
#[template(path = "event.html")]
struct EventPage {
    shell: Shell,
    event: Whole,
    payload: Option<String>,
    facts: Option<String>,
}

/// `GET /events/{id}`
pub(super) async fn show(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let event = events::whole(&panel.relay, person.tenant, id).await?;
    let mut event = event.ok_or(NO_EVENT)?;
    let shell = panel.shell(person, Tab::Events).await?;
    let payload = event.payload.take().map(readable);
    let facts = event.facts.take().map(readable);
    Ok(Page(EventPage { shell, event, payload, facts }).into_response())
}

impl EventPage {
    /// Whether somebody has to know why it came to nothing.
    fn failed(&self) -> bool {
        self.event.entry.status == "failed"
    }
}

/// JSON with a line for every field.
fn readable(json: String) -> String {
    let value: Option<Value> = serde_json::from_str(&json).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or(json)
}

const NO_EVENT: PanelError = PanelError::NotFound("There is no such event.");

/// `POST /events/{id}/retry`
pub(super) async fn retry(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let (relay, actor) = (&panel.relay, &person.email);
    let notice = match retry::retry(relay, person.tenant, id, actor, store::now()).await? {
        Retry::Unknown => return Err(NO_EVENT),
        Retry::Queued => {
            Notice::good("It is being tried again: the shop is asked how it stands now.")
        }
        Retry::NeedsDecision => Notice::bad(
            "This cannot be decided by trying again: say under Integrations which of the two is your shop.",
        ),
        Retry::NotUnderstood => Notice::bad(
            "This does not say what it is about, so there is nothing to ask the shop for.",
        ),
    };
    panel.done(&person, &format!("{HERE}/{id}"), notice).await
}

/// `POST /events/{id}/leave`
pub(super) async fn leave(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let left = leave::leave(&panel.relay, person.tenant, id, &person.email, store::now()).await;
    let left = left.map(|()| "The order is left: nothing waits for it any more.".to_owned());
    panel.told(&person, &format!("{HERE}/{id}"), left).await
}

impl Said for LeaveError {
    fn said(self) -> Result<String, PanelError> {
        match self {
            Self::Unknown => Err(NO_EVENT),
            Self::Store(error) => Err(error.into()),
            other => Ok(other.to_string()),
        }
    }
}

/// `POST /events/retry`
pub(super) async fn retry_failed(State(panel): State<Panel>, person: Person) -> Answer {
    let (relay, actor) = (&panel.relay, &person.email);
    let again = retry::retry_failed(relay, person.tenant, actor, store::now()).await?;
    let notice = match again {
        0 => Notice::good("Nothing had failed that could be tried again."),
        1 => Notice::good("One is being tried again."),
        more => {
            let more = show::count(&i64::try_from(more).unwrap_or(i64::MAX));
            Notice::good(format!("{more} are being tried again."))
        }
    };
    panel.done(&person, HERE, notice).await
}
