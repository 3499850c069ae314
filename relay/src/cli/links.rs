//! `link`: pieces that a shop brings and the ledger has already, and whose count holds.

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::named::OfJeweller;
use crate::{
    service::{
        Relay,
        adjust::OPERATOR,
        links::{self, Holds, Link, Which},
    },
    store::{IntegrationId, TenantId, page::MAX_LIMIT},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List what waits for a choice, with both counts
    List {
        #[command(flatten)]
        of: OfJeweller,
    },
    /// Say whose count holds; it counts once the shop's stock has been read twice
    #[command(group(ArgGroup::new("which").required(true).multiple(true).args(["id", "all"])))]
    Choose {
        #[command(flatten)]
        of: OfJeweller,
        /// Whose count
        #[arg(long, value_parser = whose)]
        holds: Holds,
        /// One that `list` shows
        #[arg(conflicts_with_all = ["all", "store"])]
        id: Option<Uuid>,
        /// All that wait, of one store if it is said
        #[arg(long)]
        all: bool,
    },
}

/// Whose count holds, by its word.
fn whose(word: &str) -> Result<Holds, &'static str> {
    match word {
        "ledger" => Ok(Holds::Ledger),
        "shop" => Ok(Holds::Shop),
        _ => Err("say ledger or shop"),
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
            Self::List { of } => {
                let (tenant, store) = of.find(relay).await?;
                let waiting = all(relay, tenant, store).await?;
                let text: Vec<String> = waiting.iter().map(line).collect();
                let text =
                    if text.is_empty() { "Nothing waits.".to_owned() } else { text.join("\n") };
                Ok((json!({ "items": waiting, "next": null }), text))
            }
            Self::Choose { of, holds, id, .. } => {
                let (tenant, store) = of.find(relay).await?;
                let which = match (id, store) {
                    (Some(id), _) => Which::One(id),
                    (None, Some(store)) => Which::OfStore(store),
                    (None, None) => Which::All,
                };
                let done = links::choose(relay, tenant, which, holds, OPERATOR, now).await?;
                let text = format!(
                    "{} linked: the {}'s count holds once the shop's stock has been read twice. {} still wait.",
                    done.chosen,
                    holds.as_str(),
                    done.left
                );
                Ok((json!(done), text))
            }
        }
    }
}

async fn all(
    relay: &Relay,
    tenant: TenantId,
    store: Option<IntegrationId>,
) -> anyhow::Result<Vec<Link>> {
    let mut waiting = Vec::new();
    loop {
        let after = waiting.last().map(|link: &Link| link.id);
        let page = links::waiting(relay, tenant, store, after, MAX_LIMIT).await?;
        waiting.extend(page.items);
        if page.next.is_none() {
            return Ok(waiting);
        }
    }
}

fn line(link: &Link) -> String {
    let units = |quantity: &Option<crate::domain::Quantity>| match quantity {
        Some(quantity) => format!("{quantity}"),
        None => "no count".to_owned(),
    };
    let Link { id, sku, store, .. } = link;
    let since = match &link.ledger_ends_at {
        Some(ends) if !link.sold_since.is_zero() => format!(" ({ends} with what it sold since)"),
        _ => String::new(),
    };
    format!("{id}  {sku}  ledger {}, {store} {}{since}", units(&link.ledger), units(&link.shop))
}
