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
use reqwest::Method;
use serde_json::{Value, json};

/// More than the minute after which the relay gives a request up.
const PATIENCE: Duration = Duration::from_secs(90);
const TEST: &str = "/api/integrations/woocommerce/test";
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

/// What begins, what people are told of it, whether a person has to mend it, and what ends it.
struct Trouble<'a> {
    begin: &'a (dyn Fn() + Sync),
    words: &'a str,
    lasting: bool,
    end: &'a (dyn Fn() + Sync),
}

async fn one_weather(
    town: &Town,
    road: &Arc<Road>,
    (weather, words, lasting): (Weather, &str, bool),
) -> Result<()> {
    let begin = || road.set_weather(Some(weather));
    one_trouble(town, Trouble { begin: &begin, words, lasting, end: &|| road.set_weather(None) })
        .await
}

/// A run is begun while it lasts: it says why it does not get on, writes nothing, and ends once it is over.
async fn one_trouble(
    town: &Town,
    Trouble { begin, words, lasting, end }: Trouble<'_>,
) -> Result<()> {
    let before = held(&town.relay).await?;
    begin();
    let begun = town.relay.post(RECONCILE, &json!({ "store": town.shop.url })).await?;
    let id = begun["run_id"].as_str().context("no run id")?;
    fails(&town.relay, id, words).await?;
    if lasting {
        let reason = stands(town, "error").await?;
        ensure!(reason.contains(words), "{reason}");
    }
    ensure!(held(&town.relay).await? == before, "something of it was written");

    end();
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

/// A shop at the end of that road whose nine rings are counted and one order of two is in the ledger.
async fn sold_from(road: &Arc<Road>) -> Result<(Town, u64)> {
    let relay = Relay::start_with(Database::Sqlite, &[("NEXPURA_SWEEP_SECONDS", "3600")]).await?;
    let shop = Shop::builder().behind(road).start().await?;
    let ring = shop.add_product("RING", "900.00", Some(9)).await?;
    let town = Town::of(relay, shop).await?;
    town.opened(&["RING"]).await?;
    let order = town.shop.checkout(&[(ring, 2)], Payment::Cash).await?;
    town.agrees(order, &["RING"]).await?;
    Ok((town, ring))
}

#[tokio::test]
async fn each_bad_answer_is_told_and_passes_by_itself() -> Result<()> {
    on_woocommerce!();
    let road = Road::open("/none").await?;
    let (town, ring) = sold_from(&road).await?;
    for weather in WEATHERS {
        one_weather(&town, &road, weather).await.with_context(|| format!("{weather:?}"))?;
    }
    let order = town.shop.checkout(&[(ring, 1)], Payment::Cash).await?;
    town.agrees(order, &["RING"]).await.map(drop)
}

#[tokio::test]
async fn an_answer_that_only_drips_is_given_up_and_told() -> Result<()> {
    on_woocommerce!();
    let road = Road::open("/none").await?;
    let (town, ring) = sold_from(&road).await?;
    one_weather(&town, &road, (Weather::Dripping, "did not answer in time", false)).await?;
    let order = town.shop.checkout(&[(ring, 1)], Payment::Cash).await?;
    town.agrees(order, &["RING"]).await.map(drop)
}

#[tokio::test]
async fn an_address_that_is_another_shops_now_is_told_and_nothing_of_that_shop_is_taken()
-> Result<()> {
    on_woocommerce!();
    let road = Road::open("/none").await?;
    let (sold, other) = futures::join!(sold_from(&road), Shop::builder().plain().start());
    let ((town, ring), other) = (sold?, other?);
    // It sells a piece of the same name, and one that nobody here has.
    for (sku, units) in [("RING", 50), ("CROWN", 1)] {
        other.add_product(sku, "5.00", Some(units)).await?;
    }
    let address = other.address();
    let (begin, end) = (|| road.set_detour(Some(address)), || road.set_detour(None));
    let words = "does not accept the API key (401)";
    one_trouble(&town, Trouble { begin: &begin, words, lasting: true, end: &end }).await?;
    assert_eq!(other.stock("RING").await?, Some(50.0), "the other shop was written to");
    let order = town.shop.checkout(&[(ring, 1)], Payment::Cash).await?;
    town.agrees(order, &["RING"]).await.map(drop)
}

#[tokio::test]
async fn a_shop_that_calls_itself_otherwise_is_told_and_goes_on_once_it_does_not() -> Result<()> {
    on_woocommerce!();
    // Over http a key is told by a signature of the address, and would not do for another one.
    let town = Town::open_on_https(Shop::builder(), Database::Sqlite).await?;
    let ring = town.shop.add_product("RING", "900.00", Some(9)).await?;
    town.opened(&["RING"]).await?;
    let order = town.shop.checkout(&[(ring, 2)], Payment::Cash).await?;
    town.agrees(order, &["RING"]).await?;
    // A sweep that ends meanwhile would say that all is well.
    town.quiet().await?;
    let before = held(&town.relay).await?;
    let named = json!({ "store": town.shop.url });

    town.shop.call_itself("https://www.new.example")?;
    let (status, told) = town.relay.ask(Method::POST, TEST, Some(&named)).await?;
    ensure!(status.is_client_error(), "{status}: {told}");
    let reason = stands(&town, "error").await?;
    let words = "calls itself https://www.new.example: connect it by that address";
    ensure!(reason.contains(words), "{reason}");
    ensure!(held(&town.relay).await? == before, "something was written");
    // It may be a copy: the plugin tells who looks, and sends nothing.
    assert_eq!(town.shop.php("return \\Nexpura\\is_moved();").await?, true);

    town.shop.write_config("")?;
    let (status, told) = town.relay.ask(Method::POST, TEST, Some(&named)).await?;
    ensure!(status.is_success(), "{status}: {told}");
    ensure!(stands(&town, "connected").await?.is_empty(), "a reason stays");
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
