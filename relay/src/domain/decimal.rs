//! Exact decimal text to scaled integers and back; no floating point is involved.

use std::fmt;

/// The longest decimal text that is read; the longest that PHP prints of a float is under 40.
const MAX_CHARS: usize = 64;

/// Beyond this an exponent is no amount of anything, and sums of positions stay far from overflow.
const MAX_EXPONENT: i64 = 10_000;

/// What to do with digits beyond the last place that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    /// Round half away from zero, as PHP's and WooCommerce's own rounding does.
    Round,
    /// Refuse them, unless they are zeros.
    Refuse,
    /// Refuse them, unless they are what binary floats leave behind a decimal: six zeros or six
    /// nines and more, as in `0.30000000000000004`.
    RefuseButNoise,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecimalError {
    Malformed,
    OutOfRange,
    TooPrecise,
}

/// `text` in units of `10^-places`.
pub(super) fn parse(text: &str, places: u32, excess: Excess) -> Result<i64, DecimalError> {
    let text = text.trim_ascii();
    if text.len() > MAX_CHARS {
        return Err(DecimalError::Malformed);
    }
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let (mantissa, exponent) = match unsigned.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&unsigned[..at], parse_exponent(&unsigned[at + 1..])?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.iter().position(|b| *b == b'.') {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    let digits = || whole.iter().chain(fraction);
    if digits().next().is_none() || !digits().all(u8::is_ascii_digit) {
        return Err(DecimalError::Malformed);
    }
    // A digit's weight in the units asked for; below zero it is beyond the last place kept.
    let top = whole.len() as i64 + exponent + i64::from(places) - 1;
    let mut units: i128 = 0;
    let mut dropped = Dropped::default();
    for (at, digit) in digits().enumerate() {
        let digit = digit - b'0';
        let weight = top - at as i64;
        if weight < 0 {
            dropped.push(weight, digit);
        } else if digit != 0 {
            let weight = u32::try_from(weight).map_err(|_| DecimalError::OutOfRange)?;
            let part = 10i128
                .checked_pow(weight)
                .and_then(|power| power.checked_mul(i128::from(digit)))
                .and_then(|part| units.checked_add(part));
            units = part.ok_or(DecimalError::OutOfRange)?;
        }
    }
    let up = match excess {
        Excess::Round => dropped.first >= 5,
        _ if dropped.all_zero => false,
        Excess::RefuseButNoise if dropped.zeros >= 6 => false,
        Excess::RefuseButNoise if dropped.nines >= 6 => true,
        Excess::Refuse | Excess::RefuseButNoise => return Err(DecimalError::TooPrecise),
    };
    let units = units + i128::from(up);
    i64::try_from(if negative { -units } else { units }).map_err(|_| DecimalError::OutOfRange)
}

/// What is known of the digits beyond the last place that is kept.
struct Dropped {
    /// The digit right behind the last kept place.
    first: u8,
    /// How many zeros stand before the first that is none.
    zeros: i64,
    /// How many nines they begin with.
    nines: i64,
    all_zero: bool,
}

impl Default for Dropped {
    fn default() -> Self {
        Self { first: 0, zeros: 0, nines: 0, all_zero: true }
    }
}

impl Dropped {
    /// `weight` is -1 for the digit right behind the last kept place, -2 for the next.
    fn push(&mut self, weight: i64, digit: u8) {
        let before = -weight - 1;
        if weight == -1 {
            self.first = digit;
        }
        if self.all_zero {
            // Places that the text does not write out, as in `1e-20`, are zeros too.
            self.zeros = before;
        }
        if digit == 9 && self.nines == before {
            self.nines = before + 1;
        }
        self.all_zero &= digit == 0;
    }
}

fn parse_exponent(text: &[u8]) -> Result<i64, DecimalError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(DecimalError::Malformed);
    }
    let size = digits.iter().try_fold(0i64, |size, digit| {
        Some(size * 10 + i64::from(digit - b'0')).filter(|size| *size <= MAX_EXPONENT)
    });
    let size = size.ok_or(DecimalError::OutOfRange)?;
    Ok(if negative { -size } else { size })
}

