//! How a shop's representation becomes rows of the ledger. Each function runs inside the caller's
//! transaction, which already holds the store's lock.

mod customer;
mod digest;
mod listing;
mod order;
mod post;
mod product;
mod unwritten;

use chrono::{DateTime, Utc};
use nexpura_protocol::{Facts, event::Resource};
use serde_json::Value;
use uuid::Uuid;

pub use digest::digest;
pub use listing::{EXISTS_ALREADY, lost as listing_lost};
pub use order::OrderFate;
pub(super) use post::note_oversale;
pub use post::settle_stock;
pub use unwritten::Unwritten;

use crate::{
    domain::{MappingError, OrderStatus, erasure},
    store::{IntegrationId, StoreError, TenantId, Tx},
};

/// What may go wrong while a representation is applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The representation cannot become a row: kept, shown and tried again later.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// A number is out of the ledger's range.
    #[error("a number is out of the ledger's range: {0}")]
    Range(String),
    /// A shop brought more new products within an hour than a shop does.
    #[error("the store brought more than {0} new products within an hour; the rest follows later")]
    TooMany(i64),
    /// The database did not answer; nothing of the transaction counts.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApplyError {
    /// The reason as it is kept with the event: nothing of the database's own words, which may quote
    /// the value.
    #[must_use]
    pub fn for_people(&self) -> String {
        match self {
            Self::Store(_) => "the ledger refused a value of this representation".to_owned(),
            other => other.to_string(),
        }
    }
}

/// Where a representation comes from.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The tenant.
    pub tenant: TenantId,
    /// The store.
    pub integration: IntegrationId,
    /// The event that brought it; nothing when the relay fetched it itself.
    pub event: Option<Uuid>,
    /// Whether the ledger cannot have the thing yet, so that nobody has to look.
    pub fresh: bool,
    /// Since when what it brings may have been known without being in the ledger.
    pub heard_at: DateTime<Utc>,
    /// Whether nothing of the person behind it is kept.
    pub erased: bool,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Applies a representation in the state that it shows.
///
/// # Errors
/// See [`ApplyError`].
pub async fn apply(
    tx: &mut Tx,
    source: &Source,
    resource: Resource,
    payload: &Value,
    facts: Option<&Facts>,
    fate: OrderFate,
) -> Result<(), ApplyError> {
    let mut unwritten = Unwritten::default();
    apply_with(tx, &mut unwritten, source, resource, payload, facts, fate).await?;
    Ok(unwritten.write(tx, source).await?)
}

/// The same for one of many: what an order posts is still to be written.
///
/// # Errors
/// See [`ApplyError`].
pub async fn apply_with(
    tx: &mut Tx,
    unwritten: &mut Unwritten,
    source: &Source,
    resource: Resource,
    payload: &Value,
    facts: Option<&Facts>,
    fate: OrderFate,
) -> Result<(), ApplyError> {
    match resource {
        Resource::Order if source.erased => {
            let mut payload = payload.clone();
            erasure::erase(&mut payload);
            order::apply(tx, unwritten, source, &payload, facts, fate).await
        }
        Resource::Order => order::apply(tx, unwritten, source, payload, facts, fate).await,
        Resource::Product => {
            // What it says of its stock comes after what was sold before.
            unwritten.write(tx, source).await?;
            product::apply(tx, source, payload, facts).await
        }
        // Nothing but a person is in it.
        Resource::Customer if source.erased => Ok(()),
        Resource::Customer => {
            unwritten.people.clear();
            customer::apply(tx, source, payload).await
        }
        Resource::Lineage => Ok(()),
    }
}

/// Why the ledger keeps nothing of what is shown, for people; nothing where it does.
#[must_use]
pub fn nothing_to_keep(resource: Resource, shown: &Value, erased: bool) -> Option<&'static str> {
    let status = || shown["status"].as_str().map(OrderStatus::parse);
    match resource {
        Resource::Order if status() == Some(OrderStatus::CheckoutDraft) => {
            Some("a checkout that nobody has finished: no order yet")
        }
        Resource::Customer if erased => Some("erased at this person's request"),
        _ => None,
    }
}

/// Applies that the shop has no such thing any more.
///
/// # Errors
/// See [`ApplyError`].
pub async fn apply_gone(
    tx: &mut Tx,
    source: &Source,
    resource: Resource,
    remote_id: i64,
) -> Result<(), ApplyError> {
    match resource {
        Resource::Order => order::gone(tx, source, remote_id).await,
        Resource::Product => product::gone(tx, source, remote_id).await,
        Resource::Customer => customer::gone(tx, source, remote_id).await,
        Resource::Lineage => Ok(()),
    }
}

/// A number of WooCommerce's as both databases keep it.
pub(super) fn remote(id: u64) -> Result<i64, ApplyError> {
    i64::try_from(id).map_err(|_| ApplyError::Range("an id".to_owned()))
}
