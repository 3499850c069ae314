//! `/sales` and `/sales/{id}`: what the shops sold, and one sale whole.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, sse::Event},
};
use chrono::{DateTime, Utc};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Panel, csv,
    error::PanelError,
    extract::{Path, Query},
    link::Link,
    page::{Answer, Page, Shell, Tab},
    show, words,
};
use crate::{
    domain::Address,
    service::{
        accounts::Person,
        sales::{self, Line, Listed, OfSale, Search, Whole},
        stores,
    },
    store::{self, page::DEFAULT_LIMIT},
};

const HERE: &str = "/sales";
const NEWS: &str = "/sales/news";

/// What the list is asked for, as its form sends it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    status: String,
    store: String,
    customer: String,
    from: String,
    until: String,
    sort: String,
    after: String,
}

impl Asked {
    fn link(&self, path: &str) -> Link {
        Link::to(path)
            .with("q", self.q.trim())
            .with("status", &self.status)
            .with("store", &self.store)
            .with("customer", &self.customer)
            .with("from", &self.from)
            .with("until", &self.until)
            .with("sort", &self.sort)
    }

    fn narrows(&self) -> bool {
        let all = [&self.q, &self.status, &self.store, &self.customer, &self.from, &self.until];
        all.iter().any(|field| !field.is_empty())
    }

    /// Whether something is asked for that a phone keeps folded.
    fn folds_out(&self) -> bool {
        let folded = [&self.status, &self.store, &self.from, &self.until, &self.sort];
        folded.iter().any(|field| !field.is_empty())
    }

    /// What is no id and no day says nothing.
    fn search(&self) -> Search {
        Search {
            text: self.q.clone(),
            status: self.status.clone(),
            store: self.store.parse().ok(),
            customer: self.customer.parse().ok(),
            from: self.from.parse().ok(),
            until: self.until.parse().ok(),
            oldest_first: self.sort == "oldest",
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "sales.html")]
struct SalesPage {
    shell: Shell,
    /// Address and id of each store.
    stores: Vec<(String, String)>,
    list: SalesList,
    export: Link,
    /// Where it is told how the list changes, unless what is shown is not the list's beginning.
    news: Option<Link>,
}

/// The list itself, which an open page gets anew when it has changed.
#[derive(Debug, Template)]
#[template(path = "sales-list.html")]
struct SalesList {
    sales: Vec<Listed>,
    /// Whether sales come from more than one store.
    several: bool,
    asked: Asked,
    first: Option<Link>,
    next: Option<Link>,
    now: DateTime<Utc>,
}

impl SalesList {
    fn of(page: store::page::Page<Listed>, asked: Asked, several: bool) -> Self {
        let (first, next) = asked.link(HERE).pages(&asked.after, page.next);
        Self { sales: page.items, several, asked, first, next, now: store::now() }
    }

