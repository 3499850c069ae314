//! A real relay of one test, with a ledger of its own.

mod api;
mod ledger;
mod tables;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::StatusCode;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

pub use self::ledger::{Event, Listing, Movement, Sale, SaleLine, StockRow};
use crate::{
    http, paths, ports,
    process::{self, Process},
    road::Road,
    stack::postgres::Postgres,
    wait,
};

/// Where the relay keeps its ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file.
    Sqlite,
    /// A database of the tests' PostgreSQL.
    Postgres,
}

/// The tenant whose shop a story is about.
pub const TENANT: &str = "aurelia";

/// A relay, its ledger, and a token for its API. Dropped, it is stopped and its ledger is gone.
#[derive(Debug)]
pub struct Relay {
    // Dropped in this order: the relay before what it stands on.
    process: Option<Process>,
    postgres: Option<Arc<Postgres>>,
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
    /// Its address, without a slash at the end.
    pub url: String,
    address: SocketAddr,
    /// A client of its own.
    pub http: reqwest::Client,
    token: String,
}

/// A connection of a shop, as the relay printed it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// The connection string that a merchant pastes.
    pub string: String,
}

impl Relay {
    /// Starts a relay on an empty ledger.
    ///
    /// # Errors
    /// When it is not built or does not start; the message holds the end of its log.
    pub async fn start(database: Database) -> Result<Self> {
        Self::start_with(database, &[]).await
    }

    /// The same with further settings, as environment variables.
    ///
    /// # Errors
    /// When it is not built or does not start; the message holds the end of its log.
    pub async fn start_with(database: Database, settings: &[(&'static str, &str)]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("nexpura-relay-").tempdir()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()?));
        let url = format!("http://{address}");
        let (postgres, database) = match database {
            Database::Sqlite => {
                (None, format!("sqlite://{}", folder.path().join("nexpura.db").display()))
            }
            Database::Postgres => {
                let postgres = Postgres::shared()?;
                let url = postgres.create(&format!("relay_{}", Uuid::new_v4().simple()))?;
                (Some(postgres), url)
            }
        };
        let key: Vec<u8> =
            [Uuid::new_v4(), Uuid::new_v4()].iter().flat_map(|id| *id.as_bytes()).collect();
        let mut environment = vec![
            ("NEXPURA_DATABASE_URL", database),
            ("NEXPURA_LISTEN", address.to_string()),
            ("NEXPURA_PUBLIC_URL", url.clone()),
            ("NEXPURA_MASTER_KEY", STANDARD.encode(key)),
            ("NEXPURA_ALLOW_PRIVATE_STORES", "127.0.0.0/8".to_owned()),
            ("NEXPURA_SETTLE_SECONDS", "1".to_owned()),
        ];
        environment.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let mut relay = Self {
            process: None,
            postgres,
            folder,
            environment,
            url,
            address,
            http: http::client(None)?,
            token: String::new(),
        };
        relay.start_again().await?;
        relay.token = relay.make_token(TENANT)?;
        Ok(relay)
    }

    /// The same at the end of a road, by which shops reach it; tests reach it directly.
    ///
    /// # Errors
    /// When it is not built or does not start; the message holds the end of its log.
    pub async fn start_behind(
        road: &Road,
        database: Database,
        settings: &[(&'static str, &str)],
    ) -> Result<Self> {
        let public = format!("http://127.0.0.1:{}", road.port());
        let mut all = vec![("NEXPURA_PUBLIC_URL", public.as_str())];
        all.extend(settings);
        let relay = Self::start_with(database, &all).await?;
        road.lead_to(relay.address);
        Ok(relay)
    }

    /// Another relay on the same ledger, with an address of its own.
    ///
    /// # Errors
    /// When it does not start; the message holds the end of its log.
    pub async fn sibling(&self) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()?));
        let mut environment = self.environment.clone();
        environment.push(("NEXPURA_LISTEN", address.to_string()));
        let mut relay = Self {
            process: None,
            postgres: self.postgres.clone(),
            folder: tempfile::Builder::new().prefix("nexpura-relay-").tempdir()?,
            environment,
            url: format!("http://{address}"),
            address,
            http: http::client(None)?,
            token: self.token.clone(),
        };
        relay.start_again().await?;
        Ok(relay)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it once it has been stopped or killed, on the same ledger and address.
    ///
    /// # Errors
    /// When it does not start; the message holds the end of its log.
    pub async fn start_again(&mut self) -> Result<()> {
        let mut command = self.command()?;
        command.arg("serve");
        let mut process =
            Process::start("nexpura-relay", &command, &self.log_path(), Signal::TERM)?;
        let address = self.address;
        process
            .wait_until_ready(Duration::from_secs(60), || TcpStream::connect(address).is_ok())?;
        self.process = Some(process);
        // A connection to the relay that was there before may still be in the pool: it only ends.
        let ready = wait::until("the relay answers", Duration::from_secs(10), async || {
            Ok(self.http.get(format!("{}/readyz", self.url)).send().await.ok())
        })
        .await?
        .status();
        ensure!(
            ready == StatusCode::OK,
            "the relay answered {ready} on /readyz\n{}",
            self.log_tail()
        );
        Ok(())
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// The most memory that its process has had so far, in KiB.
    ///
    /// # Errors
    /// When it does not run.
    pub fn peak_memory(&self) -> Result<u64> {
        let pid = self.pid().context("the relay is gone")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        Ok(peak.context("no peak")?.trim().trim_end_matches(" kB").trim().parse()?)
    }

    /// What it has logged since its first start.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&std::fs::read(self.log_path())?).into_owned())
    }

    fn log_path(&self) -> std::path::PathBuf {
        self.folder().join("relay.log")
    }

    fn log_tail(&self) -> String {
        process::tail(&self.log_path())
    }

    /// Its own folder: log and, on SQLite, the ledger.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `nexpura-relay` with its settings, without a command.
    fn command(&self) -> Result<Command> {
        let mut command = Command::new(paths::artefact("nexpura-relay", "nexpura-relay")?);
        command.envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())));
        Ok(command)
    }

    /// Runs one of its commands with `--json` and gives what it printed.
    ///
    /// # Errors
    /// With what it printed as errors.
    pub fn run(&self, arguments: &[&str]) -> Result<Value> {
        let printed = process::run(self.command()?.args(arguments).arg("--json"))?;
        serde_json::from_slice(&printed)
            .with_context(|| format!("{arguments:?} printed {}", String::from_utf8_lossy(&printed)))
    }

    /// Makes a connection for a shop of the tenant.
    ///
    /// # Errors
    /// When the command fails.
    pub fn connection(&self) -> Result<Connection> {
        self.connection_of(TENANT)
    }

    /// Makes a connection for a shop of any tenant.
    ///
    /// # Errors
    /// When the command fails.
    pub fn connection_of(&self, tenant: &str) -> Result<Connection> {
        let made = self.run(&["connection", "create", "--tenant", tenant])?;
        let text = |name: &str| {
            made[name].as_str().map(str::to_owned).with_context(|| format!("no {name} in {made}"))
        };
        Ok(Connection { id: text("connection_id")?, string: text("connection_string")? })
    }

    /// Makes a token for the API.
    ///
    /// # Errors
    /// When the command fails.
    pub fn make_token(&self, tenant: &str) -> Result<String> {
        let made = self.run(&["token", "create", "--tenant", tenant])?;
        made["token"].as_str().map(str::to_owned).with_context(|| format!("no token in {made}"))
    }

    /// The token of the tenant's own.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log_tail());
        }
    }
}
