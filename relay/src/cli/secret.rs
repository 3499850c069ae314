//! Reading a secret: from a file, from the environment, from standard input or from a person.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::PathBuf,
};

use anyhow::Context;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};

/// Takes the secret from the first place that has one. A person is asked without an echo.
pub(super) fn read(
    file: Option<PathBuf>,
    environment: Option<SecretString>,
) -> anyhow::Result<SecretString> {
    if let Some(path) = file {
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(SecretString::from(text.trim()));
    }
    if let Some(secret) = environment {
        return Ok(secret);
    }
    let input = io::stdin();
    if !input.is_terminal() {
        return key();
    }
    io::stderr().write_all(b"Consumer secret: ")?;
    let before = tcgetattr(&input)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&input, OptionalActions::Now, &silent)?;
    let secret = key();
    tcsetattr(&input, OptionalActions::Now, &before)?;
    io::stderr().write_all(b"\n")?;
    secret
}

/// The first line of standard input, without its end.
pub(super) fn line() -> anyhow::Result<SecretString> {
    let mut text = String::new();
    io::stdin().read_line(&mut text).context("cannot read standard input")?;
    Ok(SecretString::from(text.trim_end_matches(['\r', '\n'])))
}

fn key() -> anyhow::Result<SecretString> {
    Ok(SecretString::from(line()?.expose_secret().trim()))
}
