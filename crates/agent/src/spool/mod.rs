//! The spool: what a shop has noticed and the relay has not acknowledged yet, in one SQLite file for all
//! processes of a site.

pub mod error;
pub mod events;
pub mod intents;
pub mod state;

mod bound;
mod recover;
mod schema;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use rusqlite::Connection;

use crate::{
    fork::{self, Inside},
    lock::LockFile,
    place,
};

pub use error::SpoolError;
pub use events::{NewEvent, Outgoing};
pub use intents::{Mark, RequestId};
pub use state::{Known, Summary};

/// How large a spool may grow before product and customer events give up their payloads: 256 MiB.
pub const DEFAULT_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// The least that can be configured: 1 MiB.
pub const MIN_MAX_BYTES: u64 = 1024 * 1024;
/// The log of SQLite is written back once it has grown past this: 1 MiB. A process that opens the spool first
/// reads the log through, so that it should not be long.
const CHECKPOINT_BYTES: u64 = 1024 * 1024;
/// Freed pages that an empty spool keeps for later: 1 MiB.
const SPARE_PAGES: u64 = 256;
/// How long a call waits for other writers while a visitor waits for the page.
const QUICK: Duration = Duration::from_millis(50);
/// How long a call waits for other writers once the response is out.
const PATIENT: Duration = Duration::from_secs(2);

/// How much a call may cost, and how much it must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    /// Before the response: survives the death of the process, not of the machine; gives up quickly.
    Quick,
    /// As `Quick`, and does not wait at all: this request has waited once already.
    Impatient,
    /// After the response: survives a power cut.
    Durable,
    /// After the response, for what may be done twice.
    Relaxed,
}

impl Care {
    fn patience(self) -> Duration {
        match self {
            Self::Quick => QUICK,
            Self::Impatient => Duration::ZERO,
            Self::Durable | Self::Relaxed => PATIENT,
        }
    }

    fn may_repair(self) -> bool {
        matches!(self, Self::Durable | Self::Relaxed)
    }
}

/// One connection's spool. Cheap to make: the file is opened at the first call that needs it.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    connection_id: String,
    max_bytes: u64,
    slot: Arc<Slot>,
}

/// Where an open connection is kept, so that a forked child can close what it inherited.
#[derive(Debug, Default)]
struct Slot {
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    /// Which file it is: the path may come to name another one.
    file: Option<(u64, u64)>,
    durable: bool,
}

static SLOTS: Mutex<Vec<Weak<Slot>>> = Mutex::new(Vec::new());

