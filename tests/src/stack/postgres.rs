//! A PostgreSQL of the tests' own: one server a process, a database a relay.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    paths, ports,
    process::{self, Process},
};

/// A running server. Its data lies in a temporary folder and goes with it.
#[derive(Debug)]
pub struct Postgres {
    // Dropped in this order: the server before its files.
    _server: Process,
    folder: TempDir,
    port: u16,
}

static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

impl Postgres {
    /// This process's server; started if none runs, stopped when the last that uses it is gone.
    ///
    /// # Errors
    /// When it cannot be started; the message holds the end of its log.
    pub fn shared() -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Ok(running);
        }
        let started = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&started);
        Ok(started)
    }

    fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("nexpura-postgres-").tempdir()?;
        let port = ports::free()?;
        let log = folder.path().join("postgres.log");
        if rustix::process::geteuid().is_root() {
            process::run(Command::new("chown").arg(USER).arg(folder.path()))?;
        }
        let data = folder.path().join("data");
        process::run(
            as_user(&program("initdb")?)
                .args([
                    "--auth=trust",
                    "--username=nexpura",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                    "-D",
                ])
                .arg(&data),
        )?;
        let mut command = as_user(&program("postgres")?);
        command.arg("-D").arg(&data).arg("-p").arg(port.to_string()).arg("-k").arg(folder.path());
        for setting in [
            "listen_addresses=127.0.0.1",
            "max_connections=200",
            // A test's data need not outlive a power cut.
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
        ] {
            command.args(["-c", setting]);
        }
        // INT is PostgreSQL's fast shutdown; TERM would wait for the clients to leave.
        let mut server = Process::start("PostgreSQL", &command, &log, Signal::INT)?;
        let ready = program("pg_isready")?;
        server.wait_until_ready(Duration::from_secs(60), || {
            Command::new(&ready)
                .args(["-q", "-h", "127.0.0.1", "-p"])
                .arg(port.to_string())
                .status()
                .is_ok_and(|status| status.success())
        })?;
        Ok(Self { _server: server, folder, port })
    }

    /// Makes an empty database and gives its URL.
    ///
    /// # Errors
    /// With the server's message.
    pub fn create(&self, database: &str) -> Result<String> {
        self.query("postgres", &format!("create database \"{database}\""))?;
        Ok(format!("postgres://nexpura@127.0.0.1:{}/{database}", self.port))
    }

    /// Runs SQL and gives its rows, columns separated by tabs.
    ///
    /// # Errors
    /// With the server's message.
    pub fn query(&self, database: &str, sql: &str) -> Result<String> {
        let printed = process::run(
            Command::new(program("psql")?)
                .args([
                    "-X",
                    "-q",
                    "-A",
                    "-t",
                    "-F",
                    "\t",
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-U",
                    "nexpura",
                    "-h",
                ])
                .arg(self.folder.path())
                .arg("-p")
                .arg(self.port.to_string())
                .args(["-d", database, "-c", sql]),
        )?;
        Ok(String::from_utf8_lossy(&printed).trim_end().to_owned())
    }
}

impl Postgres {
    /// Runs a script of pgbench's by four connections for so many seconds, each statement prepared; gives what that
    /// prints.
    ///
    /// # Errors
    /// With the program's message.
    pub fn pgbench(&self, database: &str, script: &Path, seconds: u32) -> Result<String> {
        let printed = process::run(
            Command::new(program("pgbench")?)
                .args(["--no-vacuum", "--protocol=prepared", "--client=4", "--max-tries=100"])
                .arg(format!("--time={seconds}"))
                .arg("--file")
                .arg(script)
                .args(["-U", "nexpura", "-h"])
                .arg(self.folder.path())
                .arg("-p")
                .arg(self.port.to_string())
                .arg(database),
        )?;
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }
}

/// Whom Debian's package makes for its servers. PostgreSQL refuses to run as root.
const USER: &str = "postgres";

/// A command run as an unprivileged user where this process is root.
fn as_user(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    // The parent death signal is asked for once more: changing the user cleared the one that was set.
    command
        .args(["--reuid", USER, "--regid", USER, "--clear-groups", "--pdeathsig", "INT", "--"])
        .arg(program);
    // The working folder of root may be closed to that user.
    command.current_dir("/");
    command
}

/// A program of the newest PostgreSQL that is installed: Debian keeps them out of the PATH.
fn program(name: &str) -> Result<PathBuf> {
    let mut newest: Option<(u32, PathBuf)> = None;
    for entry in fs::read_dir("/usr/lib/postgresql").into_iter().flatten() {
        let folder = entry?.path();
        let version = folder.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse().ok());
        let candidate = folder.join("bin").join(name);
        if let Some(version) = version
            && candidate.is_file()
            && newest.as_ref().is_none_or(|(best, _)| version > *best)
        {
            newest = Some((version, candidate));
        }
    }
    match newest {
        Some((_, path)) => Ok(path),
        None => paths::program(name, "postgresql").context("PostgreSQL's own programs"),
    }
}
