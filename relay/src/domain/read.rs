//! Reading WooCommerce's JSON, tolerant of what PHP makes of it, exact about where it is wrong.
//!
//! PHP and plugins send numbers as text and text as numbers, `[]` for an empty object, an object
//! with numbers as keys for a filtered list, `false` or `null` for nothing. All that is read.
//! What would have to be guessed is an error that names its place.

mod place;
mod value;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{MappingError, Money, Quantity, limits, text};

pub(super) use place::Place;
pub(super) use value::yes_or_no;
use value::{entries, is_nothing, is_zero_date, moment, units, whole};

/// An object and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Object<'v, 'p> {
    /// `None` where an empty one was left out or sent as something else that is empty.
    fields: Option<&'v Map<String, Value>>,
    pub(super) place: Place<'p>,
}

const AN_OBJECT: &str = "an object";
const A_LIST: &str = "a list";
const AN_ID: &str = "an id above zero";
const AN_AMOUNT: &str = "a decimal amount";

impl<'v, 'p> Object<'v, 'p> {
    /// The representation itself, which must be an object of bounded depth.
    pub(super) fn root(value: &'v Value, name: &'static str) -> Result<Self, MappingError> {
        limits::check_depth(value, limits::MAX_DEPTH)?;
        Self::at(value, Place::root(name))
    }

    fn at(value: &'v Value, place: Place<'p>) -> Result<Self, MappingError> {
        match value {
            Value::Object(fields) => Ok(Self { fields: Some(fields), place }),
            other => Err(place.unexpected(AN_OBJECT, other)),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'v Value> {
        self.fields.and_then(|fields| fields.get(key))
    }

    /// What stands there, unless that is one of PHP's ways to say nothing.
    fn filled(&self, key: &str) -> Option<&'v Value> {
        self.get(key).filter(|value| !is_nothing(value))
    }

    fn require(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<&'v Value, MappingError> {
        self.get(key).ok_or_else(|| self.place.key(key).missing(expected))
    }

    fn wrong(&self, key: &'static str, expected: &'static str, found: &Value) -> MappingError {
        self.place.key(key).unexpected(expected, found)
    }

    /// An id that must be there.
    pub(super) fn id(&self, key: &'static str) -> Result<u64, MappingError> {
        let value = self.require(key, AN_ID)?;
        match whole(value) {
            Some(id) if id > 0 => Ok(id),
            _ => Err(self.wrong(key, AN_ID, value)),
        }
    }

    /// An id that may be nothing, which WooCommerce writes as 0.
    pub(super) fn id_or_zero(&self, key: &'static str) -> Result<u64, MappingError> {
        self.filled(key).map_or(Ok(0), |value| {
            whole(value).ok_or_else(|| self.wrong(key, "an id or zero", value))
        })
    }

    /// An amount whose key must be there; an empty one is zero.
    pub(super) fn money(&self, key: &'static str) -> Result<Money, MappingError> {
        self.require(key, AN_AMOUNT)?;
        self.money_or_zero(key)
    }

    /// An amount, zero where there is none.
    pub(super) fn money_or_zero(&self, key: &'static str) -> Result<Money, MappingError> {
        Ok(self.price(key)?.unwrap_or(Money::ZERO))
    }

    /// An amount that need not be there: no price is not a price of zero.
    pub(super) fn price(&self, key: &'static str) -> Result<Option<Money>, MappingError> {
        let Some(value) = self.filled(key) else { return Ok(None) };
        let read = match value {
            Value::String(text) => Money::parse(text).ok(),
            Value::Number(number) => Money::parse(&number.to_string()).ok(),
            _ => None,
        };
        read.map(Some).ok_or_else(|| self.wrong(key, AN_AMOUNT, value))
    }

    /// A number of units that must be there, between `least` and `most` units.
    pub(super) fn quantity(
        &self,
        key: &'static str,
        expected: &'static str,
        (least, most): (i64, i64),
    ) -> Result<Quantity, MappingError> {
        let value = self.require(key, expected)?;
        units(value, (least, most)).ok_or_else(|| self.wrong(key, expected, value))
    }

