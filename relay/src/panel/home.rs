//! `/`: what matters today.

use askama::Template;
use axum::{extract::State, response::IntoResponse};
use chrono::{DateTime, Utc};

use super::{
    Panel,
    chart::{self, Bar},
    page::{Answer, Page, Shell, Tab},
    show, words,
};
use crate::service::{
    accounts::Person,
    stores::{self, Overview},
    today::{self, Today, Trouble, Troubled},
};

#[derive(Debug, Template)]
#[template(path = "home.html")]
struct HomePage {
    shell: Shell,
    stores: Vec<Overview>,
    today: Today,
    bars: Vec<Bar>,
}

impl HomePage {
    fn of(shell: Shell, stores: Vec<Overview>, today: Today) -> Self {
        let numbers = today.days.iter().map(|day| {
            let sales = words::several(&day.sales, "sale", "sales");
            (day.sales, format!("24 hours from {}: {sales}", day.from.format("%-d %b, %H:%M UTC")))
        });
        let bars = chart::bars(&numbers.collect::<Vec<_>>());
        Self { shell, stores, today, bars }
    }

    /// The chart in words.
    fn told(&self) -> String {
        let days = &self.today.days;
        let all: i64 = days.iter().map(|day| day.sales).sum();
        if all == 0 {
            return format!("No sales in the last {} days.", days.len());
        }
        let sales = words::several(&all, "sale", "sales");
        format!("{sales} in the last {} days, at most {} in a day.", days.len(), self.most())
    }

    /// The most sales of one day.
    fn most(&self) -> i64 {
        self.today.days.iter().map(|day| day.sales).max().unwrap_or(0)
    }

    /// The day that the chart begins with.
    fn first_day(&self) -> Option<&DateTime<Utc>> {
        self.today.days.first().map(|day| &day.from)
    }

    /// What waits for somebody: how much, in words, and where.
    fn waiting(&self) -> Vec<(String, String)> {
        let waiting = &self.today.waiting;
        let all = [
            (waiting.conflicts, "sale does", "sales do", "not match the stock", "/drift#conflicts"),
            (
                waiting.drifts,
                "piece has",
                "pieces have",
                "another number in a shop",
                "/drift#drift",
            ),
            (
                waiting.links,
                "piece needs",
                "pieces need",
                "a decision about which count is right",
                "/drift#links",
            ),
            (waiting.below, "piece is", "pieces are", "below zero", "/inventory?stock=below"),
            (waiting.failed, "event", "events", "could not be processed", "/events?status=failed"),
        ];
        let some = all.into_iter().filter(|(count, ..)| *count > 0);
        let some = some.map(|(count, one, more, what, to)| {
            (format!("{} {what}", words::several(&count, one, more)), to.to_owned())
        });
        let troubled = self.today.trouble.iter();
        troubled.map(|one| (self.troubled(one), words::card(&one.id))).chain(some).collect()
    }

    /// What is wrong with a store, in words.
    fn troubled(&self, Troubled { store, why, .. }: &Troubled) -> String {
        let name = words::store(store);
        match why {
            Trouble::Halted => format!("{name} is halted: it may be a copy of your shop"),
            Trouble::Error => format!("{name} cannot be reached or refuses the connection"),
            Trouble::Held => {
                format!("Stock changes for {name} are on hold until somebody checks them")
            }
            Trouble::Backlog(unsent) => {
                let events = words::several(unsent, "event is", "events are");
                format!("{events} waiting in {name} and have not arrived")
            }
            Trouble::Unpushed => format!("Stock changes do not reach {name}"),
            Trouble::Webhooks => {
                format!("The webhooks of {name} fail: it is checked every few minutes instead")
            }
            Trouble::Unswept(at) => {
                format!("{name} was last checked {}", show::ago(at, &self.shell.now))
            }
        }
    }
}

/// `GET /`
pub(super) async fn show(State(panel): State<Panel>, person: Person) -> Answer {
    let stores = stores::list(&panel.relay, person.tenant).await?;
    let shell = panel.shell(person, Tab::Home).await?;
    let today = today::today(&panel.relay, shell.person.tenant, shell.now).await?;
    Ok(Page(HomePage::of(shell, stores, today)).into_response())
}
