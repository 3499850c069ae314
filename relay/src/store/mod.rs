//! All SQL: one function a question or a change, each with its text beside it.
//!
//! Nothing here opens or commits a transaction: a use case in `service/` does, and hands it in. Every
//! query names its tenant.

mod db;
mod many;

pub mod audit;
pub mod conflicts;
pub mod connections;
pub mod customers;
pub mod drifts;
pub mod erasure;
pub mod inbox;
pub mod integrations;
pub mod inventory;
pub mod keys;
pub mod leases;
pub mod lineage;
pub mod links;
pub mod listings;
pub mod movements;
pub mod paces;
pub mod page;
pub mod password_links;
pub mod people;
pub mod products;
pub mod pushes;
pub mod resources;
pub mod runs;
pub mod sale_items;
pub mod sales;
pub mod secrets;
pub mod sessions;
pub mod spools;
pub mod standing;
pub mod tenants;
pub mod tokens;
pub mod webhooks;

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

pub use db::{Db, Tx};
use db::{execute, fetch, fetch_locked, fetch_sorted};
use many::{execute_many, fetch_many};

/// A tenant's key: the first column of every key.
pub type TenantId = Uuid;
/// A connected store's key within its tenant.
pub type IntegrationId = Uuid;

/// The time as both databases keep it: in microseconds.
#[must_use]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// A new key that sorts by the time it was made.
#[must_use]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// Why the ledger could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `NEXPURA_DATABASE_URL` names neither SQLite nor PostgreSQL.
    #[error("the database address must begin with sqlite:// or postgres://")]
    Address,
    /// The database said no.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error(transparent)]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

impl StoreError {
    /// Whether the same transaction may pass when it is tried again: a deadlock or a serialization
    /// failure on PostgreSQL (40P01, 40001), a busy file on SQLite (5, 6 and their extensions).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        match error.code().as_deref() {
            Some("40P01" | "40001") => true,
            // A SQLSTATE: its digits are no number.
            Some(code) if code.len() == 5 => false,
            Some(code) => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6)),
            None => false,
        }
    }

    /// Whether the database refused a value rather than failed: a data or constraint error (SQLSTATE
    /// classes 22 and 23; on SQLite 18, 19 and 20). Trying the same again would not help.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        match error.code().as_deref() {
            Some(code) if code.len() == 5 => code.starts_with("22") || code.starts_with("23"),
            Some(code) => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 18..=20)),
            None => false,
        }
    }
}
