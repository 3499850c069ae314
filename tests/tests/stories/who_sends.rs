//! The daemon in place of the thread, and no extension at all.

use anyhow::{Context, Result};
use nexpura_tests::{
    agent::Agent,
    relay::Database,
    shop::{Shop, checkout::Payment},
    town::{PATIENCE, Town},
    wait,
};
use serde_json::Value;

#[tokio::test]
async fn the_daemon_sends_and_what_it_left_is_sent_by_the_next() -> Result<()> {
    on_woocommerce!();
    let town = Town::open(Shop::builder().sender("agent"), Database::Sqlite).await?;
    let shop = &town.shop;
    let mut agent = Agent::start(shop, &town.connection)?;
    let ring = shop.add_product("RING-1", "75.00", Some(10)).await?;
    town.opened(&["RING-1"]).await?;
    let first = shop.checkout(&[(ring, 1)], Payment::Card).await?;
    town.agrees(first, &["RING-1"]).await?;
    let status: Value = shop.call("spool_status", ()).await?;
    assert_eq!(status["sender"], "agent", "{status}");

    agent.kill();
    let second = shop.checkout(&[(ring, 2)], Payment::Cash).await?;
    // PHP does not send where it is told that the agent does.
    wait::until("the spool holds what nobody sends", PATIENCE, async || {
        let status: Value = shop.call("spool_status", ()).await?;
        let waits = status["unsent"].as_u64() > Some(0) && status["open_intents"] == 0;
        Ok((waits && status["sender"] == "none").then_some(()))
    })
    .await?;
    assert_eq!(town.relay.sale(second).await?, None);

    let mut agent = Agent::start(shop, &town.connection)?;
    town.agrees(second, &["RING-1"]).await?;
    agent.stop();
    assert!(!agent.is_running());
    Ok(())
}

#[tokio::test]
async fn without_the_extension_the_sweep_brings_the_sales() -> Result<()> {
    on_woocommerce!();
    let town = Town::open(Shop::builder().without_extension(), Database::Sqlite).await?;
    let shop = &town.shop;
    let ring = shop.add_product("RING-1", "75.00", Some(10)).await?;
    // Connecting again is a reason to look at everything once more.
    shop.connect(&town.connection.string).await?;
    wait::until("the ledger has opened the ring", PATIENCE, async || {
        Ok(town.relay.stock_row("RING-1").await?.filter(|row| row.is_open()))
    })
    .await
    .with_context(|| town.relay.log().unwrap_or_default())?;
    let order = shop.checkout(&[(ring, 3)], Payment::Card).await?;
    shop.connect(&town.connection.string).await?;
    town.sale_like(&shop.order(order).await?).await?;
    wait::until("the ledger has what the shop has left", PATIENCE, async || {
        Ok((town.relay.quantity("RING-1").await? == Some(7.0)).then_some(()))
    })
    .await
    .with_context(|| town.relay.log().unwrap_or_default())?;
    Ok(())
}
