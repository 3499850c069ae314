//! The webhooks that a store has: listing, making, changing and removing them.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::{
    Client,
    client::{MAX_OBJECT_BYTES, MAX_PAGE_BYTES},
    read::MAX_PER_PAGE,
};
use crate::channel::ChannelError;

/// A shop with more webhooks than this many pages of them is none.
const MAX_PAGES: u32 = 20;

/// A webhook as the store shows it. Its secret is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Webhook {
    /// Its id in the store.
    pub id: u64,
    /// What it tells of, such as `order.created`.
    #[serde(default)]
    pub topic: String,
    /// Where it delivers to.
    #[serde(default)]
    pub delivery_url: String,
    /// `active`, `paused` by a person, or `disabled` after failures.
    #[serde(default)]
    pub status: String,
}

/// What is to be done with a store's webhooks, in this order.
#[derive(Debug, Clone, Default, Serialize)]
pub struct WebhookBatch {
    /// New ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create: Vec<WebhookWish>,
    /// Changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub update: Vec<WebhookWish>,
    /// Ids of those to be removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<u64>,
}

/// A webhook as it shall be.
#[derive(Debug, Clone, Serialize)]
pub struct WebhookWish {
    /// Which one; none for a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// What it is called in the shop's admin.
    pub name: String,
    /// What it tells of.
    pub topic: String,
    /// Where it delivers to.
    pub delivery_url: String,
    /// What it signs with.
    #[serde(serialize_with = "exposed")]
    pub secret: SecretString,
    /// `active`.
    pub status: &'static str,
}

/// What a store answered to a batch: those that are there now, and why others are not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhooksDone {
    /// Made and changed ones.
    pub there: Vec<Webhook>,
    /// WooCommerce's error codes for those that could not be made or changed.
    pub refused: Vec<String>,
}

impl Client {
    /// Every webhook of the store, whoever made it, ascending by id.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, ChannelError> {
        let mut webhooks = Vec::new();
        for page in 1..=MAX_PAGES {
            let parameters = [
                ("page", page.to_string()),
                ("per_page", MAX_PER_PAGE.to_string()),
                ("orderby", "id".to_owned()),
                ("order", "asc".to_owned()),
            ];
            let answer = self.get("wc/v3/webhooks", &parameters, MAX_PAGE_BYTES).await?;
            let found: Vec<Webhook> = serde_json::from_value(answer.body)
                .map_err(|_| ChannelError::WrongShape("not a list of webhooks".to_owned()))?;
            let whole = found.len() < MAX_PER_PAGE as usize;
            webhooks.extend(found);
            if whole {
                return Ok(webhooks);
            }
        }
        Err(ChannelError::WrongShape("more than two thousand webhooks".to_owned()))
    }

    /// Makes, changes and removes webhooks, at most a hundred at once. WooCommerce pings the address of
    /// each new one before it answers, and waits up to five seconds for it.
    ///
    /// # Errors
    /// See [`ChannelError`]; then nobody can say what of it was done.
    pub async fn change_webhooks(
        &self,
        batch: &WebhookBatch,
    ) -> Result<WebhooksDone, ChannelError> {
        let body = serde_json::to_vec(batch)
            .map_err(|error| ChannelError::WrongShape(error.to_string()))?;
        let answer =
            self.post("wc/v3/webhooks/batch", body, &|_| Vec::new(), MAX_OBJECT_BYTES).await?;
        let mut done = WebhooksDone::default();
        for part in ["create", "update"] {
            let items = answer.body.get(part).and_then(Value::as_array);
            for item in items.map_or(&[][..], Vec::as_slice) {
                if let Some(error) = item.get("error") {
                    done.refused.push(code(error));
                } else if let Ok(webhook) = Webhook::deserialize(item) {
                    done.there.push(webhook);
                }
            }
        }
        Ok(done)
    }
}

/// The one place to which the secret goes: the store that is to sign with it.
fn exposed<S: Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose_secret())
}

/// WooCommerce's own code of an error, if it is one that can be shown.
fn code(error: &Value) -> String {
    let code = error.get("code").and_then(Value::as_str).unwrap_or_default();
    let plain = code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if plain && !code.is_empty() && code.len() <= 64 {
        code.to_owned()
    } else {
        "no code".to_owned()
    }
}