    /// The same, `None` where it is left out or empty.
    pub(super) fn optional_quantity(
        &self,
        key: &'static str,
        expected: &'static str,
        bounds: (i64, i64),
    ) -> Result<Option<Quantity>, MappingError> {
        self.filled(key).map(|_| self.quantity(key, expected, bounds)).transpose()
    }

    /// Text as it stands, empty where there is none.
    fn raw(&self, key: &'static str) -> Result<Cow<'v, str>, MappingError> {
        match self.filled(key) {
            None => Ok("".into()),
            Some(Value::String(text)) => Ok(text.into()),
            Some(Value::Number(number)) => Ok(number.to_string().into()),
            // How PHP writes a true that became text.
            Some(Value::Bool(true)) => Ok("1".into()),
            Some(other) => Err(self.wrong(key, "a text", other)),
        }
    }

    /// Text of at most `max` characters, empty where there is none.
    pub(super) fn text(&self, key: &'static str, max: usize) -> Result<String, MappingError> {
        Ok(limits::bounded(&self.raw(key)?, max))
    }

    /// Text of at most `max` characters, `None` where it is empty.
    pub(super) fn optional_text(
        &self,
        key: &'static str,
        max: usize,
    ) -> Result<Option<String>, MappingError> {
        Ok(Some(self.text(key, max)?).filter(|text| !text.is_empty()))
    }

    /// A short word that must be there and not be empty.
    pub(super) fn required_text(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<String, MappingError> {
        let value = self.require(key, expected)?;
        self.optional_text(key, limits::MAX_CODE)?.ok_or_else(|| self.wrong(key, expected, value))
    }

    /// Text that something else is parsed from, `None` where it is empty.
    pub(super) fn parsed<T, E>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
        expected: &'static str,
    ) -> Result<Option<T>, MappingError> {
        let raw = self.raw(key)?;
        if raw.trim().is_empty() {
            return Ok(None);
        }
        let value = self.get(key).unwrap_or(&Value::Null);
        parse(&raw).map(Some).map_err(|_| self.wrong(key, expected, value))
    }

    /// A name: its entities decoded, bounded, empty where there is none.
    pub(super) fn name(&self, key: &'static str) -> Result<String, MappingError> {
        Ok(text::name(&self.raw(key)?))
    }

    /// A web address; `None` where it is empty or of a scheme that no shop's page or picture has.
    pub(super) fn url(&self, key: &'static str) -> Result<Option<String>, MappingError> {
        let web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        Ok(self.optional_text(key, limits::MAX_URL)?.filter(web))
    }

    /// A yes or no in any of the forms that WooCommerce's settings and metas have.
    pub(super) fn flag(&self, key: &'static str) -> Result<Option<bool>, MappingError> {
        match self.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match yes_or_no(value) {
                Some(flag) => Ok(Some(flag)),
                None => Err(self.wrong(key, "true or false", value)),
            },
        }
    }

    /// A moment in UTC, as the `*_gmt` fields have it.
    pub(super) fn time(&self, key: &'static str) -> Result<Option<DateTime<Utc>>, MappingError> {
        match self.filled(key) {
            None => Ok(None),
            Some(Value::String(text)) if is_zero_date(text) => Ok(None),
            Some(value) => {
                let read = value.as_str().and_then(moment);
                read.map(Some).ok_or_else(|| self.wrong(key, "a date and time in UTC", value))
            }
        }
    }

