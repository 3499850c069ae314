//! `store`: connecting a store by its address and key, testing, disconnecting and listing stores, and what a person
//! says of a store as a whole.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use serde_json::{Value, json};

use super::{listed::moment, named::Named, secret};
use crate::service::{
    Relay,
    adjust::OPERATOR,
    admin,
    connect::{by_key, farewell},
    desk::{self, Standing},
    drift,
    store_policy::{self, Change, Decided, Policy},
    told::Store,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Connect a store by its WooCommerce key, with or without the plugin
    Connect {
        /// The jeweller whose store it is; made if new
        #[arg(long)]
        tenant: String,
        /// The store's address, such as https://shop.example
        #[arg(long)]
        store_url: String,
        /// The consumer key, ck_…
        #[arg(long, env = "NEXPURA_CONSUMER_KEY")]
        consumer_key: String,
        /// A file that holds the consumer secret; without it NEXPURA_CONSUMER_SECRET is taken, else it is
        /// asked for or read from standard input
        #[arg(long)]
        consumer_secret_file: Option<PathBuf>,
        /// The consumer secret, from the environment only: a command line can be read by others
        #[arg(
            long = "consumer-secret-from-environment",
            env = "NEXPURA_CONSUMER_SECRET",
            hide = true,
            hide_env_values = true
        )]
        consumer_secret: Option<secrecy::SecretString>,
    },
    /// Ask a store whether its key still works and what it may do
    Test(Named),
    /// Disconnect a store: its key is forgotten, its history stays
    Disconnect(Named),
    /// Say what happens by itself in a store; without a choice, tell what does now
    Policy {
        #[command(flatten)]
        named: Named,
        /// Whose number counts where a stock was edited in the shop. The ledger's: it is sent back. Or adopt the
        /// shop's: the ledger is adjusted
        #[arg(long, value_parser = PossibleValuesParser::new(["ledger", "adopt"]).map(|word| policy(&word)))]
        drift: Option<Policy>,
        /// Whether what is brought over is marked in the shop: by the plugin, or without it by a private note on each
        /// order
        #[arg(long, value_parser = PossibleValuesParser::new(["on", "off"]).map(|word| word == "on"))]
        marks: Option<bool>,
        /// Whether products and customers of a shop without the plugin are marked as well, by a custom field:
        /// WooCommerce saves each of them once for it, which other plugins and webhooks take for an edit. Needs marks
        /// that are on
        #[arg(long, value_parser = PossibleValuesParser::new(["on", "off"]).map(|word| word == "on"))]
        mark_fields: Option<bool>,
    },
    /// Let a store's pushes go that were stopped because they would empty much at once: you have looked, send them
    Resume(Named),
    /// Say that the database which a halted store has now is the shop: its stock is read anew
    Accept(Named),
    /// List the stores, how each stands, and what waits for a person
    List {
        /// The jeweller whose stores they are
        #[arg(long)]
        tenant: String,
    },
}