/// Closes, in a child, the connections that its parent had open at the fork. None of them is in use (see
/// [`fork`]), and closing releases no lock of the parent's.
pub(crate) fn close_inherited() {
    let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    for slot in slots.iter().filter_map(Weak::upgrade) {
        slot.open.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
    slots.retain(|slot| slot.strong_count() > 0);
}

impl Spool {
    /// The spool of `connection_id` in `directory`, bounded to `max_bytes`. Touches nothing yet.
    #[must_use]
    pub fn at(directory: &Path, connection_id: &str, max_bytes: u64) -> Self {
        let slot = Arc::new(Slot::default());
        let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|known| known.strong_count() > 0);
        slots.push(Arc::downgrade(&slot));
        Self {
            path: directory.join(format!("{connection_id}.db")),
            connection_id: connection_id.to_owned(),
            max_bytes: max_bytes.max(MIN_MAX_BYTES),
            slot,
        }
    }

    /// A second handle on the same file, with a connection of its own, for another thread.
    #[must_use]
    pub fn again(&self) -> Self {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        Self::at(directory, &self.connection_id, self.max_bytes)
    }

    /// The file: `<spool_dir>/<connection id>.db`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The connection whose events these are.
    #[must_use]
    pub fn connection_id(&self) -> &str {
        &self.connection_id
    }

    /// The size at which product and customer events begin to give up their payloads.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Runs `work` on the open spool, opening it first where needed. A file that was moved or deleted under
    /// this connection is left for the one that is there now, and a damaged one is replaced, unless the
    /// call is in a hurry.
    pub(crate) fn run<T>(
        &self,
        care: Care,
        now_ms: i64,
        mut work: impl FnMut(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, SpoolError> {
        let inside = fork::enter()?;
        let mut slot = self.slot.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = SpoolError::Corrupt(self.path.clone());
        for _ in 0..3 {
            let open = self.open(&mut slot, care, now_ms, &inside)?;
            match work(&mut open.connection) {
                // Written into a file that has been moved aside meanwhile: nobody would ever read it.
                Ok(_) if open.file != place::file_at(&self.path) => *slot = None,
                Ok(done) => return Ok(done),
                Err(error) => {
                    last = SpoolError::from_sql(&self.path, error);
                    let damaged = matches!(last, SpoolError::Corrupt(_));
                    if !matches!(last, SpoolError::Busy(_)) {
                        // A full disk, a lost mount: whatever it was, the next call starts afresh.
                        *slot = None;
                    }
                    if !(damaged && care.may_repair()) {
                        return Err(last);
                    }
                    recover::replace_if_damaged(&self.path, care.patience(), now_ms, &inside)?;
                }
            }
        }
        Err(last)
    }

    fn open<'a>(
        &self,
        slot: &'a mut Option<Open>,
        care: Care,
        now_ms: i64,
        inside: &Inside,
    ) -> Result<&'a mut Open, SpoolError> {
        let mut open = match slot.take() {
            Some(open) => open,
            None => {
                place::prepare(self.path.parent().unwrap_or(Path::new(".")))?;
                let connection =
                    recover::open_or_create(&self.path, care.patience(), now_ms, inside)?;
                // `durable` as SQLite opens a file: synchronous=FULL.
                Open { connection, file: place::file_at(&self.path), durable: true }
            }
        };
        let sql = |source| SpoolError::from_sql(&self.path, source);
        open.connection.busy_timeout(care.patience()).map_err(sql)?;
        let durable = care == Care::Durable;
        if open.durable != durable {
            let level = if durable { "full" } else { "normal" };
            open.connection.pragma_update(None, "synchronous", level).map_err(sql)?;
            open.durable = durable;
        }
        Ok(slot.insert(open))
    }

    /// Tells the sender, in whichever process it is, that something was committed. It watches the lock file
    /// for this: SQLite's own files change a little before a commit can be seen.
    pub fn wake_sender(&self) {
        // It looks by itself soon after, should this fail.
        let _ = LockFile::of(&self.path).and_then(|lock| lock.nudge());
    }

    /// Writes SQLite's log back into the file once it has grown, and gives freed pages back to the disk
    /// once the spool is empty. For the sender, and for a finished request where none runs.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn tidy(&self, now_ms: i64) -> Result<(), SpoolError> {
        let log = recover::with_suffix(&self.path, "-wal");
        let log_bytes = std::fs::metadata(log).map_or(0, |found| found.len());
        self.run(Care::Relaxed, now_ms, |connection| {
            let free: u64 =
                connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
            let shrinks = free > SPARE_PAGES
                && connection
                    .query_row("SELECT NOT EXISTS (SELECT 1 FROM events)", [], |row| row.get(0))?;
            if shrinks {
                // It answers a row for each page it gives back, and stops when nobody asks for the next.
                let mut vacuum = connection.prepare("PRAGMA incremental_vacuum")?;
                let mut pages = vacuum.query([])?;
                while pages.next()?.is_some() {}
            }
            if shrinks || log_bytes >= CHECKPOINT_BYTES {
                connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
                // The first commit after this begins the log anew and waits for the disk. Better here than
                // in a mark, while a visitor waits.
                state::note_tidied(connection, now_ms)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use nexpura_protocol::{
        Topic,
        event::{Resource, Verb},
    };

    use super::*;
    use crate::process::Identity;

    /// What SQLite was told for the last call: 1 is NORMAL (a commit does not wait for the disk), 2 is FULL.
    fn synchronous(spool: &Spool) -> i64 {
        let slot = spool.slot.open.lock().unwrap();
        let connection = &slot.as_ref().unwrap().connection;
        connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap()
    }

    #[test]
    fn marks_do_not_wait_for_the_disk_and_events_survive_a_power_cut() {
        let directory = tempfile::tempdir().unwrap();
        let spool = Spool::at(directory.path(), "a", DEFAULT_MAX_BYTES);
        let topic = Topic::new(Resource::Order, Verb::Created);
        let request = RequestId::random();
        let mark = |waited| {
            let mark = Mark { topic, resource_id: 84 };
            spool.mark(mark, &Identity::current(), &request, waited, 0).unwrap();
        };
        mark(false);
        assert_eq!(synchronous(&spool), 1);
        spool.capture(NewEvent::touch(topic, 84, 0), &request, &[], 0).unwrap();
        assert_eq!(synchronous(&spool), 2);
        mark(true);
        assert_eq!(synchronous(&spool), 1);
        spool.finish(&request, &[], 0).unwrap();
        assert_eq!(synchronous(&spool), 2);
    }
}
