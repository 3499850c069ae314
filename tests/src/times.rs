//! Durations of one kind, as benchmarks print them.

use std::time::Duration;

/// Durations of one kind.
#[derive(Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// The duration that a share of them, from 0 to 1, does not exceed, in milliseconds.
    pub fn at(&mut self, share: f64) -> f64 {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let place = (last as f64 * share).round() as usize;
        self.0.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
    }

    /// Prints them in one line.
    pub fn show(&mut self, what: &str) {
        let (half, most, nearly_all) = (self.at(0.5), self.at(0.95), self.at(0.99));
        println!(
            "{what:<44} p50 {half:7.1} ms   p95 {most:7.1} ms   p99 {nearly_all:7.1} ms   n {}",
            self.0.len()
        );
    }
}
