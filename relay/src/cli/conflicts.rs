//! `conflict`: oversales, and paid lines that never left a shop's stock.

use chrono::{DateTime, Utc};
use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::listed::{Paging, Table, moment};
use crate::{
    service::{
        Relay,
        adjust::OPERATOR,
        admin,
        conflict::{self, Decision},
        told::Conflict,
    },
    store::page::Page,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List what waits for a person
    List {
        /// The jeweller whose sales they are
        #[arg(long)]
        tenant: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Decide one: take or leave the units of a paid line that never left the shop's stock; acknowledge an oversale
    Decide {
        /// The jeweller whose sale it is
        #[arg(long)]
        tenant: String,
        /// One that `list` shows
        id: Uuid,
        /// What is to be done
        #[arg(long, value_parser = PossibleValuesParser::new(["take", "leave", "acknowledge"])
            .map(|word| meant(&word)))]
        decision: Decision,
    },
}

fn meant(word: &str) -> Decision {
    match word {
        "take" => Decision::Take,
        "leave" => Decision::Leave,
        _ => Decision::Acknowledge,
    }
}

impl Command {
    /// Runs it; gives what to print, as JSON and for people.
    pub(super) async fn run(
        self,
        relay: &Relay,
        now: DateTime<Utc>,
    ) -> anyhow::Result<(Value, String)> {
        match self {
            Self::List { tenant, paging } => {
                let tenant = admin::known_tenant(relay, &tenant).await?;
                let page = conflict::open(relay, tenant, paging.key()?, paging.limit).await?;
                let text = listed(&page);
                Ok((json!(page), text))
            }
            Self::Decide { tenant, id, decision } => {
                let tenant = admin::known_tenant(relay, &tenant).await?;
                conflict::decide(relay, tenant, id, decision, OPERATOR, now).await?;
                let text = match decision {
                    Decision::Take => "Its units are taken, in the ledger and in the shops.",
                    Decision::Leave => "The stock stays as it is.",
                    Decision::Acknowledge => {
                        "Noted. Count the piece if its number is still below zero."
                    }
                };
                Ok((json!({ "decided": 1 }), text.to_owned()))
            }
        }
    }
}

fn listed(page: &Page<Conflict>) -> String {
    let mut table = Table::new(["ID", "WHAT", "SKU", "UNITS", "ORDER", "NOTICED", "DECIDE BY"]);
    for conflict in &page.items {
        let (what, by) = match conflict.kind.as_str() {
            "never_reduced" => ("paid, never taken from the shop's stock", "take or leave"),
            _ => ("sold more than there were", "acknowledge"),
        };
        let order = conflict.order_number.as_ref().map(|number| format!("#{number}"));
        table.row([
            conflict.id.to_string(),
            what.to_owned(),
            conflict.sku.clone().unwrap_or_default(),
            conflict.quantity.to_string(),
            order.unwrap_or_default(),
            moment(conflict.created_at),
            by.to_owned(),
        ]);
    }
    table.told(page, "Nothing waits.")
}
