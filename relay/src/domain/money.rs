//! Money, exactly: whole millionths of a currency's unit, and the currencies they are in.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::decimal::{self, DecimalError, Excess};

/// Decimal places that are kept: WooCommerce keeps order lines to six.
const PLACES: u32 = 6;

/// An amount of some currency, in millionths of its unit. Serialized as decimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

/// Why something is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// It is not a plain decimal number.
    #[error("not a decimal amount")]
    Malformed,
    /// It does not fit into 64 bits of millionths, by itself or as a sum.
    #[error("the amount is out of range")]
    OutOfRange,
}

impl From<DecimalError> for MoneyError {
    fn from(error: DecimalError) -> Self {
        match error {
            DecimalError::Malformed | DecimalError::TooPrecise => Self::Malformed,
            DecimalError::OutOfRange => Self::OutOfRange,
        }
    }
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From millionths of the currency's unit.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// In millionths of the currency's unit.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// From decimal text as WooCommerce sends it, `""` being zero, or from a JSON number's shortest
    /// text. More than six places are rounded half away from zero.
    ///
    /// # Errors
    /// The text is no decimal number, or too large.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        if text.trim_ascii().is_empty() {
            return Ok(Self::ZERO);
        }
        Ok(Self(decimal::parse(text, PLACES, Excess::Round)?))
    }

    /// The sum.
    ///
    /// # Errors
    /// It is out of range.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.0.checked_add(other.0).map(Self).ok_or(MoneyError::OutOfRange)
    }

    /// The difference.
    ///
    /// # Errors
    /// It is out of range.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.0.checked_sub(other.0).map(Self).ok_or(MoneyError::OutOfRange)
    }

    /// The same amount the other way round.
    ///
    /// # Errors
    /// It is out of range, which only the very smallest amount is.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.0.checked_neg().map(Self).ok_or(MoneyError::OutOfRange)
    }

    /// Its size without its sign; that of the very smallest amount is the largest there is.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum of all, whatever their order.
    ///
    /// # Errors
    /// It is out of range.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        // Wide, so that large amounts of both signs do not fail by the order they come in.
        let sum: i128 = amounts.into_iter().map(|amount| i128::from(amount.0)).sum();
        i64::try_from(sum).map(Self).map_err(|_| MoneyError::OutOfRange)
    }

    /// As text with the currency's number of places, and more only where they are needed.
    #[must_use]
    pub fn display(self, currency: Currency) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = decimal::write(&mut text, self.0, PLACES as usize, currency.exponent() as usize);
        text
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::write(f, self.0, PLACES as usize, 2)
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        Self::parse(text)
    }
}

impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// A currency's three-letter code. Codes that ISO 4217 does not know pass through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Why something is no currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a currency code of three letters or digits")]
pub struct CurrencyError;

impl Currency {
    /// From a code such as `AUD`, in any case.
    ///
    /// # Errors
    /// The text is not three ASCII letters or digits.
    pub fn parse(text: &str) -> Result<Self, CurrencyError> {
        let code: [u8; 3] = text.trim_ascii().as_bytes().try_into().map_err(|_| CurrencyError)?;
        if code.iter().all(u8::is_ascii_alphanumeric) {
            Ok(Self(code.map(|byte| byte.to_ascii_uppercase())))
        } else {
            Err(CurrencyError)
        }
    }

    /// The code in upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII letters and digits get in.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many decimal places its amounts usually have (ISO 4217). For display only: a shop may
    /// have set others, and its amounts are right with fewer or more.
    #[must_use]
    pub fn exponent(&self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        Self::parse(text)
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn micros(text: &str) -> i64 {
        Money::parse(text).unwrap().micros()
    }

    #[test]
    fn woocommerces_amounts_are_read_exactly() {
        assert_eq!(micros("176.43"), 176_430_000);
        assert_eq!(micros("-20.00"), -20_000_000);
        assert_eq!(micros("212.119091"), 212_119_091);
        assert_eq!(micros(""), 0);
        assert_eq!(micros("-0.00"), 0);
        // The shortest text of the float in a line's `price`.
        assert_eq!(micros("12.344999999999999"), 12_345_000);
        assert_eq!(micros("0.0000005"), 1);
        assert_eq!(micros("-0.0000005"), -1);
        assert_eq!(Money::parse("1,450.00"), Err(MoneyError::Malformed));
        assert_eq!(Money::parse("9223372036854.775808"), Err(MoneyError::OutOfRange));
    }

    #[test]
    fn places_follow_the_currency_and_never_lose_any() {
        let display = |text, currency| {
            Money::parse(text).unwrap().display(Currency::parse(currency).unwrap())
        };
        assert_eq!(display("500", "JPY"), "500");
        assert_eq!(display("500.5", "JPY"), "500.5");
        assert_eq!(display("37.04", "KWD"), "37.040");
        assert_eq!(display("-20", "AUD"), "-20.00");
        assert_eq!(display("212.119091", "gbp"), "212.119091");
        assert_eq!(display("1", "CLF"), "1.0000");
        assert_eq!(Money::parse("3").unwrap().to_string(), "3.00");
    }

    #[test]
    fn currencies_that_iso_does_not_know_pass_through() {
        let own = Currency::parse("xq9").unwrap();
        assert_eq!((own.as_str(), own.exponent()), ("XQ9", 2));
        for text in ["", "AU", "AUDX", "A-D", "€€€", "€"] {
            assert_eq!(Currency::parse(text), Err(CurrencyError), "{text}");
        }
    }

    #[test]
    fn exponents_are_those_of_iso_4217() {
        let codes = |codes: &str, exponent| {
            for code in codes.split(' ') {
                assert_eq!(Currency::parse(code).unwrap().exponent(), exponent, "{code}");
            }
        };
        codes("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0);
        codes("AUD EUR GBP NZD USD CHF HUF TWD IDR", 2);
        codes("BHD IQD JOD KWD LYD OMR TND", 3);
        codes("CLF UYW", 4);
    }

    #[test]
    fn arithmetic_never_wraps() {
        let (least, most) = (Money::from_micros(i64::MIN), Money::from_micros(i64::MAX));
        let one = Money::from_micros(1);
        assert_eq!(most.checked_add(one), Err(MoneyError::OutOfRange));
        assert_eq!(least.checked_sub(one), Err(MoneyError::OutOfRange));
        assert_eq!(least.checked_neg(), Err(MoneyError::OutOfRange));
        assert_eq!(least.abs(), most);
        assert_eq!(Money::sum([most, one]), Err(MoneyError::OutOfRange));
        assert_eq!(Money::sum([most, one, Money::from_micros(-2)]), Ok(Money(i64::MAX - 1)));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(micros: i64) {
            let money = Money::from_micros(micros);
            prop_assert_eq!(Money::parse(&money.to_string()), Ok(money));
            for code in ["JPY", "AUD", "KWD", "CLF"] {
                let currency = Currency::parse(code).unwrap();
                prop_assert_eq!(Money::parse(&money.display(currency)), Ok(money));
            }
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }

        #[test]
        fn reading_never_panics(text in "\\PC*", number in "[-+]?[0-9]{0,30}\\.?[0-9]{0,30}([eE][-+]?[0-9]{0,6})?") {
            let _ = Money::parse(&text);
            let _ = Money::parse(&number);
            let _ = Currency::parse(&text);
        }
    }
}
