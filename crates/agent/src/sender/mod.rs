//! The sender: empties a spool into the relay. The same function runs in the daemon, in one thread of one
//! PHP worker, and in a drain.

pub mod backoff;
pub mod clock;
pub mod deliver;
pub mod thread;

mod round;
mod wake;

use std::{
    io,
    path::Path,
    sync::{Arc, PoisonError, RwLock, atomic::AtomicU64},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use nexpura_protocol::ConnectionString;
use tokio::{sync::watch, time::Instant};

use crate::{
    fork,
    lock::{Held, LockFile, Role},
    spool::{Spool, SpoolError},
};
use deliver::{Courier, Deadlines};
use round::{Next, Rounds};
use wake::Wake;

/// How the sender keeps time. The defaults are the product's; tests take shorter ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// A push goes out at least this often, empty if need be.
    pub heartbeat: Duration,
    /// An intent of a living process becomes a touch this long after its mark, and again as often.
    pub intent_age: Duration,
    /// How often open intents are looked through.
    pub intent_check: Duration,
    /// The wait after the first failure.
    pub first_retry: Duration,
    /// The longest wait after failures.
    pub longest_retry: Duration,
    /// How often a sender that was not elected tries again.
    pub election: Duration,
    /// Network deadlines.
    pub deadlines: Deadlines,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(30),
            intent_age: Duration::from_secs(30),
            intent_check: Duration::from_secs(3),
            first_retry: Duration::from_millis(500),
            longest_retry: Duration::from_secs(60),
            election: Duration::from_secs(1),
            deadlines: Deadlines::default(),
        }
    }
}

/// How long a relay that failed is waited for while a person waits for the spool to be emptied.
const HURRIED: Duration = Duration::from_secs(1);

/// What runs the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The daemon `nexpura-agent`.
    Agent,
    /// A thread in a PHP worker; it steps back for a daemon.
    Thread,
    /// A drain: it ends when the spool is empty.
    Drain,
}

impl Kind {
    /// The word in the lock file and in the status. A drain is a thread to those who look.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Thread | Self::Drain => "thread",
        }
    }
}

/// Why a sender ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to.
    Stopped,
    /// Somebody else is elected.
    NotElected,
    /// A daemon has come, or the lock file is gone.
    SteppedBack,
    /// A drain has nothing left to send.
    Empty,
}

/// Why a sender could not begin.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The lock file cannot be used.
    #[error(
        "the lock file beside the spool {0} cannot be used ({1}): check the permissions of its directory"
    )]
    Lock(std::path::PathBuf, io::Error),
    /// The runtime could not be made.
    #[error("the sender could not be started: {0}")]
    Runtime(io::Error),
    /// The spool cannot be used.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// The connection a sender signs with; a newly pasted string reaches the running sender through it.
#[derive(Debug, Clone)]
pub struct SharedConnection(Arc<RwLock<ConnectionString>>);

impl SharedConnection {
    /// Shares this connection.
    #[must_use]
    pub fn new(connection: ConnectionString) -> Self {
        Self(Arc::new(RwLock::new(connection)))
    }

    /// The connection as it is now.
    #[must_use]
    pub fn get(&self) -> ConnectionString {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From the next push on, this one.
    pub fn set(&self, connection: ConnectionString) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = connection;
    }
}

/// A sender for one spool.
#[derive(Debug)]
pub struct Sender {
    /// Its own handle on the spool.
    pub spool: Spool,
    /// Where to and with which secret.
    pub connection: SharedConnection,
    /// What runs it.
    pub kind: Kind,
    /// How it keeps time.
    pub timing: Timing,
    /// Events it has delivered so far.
    pub delivered: Arc<AtomicU64>,
}

/// Milliseconds since 1970 by this machine's clock.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn forget_inherited() {
    crate::lock::forget_inherited();
    thread::forget_inherited();
}

/// What has the lock of this spool now: `agent`, `thread` or `none`.
#[must_use]
pub fn elected(spool: &Path) -> &'static str {
    let Ok(lock) = LockFile::of(spool) else { return "none" };
    if !lock.is_taken(Role::Sender) {
        return if lock.is_taken(Role::Agent) { Kind::Agent.word() } else { "none" };
    }
    if lock.signature().starts_with(Kind::Agent.word()) { "agent" } else { "thread" }
}

impl Sender {
    /// Tries to be elected and, if it is, sends until it is stopped, steps back or (a drain) is done.
    /// Answers why it ended. Blocks the calling thread.
    ///
    /// # Errors
    /// See [`SenderError`]. A relay that fails is not an error: it is waited for.
    pub fn run(&self, stop: watch::Receiver<bool>) -> Result<Ended, SenderError> {
        self.run_elected(None, stop)
    }

    /// As [`Self::run`], for one that has been elected already.
    pub(crate) fn run_elected(
        &self,
        elected: Option<Held>,
        stop: watch::Receiver<bool>,
    ) -> Result<Ended, SenderError> {
        on_its_runtime(self.elect_and_serve(elected, stop)).map_err(SenderError::Runtime)?
    }

