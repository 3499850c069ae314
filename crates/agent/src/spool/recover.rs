//! A torn spool is moved aside, never deleted, and a new one with a new id takes its place.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::{error::SpoolError, schema};
use crate::{
    fork::Inside,
    lock::{Held, LockFile, Role},
    place,
};

/// Opens the spool at `path`, making it if there is none. A damaged file is moved aside to
/// `<path>.corrupt-<now_ms>`, where a person may still look at it.
pub(super) fn open_or_create(
    path: &Path,
    patience: Duration,
    now_ms: i64,
    inside: &Inside,
) -> Result<Connection, SpoolError> {
    if place::file_at(path).is_some() {
        match schema::open(path, patience) {
            Ok(Some(connection)) => return Ok(connection),
            Ok(None) | Err(SpoolError::Corrupt(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let _setup = take_setup(path, patience, inside)?;
    let file = |source| SpoolError::File { path: path.to_owned(), source };
    drop(place::create_file(path).map_err(file)?);
    // Another process may have done all of this while the lock was waited for.
    match schema::open(path, patience) {
        Ok(Some(connection)) => return Ok(connection),
        Ok(None) => schema::create(path, patience)?,
        Err(SpoolError::Corrupt(_)) => {
            move_aside(path, now_ms).map_err(file)?;
            drop(place::create_file(path).map_err(file)?);
            schema::create(path, patience)?;
        }
        Err(error) => return Err(error),
    }
    schema::open(path, patience)?.ok_or_else(|| SpoolError::Corrupt(path.to_owned()))
}

/// After a call has reported damage in a file that opens well: looks it through and, if it is damaged
/// indeed, moves it aside.
pub(super) fn replace_if_damaged(
    path: &Path,
    patience: Duration,
    now_ms: i64,
    inside: &Inside,
) -> Result<(), SpoolError> {
    let _setup = take_setup(path, patience, inside)?;
    let sound = match schema::open(path, patience) {
        Ok(Some(connection)) => is_sound(&connection),
        Ok(None) => true,
        Err(SpoolError::Corrupt(_)) => false,
        Err(error) => return Err(error),
    };
    if !sound {
        move_aside(path, now_ms)
            .map_err(|source| SpoolError::File { path: path.to_owned(), source })?;
    }
    Ok(())
}

fn is_sound(connection: &Connection) -> bool {
    connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
        .is_ok_and(|verdict| verdict == "ok")
}

fn take_setup(path: &Path, patience: Duration, inside: &Inside) -> Result<Held, SpoolError> {
    let file = |source| SpoolError::File { path: path.to_owned(), source };
    let lock = LockFile::of_inside(path, inside).map_err(file)?;
    let deadline = Instant::now() + patience;
    loop {
        if let Some(held) = lock.try_take(Role::Setup).map_err(file)? {
            return Ok(held);
        }
        if Instant::now() >= deadline {
            return Err(SpoolError::Busy(path.to_owned()));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// The log goes first: left beside a new file it would be replayed into it.
fn move_aside(path: &Path, now_ms: i64) -> std::io::Result<()> {
    let aside = with_suffix(path, &format!(".corrupt-{now_ms}"));
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(with_suffix(path, suffix), with_suffix(&aside, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
