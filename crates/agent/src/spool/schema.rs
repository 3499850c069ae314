//! The tables of a spool, and how a file becomes one.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig, types::Type};
use uuid::Uuid;

use super::error::SpoolError;

/// Marks an SQLite file as a spool (`PRAGMA application_id`): "nxps".
const APPLICATION_ID: i64 = 0x6e78_7073;
/// The version of the tables below (`PRAGMA user_version`).
const VERSION: i64 = 1;
/// SQLite's page cache a connection, in KiB: the spool must stay small within a PHP worker.
const CACHE_KIB: i64 = 128;
/// What is kept of SQLite's log for writing over: 2 MiB.
const LOG_BYTES: i64 = 2 * 1024 * 1024;

/// `droppable` is 1 for an event that gives its payload up when the spool is full; its index is small, so
/// that counting the events does not read them. AUTOINCREMENT keeps `seq` from being given twice, and a
/// transaction that fails gives its number back, so `seq` has no gaps.
const TABLES: &str = "
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value ANY
) STRICT, WITHOUT ROWID;

CREATE TABLE intents (
    id INTEGER PRIMARY KEY,
    request TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started INTEGER NOT NULL,
    place TEXT NOT NULL,
    resource TEXT NOT NULL,
    resource_id INTEGER NOT NULL,
    verb TEXT NOT NULL,
    marked_at INTEGER NOT NULL,
    touched_at INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    topic TEXT NOT NULL,
    resource_id INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    droppable INTEGER NOT NULL,
    facts TEXT,
    payload TEXT
) STRICT;

CREATE INDEX events_droppable ON events (droppable);
";

/// Opens an existing file and looks whether it is a spool; `None` when nothing has been written to it yet.
///
/// # Errors
/// [`SpoolError::Corrupt`] for a torn file, [`SpoolError::Foreign`] and [`SpoolError::Newer`] for one that
/// must not be touched.
pub(super) fn open(path: &Path, patience: Duration) -> Result<Option<Connection>, SpoolError> {
    let sql = |source| SpoolError::from_sql(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sql)?;
    connection.busy_timeout(patience).map_err(sql)?;
    // Closing never checkpoints: a PHP worker must not write a backlog to the disk on its way out.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sql)?;
    connection.set_prepared_statement_cache_capacity(12);
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(sql)?;
    connection.pragma_update(None, "temp_store", "memory").map_err(sql)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(sql)?;
    // A log that a burst has blown up is cut back to this when it is begun anew.
    connection
        .pragma_update_and_check(None, "journal_size_limit", LOG_BYTES, |_| Ok(()))
        .map_err(sql)?;
    let application: i64 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(sql)?;
    let version: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sql)?;
    match (application, version) {
        (APPLICATION_ID, VERSION) => Ok(Some(connection)),
        (APPLICATION_ID, later) if later > VERSION => Err(SpoolError::Newer(path.to_owned())),
        (0, 0) => {
            let tables: i64 = connection
                .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
                .map_err(sql)?;
            if tables == 0 { Ok(None) } else { Err(SpoolError::Foreign(path.to_owned())) }
        }
        _ => Err(SpoolError::Foreign(path.to_owned())),
    }
}

/// Makes the tables in an empty file. The caller holds [`crate::lock::Role::Setup`].
pub(super) fn create(path: &Path, patience: Duration) -> Result<(), SpoolError> {
    let sql = |source| SpoolError::from_sql(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(sql)?;
    connection.busy_timeout(patience).map_err(sql)?;
    connection.pragma_update(None, "auto_vacuum", "incremental").map_err(sql)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(sql)?;
    if mode != "wal" {
        // Some network file systems cannot map memory shared between processes.
        let refusal =
            rusqlite::Error::InvalidColumnType(0, format!("journal mode {mode}"), Type::Text);
        return Err(SpoolError::Sql { path: path.to_owned(), source: refusal });
    }
    let transaction = connection.transaction().map_err(sql)?;
    transaction.execute_batch(TABLES).map_err(sql)?;
    transaction
        .execute("INSERT INTO meta (key, value) VALUES ('spool', ?1)", [Uuid::new_v4().to_string()])
        .map_err(sql)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(sql)?;
    transaction.pragma_update(None, "user_version", VERSION).map_err(sql)?;
    transaction.commit().map_err(sql)
}
