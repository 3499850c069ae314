//! A shop without the extension: WooCommerce's own webhooks, made, healed and removed by the relay.

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::Database,
    shop::{Shop, checkout::Payment},
    town::{PATIENCE, Town, Way},
    wait::until,
};
use serde::Deserialize;
use serde_json::json;

/// A webhook as the merchant sees it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Webhook {
    topic: String,
    status: String,
    url: String,
    failures: u32,
}

/// The relay's, and everybody else's.
async fn webhooks(town: &Town) -> Result<(Vec<Webhook>, Vec<Webhook>)> {
    let all: Vec<Webhook> = town.shop.call("webhooks", ()).await?;
    Ok(all.into_iter().partition(|webhook| webhook.url.starts_with(&town.relay.url)))
}

async fn all_active(town: &Town) -> Result<()> {
    until("eleven webhooks are active", PATIENCE, async || {
        let (ours, _) = webhooks(town).await?;
        let active = ours.iter().filter(|webhook| webhook.status == "active").count();
        Ok((ours.len() == 11 && active == 11).then_some(()))
    })
    .await
}

#[tokio::test]
async fn switched_off_while_the_relay_was_away_they_come_back_with_what_they_missed() -> Result<()>
{
    on_woocommerce!();
    let mut town = Town::open_by(Way::Webhooks, Shop::builder(), Database::Sqlite).await?;
    all_active(&town).await?;
    let ring = town.shop.add_product("RING-1", "120.00", Some(20)).await?;
    town.opened(&["RING-1"]).await?;
    town.relay.stop();
    let mut orders = Vec::new();
    for _ in 0..7 {
        orders.push(town.shop.checkout(&[(ring, 1)], Payment::Cash).await?);
    }
    town.hear()?;
    let (ours, _) = webhooks(&town).await?;
    let off = ours.iter().find(|webhook| webhook.topic == "order.created");
    let off = off.context("order.created")?;
    ensure!(off.status == "disabled", "WooCommerce keeps it on: {off:?}");
    town.relay.start_again().await?;
    all_active(&town).await?;
    for order in orders {
        town.agrees(order, &["RING-1"]).await?;
    }
    let store = town.relay.store(&town.shop.url).await?;
    assert_eq!(store["mode"], "webhooks");
    let detail = store["webhooks"]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("switched off by WooCommerce"), "{store}");
    // And the next sale is told of again.
    let order = town.shop.checkout(&[(ring, 1)], Payment::Cash).await?;
    town.agrees(order, &["RING-1"]).await.map(|_| ())
}

#[tokio::test]
async fn others_stay_and_ours_go_with_the_connection() -> Result<()> {
    on_woocommerce!();
    let town = Town::open_by(Way::Webhooks, Shop::builder(), Database::Sqlite).await?;
    let theirs = json!({ "topic": "order.created", "url": "http://127.0.0.1:9/hook" });
    let _: u64 = town.shop.call("add_webhook", theirs).await?;
    all_active(&town).await?;
    let made = town.relay.run(&["webhooks", "setup", "--store", &town.shop.url])?;
    assert_eq!(
        (&made["report"]["created"], &made["report"]["updated"], &made["report"]["removed"]),
        (&json!(0), &json!(11), &json!(0)),
        "{made}"
    );
    all_active(&town).await?;
    // What it signs with now is what the relay expects.
    let ring = town.shop.add_product("RING-1", "120.00", Some(20)).await?;
    town.opened(&["RING-1"]).await?;
    let order = town.shop.checkout(&[(ring, 1)], Payment::Cash).await?;
    town.agrees(order, &["RING-1"]).await?;
    let (ours, others) = webhooks(&town).await?;
    assert_eq!(others.len(), 1, "{others:?}");
    assert!(ours.iter().all(|webhook| webhook.failures == 0), "{ours:?}");
    let told: bool = town.shop.call("disconnect", ()).await?;
    assert!(told, "the relay was told");
    assert_eq!(webhooks(&town).await?, (Vec::new(), others));
    Ok(())
}
