//! Marks in the shop, where people see what was brought over: our plugin notes it in a table of its own; without the
//! plugin it is a custom field, which WooCommerce shows beside an order and, where that is switched on, a product.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Client, Listing,
    client::{MAX_OBJECT_BYTES, MAX_PAGE_BYTES},
};
use crate::channel::ChannelError;

/// Ids that one request may name, of all kinds together (`MAX_SYNCED` in `wp-plugin/includes/synced.php`).
pub const MAX_SYNCED: usize = 200;
/// Rows of one kind that are marked by their custom field with one request: the shop saves each, which takes it some
/// tenths of a second where it is slow.
pub const MAX_FIELDS: usize = 50;
/// The custom field's name, as people read it.
const FIELD: &str = "Synced with Nexpura";

/// What was brought over, by `WooCommerce`'s ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Synced {
    /// Orders.
    pub order: Vec<i64>,
    /// Products and variations.
    pub product: Vec<i64>,
    /// Registered customers.
    pub customer: Vec<i64>,
}

/// Whether an entry of a representation's `meta_data` is the mark.
#[must_use]
pub fn is_mark(entry: &Value) -> bool {
    entry["key"] == FIELD
}

/// Whether a representation has the mark.
#[must_use]
pub fn is_marked(payload: &Value) -> bool {
    payload["meta_data"].as_array().is_some_and(|entries| entries.iter().any(is_mark))
}

impl Client {
    /// Has our plugin mark things as brought over. Nothing else of them changes: no date, and no hook is fired.
    ///
    /// # Errors
    /// See [`ChannelError`]: [`ChannelError::Unauthorized`] where the key may only read, and where the plugin is
    /// not there, or an old one, [`ChannelError::NotFound`].
    pub async fn mark_synced(&self, synced: &Synced) -> Result<(), ChannelError> {
        let body = serde_json::to_vec(synced)
            .map_err(|error| ChannelError::WrongShape(error.to_string()))?;
        self.post("wc-nexpura/v1/synced", body, &|_| Vec::new(), MAX_OBJECT_BYTES).await?;
        Ok(())
    }

    /// Marks orders, customers or products, variations excepted, by a custom field: at most [`MAX_FIELDS`]. The shop
    /// saves each, with its hooks and a new date of modification. One that it refuses stays without.
    ///
    /// # Errors
    /// See [`ChannelError`]: [`ChannelError::Unauthorized`] where the key may only read.
    pub async fn mark_by_field(
        &self,
        listing: Listing,
        ids: &[i64],
        at: DateTime<Utc>,
    ) -> Result<(), ChannelError> {
        let field = json!([{ "key": FIELD, "value": at.format("%Y-%m-%d %H:%M UTC").to_string() }]);
        let update: Vec<Value> =
            ids.iter().map(|id| json!({ "id": id, "meta_data": field })).collect();
        let body = serde_json::to_vec(&json!({ "update": update }))
            .map_err(|error| ChannelError::WrongShape(error.to_string()))?;
        let route = format!("{}/batch", listing.route());
        self.post(&route, body, &|_| Vec::new(), MAX_PAGE_BYTES).await?;
        Ok(())
    }
}