    /// Where a buyer is found by less than the whole e-mail.
    fn buyers(&self) -> Link {
        Link::to("/customers").with("q", self.asked.q.trim())
    }
}

/// `GET /sales`
pub(super) async fn list(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Answer {
    let (relay, tenant) = (&panel.relay, person.tenant);
    let page = sales::list(relay, tenant, &asked.search(), &asked.after, DEFAULT_LIMIT).await?;
    let stores = stores::names(relay, tenant).await?;
    let stores: Vec<_> = stores.into_iter().map(|(id, url)| (url, id.to_string())).collect();
    let shell = panel.shell(person, Tab::Sales).await?;
    let news = asked.after.is_empty().then(|| asked.link(NEWS).with("seen", &sales::mark(&page)));
    let export = asked.link("/sales.csv");
    let list = SalesList::of(page, asked, stores.len() > 1);
    Ok(Page(SalesPage { shell, stores, list, export, news }).into_response())
}

/// What of the list a page has before it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Seen {
    seen: String,
}

/// `GET /sales/news`: the list anew each time that it has changed, as server-sent events.
pub(super) async fn news(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
    Query(Seen { seen }): Query<Seen>,
) -> Answer {
    let (relay, tenant) = (panel.relay.clone(), person.tenant);
    let several = stores::names(&relay, tenant).await?.len() > 1;
    let pages = sales::watch(relay, tenant, asked.search(), seen, DEFAULT_LIMIT);
    let lists = pages.map(move |page| {
        let html = SalesList::of(page, asked.clone(), several).render().unwrap_or_default();
        Event::default().event("list").json_data(html).unwrap_or_default()
    });
    Ok(panel.tell(person, lists))
}

/// `GET /sales.csv`
pub(super) async fn export(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Answer {
    let heads = [
        "Number",
        "Placed",
        "Status",
        "Customer",
        "E-mail",
        "Currency",
        "Total",
        "Refunded",
        "Store",
        "In the trash",
    ];
    Ok(csv::send("sales", &heads, row, move |after| {
        let (relay, search) = (panel.relay.clone(), asked.search());
        async move { sales::list(&relay, person.tenant, &search, &after, csv::A_PAGE).await }
    }))
}

fn row(sale: Listed) -> Vec<String> {
    vec![
        sale.number,
        show::machine(&sale.placed_at),
        sale.status,
        words::name(sale.first_name.as_deref(), sale.last_name.as_deref()),
        sale.email.unwrap_or_default(),
        sale.currency,
        words::amount(sale.total),
        words::amount(sale.refunded),
        sale.store,
        if sale.gone { "yes" } else { "no" }.to_owned(),
    ]
}

#[derive(Debug, Template)]
#[template(path = "sale.html")]
struct SalePage {
    shell: Shell,
    whole: Whole,
    billing: Address,
    shipping: Address,
    coupons: String,
    note: String,
}

impl SalePage {
    fn of(shell: Shell, whole: Whole) -> Self {
        let details = &whole.shown.sale.details;
        let address = |key: &str| serde_json::from_value(details[key].clone()).unwrap_or_default();
        let coupons = details["coupons"].as_array().into_iter().flatten();
        let coupons: Vec<&str> = coupons.filter_map(Value::as_str).collect();
        let (billing, shipping, coupons) =
            (address("billing"), address("shipping"), coupons.join(", "));
        let note = details["customer_note"].as_str().unwrap_or_default().to_owned();
        Self { shell, whole, billing, shipping, coupons, note }
    }

    fn money(&self, micros: &i64) -> String {
        words::money(micros, &self.whole.shown.sale.currency)
    }

    /// What the lines that are on the order cost together, after discounts and without tax.
    fn pieces(&self) -> i64 {
        self.whole.lines.iter().filter(|line| !line.gone).map(|line| line.total).sum()
    }

    /// The movements of one line.
    fn moved_by(&self, line: &Line) -> Vec<&OfSale> {
        let of_line = |movement: &&OfSale| movement.line_id == Some(line.line_id);
        self.whole.movements.iter().filter(of_line).collect()
    }

    /// What a refund was for, line by line.
    fn refunded(&self, lines: &Value) -> Vec<String> {
        let lines = lines.as_array().into_iter().flatten();
        let told = lines.filter_map(|line| {
            let of = |id: u64| i64::try_from(id).ok();
            let id = line["line_id"].as_u64().and_then(of)?;
            let name = self.whole.lines.iter().find(|line| line.line_id == id)?;
            let quantity = line["quantity"].as_str().unwrap_or_default();
            let back = match line["restocked"].as_str() {
                Some(units) if units != "0" => format!(", {units} back into stock"),
                Some(_) => ", none back into stock".to_owned(),
                None => String::new(),
            };
            Some(format!("{quantity} × {}{back}", name.name))
        });
        told.collect()
    }
}

/// `GET /sales/{id}`
pub(super) async fn show(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let whole = sales::whole(&panel.relay, person.tenant, id).await?;
    let whole = whole.ok_or(PanelError::NotFound("There is no such sale."))?;
    let shell = panel.shell(person, Tab::Sales).await?;
    Ok(Page(SalePage::of(shell, whole)).into_response())
}
