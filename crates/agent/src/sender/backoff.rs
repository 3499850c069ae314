//! How long to wait after a failed push.

use std::time::Duration;

/// The longest a relay can put this sender off with `Retry-After`: five minutes.
const MAX_ASKED: Duration = Duration::from_secs(300);

/// Waits that double from `first` to `longest`, spread by chance so that many shops do not return to a
/// relay in the same instant.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits from `first` to `longest`.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// A push was answered: begin anew.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure. `chance` is between 0 and 1 and takes off up to half;
    /// `asked` is what `Retry-After` said, which is heeded up to five minutes.
    pub fn after_failure(&mut self, asked: Option<Duration>, chance: f64) -> Duration {
        let doubled = self.first.saturating_mul(1_u32 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        let wait = doubled.min(self.longest).mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0);
        asked.map_or(wait, |asked| wait.max(asked.min(MAX_ASKED)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff() -> Backoff {
        Backoff::new(Duration::from_millis(500), Duration::from_secs(60))
    }

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew() {
        let mut backoff = backoff();
        let waits: Vec<_> = (0..9).map(|_| backoff.after_failure(None, 0.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]);
        for _ in 0..100 {
            assert!(backoff.after_failure(None, 0.0) <= Duration::from_secs(60));
        }
        backoff.reset();
        assert_eq!(backoff.after_failure(None, 0.0), Duration::from_millis(500));
    }

    #[test]
    fn chance_takes_off_up_to_half() {
        assert_eq!(backoff().after_failure(None, 1.0), Duration::from_millis(250));
        assert_eq!(backoff().after_failure(None, 0.5), Duration::from_millis(375));
        assert_eq!(backoff().after_failure(None, 7.0), Duration::from_millis(250));
    }

    #[test]
    fn what_the_relay_asks_for_is_heeded_within_reason() {
        let asked = |seconds| backoff().after_failure(Some(Duration::from_secs(seconds)), 0.0);
        assert_eq!(asked(7), Duration::from_secs(7));
        assert_eq!(asked(0), Duration::from_millis(500));
        assert_eq!(asked(1_000_000), MAX_ASKED);
    }
}
