//! What the two databases call differently when rows are made out of numbers.

use crate::relay::Database;

impl Database {
    /// The numbers from 1 to `last`, as a table `g` with the column `n`.
    pub(super) fn numbers(self, last: u64) -> String {
        match self {
            Self::Postgres => format!("generate_series(1::BIGINT, {last}) AS g(n)"),
            Self::Sqlite => format!(
                "(WITH RECURSIVE upward(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM upward WHERE n < {last}) \
                 SELECT n FROM upward) AS g"
            ),
        }
    }

    /// The key of the thing `number` of its kind, made in that millisecond, as the relay's own keys sort. The kind is a
    /// hexadecimal digit.
    pub(super) fn key(self, millis: &str, kind: char, number: &str) -> String {
        match self {
            Self::Postgres => format!(
                "(lpad(to_hex(({millis})::BIGINT), 12, '0') || '7000800{kind}' \
                 || lpad(to_hex(({number})::BIGINT), 12, '0'))::UUID"
            ),
            Self::Sqlite => format!("unhex(printf('%012x7000800{kind}%012x', {millis}, {number}))"),
        }
    }

    /// A moment, from its milliseconds since 1970. Whole seconds are written otherwise by the relay: leave them out.
    pub(super) fn moment(self, millis: &str) -> String {
        match self {
            Self::Postgres => format!("to_timestamp(({millis}) / 1000.0)"),
            Self::Sqlite => {
                format!("strftime('%Y-%m-%dT%H:%M:%f+00:00', ({millis}) / 1000.0, 'unixepoch')")
            }
        }
    }

    /// A number with zeros before it.
    pub(super) fn padded(self, number: &str, width: usize) -> String {
        match self {
            Self::Postgres => format!("lpad(({number})::TEXT, {width}, '0')"),
            Self::Sqlite => format!("printf('%0{width}d', {number})"),
        }
    }

    /// Leaves foreign keys alone for as long as the connection lasts.
    pub(super) fn unchecked(self) -> &'static str {
        match self {
            Self::Postgres => "SET session_replication_role = replica",
            Self::Sqlite => "PRAGMA foreign_keys = OFF",
        }
    }

    /// What a database learns about its tables by itself in time: PostgreSQL does, SQLite is never told to.
    pub(super) fn settle(self) -> &'static str {
        match self {
            Self::Postgres => "VACUUM ANALYZE",
            Self::Sqlite => "PRAGMA wal_checkpoint(TRUNCATE)",
        }
    }
}
