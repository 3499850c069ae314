//! The command of a server's operator runs as the service does: `relay/nexpura-relay.sh`.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

const SETTINGS: &str = "# what people write into it
NEXPURA_PUBLIC_URL=https://ledger.example
  NEXPURA_DATABASE_URL = \"postgres://nexpura:a&b$c d@db.example/nexpura?x=1\"\x20\x20
PGPASSWORD='it is \"secret\"'
lower=no
RUST_LOG=debug";

/// The script with this file for its settings, and with stand-ins for what it calls.
fn script(folder: &Path, user: &str) -> Result<String> {
    let text = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../relay/nexpura-relay.sh"),
    )?;
    let folder = folder.display();
    let mut shown = text.clone();
    for (what, instead) in [
        ("$(id -u)", user.to_owned()),
        ("settings=/etc/nexpura/relay.env", format!("settings={folder}/relay.env")),
        ("program=/usr/lib/nexpura/nexpura-relay", format!("program={folder}/program")),
        ("exec runuser -u", format!("exec {folder}/runuser -u")),
    ] {
        ensure!(shown.contains(what), "{what} is not in it any more");
        shown = shown.replace(what, &instead);
    }
    Ok(shown)
}

fn executable(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}

/// What it prints, or what it fails with.
fn run(user: &str, words: &[&str]) -> Result<std::result::Result<String, String>> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("relay.env"), SETTINGS)?;
    executable(
        &folder.path().join("runuser"),
        "#!/bin/sh\nprintf 'as %s\\n' \"$2\"\nshift 3\nexec \"$@\"\n",
    )?;
    executable(&folder.path().join("program"), "#!/bin/sh\nprintf 'words %s\\n' \"$*\"\nenv\n")?;
    let told = Command::new("sh")
        .arg("-c")
        .arg(script(folder.path(), user)?)
        .arg("nexpura-relay")
        .args(words)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .context("sh")?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ok(if told.status.success() { Ok(text(&told.stdout)) } else { Err(text(&told.stderr)) })
}

#[test]
fn a_command_has_the_services_user_settings_and_ledger() -> Result<()> {
    let told =
        run("0", &["store", "list", "--tenant", "Acme & Sons"])?.map_err(anyhow::Error::msg)?;
    let lines: Vec<&str> = told.lines().collect();
    ensure!(lines[..2] == ["as nexpura-relay", "words store list --tenant Acme & Sons"], "{told}");
    for wanted in [
        "HOME=/var/lib/nexpura-relay",
        "NEXPURA_PUBLIC_URL=https://ledger.example",
        "NEXPURA_DATABASE_URL=postgres://nexpura:a&b$c d@db.example/nexpura?x=1",
        "PGPASSWORD=it is \"secret\"",
        "RUST_LOG=debug",
    ] {
        ensure!(lines.contains(&wanted), "{wanted} is missing:\n{told}");
    }
    ensure!(!told.contains("lower="), "{told}");
    Ok(())
}

#[test]
fn the_plugin_is_written_by_whoever_asks_and_all_else_only_for_root() -> Result<()> {
    let told = run("0", &["plugin", "nexpura.zip"])?.map_err(anyhow::Error::msg)?;
    ensure!(told.starts_with("words plugin nexpura.zip") && !told.contains("PGPASSWORD"), "{told}");
    let refused = run("1000", &["store", "list"])?.err().context("it was done")?;
    ensure!(refused.contains("sudo nexpura-relay store list"), "{refused}");
    Ok(())
}
