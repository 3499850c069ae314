//! Keeps SQLite, lock files and threads from crossing a fork.
//!
//! SQLite remembers in memory which locks a process holds; a child made by fork inherits that memory but
//! not the locks, and would lose writes. So nothing is in the middle of a call into SQLite while a fork
//! happens, and the first thing a child does is to close what it inherited (which gives up no lock of its
//! parent's: record locks belong to the process) and to begin anew.
//!
//! The same holds for all that the sender's thread does: a library's lock that it has taken, or something that it is just
//! making for the first time, would stay so for ever in a child, which has no such thread. So a fork waits until it is
//! asleep. (A name lookup under way is not waited for: it has a thread of tokio's own.)

use std::{
    cell::Cell,
    process,
    sync::{
        Once,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{sender, spool, sys};

/// How long a fork waits at most for a call into SQLite to end or a sender to sleep, which takes a few milliseconds
/// unless the disk is slow. Past that the child of a call into SQLite may not use the spool.
const PATIENCE: Duration = Duration::from_secs(1);

/// The process that owns what is open.
static OWNER: AtomicU32 = AtomicU32::new(0);
/// Calls under way in this process.
static INSIDE: AtomicU32 = AtomicU32::new(0);
/// Threads of senders that are not asleep.
static AWAKE: AtomicU32 = AtomicU32::new(0);
/// Forks under way: nobody enters or wakes meanwhile.
static FORKING: AtomicU32 = AtomicU32::new(0);
/// The fork under way waits for nobody any more, nor does anybody enter.
static OVERDUE: AtomicBool = AtomicBool::new(false);
/// The fork under way could not wait for everybody.
static UNCLEAN: AtomicBool = AtomicBool::new(false);
/// This process is the child of an unclean fork, and what it inherited cannot be trusted.
static SPOILT: AtomicBool = AtomicBool::new(false);
static HOOKS: Once = Once::new();

thread_local! {
    /// This thread is one of those that are awake.
    static IS_AWAKE: Cell<bool> = const { Cell::new(false) };
}

/// This process is a child forked at a moment at which the spool was busy; it must not touch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this process was forked while its parent was writing to the spool; it leaves the spool alone"
)]
pub struct Forked;

/// Held while a call into SQLite or the lock registry is under way.
#[derive(Debug)]
pub(crate) struct Inside(());

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, SeqCst);
    }
}

/// Runs a thread of a sender's, awake from its beginning to its end but where it [rests](rest).
pub(crate) fn awake(work: impl FnOnce()) {
    struct Rest;
    impl Drop for Rest {
        fn drop(&mut self) {
            rest();
        }
    }
    wake();
    let _rest = Rest;
    work();
}

/// From here on this thread is awake. Waits out a fork under way.
pub(crate) fn wake() {
    if IS_AWAKE.replace(true) {
        return;
    }
    wait_out_forks(&AWAKE, || FORKING.load(SeqCst) == 0);
}

/// This thread goes to sleep with nothing half done.
pub(crate) fn rest() {
    if IS_AWAKE.replace(false) {
        AWAKE.fetch_sub(1, SeqCst);
    }
}

/// Counts this thread in as soon as it may go on.
fn wait_out_forks(counter: &AtomicU32, may_go_on: impl Fn() -> bool) {
    loop {
        counter.fetch_add(1, SeqCst);
        if may_go_on() {
            return;
        }
        counter.fetch_sub(1, SeqCst);
        thread::sleep(Duration::from_micros(50));
    }
}

/// Waits out a fork under way, takes over after one, and keeps the next one waiting.
pub(crate) fn enter() -> Result<Inside, Forked> {
    HOOKS.call_once(|| {
        // Without memory for the hooks a fork is only noticed by its new process id; the registry is
        // closed all the same.
        let _ = sys::at_fork(before_fork, after_fork_in_parent, after_fork_in_child);
        OWNER.store(process::id(), SeqCst);
    });
    wait_out_forks(&INSIDE, || {
        // For a thread that is awake a fork waits.
        FORKING.load(SeqCst) == 0 || (IS_AWAKE.get() && !OVERDUE.load(SeqCst))
    });
    let inside = Inside(());
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
    while INSIDE.load(SeqCst) != 0 || AWAKE.load(SeqCst) != 0 {
        if Instant::now() >= deadline {
            OVERDUE.store(true, SeqCst);
            UNCLEAN.store(INSIDE.load(SeqCst) != 0, SeqCst);
            return;
        }
        thread::sleep(Duration::from_micros(50));
    }
}

extern "C" fn after_fork_in_parent() {
    if FORKING.fetch_sub(1, SeqCst) == 1 {
        UNCLEAN.store(false, SeqCst);
        OVERDUE.store(false, SeqCst);
    }
}

extern "C" fn after_fork_in_child() {
    if UNCLEAN.load(SeqCst) {
        SPOILT.store(true, SeqCst);
    }
    UNCLEAN.store(false, SeqCst);
    OVERDUE.store(false, SeqCst);
    INSIDE.store(0, SeqCst);
    AWAKE.store(0, SeqCst);
    IS_AWAKE.set(false);
    FORKING.store(0, SeqCst);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// All of a fork but the child.
    struct Fork;

    impl Fork {
        fn begin() -> Self {
            before_fork();
            Self
        }
    }

    impl Drop for Fork {
        fn drop(&mut self) {
            after_fork_in_parent();
        }
    }

    #[test]
    fn a_fork_waits_until_the_sender_s_thread_sleeps_and_that_enters_meanwhile() {
        static ASLEEP: AtomicBool = AtomicBool::new(false);
        let (started, has_started) = mpsc::channel();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let thread = sender::thread::spawn("sender", move || {
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
        })
        .unwrap();
        has_started.recv().unwrap();
        let fork = Fork::begin();
        assert!(ASLEEP.load(SeqCst), "forked while the thread was busy");
        assert!(!UNCLEAN.load(SeqCst), "the thread was not waited for");
        end.send(()).unwrap();
        thread::sleep(Duration::from_millis(50));
        assert!(ASLEEP.load(SeqCst), "the thread woke up during the fork");
        drop(fork);
        thread.join().unwrap();
        assert!(!ASLEEP.load(SeqCst));
    }
}
