//! A person disconnects a store: what is ours goes from the shop, its secrets go from here, the history
//! stays.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::super::{Relay, store_client, webhooks};
use crate::store::{
    StoreError, TenantId, audit, connections,
    integrations::{self, Integration},
    keys,
};

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

/// Disconnects a store. Whatever the shop answers, the relay asks and pushes nothing there from now on.
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
    let mut tx = relay.db.read().await?;
    let connection = connections::newest_secret(&mut tx, tenant, store.id).await?;
    tx.commit().await?;
    // While there is a key to remove them with.
    let webhooks = webhooks::remove_all(relay, tenant, store.id).await;
    if let Err(error) = &webhooks {
        tracing::info!(%error, store = store.store_url, "webhooks were not removed");
    }
    let client = store_client::client(relay, tenant, store).ok();
    let key = client.as_ref().map(|client| client.key_ending());
    let signer = connection.and_then(|held| store_client::signer(relay, tenant, &held).ok());
    let key_removed = match (&client, signer) {
        (Some(client), Some(signer)) => {
            let gone = client.farewell(&signer).await;
            if let Err(error) = &gone {
                tracing::info!(%error, store = store.store_url, "the plugin did not remove its key");
            }
            gone.is_ok()
        }
        _ => false,
    };
    let mut tx = relay.db.write().await?;
    integrations::lock(&mut tx, tenant, store.id).await?;
    keys::revoke_connections(&mut tx, tenant, store.id, now).await?;
    integrations::disconnect(&mut tx, tenant, store.id, now).await?;
    audit::record(&mut tx, tenant, actor, "store.disconnected", &store.store_url, now).await?;
    tx.commit().await?;
    let left = match (key_removed, key) {
        (true, _) => "Its key has been removed from the shop.".to_owned(),
        (false, Some(ending)) => format!(
            "Its key could not be removed from the shop: revoke the one ending in {ending} under WooCommerce > Settings > Advanced > REST API."
        ),
        (false, None) => "It had no key.".to_owned(),
    };
    let hooks = match webhooks {
        Ok(_) => "",
        Err(_) => {
            " Its webhooks could not be removed: they deliver to nobody and switch themselves off."
        }
    };
    let message = format!(
        "{} is disconnected; its sales and stock history stay. {left}{hooks}",
        store.store_url
    );
    let store = store.store_url.clone();
    Ok(Disconnected { status: "disconnected", store, key_removed, message })
}
