//! `/`: what matters today.

use askama::Template;
use axum::{extract::State, response::IntoResponse};

use super::{
    Panel,
    chart::{self, Bar},
    page::{Answer, Page, Shell, Tab},
    words,
};
use crate::service::{
    accounts::Person,
    stores::{self, Overview},
    today::{self, Today},
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
            (day.sales, format!("From {}: {sales}", day.from.format("%-d %b, %H:%M UTC")))
        });
        let bars = chart::bars(&numbers.collect::<Vec<_>>());
        Self { shell, stores, today, bars }
    }

    /// The chart in words.
    fn told(&self) -> String {
        let days = &self.today.days;
        let all: i64 = days.iter().map(|day| day.sales).sum();
        let most = days.iter().map(|day| day.sales).max().unwrap_or(0);
        let sales = words::several(&all, "sale", "sales");
        format!("{sales} in the last {} days, at most {most} in a day.", days.len())
    }

    /// What waits for somebody: how much, in words, and where.
    fn waiting(&self) -> Vec<(String, &'static str)> {
        let waiting = &self.today.waiting;
        let all = [
            (waiting.conflicts, "sale does", "sales do", "not fit the stock", "/drift"),
            (waiting.drifts, "stock was", "stocks were", "changed in a shop", "/drift"),
            (waiting.links, "piece waits", "pieces wait", "for whose count holds", "/drift"),
            (waiting.failed, "event", "events", "could not be taken over", "/events?status=failed"),
        ];
        let some = all.into_iter().filter(|(count, ..)| *count > 0);
        some.map(|(count, one, more, what, to)| {
            (format!("{} {what}", words::several(&count, one, more)), to)
        })
        .collect()
    }
}

/// `GET /`
pub(super) async fn show(State(panel): State<Panel>, person: Person) -> Answer {
    let stores = stores::list(&panel.relay, person.tenant).await?;
    let shell = panel.shell(person, Tab::Home).await?;
    let today = today::today(&panel.relay, shell.person.tenant, shell.now).await?;
    Ok(Page(HomePage::of(shell, stores, today)).into_response())
}
