//! What follows from a drift, by the store's policy or by a person's word.

use std::fmt;

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
        IntegrationId, StoreError, TenantId, Tx, audit, drifts, integrations, inventory, listings,
        movements::{self, Movement},
        pushes, resources, runs,
    },
};

/// More listings than this, and more than a fifth of all, are never emptied without a person's word.
const FEW: i64 = 10;

/// Stocks that are emptied within this time count as at once.
pub const TOGETHER: TimeDelta = TimeDelta::hours(1);

/// Orders that are named where they keep a drift from being decided.
const NAMED: i64 = 3;

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
        let whose =
            if matches!(by, Some(By::Operator)) { "; adopted on the command line" } else { "" };
        let notes = format!("the shop had {had} where {should} were expected{whose}");
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
    #[error("{0}")]
    Unread(Unread),
    /// A change may or may not be in what was read, and nothing is read before that is known; why it is not.
    #[error(
        "a change of this stock is on its way to the shop, which has not answered for it ({0}): decide once that is \
         put right and the change is through"
    )]
    Frozen(String),
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

may_be_store!(DriftError);

/// Orders of a store that are known of and could not be read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// How many.
    count: i64,
    /// The numbers of the first of them, or their ids.
    first: Vec<String>,
}

impl Unread {
    async fn of(
        tx: &mut Tx,
        tenant: TenantId,
        store: IntegrationId,
    ) -> Result<Option<Self>, StoreError> {
        let count = resources::orders_unread(tx, tenant, store).await?;
        if count == 0 {
            return Ok(None);
        }
        let first = resources::first_unread(tx, tenant, store, NAMED).await?;
        Ok(Some(Self { count, first }))
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<_> = self.first.iter().map(|number| format!("#{number}")).collect();
        let more = self.count - i64::try_from(named.len()).unwrap_or(i64::MAX);
        let orders = if self.count == 1 { "order" } else { "orders" };
        write!(f, "{orders} {}", named.join(", "))?;
        if more > 0 {
            write!(f, " and {more} more")?;
        }
        let (it, is) = if self.count == 1 { ("it", "is") } else { ("they", "are") };
        write!(
            f,
            " of this store could not be read yet and may be this difference: look under Events for the number, and \
             decide once {it} {is} in, or leave there what can never be read"
        )
    }
}

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
    if let Some(unread) = Unread::of(&mut tx, tenant, store).await? {
        return Err(DriftError::Unread(unread));
    }
    // Nothing of it is read until the push is answered for, so that a sweep would change nothing.
    if let Some(frozen) = pushes::frozen(&mut tx, tenant, drift.listing_id).await? {
        return Err(DriftError::Frozen(frozen.why()));
    }
    if drift.overtaken {
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
    fn at_most_three_unread_orders_are_named() {
        let said = |count, first: &[&str]| {
            let first = first.iter().map(|&number| number.to_owned()).collect();
            Unread { count, first }.to_string()
        };
        assert!(said(1, &["12"]).starts_with("order #12 of this store could not be read"));
        assert!(said(1, &["12"]).contains("once it is in"));
        let many = said(5, &["12", "G-7", "30"]);
        assert!(many.starts_with("orders #12, #G-7, #30 and 2 more of this store"), "{many}");
        assert!(many.contains("once they are in"), "{many}");
    }

    #[test]
    fn a_person_is_asked_for_more_than_ten_that_are_more_than_a_fifth() {
        assert!(!empties_too_much(10, 10));
        assert!(empties_too_much(11, 11));
        assert!(empties_too_much(11, 54));
        assert!(!empties_too_much(11, 55));
    }
}
