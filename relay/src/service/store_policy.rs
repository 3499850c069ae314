//! What a person decides about a store as a whole.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Relay, Work, push_stock};
use crate::store::{
    IntegrationId, StoreError, TenantId, audit, integrations, integrations::Integration, lineage,
    listings, runs,
};

/// Why a halted store was not taken up again.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// It is not halted.
    #[error("the store is not halted")]
    NotHalted,
    /// The shop itself has to hear of it first.
    #[error("the shop could not be told: {0}")]
    Shop(String),
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whose number counts where a stock was edited in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The ledger's: the difference is pushed back.
    Ledger,
    /// The shop's: the difference becomes a movement. Without the plugin the ledger's counts all the same.
    Adopt,
}

/// A store's policy, and whether it is in force: adopting needs an exact account of the shop's sales, which only the
/// plugin gives.
///
/// # Errors
/// When the database does not answer.
pub async fn of(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<(Policy, bool), StoreError> {
    let mut tx = relay.db.read().await?;
    let (word, mode) = integrations::policy(&mut tx, tenant, integration).await?;
    tx.commit().await?;
    Ok(match word.as_str() {
        "adopt" => (Policy::Adopt, mode == "extension"),
        _ => (Policy::Ledger, true),
    })
}

/// Sets a store's policy.
///
/// # Errors
/// When the database does not answer.
pub async fn set(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    policy: Policy,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let word = match policy {
        Policy::Ledger => "ledger",
        Policy::Adopt => "adopt",
    };
    let mut tx = relay.db.write().await?;
    integrations::set_policy(&mut tx, tenant, integration, word).await?;
    let store = integrations::get(&mut tx, tenant, integration).await?;
    let subject = store.map(|store| store.store_url).unwrap_or_default();
    audit::record(&mut tx, tenant, actor, &format!("policy.{word}"), &subject, now).await?;
    tx.commit().await
}

/// Takes a halted store up again with the database that it has now. Nothing that was pushed to the other
/// one can be relied on: every stock is read anew, and what the ledger has counts.
///
/// # Errors
/// See [`AcceptError`].
pub async fn accept_fork(
    relay: &Relay,
    tenant: TenantId,
    store: &Integration,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), AcceptError> {
    if store.forked_at.is_none() {
        return Err(AcceptError::NotHalted);
    }
    // The shop first: until it is taken up again nothing is pushed to it.
    if store.store_id.is_some() {
        push_stock::begin_anew(relay, tenant, store).await.map_err(AcceptError::Shop)?;
    }
    let integration = store.id;
    let mut tx = relay.db.write().await?;
    integrations::lock(&mut tx, tenant, integration).await?;
    if integrations::unfork(&mut tx, tenant, integration, now).await? {
        lineage::begin_anew(&mut tx, tenant, integration).await?;
        listings::begin_anew(&mut tx, tenant, integration, now).await?;
        let cursor = json!({ "everything": true });
        runs::ask(&mut tx, tenant, integration, "sweep", &cursor, true, now).await?;
        audit::record(&mut tx, tenant, actor, "fork.accepted", &store.store_url, now).await?;
    }
    tx.commit().await?;
    relay.wake.of(Work::Sweep).notify_one();
    Ok(())
}
