//! Pictures of jewellery for a shop's products.

use std::{fs, path::PathBuf, process::Command};

use anyhow::Result;

use crate::{paths, process};

/// The folder with them, one file for each name in `tests/wordpress/demo/draw.php`; drawn once, kept under `target/`.
///
/// # Errors
/// When they cannot be drawn.
pub fn drawn() -> Result<PathBuf> {
    let script = paths::repository().join("tests/wordpress/demo/draw.php");
    let key = paths::digest([fs::read(&script)?.as_slice()]);
    let ready = paths::cache("jewellery")?.join(key);
    let _others_wait = paths::lock("jewellery")?;
    if !ready.exists() {
        let making = ready.with_extension("making");
        fs::create_dir_all(&making)?;
        process::run(Command::new("php").arg(script).arg(&making))?;
        fs::rename(&making, &ready)?;
    }
    Ok(ready)
}
