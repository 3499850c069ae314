//! Walks through pages in a real browser: Playwright drives the system's Chromium, a story has started all else.

use std::{path::PathBuf, process::Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
};

use crate::{paths, process};

/// Where the pictures of a walk lie afterwards: `target/nexpura/pictures/<walk>`.
///
/// # Errors
/// When the folder cannot be made.
pub fn pictures() -> Result<PathBuf> {
    paths::cache("pictures")
}

/// The python with Playwright; made by `scripts/install-browser` where it is missing.
fn python() -> Result<String> {
    let script = paths::repository().join("scripts/install-browser");
    let target = paths::built()?;
    let mut command = std::process::Command::new(script);
    command.env("CARGO_TARGET_DIR", target.parent().context("binaries lie in no folder")?);
    let printed = process::run(&mut command)?;
    Ok(String::from_utf8_lossy(&printed).trim().to_owned())
}

/// Runs `tests/browser/<name>.py`. It is told `start`; whatever it asks for, by a verb and arguments, `serve` does.
///
/// # Errors
/// When the walk fails, with what it said; or when `serve` fails and the walk does not catch that.
pub async fn walk(
    name: &str,
    start: &Value,
    mut serve: impl AsyncFnMut(&str, &Value) -> Result<Value>,
) -> Result<()> {
    let chromium = paths::program("chromium", "chromium")?;
    let mut child = Command::new(python()?)
        .arg(paths::repository().join("tests/browser").join(format!("{name}.py")))
        .env("NEXPURA_CHROMIUM", chromium)
        .env("NEXPURA_PICTURES", pictures()?)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting the walk {name}"))?;
    let mut tell = child.stdin.take().context("no input")?;
    let mut asked = BufReader::new(child.stdout.take().context("no output")?).lines();
    tell.write_all(format!("{start}\n").as_bytes()).await?;
    while let Some(line) = asked.next_line().await? {
        let request: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        let verb = request["verb"].as_str().context("a request without a verb")?;
        let answer = match serve(verb, &request).await {
            Ok(done) => json!({ "done": done }),
            Err(error) => json!({ "error": format!("{error:#}") }),
        };
        tell.write_all(format!("{answer}\n").as_bytes()).await?;
    }
    let ended = child.wait_with_output().await?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "the walk {name} failed:\n{said}");
    Ok(())
}
