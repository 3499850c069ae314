//! A whole catalogue brought over, and its stocks given back: against the time that the shop itself needs.
//!
//! Run with `make bench`; `NEXPURA_BENCH_SKUS` says how many stocks there are, 10,000 if it says nothing, which takes
//! some minutes: WooCommerce needs some hundredths of a second for each change.

use std::{env, time::Duration, time::Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use nexpura_tests::{
    budgets::Budgets,
    relay::{Database, Relay, TENANT},
    shop::{
        Shop,
        requests::{Asked, serving_time},
    },
    times::Times,
    town::{PATIENCE, Town},
    wait::until,
};
use reqwest::StatusCode;
use serde_json::json;

/// Simple products made by WooCommerce itself; what is wanted beyond them are copies of the first.
const SIMPLE: usize = 200;
/// Variable products, of three variations each.
const VARIABLE: usize = 20;
/// Customers.
const CUSTOMERS: usize = 100;
/// Orders.
const ORDERS: usize = 200;
/// Requests a second that a store is asked at most.
const RATE: f64 = 5.0;
/// The most that our wall time may be of the shop's own.
const BUDGET: f64 = 1.1;
/// In which a change must have reached the shop's database, 95 of 100 times, in milliseconds.
const REACHED_WITHIN: f64 = 1000.0;
/// How long the longest part may take before something is wrong.
const VERY_LONG: Duration = Duration::from_secs(3600);
/// Tills that change the ledger at once, each with a token of its own: one alone may ask so often only.
const TILLS: usize = 20;
/// Changes whose way into the shop is timed.
const TIMED: usize = 60;

/// The requests from their first to their last, beside what the same ones take the shop.
fn show(what: &str, asked: &[Asked], instead_of: usize, budgets: &mut Budgets) -> Result<()> {
    let first = asked.first().context("nothing was asked")?.began_at();
    let last = asked.iter().map(|one| one.ended_at).fold(first, f64::max);
    let (wall, serving) = (last - first, serving_time(asked, RATE));
    let verdict = budgets.at_most(what, wall / serving, BUDGET, "×");
    println!(
        "{what:<44} {wall:7.1} s, the shop itself {serving:7.1} s: {:5.2} ×   {verdict}",
        wall / serving
    );
    println!(
        "{:<44} {:7} calls, one an item {instead_of:7}: 1 : {:.1}",
        "",
        asked.len(),
        instead_of as f64 / asked.len() as f64
    );
    Ok(())
}

/// A shop of that size and a relay that has brought all of it over.
async fn brought_over(skus: usize, budgets: &mut Budgets) -> Result<Town> {
    let shop = Shop::builder().quiet().start().await?;
    let copies = skus.saturating_sub(SIMPLE + 3 * VARIABLE);
    let wish = json!({
        "simple": SIMPLE, "copies": copies, "variable": VARIABLE,
        "customers": CUSTOMERS, "orders": ORDERS,
    });
    let began = Instant::now();
    shop.call_cli("seed", wish)?;
    println!(
        "{}\n{} products, {VARIABLE} of them variable, {CUSTOMERS} customers, {ORDERS} orders made in {:.0?}",
        shop.sources.description,
        SIMPLE + copies + VARIABLE,
        began.elapsed()
    );
    // What is asked after the import would be counted as part of it.
    let relay = Relay::start_with(Database::Sqlite, &[("NEXPURA_SWEEP_SECONDS", "86400")]).await?;
    let town = Town::of(relay, shop).await?;
    until("everything is brought over", VERY_LONG, async || {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let runs = town.relay.list("/api/runs").await?;
        Ok(runs.iter().any(|run| !run["finished_at"].is_null()).then_some(()))
    })
    .await
    .with_context(|| town.relay.log().unwrap_or_default())?;
    let asked = town.shop.asked_by_relays()?;
    let rows = town.relay.stock_rows().await?;
    let open = rows.iter().filter(|row| row.is_open()).count();
    let stocks = SIMPLE + copies + 3 * VARIABLE;
    ensure!(open == stocks, "{open} of {stocks} stocks are open");
    // A stock is read twice: in its product's row, and once more before its count is believed.
    let items = 2 * stocks + VARIABLE + CUSTOMERS + ORDERS;
    show("brought over", &asked, items, budgets)?;
    Ok(town)
}

/// One more of a piece, as a till says it; again where it was asked to wait.
async fn receive(relay: &Relay, token: &str, sku: &str) -> Result<()> {
    let body = json!({ "type": "purchase", "quantity_change": "1", "notes": "delivered" });
    loop {
        let url = format!("{}/api/inventory/{sku}/movements", relay.url);
        let answer = relay.http.post(url).bearer_auth(token).json(&body).send().await?;
        if answer.status() != StatusCode::TOO_MANY_REQUESTS {
            return answer.error_for_status().map(drop).context(sku.to_owned());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Every stock changes in the ledger, and all of it is pushed.
async fn given_back(town: &Town, budgets: &mut Budgets) -> Result<()> {
    let rows = town.relay.stock_rows().await?;
    let skus: Vec<String> = rows.into_iter().filter_map(|row| row.sku).collect();
    let had: f64 = stock_in_shop(town)?;
    let before = pushes(town)?.len();
    let tills = skus.chunks(skus.len().div_ceil(TILLS)).map(async |skus| {
        let token = town.relay.make_token(TENANT)?;
        for sku in skus {
            receive(&town.relay, &token, sku).await?;
        }
        anyhow::Ok(())
    });
    try_join_all(tills).await?;
    #[allow(clippy::cast_precision_loss)]
    let wanted = had + skus.len() as f64;
    until("the shop has all of it", VERY_LONG, async || {
        tokio::time::sleep(Duration::from_millis(250)).await;
        Ok((stock_in_shop(town)? == wanted).then_some(()))
    })
    .await
    .with_context(|| town.relay.log().unwrap_or_default())?;
    until("the ledger knows that it has", PATIENCE, async || {
        let which = json!({ "store": town.shop.url, "dry_run": true });
        let left = town.relay.post("/api/integrations/woocommerce/sync/inventory", &which).await?;
        Ok((left["changes"] == json!([])).then_some(()))
    })
    .await?;
    let what = format!("{} changed stocks pushed", skus.len());
    show(&what, &pushes(town)?[before..], skus.len(), budgets)
}

/// Units of everything in the shop.
fn stock_in_shop(town: &Town) -> Result<f64> {
    let sum =
        town.shop.sql("SELECT COALESCE(SUM(stock_quantity), 0) FROM wp_wc_product_meta_lookup")?;
    sum.parse().with_context(|| format!("{sum} is no number"))
}

/// The calls that gave the shop stock.
fn pushes(town: &Town) -> Result<Vec<Asked>> {
    let asked = town.shop.asked_by_relays()?;
    Ok(asked.into_iter().filter(|one| one.line.contains("wc-nexpura/v1/stock")).collect())
}

/// From the moment that a change is posted until the shop's database has it.
async fn reaches_the_shop(town: &Town, budgets: &mut Budgets) -> Result<()> {
    let sku = "PIECE-0";
    let mut stock = town.shop.stock(sku).await?.context("PIECE-0 is not managed")?;
    let look = "SELECT m.meta_value FROM wp_postmeta m JOIN wp_wc_product_meta_lookup l \
        ON l.product_id = m.post_id WHERE l.sku = 'PIECE-0' AND m.meta_key = '_stock'";
    let mut times = Times::default();
    for _ in 0..TIMED {
        town.quiet().await?;
        let began = Instant::now();
        receive(&town.relay, town.relay.token(), sku).await?;
        stock += 1.0;
        until("the change is in the shop", PATIENCE, async || {
            Ok((town.shop.sql(look)?.parse::<f64>()? == stock).then_some(()))
        })
        .await?;
        times.add(began.elapsed());
    }
    let what = "from a change in the ledger to the shop";
    times.show(what);
    let most = times.at(0.95);
    let verdict = budgets.at_most(what, most, REACHED_WITHIN, "ms");
    println!("{:<44} p95 {most:7.1} ms   {verdict}", "");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let skus = env::var("NEXPURA_BENCH_SKUS").ok().and_then(|text| text.parse().ok());
    let mut budgets = Budgets::default();
    let town = brought_over(skus.unwrap_or(10_000), &mut budgets).await?;
    reaches_the_shop(&town, &mut budgets).await?;
    given_back(&town, &mut budgets).await?;
    budgets.memory(&town.relay, "a catalogue both ways")?;
    budgets.end()
}
