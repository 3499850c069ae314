//! How fast one connection or token may ask: a bucket each, bounded in number.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use uuid::Uuid;

/// Requests a second that a bucket refills.
const A_SECOND: f64 = 50.0;
/// Requests that may come at once.
const BURST: f64 = 200.0;
/// Buckets kept; full ones are forgotten first, since a new one is full too.
const MAX_BUCKETS: usize = 10_000;

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

/// The buckets of this process.
#[derive(Debug, Clone, Default)]
pub struct Limits(Arc<Mutex<HashMap<Uuid, Bucket>>>);

impl Limits {
    /// Takes one request out of the bucket of `who`.
    ///
    /// # Errors
    /// The seconds to wait, when it is empty.
    pub fn take(&self, who: Uuid, now: Instant) -> Result<(), u64> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&who) {
            buckets.retain(|_, bucket| bucket.filled(now) < BURST);
            if buckets.len() >= MAX_BUCKETS {
                return Err(1);
            }
        }
        let bucket = buckets.entry(who).or_insert(Bucket { left: BURST, at: now });
        bucket.left = bucket.filled(now);
        bucket.at = now;
        if bucket.left < 1.0 {
            return Err(1);
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

impl Bucket {
    fn filled(&self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        (self.left + since * A_SECOND).min(BURST)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_taken_then_the_rate_holds_and_others_are_untouched() {
        let (limits, begin, who) = (Limits::default(), Instant::now(), Uuid::from_u128(1));
        for _ in 0..200 {
            limits.take(who, begin).unwrap();
        }
        assert_eq!(limits.take(who, begin), Err(1));
        limits.take(Uuid::from_u128(2), begin).unwrap();
        let later = begin + Duration::from_secs(1);
        for _ in 0..50 {
            limits.take(who, later).unwrap();
        }
        assert_eq!(limits.take(who, later), Err(1));
    }

    #[test]
    fn memory_is_bounded_and_a_flood_of_names_does_not_lock_others_out_for_ever() {
        let (limits, begin) = (Limits::default(), Instant::now());
        for n in 0..MAX_BUCKETS as u128 {
            limits.take(Uuid::from_u128(n), begin).unwrap();
        }
        assert_eq!(limits.take(Uuid::max(), begin), Err(1));
        limits.take(Uuid::max(), begin + Duration::from_secs(1)).unwrap();
        assert!(limits.0.lock().unwrap().len() <= MAX_BUCKETS);
    }
}
