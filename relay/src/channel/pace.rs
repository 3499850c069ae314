//! How fast one store may be asked: evenly spaced, and not at all while it wants to be left alone.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// Requests a second for one store by this process.
pub const REQUESTS_PER_SECOND: u32 = 5;
/// No store can have itself left alone for longer than this at a time.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// Below so many stores nothing is ever tidied away.
const TIDY_AT_LEAST: usize = 256;

/// Spaces the requests to each store.
///
/// Every request takes the next free place in its store's timetable and sleeps until then, so that no
/// burst ever forms, however many tasks ask. Time is tokio's, which tests can pause. A store that has
/// no place ahead is forgotten, so memory follows the stores in use and not all stores ever seen.
#[derive(Debug)]
pub struct Pace {
    /// From one place to the next.
    spacing: Duration,
    timetable: Mutex<Timetable>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::spaced_by(Duration::from_secs(1) / REQUESTS_PER_SECOND)
    }
}

#[derive(Debug, Default)]
struct Timetable {
    stores: HashMap<String, Lane>,
    tidy_at: usize,
}

#[derive(Debug, Clone, Copy)]
struct Lane {
    next_place: Instant,
    paused_until: Instant,
}

/// The store is to be left alone for longer than the caller wants to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store is to be left alone for another {0:?}")]
pub struct Busy(pub Duration);

impl Pace {
    /// A pace for any number of stores.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A pace with other places than every fifth of a second, for stores that belong to whoever asks:
    /// tests and measurements.
    #[must_use]
    pub fn spaced_by(spacing: Duration) -> Self {
        Self { spacing, timetable: Mutex::default() }
    }

    /// Waits for this store's next free place, however long.
    pub async fn acquire(&self, store_key: &str) {
        // A place is always found within "for ever", so the answer cannot be Busy.
        let _ = self.acquire_within(store_key, Duration::MAX).await;
    }

    /// Waits for this store's next free place if it comes within `patience`.
    ///
    /// # Errors
    /// [`Busy`] at once, without taking a place, when it comes later; or while waiting, when the store
    /// is paused meanwhile beyond the caller's patience.
    pub async fn acquire_within(&self, store_key: &str, patience: Duration) -> Result<(), Busy> {
        let asked = Instant::now();
        loop {
            let place = self.take_place(store_key, asked, patience)?;
            sleep_until(place).await;
            // A pause may have been ordered while this task slept towards its place.
            if self.paused_until(store_key).is_none_or(|until| until <= Instant::now()) {
                return Ok(());
            }
        }
    }

    /// Lets nothing through to this store until `until`, at most [`LONGEST_PAUSE`] from now. A longer
    /// pause that is already set stays.
    pub fn pause_until(&self, store_key: &str, until: Instant) {
        let now = Instant::now();
        let until = until.min(now + LONGEST_PAUSE);
        let mut timetable = self.lock();
        let lane = timetable.lane(store_key, now);
        lane.paused_until = lane.paused_until.max(until);
        lane.next_place = lane.next_place.max(until);
    }

    fn take_place(
        &self,
        store_key: &str,
        asked: Instant,
        patience: Duration,
    ) -> Result<Instant, Busy> {
        let now = Instant::now();
        let mut timetable = self.lock();
        let lane = timetable.lane(store_key, now);
        let place = lane.next_place.max(lane.paused_until).max(now);
        if place.duration_since(asked) > patience {
            return Err(Busy(place.duration_since(now)));
        }
        lane.next_place = place + self.spacing;
        Ok(place)
    }

    fn paused_until(&self, store_key: &str) -> Option<Instant> {
        self.lock().stores.get(store_key).map(|lane| lane.paused_until)
    }