impl Command {
    /// Runs it; gives what to print, as JSON and for people.
    pub(super) async fn run(
        self,
        relay: &Relay,
        now: DateTime<Utc>,
    ) -> anyhow::Result<(Value, String)> {
        match self {
            Self::Connect {
                tenant,
                store_url,
                consumer_key,
                consumer_secret_file,
                consumer_secret,
            } => {
                let consumer_secret = secret::read(consumer_secret_file, consumer_secret)?;
                let request = by_key::Request { store_url, consumer_key, consumer_secret };
                let tenant = admin::tenant(relay, &tenant, now).await?;
                let shown = by_key::verify(relay, tenant, &request).await?;
                let done = by_key::keep(relay, tenant, &shown, OPERATOR, now).await?;
                Ok((json!(done), done.message))
            }
            Self::Test(named) => {
                let (tenant, store) = named.find(relay).await?;
                let done = by_key::test(relay, tenant, &store, now).await?;
                Ok((json!(done), done.message))
            }
            Self::Disconnect(named) => {
                let (tenant, store) = named.find(relay).await?;
                let done = farewell::disconnect(relay, tenant, &store, OPERATOR, now).await?;
                Ok((json!(done), done.message))
            }
            Self::Policy { named, drift, marks, mark_fields } => {
                let (tenant, store) = named.find(relay).await?;
                let change = Change { drift, marks, mark_fields };
                if !change.is_empty() {
                    store_policy::set(relay, tenant, store.id, change, OPERATOR, now).await?;
                }
                let decided = store_policy::of(relay, tenant, store.id).await?;
                let mut told = json!(decided);
                told["store"] = json!(store.store_url);
                Ok((told, said(decided)))
            }
            Self::Resume(named) => {
                let (tenant, store) = named.find(relay).await?;
                let held = drift::resume(relay, tenant, store.id, OPERATOR, now).await?;
                anyhow::ensure!(held, "the pushes of {} are not held", store.store_url);
                let text = format!("The pushes of {} go on.", store.store_url);
                Ok((json!({ "store": store.store_url, "resumed": true }), text))
            }
            Self::Accept(named) => {
                let (tenant, store) = named.find(relay).await?;
                store_policy::accept_fork(relay, tenant, &store, OPERATOR, now).await?;
                let text =
                    format!("{} is taken up again: its stock is read anew.", store.store_url);
                Ok((json!({ "store": store.store_url, "accepted": true }), text))
            }
            Self::List { tenant } => {
                let tenant = admin::known_tenant(relay, &tenant).await?;
                let stores = desk::all(relay, tenant, now).await?;
                let text: Vec<String> = stores.iter().map(line).collect();
                let text = if text.is_empty() { "No store.".to_owned() } else { text.join("\n") };
                let items: Vec<Store> = stores.iter().map(Store::from).collect();
                Ok((json!({ "items": items, "next": null }), text))
            }
        }
    }
}

fn policy(word: &str) -> Policy {
    if word == "adopt" { Policy::Adopt } else { Policy::Ledger }
}

fn said(decided: Decided) -> String {
    let counts = match (decided.drift, decided.in_force) {
        (Policy::Ledger, _) => "The ledger's number counts: it is sent back to the shop.",
        (Policy::Adopt, true) => "The shop's number counts: the ledger is adjusted.",
        (Policy::Adopt, false) => {
            "The shop's number counts once the plugin and its PHP extension are there; until then the ledger's does."
        }
    };
    let marks = match (decided.writable, decided.marks, decided.mark_fields) {
        (false, ..) => "Nothing is marked in the shop: its key may only read.",
        (true, false, _) => "Nothing is marked in the shop.",
        (true, true, false) => {
            "What is brought over is marked in the shop; without the plugin orders only."
        }
        (true, true, true) => {
            "What is brought over is marked in the shop; without the plugin products and customers by a custom field."
        }
    };
    format!("{counts}\n{marks}")
}

fn line(standing: &Standing) -> String {
    let overview = &standing.overview;
    let store = &overview.store;
    let synced = store.last_sync_at.map_or_else(|| "never".to_owned(), moment);
    let mut text =
        format!("{}  {} by {}, last synced {synced}", store.store, store.status, store.mode);
    let webhooks = overview.webhooks.as_ref().map(|webhooks| match &webhooks.detail {
        Some(why) => format!("Its webhooks: {}, {why}", webhooks.state),
        None => format!("Its webhooks: {}", webhooks.state),
    });
    let halted = store.halted.as_ref().map(|why| format!("{why}; see `store accept`"));
    let held =
        standing.held.as_ref().map(|why| format!("Nothing is pushed: {why}; then `store resume`"));
    let waits = |count: i64, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let trouble = store.push_trouble.as_ref().map(|why| format!("Stock does not go back: {why}"));
    let lines = [
        halted,
        store.reason.clone(),
        held,
        trouble,
        waits(standing.drifts, "stocks differ and wait for a person: see `drift list`"),
        waits(standing.links, "pieces wait for whose count holds: see `link list`"),
        webhooks,
        Some(overview.note.to_owned()),
    ];
    for more in lines.into_iter().flatten() {
        text.push_str(&format!("\n    {more}"));
    }
    text
}
