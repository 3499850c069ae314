//! A torn spool is moved aside, never deleted; a new one with a new id takes its place, with what could
//! still be read of the old one.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params_from_iter, types::Value};

use super::{error::SpoolError, schema};
use crate::{
    fork::Inside,
    lock::{Held, LockFile, Role},
    place,
};

/// Events copied from a damaged file in one transaction.
const SALVAGE_STEP: usize = 100;

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
            let aside = move_aside(path, now_ms).map_err(file)?;
            drop(place::create_file(path).map_err(file)?);
            schema::create(path, patience)?;
            salvage(&aside, path, patience)?;
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
        let file = |source| SpoolError::File { path: path.to_owned(), source };
        let aside = move_aside(path, now_ms).map_err(file)?;
        drop(place::create_file(path).map_err(file)?);
        schema::create(path, patience)?;
        salvage(&aside, path, patience)?;
    }
    Ok(())
}

/// Copies into the new spool the events that can still be read, under new numbers and their own ids: what
/// the relay has had before is a duplicate to it. What cannot be read it looks for itself, since a new spool
/// id makes it go through the shop.
fn salvage(aside: &Path, path: &Path, patience: Duration) -> Result<(), SpoolError> {
    let Ok(Some(old)) = schema::open(aside, patience) else { return Ok(()) };
    let Some(mut new) = schema::open(path, patience)? else { return Ok(()) };
    let sql = |source| SpoolError::from_sql(path, source);
    // From both ends up to where it is torn.
    let numbers = |order: &str| -> Vec<i64> {
        let Ok(mut statement) =
            old.prepare(&format!("SELECT seq FROM events ORDER BY seq {order}"))
        else {
            return Vec::new();
        };
        let Ok(rows) = statement.query_map([], |row| row.get(0)) else { return Vec::new() };
        rows.map_while(Result::ok).collect()
    };
    let mut readable = numbers("ASC");
    readable.extend(numbers("DESC"));
    readable.sort_unstable();
    readable.dedup();
    for some in readable.chunks(SALVAGE_STEP) {
        let transaction = new.transaction().map_err(sql)?;
        for seq in some {
            let event = old.query_row(
                "SELECT id, topic, resource_id, occurred_at, droppable, facts, payload
                 FROM events WHERE seq = ?1",
                [seq],
                |row| -> rusqlite::Result<[Value; 7]> {
                    Ok([
                        row.get(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                        row.get(5)?,
                        row.get(6)?,
                    ])
                },
            );
            if let Ok(event) = event {
                transaction
                    .execute(
                        "INSERT INTO events
                             (id, topic, resource_id, occurred_at, droppable, facts, payload)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        params_from_iter(event),
                    )
                    .map_err(sql)?;
            }
        }
        transaction.commit().map_err(sql)?;
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
fn move_aside(path: &Path, now_ms: i64) -> std::io::Result<PathBuf> {
    let aside = with_suffix(path, &format!(".corrupt-{now_ms}"));
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(with_suffix(path, suffix), with_suffix(&aside, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
