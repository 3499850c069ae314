//! What benchmarks measure beside what it may be: each told as it is measured, and what is beyond at the end.

use std::env;

use anyhow::{Result, ensure};

use crate::relay::Relay;

/// Set and neither empty nor `0`: a budget that is not kept makes a benchmark fail.
const STRICT: &str = "NEXPURA_BENCH_STRICT";

/// What a relay may take, in MiB.
const MEMORY: f64 = 64.0;

/// The budgets of one benchmark.
#[derive(Debug, Default)]
pub struct Budgets {
    held: usize,
    beyond: Vec<String>,
}

impl Budgets {
    /// Something that may be at most so much; gives what to print behind it.
    pub fn at_most(&mut self, what: &str, measured: f64, budget: f64, unit: &str) -> String {
        let within = measured <= budget;
        self.note(within, what, format!("{measured:.2} {unit} of at most {budget} {unit}"));
        told(within, "", budget, unit)
    }

    /// Something that must be at least so much; gives what to print behind it.
    pub fn at_least(&mut self, what: &str, measured: f64, budget: f64, unit: &str) -> String {
        let within = measured >= budget;
        self.note(within, what, format!("{measured:.2} {unit} of at least {budget} {unit}"));
        told(within, "at least ", budget, unit)
    }

    /// What a relay has taken at most, which is told.
    ///
    /// # Errors
    /// When its process does not tell.
    pub fn memory(&mut self, relay: &Relay, what: &str) -> Result<()> {
        let peak = relay.peak_memory()?.div_ceil(1024);
        let name = "  the relay's memory at its highest";
        #[allow(clippy::cast_precision_loss)]
        let verdict = self.at_most(&format!("{what},{name}"), peak as f64, MEMORY, "MiB");
        println!("{name:<44} {peak:7} MiB   {verdict}");
        Ok(())
    }

    /// What is no number is not within its budget either.
    fn note(&mut self, within: bool, what: &str, measured: String) {
        if within {
            self.held += 1;
        } else {
            self.beyond.push(format!("{}: {measured}", what.trim()));
        }
    }

    /// Says at the end which were not kept.
    ///
    /// # Errors
    /// When one was not, and `NEXPURA_BENCH_STRICT` is set.
    pub fn end(self) -> Result<()> {
        let all = self.held + self.beyond.len();
        println!("\n{} of {all} budgets kept.", self.held);
        for one in &self.beyond {
            println!("  BEYOND  {one}");
        }
        let strict = env::var(STRICT).is_ok_and(|value| !value.is_empty() && value != "0");
        ensure!(!strict || self.beyond.is_empty(), "{} beyond their budget", self.beyond.len());
        Ok(())
    }
}

fn told(within: bool, least: &str, budget: f64, unit: &str) -> String {
    let verdict = if within { "within" } else { "BEYOND" };
    format!("{verdict} its budget, {least}{budget} {unit}")
}
