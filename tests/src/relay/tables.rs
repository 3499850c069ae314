//! A ledger's tables, asked and filled directly.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension};

use super::{Database, Relay};
use crate::stack::postgres::Postgres;

/// How long a statement waits for the relay's own on SQLite.
const PATIENCE: Duration = Duration::from_secs(60);

impl Relay {
    /// Where it keeps its ledger.
    #[must_use]
    pub fn database(&self) -> Database {
        if self.postgres.is_some() { Database::Postgres } else { Database::Sqlite }
    }

    /// Runs SQL on its ledger, where that is on PostgreSQL, and gives the rows, columns separated by tabs.
    ///
    /// # Errors
    /// With the server's message.
    pub fn sql(&self, sql: &str) -> Result<String> {
        let (postgres, database) = self.on_postgres()?;
        postgres.query(database, sql)
    }

    /// The rows that a question is answered with, columns separated by tabs; every column must be text.
    ///
    /// # Errors
    /// With the database's message.
    pub fn rows(&self, sql: &str) -> Result<String> {
        if self.database() == Database::Postgres {
            return self.sql(sql);
        }
        let connection = self.on_sqlite()?;
        let mut asked = connection.prepare(sql).context(sql.to_owned())?;
        let columns = asked.column_count();
        let mut rows = asked.query([])?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next()? {
            let cells: Vec<String> =
                (0..columns).map(|at| row.get(at)).collect::<Result<_, _>>()?;
            lines.push(cells.join("\t"));
        }
        Ok(lines.join("\n"))
    }

    /// Runs statements on its ledger, by one connection.
    ///
    /// # Errors
    /// With the database's message.
    pub fn execute(&self, sql: &str) -> Result<()> {
        match self.database() {
            Database::Postgres => self.sql(sql).map(drop),
            Database::Sqlite => self.on_sqlite()?.execute_batch(sql).context(sql.to_owned()),
        }
    }

    /// What a question is answered with that has one number for an answer.
    ///
    /// # Errors
    /// With the database's message, or when the answer is no number.
    pub fn number(&self, sql: &str) -> Result<u64> {
        match self.database() {
            Database::Postgres => Ok(self.sql(sql)?.parse()?),
            Database::Sqlite => {
                let number: i64 = self.on_sqlite()?.query_row(sql, [], |row| row.get(0))?;
                Ok(number.try_into()?)
            }
        }
    }

    /// The key that a question is answered with, as it is written in SQL; nothing where there is no row.
    ///
    /// # Errors
    /// With the database's message.
    pub fn key(&self, sql: &str) -> Result<Option<String>> {
        match self.database() {
            Database::Postgres => {
                let found = self.sql(sql)?;
                Ok((!found.is_empty()).then(|| format!("'{found}'::UUID")))
            }
            Database::Sqlite => {
                let look = |row: &rusqlite::Row<'_>| row.get::<_, [u8; 16]>(0);
                let found = self.on_sqlite()?.query_row(sql, [], look).optional()?;
                Ok(found.map(|key| format!("x'{:032x}'", u128::from_be_bytes(key))))
            }
        }
    }

    /// Runs a script of pgbench's on its ledger for so many seconds; gives what that prints.
    ///
    /// # Errors
    /// With the program's message.
    pub fn pgbench(&self, script: &Path, seconds: u32) -> Result<String> {
        let (postgres, database) = self.on_postgres()?;
        postgres.pgbench(database, script, seconds)
    }

    fn on_postgres(&self) -> Result<(&Postgres, &str)> {
        let database = self.address_of_ledger().and_then(|url| url.rsplit('/').next());
        self.postgres.as_deref().zip(database).context("its ledger is not on PostgreSQL")
    }

    fn on_sqlite(&self) -> Result<Connection> {
        let file = self.address_of_ledger().and_then(|url| url.strip_prefix("sqlite://"));
        let connection = Connection::open(file.context("its ledger is not on SQLite")?)?;
        connection.busy_timeout(PATIENCE)?;
        Ok(connection)
    }

    fn address_of_ledger(&self) -> Option<&str> {
        let url = self.environment.iter().find(|(name, _)| *name == "NEXPURA_DATABASE_URL");
        url.map(|(_, url)| url.as_str())
    }
}
