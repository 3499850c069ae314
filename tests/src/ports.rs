//! Loopback ports for the servers that a test starts.

use std::{
    collections::HashSet,
    net::TcpListener,
    process,
    sync::{LazyLock, Mutex, PoisonError},
};

use anyhow::{Result, bail};

/// Below Linux's ephemeral range (32768 and up), so that no outgoing connection takes one by chance.
const RANGE: std::ops::Range<u16> = 12_000..32_000;

static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A loopback port on which nothing listens and which this process has not given out before.
///
/// # Errors
/// When no port of the range is free.
pub fn free() -> Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Processes that run side by side begin at different places.
    let span = u32::from(RANGE.end - RANGE.start);
    let first = process::id().wrapping_mul(7_919) % span;
    for step in 0..span {
        let port = RANGE.start + u16::try_from((first + step) % span)?;
        if !given.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            given.insert(port);
            return Ok(port);
        }
    }
    bail!("no free loopback port between {} and {}", RANGE.start, RANGE.end)
}
