//! PHP-FPM with a pool of one shop's own.

use std::{
    fmt::Write as _,
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::php::{Ini, Php};
use crate::{process::Process, wait};

/// How the pool keeps its workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// That many, from the start to the end.
    Static(u32),
    /// At most that many, each ended once it has been idle for a second.
    OnDemand(u32),
}

/// A running pool.
#[derive(Debug)]
pub struct Fpm {
    /// The master; it ends its workers when it is stopped.
    pub master: Process,
    socket: PathBuf,
}

impl Fpm {
    /// Starts a pool in `folder`, whose workers see `environment`.
    ///
    /// # Errors
    /// When it cannot be started; the message holds the end of its log.
    pub fn start(
        php: &Php,
        ini: &Ini,
        folder: &Path,
        workers: Workers,
        environment: &[(String, String)],
    ) -> Result<Self> {
        let socket = folder.join("fpm.sock");
        let log = folder.join("fpm.log");
        let root = rustix::process::geteuid().is_root();
        let mut pool = format!(
            "[global]\nerror_log = {log}\ndaemonize = no\nprocess_control_timeout = 5s\n\
             [shop]\nlisten = {socket}\nlisten.backlog = 511\ncatch_workers_output = yes\nclear_env = no\n\
             pm.max_requests = 0\n",
            log = log.display(),
            socket = socket.display(),
        );
        match workers {
            Workers::Static(count) => write!(pool, "pm = static\npm.max_children = {count}\n")?,
            Workers::OnDemand(count) => {
                write!(
                    pool,
                    "pm = ondemand\npm.max_children = {count}\npm.process_idle_timeout = 1s\n"
                )?;
            }
        }
        if root {
            pool.push_str("user = root\ngroup = root\n");
        }
        for (name, value) in environment {
            writeln!(pool, "env[{name}] = \"{value}\"")?;
        }
        let config = folder.join("fpm.conf");
        fs::write(&config, pool)?;
        let mut command = Command::new(&php.fpm);
        command
            .arg("--nodaemonize")
            .arg("--fpm-config")
            .arg(&config)
            .env("PHP_INI_SCAN_DIR", ini.scan());
        if root {
            command.arg("--allow-to-run-as-root");
        }
        let mut master = Process::start("PHP-FPM", &command, &log, Signal::TERM)?;
        master
            .wait_until_ready(Duration::from_secs(30), || UnixStream::connect(&socket).is_ok())?;
        Ok(Self { master, socket })
    }

    /// Its workers of this moment.
    ///
    /// # Errors
    /// When the master is gone.
    pub fn workers(&self) -> Result<Vec<Pid>> {
        let master = self.master.pid();
        let children = fs::read_to_string(format!("/proc/{master}/task/{master}/children"))?;
        children
            .split_whitespace()
            .map(|pid| Pid::from_raw(pid.parse()?).context("no process has this id"))
            .collect()
    }

    /// Kills every worker, whatever it is at, and waits until the master has others instead.
    ///
    /// # Errors
    /// When the master is gone or does not start any.
    pub async fn kill_workers(&self) -> Result<()> {
        let killed = self.workers()?;
        for worker in &killed {
            let _ended_by_itself = kill_process(*worker, Signal::KILL);
        }
        wait::until("PHP-FPM has new workers", Duration::from_secs(30), async || {
            let workers = self.workers()?;
            let renewed = !workers.is_empty() && !workers.iter().any(|pid| killed.contains(pid));
            Ok(renewed.then_some(()))
        })
        .await
    }

    /// Where nginx reaches it.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}
