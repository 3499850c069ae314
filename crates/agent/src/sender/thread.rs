//! The sender as one thread of the process that captures, where no daemon does the sending.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    process,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use nexpura_protocol::ConnectionString;
use tokio::sync::watch;

use super::{Ended, Kind, Sender, SenderError, SharedConnection, Timing, now_ms};
use crate::{
    fork,
    lock::{LockFile, Role},
    spool::Spool,
    sys,
};

/// Stack of the sender thread. Only what is used of it takes memory.
const STACK_BYTES: usize = 1024 * 1024;

/// A sender thread of this process.
struct Running {
    spool: PathBuf,
    connection: SharedConnection,
    alive: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
}

static RUNNING: Mutex<Vec<Running>> = Mutex::new(Vec::new());

pub(super) fn forget_inherited() {
    // Only the thread that forked lives on in a child.
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Makes sure that somebody sends: does nothing while a daemon is there or anybody is elected, else starts a
/// thread. Costs a few system calls when there is nothing to do.
///
/// # Errors
/// See [`SenderError`].
pub fn ensure(
    spool: &Spool,
    connection: &ConnectionString,
    timing: Timing,
) -> Result<(), SenderError> {
    let locked = |error| SenderError::Lock(spool.path().to_owned(), error);
    let lock = LockFile::of(spool.path()).map_err(locked)?;
    let _inside = fork::enter().map_err(|error| locked(io::Error::other(error)))?;
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.retain(|thread| thread.alive.load(Ordering::Acquire));
    if let Some(thread) = running.iter().find(|thread| thread.spool == spool.path()) {
        if thread.connection.get().expose() != connection.expose() {
            thread.connection.set(connection.clone());
        }
        return Ok(());
    }
    if lock.is_taken(Role::Agent) {
        return Ok(());
    }
    // Elected here, before there is a thread, so that of many workers only one ever starts any.
    let Some(held) = lock.try_take(Role::Sender).map_err(locked)? else { return Ok(()) };
    let shared = SharedConnection::new(connection.clone());
    let sender = Sender {
        spool: spool.again(),
        connection: shared.clone(),
        kind: Kind::Thread,
        timing,
        delivered: Arc::default(),
    };
    let (stop, stopped) = watch::channel(false);
    let alive = Arc::new(AtomicBool::new(true));
    let ends = Alive(Arc::clone(&alive));
    spawn("nexpura-sender", move || {
        let _ends = ends;
        let run = AssertUnwindSafe(|| sender.run_elected(Some(held), stopped));
        let trouble = match panic::catch_unwind(run) {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!("the sender failed: {}", words(&panic)),
        };
        // The next request starts another one; this tells why.
        let _ = sender.spool.note_error(&trouble, now_ms());
    })
    .map_err(SenderError::Runtime)?;
    running.push(Running { spool: spool.path().to_owned(), connection: shared, alive, stop });
    Ok(())
}

/// Asks this process's sender threads to end. For tests and hosts that end in order; nothing relies on it.
pub fn stop_all() {
    for thread in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        thread.stop.send_replace(true);
    }
}

/// Sends until the spool is empty or `limit` is up. Where somebody else is elected, waits for them to empty
/// it. Answers how many events this process delivered.
///
/// # Errors
/// See [`SenderError`].
pub fn drain(
    spool: &Spool,
    connection: &ConnectionString,
    limit: Duration,
    timing: Timing,
) -> Result<u64, SenderError> {
    let delivered = Arc::new(AtomicU64::new(0));
    let sender = Sender {
        spool: spool.again(),
        connection: SharedConnection::new(connection.clone()),
        kind: Kind::Drain,
        timing: Timing { election: timing.election.min(Duration::from_millis(100)), ..timing },
        delivered: Arc::clone(&delivered),
    };
    let (stop, stopped) = watch::channel(false);
    let (done, result) = mpsc::channel();
    // A thread of its own, so that it blocks all signals and can be left behind when the time is up.
    spawn("nexpura-drain", move || {
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| sender.run(stopped)));
        drop(sender);
        let _ = done.send(outcome);
    })
    .map_err(SenderError::Runtime)?;
    let outcome = result.recv_timeout(limit).or_else(|_| {
        stop.send_replace(true);
        result.recv_timeout(Duration::from_secs(1))
    });
    match outcome {
        Ok(Ok(ended)) => ended?,
        Ok(Err(panic)) => return Err(SenderError::Runtime(io::Error::other(words(&panic)))),
        // It is in the middle of a push, which is settled when it is answered, or sent again by the next.
        Err(_) => Ended::Stopped,
    };
    Ok(delivered.load(Ordering::Relaxed))
}

/// Marks the thread as gone when it ends, however it ends.
struct Alive(Arc<AtomicBool>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// What `work` holds is dropped before a fork may happen again.
pub(crate) fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<thread::JoinHandle<()>> {
    let builder = thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES);
    sys::with_signals_blocked(|| builder.spawn(|| fork::awake(work)))
}

fn words(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| format!("panic in process {}", process::id()))
}
