//! The few calls into libc that nothing safe offers: record locks, fork hooks, signal masks, inotify, free space.
#![allow(unsafe_code)]

use std::{
    ffi::CString,
    fs::File,
    io,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use tokio::io::unix::AsyncFd;

/// The user that this process acts as.
#[must_use]
pub fn effective_user() -> u32 {
    // SAFETY: takes no argument, has no precondition and cannot fail.
    unsafe { libc::geteuid() }
}

/// Tries to take an exclusive record lock on one byte of `file`; `false` when another process has it.
///
/// Record locks (`F_SETLK`) belong to the process: a child made by fork does not have them, and closing
/// *any* descriptor of the file gives them up, so a lock file must be opened once a process.
///
/// # Errors
/// What `fcntl` reports other than "somebody else has it".
pub fn try_lock_byte(file: &File, byte: i64) -> io::Result<bool> {
    let mut range = range(libc::F_WRLCK, byte);
    // SAFETY: the descriptor is open for as long as `file` is borrowed, and `range` is a valid flock.
    let done = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw mut range) };
    if done == 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EACCES | libc::EAGAIN) => Ok(false),
        _ => Err(error),
    }
}

/// Gives a lock of [`try_lock_byte`] back.
///
/// # Errors
/// What `fcntl` reports.
pub fn unlock_byte(file: &File, byte: i64) -> io::Result<()> {
    let mut range = range(libc::F_UNLCK, byte);
    // SAFETY: as in `try_lock_byte`.
    let done = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw mut range) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether another process has the lock on that byte. This process's own locks do not count.
///
/// # Errors
/// What `fcntl` reports.
pub fn byte_is_locked(file: &File, byte: i64) -> io::Result<bool> {
    let mut range = range(libc::F_WRLCK, byte);
    // SAFETY: as in `try_lock_byte`; the kernel writes the conflicting lock into `range`.
    let done = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &raw mut range) };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(i32::from(range.l_type) != libc::F_UNLCK)
}

fn range(kind: libc::c_int, byte: i64) -> libc::flock {
    // SAFETY: flock is a plain C struct for which all zeros is a valid value.
    let mut range: libc::flock = unsafe { std::mem::zeroed() };
    // The constants are 0, 1 and 2 on every Unix; only the field's width differs.
    range.l_type = libc::c_short::try_from(kind).unwrap_or_default();
    range.l_whence = libc::c_short::try_from(libc::SEEK_SET).unwrap_or_default();
    range.l_start = byte;
    range.l_len = 1;
    range
}

/// Has the three functions called around every fork of this process, once and for good.
///
/// # Errors
/// When the system has no memory for it.
pub fn at_fork(
    before: unsafe extern "C" fn(),
    in_parent: unsafe extern "C" fn(),
    in_child: unsafe extern "C" fn(),
) -> io::Result<()> {
    // SAFETY: the three are functions of this library, which is never unloaded (php-ext links itself
    // with `nodelete`); they only touch atomics and may therefore run in a freshly forked child.
    let code = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) }
}

/// Runs `spawn` with every signal blocked, so that the threads it starts block them all their life and
/// the host's handlers run only in the host's own threads. The caller's mask is put back afterwards.
pub fn with_signals_blocked<T>(spawn: impl FnOnce() -> T) -> T {
    // SAFETY: sigset_t is a plain C struct; sigfillset initialises it, and pthread_sigmask reads one
    // valid set and writes the other.
    let previous = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut previous: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        (libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut previous) == 0)
            .then_some(previous)
    };
    let result = spawn();
    if let Some(previous) = previous {
        // SAFETY: `previous` was filled by the call above.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const previous, std::ptr::null_mut())
        };
    }
    result
}

/// A non-blocking inotify descriptor that reports changes to the files of one directory.
///
/// # Errors
/// When the user's limit of inotify instances or watches is reached, or the directory is gone.
pub fn watch_directory(directory: &Path) -> io::Result<OwnedFd> {
    let path = CString::new(directory.as_os_str().as_bytes())?;
    // SAFETY: no pointer is passed.
    let raw = unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `raw` was just opened and belongs to nobody else.
    let watcher = unsafe { OwnedFd::from_raw_fd(raw) };
    let mask = libc::IN_MODIFY | libc::IN_CREATE | libc::IN_MOVED_TO | libc::IN_DELETE;
    // SAFETY: `path` is a NUL-terminated string that outlives the call.
    let added = unsafe { libc::inotify_add_watch(watcher.as_raw_fd(), path.as_ptr(), mask) };
    if added < 0 { Err(io::Error::last_os_error()) } else { Ok(watcher) }
}

/// Registers an inotify descriptor with the tokio runtime that is running.
///
/// # Errors
/// When the runtime's poller refuses it.
pub fn await_changes(watcher: OwnedFd) -> io::Result<AsyncFd<File>> {
    // SAFETY: the descriptor stays open and the same until the `AsyncFd` is dropped: the `File` owns it,
    // is never replaced or duplicated, and is only read through a shared reference.
    unsafe { AsyncFd::register(File::from(watcher)) }.map_err(Into::into)
}

/// Whether this process may make files in `directory`: permissions, access lists and read-only mounts.
#[must_use]
pub fn may_write(directory: &Path) -> bool {
    let Ok(path) = CString::new(directory.as_os_str().as_bytes()) else { return false };
    // SAFETY: `path` is a NUL-terminated string that outlives the call.
    let answer = unsafe {
        libc::faccessat(libc::AT_FDCWD, path.as_ptr(), libc::W_OK | libc::X_OK, libc::AT_EACCESS)
    };
    answer == 0
}

/// Bytes that an ordinary user can still write to the file system of `path`.
///
/// # Errors
/// What `statvfs` reports.
pub fn free_space(path: &Path) -> io::Result<u64> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: statvfs is a plain C struct for which all zeros is a valid value.
    let mut answer: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: `path` is NUL-terminated and `answer` is writable for the whole struct.
    if unsafe { libc::statvfs(path.as_ptr(), &raw mut answer) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(answer.f_bavail.saturating_mul(answer.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spawned_thread_blocks_every_signal_and_the_spawner_does_not() {
        let blocked = || {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let line = status.lines().find(|line| line.starts_with("SigBlk:")).unwrap();
            u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
        };
        let before = blocked();
        let inside = with_signals_blocked(|| std::thread::spawn(blocked)).join().unwrap();
        for signal in [
            libc::SIGTERM,
            libc::SIGQUIT,
            libc::SIGALRM,
            libc::SIGPROF,
            libc::SIGUSR1,
            libc::SIGCHLD,
        ] {
            assert!(inside >> (signal - 1) & 1 == 1, "signal {signal} reaches the thread");
        }
        assert_eq!(blocked(), before);
    }

    #[test]
    fn free_space_is_known_for_a_directory_and_not_for_nothing() {
        assert!(free_space(Path::new("/")).unwrap() > 0);
        assert!(free_space(Path::new("/no/such/place")).is_err());
    }
}
