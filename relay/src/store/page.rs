//! Paging by key: the next page begins after the last key seen, however many rows there are.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// How many rows a page has when nobody says.
pub const DEFAULT_LIMIT: i64 = 50;
/// How many rows a page may have.
pub const MAX_LIMIT: i64 = 500;

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// What to pass as `after` for the next page; absent on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page from one row more than was asked for.
    #[must_use]
    pub fn cut(mut items: Vec<T>, limit: i64, key: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
        Self { items, next }
    }

    /// The same page with other items.
    #[must_use]
    pub fn map<U>(self, to: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(to).collect(), next: self.next }
    }
}

/// Reads back what [`Page::cut`] gave out; nothing for a cursor that was tampered with.
#[must_use]
pub fn read_cursor(text: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// Reads back one that is a thing's key.
#[must_use]
pub fn read_id(text: &str) -> Option<Uuid> {
    Uuid::try_parse(&read_cursor(text)?).ok()
}

/// Later than anything in a list by time, and a moment that both databases can hold.
#[must_use]
pub fn far_ahead() -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(9999, 1, 1)
        .map_or(DateTime::<Utc>::MAX_UTC, |day| day.and_time(NaiveTime::MIN).and_utc())
}

/// The key of a row in a list by time.
#[must_use]
pub fn moment_key(at: DateTime<Utc>, id: Uuid) -> String {
    format!("{} {id}", at.to_rfc3339())
}

/// Reads such a key.
#[must_use]
pub fn read_moment_key(key: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let (at, id) = key.split_once(' ')?;
    Some((DateTime::parse_from_rfc3339(at).ok()?.to_utc(), Uuid::try_parse(id).ok()?))
}
