//! `/drift`: where a shop and the ledger do not agree, and what else waits for a person's word.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use chrono::{DateTime, Utc};
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
        decisions::{self, Bulk, Drift, Waiting},
        drift::{self, DriftError, Verdict},
        links::{self, ChooseError, Holds, Which},
    },
    store::{self, page::DEFAULT_LIMIT},
};

const HERE: &str = "/drift";
const DECIDED: PanelError = PanelError::NotFound(
    "There is nothing to decide here: somebody has decided it already, or it went away.",
);

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

/// Which numbers were looked at.
#[derive(Debug, Deserialize)]
pub(super) struct Seen {
    seen: i64,
}

/// `POST /drift/{id}/adopt`: the shop's number counts.
pub(super) async fn adopt(
    panel: State<Panel>,
    person: Person,
    id: Path<Uuid>,
    form: Form<Seen>,
) -> Answer {
    decide(panel, person, id, (Verdict::Adopt, form)).await
}

/// `POST /drift/{id}/push`: the ledger's number counts.
pub(super) async fn push(
    panel: State<Panel>,
    person: Person,
    id: Path<Uuid>,
    form: Form<Seen>,
) -> Answer {
    decide(panel, person, id, (Verdict::Push, form)).await
}

async fn decide(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    (verdict, Form(Seen { seen })): (Verdict, Form<Seen>),
) -> Answer {
    let (relay, actor) = (&panel.relay, &person.email);
    let word = (verdict, seen);
    let done = drift::decide(relay, person.tenant, id, word, actor, store::now()).await;
    let notice = match done {
        Ok(()) => Notice::good(said(verdict)),
        Err(DriftError::Unknown) => return Err(DECIDED),
        Err(DriftError::Store(error)) => return Err(error.into()),
        Err(error @ (DriftError::Changed | DriftError::Overtaken | DriftError::Unread)) => {
            Notice::bad(format!("Nothing is decided: {error}."))
        }
    };
    panel.done(&person, HERE, notice).await
}

fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Adopt => {
            "Nexpura now has the shop’s number. The difference is in the piece’s history."
        }
        Verdict::Push => "Nexpura’s number is kept and is being sent to the shop.",
    }
}

#[derive(Debug, Template)]
#[template(path = "drift-all.html")]
struct BulkPage {
    shell: Shell,
    bulk: Bulk,
    verdict: Verdict,
    seen_at: DateTime<Utc>,
}

/// `GET /drift/adopt`: what it would do, before it is done.
pub(super) async fn ask_adopt_all(panel: State<Panel>, person: Person) -> Answer {
    ask_all(panel, person, Verdict::Adopt).await
}

/// `GET /drift/push`: what it would do, before it is done.
pub(super) async fn ask_push_all(panel: State<Panel>, person: Person) -> Answer {
    ask_all(panel, person, Verdict::Push).await
}

async fn ask_all(State(panel): State<Panel>, person: Person, verdict: Verdict) -> Answer {
    let seen_at = store::now();
    let bulk = decisions::bulk(&panel.relay, person.tenant).await?;
    let shell = panel.shell(person, Tab::Drift).await?;
    Ok(Page(BulkPage { shell, bulk, verdict, seen_at }).into_response())
}

/// When all that waits was looked at.
#[derive(Debug, Deserialize)]
pub(super) struct SeenAt {
    seen_at: DateTime<Utc>,
}

/// `POST /drift/adopt`: the shops' numbers count everywhere.
pub(super) async fn adopt_all(panel: State<Panel>, person: Person, form: Form<SeenAt>) -> Answer {
    decide_all(panel, person, (Verdict::Adopt, form)).await
}

/// `POST /drift/push`: the ledger's numbers count everywhere.
pub(super) async fn push_all(panel: State<Panel>, person: Person, form: Form<SeenAt>) -> Answer {
    decide_all(panel, person, (Verdict::Push, form)).await
}

async fn decide_all(
    State(panel): State<Panel>,
    person: Person,
    (verdict, Form(SeenAt { seen_at })): (Verdict, Form<SeenAt>),
) -> Answer {
    let (relay, actor) = (&panel.relay, &person.email);
    let (word, now) = ((verdict, seen_at), store::now());
    let done = decisions::decide_drifts(relay, person.tenant, word, actor, now).await?;
    let mut said = match done.decided {
        0 if done.left > 0 => "Nothing is decided.".to_owned(),
        0 => "There was nothing to decide.".to_owned(),
        1 => said(verdict).to_owned(),
        more => match verdict {
            Verdict::Adopt => format!("Nexpura now has the shops’ numbers of {more} pieces."),
            Verdict::Push => {
                format!(
                    "Nexpura’s numbers of {more} pieces are kept and are being sent to the shops."
                )
            }
        },
    };
    if done.left == 0 {
        return panel.done(&person, HERE, Notice::good(said)).await;
    }
    let left = words::several(&count(done.left), "difference waits on", "differences wait on");
    said.push_str(&format!(
        " {left}: the numbers are newer than what you saw, the shop is being read again, or an order of it could \
         not be read yet."
    ));
    panel.done(&person, HERE, Notice::bad(said)).await
}

fn count(some: usize) -> i64 {
    i64::try_from(some).unwrap_or(i64::MAX)
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
        self.done(person, HERE, notice).await
    }
}

impl BulkPage {
    /// Whether it is the shops' numbers that would count.
    fn adopts(&self) -> bool {
        self.verdict == Verdict::Adopt
    }

    fn question(&self) -> &'static str {
        match self.verdict {
            Verdict::Adopt => "Use the shops’ numbers for all?",
            Verdict::Push => "Keep Nexpura’s numbers for all?",
        }
    }

    /// How many pieces would have none left.
    fn empties(&self) -> i64 {
        match self.verdict {
            Verdict::Adopt => self.bulk.emptied_here,
            Verdict::Push => self.bulk.emptied_there,
        }
    }
}
