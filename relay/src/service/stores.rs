//! The stores of a tenant: how each stands, and how stock goes back to it.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Relay, credential::ConnectionId, webhooks::delivery_url};
use crate::store::{IntegrationId, StoreError, TenantId, keys, sales, webhooks};

/// How stock goes back to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StockPush {
    /// As additions through our plugin.
    Exact,
    /// As values, read and written back over REST.
    ReadAndWrite,
    /// Not at all.
    Off,
}

impl StockPush {
    /// How a store with such a key, with or without our plugin, gets its stock.
    #[must_use]
    pub fn of(writable: bool, by_plugin: bool) -> Self {
        match (writable, by_plugin) {
            (false, _) => Self::Off,
            (true, true) => Self::Exact,
            (true, false) => Self::ReadAndWrite,
        }
    }

    /// What that means.
    #[must_use]
    pub fn for_people(self) -> &'static str {
        match self {
            Self::Exact => "Stock is sent through the Nexpura plugin: each change exactly once.",
            Self::ReadAndWrite => {
                "Without the Nexpura plugin, stock is sent by reading the shop’s number and writing the new one. A sale in that very moment can be overwritten (a lost update cannot be ruled out); it is corrected at the next check of the shop. Install the plugin to rule it out."
            }
            Self::Off => {
                "This key can only read: products, customers and orders are imported, but no stock is sent to the shop. Create a key with Read/Write permission to send stock."
            }
        }
    }
}

/// A store as people see it.
#[derive(Debug, Serialize)]
pub struct Overview {
    /// What is stored of it.
    #[serde(flatten)]
    pub store: keys::Shown,
    /// How stock goes back to it.
    pub stock_push: StockPush,
    /// What that means.
    pub note: &'static str,
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
pub async fn list(relay: &Relay, tenant: TenantId) -> Result<Vec<Overview>, StoreError> {
    let mut tx = relay.db.read().await?;
    let stores = keys::list(&mut tx, tenant).await?;
    let mut hooks = HashMap::new();
    for found in webhooks::standing(&mut tx, tenant).await? {
        let to = ConnectionId { tenant, id: found.address_id };
        let shown = Webhooks {
            state: found.state,
            detail: found.detail,
            delivery_url: delivery_url(&relay.config, to).ok(),
            checked_at: found.checked_at,
            delivered_at: found.delivered_at,
            topics: webhooks::of_store(&mut tx, tenant, found.integration_id).await?,
        };
        hooks.insert(found.integration_id, shown);
    }
    tx.commit().await?;
    Ok(stores
        .into_iter()
        .map(|store| {
            let stock_push = StockPush::of(store.writable, store.plugin);
            let webhooks = hooks.remove(&store.id);
            Overview { store, stock_push, note: stock_push.for_people(), webhooks }
        })
        .collect())
}

/// One store of a tenant, if it is there.
///
/// # Errors
/// When the database does not answer.
pub async fn one(
    relay: &Relay,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<Option<Overview>, StoreError> {
    Ok(list(relay, tenant).await?.into_iter().find(|overview| overview.store.id == id))
}

/// Id and address of every store that a tenant has, or had.
///
/// # Errors
/// When the database does not answer.
pub async fn names(
    relay: &Relay,
    tenant: TenantId,
) -> Result<Vec<(IntegrationId, String)>, StoreError> {
    let mut tx = relay.db.read().await?;
    let names = keys::names(&mut tx, tenant).await?;
    tx.commit().await?;
    Ok(names)
}

/// The currency that a tenant's pieces are priced in, as far as its orders tell: a shop's prices have none of
/// their own. Nothing where there is no order yet, or the stores do not have the same.
///
/// # Errors
/// When the database does not answer.
pub async fn currency(relay: &Relay, tenant: TenantId) -> Result<Option<String>, StoreError> {
    let mut tx = relay.db.read().await?;
    let mut found = BTreeSet::new();
    for (store, _) in keys::names(&mut tx, tenant).await? {
        found.extend(sales::newest_currency(&mut tx, tenant, store).await?);
    }
    tx.commit().await?;
    let only = found.pop_first();
    Ok(only.filter(|_| found.is_empty()))
}
