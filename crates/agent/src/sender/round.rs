//! One round of the sender: look at the intents, send one push, act on its answer.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use nexpura_protocol::{Answer, batch::MAX_EVENTS};
use tokio::time::Instant;

use super::{
    SharedConnection, Timing,
    backoff::Backoff,
    clock::Clock,
    deliver::{Courier, Reply},
    now_ms,
};
use crate::{
    process::Identity,
    spool::{Outgoing, Spool, SpoolError},
};

/// What to do after a round.
pub(super) enum Next {
    /// The next round at once.
    Again,
    /// Nothing to send: sleep until something is written, or [`Rounds::idle_until`].
    Idle,
    /// Something failed: sleep this long.
    Wait(Duration),
}

/// What a sender remembers between rounds.
pub(super) struct Rounds<'a> {
    spool: &'a Spool,
    timing: Timing,
    backoff: Backoff,
    clock: Option<Clock>,
    /// The last answer said that the timestamp was stale, and the clock has been corrected since.
    corrected: bool,
    /// Events a push; halved while the relay refuses a push.
    limit: usize,
    heartbeat_due: Instant,
    intents_due: Instant,
    open_intents: bool,
    /// No push before this.
    held_back_until: Option<Instant>,
    failed_at: Instant,
    /// The relay itself asked to be left alone.
    asked_to_wait: bool,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(spool: &'a Spool, timing: Timing) -> Self {
        let now = Instant::now();
        Self {
            spool,
            timing,
            backoff: Backoff::new(timing.first_retry, timing.longest_retry),
            clock: None,
            corrected: false,
            limit: MAX_EVENTS,
            // The first one at once: the relay learns that this spool lives.
            heartbeat_due: now,
            intents_due: now,
            open_intents: true,
            held_back_until: None,
            failed_at: now,
            asked_to_wait: false,
        }
    }

    /// When there is something to do even if nothing is written.
    pub(super) fn idle_until(&self) -> Instant {
        if self.open_intents {
            self.heartbeat_due.min(self.intents_due)
        } else {
            self.heartbeat_due
        }
    }

    /// Somebody waits for the spool to be emptied: nothing is held back for longer than this after a failure, unless
    /// the relay has asked to be left alone.
    pub(super) fn hurry(&mut self, pause: Duration) {
        if let (Some(until), false) = (self.held_back_until, self.asked_to_wait) {
            self.held_back_until = Some(until.min(self.failed_at + pause));
        }
    }

    pub(super) async fn next(
        &mut self,
        courier: &Courier,
        connection: &SharedConnection,
        delivered: &AtomicU64,
    ) -> Next {
        match self.round(courier, connection, delivered).await {
            Ok(next) => next,
            // The spool cannot be read or written: nothing can be noted in it either.
            Err(error) => {
                tracing::warn!(%error, "the spool cannot be used");
                self.hold_back(None)
            }
        }
    }

    async fn round(
        &mut self,
        courier: &Courier,
        connection: &SharedConnection,
        delivered: &AtomicU64,
    ) -> Result<Next, SpoolError> {
        self.look_at_intents()?;
        if let Some(until) = self.held_back_until {
            let now = Instant::now();
            if now < until {
                return Ok(Next::Wait(until - now));
            }
            self.held_back_until = None;
            self.asked_to_wait = false;
        }
        let push = self.spool.next_push(self.limit, now_ms())?;
        self.open_intents = push.open_intents > 0;
        if push.events.is_empty() && Instant::now() < self.heartbeat_due {
            return Ok(Next::Idle);
        }
        let clock = self.clock()?;
        let local = now_ms();
        let reply = courier
            .push(&connection.get(), push.body.clone(), clock.signing_time(local), local)
            .await;
        match reply {
            Reply::Answered(answer) => self.settle(&push, &answer, delivered),
            Reply::Stale(date) => self.correct_clock(date.as_deref()),
            Reply::Refused(message) => self.split(&push, &message),
            Reply::Failed { message, retry_after } => self.fail(&message, retry_after),
            Reply::Slow(message) => {
                // Perhaps the line is too slow for so much at once.
                self.limit = (push.events.len() / 2).max(1);
                self.fail(&message, None)
            }
        }
    }

    fn look_at_intents(&mut self) -> Result<(), SpoolError> {
        // While pushes are held back nobody tells whether there are any.
        let perhaps_open = self.open_intents || self.held_back_until.is_some();
        if !perhaps_open || Instant::now() < self.intents_due {
            return Ok(());
        }
        self.intents_due = Instant::now() + self.timing.intent_check;
        let age_ms = i64::try_from(self.timing.intent_age.as_millis()).unwrap_or(i64::MAX);
        let touched = self.spool.touch_abandoned(age_ms, now_ms(), Identity::life)?;
        if touched > 0 {
            tracing::info!(touched, "requests left something unfinished; the relay will fetch it");
        }
        Ok(())
    }

    fn clock(&mut self) -> Result<Clock, SpoolError> {
        if let Some(clock) = self.clock {
            return Ok(clock);
        }
        let clock = Clock { offset: self.spool.known(now_ms())?.clock_offset };
        self.clock = Some(clock);
        Ok(clock)
    }

    /// Removes what was answered, and nothing beyond what the relay says it has stored.
    fn settle(
        &mut self,
        push: &Outgoing,
        answer: &Answer,
        delivered: &AtomicU64,
    ) -> Result<Next, SpoolError> {
        let sent: HashMap<&str, u64> =
            push.events.iter().map(|(seq, id)| (id.as_str(), *seq)).collect();
        let answered: Vec<(u64, &str)> = answer
            .results
            .iter()
            .filter_map(|outcome| {
                sent.get(outcome.id.as_str()).map(|seq| (*seq, outcome.id.as_str()))
            })
            .filter(|(seq, _)| *seq <= answer.ack)
            .collect();
        if answered.is_empty() && !push.events.is_empty() {
            return self.fail(
                "the relay answers without acknowledging anything; what was sent is kept and sent again",
                None,
            );
        }
        let removed = self.spool.settle(&answered, now_ms())?;
        delivered.fetch_add(removed as u64, Ordering::Relaxed);
        self.spool.tidy(now_ms())?;
        self.backoff.reset();
        self.corrected = false;
        // A relay that waits for this shop's next report says so.
        let asked = answer.report_in.map(|seconds| Duration::from_secs(seconds.max(1).into()));
        let pause = asked.map_or(self.timing.heartbeat, |asked| asked.min(self.timing.heartbeat));
        self.heartbeat_due = Instant::now() + pause;
        self.limit = (self.limit * 2).min(MAX_EVENTS);
        if push.events.is_empty() { Ok(Next::Idle) } else { Ok(Next::Again) }
    }

    /// Our clock is wrong: take the relay's, and try again at once, once.
    fn correct_clock(&mut self, date: Option<&str>) -> Result<Next, SpoolError> {
        let local = now_ms();
        match date.and_then(|date| Clock::corrected(date, local)) {
            Some(clock) if !self.corrected => {
                tracing::warn!(
                    offset = clock.offset,
                    "this machine's clock is wrong; signing by the relay's"
                );
                self.clock = Some(clock);
                self.corrected = true;
                self.spool.note_clock_offset(clock.offset, local)?;
                Ok(Next::Again)
            }
            _ => {
                // The next stale answer after the pause may correct again.
                self.corrected = false;
                self.fail(
                    "the relay finds this server's clock wrong and does not say the time: set the clock (NTP)",
                    None,
                )
            }
        }
    }

    /// The relay refuses the push: send half as much, and a lone event without its payload.
    fn split(&mut self, push: &Outgoing, message: &str) -> Result<Next, SpoolError> {
        match push.events.as_slice() {
            [] => self.fail(message, None),
            [(seq, id)] => {
                if self.spool.reduce_to_touch(*seq, id, now_ms())? {
                    tracing::warn!(seq, "{message}; the relay is asked to fetch it instead");
                    return Ok(Next::Again);
                }
                self.fail(message, None)
            }
            several => {
                self.limit = several.len() / 2;
                Ok(Next::Again)
            }
        }
    }

    /// Keeps everything, tells the admin, and waits.
    fn fail(&mut self, message: &str, asked: Option<Duration>) -> Result<Next, SpoolError> {
        tracing::warn!("{message}");
        let next = self.hold_back(asked);
        self.spool.note_error(message, now_ms())?;
        Ok(next)
    }

    fn hold_back(&mut self, asked: Option<Duration>) -> Next {
        let pause = self.backoff.after_failure(asked, chance());
        self.failed_at = Instant::now();
        self.held_back_until = Some(self.failed_at + pause);
        self.asked_to_wait = asked.is_some();
        Next::Wait(pause)
    }
}

/// A number between 0 and 1. Where the system has no randomness to give, the waits are merely not spread.
fn chance() -> f64 {
    getrandom::u32().map_or(0.0, |number| f64::from(number) / f64::from(u32::MAX))
}
