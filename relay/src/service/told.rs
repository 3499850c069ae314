//! What waits for a person, as the API and the command line tell it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    domain::Quantity,
    store::{conflicts, drifts},
};

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
