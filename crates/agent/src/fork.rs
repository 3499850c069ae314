//! Keeps SQLite, lock files and threads from crossing a fork.
//!
//! SQLite remembers in memory which locks a process holds; a child made by fork inherits that memory but
//! not the locks, and would lose writes. So nothing is in the middle of a call into SQLite while a fork
//! happens, and the first thing a child does is to close what it inherited (which gives up no lock of its
//! parent's: record locks belong to the process) and to begin anew.

use std::{
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

/// Waits out a fork under way, takes over after one, and keeps the next one waiting.
pub(crate) fn enter() -> Result<Inside, Forked> {
    HOOKS.call_once(|| {
        // Without memory for the hooks a fork is only noticed by its new process id; the registry is
        // closed all the same.
        let _ = sys::at_fork(before_fork, after_fork_in_parent, after_fork_in_child);
        OWNER.store(process::id(), SeqCst);
    });
    loop {
        INSIDE.fetch_add(1, SeqCst);
        if FORKING.load(SeqCst) == 0 {
            break;
        }
        INSIDE.fetch_sub(1, SeqCst);
        thread::sleep(Duration::from_micros(50));
    }
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
