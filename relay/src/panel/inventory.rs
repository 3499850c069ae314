//! `/inventory` and `/inventory/{sku}`: the pieces, why there are as many of each as there are, and putting
//! that right.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Panel,
    chart::Course,
    csv,
    error::PanelError,
    extract::{After, Form, Path, Query},
    link::Link,
    page::{Answer, Notice, Page, Shell, Tab},
    words,
};
use crate::{
    domain::{Quantity, Sku},
    service::{
        accounts::{self, Person},
        adjust::{self, AdjustError, Amount, By, Entry, Kind},
        pieces::{self, Order, Piece, Search, Shown, Step, Stock},
        stores,
    },
    store::{self, page::DEFAULT_LIMIT},
};

const HERE: &str = "/inventory";

/// What the list is asked for, as its form sends it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    stock: String,
    sort: String,
    after: String,
}

impl Asked {
    fn link(&self, path: &str) -> Link {
        Link::to(path).with("q", self.q.trim()).with("stock", &self.stock).with("sort", &self.sort)
    }

    fn narrows(&self) -> bool {
        !self.q.is_empty() || !self.stock.is_empty()
    }

    fn search(&self) -> Search {
        let stock = match self.stock.as_str() {
            "some" => Stock::Some,
            "none" => Stock::None,
            "below" => Stock::Below,
            _ => Stock::Any,
        };
        let order = match self.sort.as_str() {
            "name" => Order::Name,
            "fewest" => Order::Fewest,
            "most" => Order::Most,
            _ => Order::Sku,
        };
        Search { text: self.q.clone(), stock, order }
    }
}

#[derive(Debug, Template)]
#[template(path = "inventory.html")]
struct InventoryPage {
    shell: Shell,
    currency: Option<String>,
    pieces: Vec<Shown>,
    asked: Asked,
    export: Link,
    first: Option<Link>,
    next: Option<Link>,
}

