//! `/links`: whose count holds where a shop sells a piece that the ledger has already.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Panel, csv,
    drift::{DECIDED, Decided},
    extract::{After, Form, Path, Query},
    link::Link as Address,
    page::{Answer, Notice, Page, Shell, Tab},
    words,
};
use crate::{
    service::{
        accounts::Person,
        decisions,
        links::{self, ChooseError, Holds, Link, Which},
    },
    store::{self, page::DEFAULT_LIMIT},
};

const HERE: &str = "/links";

#[derive(Debug, Template)]
#[template(path = "links.html")]
struct LinksPage {
    shell: Shell,
    links: Vec<Link>,
    first: Option<Address>,
    next: Option<Address>,
}

/// `GET /links`
pub(super) async fn list(
    State(panel): State<Panel>,
    person: Person,
    Query(After { after }): Query<After>,
) -> Answer {
    let (relay, tenant) = (&panel.relay, person.tenant);
    let page = decisions::links(relay, tenant, &after, DEFAULT_LIMIT).await?;
    let shell = panel.shell(person, Tab::Drift).await?;
    let (first, next) = Address::to(HERE).pages(&after, page.next);
    Ok(Page(LinksPage { shell, links: page.items, first, next }).into_response())
}

/// `GET /links.csv`
pub(super) async fn export(State(panel): State<Panel>, person: Person) -> Answer {
    let heads =
        ["SKU", "Name", "Name in the shop", "In Nexpura", "Sold since", "In the shop", "Store"];
    Ok(csv::send("links", &heads, row, move |after| {
        let relay = panel.relay.clone();
        async move { decisions::links(&relay, person.tenant, &after, csv::A_PAGE).await }
    }))
}

fn row(link: Link) -> Vec<String> {
    vec![
        link.sku,
        link.piece,
        link.name,
        link.ledger.map(|units| units.to_string()).unwrap_or_default(),
        link.sold_since.to_string(),
        link.shop.map(|units| units.to_string()).unwrap_or_default(),
        link.store,
    ]
}

/// Whose count holds.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    holds: Holds,
}

/// `POST /links/{id}`
pub(super) async fn choose(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    Query(decided): Query<Decided>,
    Form(Choice { holds }): Form<Choice>,
) -> Answer {
    panel.choose(&person, Which::One(id), holds, decided.list(HERE)).await
}

/// `POST /links`
pub(super) async fn choose_all(
    State(panel): State<Panel>,
    person: Person,
    Query(decided): Query<Decided>,
    Form(Choice { holds }): Form<Choice>,
) -> Answer {
    panel.choose(&person, Which::All, holds, decided.list(HERE)).await
}

impl Panel {
    async fn choose(&self, person: &Person, which: Which, holds: Holds, back: &str) -> Answer {
        let (relay, actor) = (&self.relay, &person.email);
        let done = links::choose(relay, person.tenant, which, holds, actor, store::now()).await;
        let notice = match done {
            Ok(done) if done.left == 0 => Notice::good(format!(
                "{} linked. The shop’s stock is read twice before anything counts.",
                done.chosen
            )),
            Ok(done) => Notice::good(format!(
                "{} linked, {} still need a decision: their piece is sold by another product of the same shop, \
                 or Nexpura has no count of it yet.",
                done.chosen, done.left
            )),
            Err(ChooseError::Unknown) => return Err(DECIDED),
            Err(ChooseError::Store(error)) => return Err(error.into()),
            Err(ChooseError::Unfit) => Notice::bad(
                "This cannot be linked so. Either another product of the same shop sells the piece \
                 already: give one of them another SKU. Or Nexpura has no count of it: use the \
                 shop’s.",
            ),
        };
        self.done(person, back, notice).await
    }
}
