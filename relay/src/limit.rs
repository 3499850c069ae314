//! How fast one caller may ask: a bucket each, bounded in number.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use uuid::Uuid;

/// Buckets kept; full ones are forgotten first, since a new one is full too.
const MAX_BUCKETS: usize = 10_000;

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

/// The buckets of this process, all of one size.
#[derive(Debug, Clone)]
pub struct Limits {
    buckets: Arc<Mutex<HashMap<Uuid, Bucket>>>,
    /// Requests a second that a bucket refills.
    a_second: f64,
    /// Requests that may come at once.
    burst: f64,
}

impl Limits {
    /// What one connection or token of the API may ask.
    #[must_use]
    pub fn of_the_api() -> Self {
        Self::new(50.0, 200.0)
    }

    /// What one shop's own screens may ask: people open pages, programs do not.
    #[must_use]
    pub fn of_screens() -> Self {
        Self::new(2.0, 60.0)
    }

    /// `burst` requests at once, and `a_second` more each second.
    #[must_use]
    pub fn new(a_second: f64, burst: f64) -> Self {
        Self { buckets: Arc::default(), a_second, burst }
    }

    /// Takes one request out of the bucket of `who`.
    ///
    /// # Errors
    /// The seconds to wait, when it is empty.
    pub fn take(&self, who: Uuid, now: Instant) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&who) {
            buckets.retain(|_, bucket| self.filled(bucket, now) < self.burst);
            if buckets.len() >= MAX_BUCKETS {
                // The fullest tells least: forgetting it gives away the fewest tries.
                let left = |bucket: &Bucket| self.filled(bucket, now);
                let fullest =
                    buckets.iter().max_by(|(_, one), (_, other)| left(one).total_cmp(&left(other)));
                if let Some(fullest) = fullest.map(|(who, _)| *who) {
                    buckets.remove(&fullest);
                }
            }
        }
        let bucket = buckets.entry(who).or_insert(Bucket { left: self.burst, at: now });
        bucket.left = self.filled(bucket, now);
        bucket.at = now;
        if bucket.left < 1.0 {
            let wait = (1.0 - bucket.left) / self.a_second;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            return Err(wait.ceil() as u64);
        }
        bucket.left -= 1.0;
        Ok(())
    }

    /// Gives `who` back one request that was taken.
    pub fn give_back(&self, who: Uuid) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(&who) {
            bucket.left = (bucket.left + 1.0).min(self.burst);
        }
    }

    fn filled(&self, bucket: &Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.left + since * self.a_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_taken_then_the_rate_holds_and_others_are_untouched() {
        let (limits, begin, who) = (Limits::of_the_api(), Instant::now(), Uuid::from_u128(1));
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
        limits.give_back(who);
        limits.take(who, later).unwrap();
        assert_eq!(limits.take(who, later), Err(1));
    }

    #[test]
    fn the_wait_is_as_long_as_it_takes() {
        let (limits, begin, who) = (Limits::new(0.1, 1.0), Instant::now(), Uuid::from_u128(1));
        limits.take(who, begin).unwrap();
        assert_eq!(limits.take(who, begin), Err(10));
        assert_eq!(limits.take(who, begin + Duration::from_secs(9)), Err(1));
        limits.take(who, begin + Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn memory_is_bounded_and_a_flood_of_names_does_not_lock_others_out_for_ever() {
        let (limits, begin) = (Limits::of_the_api(), Instant::now());
        for n in 0..MAX_BUCKETS as u128 {
            limits.take(Uuid::from_u128(n), begin).unwrap();
        }
        // Whoever has asked most is remembered longest.
        for _ in 0..199 {
            limits.take(Uuid::from_u128(7), begin).unwrap();
        }
        for n in 0..100 {
            limits.take(Uuid::from_u128(u128::MAX - n), begin).unwrap();
        }
        assert_eq!(limits.take(Uuid::from_u128(7), begin), Err(1));
        assert!(limits.buckets.lock().unwrap().len() <= MAX_BUCKETS);
    }
}
