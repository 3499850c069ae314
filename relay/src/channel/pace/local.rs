//! The timetable of one process: in memory, by tokio's time, which tests can pause.

use std::{
    collections::HashMap,
    future::ready,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::time::Instant;

use super::{Lane, Timetable, Turn, Unavailable};

/// Below so many lanes nothing is ever tidied away.
pub(super) const TIDY_AT_LEAST: usize = 256;

/// Gives out places for the requests of this process.
///
/// A lane without a place ahead is forgotten, so memory follows the stores in use and not all stores ever
/// seen.
#[derive(Debug, Default)]
pub(super) struct Local(Mutex<Lanes>);

#[derive(Debug, Default)]
struct Lanes {
    known: HashMap<Lane, Places>,
    tidy_at: usize,
}

#[derive(Debug, Clone, Copy)]
struct Places {
    next: Instant,
    paused_until: Instant,
}

impl Local {
    /// How many lanes are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().known.len()
    }

    fn take_now(&self, lane: &Lane, spacing: Duration, ahead: Duration) -> Turn {
        let now = Instant::now();
        let mut lanes = self.lock();
        let places = lanes.of(lane, now);
        let place = places.next.max(places.paused_until).max(now);
        let wait = place.duration_since(now);
        if wait > ahead {
            return Turn::Later(wait);
        }
        places.next = place + spacing;
        Turn::In(wait)
    }

    fn paused_now(&self, lane: &Lane) -> Duration {
        let lanes = self.lock();
        let until = lanes.known.get(lane).map(|places| places.paused_until);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    fn pause_now(&self, lane: &Lane, length: Duration) {
        let now = Instant::now();
        let mut lanes = self.lock();
        let places = lanes.of(lane, now);
        places.paused_until = places.paused_until.max(now + length);
        places.next = places.next.max(places.paused_until);
    }

    /// The table stays sound whatever a panicking holder left: every field is valid by itself.
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    fn of(&mut self, lane: &Lane, now: Instant) -> &mut Places {
        if !self.known.contains_key(lane) {
            self.tidy(now);
        }
        self.known.entry(lane.clone()).or_insert(Places { next: now, paused_until: now })
    }

    /// Forgets lanes without a place ahead, each time their number has doubled since the last time.
    fn tidy(&mut self, now: Instant) {
        if self.known.len() < self.tidy_at.max(TIDY_AT_LEAST) {
            return;
        }
        self.known.retain(|_, places| places.next > now || places.paused_until > now);
        self.tidy_at = self.known.len() * 2;
    }
}

impl Timetable for Local {
    fn take<'a>(
        &'a self,
        lane: &'a Lane,
        spacing: Duration,
        ahead: Duration,
    ) -> BoxFuture<'a, Result<Turn, Unavailable>> {
        Box::pin(ready(Ok(self.take_now(lane, spacing, ahead))))
    }

    fn paused<'a>(&'a self, lane: &'a Lane) -> BoxFuture<'a, Result<Duration, Unavailable>> {
        Box::pin(ready(Ok(self.paused_now(lane))))
    }

    fn pause<'a>(
        &'a self,
        lane: &'a Lane,
        length: Duration,
    ) -> BoxFuture<'a, Result<(), Unavailable>> {
        self.pause_now(lane, length);
        Box::pin(ready(Ok(())))
    }
}
