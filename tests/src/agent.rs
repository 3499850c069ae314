//! The agent daemon, sending for a shop in place of a thread in PHP.

use std::process::Command;

use anyhow::Result;
use rustix::process::Signal;

use crate::{paths, process::Process, relay::Connection, shop::Shop};

/// A running `nexpura-agent`.
#[derive(Debug)]
pub struct Agent {
    process: Process,
}

impl Agent {
    /// Starts it on a shop's spool.
    ///
    /// # Errors
    /// When it is not built or does not start.
    pub fn start(shop: &Shop, connection: &Connection) -> Result<Self> {
        let mut command = Command::new(paths::artefact("nexpura-agent", "nexpura-agent")?);
        command
            .arg("run")
            .arg("--spool-dir")
            .arg(shop.spool())
            .env("NEXPURA_CONNECTION", &connection.string);
        let log = shop.folder().join("agent.log");
        Ok(Self { process: Process::start("nexpura-agent", &command, &log, Signal::TERM)? })
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to end and waits until it has.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }
}
