//! Marks in the shop: our plugin notes what was brought over, where people see it in WordPress's own lists. Without the
//! plugin an order can be given a note, what else there is a custom field (`fields.rs`).

use serde::Serialize;
use serde_json::json;

use super::{Client, client::MAX_OBJECT_BYTES};
use crate::channel::ChannelError;

/// Ids that one request may name, of all kinds together (`MAX_SYNCED` in `wp-plugin/includes/synced.php`).
pub const MAX_SYNCED: usize = 200;
/// What people read beside an order, and as the name of a custom field.
pub(super) const MARK: &str = "Synced with Nexpura";
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

    /// Adds a private note to an order that says that it was brought over. `WooCommerce` keeps notes as comments: the
    /// order is not saved, no hook tells of a changed one, and nobody is mailed.
    ///
    /// # Errors
    /// See [`ChannelError`]: [`ChannelError::Unauthorized`] where the key may only read.
    pub async fn note_synced(&self, order: i64) -> Result<(), ChannelError> {
        let note = json!({ "note": MARK, "customer_note": false });
        let route = format!("wc/v3/orders/{order}/notes");
        let body = note.to_string().into_bytes();
        self.post(&route, body, &|_| Vec::new(), MAX_OBJECT_BYTES).await?;
        Ok(())
    }
}
