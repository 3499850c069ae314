//! Sleeps until another process writes to the spool, without looking again and again.

use std::{
    ffi::OsString,
    fs::File,
    io::Read,
    os::unix::ffi::OsStrExt,
    path::Path,
    time::Duration,
};

use tokio::{io::unix::AsyncFd, time::Instant};

use crate::sys;

/// Where the system has no watch to give, the spool is looked at this often.
const POLL: Duration = Duration::from_millis(100);
/// What precedes the name in an inotify event: watch, mask, cookie and length, four bytes each.
const EVENT_HEADER: usize = 16;

/// Wakes when a file of the spool (database, log, lock) changes.
#[derive(Debug)]
pub(super) struct Wake {
    watch: Option<AsyncFd<File>>,
    prefix: OsString,
}

impl Wake {
    /// A watch on this spool's files. Needs a tokio runtime.
    pub(super) fn on(spool: &Path) -> Self {
        Self {
            watch: spool
                .parent()
                .and_then(|directory| sys::watch_directory(directory).ok())
                .and_then(|watcher| sys::await_changes(watcher).ok()),
            prefix: spool.file_name().unwrap_or_default().to_owned(),
        }
    }

    /// Returns at `deadline`, or as soon as the spool may hold something new.
    pub(super) async fn wait(&mut self, deadline: Instant) {
        let Some(watch) = &self.watch else {
            tokio::time::sleep_until(deadline.min(Instant::now() + POLL)).await;
            return;
        };
        let changed = async {
            loop {
                let Ok(mut ready) = watch.readable().await else {
                    return std::future::pending().await;
                };
                let mut concerns_us = false;
                let mut events = [0; 4096];
                while let Ok(length @ 1..) = (&mut watch.get_ref()).read(&mut events) {
                    concerns_us |= names(&events[..length])
                        // An overflow of the kernel's queue has no name and may hide any.
                        .any(|name| name.is_empty() || name.starts_with(self.prefix.as_bytes()));
                }
                ready.clear_ready();
                if concerns_us {
                    return;
                }
            }
        };
        // Either way the caller looks at the spool itself.
        let _ = tokio::time::timeout_at(deadline, changed).await;
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
