//! What follows from a drift, by the store's policy or by a person's word.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{
    Relay, Work,
    adjust::By,
    anew::{anew, may_be_store},
};
use crate::{
    domain::Quantity,
    store::{
        StoreError, TenantId, Tx, audit, drifts, integrations, inventory, listings,
        movements::{self, Movement},
        pushes, resources, runs,
    },
};

/// More listings than this, and more than a fifth of all, are never emptied without a person's word.
const FEW: i64 = 10;

/// Stocks that are emptied within this time count as at once.
pub const TOGETHER: TimeDelta = TimeDelta::hours(1);

/// Whose number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The ledger's: the difference is pushed back to the shop.
    Push,
    /// The shop's: the difference becomes a movement.
    Adopt,
}

/// Whether emptying that many of a store's open listings at once needs a person's word.
#[must_use]
pub fn empties_too_much(emptied: i64, open: i64) -> bool {
    emptied > FEW && emptied.saturating_mul(5) > open
}

/// Carries a verdict out: `by` whom it is, or of the store's policy. The difference counts, not the numbers: what was
/// posted since the reading moved the shop's stock and the mirror alike.
///
/// # Errors
/// When the database does not answer.
pub async fn carry_out(
    tx: &mut Tx,
    tenant: TenantId,
    drift: &drifts::Held,
    verdict: Verdict,
    by: Option<By<'_>>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let difference = drift.reading - drift.mirror;
    let should = Quantity::from_thousandths(drift.mirror);
    let had = Quantity::from_thousandths(drift.reading);
    if verdict == Verdict::Adopt {
        let notes = format!("the shop had {had} where {should} were expected");
        let movement = Movement {
            inventory_id: drift.inventory_id,
            kind: "adjustment",
            change: difference,
            notes: &notes,
            integration_id: Some(drift.integration_id),
            token_id: by.and_then(By::token),
            user_id: by.and_then(By::person),
            ..Movement::default()
        };
        movements::post(tx, tenant, &movement, now).await?;
    }
    listings::moved(tx, tenant, drift.listing_id, difference).await?;
    let status = if verdict == Verdict::Adopt { "adopted" } else { "pushed" };
    drifts::resolve(tx, tenant, drift.id, status, now).await?;
    pushes::ask(tx, tenant, drift.inventory_id, now).await.map(drop)
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DriftError {
    /// None of this id waits.
    #[error("no drift with this id waits for a decision")]
    Unknown,
    /// Other numbers were looked at.
    #[error(
        "the numbers have changed since they were shown: look at them again, and decide by those"
    )]
    Changed,
    /// What it says may be over.
    #[error(
        "this stock has moved since the shop was read, so that it is read again: look again in a few minutes, the \
         difference may be gone"
    )]
    Overtaken,
    /// The difference may be a sale.
    #[error(
        "an order of this store is known of and could not be read yet, and may be this difference: the events tell \
         which, decide once it is in"
    )]
    Unread,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

may_be_store!(DriftError);

/// A person decides one drift as it was `seen`, by the count of its changes.
///
/// # Errors
/// See [`DriftError`].
pub async fn decide(
    relay: &Relay,
    tenant: TenantId,
    id: Uuid,
    (verdict, seen): (Verdict, i64),
    by: By<'_>,
    now: DateTime<Utc>,
) -> Result<(), DriftError> {
    let decided = anew(|| decide_one(relay, tenant, id, (verdict, seen), by, now)).await;
    match decided {
        Ok(()) => relay.wake.of(Work::Push).notify_one(),
        Err(DriftError::Overtaken) => relay.wake.of(Work::Sweep).notify_one(),
        Err(_) => {}
    }
    decided
}

async fn decide_one(
    relay: &Relay,
    tenant: TenantId,
    id: Uuid,
    (verdict, seen): (Verdict, i64),
    by: By<'_>,
    now: DateTime<Utc>,
) -> Result<(), DriftError> {
    let mut tx = relay.db.write().await?;
    let store = drifts::store_of(&mut tx, tenant, id).await?.ok_or(DriftError::Unknown)?;
    integrations::lock(&mut tx, tenant, store).await?;
    let drift = drifts::held(&mut tx, tenant, id).await?.ok_or(DriftError::Unknown)?;
    // Whoever moves the piece from here on comes after the decision.
    inventory::hold(&mut tx, tenant, drift.inventory_id).await?;
    let drift = drifts::held(&mut tx, tenant, id).await?.ok_or(DriftError::Unknown)?;
    if drift.changes != seen {
        return Err(DriftError::Changed);
    }
    if resources::orders_unread(&mut tx, tenant, store).await? > 0 {
        return Err(DriftError::Unread);
    }
    if drift.overtaken || pushes::is_frozen(&mut tx, tenant, drift.listing_id).await? {
        runs::ask(&mut tx, tenant, store, "sweep", &json!({}), false, now).await?;
        tx.commit().await?;
        return Err(DriftError::Overtaken);
    }
    carry_out(&mut tx, tenant, &drift, verdict, Some(by), now).await?;
    let action = if verdict == Verdict::Adopt { "drift.adopted" } else { "drift.pushed" };
    audit::record(&mut tx, tenant, &by.actor(), action, &drift.sku, now).await?;
    Ok(tx.commit().await?)
}

/// A person has looked and lets a store's pushes go, whatever they empty; `false` when it is not held.
///
/// # Errors
/// When the database does not answer.
pub async fn resume(
    relay: &Relay,
    tenant: TenantId,
    integration: Uuid,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let mut tx = relay.db.write().await?;
    integrations::lock(&mut tx, tenant, integration).await?;
    let held = integrations::release(&mut tx, tenant, integration, now).await?;
    if held {
        pushes::approve(&mut tx, tenant, integration).await?;
        let subject = integration.to_string();
        audit::record(&mut tx, tenant, actor, "pushes.resumed", &subject, now).await?;
    }
    tx.commit().await?;
    relay.wake.of(Work::Push).notify_one();
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_asked_for_more_than_ten_that_are_more_than_a_fifth() {
        assert!(!empties_too_much(10, 10));
        assert!(empties_too_much(11, 11));
        assert!(empties_too_much(11, 54));
        assert!(!empties_too_much(11, 55));
    }
}
