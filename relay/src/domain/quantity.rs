//! Units of stock, exactly: whole thousandths.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::decimal::{self, DecimalError, Excess};

/// Decimal places that are kept.
const PLACES: u32 = 3;

/// A number of units, in thousandths. Serialized as decimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(i64);

/// Why something is no number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// It is not a plain decimal number.
    #[error("not a decimal number of units")]
    Malformed,
    /// It has more than three decimal places, which would be lost.
    #[error("a number of units has at most three decimal places")]
    TooPrecise,
    /// It does not fit into 64 bits of thousandths, by itself or as a sum.
    #[error("the number of units is out of range")]
    OutOfRange,
}

impl From<DecimalError> for QuantityError {
    fn from(error: DecimalError) -> Self {
        match error {
            DecimalError::Malformed => Self::Malformed,
            DecimalError::TooPrecise => Self::TooPrecise,
            DecimalError::OutOfRange => Self::OutOfRange,
        }
    }
}

impl Quantity {
    /// None at all.
    pub const ZERO: Self = Self(0);

    /// From thousandths of a unit.
    #[must_use]
    pub const fn from_thousandths(thousandths: i64) -> Self {
        Self(thousandths)
    }

    /// In thousandths of a unit.
    #[must_use]
    pub const fn thousandths(self) -> i64 {
        self.0
    }

    /// From decimal text such as `3` or `-2.5`.
    ///
    /// # Errors
    /// The text is empty or no decimal number, has more than three places, or is too large.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        Ok(Self(decimal::parse(text, PLACES, Excess::Refuse)?))
    }

    /// From a JSON number, or text that holds one.
    ///
    /// A float is read by its shortest decimal text. What binary arithmetic in the shop left behind
    /// it (0.1 + 0.2 is sent as 0.30000000000000004) is not taken for a fourth decimal place.
    ///
    /// # Errors
    /// As [`Quantity::parse`]; any other kind of JSON value is malformed.
    pub fn from_json(value: &Value) -> Result<Self, QuantityError> {
        match value {
            Value::Number(number) if number.is_f64() => {
                Ok(Self(decimal::parse(&number.to_string(), PLACES, Excess::RefuseButNoise)?))
            }
            Value::Number(number) => Self::parse(&number.to_string()),
            Value::String(text) => Self::parse(text),
            _ => Err(QuantityError::Malformed),
        }
    }

    /// The sum.
    ///
    /// # Errors
    /// It is out of range.
    pub fn checked_add(self, other: Self) -> Result<Self, QuantityError> {
        self.0.checked_add(other.0).map(Self).ok_or(QuantityError::OutOfRange)
    }

    /// The difference.
    ///
    /// # Errors
    /// It is out of range.
    pub fn checked_sub(self, other: Self) -> Result<Self, QuantityError> {
        self.0.checked_sub(other.0).map(Self).ok_or(QuantityError::OutOfRange)
    }

    /// The same number the other way round.
    ///
    /// # Errors
    /// It is out of range, which only the very smallest number is.
    pub fn checked_neg(self) -> Result<Self, QuantityError> {
        self.0.checked_neg().map(Self).ok_or(QuantityError::OutOfRange)
    }

    /// Its size without its sign; that of the very smallest number is the largest there is.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// Whether it is none at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum of all, whatever their order.
    ///
    /// # Errors
    /// It is out of range.
    pub fn sum(numbers: impl IntoIterator<Item = Self>) -> Result<Self, QuantityError> {
        let sum: i128 = numbers.into_iter().map(|number| i128::from(number.0)).sum();
        i64::try_from(sum).map(Self).map_err(|_| QuantityError::OutOfRange)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::write(f, self.0, PLACES as usize, 0)
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        Self::parse(text)
    }
}

impl Serialize for Quantity {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_text_mean_the_same() {
        for value in [json!(3), json!(3.0), json!("3"), json!(" 3.000 ")] {
            assert_eq!(Quantity::from_json(&value), Ok(Quantity(3_000)), "{value}");
        }
        assert_eq!(Quantity::from_json(&json!(-2.5)), Ok(Quantity(-2_500)));
        assert_eq!(Quantity::from_json(&json!(0.1 + 0.2)), Ok(Quantity(300)));
        assert_eq!(Quantity::from_json(&json!(0.7 - 0.4)), Ok(Quantity(300)));
    }

    #[test]
    fn nothing_is_guessed() {
        assert_eq!(Quantity::from_json(&json!(2.5001)), Err(QuantityError::TooPrecise));
        assert_eq!(Quantity::parse("0.0001"), Err(QuantityError::TooPrecise));
        assert_eq!(Quantity::parse("0.30000000000000004"), Err(QuantityError::TooPrecise));
        assert_eq!(Quantity::parse(""), Err(QuantityError::Malformed));
        assert_eq!(Quantity::from_json(&json!(1e300)), Err(QuantityError::OutOfRange));
        assert_eq!(Quantity::from_json(&json!(u64::MAX)), Err(QuantityError::OutOfRange));
        for value in [json!(null), json!(true), json!([1]), json!({"a": 1}), json!("two")] {
            assert_eq!(Quantity::from_json(&value), Err(QuantityError::Malformed), "{value}");
        }
    }

    #[test]
    fn it_is_shown_without_needless_places() {
        let show = |thousandths| Quantity::from_thousandths(thousandths).to_string();
        assert_eq!(show(3_000), "3");
        assert_eq!(show(2_500), "2.5");
        assert_eq!(show(-1), "-0.001");
        assert_eq!(show(0), "0");
        assert_eq!(serde_json::to_string(&Quantity(-1_000)).unwrap(), "\"-1\"");
    }

    #[test]
    fn arithmetic_never_wraps() {
        let (least, most) = (Quantity(i64::MIN), Quantity(i64::MAX));
        assert_eq!(most.checked_add(Quantity(1)), Err(QuantityError::OutOfRange));
        assert_eq!(least.checked_sub(Quantity(1)), Err(QuantityError::OutOfRange));
        assert_eq!(least.checked_neg(), Err(QuantityError::OutOfRange));
        assert_eq!(least.abs(), most);
        assert_eq!(Quantity::sum([least, most, Quantity(1)]), Ok(Quantity::ZERO));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(thousandths: i64) {
            let quantity = Quantity::from_thousandths(thousandths);
            prop_assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity));
            let json = serde_json::to_string(&quantity).unwrap();
            prop_assert_eq!(serde_json::from_str::<Quantity>(&json).unwrap(), quantity);
        }

        #[test]
        fn floats_are_read_by_their_decimal_text(thousandths in -1_000_000_000i64..1_000_000_000) {
            let float = thousandths as f64 / 1_000.0;
            prop_assert_eq!(Quantity::from_json(&json!(float)), Ok(Quantity(thousandths)));
        }
    }
}
