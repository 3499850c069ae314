//! The stores of a tenant: finding the one that is meant, and saying how each stands.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{Relay, credential::ConnectionId, store_client::address, webhooks::delivery_url};
use crate::{
    channel::woocommerce::StoreUrlError,
    store::{IntegrationId, StoreError, TenantId, integrations, stores, tenants, webhooks},
};

/// Why nobody can say which store is meant.
#[derive(Debug, thiserror::Error)]
pub enum WhichError {
    /// None is at that address.
    #[error("no store is connected at this address")]
    Unknown,
    /// None was named, and there is not exactly one.
    #[error("say which store is meant: there are {0}")]
    NotOne(usize),
    /// Several tenants have a store there.
    #[error("several jewellers have a store at this address: say whose with --tenant")]
    Ambiguous,
    /// It is no address.
    #[error(transparent)]
    Address(#[from] StoreUrlError),
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a store stands.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The home address.
    pub store: String,
    /// `connected`, `disconnected` or `error`.
    pub status: String,
    /// Why, for people.
    pub reason: Option<String>,
    /// Why nothing is applied or pushed until a person decides, if that is so.
    pub halted: Option<String>,
    /// How it tells of what happens: `extension`, `webhooks` or `sweep`.
    pub mode: String,
    /// When it was last joined with the ledger.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// Its webhooks; nothing where it needs none.
    pub webhooks: Option<Webhooks>,
}

/// How a store's webhooks stand.
#[derive(Debug, Clone, Serialize)]
pub struct Webhooks {
    /// `waiting`, `active`, `failing`, `removing` or `off`.
    pub state: String,
    /// Why, for people.
    pub detail: Option<String>,
    /// Where they deliver to.
    pub delivery_url: Option<String>,
    /// When the store was last asked about them.
    pub checked_at: Option<DateTime<Utc>>,
    /// When one was last delivered, to the minute.
    pub delivered_at: Option<DateTime<Utc>>,
    /// One a topic, as last seen.
    pub topics: Vec<webhooks::Webhook>,
}

/// Every store of a tenant.
///
/// # Errors
/// When the database does not answer.
pub async fn all(relay: &Relay, tenant: TenantId) -> Result<Vec<Shown>, StoreError> {
    shown(relay, tenant, None).await
}

/// One store of a tenant, if it is there.
///
/// # Errors
/// When the database does not answer.
pub async fn one(
    relay: &Relay,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<Option<Shown>, StoreError> {
    Ok(shown(relay, tenant, Some(id)).await?.pop())
}

async fn shown(
    relay: &Relay,
    tenant: TenantId,
    id: Option<IntegrationId>,
) -> Result<Vec<Shown>, StoreError> {
    let mut tx = relay.db.read().await?;
    let mut all = Vec::new();
    for found in stores::standing(&mut tx, tenant, id).await? {
        let webhooks = match found.webhooks_state {
            Some(state) => {
                let to = found.webhooks_address.map(|id| ConnectionId { tenant, id });
                Some(Webhooks {
                    state,
                    detail: found.webhooks_detail,
                    delivery_url: to.and_then(|to| delivery_url(&relay.config, to).ok()),
                    checked_at: found.webhooks_checked_at,
                    delivered_at: found.webhooks_delivered_at,
                    topics: webhooks::of_store(&mut tx, tenant, found.id).await?,
                })
            }
            None => None,
        };
        all.push(Shown {
            id: found.id,
            store: found.store,
            status: found.status,
            reason: found.reason,
            halted: found.halted,
            mode: found.mode,
            last_sync_at: found.last_sync_at,
            webhooks,
        });
    }
    tx.commit().await?;
    Ok(all)
}

/// The tenant's store at this address, written in whatever way; without one, the only store there is.
///
/// # Errors
/// See [`WhichError`].
pub async fn named(
    relay: &Relay,
    tenant: TenantId,
    store_url: Option<&str>,
) -> Result<IntegrationId, WhichError> {
    let mut tx = relay.db.read().await?;
    let found = match store_url {
        Some(text) => {
            let url = address(relay, text, "")?;
            integrations::at_address(&mut tx, tenant, url.normalised()).await?
        }
        None => {
            let all = stores::standing(&mut tx, tenant, None).await?;
            if all.len() != 1 {
                return Err(WhichError::NotOne(all.len()));
            }
            all.first().map(|store| store.id)
        }
    };
    tx.commit().await?;
    found.ok_or(WhichError::Unknown)
}

/// The store at this address, of this tenant if one is named: for the operator's own command line.
///
/// # Errors
/// See [`WhichError`].
pub async fn of_any_tenant(
    relay: &Relay,
    store_url: &str,
    tenant: Option<&str>,
) -> Result<(TenantId, IntegrationId), WhichError> {
    let url = address(relay, store_url, "")?;
    let mut tx = relay.db.read().await?;
    let mut found = stores::at_address(&mut tx, url.normalised()).await?;
    if let Some(name) = tenant {
        let tenant = tenants::find(&mut tx, name).await?;
        found.retain(|(owner, _)| Some(*owner) == tenant);
    }
    tx.commit().await?;
    match found[..] {
        [] => Err(WhichError::Unknown),
        [one] => Ok(one),
        _ => Err(WhichError::Ambiguous),
    }
}
