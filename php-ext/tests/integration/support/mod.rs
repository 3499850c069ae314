//! Runs PHP with the extension that was just built.

pub mod fpm;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use nexpura_agent::Spool;
use nexpura_protocol::ConnectionString;
use serde_json::Value;
use tempfile::TempDir;

use crate::agent::{self, ID};

/// The library that cargo built together with these tests, and put beside them.
pub fn extension() -> PathBuf {
    let library = std::env::current_exe().unwrap().with_file_name("libnexpura.so");
    assert!(library.exists(), "{} is not built", library.display());
    library
}

/// The script of a feature.
pub fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration").join(path)
}

/// A place for one shop's spool, and the connection it uses.
pub struct Site {
    pub directory: TempDir,
    pub connection: ConnectionString,
}

impl Site {
    /// A site whose relay is not there.
    pub fn alone() -> Self {
        Self::connected(&agent::connection(9))
    }

    pub fn connected(connection: &ConnectionString) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), connection: connection.clone() }
    }

    pub fn spool_dir(&self) -> PathBuf {
        self.directory.path().join("spool")
    }

    /// The spool as another process sees it.
    pub fn spool(&self) -> Spool {
        Spool::at(&self.spool_dir(), ID, 1 << 28)
    }

    /// The settings, as `-d` takes them.
    pub fn settings(&self) -> Vec<String> {
        vec![
            format!("extension={}", extension().display()),
            format!("nexpura.spool_dir={}", self.spool_dir().display()),
            "error_reporting=32767".into(),
            "display_errors=1".into(),
            "display_startup_errors=1".into(),
            "html_errors=0".into(),
            "log_errors=0".into(),
        ]
    }

    /// PHP with this script; no php.ini of the machine is read.
    pub fn php(&self, path: &str) -> Command {
        self.php_with(path, &[])
    }

    pub fn php_with(&self, path: &str, extra: &[&str]) -> Command {
        let mut command = Command::new("php");
        command.arg("-n");
        for setting in self.settings().iter().map(String::as_str).chain(extra.iter().copied()) {
            command.args(["-d", setting]);
        }
        command
            .arg(script(path))
            .env("CONNECTION", self.connection.expose())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the script and answers the JSON that it printed; anything else it prints fails the test.
    #[track_caller]
    pub fn run(&self, path: &str) -> Value {
        printed(&self.php(path).output().unwrap())
    }

    #[track_caller]
    pub fn run_with(&self, path: &str, extra: &[&str]) -> Value {
        printed(&self.php_with(path, extra).output().unwrap())
    }
}

#[track_caller]
pub fn printed(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}\n{text}\n{errors}", output.status);
    assert_eq!(errors, "", "nothing goes to the error output");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
