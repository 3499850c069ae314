//! The one database handle and its transactions, on SQLite or on PostgreSQL.
//!
//! Both speak the same query texts. What really differs is kept here: how a write transaction begins,
//! how rows are locked, and which errors are worth another try.

use std::{str::FromStr, time::Duration};

use sqlx::{
    PgPool, Postgres, Sqlite, SqlitePool, Transaction,
    migrate::Migrator,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::{Instant, sleep};

use super::StoreError;

static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");

/// A pool of connections to the ledger.
#[derive(Clone, Debug)]
pub enum Db {
    /// One writer and several readers on one file.
    Sqlite {
        /// Exactly one connection, so that writers queue here and not in SQLite.
        write: SqlitePool,
        /// Readers see the last commit (WAL).
        read: SqlitePool,
    },
    /// Any number of relays share one PostgreSQL.
    Postgres(PgPool),
}

/// A transaction. Dropped without [`Tx::commit`], it is rolled back.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

/// Pages that SQLite keeps for the writer, in KiB where negative.
const WRITER_CACHE: &str = "-4096";
/// The same for each reader: there are four, and the relay is to stay small; the operating system keeps the file.
const READER_CACHE: &str = "-2048";

/// How long somebody waits for another who holds a SQLite file.
const BUSY: Duration = Duration::from_secs(10);
/// How long before opening is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(20);

impl Db {
    /// Opens the ledger at a `sqlite://` or `postgres://` address; a SQLite file is created.
    ///
    /// # Errors
    /// When the address has no meaning or the database does not answer.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let pool = PgPoolOptions::new()
                .max_connections(16)
                .acquire_timeout(Duration::from_secs(10))
                .connect(url)
                .await?;
            return Ok(Self::Postgres(pool));
        }
        if !url.starts_with("sqlite:") {
            return Err(StoreError::Address);
        }
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .pragma("cache_size", WRITER_CACHE);
        let write = writer(&options).await?;
        let reader = options.create_if_missing(false).pragma("query_only", "on");
        let read = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(reader.pragma("cache_size", READER_CACHE))
            .await?;
        Ok(Self::Sqlite { write, read })
    }

    /// Brings the tables up to date. Where a service and a command begin at once, one does it and the other waits;
    /// where nothing is to be done on SQLite, nobody waits for whoever writes.
    ///
    /// # Errors
    /// When the database holds a newer or a damaged set of tables.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { write, read } => {
                if is_current(read).await.unwrap_or(false) {
                    return Ok(());
                }
                // On PostgreSQL the migrator locks by itself; on SQLite nothing does but a transaction that writes.
                let mut tx = write.begin_with("BEGIN IMMEDIATE").await?;
                SQLITE.run_direct(None, &mut *tx, false).await?;
                tx.commit().await?;
            }
            Self::Postgres(pool) => POSTGRES.run(pool).await?,
        }
        Ok(())
    }

    /// A transaction that will write. On SQLite it holds the write lock from the start, so it never
    /// fails half-way for want of it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// A transaction that only reads.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { read, .. } => Tx::Sqlite(read.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Waits for open transactions and closes.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// The one connection that writes. Of several that make a new file at once only one can give it its journal; SQLite tells
/// the others so without waiting, and then they find it done.
async fn writer(options: &SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    let end = Instant::now() + BUSY;
    loop {
        let opened = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone());
        match opened.await.map_err(StoreError::from) {
            Err(busy) if busy.is_transient() && Instant::now() < end => sleep(TRY_AGAIN).await,
            done => return done,
        }
    }
}

/// Whether this file has exactly our tables: each migration of ours, whole and unchanged, and none besides. Of all else,
/// errors too, the migrator decides, which looks again once it holds the lock.
async fn is_current(read: &SqlitePool) -> Result<bool, sqlx::Error> {
    let mut tx = read.begin().await?;
    let begun: Option<(i64,)> = sqlx::query_as(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'",
    )
    .fetch_optional(&mut *tx)
    .await?;
    if begun.is_none() {
        return Ok(false);
    }
    let applied: Vec<(i64, Vec<u8>, bool)> =
        sqlx::query_as("SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version")
            .fetch_all(&mut *tx)
            .await?;
    let ours = SQLITE.iter().map(|one| (one.version, one.checksum.to_vec(), true));
    Ok(applied.into_iter().eq(ours))
}

impl Tx {
    /// Makes it all permanent at once.
    ///
    /// # Errors
    /// When the database refuses; then nothing of it happened.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Marks a point to come back to, so that one event's failure leaves the others untouched.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn savepoint(&mut self) -> Result<(), StoreError> {
        super::execute!(self, "SAVEPOINT event").map(drop)
    }

    /// Undoes all since [`Tx::savepoint`].
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn undo(&mut self) -> Result<(), StoreError> {
        super::execute!(self, "ROLLBACK TO SAVEPOINT event")?;
        super::execute!(self, "RELEASE SAVEPOINT event").map(drop)
    }

    /// Keeps all since [`Tx::savepoint`].
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep(&mut self) -> Result<(), StoreError> {
        super::execute!(self, "RELEASE SAVEPOINT event").map(drop)
    }
}

