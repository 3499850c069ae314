//! Single values, in the forms in which PHP and WordPress write them.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

use crate::domain::{
    Quantity,
    decimal::{self, Excess},
};

/// What PHP sends where there is nothing: null, false, an empty text, list or object.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// A list's entries. PHP writes a list from which something was filtered as an object whose keys
/// are the remaining positions.
pub(super) fn entries(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(items) => Some(items.iter().collect()),
        Value::Object(fields) => {
            let mut placed = Vec::with_capacity(fields.len());
            for (key, entry) in fields {
                placed.push((key.parse::<u32>().ok()?, entry));
            }
            placed.sort_by_key(|(position, _)| *position);
            Some(placed.into_iter().map(|(_, entry)| entry).collect())
        }
        _ => None,
    }
}

/// A whole number that fits a database's signed 64-bit column.
pub(super) fn whole(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => decimal::parse(&number.to_string(), 0, Excess::Refuse),
        Value::String(text) => decimal::parse(text, 0, Excess::Refuse),
        _ => return None,
    };
    // The sign is all that is left to check: decimals are read into 64 bits with one.
    number.ok().and_then(|number| u64::try_from(number).ok())
}

pub(super) fn units(value: &Value, (least, most): (i64, i64)) -> Option<Quantity> {
    let within = Quantity::from_thousandths(least.saturating_mul(1_000))
        ..=Quantity::from_thousandths(most.saturating_mul(1_000));
    Quantity::from_json(value).ok().filter(|quantity| within.contains(quantity))
}

/// A yes or no in any of WordPress's forms.
pub(in crate::domain) fn yes_or_no(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) if number.as_u64() == Some(0) => Some(false),
        Value::Number(number) if number.as_u64() == Some(1) => Some(true),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "1" | "yes" | "true" | "on" => Some(true),
            "" | "0" | "no" | "false" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// MySQL's date of nothing, and what PHP's calendar makes of it.
pub(super) fn is_zero_date(text: &str) -> bool {
    text.starts_with("0000-00-00") || text.starts_with("-0001-11-30")
}

/// `2026-11-20T22:52:37` as REST writes it, also with a space, a fraction, or an explicit offset.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(told) = DateTime::parse_from_rfc3339(text) {
        return Some(told.to_utc());
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|naive| naive.and_utc())
}
