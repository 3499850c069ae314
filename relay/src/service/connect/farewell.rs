//! A person disconnects a store: what is ours goes from the shop, its secrets go from here, the history
//! stays.

use std::time::Duration;

use chrono::{DateTime, Utc};
use nexpura_protocol::Signer;
use serde::Serialize;

use super::super::{Relay, store_client, webhooks};
use crate::{
    channel::woocommerce::Client,
    store::{
        IntegrationId, StoreError, TenantId, audit, connections,
        integrations::{self, Integration},
        keys,
    },
};

/// How long the shop may take to remove what is ours: a person waits for the answer, and stops waiting after a
/// minute.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the person is told.
#[derive(Debug, Serialize)]
pub struct Disconnected {
    /// Always `disconnected`.
    pub status: &'static str,
    /// The store's address.
    pub store: String,
    /// Whether the key is gone from the shop.
    pub key_removed: bool,
    /// What there is left to do, for people.
    pub message: String,
}

/// Disconnects a store. From now on the relay asks and pushes nothing there, whether the shop answers, and whether
/// anybody waits for it; then the shop is asked to remove what is ours, with the key that is forgotten here.
///
/// # Errors
/// When the database does not answer.
pub async fn disconnect(
    relay: &Relay,
    tenant: TenantId,
    store: &Integration,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Disconnected, StoreError> {
    let mut tx = relay.db.write().await?;
    let held = integrations::lock(&mut tx, tenant, store.id).await?;
    let connection = connections::newest_secret(&mut tx, tenant, store.id).await?;
    let client = held.and_then(|held| store_client::client(relay, tenant, &held).ok());
    let signer = connection.and_then(|held| store_client::signer(relay, tenant, &held).ok());
    keys::revoke_connections(&mut tx, tenant, store.id, now).await?;
    let hooked = webhooks::give_up(&mut tx, tenant, store.id, now).await?;
    integrations::disconnect(&mut tx, tenant, store.id, now).await?;
    audit::record(&mut tx, tenant, actor, "store.disconnected", &store.store_url, now).await?;
    tx.commit().await?;

    let mut gone = Gone { webhooks: !hooked, key: false };
    if let Some(client) = &client {
        let asked = ask(relay, tenant, store.id, client, signer.as_ref(), &mut gone);
        if tokio::time::timeout(PATIENCE, asked).await.is_err() {
            tracing::info!(
                store = store.store_url,
                "the shop took too long to remove what is ours"
            );
        }
    }
    let key = client.as_ref().map(|client| client.key_ending());
    let key_removed = gone.key;
    let left = match (key_removed, key) {
        (true, _) => "Its key has been removed from the shop.".to_owned(),
        (false, Some(ending)) => format!(
            "Its key could not be removed from the shop: revoke the one ending in {ending} under WooCommerce > Settings > Advanced > REST API."
        ),
        (false, None) => "It had no key.".to_owned(),
    };
    let hooks = if gone.webhooks {
        ""
    } else {
        " Its webhooks could not be removed: they deliver to nobody and switch themselves off."
    };
    let message = format!(
        "{} is disconnected; its sales and stock history stay. {left}{hooks}",
        store.store_url
    );
    let store = store.store_url.clone();
    Ok(Disconnected { status: "disconnected", store, key_removed, message })
}

/// What is gone from the shop.
struct Gone {
    webhooks: bool,
    key: bool,
}

/// Has the shop remove what is ours; the key last, with which it is asked.
async fn ask(
    relay: &Relay,
    tenant: TenantId,
    id: IntegrationId,
    client: &Client,
    signer: Option<&Signer>,
    gone: &mut Gone,
) {
    let store = client.store().normalised();
    if !gone.webhooks {
        match webhooks::take_away(relay, tenant, id, client).await {
            Ok(_) => gone.webhooks = true,
            Err(error) => tracing::info!(%error, store, "webhooks were not removed"),
        }
    }
    if let Some(signer) = signer {
        match client.farewell(signer).await {
            Ok(()) => gone.key = true,
            Err(error) => tracing::info!(%error, store, "the plugin did not remove its key"),
        }
    }
}
