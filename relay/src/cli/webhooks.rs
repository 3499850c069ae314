//! `webhooks`: setting up and removing WooCommerce's own webhooks.

use clap::Subcommand;
use serde_json::{Value, json};

use super::sync::{Store, tenant};
use crate::service::{Relay, adjust::OPERATOR, runs, stores, webhooks};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a store's webhooks under a new secret
    Setup(Store),
    /// Remove a store's webhooks; it is swept every few minutes instead
    Remove(Store),
}

impl Command {
    /// Runs it; gives what to print, as JSON and for people.
    pub(super) async fn run(self, relay: &Relay) -> anyhow::Result<(Value, String)> {
        let (Self::Setup(named) | Self::Remove(named)) = &self;
        let tenant = tenant(relay, named).await?;
        let id = runs::named_store(relay, tenant, &named.store).await?.id;
        let (mut told, text) = match &self {
            Self::Setup(_) => {
                let report = webhooks::setup(relay, tenant, id, OPERATOR).await?;
                let text = format!(
                    "{} webhooks deliver to {}: {} made, {} changed, {} stale ones removed.",
                    report.webhooks.len(),
                    report.delivery_url,
                    report.created,
                    report.updated,
                    report.removed
                );
                (json!({ "report": report }), text)
            }
            Self::Remove(_) => {
                let removed = webhooks::switch_off(relay, tenant, id, OPERATOR).await?;
                let text = format!("{removed} webhooks removed; the store is swept instead.");
                (json!({ "removed": removed }), text)
            }
        };
        told["store"] = json!(stores::one(relay, tenant, id).await?);
        Ok((told, text))
    }
}
