//! `/customers`: who bought.

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
    domain::Address,
    service::{
        accounts::Person,
        customers::{self, Search, Shown},
    },
    store::page::DEFAULT_LIMIT,
};

const HERE: &str = "/customers";

/// What the list is asked for, as its form sends it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    marketing: String,
    sort: String,
    after: String,
}

impl Asked {
    fn link(&self, path: &str) -> Link {
        Link::to(path)
            .with("q", self.q.trim())
            .with("marketing", &self.marketing)
            .with("sort", &self.sort)
    }

    fn narrows(&self) -> bool {
        !self.q.is_empty() || self.consents().is_some()
    }

    /// What is neither says nothing.
    fn consents(&self) -> Option<bool> {
        match self.marketing.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    fn search(&self) -> Search {
        let consents = self.consents();
        Search { text: self.q.clone(), by_name: self.sort == "name", consents }
    }
}

#[derive(Debug, Template)]
#[template(path = "customers.html")]
struct CustomersPage {
    shell: Shell,
    customers: Vec<Shown>,
    asked: Asked,
    export: Link,
    first: Option<Link>,
    next: Option<Link>,
}

impl CustomersPage {
    /// Where they live, in one line.
    fn place(customer: &Shown) -> String {
        words::place(&address(customer))
    }
}

fn address(customer: &Shown) -> Address {
    serde_json::from_value(customer.address.clone()).unwrap_or_default()
}

/// `GET /customers`
pub(super) async fn list(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Answer {
    let (relay, search) = (&panel.relay, asked.search());
    let page = customers::list(relay, person.tenant, &search, &asked.after, DEFAULT_LIMIT).await?;
    let shell = panel.shell(person, Tab::Customers).await?;
    let (first, next) = asked.link(HERE).pages(&asked.after, page.next);
    let export = asked.link("/customers.csv");
    let shown = CustomersPage { shell, customers: page.items, asked, export, first, next };
    Ok(Page(shown).into_response())
}

/// `GET /customers.csv`
pub(super) async fn export(
    State(panel): State<Panel>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Answer {
    let heads = [
        "First name",
        "Family name",
        "Company",
        "E-mail",
        "Telephone",
        "Address",
        "May be written to",
        "Since",
    ];
    Ok(csv::send("customers", &heads, row, move |after| {
        let (relay, search) = (panel.relay.clone(), asked.search());
        async move { customers::list(&relay, person.tenant, &search, &after, csv::A_PAGE).await }
    }))
}

fn row(customer: Shown) -> Vec<String> {
    let address = words::place(&address(&customer));
    let consent = customer.marketing_consent.map(|consent| if consent { "yes" } else { "no" });
    vec![
        customer.first_name,
        customer.last_name,
        customer.company,
        customer.email.unwrap_or_default(),
        customer.phone,
        address,
        consent.unwrap_or_default().to_owned(),
        show::machine(&customer.created_at),
    ]
}
