//! `/settings/activity`: what each person, shop and program did.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use serde::Deserialize;

use super::{
    Panel, csv,
    extract::Query,
    link::Link,
    page::{Answer, Page, Shell, Tab},
    show, words,
};
use crate::{
    service::{
        accounts::Person,
        activity::{self, Entry},
    },
    store::page,
};

#[derive(Debug, Template)]
#[template(path = "activity.html")]
struct ActivityPage {
    shell: Shell,
    entries: Vec<Entry>,
    actor: String,
    export: Link,
    first: Option<Link>,
    next: Option<Link>,
}

/// Whose doings, and after which.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    actor: String,
    after: String,
}

impl Asked {
    fn link(&self, path: &str) -> Link {
        Link::to(path).with("actor", self.actor.trim())
    }
}

/// `GET /settings/activity`
pub(super) async fn list(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Answer {
    const HERE: &str = "/settings/activity";
    let (actor, after) = (asked.actor.trim(), asked.after.as_str());
    let limit = page::DEFAULT_LIMIT;
    let page = activity::list(&panel.relay, person.tenant, actor, after, limit).await?;
    let shell = panel.shell(person, Tab::Settings).await?;
    let (first, next) = asked.link(HERE).pages(after, page.next);
    let export = asked.link("/settings/activity.csv");
    let actor = asked.actor.trim().to_owned();
    let shown = ActivityPage { shell, entries: page.items, actor, export, first, next };
    Ok(Page(shown).into_response())
}

/// `GET /settings/activity.csv`
pub(super) async fn export(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Answer {
    let heads = ["When", "Who", "What", "To what"];
    Ok(csv::send("activity", &heads, row, move |after| {
        let (relay, actor) = (panel.relay.clone(), asked.actor.trim().to_owned());
        async move { activity::list(&relay, person.tenant, &actor, &after, csv::A_PAGE).await }
    }))
}

fn row(entry: Entry) -> Vec<String> {
    let done = words::action(&entry.action);
    vec![show::machine(&entry.created_at), entry.actor, done, entry.subject]
}
