//! Keeps SQLite, lock files and threads from crossing a fork.
//!
//! SQLite remembers in memory which locks a process holds; a child made by fork inherits that memory but
//! not the locks, and would lose writes. So nothing is in the middle of a call into SQLite while a fork
//! happens, and the first thing a child does is to close what it inherited (which gives up no lock of its
//! parent's: record locks belong to the process) and to begin anew.
//!
//! The same holds for all that the sender's thread does: a library's lock that it has taken, or something that it is just
//! making for the first time, would stay so for ever in a child, which has no such thread. It counts as busy whenever it
//! is not asleep.

use std::{
    cell::{Cell, RefCell},
    marker::PhantomData,
    process,
    sync::{
        Once,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{sender, spool, sys};

/// How long a fork waits at most for a call into SQLite to end, which takes a few milliseconds unless the disk
/// is slow. Past that the child may not use the spool.
const PATIENCE: Duration = Duration::from_secs(1);

/// The process that owns what is open.
static OWNER: AtomicU32 = AtomicU32::new(0);
/// Calls under way in this process.
static INSIDE: AtomicU32 = AtomicU32::new(0);
/// Forks under way: nobody enters meanwhile.
static FORKING: AtomicU32 = AtomicU32::new(0);
/// The fork under way could not wait for everybody.
static UNCLEAN: AtomicBool = AtomicBool::new(false);
/// This process is the child of an unclean fork, and what it inherited cannot be trusted.
static SPOILT: AtomicBool = AtomicBool::new(false);
static HOOKS: Once = Once::new();

thread_local! {
    /// Calls under way in this thread, one within the other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// This thread is awake, and no fork happens.
    static AWAKE: RefCell<Option<Inside>> = const { RefCell::new(None) };
}

/// This process is a child forked at a moment at which the spool was busy; it must not touch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this process was forked while its parent was writing to the spool; it leaves the spool alone"
)]
pub struct Forked;

/// Held while a call into SQLite or the lock registry is under way. It stays in its thread.
#[derive(Debug)]
pub(crate) struct Inside(PhantomData<*const ()>);

impl Inside {
    fn counted() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self(PhantomData)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        INSIDE.fetch_sub(1, SeqCst);
    }
}

/// From here on this thread counts as busy until it [rests](rest). Waits out a fork under way.
pub(crate) fn wake() {
    // A child that may not enter has no thread that wakes.
    AWAKE.with_borrow_mut(|awake| *awake = awake.take().or_else(|| enter().ok()));
}

/// This thread goes to sleep with nothing half done.
pub(crate) fn rest() {
    AWAKE.take();
}

/// Waits out a fork under way, takes over after one, and keeps the next one waiting.
pub(crate) fn enter() -> Result<Inside, Forked> {
    HOOKS.call_once(|| {
        // Without memory for the hooks a fork is only noticed by its new process id; the registry is
        // closed all the same.
        let _ = sys::at_fork(before_fork, after_fork_in_parent, after_fork_in_child);
        OWNER.store(process::id(), SeqCst);
    });
    if DEPTH.get() > 0 {
        // A fork under way waits for this very thread.
        INSIDE.fetch_add(1, SeqCst);
        return Ok(Inside::counted());
    }
    loop {
        INSIDE.fetch_add(1, SeqCst);
        if FORKING.load(SeqCst) == 0 {
            break;
        }
        INSIDE.fetch_sub(1, SeqCst);
        thread::sleep(Duration::from_micros(50));
    }
    let inside = Inside::counted();
    let me = process::id();
    if OWNER.load(SeqCst) != me {
        if SPOILT.load(SeqCst) {
            return Err(Forked);
        }
        // Only the forking thread lives on in a child, so this runs once.
        spool::close_inherited();
        sender::forget_inherited();
        OWNER.store(me, SeqCst);
    }
    Ok(inside)
}

extern "C" fn before_fork() {
    FORKING.fetch_add(1, SeqCst);
    let deadline = Instant::now() + PATIENCE;
    while INSIDE.load(SeqCst) != 0 {
        if Instant::now() >= deadline {
            UNCLEAN.store(true, SeqCst);
            return;
        }
        thread::sleep(Duration::from_micros(50));
    }
}

extern "C" fn after_fork_in_parent() {
    if FORKING.fetch_sub(1, SeqCst) == 1 {
        UNCLEAN.store(false, SeqCst);
    }
}

extern "C" fn after_fork_in_child() {
    if UNCLEAN.load(SeqCst) {
        SPOILT.store(true, SeqCst);
    }
    UNCLEAN.store(false, SeqCst);
    INSIDE.store(0, SeqCst);
    FORKING.store(0, SeqCst);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_fork_waits_until_the_sender_s_thread_sleeps_and_that_enters_meanwhile() {
        static ASLEEP: AtomicBool = AtomicBool::new(false);
        let (started, has_started) = mpsc::channel();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            sender::on_its_runtime(async move {
                started.send(()).unwrap();
                // As a library that takes long to make something, and then the spool.
                thread::sleep(Duration::from_millis(200));
                drop(enter().unwrap());
                ASLEEP.store(true, SeqCst);
                ended.await.unwrap();
                ASLEEP.store(false, SeqCst);
            })
            .unwrap();
        });
        has_started.recv().unwrap();
        before_fork();
        assert!(ASLEEP.load(SeqCst), "forked while the thread was busy");
        assert!(!UNCLEAN.load(SeqCst), "the thread was not waited for");
        end.send(()).unwrap();
        thread::sleep(Duration::from_millis(50));
        assert!(ASLEEP.load(SeqCst), "the thread woke up during the fork");
        after_fork_in_parent();
        thread.join().unwrap();
        assert!(!ASLEEP.load(SeqCst));
    }
}
