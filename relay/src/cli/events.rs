//! `event`: what arrived, what became of it, trying it again, and leaving an order that can never be read.

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Subcommand, builder::PossibleValuesParser};
use serde_json::{Value, json};
use uuid::Uuid;

use super::listed::{Paging, Table, inert, moment};
use crate::{
    service::{
        Relay,
        adjust::OPERATOR,
        admin,
        events::{self, Entry, Search},
        leave,
        retry::{self, Retry},
        told::Event,
    },
    store::{TenantId, page::Page},
};

const UNKNOWN: &str = "there is no event with this id: see `event list`";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List what arrived, the newest first
    List {
        /// The jeweller whose shops told of it
        #[arg(long)]
        tenant: String,
        /// Only those that came to this
        #[arg(long, value_parser = PossibleValuesParser::new(
            ["applied", "duplicate", "superseded", "queued", "ignored", "failed"]))]
        status: Option<String>,
        /// Only those about the order of this number
        #[arg(long, default_value = "", hide_default_value = true)]
        order: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one: what it brought, what became of it and why
    Show(One),
    /// Try one again, or all that failed: the shop is asked how the thing stands now
    #[command(group(ArgGroup::new("which").required(true).args(["id", "all"])))]
    Retry {
        /// The jeweller whose shops told of it
        #[arg(long)]
        tenant: String,
        /// One that `list` shows
        id: Option<Uuid>,
        /// All that failed
        #[arg(long)]
        all: bool,
    },
    /// Leave the order of an event that can never be read: nothing waits for it any more
    Leave(One),
}

#[derive(Debug, clap::Args)]
pub(super) struct One {
    /// The jeweller whose shop told of it
    #[arg(long)]
    tenant: String,
    /// One that `list` shows
    id: Uuid,
}

impl Command {
    /// Runs it; gives what to print, as JSON and for people.
    pub(super) async fn run(
        self,
        relay: &Relay,
        now: DateTime<Utc>,
    ) -> anyhow::Result<(Value, String)> {
        match self {
            Self::List { tenant, status, order, paging } => {
                let tenant = admin::known_tenant(relay, &tenant).await?;
                let search = Search { order, status: status.unwrap_or_default(), store: None };
                let (after, limit) = (&paging.after, paging.limit);
                let page = events::list(relay, tenant, &search, after, now, limit).await?;
                let text = listed(&page);
                Ok((json!(page), text))
            }
            Self::Show(One { tenant, id }) => {
                let tenant = admin::known_tenant(relay, &tenant).await?;
                let event = events::whole(relay, tenant, id).await?;
                let Some(event) = event else { anyhow::bail!(UNKNOWN) };
                let event = Event::from(event);
                Ok((json!(event), shown(&event)))
            }
            Self::Retry { tenant, id: Some(id), .. } => {
                let tenant = admin::known_tenant(relay, &tenant).await?;
                again(relay, tenant, id, now).await?;
                let text = "It is tried again: the shop is asked how it stands now.";
                Ok((json!({ "retried": 1 }), text.to_owned()))
            }
            Self::Retry { tenant, id: None, .. } => {
                let tenant = admin::known_tenant(relay, &tenant).await?;
                let retried = retry::retry_failed(relay, tenant, OPERATOR, now).await?;
                Ok((json!({ "retried": retried }), format!("{retried} are tried again.")))
            }
            Self::Leave(One { tenant, id }) => {
                let tenant = admin::known_tenant(relay, &tenant).await?;
                leave::leave(relay, tenant, id, OPERATOR, now).await?;
                let text = "The order is left: nothing waits for it any more.";
                Ok((json!({ "left": 1 }), text.to_owned()))
            }
        }
    }
}

async fn again(
    relay: &Relay,
    tenant: TenantId,
    id: Uuid,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    match retry::retry(relay, tenant, id, OPERATOR, now).await? {
        Retry::Queued => Ok(()),
        Retry::Unknown => anyhow::bail!(UNKNOWN),
        Retry::NeedsDecision => anyhow::bail!(
            "trying it again decides nothing: two databases claim to be this shop; see `store accept`"
        ),
        Retry::NotUnderstood => anyhow::bail!(
            "this event does not say what it is about, so there is nothing to ask the shop for: `event show` says \
             what is wrong with it"
        ),
    }
}

fn listed(page: &Page<Entry>) -> String {
    let mut table =
        Table::new(["ID", "ARRIVED", "WHAT", "NUMBER", "STATUS", "TRIES", "STORE", "WHY"]);
    for event in &page.items {
        table.row([
            event.id.to_string(),
            moment(event.received_at),
            event.topic.clone(),
            event.resource_id.to_string(),
            event.status.clone(),
            event.attempts.to_string(),
            event.store.clone(),
            event.detail.clone().unwrap_or_default(),
        ]);
    }
    table.told(page, "Nothing like that has arrived.")
}

fn shown(event: &Event) -> String {
    let entry = &event.entry;
    let mut lines = vec![
        format!("{} {} of {}", entry.topic, entry.resource_id, entry.store),
        format!("noticed {}, arrived {}", moment(event.occurred_at), moment(entry.received_at)),
        format!("{} after {} tries", entry.status, entry.attempts),
    ];
    lines.extend(entry.detail.as_deref().map(inert));
    if let (Some(number), Some(sale)) = (&entry.order_number, event.sale_id) {
        lines.push(format!("order #{number} is sale {sale}"));
    }
    if event.unread {
        lines.push(format!("waits to be read; if it never can be: `event leave {}`", entry.id));
    }
    if event.left {
        lines.push("its order is left".to_owned());
    }
    for (part, kept) in [("payload", &event.payload), ("facts", &event.facts)] {
        match kept {
            Value::Null => lines.push(format!("{part}: none is kept")),
            kept => {
                let kept = format!("{kept:#}");
                lines.push(format!(
                    "{part}: {}",
                    kept.lines().map(inert).collect::<Vec<_>>().join("\n")
                ));
            }
        }
    }
    lines.join("\n")
}
