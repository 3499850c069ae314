//! The shop's own name for a piece: what products are matched by.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The longest SKU, in characters.
const MAX_CHARS: usize = 255;

/// A SKU exactly as given: case and punctuation kept, since `R-1` and `R1` may be two pieces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sku(String);

/// Why something is no SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SkuError {
    /// There is none.
    #[error("the SKU is empty")]
    Empty,
    /// It is longer than 255 characters.
    #[error("the SKU is longer than 255 characters")]
    TooLong,
    /// It has characters that cannot be seen or typed.
    #[error("the SKU contains control characters")]
    Control,
}

impl Sku {
    /// From text; whitespace around it is dropped, as WooCommerce does on saving.
    ///
    /// # Errors
    /// It is empty, too long, or contains control characters.
    pub fn parse(text: &str) -> Result<Self, SkuError> {
        let text = text.trim();
        if text.is_empty() {
            Err(SkuError::Empty)
        } else if text.chars().any(char::is_control) {
            Err(SkuError::Control)
        } else if text.chars().nth(MAX_CHARS).is_some() {
            Err(SkuError::TooLong)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Sku {
    type Err = SkuError;

    fn from_str(text: &str) -> Result<Self, SkuError> {
        Self::parse(text)
    }
}

impl Serialize for Sku {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Sku {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_exactly_as_given() {
        for text in ["0", "1/3", "R-1", "r-1", "A  B", "Ж-№7", "\"x\" & <y>"] {
            assert_eq!(Sku::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(Sku::parse(" R-1\n").unwrap().as_str(), "R-1");
        assert_ne!(Sku::parse("R-1"), Sku::parse("r-1"));
    }

    #[test]
    fn what_names_nothing_is_refused() {
        assert_eq!(Sku::parse(""), Err(SkuError::Empty));
        assert_eq!(Sku::parse(" \t\u{a0}"), Err(SkuError::Empty));
        assert_eq!(Sku::parse("a\0b"), Err(SkuError::Control));
        assert_eq!(Sku::parse("a\nb"), Err(SkuError::Control));
        assert!(Sku::parse(&"é".repeat(255)).is_ok());
        assert_eq!(Sku::parse(&"é".repeat(256)), Err(SkuError::TooLong));
    }
}
