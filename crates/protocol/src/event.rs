//! One thing that happened in a shop.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What kind of thing an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// An order, with its refunds.
    Order,
    /// A product or a variation.
    Product,
    /// A registered customer.
    Customer,
    /// The shop itself: the nonce of its database's lineage.
    Lineage,
}

impl Resource {
    /// The word used in topics and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Product => "product",
            Self::Customer => "customer",
            Self::Lineage => "lineage",
        }
    }
}

impl FromStr for Resource {
    type Err = UnknownTopic;

    fn from_str(text: &str) -> Result<Self, UnknownTopic> {
        match text {
            "order" => Ok(Self::Order),
            "product" => Ok(Self::Product),
            "customer" => Ok(Self::Customer),
            "lineage" => Ok(Self::Lineage),
            _ => Err(UnknownTopic(text.to_owned())),
        }
    }
}

/// What happened to it, in WooCommerce's own webhook words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// It is new.
    Created,
    /// It changed, or may have changed.
    Updated,
    /// It was put into the trash or removed for good.
    Deleted,
    /// It came back from the trash.
    Restored,
}

/// A topic such as `order.created`.
///
/// Source: `WC_Webhook::get_topic`'s resources and events in WooCommerce 10.0.2. The one topic that is
/// ours, `action.nexpura_lineage`, follows WooCommerce's form for custom topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic {
    /// What it is about.
    pub resource: Resource,
    /// What happened.
    pub verb: Verb,
}

/// The topic that carries the lineage nonce.
pub const LINEAGE_TOPIC: &str = "action.nexpura_lineage";

/// A topic that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown topic {0:?}: expected order, product or customer with created, updated, deleted or restored"
)]
pub struct UnknownTopic(String);

impl Topic {
    /// The topic of a nonce of the shop's lineage.
    pub const LINEAGE: Self = Self { resource: Resource::Lineage, verb: Verb::Updated };

    /// A topic from its parts.
    #[must_use]
    pub fn new(resource: Resource, verb: Verb) -> Self {
        Self { resource, verb }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.resource == Resource::Lineage {
            return f.write_str(LINEAGE_TOPIC);
        }
        let verb = match self.verb {
            Verb::Created => "created",
            Verb::Updated => "updated",
            Verb::Deleted => "deleted",
            Verb::Restored => "restored",
        };
        write!(f, "{}.{verb}", self.resource.as_str())
    }
}

impl FromStr for Topic {
    type Err = UnknownTopic;

    fn from_str(text: &str) -> Result<Self, UnknownTopic> {
        if text == LINEAGE_TOPIC {
            return Ok(Self::LINEAGE);
        }
        let unknown = || UnknownTopic(text.chars().take(80).collect());
        let (resource, verb) = text.split_once('.').ok_or_else(unknown)?;
        let resource = match resource {
            "order" => Resource::Order,
            "product" => Resource::Product,
            "customer" => Resource::Customer,
            _ => return Err(unknown()),
        };
        let verb = match verb {
            "created" => Verb::Created,
            "updated" => Verb::Updated,
            "deleted" => Verb::Deleted,
            "restored" => Verb::Restored,
            _ => return Err(unknown()),
        };
        Ok(Self { resource, verb })
    }
}

impl Serialize for Topic {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One event as it stands in the spool and travels in a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its identity for ever (a UUID); what makes a second delivery a duplicate.
    pub id: String,
    /// Its place in its spool, from 1 on, without gaps.
    pub seq: u64,
    /// What happened to what.
    pub topic: Topic,
    /// WooCommerce's id of the order, product, variation or customer; 0 for the lineage.
    pub resource_id: u64,
    /// When the shop noticed it. For people only: dates decide nothing.
    pub occurred_at: DateTime<Utc>,
    /// WooCommerce's REST v3 representation, or nothing: a touch, "fetch it".
    #[serde(default)]
    pub payload: Option<Value>,
    /// What the representation does not tell.
    #[serde(default)]
    pub facts: Option<Facts>,
}

impl Event {
    /// Whether it only says that something happened, so that the relay has to fetch what.
    #[must_use]
    pub fn is_touch(&self) -> bool {
        self.payload.is_none()
    }
}

/// What WooCommerce's REST representation does not tell, read in the same moment as the payload.
///
/// The same object answers a REST read with `?nexpura=1`, under the key `nexpura`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The shop's counter of this resource, raised before the read and unchanged after it. Only a
    /// higher one is applied directly.
    #[serde(default)]
    pub rev: Option<u64>,
    /// The order's key: with store and id, the order's identity.
    #[serde(default)]
    pub order_key: Option<String>,
    /// The order's own stock flag (`_order_stock_reduced`, or the HPOS column).
    #[serde(default)]
    pub stock_reduced: Option<bool>,
    /// The product a variation belongs to, so that it can be fetched at its own address.
    #[serde(default)]
    pub parent_id: Option<u64>,
    /// A product's own stock, as `lines` tell it for an order's: who owns it, and how.
    #[serde(default)]
    pub stock: Option<StockFacts>,
    /// One entry an order line, those of products that are gone included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineFacts>,
    /// The order's refunds as `/orders/{id}/refunds` gives them, lines included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunds: Option<Value>,
}

/// Who owns a product's stock, and how it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StockFacts {
    /// `get_stock_managed_by_id()`: the product or variation whose stock this one draws on.
    pub stock_id: u64,
    /// Whether that owner's stock is managed (and shop-wide stock management is on).
    pub managed: bool,
    /// The owner's backorder setting: `no`, `notify` or `yes`.
    pub backorders: String,
}

/// [`StockFacts`] of the product on one order line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineFacts {
    /// The order line's id.
    pub line_id: u64,
    /// The owner of the stock; `None` when the product is gone.
    #[serde(default)]
    pub stock_id: Option<u64>,
    /// Whether the owner's stock is managed.
    #[serde(default)]
    pub managed: bool,
    /// The owner's backorder setting: `no`, `notify` or `yes`.
    #[serde(default)]
    pub backorders: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_as_they_are_written() {
        for text in ["order.created", "product.restored", "customer.deleted", LINEAGE_TOPIC] {
            assert_eq!(text.parse::<Topic>().unwrap().to_string(), text);
        }
        for text in ["order", "order.paid", "coupon.created", "order.created.x", ""] {
            assert!(text.parse::<Topic>().is_err(), "{text}");
        }
    }
}
