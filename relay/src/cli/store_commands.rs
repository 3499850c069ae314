//! `store`: connecting a store by its address and key, testing, disconnecting and listing stores.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde_json::{Value, json};

use super::secret;
use crate::{
    service::{
        Relay, admin,
        connect::{by_key, farewell},
        runs, stores,
    },
    store::{TenantId, integrations::Integration},
};

/// Who did it, in the audit log.
const ACTOR: &str = "command line";

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
    /// List the stores and how each stands
    List {
        /// The jeweller whose stores they are
        #[arg(long)]
        tenant: String,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// The jeweller whose store it is
    #[arg(long)]
    tenant: String,
    /// The store's address or id
    #[arg(long)]
    store: String,
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
                let done = by_key::keep(relay, tenant, &shown, ACTOR, now).await?;
                Ok((json!(done), done.message))
            }
            Self::Test(named) => {
                let (tenant, store) = named.find(relay).await?;
                let done = by_key::test(relay, tenant, &store, now).await?;
                Ok((json!(done), done.message))
            }
            Self::Disconnect(named) => {
                let (tenant, store) = named.find(relay).await?;
                let done = farewell::disconnect(relay, tenant, &store, ACTOR, now).await?;
                Ok((json!(done), done.message))
            }
            Self::List { tenant } => {
                let tenant = admin::known_tenant(relay, &tenant).await?;
                let stores = stores::list(relay, tenant).await?;
                let text: Vec<String> = stores.iter().map(line).collect();
                let text = if text.is_empty() { "No store.".to_owned() } else { text.join("\n") };
                Ok((json!({ "items": stores, "next": null }), text))
            }
        }
    }
}

impl Named {
    async fn find(&self, relay: &Relay) -> anyhow::Result<(TenantId, Integration)> {
        let tenant = admin::known_tenant(relay, &self.tenant).await?;
        let store = runs::named_store(relay, tenant, &self.store).await?;
        Ok((tenant, store))
    }
}

fn line(overview: &stores::Overview) -> String {
    let store = &overview.store;
    let synced = store
        .last_sync_at
        .map_or_else(|| "never".to_owned(), |at| at.format("%F %T UTC").to_string());
    let mut text =
        format!("{}  {} by {}, last synced {synced}", store.store, store.status, store.mode);
    let webhooks = overview.webhooks.as_ref().map(|webhooks| match &webhooks.detail {
        Some(why) => format!("Its webhooks: {}, {why}", webhooks.state),
        None => format!("Its webhooks: {}", webhooks.state),
    });
    let trouble = store.push_trouble.as_ref().map(|why| format!("Stock does not go back: {why}"));
    let more =
        [store.halted.as_deref(), store.reason.as_deref(), trouble.as_deref(), webhooks.as_deref()];
    for more in more.into_iter().chain([Some(overview.note)]) {
        text.push_str(&more.map(|more| format!("\n    {more}")).unwrap_or_default());
    }
    text
}