/// Writes `units` of `10^-places` as a plain decimal with at least `at_least` places, and as many
/// more as it needs.
pub(super) fn write(
    to: &mut impl fmt::Write,
    units: i64,
    places: usize,
    at_least: usize,
) -> fmt::Result {
    let digits = format!("{:0width$}", units.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let needed = fraction.trim_end_matches('0').len();
    if units < 0 {
        to.write_char('-')?;
    }
    to.write_str(whole)?;
    let shown = needed.max(at_least);
    if shown > 0 {
        to.write_char('.')?;
        to.write_str(&fraction[..needed])?;
        for _ in needed..shown {
            to.write_char('0')?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_exactly() {
        for (text, units) in [
            ("176.43", 176_430),
            ("-20.00", -20_000),
            (" 3 ", 3_000),
            ("+.5", 500),
            ("7.", 7_000),
            ("1e3", 1_000_000),
            ("1.5E-3", 2),
            ("2.5e+1", 25_000),
            ("1e-7", 0),
            ("1e-9999", 0),
            ("0e9999", 0),
            ("00000000000000000000000001", 1_000),
            ("0.0005", 1),
            ("-0.0005", -1),
            ("0.00049999", 0),
            ("9223372036854775.807", i64::MAX),
            ("-9223372036854775.808", i64::MIN),
        ] {
            assert_eq!(parse(text, 3, Excess::Round), Ok(units), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in ["", " ", "-", ".", "1,450.00", "0x10", "1e", "e5", "1.2.3", "--1", "NaN", "١"]
        {
            assert_eq!(parse(text, 3, Excess::Round), Err(DecimalError::Malformed), "{text}");
        }
        assert_eq!(parse(&"1".repeat(65), 3, Excess::Round), Err(DecimalError::Malformed));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let long = "9".repeat(64);
        for text in ["9223372036854775.808", "1e16", "1e10000", "1e10001", &long] {
            assert_eq!(parse(text, 3, Excess::Round), Err(DecimalError::OutOfRange), "{text}");
        }
    }

    #[test]
    fn excess_digits_are_refused_where_they_would_be_lost() {
        let refuse = |text| parse(text, 3, Excess::Refuse);
        assert_eq!(refuse("2.5000000"), Ok(2_500));
        assert_eq!(refuse("2.5001"), Err(DecimalError::TooPrecise));
        assert_eq!(refuse("0.30000000000000004"), Err(DecimalError::TooPrecise));
        let noise = |text| parse(text, 3, Excess::RefuseButNoise);
        assert_eq!(noise("0.30000000000000004"), Ok(300));
        assert_eq!(noise("0.29999999999999999"), Ok(300));
        assert_eq!(noise("-2.4999999999999996"), Ok(-2_500));
        assert_eq!(noise("1e-17"), Ok(0));
        assert_eq!(noise("0.3000004"), Err(DecimalError::TooPrecise));
        assert_eq!(noise("0.300000004"), Err(DecimalError::TooPrecise));
        assert_eq!(noise("0.1231234569"), Err(DecimalError::TooPrecise));
        assert_eq!(noise("0.29999"), Err(DecimalError::TooPrecise));
        assert_eq!(noise("0.0009"), Err(DecimalError::TooPrecise));
    }

    #[test]
    fn writing_shows_what_is_needed_and_no_less_than_asked_for() {
        let show = |units, at_least| {
            let mut text = String::new();
            write(&mut text, units, 3, at_least).unwrap();
            text
        };
        assert_eq!(show(3_000, 0), "3");
        assert_eq!(show(2_500, 0), "2.5");
        assert_eq!(show(-5, 0), "-0.005");
        assert_eq!(show(0, 2), "0.00");
        assert_eq!(show(-12_300, 2), "-12.30");
        assert_eq!(show(i64::MIN, 0), "-9223372036854775.808");
    }
}
