//! On what the stories are told, and which of them are not, for whoever runs them.

use std::{env, fs::OpenOptions, io::Write, thread};

use anyhow::{Context, Result, ensure};

use super::sources::{Sources, Store, Wish};

/// Set and neither empty nor `0`: a story that cannot be told for want of WooCommerce fails.
const REQUIRED: &str = "NEXPURA_REQUIRE_WOOCOMMERCE";
/// A file that `scripts/tell-stories` reads when they have ended.
const KEPT_IN: &str = "NEXPURA_STORIES_TOLD";

/// Whether a story that is about WooCommerce itself can be told on these versions; where not, that is said and kept.
///
/// # Errors
/// When it cannot, and must; when no WordPress can be had either.
pub fn can_be(wish: &Wish) -> Result<bool> {
    let missing = match (Sources::find(wish), wish.woocommerce.is_some()) {
        (Ok(found), _) if found.store != Store::Double => return Ok(true),
        (Ok(_), _) => "WooCommerce cannot be had here, see scripts/find-wordpress".to_owned(),
        (Err(problem), true) => format!("{problem:#}"),
        (Err(problem), false) => return Err(problem),
    };
    let required = env::var(REQUIRED).is_ok_and(|value| !value.is_empty() && value != "0");
    ensure!(!required, "{REQUIRED} is set, and this cannot be told: {missing}");
    let story = thread::current().name().unwrap_or("a story").to_owned();
    // Past what the test harness keeps back of a test that passes.
    writeln!(
        std::io::stderr(),
        "NOT TOLD {story}: {}",
        missing.trim().lines().last().unwrap_or_default()
    )?;
    keep(&format!("untold {story}"))?;
    Ok(false)
}

/// Keeps that a shop was started on these sources.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn on(sources: &Sources) -> Result<()> {
    keep(&format!("on {}", sources.description))
}

fn keep(line: &str) -> Result<()> {
    let Some(path) = env::var_os(KEPT_IN) else { return Ok(()) };
    let file = OpenOptions::new().append(true).create(true).open(&path);
    let wrote = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    wrote.with_context(|| format!("writing {}", path.display()))
}
