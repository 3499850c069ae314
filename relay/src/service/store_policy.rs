//! What a person decides about a store as a whole.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Relay, Work, push_stock};
use crate::store::{
    IntegrationId, StoreError, TenantId, audit, integrations,
    integrations::{Integration, Policies},
    lineage, listings, runs,
};

/// Who decides where no person does.
const ACTOR: &str = "relay";

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

impl Policy {
    fn word(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Adopt => "adopt",
        }
    }
}

/// What a person has decided about a store, and what of it is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// Whose number counts where a stock was edited there.
    pub drift: Policy,
    /// Whether that is in force: adopting needs an exact account of the shop's sales, which only the plugin gives.
    pub in_force: bool,
    /// Whether what is brought over is marked in the shop.
    pub marks: bool,
    /// Whether products and customers of a shop without the plugin are marked as well, by a custom field.
    pub mark_fields: bool,
    /// Whether the store's key may write: else nothing is marked.
    pub writable: bool,
}

/// What is to be decided otherwise.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Change {
    /// Whose number is to count.
    pub drift: Option<Policy>,
    /// Whether marks are to be made.
    pub marks: Option<bool>,
    /// Whether products and customers of a shop without the plugin are to be marked as well: the shop saves each of
    /// them once, with its hooks and a new date of modification.
    pub mark_fields: Option<bool>,
}

impl Change {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.drift.is_none() && self.marks.is_none() && self.mark_fields.is_none()
    }
}

/// A store's policies.
///
/// # Errors
/// When the database does not answer.
pub async fn of(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<Decided, StoreError> {
    let mut tx = relay.db.read().await?;
    let known = integrations::policies(&mut tx, tenant, integration).await?;
    tx.commit().await?;
    let (drift, in_force) = match known.drift_policy.as_str() {
        "adopt" => (Policy::Adopt, known.mode == "extension"),
        _ => (Policy::Ledger, true),
    };
    let Policies { marks, mark_fields, writable, .. } = known;
    Ok(Decided { drift, in_force, marks, mark_fields, writable })
}

/// Sets a store's policies; what is as it was leaves no trace.
///
/// # Errors
/// When the database does not answer.
pub async fn set(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    change: Change,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut tx = relay.db.write().await?;
    let Some(store) = integrations::lock(&mut tx, tenant, integration).await? else {
        return Ok(());
    };
    let known = integrations::policies(&mut tx, tenant, integration).await?;
    let mut done = Vec::new();
    if let Some(word) = change.drift.map(Policy::word).filter(|word| *word != known.drift_policy) {
        integrations::set_policy(&mut tx, tenant, integration, word).await?;
        done.push(format!("policy.{word}"));
    }
    let marks = change.marks.unwrap_or(known.marks);
    let fields = change.mark_fields.unwrap_or(known.mark_fields);
    if (marks, fields) != (known.marks, known.mark_fields) {
        integrations::set_marks(&mut tx, tenant, integration, marks, fields).await?;
    }
    let on_or_off = |on| if on { "on" } else { "off" };
    if marks != known.marks {
        done.push(format!("marks.{}", on_or_off(marks)));
    }
    if fields != known.mark_fields {
        done.push(format!("mark_fields.{}", on_or_off(fields)));
    }
    for action in done {
        audit::record(&mut tx, tenant, actor, &action, &store.store_url, now).await?;
    }
    tx.commit().await
}

/// Marks no more products and customers of a shop by a custom field, since saving some of them changed something else:
/// `told` says which and what.
///
/// # Errors
/// When the database does not answer.
pub async fn stop_fields(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    told: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut tx = relay.db.write().await?;
    if let Some(store) = integrations::lock(&mut tx, tenant, integration).await? {
        integrations::set_marks(&mut tx, tenant, integration, store.marks, false).await?;
        let subject = format!("{}, {told}", store.store_url);
        audit::record(&mut tx, tenant, ACTOR, "mark_fields.stopped", &subject, now).await?;
    }
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
