//! Reading WooCommerce's JSON, tolerant of what PHP makes of it, exact about where it is wrong.
//!
//! PHP and plugins send numbers as text and text as numbers, `[]` for an empty object, an object
//! with numbers as keys for a filtered list, `false` or `null` for nothing. All that is read.
//! What would have to be guessed is an error that names its place.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value};

use super::{
    MappingError, Money, Quantity,
    decimal::{self, Excess},
    limits, text,
};

/// Where in a representation we are; written out only when there is an error to tell.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    outer: Option<&'p Place<'p>>,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Root(&'static str),
    Key(&'static str),
    Entry(usize),
}

impl Place<'static> {
    /// The representation itself, by the name that errors give it.
    pub(super) const fn root(name: &'static str) -> Self {
        Self { outer: None, step: Step::Root(name) }
    }
}

impl<'p> Place<'p> {
    pub(super) fn key(&'p self, key: &'static str) -> Self {
        Self { outer: Some(self), step: Step::Key(key) }
    }

    fn entry(&'p self, index: usize) -> Self {
        Self { outer: Some(self), step: Step::Entry(index) }
    }

    pub(super) fn unexpected(&self, expected: &'static str, found: &Value) -> MappingError {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        MappingError::Unexpected { path: self.to_string(), expected, found }
    }

    fn missing(&self, expected: &'static str) -> MappingError {
        MappingError::Missing { path: self.to_string(), expected }
    }

