//! What a person decides about a store as a whole.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::{Relay, Work};
use crate::store::{
    IntegrationId, StoreError, TenantId, audit, integrations, lineage, listings, runs,
};

/// Whose number counts where a stock was edited in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The ledger's: the difference is pushed back.
    Ledger,
    /// The shop's: the difference becomes a movement. Without the plugin the ledger's counts all the same.
    Adopt,
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
    audit::record(&mut tx, tenant, actor, &format!("policy.{word}"), &integration.to_string(), now)
        .await?;
    tx.commit().await
}

/// Takes a halted store up again with the database that it has now. Nothing that was pushed to the other
/// one can be relied on: every stock is read anew, and what the ledger has counts.
///
/// # Errors
/// When the database does not answer.
pub async fn accept_fork(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut tx = relay.db.write().await?;
    integrations::lock(&mut tx, tenant, integration).await?;
    if integrations::unfork(&mut tx, tenant, integration, now).await? {
        lineage::begin_anew(&mut tx, tenant, integration).await?;
        listings::begin_anew(&mut tx, tenant, integration, now).await?;
        let cursor = json!({ "everything": true });
        runs::ask(&mut tx, tenant, integration, "sweep", &cursor, true, now).await?;
        audit::record(&mut tx, tenant, actor, "fork.accepted", &integration.to_string(), now)
            .await?;
    }
    tx.commit().await?;
    relay.wake.of(Work::Sweep).notify_one();
    Ok(())
}
