//! Taking webhooks away: when a store is disconnected, gets the extension, or a person wants none.

use chrono::{DateTime, Utc};

use super::{
    WebhooksError,
    bring::{fit, in_hand, ours},
};
use crate::{
    channel::{
        ChannelError,
        woocommerce::{Client, WebhookBatch},
    },
    service::{Relay, store_client},
    store::{self, IntegrationId, StoreError, TenantId, Tx, audit, integrations, keys, webhooks},
};

/// As many as WooCommerce takes at once.
const AT_ONCE: usize = 100;

/// Forgets the webhooks of a store that is disconnected, and their secret; whether it had any. What is not taken
/// away in the shop delivers to nobody: it gets 401, until WooCommerce itself switches it off.
///
/// # Errors
/// When the database does not answer.
pub async fn give_up(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let any = webhooks::lock(tx, tenant, integration).await?.is_some();
    forget(tx, tenant, integration, now).await?;
    Ok(any)
}

/// Removes a store's webhooks by a person's wish; it is swept from then on, until a person sets them up
/// again.
///
/// # Errors
/// See [`WebhooksError`]; then they are still wanted.
pub async fn switch_off(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    actor: &str,
) -> Result<usize, WebhooksError> {
    let mut tx = relay.db.write().await?;
    fit(&mut tx, tenant, integration).await?;
    tx.commit().await?;
    in_hand(relay, tenant, integration).await?;
    let removed = from_store(relay, tenant, integration).await;
    let now = store::now();
    let mut tx = relay.db.write().await?;
    if removed.is_ok() {
        forget(&mut tx, tenant, integration, now).await?;
        webhooks::switch_off(&mut tx, tenant, integration, now).await?;
        let subject = integration.to_string();
        audit::record(&mut tx, tenant, actor, "webhooks.switched_off", &subject, now).await?;
    } else {
        webhooks::let_go(&mut tx, tenant, integration).await?;
    }
    tx.commit().await?;
    removed
}

/// Removes our webhooks in the store itself; gives how many they were.
pub(super) async fn from_store(
    relay: &Relay,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<usize, WebhooksError> {
    let mut tx = relay.db.read().await?;
    let store = integrations::get(&mut tx, tenant, id).await?.ok_or(WebhooksError::Unknown)?;
    tx.commit().await?;
    if store.status == "disconnected" {
        return Err(WebhooksError::Disconnected);
    }
    let client = store_client::client(relay, tenant, &store)?;
    take_away(relay, tenant, id, &client).await
}

/// The same with a key that the ledger may have forgotten.
///
/// # Errors
/// See [`WebhooksError`].
pub async fn take_away(
    relay: &Relay,
    tenant: TenantId,
    id: IntegrationId,
    client: &Client,
) -> Result<usize, WebhooksError> {
    let found = client.webhooks().await?;
    let ours: Vec<u64> =
        ours(relay, tenant, id, found).await?.into_iter().map(|webhook| webhook.id).collect();
    for delete in ours.chunks(AT_ONCE) {
        let batch = WebhookBatch { delete: delete.to_vec(), ..WebhookBatch::default() };
        client.change_webhooks(&batch).await.map_err(|error| match error {
            ChannelError::Unauthorized | ChannelError::Forbidden => WebhooksError::ReadOnly,
            other => other.into(),
        })?;
    }
    Ok(ours.len())
}

/// Forgets what was known of a store's webhooks: nobody receives at their address any more.
pub(super) async fn forget(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    keys::set_mode(tx, tenant, id, "sweep", now).await?;
    webhooks::forget(tx, tenant, id).await
}
