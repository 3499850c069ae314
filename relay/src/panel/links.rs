//! `/links`: whose count holds where a shop sells a piece that the ledger has already.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Panel,
    ask::{AskPage, Comes, Does},
    csv,
    drift::{BACK, DECIDED, Decided},
    extract::{After, Form, Path, Query},
    link::Link as Address,
    page::{Answer, Notice, Page, Shell, Tab},
    words,
};
use crate::{
    service::{
        accounts::Person,
        decisions,
        links::{self, Alike, ChooseError, Holds, Link, Which},
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

/// `GET /links/ledger`: what it would do, before it is done.
pub(super) async fn ask_ledger(
    panel: State<Panel>,
    person: Person,
    decided: Query<Decided>,
) -> Answer {
    ask_all(panel, person, decided, Holds::Ledger).await
}

/// `GET /links/shop`: what it would do, before it is done.
pub(super) async fn ask_shop(
    panel: State<Panel>,
    person: Person,
    decided: Query<Decided>,
) -> Answer {
    ask_all(panel, person, decided, Holds::Shop).await
}

async fn ask_all(
    State(panel): State<Panel>,
    person: Person,
    Query(decided): Query<Decided>,
    holds: Holds,
) -> Answer {
    let alike = links::alike(&panel.relay, person.tenant, holds).await?;
    let shell = panel.shell(person, Tab::Drift).await?;
    Ok(Page(ask(shell, &decided, alike, holds)).into_response())
}

/// What choosing alike for all comes to.
fn ask(shell: Shell, decided: &Decided, alike: Alike, holds: Holds) -> AskPage {
    let Alike { linked, emptied, left } = alike;
    let (question, first, empties, button) = match holds {
        Holds::Ledger => (
            "Keep Nexpura’s counts for all?",
            words::several(
                &linked,
                "piece gets Nexpura’s number in the shop.",
                "pieces get Nexpura’s number in the shop.",
            ),
            "in the shop.",
            "Keep Nexpura’s counts",
        ),
        Holds::Shop => (
            "Use the shops’ counts for all?",
            words::several(
                &linked,
                "piece gets its shop’s number in Nexpura.",
                "pieces get their shop’s number in Nexpura.",
            ),
            "in Nexpura, and in every other shop that sells them.",
            "Use the shops’ counts",
        ),
    };
    let mut comes = vec![Comes::plain(first)];
    if emptied > 0 {
        let empty = words::several(&emptied, "piece becomes 0", "pieces become 0");
        comes.push(Comes::grave(empty, empties));
    }
    if left > 0 {
        let left = words::several(&left, "still needs a decision", "still need a decision");
        comes.push(Comes::plain(format!(
            "{left}: their piece is sold by another product of the same shop, or Nexpura has no count of it yet."
        )));
    }
    comes.push(Comes::plain("The shop’s stock is read twice before anything counts."));
    let told = Some(("holds", holds.as_str().to_owned()));
    let does = Does { to: decided.link(HERE), told, button, loses: emptied > 0 };
    AskPage {
        shell,
        question: question.to_owned(),
        comes,
        does: (linked > 0).then_some(does),
        back: (Address::to(decided.list(HERE)), BACK),
    }
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
