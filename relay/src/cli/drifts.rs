//! `drift`: stocks that somebody changed in a shop, and whose number counts.

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    listed::{Paging, Table, moment},
    named::OfJeweller,
};
use crate::{
    service::{
        Relay,
        adjust::By,
        decisions::{self, Bulk, Search},
        drift::{self, Verdict},
        told::Drift,
    },
    store::{TenantId, page::Page},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List what differs and waits for a person, with both numbers
    List {
        #[command(flatten)]
        wanted: Wanted,
        /// Those that are decided instead, or went away
        #[arg(long)]
        decided: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Let the shop's number count: the ledger is adjusted
    Adopt(Decision),
    /// Let the ledger's number count: it is sent to the shop
    Push(Decision),
}

#[derive(Debug, Args)]
pub(super) struct Wanted {
    #[command(flatten)]
    of: OfJeweller,
    /// Only those whose SKU or name begins so
    #[arg(long, default_value = "", hide_default_value = true)]
    find: String,
}

/// Which are decided. What was looked at is said as well: other numbers than those are not decided.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["id", "all"])))]
pub(super) struct Decision {
    #[command(flatten)]
    wanted: Wanted,
    /// One that `list` shows
    #[arg(requires = "seen", conflicts_with_all = ["store", "find"])]
    id: Option<Uuid>,
    /// Its number in the column SEEN of the list
    #[arg(long, requires = "id")]
    seen: Option<i64>,
    /// All that wait, of one store or of what is found, if that is said
    #[arg(long, requires = "seen_at")]
    all: bool,
    /// With --all: when `list` was asked, as it says; what has changed since then is left
    #[arg(long, requires = "all")]
    seen_at: Option<DateTime<Utc>>,
}

impl Command {
    /// Runs it; gives what to print, as JSON and for people.
    pub(super) async fn run(
        self,
        relay: &Relay,
        now: DateTime<Utc>,
    ) -> anyhow::Result<(Value, String)> {
        match self {
            Self::List { wanted, decided: true, paging } => {
                let (tenant, search) = wanted.find(relay).await?;
                let (after, limit) = (&paging.after, paging.limit);
                let page = decisions::drifts(relay, tenant, &search, false, after, limit).await?;
                let page = page.map(|found| Drift::from(found.drift));
                let text = decided(&page);
                Ok((json!(page), text))
            }
            Self::List { wanted, paging, .. } => {
                let (tenant, search) = wanted.find(relay).await?;
                let page =
                    decisions::waiting(relay, tenant, &search, &paging.after, paging.limit).await?;
                let bulk = decisions::bulk(relay, tenant, &search).await?;
                let page = page.map(Drift::from);
                let mut told = json!(page);
                told["seen_at"] = json!(now);
                told["all"] = json!(bulk);
                Ok((told, waiting(&page, &bulk, now)))
            }
            Self::Adopt(decision) => decision.carry_out(relay, Verdict::Adopt, now).await,
            Self::Push(decision) => decision.carry_out(relay, Verdict::Push, now).await,
        }
    }
}

impl Wanted {
    async fn find(self, relay: &Relay) -> anyhow::Result<(TenantId, Search)> {
        let (tenant, store) = self.of.find(relay).await?;
        Ok((tenant, Search { text: self.find, store }))
    }
}

impl Decision {
    async fn carry_out(
        self,
        relay: &Relay,
        verdict: Verdict,
        now: DateTime<Utc>,
    ) -> anyhow::Result<(Value, String)> {
        let (tenant, search) = self.wanted.find(relay).await?;
        let (mut decided, mut left) = (1, 0);
        if let (Some(id), Some(seen)) = (self.id, self.seen) {
            drift::decide(relay, tenant, id, (verdict, seen), By::Operator, now).await?;
        } else {
            let word = (verdict, self.seen_at.unwrap_or(now));
            let done =
                decisions::decide_drifts(relay, tenant, &search, word, By::Operator, now).await?;
            (decided, left) = (done.decided, done.left);
        }
        let mut text = match verdict {
            Verdict::Adopt => format!("{decided} decided: the ledger has the shop's number now."),
            Verdict::Push => format!("{decided} decided: the ledger's number goes to the shop."),
        };
        if left > 0 {
            text.push_str(&format!(
                " {left} still wait: their numbers are newer than what was seen, or cannot be relied on now. \
                 Deciding one by its id says which."
            ));
        }
        Ok((json!({ "decided": decided, "left": left }), text))
    }
}

fn waiting(page: &Page<Drift>, bulk: &Bulk, now: DateTime<Utc>) -> String {
    let mut table =
        Table::new(["ID", "SEEN", "SKU", "LEDGER EXPECTED", "SHOP HAD", "SINCE", "STORE"]);
    for drift in &page.items {
        let sku = drift.sku.clone().unwrap_or_default();
        let numbers = [drift.expected.to_string(), drift.found.to_string()];
        let ([expected, found], since) = (numbers, moment(drift.created_at));
        let (id, seen) = (drift.id.to_string(), drift.changes.to_string());
        table.row([id, seen, sku, expected, found, since, drift.store.clone()]);
    }
    let mut text = table.told(page, "Nothing differs.");
    if bulk.waiting == 0 {
        return text;
    }
    text.push_str(&format!(
        "\n{} in all. `drift adopt ID --seen N` takes the shop's number, `drift push ID --seen N` keeps the ledger's; \
         all of them alike: --all --seen-at {}",
        bulk.waiting,
        json!(now).as_str().unwrap_or_default()
    ));
    for (emptied, how) in [
        (bulk.emptied_here, "Adopting all would leave nothing in the ledger of"),
        (bulk.emptied_there, "Pushing all would leave nothing in the shop of"),
    ] {
        if emptied > 0 {
            text.push_str(&format!("\n{how} {emptied} of them."));
        }
    }
    text
}

fn decided(page: &Page<Drift>) -> String {
    let mut table =
        Table::new(["DECIDED", "STATUS", "SKU", "LEDGER EXPECTED", "SHOP HAD", "STORE", "WHY"]);
    for drift in &page.items {
        let at = drift.resolved_at.map(moment).unwrap_or_default();
        let sku = drift.sku.clone().unwrap_or_default();
        let (expected, found) = (drift.expected.to_string(), drift.found.to_string());
        let why = drift.reason.clone().unwrap_or_default();
        table.row([at, drift.status.clone(), sku, expected, found, drift.store.clone(), why]);
    }
    table.told(page, "Nothing was decided yet.")
}
