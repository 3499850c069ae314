//! What the person in front of the demo sees while it works.

use std::{
    io::{IsTerminal, Write, stdout},
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::Result;

/// One line a step: what is being done, for how long already, and what came of it.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    terminal: bool,
}

impl Progress {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { started: Instant::now(), terminal: stdout().is_terminal() })
    }

    /// Runs a step, showing that it runs, and then what it gave.
    pub(crate) async fn step<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T>>,
        outcome: impl FnOnce(&T) -> String,
    ) -> Result<T> {
        let ticker = Ticker::start(what, self.terminal);
        let result = work.await;
        drop(ticker);
        match &result {
            Ok(value) => self.done(&outcome(value)),
            Err(_) => self.line("✗", &format!("failed: {what}")),
        }
        result
    }

    /// A step that is done.
    pub(crate) fn done(&self, what: &str) {
        self.line("✓", what);
    }

    fn line(&self, sign: &str, what: &str) {
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        println!("{clear}  {sign} {:>5.1} s  {what}", self.started.elapsed().as_secs_f64());
    }
}

/// Shows once a second that a step still runs; on a thread of its own, since a step may block.
struct Ticker {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(what: &str, terminal: bool) -> Self {
        let what = what.to_owned();
        let (end, ended) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            let started = Instant::now();
            // Where lines cannot be overwritten, say it rarely.
            let pause = Duration::from_secs(if terminal { 1 } else { 10 });
            loop {
                if terminal {
                    print!("\r\x1b[K  · {what} … {} s", started.elapsed().as_secs());
                    let _closed = stdout().flush();
                }
                if ended.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                if !terminal {
                    println!("  · {what} … {} s", started.elapsed().as_secs());
                }
            }
        });
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}
