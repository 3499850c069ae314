//! How stores stand, what they told and what waits for a person, as the API and the command line tell it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    desk::Standing,
    events::{Entry, Whole},
    stores::Overview,
};
use crate::{
    domain::Quantity,
    store::{conflicts, drifts},
};

/// A store, and what waits for a person in it.
#[derive(Debug, Serialize)]
pub struct Store<'a> {
    /// How it is reached.
    #[serde(flatten)]
    overview: &'a Overview,
    /// Whose number counts where a stock was edited there: `ledger` or `adopt`.
    drift_policy: &'a str,
    /// Whether what is brought over is marked in it.
    marks: bool,
    /// Whether, where it has no plugin, products and customers are marked as well.
    mark_fields: bool,
    /// Why its pushes wait for a person, if they do.
    held: Option<&'a str>,
    /// Stocks that differ and wait for a person.
    drifts_waiting: i64,
    /// Pieces of which somebody has to say whose count holds.
    links_waiting: i64,
}

impl<'a> From<&'a Standing> for Store<'a> {
    fn from(standing: &'a Standing) -> Self {
        Self {
            overview: &standing.overview,
            drift_policy: &standing.policies.drift_policy,
            marks: standing.policies.marks,
            mark_fields: standing.policies.mark_fields,
            held: standing.held.as_deref(),
            drifts_waiting: standing.drifts,
            links_waiting: standing.links,
        }
    }
}

/// What a shop told, with what it brought as that was, as long as it is kept.
#[derive(Debug, Serialize)]
pub struct Event {
    /// What became of it.
    #[serde(flatten)]
    pub entry: Entry,
    /// What it is about: `order`, `product`, `customer` or `lineage`.
    pub resource: String,
    /// When the shop noticed it.
    pub occurred_at: DateTime<Utc>,
    /// The sale that it is about.
    pub sale_id: Option<Uuid>,
    /// Whether what it is about could not be read when that was tried, and is to be tried again.
    pub unread: bool,
    /// Whether a person has left what it is about.
    pub left: bool,
    /// WooCommerce's representation.
    pub payload: Value,
    /// What that does not tell.
    pub facts: Value,
}

impl From<Whole> for Event {
    fn from(whole: Whole) -> Self {
        let read = |text: Option<String>| {
            text.map_or(Value::Null, |text| {
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            })
        };
        Self {
            entry: whole.entry,
            resource: whole.resource,
            occurred_at: whole.occurred_at,
            sale_id: whole.sale_id,
            unread: whole.unread,
            left: whole.is_left,
            payload: read(whole.payload),
            facts: read(whole.facts),
        }
    }
}

/// A stock that was not what the ledger expected.
#[derive(Debug, Serialize)]
pub struct Drift {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The store's address.
    pub store: String,
    /// The piece's SKU.
    pub sku: Option<String>,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// What the shop should have had.
    pub expected: Quantity,
    /// What it had.
    pub found: Quantity,
    /// How often its numbers have changed since it was first seen; a decision names them by this.
    pub changes: i64,
    /// `held`, `pushed`, `adopted` or `void`.
    pub status: String,
    /// Why it went away without anybody's word.
    pub reason: Option<String>,
    /// Since when it has had these numbers.
    pub created_at: DateTime<Utc>,
    /// When it was decided.
    pub resolved_at: Option<DateTime<Utc>>,
}

impl From<drifts::Shown> for Drift {
    fn from(row: drifts::Shown) -> Self {
        Self {
            id: row.id,
            store: row.store,
            sku: row.sku,
            stock_id: row.stock_id,
            expected: Quantity::from_thousandths(row.mirror),
            found: Quantity::from_thousandths(row.reading),
            changes: row.changes,
            status: row.status,
            reason: row.reason,
            created_at: row.created_at,
            resolved_at: row.resolved_at,
        }
    }
}

impl From<drifts::Waiting> for Drift {
    fn from(row: drifts::Waiting) -> Self {
        Self {
            id: row.id,
            store: row.store,
            sku: Some(row.sku),
            stock_id: row.stock_id,
            expected: Quantity::from_thousandths(row.mirror),
            found: Quantity::from_thousandths(row.reading),
            changes: row.changes,
            status: drifts::HELD.to_owned(),
            reason: None,
            created_at: row.created_at,
            resolved_at: None,
        }
    }
}

/// An oversale, or a paid line that never left the shop's stock.
#[derive(Debug, Serialize)]
pub struct Conflict {
    /// Its key within the tenant.
    pub id: Uuid,
    /// `oversale` or `never_reduced`.
    pub kind: String,
    /// The piece's SKU.
    pub sku: Option<String>,
    /// The sale behind it.
    pub sale_id: Option<Uuid>,
    /// The number of its order.
    pub order_number: Option<String>,
    /// The quantity below zero, or the units that never left the shop's stock.
    pub quantity: Quantity,
    /// When it was noticed.
    pub created_at: DateTime<Utc>,
}

impl From<conflicts::Shown> for Conflict {
    fn from(row: conflicts::Shown) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            sku: row.sku,
            sale_id: row.sale_id,
            order_number: row.order_number,
            quantity: Quantity::from_thousandths(row.quantity),
            created_at: row.created_at,
        }
    }
}
