//! A merchant connects the shop, and where that fails is told what to do.

mod again;
mod by_key;
mod uninstalled;

use anyhow::{Result, ensure};
use nexpura_tests::{
    ports,
    relay::{Database, Relay},
    shop::Shop,
};

/// A connection string that is sound in form, to a relay at this port.
fn to_port(port: u16) -> String {
    format!("http://{}:whsec_{}@127.0.0.1:{port}", "0a".repeat(32), "A".repeat(43) + "=")
}

/// What our settings page answers to a pasted string.
async fn answer_to(shop: &Shop, pasted: &str) -> Result<String> {
    let page = shop.log_in().await?.paste_connection(pasted).await?;
    ensure!(!page.contains("whsec_AAAA"), "the secret is shown again");
    let (_, rest) = page.split_once(" inline\"><p>").unwrap_or_default();
    Ok(rest.split("</p>").next().unwrap_or_default().to_owned())
}

fn says(answer: &str, expected: &str) {
    assert!(answer.contains(expected), "expected {expected:?} in {answer:?}");
}

#[tokio::test]
async fn a_pasted_string_connects_and_anything_else_is_explained() -> Result<()> {
    on_woocommerce!();
    let shop = Shop::builder().start().await?;
    says(&answer_to(&shop, "   ").await?, "connection string is empty");
    says(&answer_to(&shop, "hello").await?, "not a connection string");
    let sound = to_port(ports::free()?);
    says(&answer_to(&shop, &sound.replace("http:", "ftp:")).await?, "must begin with https://");
    says(
        &answer_to(&shop, &sound.replace("127.0.0.1", "203.0.113.7")).await?,
        "must begin with https://",
    );
    says(&answer_to(&shop, &sound.replace("AAAA=", "=")).await?, "is damaged");
    // Nobody listens there.
    says(&answer_to(&shop, &sound).await?, "could not be reached");

    let relay = Relay::start(Database::Sqlite).await?;
    let connection = relay.connection()?;
    let unknown = connection.string.replacen(&connection.id, &"0b".repeat(32), 1);
    says(&answer_to(&shop, &unknown).await?, "does not accept this connection");
    says(&answer_to(&shop, &connection.string).await?, "This shop is connected to Nexpura");
    let page = shop.log_in().await?.page("admin.php?page=nexpura").await?;
    says(&page, "by the PHP extension");
    assert!(!page.contains(&connection.string), "the connection string is shown again");
    Ok(())
}

#[tokio::test]
async fn without_the_extension_the_admin_is_told() -> Result<()> {
    on_woocommerce!();
    let shop = Shop::builder().without_extension().start().await?;
    let page = shop.log_in().await?.page("plugins.php").await?;
    says(&page, "nexpura");
    says(&page, "extension");
    Ok(())
}