    pub(super) fn repeated(&self) -> MappingError {
        MappingError::Repeated { path: self.to_string() }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.outer, self.step) {
            (_, Step::Root(name)) => f.write_str(name),
            (Some(outer), Step::Key(key)) => write!(f, "{outer}.{key}"),
            (Some(outer), Step::Entry(index)) => write!(f, "{outer}[{index}]"),
            (None, Step::Key(key)) => f.write_str(key),
            (None, Step::Entry(index)) => write!(f, "[{index}]"),
        }
    }
}

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
    fn raw(&self, key: &'static str) -> Result<std::borrow::Cow<'v, str>, MappingError> {
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

    /// Text that must be there and not be empty.
    pub(super) fn required_text(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<std::borrow::Cow<'v, str>, MappingError> {
        let value = self.require(key, expected)?;
        match self.raw(key)? {
            text if text.trim().is_empty() => Err(self.wrong(key, expected, value)),
            text => Ok(text),
        }
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

/// What PHP sends where there is nothing: null, false, an empty text, list or object.
fn is_nothing(value: &Value) -> bool {
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
fn entries(value: &Value) -> Option<Vec<&Value>> {
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
fn whole(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => decimal::parse(&number.to_string(), 0, Excess::Refuse),
        Value::String(text) => decimal::parse(text, 0, Excess::Refuse),
        _ => return None,
    };
    number.ok().and_then(|number| u64::try_from(number).ok())
}

fn units(value: &Value, (least, most): (i64, i64)) -> Option<Quantity> {
    let within = Quantity::from_thousandths(least.saturating_mul(1_000))
        ..=Quantity::from_thousandths(most.saturating_mul(1_000));
    Quantity::from_json(value).ok().filter(|quantity| within.contains(quantity))
}

/// A yes or no in any of WordPress's forms.
pub(super) fn yes_or_no(value: &Value) -> Option<bool> {
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
fn is_zero_date(text: &str) -> bool {
    text.starts_with("0000-00-00") || text.starts_with("-0001-11-30")
}

/// `2026-11-20T22:52:37` as REST writes it, also with a space, a fraction, or an explicit offset.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(told) = DateTime::parse_from_rfc3339(text) {
        return Some(told.to_utc());
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|naive| naive.and_utc())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> Object<'_, 'static> {
        Object::root(value, "thing").unwrap()
    }

    #[test]
    fn php_has_many_ways_to_say_nothing() {
        for nothing in [json!(null), json!(false), json!(""), json!([]), json!({})] {
            let value = json!({"it": nothing});
            let thing = object(&value);
            assert_eq!(thing.text("it", 9), Ok(String::new()));
            assert_eq!(thing.money("it"), Ok(Money::ZERO));
            assert_eq!(thing.price("it"), Ok(None));
            assert_eq!(thing.id_or_zero("it"), Ok(0));
            assert_eq!(thing.time("it"), Ok(None));
            assert_eq!(thing.each_if_any("it", |_| Ok(())), Ok(Vec::new()));
            assert_eq!(thing.inner("it", |inner| inner.text("x", 9)), Ok(String::new()));
        }
    }

    #[test]
    fn numbers_come_as_text_and_text_as_numbers() {
        let value = json!({"id": "84", "float": 84.0, "sku": 1001, "yes": "yes", "one": 1});
        let thing = object(&value);
        assert_eq!(thing.id("id"), Ok(84));
        assert_eq!(thing.id("float"), Ok(84));
        assert_eq!(thing.text("sku", 9), Ok("1001".to_owned()));
        assert_eq!(thing.flag("yes"), Ok(Some(true)));
        assert_eq!(thing.flag("one"), Ok(Some(true)));
        assert_eq!(thing.flag("none"), Ok(None));
    }

    #[test]
    fn ids_fit_a_signed_column() {
        for id in
            [json!(0), json!(-1), json!(1.5), json!("12a"), json!(i64::MAX as u64 + 1), json!(1e30)]
        {
            let value = json!({"id": id});
            assert!(object(&value).id("id").is_err(), "{value}");
        }
    }

    #[test]
    fn a_filtered_list_is_a_list_in_its_order() {
        let value = json!({"list": {"10": {"n": "c"}, "2": {"n": "b"}, "0": {"n": "a"}}});
        let names = object(&value).each("list", |entry| entry.text("n", 9)).unwrap();
        assert_eq!(names, ["a", "b", "c"]);
        let value = json!({"list": {"a": {}}});
        assert!(object(&value).each("list", |_| Ok(())).is_err());
    }

    #[test]
    fn a_required_list_is_never_taken_for_empty() {
        for value in [json!({}), json!({"list": null}), json!({"list": "x"}), json!({"list": 3})] {
            assert!(object(&value).each("list", |_| Ok(())).is_err(), "{value}");
        }
        assert_eq!(object(&json!({"list": []})).each("list", |_| Ok(())), Ok(vec![]));
    }

    #[test]
    fn errors_name_the_place_and_never_what_stood_there() {
        let value = json!({"list": [{}, {"inner": {"n": {"secret": 1}}}]});
        let read = object(&value)
            .each("list", |entry| entry.inner("inner", |inner| inner.text("n", 9)))
            .unwrap_err();
        assert_eq!(read.to_string(), "thing.list[1].inner.n: expected a text, found an object");
    }

    #[test]
    fn moments_are_utc() {
        let at = |text: &str| {
            let value = json!({"at": text});
            object(&value).time("at").map(|at| at.map(|at| at.to_rfc3339()))
        };
        let told = Ok(Some("2026-11-20T22:52:37+00:00".to_owned()));
        assert_eq!(at("2026-11-20T22:52:37"), told);
        assert_eq!(at("2026-11-20 22:52:37"), told);
        assert_eq!(at("2026-11-20T22:52:37Z"), told);
        assert_eq!(at("2026-11-21T09:52:37+11:00"), told);
        assert_eq!(at("0000-00-00 00:00:00"), Ok(None));
        assert_eq!(at("-0001-11-30T00:00:00"), Ok(None));
        assert!(at("yesterday").is_err());
    }

    #[test]
    fn metas_of_others_never_get_in_the_way() {
        let value = json!({"meta_data": [
            3, {"key": ["x"]}, {"key": "_x", "value": {"a": [1]}},
            {"key": "_n", "value": "3"}, {"key": "_n", "value": "4"}, {"key": "_e", "value": ""},
        ]});
        let thing = object(&value);
        let three = Quantity::from_thousandths(3_000);
        assert_eq!(thing.meta_quantity("_n", "units", (0, 9)), Ok(Some(three)));
        assert_eq!(thing.meta_quantity("_e", "units", (0, 9)), Ok(Some(Quantity::ZERO)));
        assert_eq!(thing.meta_quantity("_gone", "units", (0, 9)), Ok(None));
        assert_eq!(thing.meta_id("_n"), Ok(Some(3)));
        let wrong = thing.meta_quantity("_x", "units", (0, 9)).unwrap_err();
        assert_eq!(wrong.to_string(), "thing.meta_data._x: expected units, found an object");
    }
}
