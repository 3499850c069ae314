//! The two databases, and reading them past the relay.

use std::path::Path;

use chrono::{DateTime, Utc};
use nexpura_relay::store::{Db, Tx};
use sqlx::{AssertSqlSafe, Row};
use tempfile::TempDir;
use uuid::Uuid;

use super::postgres::Postgres;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// A fresh database; a SQLite file goes with it.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) backend: Backend,
    pub(crate) url: String,
    pub(crate) folder: TempDir,
}

impl Database {
    pub(crate) async fn create(backend: Backend) -> Self {
        let folder = fast_folder("nexpura-relay-");
        let url = match backend {
            Backend::Sqlite => format!("sqlite://{}", folder.path().join("n.db").display()),
            Backend::Postgres => Postgres::shared().create().await,
        };
        Self { backend, url, folder }
    }
}

/// A folder in memory where the system has one: a test's data need not outlive anything.
pub(crate) fn fast_folder(prefix: &str) -> TempDir {
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    let made = if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() };
    made.or_else(|_| builder.tempdir()).unwrap()
}

/// Runs one statement as it stands; gives how many rows it touched.
pub(crate) async fn run(db: &Db, sql: &str) -> u64 {
    let mut tx = db.write().await.unwrap();
    let sql = AssertSqlSafe(sql.to_owned());
    let touched = match &mut tx {
        Tx::Sqlite(tx) => {
            sqlx::query(sql).execute(&mut **tx).await.map(|done| done.rows_affected())
        }
        Tx::Postgres(tx) => {
            sqlx::query(sql).execute(&mut **tx).await.map(|done| done.rows_affected())
        }
    };
    tx.commit().await.unwrap();
    touched.unwrap()
}

/// Reads rows of numbers; NULL is [`NONE`].
pub(crate) async fn numbers(db: &Db, sql: &str) -> Vec<Vec<i64>> {
    let mut tx = db.read().await.unwrap();
    let sql = AssertSqlSafe(sql.to_owned());
    macro_rules! read {
        ($tx:expr) => {
            sqlx::query(sql)
                .fetch_all(&mut **$tx)
                .await
                .unwrap()
                .iter()
                .map(|row| {
                    (0..row.len())
                        .map(|at| row.get_unchecked::<Option<i64>, _>(at).unwrap_or(NONE))
                        .collect()
                })
                .collect()
        };
    }
    let rows = match &mut tx {
        Tx::Sqlite(tx) => read!(tx),
        Tx::Postgres(tx) => read!(tx),
    };
    tx.commit().await.unwrap();
    rows
}

/// What [`numbers`] gives for NULL.
pub(crate) const NONE: i64 = i64::MIN;

/// Reads one number.
pub(crate) async fn number(db: &Db, sql: &str) -> i64 {
    let rows = numbers(db, sql).await;
    assert_eq!((rows.len(), rows.first().map(Vec::len)), (1, Some(1)), "one number: {sql}");
    rows[0][0]
}

/// Reads rows of texts; NULL is empty.
pub(crate) async fn texts(db: &Db, sql: &str) -> Vec<Vec<String>> {
    let mut tx = db.read().await.unwrap();
    let sql = AssertSqlSafe(sql.to_owned());
    macro_rules! read {
        ($tx:expr) => {
            sqlx::query(sql)
                .fetch_all(&mut **$tx)
                .await
                .unwrap()
                .iter()
                .map(|row| {
                    (0..row.len())
                        .map(|at| row.get_unchecked::<Option<String>, _>(at).unwrap_or_default())
                        .collect()
                })
                .collect()
        };
    }
    let rows = match &mut tx {
        Tx::Sqlite(tx) => read!(tx),
        Tx::Postgres(tx) => read!(tx),
    };
    tx.commit().await.unwrap();
    rows
}

/// A key as this database writes it in a statement.
pub(crate) fn key(db: &Db, id: Uuid) -> String {
    match db {
        Db::Sqlite { .. } => format!("x'{}'", id.simple()),
        Db::Postgres(_) => format!("'{id}'::uuid"),
    }
}

/// A moment as this database writes it in a statement.
pub(crate) fn moment(db: &Db, at: DateTime<Utc>) -> String {
    match db {
        Db::Sqlite { .. } => format!("'{}'", at.to_rfc3339()),
        Db::Postgres(_) => format!("'{}'::timestamptz", at.to_rfc3339()),
    }
}

/// Bytes as this database writes them in a statement.
pub(crate) fn bytes(db: &Db, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match db {
        Db::Sqlite { .. } => format!("x'{hex}'"),
        Db::Postgres(_) => format!("'\\x{hex}'::bytea"),
    }
}
