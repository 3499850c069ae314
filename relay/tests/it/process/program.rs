//! The program in a folder of its own, run once or served.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use nexpura_protocol::ConnectionString;
use nexpura_relay::store::Db;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::database::fast_folder;

const PROGRAM: &str = env!("CARGO_BIN_EXE_nexpura-relay");

/// A folder with a relay's database, and the program.
pub(super) struct Home {
    pub(super) folder: TempDir,
}

impl Home {
    pub(super) fn new() -> Self {
        Self { folder: fast_folder("nexpura-program-") }
    }

    pub(super) fn database(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("n.db").display())
    }

    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(words);
        self.prepare(&mut command);
        command
    }

    fn prepare(&self, command: &mut Command) {
        command
            .env_clear()
            .env("NEXPURA_DATABASE_URL", self.database())
            .env("NEXPURA_LISTEN", "127.0.0.1:0")
            .env("NEXPURA_PUBLIC_URL", "https://relay.example")
            .env("NEXPURA_ALLOW_PRIVATE_STORES", "127.0.0.0/8")
            .current_dir(self.folder.path());
    }

    /// The same in a terminal of its own, whose screen is what it prints.
    pub(super) fn in_a_terminal(&self, words: &[&str]) -> Command {
        let typed = format!("exec {PROGRAM} {}", words.join(" "));
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &typed, "/dev/null"]);
        self.prepare(&mut command);
        command.env("TERM", "xterm");
        command
    }

    pub(super) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Standard output of a command that must succeed, as JSON.
    pub(super) fn json(&self, words: &[&str]) -> Value {
        let done = self.run(&[words, &["--json"]].concat());
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stdout)))
    }

    /// What a command that must fail says.
    pub(super) fn refused(&self, words: &[&str], set: &[(&str, &str)]) -> String {
        let done = self.command(words).envs(set.iter().copied()).output().unwrap();
        assert!(!done.status.success(), "{words:?}");
        String::from_utf8(done.stderr).unwrap()
    }

    pub(super) fn connection(&self, words: &[&str]) -> ConnectionString {
        let made = self.json(&[&["connection", "create", "--tenant", "Ann"], words].concat());
        let connection = made["connection_string"].as_str().unwrap();
        let connection = ConnectionString::parse(connection).unwrap();
        assert_eq!(made["connection_id"], connection.id());
        connection
    }

    pub(super) async fn db(&self) -> Db {
        Db::open(&self.database()).await.unwrap()
    }
}

/// A running relay; killed when dropped.
pub(super) struct Serving {
    pub(super) child: Child,
    pub(super) address: SocketAddr,
    pub(super) log: Arc<Mutex<String>>,
}

impl Serving {
    pub(super) fn start(home: &Home, set: &[(&str, &str)]) -> Self {
        let mut child = home
            .command(&["serve"])
            .envs(set.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(String::new()));
        let mut address = None;
        while address.is_none() {
            let mut line = String::new();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it ended: {}", log.lock().unwrap());
            log.lock().unwrap().push_str(&line);
            let told: Value = serde_json::from_str(&line).expect("a line of JSON");
            address = told["fields"]["address"].as_str().map(|text| text.parse().unwrap());
        }
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
                kept.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        Self { child, address: address.unwrap(), log }
    }

    pub(super) fn terminate(&self) {
        terminate(self.child.id());
    }

    /// Waits for its end, which must be a good one.
    pub(super) fn ended(&mut self) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{status}: {}", self.log.lock().unwrap());
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn terminate(process: u32) {
    let told = Command::new("kill").args(["-TERM", &process.to_string()]).status().unwrap();
    assert!(told.success());
}
