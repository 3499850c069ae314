//! Lists: a page of one at a time, and the table of it for people.

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::Args;
use uuid::Uuid;

use crate::store::page::{DEFAULT_LIMIT, MAX_LIMIT, Page, read_cursor};

/// Which page of a list.
#[derive(Debug, Args)]
pub(super) struct Paging {
    /// How many rows
    #[arg(long, default_value_t = DEFAULT_LIMIT, value_parser = clap::value_parser!(i64).range(1..=MAX_LIMIT))]
    pub(super) limit: i64,
    /// Go on where another page said that there are more
    #[arg(long, default_value = "", hide_default_value = true, value_parser = cursor)]
    pub(super) after: String,
}

impl Paging {
    /// The key that the page begins behind, where that is an id.
    pub(super) fn key(&self) -> anyhow::Result<Option<Uuid>> {
        let key = read_cursor(&self.after).filter(|key| !key.is_empty());
        key.map(|key| Uuid::try_parse(&key).context(NO_CURSOR)).transpose()
    }
}

const NO_CURSOR: &str = "expected what another page of this list said after --after";

fn cursor(text: &str) -> Result<String, &'static str> {
    read_cursor(text).map(|_| text.to_owned()).ok_or(NO_CURSOR)
}

/// A table in columns that are as wide as what stands in them.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new<const N: usize>(heads: [&str; N]) -> Self {
        Self { rows: vec![heads.map(str::to_owned).to_vec()] }
    }

    /// Another row, a cell for each head.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| inert(&cell)).to_vec());
    }

    /// The whole, or what is said where it has no row; then how to go on, where there are more.
    pub(super) fn told<T>(self, page: &Page<T>, none: &str) -> String {
        if self.rows.len() == 1 {
            return none.to_owned();
        }
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..self.rows[0].len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let mut lines: Vec<_> = self.rows.iter().map(line).collect();
        if let Some(next) = &page.next {
            lines.push(format!("There are more: --after {next}"));
        }
        lines.join("\n")
    }
}

/// What a shop wrote, so that it says nothing to the terminal itself.
pub(super) fn inert(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// A moment as people read it.
pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.format("%F %T UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_straight_columns_and_says_that_there_are_more() {
        let page =
            |next: Option<&str>| Page::<()> { items: Vec::new(), next: next.map(str::to_owned) };
        let mut table = Table::new(["SKU", "WHY"]);
        table.row(["BÄND".to_owned(), "sold".to_owned()]);
        table.row(["R".to_owned(), String::new()]);
        assert_eq!(
            table.told(&page(Some("x")), "None."),
            "SKU   WHY\nBÄND  sold\nR\nThere are more: --after x"
        );
        let mut sly = Table::new(["SKU"]);
        sly.row(["\u{1b}[2J\n".to_owned()]);
        assert_eq!(sly.told(&page(None), "None."), "SKU\n [2J");
        assert_eq!(Table::new(["SKU"]).told(&page(None), "None."), "None.");
    }
}