/// `GET /inventory`
pub(super) async fn list(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Answer {
    let (relay, search) = (&panel.relay, asked.search());
    let page = pieces::list(relay, person.tenant, &search, &asked.after, DEFAULT_LIMIT).await?;
    let page = page.map(|piece| panel.pictured(piece));
    let currency = stores::currency(relay, person.tenant).await?;
    let shell = panel.shell(person, Tab::Inventory).await?;
    let (first, next) = asked.link(HERE).pages(&asked.after, page.next);
    let export = asked.link("/inventory.csv");
    let shown = InventoryPage { shell, currency, pieces: page.items, asked, export, first, next };
    Ok(Page(shown).into_response())
}

/// `GET /inventory.csv`
pub(super) async fn export(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Answer {
    let heads = ["SKU", "Name", "In stock", "May be sold below 0", "Price"];
    Ok(csv::send("inventory", &heads, row, move |after| {
        let (relay, search) = (panel.relay.clone(), asked.search());
        async move { pieces::list(&relay, person.tenant, &search, &after, csv::A_PAGE).await }
    }))
}

fn row(piece: Shown) -> Vec<String> {
    let quantity = words::number(piece.quantity);
    vec![
        piece.sku,
        piece.name,
        if piece.counted { quantity } else { String::new() },
        if piece.backorders { "yes" } else { "no" }.to_owned(),
        piece.price.map(words::amount).unwrap_or_default(),
    ]
}

#[derive(Debug, Template)]
#[template(path = "piece.html")]
struct PiecePage {
    shell: Shell,
    currency: Option<String>,
    piece: Piece,
    course: Option<Course>,
    first: Option<Link>,
    next: Option<Link>,
    /// What tells this page's forms from those of any other.
    once: Uuid,
}

impl PiecePage {
    fn of(shell: Shell, currency: Option<String>, piece: Piece, after: &str) -> Self {
        let course = Course::of(&piece.course, shell.now);
        let here = Link::to(words::piece(&piece.shown.sku));
        let (first, next) = here.pages(after, piece.steps.next.clone());
        let once = store::new_id();
        Self { shell, currency, piece, course, first, next, once }
    }

    /// Who or what is behind a movement that no sale is behind, and where more is told of them.
    fn behind(&self, step: &Step) -> (String, Option<Link>) {
        let told = &step.told;
        match (&told.person, &told.token, &told.store) {
            (Some(person), ..) => {
                let doings = Link::to("/settings/activity").with("actor", person);
                (format!("by {person}"), self.shell.manages().then_some(doings))
            }
            (_, Some(token), _) => (format!("by another system ({token})"), None),
            (_, _, Some(url)) => {
                // What arrived tells more, where something did.
                let runs = told.store_id.filter(|_| told.movement.event_id.is_none());
                let runs = runs.map(|store| Link::to(words::runs(&store)));
                (format!("by {}", words::store(url)), runs)
            }
            _ => (String::new(), None),
        }
    }
}

/// `GET /inventory/{sku}`
pub(super) async fn show(
    State(panel): State<Panel>,
    person: Person,
    Path(sku): Path<String>,
    Query(After { after }): Query<After>,
) -> Answer {
    let piece = pieces::piece(&panel.relay, person.tenant, &sku, &after, DEFAULT_LIMIT).await?;
    let mut piece = piece.ok_or(NO_PIECE)?;
    piece.shown = panel.pictured(piece.shown);
    let currency = stores::currency(&panel.relay, person.tenant).await?;
    let shell = panel.shell(person, Tab::Inventory).await?;
    Ok(Page(PiecePage::of(shell, currency, piece, &after)).into_response())
}

/// Units that came or went.
#[derive(Debug, Deserialize)]
pub(super) struct Adjustment {
    reason: Kind,
    direction: String,
    units: String,
    #[serde(default)]
    note: String,
    once: Option<Uuid>,
}

impl Adjustment {
    /// Why reason and direction do not go together, if they do not.
    fn contradiction(&self) -> Option<&'static str> {
        match (self.reason, self.direction == "out") {
            (Kind::Sale | Kind::WriteOff, false) => {
                Some("What was sold, broken, lost or stolen is taken away: choose Take away.")
            }
            (Kind::Purchase | Kind::Return, true) => {
                Some("What was bought in or came back is added: choose Add.")
            }
            _ => None,
        }
    }
}

/// `POST /inventory/{sku}/adjust`
pub(super) async fn adjust(
    State(panel): State<Panel>,
    person: Person,
    Path(sku): Path<String>,
    Form(form): Form<Adjustment>,
) -> Answer {
    if let Some(text) = form.contradiction() {
        return panel.done(&person, &words::piece(&sku), Notice::bad(text)).await;
    }
    let units = Quantity::parse(form.units.trim()).map(Quantity::abs);
    let signed = units.and_then(|units| match form.direction.as_str() {
        "out" => units.checked_neg(),
        _ => Ok(units),
    });
    let amount = signed.map(Amount::Change);
    panel.enter(&person, &sku, (form.reason, amount.ok(), &form.note), form.once).await
}

/// Units that somebody has counted.
#[derive(Debug, Deserialize)]
pub(super) struct Count {
    units: String,
    #[serde(default)]
    note: String,
    once: Option<Uuid>,
}

/// `POST /inventory/{sku}/count`
pub(super) async fn count(
    State(panel): State<Panel>,
    person: Person,
    Path(sku): Path<String>,
    Form(Count { units, note, once }): Form<Count>,
) -> Answer {
    let amount = Quantity::parse(units.trim()).map(Amount::Count).ok();
    panel.enter(&person, &sku, (Kind::Stocktake, amount, &note), once).await
}

impl Panel {
    async fn enter(
        &self,
        person: &Person,
        sku: &str,
        (kind, amount, notes): (Kind, Option<Amount>, &str),
        once: Option<Uuid>,
    ) -> Answer {
        let here = words::piece(sku);
        let sku = Sku::parse(sku).map_err(|_| NO_PIECE)?;
        let Some(amount) = amount else {
            let text = "That is no number of units. Write a number such as 2 or 0.5.";
            return self.done(person, &here, Notice::bad(text)).await;
        };
        if let Some(once) = once
            && !accounts::is_first(&self.relay, person, once).await?
        {
            return Ok(Redirect::to(&here).into_response());
        }
        let by = By::Person { id: person.id, email: &person.email };
        let entry = Entry { by, sku: &sku, kind, amount, notes: notes.trim() };
        let notice = match adjust::enter(&self.relay, person.tenant, entry, store::now()).await {
            Ok(done) => Notice::good(format!("There are {} of {sku} now.", done.quantity)),
            Err(error) => Notice::bad(refusal(error)?),
        };
        self.done(person, &here, notice).await
    }
}

const NO_PIECE: PanelError = PanelError::NotFound("There is no piece with this SKU.");

/// What a person can put right, in words; all else is an error.
fn refusal(error: AdjustError) -> Result<String, PanelError> {
    Ok(match error {
        AdjustError::Unknown => return Err(NO_PIECE),
        AdjustError::Store(error) => return Err(error.into()),
        AdjustError::Quantity(why) => format!("That many cannot be: {why}."),
        AdjustError::Same => "There are as many as Nexpura says: nothing to put right.".to_owned(),
        AdjustError::Note => "The note is too long.".to_owned(),
        AdjustError::Counting => {
            "The shop’s stock of this piece is being read for the first time. Try again in a minute."
                .to_owned()
        }
    })
}
