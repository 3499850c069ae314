//! The panel in a real browser, on the real parts.

use anyhow::{Context, Result, bail};
use nexpura_tests::{
    browser::walk,
    relay::{Database, Relay, TENANT},
};
use serde_json::json;

/// The link by which a new owner of the tenant sets a password.
fn owner(relay: &Relay) -> Result<String> {
    let made = relay.run(&[
        "user",
        "add",
        "ann@aurelia.example",
        "--tenant",
        TENANT,
        "--role",
        "owner",
    ])?;
    made["set_password"].as_str().map(str::to_owned).with_context(|| format!("no link in {made}"))
}

#[tokio::test]
async fn the_first_owner_comes_in_and_lets_others_in() -> Result<()> {
    let relay = Relay::start(Database::Sqlite).await?;
    let start = json!({ "relay": relay.url, "link": owner(&relay)? });
    walk("first_login", &start, async |verb, _| bail!("nobody does {verb} here")).await
}
