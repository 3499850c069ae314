//! What a person decides of a conflict.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Relay, Work,
    anew::{anew, may_be_store},
    ledger::note_oversale,
    told,
};
use crate::store::{
    StoreError, TenantId, audit,
    conflicts::{self, Taken},
    integrations,
    movements::{self, Movement},
    page::Page,
    pushes,
};

/// One page of what waits for a person before the conflict of the key `before`, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn open(
    relay: &Relay,
    tenant: TenantId,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Page<told::Conflict>, StoreError> {
    let before = before.unwrap_or(Uuid::max());
    let mut tx = relay.db.read().await?;
    let rows = conflicts::open(&mut tx, tenant, before, limit + 1).await?;
    tx.commit().await?;
    let rows = rows.into_iter().map(told::Conflict::from).collect();
    Ok(Page::cut(rows, limit, |conflict: &told::Conflict| conflict.id.to_string()))
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Of a paid line that never left the shop's stock: its units have left, in the ledger and there.
    Take,
    /// Of the same: they have not.
    Leave,
    /// Of an oversale: it has been seen, and the buyer is looked after.
    Acknowledge,
}

impl Decision {
    fn as_str(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Leave => "leave",
            Self::Acknowledge => "acknowledge",
        }
    }
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum ConflictError {
    /// None of this id waits.
    #[error("no conflict with this id waits for a decision")]
    Unknown,
    /// It does not go with this kind of conflict.
    #[error("an {0} is decided by {1}")]
    Unfit(String, &'static str),
    /// Nobody knows yet how much there is to take from.
    #[error(
        "the stock of this line has not been counted yet, so that nothing can be taken from it"
    )]
    NotCounted,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

may_be_store!(ConflictError);

/// Carries a decision out and closes the conflict.
///
/// # Errors
/// See [`ConflictError`].
pub async fn decide(
    relay: &Relay,
    tenant: TenantId,
    id: Uuid,
    decision: Decision,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), ConflictError> {
    anew(|| carry_out(relay, tenant, id, decision, actor, now)).await?;
    relay.wake.of(Work::Push).notify_one();
    Ok(())
}

async fn carry_out(
    relay: &Relay,
    tenant: TenantId,
    id: Uuid,
    decision: Decision,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), ConflictError> {
    let mut tx = relay.db.write().await?;
    let seen = conflicts::find_open(&mut tx, tenant, id).await?.ok_or(ConflictError::Unknown)?;
    if let Some(store) = seen.integration_id {
        integrations::lock(&mut tx, tenant, store).await?;
    }
    // It may have gone away while the lock was waited for.
    let open = conflicts::find_open(&mut tx, tenant, id).await?.ok_or(ConflictError::Unknown)?;
    let fits = match open.kind.as_str() {
        "never_reduced" => (decision != Decision::Acknowledge).then_some(()).ok_or("take or leave"),
        _ => (decision == Decision::Acknowledge).then_some(()).ok_or("acknowledge"),
    };
    fits.map_err(|by| ConflictError::Unfit(open.kind.replace('_', " "), by))?;
    let taken = match decision {
        Decision::Take => {
            let piece = open.inventory_id.zip(open.units);
            let (inventory_id, quantity) = piece.ok_or(ConflictError::NotCounted)?;
            Some(Taken { inventory_id, quantity })
        }
        Decision::Leave | Decision::Acknowledge => None,
    };
    if let Some(taken) = &taken {
        let number = open.order_number.as_deref().unwrap_or_default();
        let notes = format!("order {number}: sold, and its shop had not taken it from its stock");
        let movement = Movement {
            inventory_id: taken.inventory_id,
            kind: "adjustment",
            change: -taken.quantity,
            notes: &notes,
            integration_id: open.integration_id,
            sale_id: open.sale_id,
            line_id: open.line_id,
            ..Movement::default()
        };
        let posted = movements::post(&mut tx, tenant, &movement, now).await?;
        note_oversale(&mut tx, tenant, &movement, &posted, now).await?;
        pushes::ask(&mut tx, tenant, taken.inventory_id, now).await?;
    }
    conflicts::decide(&mut tx, tenant, id, decision.as_str(), taken.as_ref(), now).await?;
    if let Some(listing) = open.listing_id {
        pushes::hurry(&mut tx, tenant, listing, now).await?;
    }
    let subject = format!("{id} {}", decision.as_str());
    audit::record(&mut tx, tenant, actor, "conflict.decided", &subject, now).await?;
    Ok(tx.commit().await?)
}
