//! How fast one store may be asked: evenly spaced, and not at all while it wants to be left alone.

mod local;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::ChannelError;
use local::Local;

/// Requests a second for one store, by all relays together.
pub const REQUESTS_PER_SECOND: u32 = 5;
/// From one request to a store to the next: a little more than a second's share, so that one which
/// travels faster than those before it does not make six of five within a second at the store.
pub const SPACING: Duration = Duration::from_millis(1000 / REQUESTS_PER_SECOND as u64 + 10);
/// The same where a store is only asked whether it may be connected.
pub const PROBE_SPACING: Duration = Duration::from_millis(500);
/// Whoever misses a place by more than this gives it up: it would crowd those behind it. Five spacings less
/// this are still more than a second.
const TOO_LATE: Duration = Duration::from_millis(40);
/// No place is made wider than by this, however slow the timetable is.
const WIDEST: Duration = Duration::from_millis(500);
/// A pause that is ordered less than this before a place is not heard of any more.
const LAST_LOOK: Duration = Duration::from_millis(50);
/// No store can have itself left alone for longer than this at a time.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// For so long work in bulk lets other work go first; then it stands in line as all do.
const YIELDS_FOR: Duration = Duration::from_secs(2);

/// What has a pace of its own: requests in different lanes never wait for each other.
///
/// A lane belongs to one tenant, so that nobody can use up another's pace by asking for the same address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Lane {
    /// A store that the tenant has connected.
    Store {
        /// The tenant.
        tenant: Uuid,
        /// The store's key within the tenant.
        store: Uuid,
    },
    /// A host where the tenant would like to connect a store: by the host, since any number of addresses
    /// may lie there.
    Probe {
        /// The tenant.
        tenant: Uuid,
        /// The host with its port.
        host: String,
    },
}

impl Lane {
    /// From one place in this lane to the next.
    #[must_use]
    pub fn spacing(&self) -> Duration {
        match self {
            Self::Store { .. } => SPACING,
            Self::Probe { .. } => PROBE_SPACING,
        }
    }
}

/// Who goes first where several ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody waits for it: places are given in the order in which they are asked for.
    Live,
    /// A long listing, read page by page: it takes a place only once no other is ahead of it, so that
    /// live work never waits behind more than one page; after two seconds it stands in line as all do.
    Bulk,
}

/// What the timetable says to somebody who wants a lane's next free place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The place is taken; it comes after this time.
    In(Duration),
    /// No place was taken, since the next free one comes only after this time.
    Later(Duration),
}

/// The timetable could not be asked, so nothing may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the timetable of the stores does not answer")]
pub struct Unavailable;

/// Where the places of all lanes are given out: in this process, or for several relays at once.
pub trait Timetable: fmt::Debug + Send + Sync {
    /// Takes the lane's next free place if it comes within `ahead`; the one after it is free `spacing`
    /// later.
    fn take<'a>(
        &'a self,
        lane: &'a Lane,
        spacing: Duration,
        ahead: Duration,
    ) -> BoxFuture<'a, Result<Turn, Unavailable>>;

    /// For how long the lane is still paused.
    fn paused<'a>(&'a self, lane: &'a Lane) -> BoxFuture<'a, Result<Duration, Unavailable>>;

    /// Pauses the lane from now on; a longer pause that is already set stays.
    fn pause<'a>(
        &'a self,
        lane: &'a Lane,
        length: Duration,
    ) -> BoxFuture<'a, Result<(), Unavailable>>;
}

/// Spaces the requests to each store.
///
/// Every request takes the next free place in its lane and sleeps until then, so that no burst ever
/// forms, however many tasks ask.
#[derive(Debug)]
pub struct Pace {
    timetable: Arc<dyn Timetable>,
    /// Instead of each lane's own.
    spacing: Option<Duration>,
    /// How long the timetable took to answer last, in microseconds.
    answered_in: AtomicU64,
}

impl Default for Pace {
    fn default() -> Self {
        Self::kept_by(Arc::new(Local::default()))
    }
}

/// Why a request may not be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// The store is to be left alone for longer than the caller wants to wait.
    #[error("the store is to be left alone for another {0:?}")]
    For(Duration),
    /// Nobody can say whether it may be asked.
    #[error(transparent)]
    Unknown(#[from] Unavailable),
}

impl From<Busy> for ChannelError {
    fn from(busy: Busy) -> Self {
        match busy {
            Busy::For(wait) => Self::RateLimited { retry_after: Some(wait) },
            Busy::Unknown(_) => Self::NoTurn,
        }
    }
}

impl Pace {
    /// A pace for any number of stores, of this process alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A pace whose places are given out by this timetable.
    #[must_use]
    pub fn kept_by(timetable: Arc<dyn Timetable>) -> Self {
        Self { timetable, spacing: None, answered_in: AtomicU64::new(0) }
    }

