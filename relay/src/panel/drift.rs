//! `/drift`: where a shop and the ledger do not agree, shown with what else waits for a person's word, and decided.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Panel,
    ask::{AskPage, Comes, Does},
    csv,
    error::PanelError,
    extract::{Form, Path, Query},
    link::Link,
    page::{Answer, Notice, Page, Shell, Tab},
    show, words,
};
use crate::{
    service::{
        accounts::Person,
        adjust::By,
        decisions::{self, Bulk, Drift, Others, Search, WaitingDrift},
        drift::{self, DriftError, Verdict},
        stores,
    },
    store::{self, page::DEFAULT_LIMIT},
};

/// Where the first of all that waits is shown.
const HERE: &str = "/drift";
/// What leads back from a question about all that waits.
pub(super) const BACK: &str = "Back to the list";
/// Where nothing waits any more.
pub(super) const DECIDED: PanelError = PanelError::NotFound(
    "There is nothing to decide here: somebody has decided it already, or it went away.",
);

/// Which list something else than a difference was decided in: the one beside the differences, or its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Decided {
    list: String,
}

impl Decided {
    /// What a form of its own list adds to its address.
    pub(super) const IN_OWN: &str = "?list=own";

    /// Where something is done with that list.
    pub(super) fn link(&self, path: &str) -> Link {
        Link::to(path).with("list", if self.list == "own" { "own" } else { "" })
    }

    /// The list to go back to.
    pub(super) fn list<'a>(&self, own: &'a str) -> &'a str {
        if self.list == "own" { own } else { HERE }
    }
}

/// What the list is asked for, as its form sends it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    store: String,
    state: String,
    after: String,
}

impl Asked {
    fn link(&self, path: &str) -> Link {
        self.found(path).with("state", &self.state)
    }

    /// Where something is done with all that is found.
    fn found(&self, path: impl Into<String>) -> Link {
        Link::to(path).with("q", self.q.trim()).with("store", &self.store)
    }

    /// The list that something was decided in.
    fn back(&self) -> String {
        self.found(HERE).into()
    }

    fn narrows(&self) -> bool {
        self.is_decided() || self.search().narrows()
    }

    fn is_decided(&self) -> bool {
        self.state == "decided"
    }

    /// What is no id says nothing.
    fn search(&self) -> Search {
        Search { text: self.q.clone(), store: self.store.parse().ok() }
    }
}

#[derive(Debug, Template)]
#[template(path = "drift.html")]
struct DriftPage {
    shell: Shell,
    asked: Asked,
    /// Address and id of each store.
    stores: Vec<(String, String)>,
    /// What else waits, unless something is searched for.
    others: Option<Others>,
    drifts: Vec<WaitingDrift>,
    /// Those that are decided, where they are asked for.
    decided: Vec<Drift>,
    first: Option<Link>,
    next: Option<Link>,
}

/// `GET /drift`
pub(super) async fn list(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Answer {
    let (relay, tenant, limit) = (&panel.relay, person.tenant, DEFAULT_LIMIT);
    let (search, after) = (asked.search(), asked.after.as_str());
    let (mut drifts, mut decided) = (Vec::new(), Vec::new());
    let next = if asked.is_decided() {
        let page = decisions::drifts(relay, tenant, &search, false, after, limit).await?;
        decided = page.items;
        page.next
    } else {
        let page = decisions::waiting(relay, tenant, &search, after, limit).await?;
        drifts = page.items;
        page.next
    };
    let others = if asked.narrows() { None } else { Some(decisions::others(relay, tenant).await?) };
    let stores = stores::names(relay, tenant).await?;
    let stores = stores.into_iter().map(|(id, url)| (url, id.to_string())).collect();
    let shell = panel.shell(person, Tab::Drift).await?;
    let (first, next) = asked.link(HERE).pages(&asked.after, next);
    Ok(Page(DriftPage { shell, asked, stores, others, drifts, decided, first, next })
        .into_response())
}

/// `GET /drift.csv`: all that there ever was of what is searched for, decided or not.
pub(super) async fn export(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Answer {
    let heads = ["Seen", "SKU", "Expected", "In the shop", "State", "Decided", "Store"];
    Ok(csv::send("drift", &heads, row, move |after| {
        let (relay, search) = (panel.relay.clone(), asked.search());
        async move { decisions::drifts(&relay, person.tenant, &search, true, &after, csv::A_PAGE).await }
    }))
}

fn row(Drift { drift, .. }: Drift) -> Vec<String> {
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
    asked: Query<Asked>,
    form: Form<Seen>,
) -> Answer {
    decide(panel, person, id, asked, (Verdict::Adopt, form)).await
}

/// `POST /drift/{id}/push`: the ledger's number counts.
pub(super) async fn push(
    panel: State<Panel>,
    person: Person,
    id: Path<Uuid>,
    asked: Query<Asked>,
    form: Form<Seen>,
) -> Answer {
    decide(panel, person, id, asked, (Verdict::Push, form)).await
}

async fn decide(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    Query(asked): Query<Asked>,
    (verdict, Form(Seen { seen })): (Verdict, Form<Seen>),
) -> Answer {
    let by = By::Person { id: person.id, email: &person.email };
    let word = (verdict, seen);
    let done = drift::decide(&panel.relay, person.tenant, id, word, by, store::now()).await;
    let notice = match done {
        Ok(()) => Notice::good(said(verdict)),
        Err(DriftError::Unknown) => return Err(DECIDED),
        Err(DriftError::Store(error)) => return Err(error.into()),
        Err(
            error @ (DriftError::Changed
            | DriftError::Overtaken
            | DriftError::Unread(_)
            | DriftError::Frozen(_)),
        ) => Notice::bad(format!("Nothing is decided: {error}.")),
    };
    panel.done(&person, &asked.back(), notice).await
}

fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Adopt => {
            "Nexpura now has the shop’s number. The difference is in the piece’s history."
        }
        Verdict::Push => "Nexpura’s number is kept and is being sent to the shop.",
    }
}

