//! A connected store that answers badly: people are told why, nothing is half-written, and it passes by itself.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::{Database, Relay},
    road::{Road, Weather},
    shop::{Shop, checkout::Payment},
    town::Town,
    wait::until,
};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);
const RECONCILE: &str = "/api/integrations/woocommerce/reconcile";

/// Every weather with the words that people are told, and whether a person has to mend it.
const WEATHERS: [(Weather, &str, bool); 7] = [
    (Weather::Page, "something else than JSON", true),
    (Weather::Failing, "failed with status 500", false),
    (Weather::Cut, "broke off", false),
    (Weather::Endless, "too large", true),
    (Weather::Strange, "wrong shape", true),
    (Weather::Crowded, "fewer requests", false),
    (Weather::Moved, "sends requests on to https://www.shop.example/", true),
];

/// All that the ledger holds of a shop.
async fn held(relay: &Relay) -> Result<BTreeMap<&'static str, Vec<Value>>> {
    let mut held = BTreeMap::new();
    for path in ["/api/inventory", "/api/sales", "/api/customers", "/api/conflicts", "/api/drift"] {
        held.insert(path, relay.list(path).await?);
    }
    held.insert("movements", relay.list("/api/inventory/RING/movements").await?);
    Ok(held)
}

/// Waits until a run shows a reason with these words.
async fn fails(relay: &Relay, id: &str, words: &str) -> Result<()> {
    let mut last = Value::Null;
    until(&format!("the run tells of {words:?}"), PATIENCE, async || {
        last = relay.get(&format!("/api/runs/{id}")).await?;
        Ok(last["error"].as_str().is_some_and(|error| error.contains(words)).then_some(()))
    })
    .await
    .with_context(|| format!("{last}\n{}", relay.log().unwrap_or_default()))
}

/// Waits until the store stands so; gives its reason.
async fn stands(town: &Town, status: &str) -> Result<String> {
    let mut last = Value::Null;
    until(&format!("the store is {status}"), PATIENCE, async || {
        last = town.relay.store(&town.shop.url).await?;
        Ok((last["status"] == status).then_some(()))
    })
    .await
    .with_context(|| format!("{last}\n{}", town.relay.log().unwrap_or_default()))?;
    Ok(last["reason"].as_str().unwrap_or_default().to_owned())
}

async fn one_weather(
    town: &Town,
    road: &Arc<Road>,
    (weather, words, lasting): (Weather, &str, bool),
) -> Result<()> {
    let before = held(&town.relay).await?;
    road.set_weather(Some(weather));
    let begun = town.relay.post(RECONCILE, &json!({ "store": town.shop.url })).await?;
    let id = begun["run_id"].as_str().context("no run id")?;
    fails(&town.relay, id, words).await?;
    if lasting {
        let reason = stands(town, "error").await?;
        ensure!(reason.contains(words), "{reason}");
    }
    ensure!(held(&town.relay).await? == before, "something of it was written");

    road.set_weather(None);
    let ended = until("the run has ended", PATIENCE, async || {
        let run = town.relay.get(&format!("/api/runs/{id}")).await?;
        Ok((!run["finished_at"].is_null()).then_some(run))
    })
    .await
    .with_context(|| town.relay.log().unwrap_or_default())?;
    ensure!(ended["error"].is_null() && ended["failed"] == 0, "{ended}");
    ensure!(stands(town, "connected").await?.is_empty(), "a reason stays");
    ensure!(held(&town.relay).await? == before, "what was known was written again");
    Ok(())
}

#[tokio::test]
async fn each_bad_answer_is_told_and_passes_by_itself() -> Result<()> {
    on_woocommerce!();
    let road = Road::open("/none").await?;
    let relay = Relay::start_with(Database::Sqlite, &[("NEXPURA_SWEEP_SECONDS", "3600")]).await?;
    let shop = Shop::builder().behind(&road).start().await?;
    let ring = shop.add_product("RING", "900.00", Some(9)).await?;
    let town = Town::of(relay, shop).await?;
    town.opened(&["RING"]).await?;
    let order = town.shop.checkout(&[(ring, 2)], Payment::Cash).await?;
    town.agrees(order, &["RING"]).await?;
    for weather in WEATHERS {
        one_weather(&town, &road, weather).await.with_context(|| format!("{weather:?}"))?;
    }
    let order = town.shop.checkout(&[(ring, 1)], Payment::Cash).await?;
    town.agrees(order, &["RING"]).await.map(drop)
}

#[tokio::test]
async fn an_expired_certificate_is_told_until_there_is_a_new_one() -> Result<()> {
    on_woocommerce!();
    let mut town = Town::open_on_https(Shop::builder(), Database::Sqlite).await?;
    let ring = town.shop.add_product("RING", "900.00", Some(5)).await?;
    town.opened(&["RING"]).await?;
    let order = town.shop.checkout(&[(ring, 1)], Payment::Cash).await?;
    town.agrees(order, &["RING"]).await?;

    town.shop.show_expired_certificate(true)?;
    let body = json!({ "type": "sale", "quantity_change": "-1", "notes": "at the till" });
    town.relay.post("/api/inventory/RING/movements", &body).await?;
    let reason = stands(&town, "error").await?;
    ensure!(reason.contains("its certificate has expired"), "{reason}");

    town.shop.show_expired_certificate(false)?;
    stands(&town, "connected").await?;
    until("the till's sale is in the shop", PATIENCE, async || {
        Ok((town.shop.stock("RING").await? == Some(3.0)).then_some(()))
    })
    .await
    .with_context(|| town.relay.log().unwrap_or_default())
}