    /// A pace of this process alone, with other places than the lanes' own, for stores that belong to
    /// whoever asks: tests and measurements.
    #[must_use]
    pub fn spaced_by(spacing: Duration) -> Self {
        Self { spacing: Some(spacing), ..Self::default() }
    }

    /// Waits for this lane's next free place if it comes within `patience`.
    ///
    /// # Errors
    /// [`Busy`] at once, without taking a place, when it comes later; or while waiting, when the store
    /// is paused meanwhile beyond the caller's patience.
    pub async fn acquire(
        &self,
        lane: &Lane,
        urgency: Urgency,
        patience: Duration,
    ) -> Result<(), Busy> {
        let spacing = self.spacing.unwrap_or_else(|| lane.spacing());
        let asked = Instant::now();
        let mut late = Duration::ZERO;
        loop {
            let now = Instant::now();
            let waited = asked.elapsed();
            let left = patience.saturating_sub(waited);
            let yields = YIELDS_FOR.saturating_sub(waited);
            let ahead = match urgency {
                Urgency::Bulk if !yields.is_zero() => spacing.min(left),
                _ => left,
            };
            // Whoever came too late for a place takes a wider one, so that it need not be missed as well.
            let vague = self.vagueness().max(late);
            let turn = self.timetable.take(lane, spacing + vague, ahead).await?;
            let took = u64::try_from(now.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.answered_in.store(took, Ordering::Relaxed);
            match turn {
                Turn::In(wait) => {
                    let free = self.still_free(lane, wait, vague).await?;
                    late = now.elapsed().saturating_sub(wait);
                    if free && late <= TOO_LATE + vague {
                        return Ok(());
                    }
                }
                Turn::Later(wait) if wait > left => return Err(Busy::For(wait)),
                Turn::Later(wait) => {
                    sleep(wait.saturating_sub(ahead).min(yields).max(SHORTEST)).await;
                }
            }
        }
    }

    /// How wide a place must be beyond its spacing. Where the timetable takes long to answer, nobody can tell
    /// when within that time the place was given.
    fn vagueness(&self) -> Duration {
        let answered_in = Duration::from_micros(self.answered_in.load(Ordering::Relaxed));
        if answered_in <= TOO_LATE { Duration::ZERO } else { answered_in.min(WIDEST) }
    }

    /// Sleeps towards a place; `false` when a pause was ordered meanwhile. It asks shortly before the place,
    /// so that the answer does not make it late.
    async fn still_free(
        &self,
        lane: &Lane,
        wait: Duration,
        vague: Duration,
    ) -> Result<bool, Unavailable> {
        let place = Instant::now() + wait;
        let look = LAST_LOOK + vague;
        if wait > look {
            sleep_until(place - look).await;
            let paused = self.timetable.paused(lane).await?;
            // One that ends at the place is why the place is there.
            if paused > place.saturating_duration_since(Instant::now()) + TOO_LATE {
                return Ok(false);
            }
        }
        sleep_until(place).await;
        Ok(true)
    }

    /// Lets nothing through in this lane for so long, at most [`LONGEST_PAUSE`]. A longer pause that is
    /// already set stays.
    pub async fn pause(&self, lane: &Lane, length: Duration) {
        if let Err(error) = self.timetable.pause(lane, length.min(LONGEST_PAUSE)).await {
            tracing::warn!(%error, "a store asks to be left alone, and nobody could be told");
        }
    }
}

/// Below this no timer tells anything apart.
const SHORTEST: Duration = Duration::from_millis(1);

/// One lane, and how urgent what goes there is: what a client of one store holds.
#[derive(Debug, Clone)]
pub struct Paced {
    pace: Arc<Pace>,
    lane: Lane,
    urgency: Urgency,
}

impl Paced {
    /// Live work in this lane.
    #[must_use]
    pub fn new(pace: &Arc<Pace>, lane: Lane) -> Self {
        Self { pace: Arc::clone(pace), lane, urgency: Urgency::Live }
    }

    /// The same for work in bulk.
    #[must_use]
    pub fn in_bulk(self) -> Self {
        Self { urgency: Urgency::Bulk, ..self }
    }

    /// See [`Pace::acquire`].
    ///
    /// # Errors
    /// See [`Pace::acquire`].
    pub async fn acquire(&self, patience: Duration) -> Result<(), Busy> {
        self.pace.acquire(&self.lane, self.urgency, patience).await
    }

    /// See [`Pace::pause`].
    pub async fn pause(&self, length: Duration) {
        self.pace.pause(&self.lane, length).await;
    }
}
