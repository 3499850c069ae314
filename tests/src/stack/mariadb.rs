//! A MariaDB of the tests' own: one server a process, shared by its shops, a database a shop.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    paths,
    process::{self, Process},
};

/// A running server. Its data lies in a temporary folder and goes with it.
#[derive(Debug)]
pub struct MariaDb {
    // Dropped in this order: the server before its files.
    _server: Process,
    folder: TempDir,
}

static SHARED: Mutex<Weak<MariaDb>> = Mutex::new(Weak::new());

impl MariaDb {
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

    /// Starts a server on a copy of an empty data folder.
    fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("nexpura-mariadb-").tempdir()?;
        let data = folder.path().join("data");
        process::run(Command::new("cp").arg("-a").arg(empty_data()?).arg(&data))?;
        let log = folder.path().join("mariadb.log");
        let mut command = Command::new(program("mariadbd")?);
        command
            .args(options(&data))
            .arg(format!("--socket={}", socket(folder.path()).display()))
            .arg(format!("--pid-file={}", folder.path().join("pid").display()));
        // Its data is thrown away, so it needs no orderly end.
        let mut server = Process::start("MariaDB", &command, &log, Signal::KILL)?;
        let this = socket(folder.path());
        server.wait_until_ready(Duration::from_secs(60), || {
            client(&this).args(["-e", "select 1"]).output().is_ok_and(|o| o.status.success())
        })?;
        Ok(Self { _server: server, folder })
    }

    /// Its socket, as PHP and the client programs take it.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket(self.folder.path())
    }

    /// Makes an empty database.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn create(&self, database: &str) -> Result<()> {
        self.query(None, &format!("create database `{database}` character set utf8mb4"))?;
        Ok(())
    }

    /// Removes a database.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn remove(&self, database: &str) -> Result<()> {
        self.query(None, &format!("drop database if exists `{database}`"))?;
        Ok(())
    }

    /// Writes a database's content to a file.
    ///
    /// # Errors
    /// When it cannot be read or the file cannot be written.
    pub fn dump(&self, database: &str, to: &Path) -> Result<()> {
        let output = Command::new(program("mariadb-dump")?)
            .arg("--no-defaults")
            .arg(format!("--socket={}", self.socket().display()))
            .args(["--user=root", "--single-transaction", "--skip-comments", database])
            .stdout(File::create(to)?)
            .stderr(Stdio::piped())
            .spawn()?
            .wait_with_output()?;
        if !output.status.success() {
            bail!("mariadb-dump failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Fills a database from such a file.
    ///
    /// # Errors
    /// When the file cannot be read or a statement fails.
    pub fn import(&self, database: &str, from: &Path) -> Result<()> {
        let output = client(&self.socket())
            .args(["--init-command=set session foreign_key_checks=0, unique_checks=0", database])
            .stdin(File::open(from)?)
            .output()?;
        if !output.status.success() {
            bail!(
                "importing {} failed: {}",
                from.display(),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }

    /// Runs SQL and gives its rows, columns separated by tabs, without a header.
    ///
    /// # Errors
    /// With the server's message.
    pub fn query(&self, database: Option<&str>, sql: &str) -> Result<String> {
        let mut command = client(&self.socket());
        command.args(["--batch", "--skip-column-names", "-e", sql]);
        if let Some(database) = database {
            command.arg(database);
        }
        let printed = process::run(&mut command)?;
        Ok(String::from_utf8_lossy(&printed).trim_end().to_owned())
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("mysqld.sock")
}

fn client(socket: &Path) -> Command {
    let mut command = Command::new("mariadb");
    command.arg("--no-defaults").arg(format!("--socket={}", socket.display())).arg("--user=root");
    command
}

/// What every start of a server on a data folder needs, its making included.
fn options(data: &Path) -> Vec<String> {
    let mut options = vec![
        "--no-defaults".to_owned(),
        format!("--datadir={}", data.display()),
        // A test's data need not outlive a power cut; durability costs several milliseconds a commit.
        "--innodb-flush-log-at-trx-commit=2".to_owned(),
        "--innodb-flush-method=nosync".to_owned(),
        "--skip-innodb-doublewrite".to_owned(),
        "--innodb-log-file-size=16M".to_owned(),
        "--innodb-buffer-pool-size=128M".to_owned(),
        "--sync-frm=0".to_owned(),
        "--skip-log-bin".to_owned(),
        "--skip-networking".to_owned(),
        "--max-connections=200".to_owned(),
        "--character-set-server=utf8mb4".to_owned(),
    ];
    if rustix::process::geteuid().is_root() {
        // The server refuses root unless told so by name.
        options.push("--user=root".to_owned());
    }
    options
}

/// A data folder as a fresh installation has it; made once and copied for each start.
fn empty_data() -> Result<PathBuf> {
    let version =
        process::run(Command::new(program("mariadbd")?).args(["--no-defaults", "--version"]))?;
    let version = paths::digest([version.as_slice()]);
    let ready = paths::cache("mariadb")?.join(version);
    let _others_wait = paths::lock("mariadb")?;
    if ready.exists() {
        return Ok(ready);
    }
    let making = ready.with_extension("making");
    if making.exists() {
        fs::remove_dir_all(&making)?;
    }
    process::run(Command::new(program("mariadb-install-db")?).args(options(&making)).args([
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--skip-name-resolve",
    ]))
    .context("making MariaDB's empty data folder")?;
    fs::rename(&making, &ready)?;
    Ok(ready)
}

/// A server program, which may lie outside an ordinary user's PATH.
fn program(name: &str) -> Result<PathBuf> {
    paths::program(name, "mariadb-server")
}
