//! Use cases. Each opens and commits its own transaction, and holds none across the network.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Context;
use tokio::sync::Notify;

pub mod accounts;
pub mod activity;
pub mod adjust;
pub mod admin;
mod anew;
pub mod conflict;
pub mod connect;
pub mod credential;
pub mod customers;
pub mod decisions;
pub mod desk;
pub mod drift;
pub mod events;
pub mod fetch;
pub mod ingest;
pub mod leave;
pub mod ledger;
pub mod links;
pub mod pace;
pub mod pieces;
pub mod privacy;
pub mod push_stock;
pub mod retry;
pub mod runs;
pub mod sales;
pub mod standing;
mod stock_reading;
pub mod store_client;
pub mod store_policy;
pub mod stores;
pub mod sweep;
pub mod today;
pub mod told;
pub mod vault;
pub mod webhooks;

use crate::{
    channel::{Outbound, Pace},
    config::Config,
    store::Db,
};
use accounts::password::Passwords;
use vault::Vault;

/// What every use case works with.
#[derive(Clone, Debug)]
pub struct Relay {
    /// The ledger.
    pub db: Db,
    /// Opens and seals secrets.
    pub vault: Arc<Vault>,
    /// The only way out.
    pub outbound: Arc<Outbound>,
    /// At most five requests a second a store, by all relays on one PostgreSQL.
    pub pace: Arc<Pace>,
    /// What the operator set.
    pub config: Arc<Config>,
    /// Hashes people's passwords, one at a time.
    pub passwords: Arc<Passwords>,
    /// Wakes the workers when there is something to do.
    pub wake: Arc<Wake>,
}

/// The kinds of queued work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Touches to be fetched.
    Fetch,
    /// Stores to be swept.
    Sweep,
    /// Stock to be pushed.
    Push,
    /// Webhooks to be looked after.
    Webhooks,
}

/// Tells the workers of this process that there is work, so that it need not wait to be looked for.
#[derive(Debug, Default)]
pub struct Wake {
    stopping: AtomicBool,
    fetch: Notify,
    sweep: Notify,
    push: Notify,
    webhooks: Notify,
}

impl Wake {
    /// Tells long work to leave off where it stands.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether long work is to leave off.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// What a worker of this kind waits for.
    #[must_use]
    pub fn of(&self, work: Work) -> &Notify {
        match work {
            Work::Fetch => &self.fetch,
            Work::Sweep => &self.sweep,
            Work::Push => &self.push,
            Work::Webhooks => &self.webhooks,
        }
    }
}

impl Relay {
    /// Opens the ledger and the vault.
    ///
    /// # Errors
    /// When the database or the master key cannot be had; the message says what to do.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        // Another part of the process may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let db = Db::open(&config.database_url).await.context(
            "cannot open the ledger's database: check NEXPURA_DATABASE_URL, and that it is running",
        )?;
        let vault = Vault::load(config.master_key.as_ref(), &config.database_url)?;
        let outbound = Outbound::new(&config.allow_private_stores)?;
        let pace = Arc::new(pace::of(&db));
        Ok(Self {
            db,
            vault: Arc::new(vault),
            outbound: Arc::new(outbound),
            pace,
            config: Arc::new(config),
            passwords: Arc::default(),
            wake: Arc::default(),
        })
    }
}