    /// The table stays sound whatever a panicking holder left: every field is valid by itself.
    fn lock(&self) -> MutexGuard<'_, Timetable> {
        self.timetable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Timetable {
    fn lane(&mut self, store_key: &str, now: Instant) -> &mut Lane {
        if !self.stores.contains_key(store_key) {
            self.tidy(now);
        }
        self.stores
            .entry(store_key.to_owned())
            .or_insert(Lane { next_place: now, paused_until: now })
    }

    /// Forgets stores without a place ahead, each time their number has doubled since the last time.
    fn tidy(&mut self, now: Instant) {
        if self.stores.len() < self.tidy_at.max(TIDY_AT_LEAST) {
            return;
        }
        self.stores.retain(|_, lane| lane.next_place > now || lane.paused_until > now);
        self.tidy_at = self.stores.len() * 2;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const PLACE: Duration = Duration::from_millis(200);

    #[tokio::test(start_paused = true)]
    async fn however_many_ask_at_once_they_leave_evenly_spaced() {
        let pace = Arc::new(Pace::new());
        let begun = Instant::now();
        let asking: Vec<_> = (0..21)
            .map(|_| {
                let pace = Arc::clone(&pace);
                tokio::spawn(async move {
                    pace.acquire("https://shop.example").await;
                    begun.elapsed()
                })
            })
            .collect();
        let mut left = Vec::new();
        for one in asking {
            left.push(one.await.unwrap());
        }
        left.sort();
        for (i, at) in left.iter().enumerate() {
            let due = PLACE * u32::try_from(i).unwrap();
            assert!(*at >= due && *at < due + Duration::from_millis(5), "{i}: {at:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_store_does_not_wait_for_another() {
        let pace = Pace::new();
        let begun = Instant::now();
        for i in 0..50 {
            pace.acquire(&format!("https://shop{i}.example")).await;
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_at_rest_earns_no_burst() {
        let pace = Pace::new();
        pace.acquire("a").await;
        tokio::time::advance(Duration::from_secs(60)).await;
        let begun = Instant::now();
        for _ in 0..6 {
            pace.acquire("a").await;
        }
        assert!(begun.elapsed() >= PLACE * 5, "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_those_who_already_wait_for_their_place() {
        let pace = Arc::new(Pace::new());
        pace.acquire("a").await;
        let begun = Instant::now();
        let waiting = {
            let pace = Arc::clone(&pace);
            tokio::spawn(async move { pace.acquire("a").await })
        };
        tokio::task::yield_now().await;
        pace.pause_until("a", begun + Duration::from_secs(7));
        waiting.await.unwrap();
        assert!(begun.elapsed() >= Duration::from_secs(7), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_pause_does_not_end_a_longer_one_and_none_is_endless() {
        let pace = Pace::new();
        let begun = Instant::now();
        pace.pause_until("a", begun + Duration::from_secs(9));
        pace.pause_until("a", begun + Duration::from_secs(1));
        pace.acquire("a").await;
        assert!(begun.elapsed() >= Duration::from_secs(9));

        let begun = Instant::now();
        pace.pause_until("b", begun + Duration::from_secs(86_400 * 365));
        pace.acquire("b").await;
        assert!(begun.elapsed() <= LONGEST_PAUSE + PLACE, "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_wait_is_told_how_long_and_takes_no_place() {
        let pace = Pace::new();
        let begun = Instant::now();
        pace.pause_until("a", begun + Duration::from_secs(30));
        let told = pace.acquire_within("a", Duration::from_secs(10)).await;
        assert_eq!(told, Err(Busy(Duration::from_secs(30))));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        pace.acquire_within("a", Duration::from_secs(30)).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(30) + PLACE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_thousand_stores_leave_no_trace() {
        let pace = Pace::new();
        for i in 0..100_000 {
            pace.acquire(&format!("https://shop{i}.example")).await;
            if i % 100 == 0 {
                tokio::time::advance(PLACE).await;
            }
            assert!(pace.lock().stores.len() <= 2 * TIDY_AT_LEAST, "at store {i}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn tidying_forgets_no_store_that_is_paused() {
        let pace = Pace::new();
        let begun = Instant::now();
        pace.pause_until("paused", begun + Duration::from_secs(600));
        for i in 0..10_000 {
            pace.acquire(&format!("https://shop{i}.example")).await;
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert!(pace.acquire_within("paused", Duration::ZERO).await.is_err());
    }
}
