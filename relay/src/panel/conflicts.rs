//! `/conflicts`: sales that do not match the stock, and what a person says of each.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Panel, csv,
    drift::{DECIDED, Decided},
    extract::{After, Form, Path, Query},
    link::Link,
    page::{Answer, Notice, Page, Shell, Tab},
    show, words,
};
use crate::{
    service::{
        accounts::Person,
        conflict::{self, ConflictError, Decision},
        decisions::{self, Conflict},
    },
    store::{self, page::DEFAULT_LIMIT},
};

const HERE: &str = "/conflicts";

#[derive(Debug, Template)]
#[template(path = "conflicts.html")]
struct ConflictsPage {
    shell: Shell,
    conflicts: Vec<Conflict>,
    first: Option<Link>,
    next: Option<Link>,
}

/// `GET /conflicts`
pub(super) async fn list(
    State(panel): State<Panel>,
    person: Person,
    Query(After { after }): Query<After>,
) -> Answer {
    let (relay, tenant) = (&panel.relay, person.tenant);
    let page = decisions::conflicts(relay, tenant, &after, DEFAULT_LIMIT).await?;
    let shell = panel.shell(person, Tab::Drift).await?;
    let (first, next) = Link::to(HERE).pages(&after, page.next);
    Ok(Page(ConflictsPage { shell, conflicts: page.items, first, next }).into_response())
}

/// `GET /conflicts.csv`
pub(super) async fn export(State(panel): State<Panel>, person: Person) -> Answer {
    let heads = ["Noticed", "What", "Units", "SKU", "Order"];
    Ok(csv::send("conflicts", &heads, row, move |after| {
        let relay = panel.relay.clone();
        async move { decisions::conflicts(&relay, person.tenant, &after, csv::A_PAGE).await }
    }))
}

fn row(conflict: Conflict) -> Vec<String> {
    let oversold = conflict.kind == "oversale";
    vec![
        show::machine(&conflict.created_at),
        if oversold { "oversold" } else { "never reduced" }.to_owned(),
        words::absolute(&conflict.quantity),
        conflict.sku.unwrap_or_default(),
        conflict.order_number.unwrap_or_default(),
    ]
}

/// What is to be done about a conflict.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    decision: Decision,
}

/// `POST /conflicts/{id}`
pub(super) async fn settle(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    Query(decided): Query<Decided>,
    Form(Choice { decision }): Form<Choice>,
) -> Answer {
    let (relay, actor) = (&panel.relay, &person.email);
    let done = conflict::decide(relay, person.tenant, id, decision, actor, store::now()).await;
    let notice = match done {
        Ok(()) => Notice::good(match decision {
            Decision::Take => "The stock is reduced, here and in the shops.",
            Decision::Leave => "The stock stays as it is.",
            Decision::Acknowledge => "Noted. Count the piece if its number is still below zero.",
        }),
        Err(ConflictError::Unknown) => return Err(DECIDED),
        Err(ConflictError::Store(error)) => return Err(error.into()),
        Err(error @ (ConflictError::Unfit(..) | ConflictError::NotCounted)) => {
            Notice::bad(format!("This is not possible: {error}."))
        }
    };
    panel.done(&person, decided.list(HERE), notice).await
}