/// `GET /drift/adopt`: what it would do, before it is done.
pub(super) async fn ask_adopt_all(
    panel: State<Panel>,
    person: Person,
    asked: Query<Asked>,
) -> Answer {
    ask_all(panel, person, asked, Verdict::Adopt).await
}

/// `GET /drift/push`: what it would do, before it is done.
pub(super) async fn ask_push_all(
    panel: State<Panel>,
    person: Person,
    asked: Query<Asked>,
) -> Answer {
    ask_all(panel, person, asked, Verdict::Push).await
}

async fn ask_all(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
    verdict: Verdict,
) -> Answer {
    let seen_at = store::now();
    let bulk = decisions::bulk(&panel.relay, person.tenant, &asked.search()).await?;
    let shell = panel.shell(person, Tab::Drift).await?;
    Ok(Page(ask(shell, &asked, bulk, (verdict, seen_at))).into_response())
}

/// When all that waits was looked at.
#[derive(Debug, Deserialize)]
pub(super) struct SeenAt {
    seen_at: DateTime<Utc>,
}

/// `POST /drift/adopt`: the shops' numbers count everywhere.
pub(super) async fn adopt_all(
    panel: State<Panel>,
    person: Person,
    asked: Query<Asked>,
    form: Form<SeenAt>,
) -> Answer {
    decide_all(panel, person, asked, (Verdict::Adopt, form)).await
}

/// `POST /drift/push`: the ledger's numbers count everywhere.
pub(super) async fn push_all(
    panel: State<Panel>,
    person: Person,
    asked: Query<Asked>,
    form: Form<SeenAt>,
) -> Answer {
    decide_all(panel, person, asked, (Verdict::Push, form)).await
}

async fn decide_all(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
    (verdict, Form(SeenAt { seen_at })): (Verdict, Form<SeenAt>),
) -> Answer {
    let (relay, tenant, search) = (&panel.relay, person.tenant, asked.search());
    let by = By::Person { id: person.id, email: &person.email };
    let (word, now) = ((verdict, seen_at), store::now());
    let done = decisions::decide_drifts(relay, tenant, &search, word, by, now).await?;
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
        return panel.done(&person, &asked.back(), Notice::good(said)).await;
    }
    let left = words::several(&count(done.left), "difference waits on", "differences wait on");
    said.push_str(&format!(
        " {left}: the numbers are newer than what you saw, the shop is being read again, an order of it could not \
         be read yet, or a change is still on its way to it. Deciding one by itself says which."
    ));
    panel.done(&person, &asked.back(), Notice::bad(said)).await
}

fn count(some: usize) -> i64 {
    i64::try_from(some).unwrap_or(i64::MAX)
}

/// What deciding all alike comes to.
fn ask(
    shell: Shell,
    asked: &Asked,
    bulk: Bulk,
    (verdict, seen_at): (Verdict, DateTime<Utc>),
) -> AskPage {
    let pieces = |one, more| words::several(&bulk.waiting, one, more);
    let empty = |number| words::several(&number, "piece becomes 0", "pieces become 0");
    let (first, empties, to, button) = match verdict {
        Verdict::Adopt => {
            let get = pieces("piece gets its shop’s number", "pieces get their shop’s number");
            let elsewhere = match bulk.emptied_here {
                1 => "in Nexpura, and in every other shop that sells it.",
                _ => "in Nexpura, and in every other shop that sells them.",
            };
            (
                format!("{get} in Nexpura. The difference is kept in the history of each."),
                (bulk.emptied_here, elsewhere),
                "/drift/adopt",
                "Use the shops’ numbers",
            )
        }
        Verdict::Push => {
            let get = pieces("piece gets Nexpura’s number", "pieces get Nexpura’s number");
            (
                format!("{get} back in the shop. What was changed there is undone."),
                (bulk.emptied_there, "in the shop."),
                "/drift/push",
                "Keep Nexpura’s numbers",
            )
        }
    };
    let mut comes = vec![Comes::plain(first)];
    if empties.0 > 0 {
        comes.push(Comes::grave(empty(empties.0), empties.1));
    }
    comes.push(Comes::plain(
        "Nothing else changes. Sales that come in meanwhile are counted as always.",
    ));
    let told = Some(("seen_at", seen_at.to_rfc3339()));
    let does = Does { to: asked.found(to), told, button, loses: empties.0 > 0 };
    AskPage {
        shell,
        question: question(verdict, asked.search().narrows()).to_owned(),
        comes,
        does: (bulk.waiting > 0).then_some(does),
        back: (asked.found(HERE), BACK),
    }
}

fn question(verdict: Verdict, narrows: bool) -> &'static str {
    match (verdict, narrows) {
        (Verdict::Adopt, false) => "Use the shops’ numbers for all?",
        (Verdict::Push, false) => "Keep Nexpura’s numbers for all?",
        (Verdict::Adopt, true) => "Use the shops’ numbers for those you searched for?",
        (Verdict::Push, true) => "Keep Nexpura’s numbers for those you searched for?",
    }
}
