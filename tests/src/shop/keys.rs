//! WooCommerce's REST keys, as a merchant makes and revokes them in its settings.

use anyhow::Result;
use serde::Deserialize;
use serde_json::json;

use super::Shop;

/// A key, both halves as WooCommerce shows them once.
#[derive(Debug, Clone, Deserialize)]
pub struct Key {
    /// `ck_…`.
    pub consumer_key: String,
    /// `cs_…`.
    pub consumer_secret: String,
}

impl Shop {
    /// Makes a key of the administrator's with `read`, `write` or `read_write` permission.
    ///
    /// # Errors
    /// When the shop refuses it.
    pub async fn make_key(&self, permissions: &str) -> Result<Key> {
        self.call("make_key", json!({ "permissions": permissions })).await
    }

    /// Gives a key another permission.
    ///
    /// # Errors
    /// When the shop refuses it.
    pub async fn set_key_permission(&self, key: &Key, permissions: &str) -> Result<()> {
        let args = json!({ "consumer_key": key.consumer_key, "permissions": permissions });
        self.call::<bool>("set_key_permission", args).await.map(drop)
    }

    /// Revokes a key.
    ///
    /// # Errors
    /// When the shop refuses it.
    pub async fn remove_key(&self, key: &Key) -> Result<()> {
        let args = json!({ "consumer_key": key.consumer_key });
        self.call::<bool>("remove_key", args).await.map(drop)
    }

    /// Brings a revoked key back, as from a backup.
    ///
    /// # Errors
    /// When the shop refuses it.
    pub async fn restore_key(&self, key: &Key) -> Result<()> {
        let args = json!({
            "permissions": "read_write",
            "consumer_key": key.consumer_key,
            "consumer_secret": key.consumer_secret,
        });
        self.call::<Key>("make_key", args).await.map(drop)
    }
}
