//! The command line on the ledger of a relay in this process: one jeweller's words.

use std::process::{Command, Output};

use serde_json::Value;

use super::relay::{MASTER_KEY, TestRelay};

/// The program as somebody runs it for one jeweller.
pub(crate) struct Program<'a> {
    pub(crate) relay: &'a TestRelay,
    pub(crate) tenant: &'a str,
}

impl Program<'_> {
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_nexpura-relay"))
            .args(words)
            .args(["--tenant", self.tenant])
            .env_clear()
            .env("NEXPURA_DATABASE_URL", &self.relay.database.url)
            .env("NEXPURA_MASTER_KEY", MASTER_KEY)
            .env("NEXPURA_ALLOW_PRIVATE_STORES", "127.0.0.0/8")
            .output()
            .unwrap()
    }

    /// What a command that must succeed prints for machines.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[words, &["--json"]].concat())).unwrap()
    }

    /// What it prints for people.
    pub(crate) fn text(&self, words: &[&str]) -> String {
        let done = self.run(words);
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// What a command that must fail says; it prints nothing else.
    pub(crate) fn refused(&self, words: &[&str]) -> String {
        let done = self.run(words);
        assert!(!done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stdout));
        assert!(done.stdout.is_empty(), "{}", String::from_utf8_lossy(&done.stdout));
        String::from_utf8(done.stderr).unwrap()
    }
}
