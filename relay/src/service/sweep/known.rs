//! Up to when a listing is known, and from which date on it is therefore read.

use chrono::{DateTime, TimeDelta, Utc};

use super::Cursor;

/// How far a listing by date reaches back beyond what is known: long requests, and clocks as they are kept.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);

/// Up to when the changes of a listing are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    until: DateTime<Utc>,
    /// By how many seconds the shop's clock was slow then.
    slow: i64,
}

impl Known {
    /// What is known, unless all is read, however old.
    pub(super) fn read(until: Option<DateTime<Utc>>, slow: i64, cursor: &Cursor) -> Option<Self> {
        until.filter(|_| !cursor.everything).map(|until| Self { until, slow })
    }

    /// The date in the shop that nothing has which changed since, where its clock is this slow now: what was written
    /// by the slower of both clocks has the earlier date. A fast clock only has more shown than is new.
    pub(super) fn modified_after(self, slow_now: i64) -> DateTime<Utc> {
        self.until - OVERLAP - TimeDelta::seconds(self.slow.max(slow_now))
    }
}