    /// Hands an inner object to `read`; an empty one where it is left out.
    pub(super) fn inner<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(Object<'v, '_>) -> Result<T, MappingError>,
    ) -> Result<T, MappingError> {
        let place = self.place.key(key);
        match self.filled(key) {
            None => read(Object { fields: None, place }),
            Some(value) => read(Object::at(value, place)?),
        }
    }

    /// Hands each object of a list to `read`; the list's key must be there.
    pub(super) fn each<T>(
        &self,
        key: &'static str,
        read: impl FnMut(Object<'v, '_>) -> Result<T, MappingError>,
    ) -> Result<Vec<T>, MappingError> {
        match self.require(key, A_LIST)? {
            // A list that is null where it is required is no empty list: nothing can be concluded
            // from it, least of all that every line is gone.
            Value::Null => Err(self.wrong(key, A_LIST, &Value::Null)),
            _ => self.each_if_any(key, read),
        }
    }

    /// Hands each object of a list to `read`; no list is an empty one.
    pub(super) fn each_if_any<T>(
        &self,
        key: &'static str,
        read: impl FnMut(Object<'v, '_>) -> Result<T, MappingError>,
    ) -> Result<Vec<T>, MappingError> {
        let Some(value) = self.filled(key) else { return Ok(Vec::new()) };
        each_of(value, self.place.key(key), read)
    }

    /// The labels of a list: of each entry what `label` makes of it. Only as many as are kept are
    /// looked at, and entries that are no label are left out: no product fails by its categories.
    pub(super) fn labels<T>(&self, key: &str, label: impl FnMut(&'v Value) -> Option<T>) -> Vec<T> {
        let entries = self.filled(key).and_then(entries).unwrap_or_default();
        entries.into_iter().take(limits::MAX_LABELS).filter_map(label).collect()
    }

    /// The value of a meta, `None` where there is no such key. WooCommerce takes the first of
    /// several, and so do we. Other plugins' metas are not looked at.
    pub(super) fn meta(&self, key: &str) -> Result<Option<&'v Value>, MappingError> {
        let Some(list) = self.filled("meta_data") else { return Ok(None) };
        let entries =
            entries(list).ok_or_else(|| self.place.key("meta_data").unexpected(A_LIST, list))?;
        let named = |entry: &&Value| entry.get("key").and_then(Value::as_str) == Some(key);
        let value = entries.into_iter().find(named).and_then(|entry| entry.get("value"));
        Ok(value.filter(|value| !value.is_null()))
    }

    /// A number of units kept as a meta; one that PHP takes for zero is zero.
    pub(super) fn meta_quantity(
        &self,
        key: &'static str,
        expected: &'static str,
        bounds: (i64, i64),
    ) -> Result<Option<Quantity>, MappingError> {
        match self.meta(key)? {
            None => Ok(None),
            Some(value) if is_nothing(value) => Ok(Some(Quantity::ZERO)),
            Some(value) => {
                let metas = self.place.key("meta_data");
                let read = units(value, bounds);
                read.map(Some).ok_or_else(|| metas.key(key).unexpected(expected, value))
            }
        }
    }

    /// An id kept as a meta, `None` where there is none.
    pub(super) fn meta_id(&self, key: &'static str) -> Result<Option<u64>, MappingError> {
        match self.meta(key)? {
            Some(value) if !is_nothing(value) => {
                let metas = self.place.key("meta_data");
                let id = whole(value).ok_or_else(|| metas.key(key).unexpected(AN_ID, value))?;
                Ok(Some(id).filter(|id| *id > 0))
            }
            _ => Ok(None),
        }
    }
}

/// Hands each object of the list that `value` is to `read`.
pub(super) fn each_of<'v, T>(
    value: &'v Value,
    place: Place<'_>,
    mut read: impl FnMut(Object<'v, '_>) -> Result<T, MappingError>,
) -> Result<Vec<T>, MappingError> {
    let entries = entries(value).ok_or_else(|| place.unexpected(A_LIST, value))?;
    if entries.len() > limits::MAX_LINES {
        return Err(MappingError::TooMany { path: place.to_string(), limit: limits::MAX_LINES });
    }
    let objects = entries.into_iter().enumerate();
    objects.map(|(index, entry)| read(Object::at(entry, place.entry(index))?)).collect()
}

#[cfg(test)]
mod tests;