/// Runs a statement; gives the number of rows it touched.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match &mut *$tx {
            $crate::store::Tx::Sqlite(tx) => sqlx::query::<sqlx::Sqlite>($sql)
                $(.bind($bind))*
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
            $crate::store::Tx::Postgres(tx) => sqlx::query::<sqlx::Postgres>($sql)
                $(.bind($bind))*
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
        }
        .map_err($crate::store::StoreError::from)
    };
}

/// Reads rows by `method` (`fetch_all`, `fetch_optional`, `fetch_one`).
macro_rules! fetch {
    ($method:ident, $tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        match &mut *$tx {
            $crate::store::Tx::Sqlite(tx) => sqlx::query_as::<sqlx::Sqlite, $row>($sql)
                $(.bind($bind))*
                .$method(&mut **tx)
                .await,
            $crate::store::Tx::Postgres(tx) => sqlx::query_as::<sqlx::Postgres, $row>($sql)
                $(.bind($bind))*
                .$method(&mut **tx)
                .await,
        }
        .map_err($crate::store::StoreError::from)
    };
}

/// Like [`fetch`], and holds the rows until the transaction ends. `lock` is `" FOR NO KEY UPDATE"`, with
/// `SKIP LOCKED` for work that others may have in hand: nobody changes a key, and so rows that refer to a
/// held one may be added meanwhile. On SQLite the write transaction holds everything already.
macro_rules! fetch_locked {
    ($method:ident, $lock:literal, $tx:expr, $row:ty, $sql:literal $(, $bind:expr)* $(,)?) => {
        match &mut *$tx {
            $crate::store::Tx::Sqlite(tx) => sqlx::query_as::<sqlx::Sqlite, $row>($sql)
                $(.bind($bind))*
                .$method(&mut **tx)
                .await,
            $crate::store::Tx::Postgres(tx) => {
                sqlx::query_as::<sqlx::Postgres, $row>(concat!($sql, $lock))
                    $(.bind($bind))*
                    .$method(&mut **tx)
                    .await
            }
        }
        .map_err($crate::store::StoreError::from)
    };
}

/// Like [`fetch`], in an order or backwards: where `$backwards`, ` DESC` stands behind each column, which is
/// where the statement is cut in three.
macro_rules! fetch_sorted {
    (
        $method:ident, $backwards:expr, $tx:expr, $row:ty,
        $first:literal, $second:literal, $rest:literal $(, $bind:expr)* $(,)?
    ) => {{
        let sql = if $backwards {
            concat!($first, " DESC", $second, " DESC", $rest)
        } else {
            concat!($first, $second, $rest)
        };
        $crate::store::fetch!($method, $tx, $row, sql $(, $bind)*)
    }};
}

pub(super) use {execute, fetch, fetch_locked, fetch_sorted};

#[cfg(test)]
mod tests {
    use super::*;

    async fn made(folder: &tempfile::TempDir) -> (String, Db) {
        let url = format!("sqlite://{}/nexpura.db", folder.path().display());
        let db = Db::open(&url).await.unwrap();
        db.migrate().await.unwrap();
        (url, db)
    }

    #[tokio::test]
    async fn who_has_nothing_to_bring_up_to_date_waits_for_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let (url, db) = made(&folder).await;
        let writing = db.write().await.unwrap();
        Db::open(&url).await.unwrap().migrate().await.unwrap();
        drop(writing);
    }

    #[tokio::test]
    async fn what_is_not_exactly_ours_is_left_to_the_migrator() {
        for change in
            ["success = FALSE", "checksum = x'00'", "version = version + 1", "version = -version"]
        {
            let folder = tempfile::tempdir().unwrap();
            let (_, db) = made(&folder).await;
            let last = SQLITE.iter().last().unwrap().version;
            let sql = format!("UPDATE _sqlx_migrations SET {change} WHERE version = {last}");
            let mut tx = db.write().await.unwrap();
            let sql = sqlx::AssertSqlSafe(sql);
            assert_eq!(super::execute!(&mut tx, sql).unwrap(), 1);
            tx.commit().await.unwrap();
            let refused = db.migrate().await.unwrap_err();
            assert!(matches!(refused, StoreError::Migrate(_)), "{change}: {refused}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn who_begins_at_once_makes_the_tables_once() {
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}/nexpura.db", folder.path().display());
            let all: Vec<_> = (0..4)
                .map(|_| {
                    let url = url.clone();
                    tokio::spawn(async move { Db::open(&url).await?.migrate().await })
                })
                .collect();
            for one in all {
                one.await.unwrap().unwrap();
            }
        }
    }
}
