//! The time that pushes are signed with, corrected where this machine's clock is wrong.

use chrono::DateTime;

/// This machine's clock and what to add to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Seconds to add.
    pub offset: i64,
}

impl Clock {
    /// The time to sign with, seconds since 1970, when this machine says `local_ms`.
    #[must_use]
    pub fn signing_time(self, local_ms: i64) -> i64 {
        local_ms.div_euclid(1000).saturating_add(self.offset)
    }

    /// The clock corrected by the relay's `Date` header; `None` when that is no date.
    #[must_use]
    pub fn corrected(date: &str, local_ms: i64) -> Option<Self> {
        let relay = http_date(date)?;
        Some(Self { offset: relay - local_ms.div_euclid(1000) })
    }
}

/// Seconds since 1970 of an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
#[must_use]
pub fn http_date(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relay_s_date_moves_the_signing_time_either_way() {
        let local_ms = 784_111_777_500;
        let ahead = Clock::corrected("Sun, 06 Nov 1994 09:49:37 GMT", local_ms).unwrap();
        assert_eq!(ahead.offset, 3600);
        assert_eq!(ahead.signing_time(local_ms), 784_115_377);
        let behind = Clock::corrected("Sun, 06 Nov 1994 07:49:37 GMT", local_ms).unwrap();
        assert_eq!(behind.offset, -3600);
        assert_eq!(Clock::corrected("yesterday", local_ms), None);
    }
}
