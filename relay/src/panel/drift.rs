//! `/drift`: where a shop and the ledger do not agree, and what else waits for a person's word.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Panel, csv,
    error::PanelError,
    extract::{Form, Path, Query},
    link::Link,
    page::{Answer, Notice, Page, Shell, Tab},
    show, words,
};
use crate::{
    service::{
        accounts::Person,
        conflict::{self, ConflictError, Decision},
        decisions::{self, Drift, Waiting},
        drift::{self, Verdict},
        links::{self, ChooseError, Holds, Which},
    },
    store::{self, page::DEFAULT_LIMIT},
};

const HERE: &str = "/drift";
const DECIDED: PanelError =
    PanelError::NotFound("This does not wait for a word: it is decided already, or went away.");

#[derive(Debug, Template)]
#[template(path = "drift.html")]
struct DriftPage {
    shell: Shell,
    waiting: Waiting,
    first: Option<Link>,
    next: Option<Link>,
}

/// Where in the drifts a page begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct From {
    after: String,
}

/// `GET /drift`
pub(super) async fn list(
    State(panel): State<Panel>,
    person: Person,
    Query(From { after }): Query<From>,
) -> Answer {
    let waiting = decisions::waiting(&panel.relay, person.tenant, &after, DEFAULT_LIMIT).await?;
    let shell = panel.shell(person, Tab::Drift).await?;
    let (first, next) = Link::to(HERE).pages(&after, waiting.drifts.next.clone());
    Ok(Page(DriftPage { shell, waiting, first, next }).into_response())
}

/// `GET /drift.csv`: all that there ever was.
pub(super) async fn export(State(panel): State<Panel>, person: Person) -> Answer {
    let heads = ["Seen", "SKU", "Expected", "In the shop", "State", "Decided", "Store"];
    Ok(csv::send("drift", &heads, row, move |after| {
        let relay = panel.relay.clone();
        async move { decisions::drifts(&relay, person.tenant, &after, csv::A_PAGE).await }
    }))
}

fn row(drift: Drift) -> Vec<String> {
    vec![
        show::machine(&drift.created_at),
        drift.sku.unwrap_or_default(),
        words::number(drift.mirror),
        words::number(drift.reading),
        drift.status,
        drift.resolved_at.as_ref().map(show::machine).unwrap_or_default(),
        drift.store,
    ]
}

/// `POST /drift/{id}/adopt`: the shop's number counts.
pub(super) async fn adopt(panel: State<Panel>, person: Person, id: Path<Uuid>) -> Answer {
    decide(panel, person, id, Verdict::Adopt).await
}

/// `POST /drift/{id}/push`: the ledger's number counts.
pub(super) async fn push(panel: State<Panel>, person: Person, id: Path<Uuid>) -> Answer {
    decide(panel, person, id, Verdict::Push).await
}

async fn decide(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    verdict: Verdict,
) -> Answer {
    let (relay, actor) = (&panel.relay, &person.email);
    if !drift::decide(relay, person.tenant, id, verdict, actor, store::now()).await? {
        return Err(DECIDED);
    }
    panel.done(&person, HERE, Notice::good(said(verdict))).await
}

fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Adopt => {
            "The shop’s number counts: the difference stands in the piece’s story now."
        }
        Verdict::Push => "Nexpura’s number counts: the shop gets it back.",
    }
}

/// `POST /drift/adopt`: the shops' numbers count everywhere.
pub(super) async fn adopt_all(panel: State<Panel>, person: Person) -> Answer {
    decide_all(panel, person, Verdict::Adopt).await
}

/// `POST /drift/push`: the ledger's numbers count everywhere.
pub(super) async fn push_all(panel: State<Panel>, person: Person) -> Answer {
    decide_all(panel, person, Verdict::Push).await
}

async fn decide_all(State(panel): State<Panel>, person: Person, verdict: Verdict) -> Answer {
    let (relay, actor) = (&panel.relay, &person.email);
    let now = store::now();
    let decided = decisions::decide_drifts(relay, person.tenant, verdict, actor, now).await?;
    let notice = match decided {
        0 => "Nothing was waiting.".to_owned(),
        1 => said(verdict).to_owned(),
        more => format!("{more} decided. {}", said(verdict)),
    };
    panel.done(&person, HERE, Notice::good(notice)).await
}

/// What is to be done about a conflict.
#[derive(Debug, Deserialize)]
pub(super) struct Decided {
    decision: Decision,
}

/// `POST /conflicts/{id}`
pub(super) async fn settle(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    Form(Decided { decision }): Form<Decided>,
) -> Answer {
    let (relay, actor) = (&panel.relay, &person.email);
    let done = conflict::decide(relay, person.tenant, id, decision, actor, store::now()).await;
    let notice = match done {
        Ok(()) => Notice::good(match decision {
            Decision::Take => "The units are out of the stock, here and in the shops.",
            Decision::Leave => "The stock stays as it is.",
            Decision::Acknowledge => "Noted. Count the piece if its number is still below zero.",
        }),
        Err(ConflictError::Unknown) => return Err(DECIDED),
        Err(ConflictError::Store(error)) => return Err(error.into()),
        Err(error @ (ConflictError::Unfit(..) | ConflictError::NotCounted)) => {
            Notice::bad(format!("That cannot be: {error}."))
        }
    };
    panel.done(&person, HERE, notice).await
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
    Form(Choice { holds }): Form<Choice>,
) -> Answer {
    panel.choose(&person, Which::One(id), holds).await
}

/// `POST /links`
pub(super) async fn choose_all(
    State(panel): State<Panel>,
    person: Person,
    Form(Choice { holds }): Form<Choice>,
) -> Answer {
    panel.choose(&person, Which::All, holds).await
}

impl Panel {
    async fn choose(&self, person: &Person, which: Which, holds: Holds) -> Answer {
        let (relay, actor) = (&self.relay, &person.email);
        let done = links::choose(relay, person.tenant, which, holds, actor, store::now()).await;
        let notice = match done {
            Ok(done) if done.left == 0 => Notice::good(format!(
                "{} linked. The shop’s stock is read twice before anything counts.",
                done.chosen
            )),
            Ok(done) => Notice::good(format!(
                "{} linked, {} still wait: their piece is sold by another product of the same shop, \
                 or Nexpura has no count of it yet.",
                done.chosen, done.left
            )),
            Err(ChooseError::Unknown) => return Err(DECIDED),
            Err(ChooseError::Store(error)) => return Err(error.into()),
            Err(ChooseError::Unfit) => Notice::bad(
                "This cannot be linked so. Either another product of the same shop sells the piece \
                 already: give one of them another SKU. Or Nexpura has no count of it: let the \
                 shop’s hold.",
            ),
        };
        self.done(person, HERE, notice).await
    }
}
