//! `webhooks`: setting up, removing and showing WooCommerce's own webhooks.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    service::{
        Relay,
        stores::{self, Shown},
        webhooks,
    },
    store::tenants,
};

const ACTOR: &str = "command line";

#[derive(Debug, Subcommand)]
pub(super) enum Webhooks {
    /// Register a store's webhooks under a new secret
    Setup(Store),
    /// Remove a store's webhooks; it is swept every few minutes instead
    Remove(Store),
    /// Show how every store tells of what happens in it
    Status,
}

#[derive(Debug, clap::Args)]
pub(super) struct Store {
    /// The store's address
    #[arg(long = "store")]
    url: String,
    /// Whose store, where several jewellers have one at this address
    #[arg(long)]
    tenant: Option<String>,
}

/// Runs the command; gives what to print as JSON and as text.
pub(super) async fn run(relay: &Relay, command: Webhooks) -> anyhow::Result<(Value, String)> {
    match command {
        Webhooks::Setup(store) => {
            let (tenant, id) =
                stores::of_any_tenant(relay, &store.url, store.tenant.as_deref()).await?;
            let report = webhooks::setup(relay, tenant, id, ACTOR).await?;
            let text = format!(
                "{} webhooks deliver to {}: {} made, {} changed, {} stale ones removed.",
                report.webhooks.len(),
                report.delivery_url,
                report.created,
                report.updated,
                report.removed
            );
            let shown = stores::one(relay, tenant, id).await?;
            Ok((json!({ "store": shown, "report": report }), text))
        }
        Webhooks::Remove(store) => {
            let (tenant, id) =
                stores::of_any_tenant(relay, &store.url, store.tenant.as_deref()).await?;
            let removed = webhooks::switch_off(relay, tenant, id, ACTOR).await?;
            let shown = stores::one(relay, tenant, id).await?;
            let text = format!("{removed} webhooks removed; the store is swept every few minutes.");
            Ok((json!({ "store": shown, "removed": removed }), text))
        }
        Webhooks::Status => {
            let mut tx = relay.db.read().await?;
            let tenants = tenants::all(&mut tx).await?;
            tx.commit().await?;
            let mut all = Vec::new();
            for tenant in tenants {
                all.extend(stores::all(relay, tenant).await?);
            }
            let lines: Vec<_> = all.iter().map(line).collect();
            Ok((json!({ "items": all }), lines.join("\n")))
        }
    }
}

fn line(store: &Shown) -> String {
    let webhooks = match &store.webhooks {
        Some(webhooks) => {
            let why = webhooks.detail.as_deref().map_or_else(String::new, |why| format!(", {why}"));
            format!(" (webhooks {}{why})", webhooks.state)
        }
        None => String::new(),
    };
    format!("{}: {} by {}{webhooks}", store.store, store.status, store.mode)
}
