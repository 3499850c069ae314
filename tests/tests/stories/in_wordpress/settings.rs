//! The settings page: how things stand, a test event, and sending at once.

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::Database,
    shop::{Shop, checkout::Payment},
    town::Town,
};
use reqwest::StatusCode;

use super::let_it_be_forgotten;

const PAGE: &str = "admin.php?page=nexpura";

#[tokio::test]
async fn the_page_shows_the_spool_sends_a_test_event_and_sends_at_once() -> Result<()> {
    on_woocommerce!();
    let mut town = Town::open(Shop::builder().sender("off"), Database::Sqlite).await?;
    let ring = town.shop.add_product("RING-1", "99.00", Some(9)).await?;
    town.shop.checkout(&[(ring, 1)], Payment::Card).await?;
    town.captured().await?;
    let admin = town.shop.log_in().await?;
    let page = admin.page(PAGE).await?;
    for figure in ["Waiting to be sent", "Being captured", "Last sent", "Sent by", "Nexpura says"] {
        ensure!(page.contains(figure), "the page has no {figure}");
    }
    ensure!(page.contains("nobody right now"), "somebody sends");

    admin.press("nexpura_drain", &[]).await?;
    let page = admin.page(PAGE).await?;
    ensure!(page.contains(" sent, nothing left."), "sending at once says nothing of it");
    ensure!(!page.contains("<p>0 sent"), "nothing was sent");
    ensure!(town.relay.sales().await?.len() == 1, "the sale is not there");

    let before = town.relay.events(None).await?.len();
    admin.press("nexpura_probe", &[]).await?;
    let page = admin.page(PAGE).await?;
    ensure!(page.contains("Nexpura acknowledged it within"), "the test event did not arrive");
    let events = town.relay.events(None).await?;
    ensure!(events.len() > before, "the relay has no test event");
    ensure!(town.relay.events(Some("failed")).await?.is_empty(), "the test event failed");

    town.relay.kill();
    admin.press("nexpura_probe", &[]).await?;
    let page = admin.page(PAGE).await?;
    ensure!(page.contains("did not take the test event yet"), "a relay that is away acknowledged");
    let (read_first, for_support) = page.split_once("nexpura-support").context("no support")?;
    ensure!(read_first.contains("Nexpura does not answer. "), "the first card says something else");
    for cause in ["cURL error 7", "os error 111"] {
        ensure!(!read_first.contains(cause), "{cause} is told to whoever looks");
        ensure!(for_support.contains(cause), "{cause} is told to nobody");
    }
    town.relay.start_again().await?;
    let_it_be_forgotten(&town.shop).await?;
    admin.press("nexpura_drain", &[]).await?;
    let page = admin.page(PAGE).await?;
    ensure!(page.contains("sent, nothing left."), "what waited is not sent");
    ensure!(town.relay.events(Some("failed")).await?.is_empty(), "the chain of nonces broke");
    Ok(())
}

#[tokio::test]
async fn nobody_presses_our_buttons_without_the_form_or_the_right() -> Result<()> {
    on_woocommerce!();
    let town = Town::open(Shop::builder(), Database::Sqlite).await?;
    town.shop
        .php("wp_insert_user( array( 'user_login' => 'editor', 'user_pass' => 'nexpura-demo', 'role' => 'editor' ) ); return true;")
        .await?;
    let actions = ["connect", "disconnect", "separate", "probe", "drain", "retry"];
    let (admin, editor) = (town.shop.log_in().await?, town.shop.log_in_as("editor").await?);
    for action in actions {
        let action = format!("nexpura_{action}");
        ensure!(admin.forge(&action).await? == StatusCode::FORBIDDEN, "{action} without its form");
        ensure!(editor.forge(&action).await? == StatusCode::FORBIDDEN, "{action} by an editor");
    }
    ensure!(editor.page(PAGE).await.is_err(), "an editor sees the settings");
    Ok(())
}
