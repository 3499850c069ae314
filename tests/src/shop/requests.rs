//! What nginx noted of the requests that a relay made.

use std::fs;

use anyhow::{Context, Result};

use super::Shop;

/// One request of a relay's, as the shop saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// When its answer was through, in seconds since 1970.
    pub ended_at: f64,
    /// How long the shop had it, in seconds.
    pub took: f64,
    /// The answer's status.
    pub status: u16,
    /// Method, address and protocol.
    pub line: String,
}

impl Asked {
    /// When it came in, in seconds since 1970.
    #[must_use]
    pub fn began_at(&self) -> f64 {
        self.ended_at - self.took
    }
}

impl Shop {
    /// Every request that a relay has made so far, in the order of their beginnings.
    ///
    /// # Errors
    /// When nginx's log cannot be read.
    pub fn asked_by_relays(&self) -> Result<Vec<Asked>> {
        let log = fs::read_to_string(self.folder().join("access.log"))?;
        let mut asked: Vec<Asked> = log
            .lines()
            .filter(|line| line.contains("\tNexpura-Relay/"))
            .map(|line| {
                let mut columns = line.splitn(5, '\t');
                let mut next = || columns.next().with_context(|| format!("a short line: {line}"));
                let (ended_at, took, status) =
                    (next()?.parse()?, next()?.parse()?, next()?.parse()?);
                let _agent = next()?;
                Ok(Asked { ended_at, took, status, line: next()?.to_owned() })
            })
            .collect::<Result<_>>()?;
        asked.sort_by(|one, other| one.began_at().total_cmp(&other.began_at()));
        Ok(asked)
    }
}

/// What the same requests take one after the other, never more than `rate` a second.
#[must_use]
pub fn serving_time(asked: &[Asked], rate: f64) -> f64 {
    asked.iter().map(|one| one.took.max(1.0 / rate)).sum()
}

/// The most requests that began within any `seconds`.
#[must_use]
pub fn most_within(asked: &[Asked], seconds: f64) -> usize {
    let mut most = 0;
    for (at, first) in asked.iter().enumerate() {
        let end = first.began_at() + seconds;
        let count = asked[at..].iter().take_while(|one| one.began_at() < end).count();
        most = most.max(count);
    }
    most
}
