//! `/integrations/{id}/changes`: what a push would change, without pushing it.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use uuid::Uuid;

use super::{
    Panel, csv,
    extract::{After, Path, Query},
    link::Link,
    page::{Answer, Page, Shell, Tab},
    words,
};
use crate::{
    service::{
        accounts::Person,
        runs::{self, Change},
    },
    store::{integrations::Integration, page::DEFAULT_LIMIT},
};

/// As many changes as are counted; beyond that there are simply more.
const COUNTED: i64 = 1_000;

#[derive(Debug, Template)]
#[template(path = "changes.html")]
struct ChangesPage {
    shell: Shell,
    store: Integration,
    /// How many there are, or one more than are counted.
    number: i64,
    changes: Vec<Change>,
    first: Option<Link>,
    next: Option<Link>,
}

/// How many pieces would be changed.
fn told(number: &i64) -> String {
    let pieces = words::several(number.min(&COUNTED), "piece", "pieces");
    if *number > COUNTED { format!("More than {pieces}") } else { pieces }
}

impl ChangesPage {
    /// By how much a push would change the shop's stock, with its sign.
    fn difference(&self, change: &Change) -> String {
        words::change(&(change.ledger.thousandths() - change.shop.thousandths()))
    }
}

/// `GET /integrations/{id}/changes`
pub(super) async fn list(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
    Query(After { after }): Query<After>,
) -> Answer {
    let store = panel.store(&person, id).await?;
    let (relay, tenant) = (&panel.relay, person.tenant);
    let number = runs::count_changes(relay, tenant, store.id, COUNTED + 1).await?;
    let page = runs::changes(relay, tenant, store.id, &after, DEFAULT_LIMIT).await?;
    let shell = panel.shell(person, Tab::Integrations).await?;
    let (first, next) = Link::to(words::changes(&id)).pages(&after, page.next);
    let shown = ChangesPage { shell, store, number, changes: page.items, first, next };
    Ok(Page(shown).into_response())
}

/// `GET /integrations/{id}/changes.csv`
pub(super) async fn export(
    State(panel): State<Panel>,
    person: Person,
    Path(id): Path<Uuid>,
) -> Answer {
    let store = panel.store(&person, id).await?.id;
    let heads = ["SKU", "Name", "In the shop", "In Nexpura"];
    Ok(csv::send("changes", &heads, row, move |after| {
        let relay = panel.relay.clone();
        async move { runs::changes(&relay, person.tenant, store, &after, csv::A_PAGE).await }
    }))
}

fn row(change: Change) -> Vec<String> {
    vec![change.sku, change.name, change.shop.to_string(), change.ledger.to_string()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_as_far_as_it_is_told() {
        for (number, text) in
            [(1, "1 piece"), (1_000, "1,000 pieces"), (1_001, "More than 1,000 pieces")]
        {
            assert_eq!(told(&number), text);
        }
    }
}