    async fn elect_and_serve(
        &self,
        mut elected: Option<Held>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Ended, SenderError> {
        // A daemon says that it is there before it is elected, so that a thread makes room.
        let mut announced: Option<Held> = None;
        // A drain beside somebody else who is elected says that it waits.
        let mut hurrying: Option<Held> = None;
        let courier = Courier::new(self.timing.deadlines);
        loop {
            if is_over(&stop) {
                return Ok(Ended::Stopped);
            }
            if self.kind == Kind::Agent && !announced.as_ref().is_some_and(Held::is_in_place) {
                announced = self.take(Role::Agent)?;
                if announced.is_some() {
                    // A thread that sleeps makes room the sooner.
                    self.spool.wake_sender();
                }
            }
            let held = match elected.take() {
                Some(held) => Some(held),
                None => self.take(Role::Sender)?,
            };
            if let Some(held) = held {
                // Only for others to read; a full disk must not stop the sending.
                let _ = held.sign(&format!("{} {}", self.kind.word(), std::process::id()));
                let ended = self.serve(&courier, &held, &mut stop).await;
                if ended != Ended::SteppedBack || self.kind == Kind::Thread {
                    return Ok(ended);
                }
            } else if self.kind == Kind::Thread {
                return Ok(Ended::NotElected);
            }
            if self.kind == Kind::Drain
                && self.spool.summary(now_ms()).is_ok_and(|summary| summary.unsent == 0)
            {
                return Ok(Ended::Empty);
            }
            if self.kind == Kind::Drain && hurrying.is_none() {
                hurrying =
                    self.lock()?.try_take(Role::Hurry).map_err(|error| self.locked(error))?;
                self.spool.wake_sender();
            }
            let _ = tokio::time::timeout(self.timing.election, asked_to_stop(&mut stop)).await;
        }
    }

    fn lock(&self) -> Result<Arc<LockFile>, SenderError> {
        LockFile::of(self.spool.path()).map_err(|error| self.locked(error))
    }

    fn locked(&self, error: io::Error) -> SenderError {
        SenderError::Lock(self.spool.path().to_owned(), error)
    }

    /// Takes a role if nobody has it. Nobody but a daemon takes the sender's while a daemon is there.
    fn take(&self, role: Role) -> Result<Option<Held>, SenderError> {
        let lock = self.lock()?;
        if self.kind != Kind::Agent && lock.is_taken(Role::Agent) {
            return Ok(None);
        }
        lock.try_take(role).map_err(|error| self.locked(error))
    }

    async fn serve(
        &self,
        courier: &Courier,
        held: &Held,
        stop: &mut watch::Receiver<bool>,
    ) -> Ended {
        let mut rounds = Rounds::new(&self.spool, self.timing);
        let mut wake = Wake::on(self.spool.path());
        loop {
            if is_over(stop) {
                return Ended::Stopped;
            }
            let daemon_came = self.kind != Kind::Agent && held.other_is_taken(Role::Agent);
            if daemon_came || !held.is_in_place() {
                return Ended::SteppedBack;
            }
            let hurried = held.other_is_taken(Role::Hurry);
            if hurried {
                rounds.hurry(HURRIED);
            }
            let next = rounds.next(courier, &self.connection, &self.delivered).await;
            match next {
                Next::Again => {}
                Next::Idle if self.kind == Kind::Drain => return Ended::Empty,
                Next::Idle => {
                    tokio::select! {
                        () = wake.wait(rounds.idle_until()) => {}
                        () = asked_to_stop(stop) => {}
                    }
                }
                Next::Wait(pause) => {
                    // What is new does not hurry a relay that is not well; a person who waits does.
                    let until = Instant::now() + pause;
                    let look = if hurried { HURRIED } else { self.timing.intent_check };
                    let look = until.min(Instant::now() + look);
                    tokio::select! {
                        () = wake.wait(look) => {}
                        () = asked_to_stop(stop) => {}
                    }
                }
            }
        }
    }
}

/// Runs a sender's work on a runtime of this thread's own, so that a fork waits until the thread sleeps.
///
/// # Errors
/// When the runtime cannot be made.
pub(crate) fn on_its_runtime<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Names are looked up in a thread of their own; one is enough for one relay.
        .max_blocking_threads(1)
        .thread_stack_size(256 * 1024)
        .on_thread_park(fork::rest)
        .on_thread_unpark(fork::wake)
        .build()?;
    let done = runtime.block_on(work);
    // A name lookup that hangs must not hold anybody up.
    runtime.shutdown_background();
    Ok(done)
}

/// Whether the sender was asked to stop, or nobody is left who could ask.
fn is_over(stop: &watch::Receiver<bool>) -> bool {
    *stop.borrow() || stop.has_changed().is_err()
}

async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|asked| *asked).await;
}
