//! The state an order is in, custom ones included.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::limits;

/// An order's status, without WooCommerce's internal `wc-` prefix.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// Waiting for payment.
    Pending,
    /// Paid, to be fulfilled.
    Processing,
    /// Waiting for a payment to be confirmed; its units are set aside.
    OnHold,
    /// Done.
    Completed,
    /// Called off; its units are back.
    Cancelled,
    /// Paid back; its units are not back by that alone.
    Refunded,
    /// The payment failed.
    Failed,
    /// In the trash.
    Trash,
    /// A checkout that a customer has begun.
    CheckoutDraft,
    /// Any other: plugins add their own, and they pass through.
    Other(String),
}

impl OrderStatus {
    /// From WooCommerce's word, with or without its `wc-` prefix. Every word is a status.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        match text.strip_prefix("wc-").unwrap_or(text) {
            "pending" => Self::Pending,
            "processing" => Self::Processing,
            "on-hold" => Self::OnHold,
            "completed" => Self::Completed,
            "cancelled" => Self::Cancelled,
            "refunded" => Self::Refunded,
            "failed" => Self::Failed,
            "trash" => Self::Trash,
            "checkout-draft" => Self::CheckoutDraft,
            other => Self::Other(limits::bounded(other, limits::MAX_CODE)),
        }
    }

    /// WooCommerce's word, without the prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::OnHold => "on-hold",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
            Self::Failed => "failed",
            Self::Trash => "trash",
            Self::CheckoutDraft => "checkout-draft",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OrderStatus {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::parse(text))
    }
}

impl Serialize for OrderStatus {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for OrderStatus {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::parse(&String::deserialize(from)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_words_are_kept() {
        for word in [
            "pending",
            "processing",
            "on-hold",
            "completed",
            "cancelled",
            "refunded",
            "failed",
            "trash",
            "checkout-draft",
            "being-engraved",
        ] {
            assert_eq!(OrderStatus::parse(word).as_str(), word);
            assert_eq!(OrderStatus::parse(&format!("wc-{word}")), OrderStatus::parse(word));
        }
        assert_eq!(OrderStatus::parse("on-hold"), OrderStatus::OnHold);
        assert_eq!(
            OrderStatus::parse("being-engraved"),
            OrderStatus::Other("being-engraved".to_owned())
        );
    }

    #[test]
    fn a_word_of_any_length_passes_within_bounds() {
        let long = "x".repeat(10_000);
        assert_eq!(OrderStatus::parse(&long).as_str().len(), limits::MAX_CODE);
    }
}
