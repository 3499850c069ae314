//! Sleeps until another process writes to the spool, without looking again and again.

use std::{ffi::OsString, fs::File, io::Read, os::unix::ffi::OsStrExt, path::Path, time::Duration};

use tokio::{io::unix::AsyncFd, time::Instant};

use crate::{lock, sys};

/// Where the system has no watch to give, the spool is looked at this often.
const POLL: Duration = Duration::from_millis(100);
/// After a change to SQLite's files the spool is looked at this much later: they change while a commit is
/// still being written, and a process may die before it says that it has committed.
const SETTLED: Duration = Duration::from_secs(1);
/// What precedes the name in an inotify event: watch, mask, cookie and length, four bytes each.
const EVENT_HEADER: usize = 16;

/// Wakes when a process says that it has committed, by writing to the lock file, or a little after any
/// other change to the spool's files.
#[derive(Debug)]
pub(super) struct Wake {
    watch: Option<AsyncFd<File>>,
    spool: OsString,
    lock: OsString,
}

impl Wake {
    /// A watch on this spool's files. Needs a tokio runtime.
    pub(super) fn on(spool: &Path) -> Self {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_owned();
        Self {
            watch: spool
                .parent()
                .and_then(|directory| sys::watch_directory(directory).ok())
                .and_then(|watcher| sys::await_changes(watcher).ok()),
            spool: name(spool),
            lock: name(&lock::path_for(spool)),
        }
    }

    /// Returns at `deadline`, or as soon as the spool may hold something new.
    pub(super) async fn wait(&mut self, mut deadline: Instant) {
        let Some(watch) = &self.watch else {
            tokio::time::sleep_until(deadline.min(Instant::now() + POLL)).await;
            return;
        };
        loop {
            let Ok(ready) = tokio::time::timeout_at(deadline, watch.readable()).await else {
                return;
            };
            let Ok(mut ready) = ready else {
                tokio::time::sleep_until(deadline.min(Instant::now() + POLL)).await;
                return;
            };
            let mut events = [0; 4096];
            let (mut said, mut changed) = (false, false);
            while let Ok(length @ 1..) = (&mut watch.get_ref()).read(&mut events) {
                for name in names(&events[..length]) {
                    // An overflow of the kernel's queue has no name and may hide any.
                    said |= name.is_empty() || name == self.lock.as_bytes();
                    changed |= name.starts_with(self.spool.as_bytes());
                }
            }
            ready.clear_ready();
            if said {
                return;
            }
            if changed {
                deadline = deadline.min(Instant::now() + SETTLED);
            }
        }
    }
}

/// The file names in a buffer of inotify events.
fn names(mut events: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    std::iter::from_fn(move || {
        let header = events.get(..EVENT_HEADER)?;
        let length: [u8; 4] = header[12..16].try_into().ok()?;
        let length = u32::from_ne_bytes(length) as usize;
        let name = events.get(EVENT_HEADER..EVENT_HEADER + length)?;
        events = &events[EVENT_HEADER + length..];
        Some(name.split(|byte| *byte == 0).next().unwrap_or_default().to_vec())
    })
}
