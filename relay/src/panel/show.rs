//! How moments and numbers are written for people.

use chrono::{DateTime, TimeDelta, Utc};

/// A moment in full, such as `21 Nov 2026, 08:40 UTC`.
pub(super) fn moment(at: &DateTime<Utc>) -> String {
    at.format("%-d %b %Y, %H:%M UTC").to_string()
}

/// The same for machines, as `<time datetime>` wants it.
pub(super) fn machine(at: &DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The day of a moment, such as `21 Nov`.
pub(super) fn day(at: &DateTime<Utc>) -> String {
    at.format("%-d %b").to_string()
}

/// In which form [`ago`] tells a moment, for the page's script, which tells it anew in the reader's own zone: `moment` or
/// `date`; empty where it tells how long ago it was, which is the same everywhere.
pub(super) fn form(at: &DateTime<Utc>, now: &DateTime<Utc>) -> &'static str {
    match *now - *at {
        since if since < TimeDelta::zero() => "moment",
        since if since < LONG => "",
        _ => "date",
    }
}

/// What is longer ago than this is told by its date.
const LONG: TimeDelta = TimeDelta::days(7);

/// How long ago something was, or when it was where that is long.
pub(super) fn ago(at: &DateTime<Utc>, now: &DateTime<Utc>) -> String {
    let since = *now - *at;
    let several = |number: i64, one: &str| match number {
        1 => format!("1 {one} ago"),
        more => format!("{more} {one}s ago"),
    };
    if since < TimeDelta::zero() {
        return moment(at);
    }
    match since {
        since if since < TimeDelta::minutes(1) => "just now".to_owned(),
        since if since < TimeDelta::hours(1) => several(since.num_minutes(), "minute"),
        since if since < TimeDelta::days(1) => several(since.num_hours(), "hour"),
        since if since < LONG => several(since.num_days(), "day"),
        _ => at.format("%-d %b %Y").to_string(),
    }
}

/// A number in groups of three.
pub(super) fn count(number: &i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if *number < 0 { format!("-{grouped}") } else { grouped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_the_rougher() {
        let now: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        let at = |seconds| ago(&(now - TimeDelta::seconds(seconds)), &now);
        assert_eq!(at(20), "just now");
        assert_eq!(at(60), "1 minute ago");
        assert_eq!(at(7_300), "2 hours ago");
        assert_eq!(at(3 * 86_400), "3 days ago");
        assert_eq!(at(30 * 86_400), "22 Oct 2026");
        assert_eq!(at(-3_600), "21 Nov 2026, 13:00 UTC");
        let form = |seconds| form(&(now - TimeDelta::seconds(seconds)), &now);
        assert_eq!([form(20), form(30 * 86_400), form(-3_600)], ["", "date", "moment"]);
    }

    #[test]
    fn numbers_are_read_in_groups_of_three() {
        let written = [0, 999, 1_000, -12_345, 1_234_567].map(|number| count(&number));
        assert_eq!(written, ["0", "999", "1,000", "-12,345", "1,234,567"]);
    }
}
