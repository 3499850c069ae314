//! A shop that has sold for years is brought over: afterwards the ledger has what the shop has, and once more is nothing new.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::{Database, Relay},
    shop::{
        Shop,
        requests::{most_within, serving_time},
    },
    town::{Town, same_amount},
    wait::until,
};
use serde_json::{Value, json};

/// Requests a second that a store is asked at most.
const RATE: f64 = 5.0;
/// What a relay may take, in KiB.
const MEMORY: u64 = 64 * 1024;
/// How often is looked whether a long import has ended.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How much there is to bring over; variable products have three variations each.
#[derive(Debug, Clone, Copy)]
struct Size {
    simple: usize,
    variable: usize,
    customers: usize,
    orders: usize,
}

impl Size {
    fn stocks(self) -> usize {
        self.simple + 3 * self.variable
    }
}

pub(super) fn pairs(rows: &str) -> BTreeMap<String, String> {
    let both = |row: &str| row.split_once('\t').map(|(one, two)| (one.to_owned(), two.to_owned()));
    rows.lines().filter_map(both).collect()
}

/// Whether two tables have the same keys with the same amounts; else the first that differ.
pub(super) fn same(
    shop: &BTreeMap<String, String>,
    ledger: &BTreeMap<String, String>,
) -> Result<()> {
    ensure!(shop.keys().eq(ledger.keys()), "{} in the shop, {} known", shop.len(), ledger.len());
    for (key, amount) in shop {
        ensure!(same_amount(amount, &ledger[key]), "{key}: {amount} but {}", ledger[key]);
    }
    Ok(())
}

/// What the shop has of each SKU.
pub(super) fn stocks_in_shop(shop: &Shop) -> Result<BTreeMap<String, String>> {
    shop.sql(
        "SELECT l.sku, m.meta_value FROM wp_wc_product_meta_lookup l JOIN wp_postmeta m \
         ON m.post_id = l.product_id AND m.meta_key = '_stock' \
         WHERE l.sku <> '' AND l.stock_quantity IS NOT NULL",
    )
    .map(|rows| pairs(&rows))
}

/// What the ledger has of each SKU, once it has counted all of them.
pub(super) async fn stocks_in_ledger(relay: &Relay) -> Result<BTreeMap<String, String>> {
    let rows = relay.stock_rows().await?;
    let open = rows.into_iter().filter(|row| row.is_open());
    Ok(open.filter_map(|row| Some((row.sku?, row.quantity?))).collect())
}

async fn orders_agree(town: &Town) -> Result<()> {
    let orders =
        town.shop.sql("SELECT id, total_amount FROM wp_wc_orders WHERE type = 'shop_order'")?;
    let sales = town.relay.sales().await?;
    same(&pairs(&orders), &sales.into_iter().map(|sale| (sale.external_id, sale.total)).collect())
        .context("orders")
}

async fn customers_agree(town: &Town) -> Result<()> {
    let accounts = town
        .shop
        .sql("SELECT LOWER(user_email), '1' FROM wp_users WHERE user_login LIKE 'buyer-%'")?;
    let known = town.relay.list("/api/customers").await?;
    let known = known.iter().filter_map(|one| one["email"].as_str());
    let known = known.map(|email| (email.to_lowercase(), "1".to_owned())).collect();
    same(&pairs(&accounts), &known).context("customers")
}

/// Asks for a run and waits for its report.
async fn run(town: &Town, what: &str) -> Result<Value> {
    let path = format!("/api/integrations/woocommerce/{what}");
    let begun = town.relay.post(&path, &json!({ "store": town.shop.url })).await?;
    let id = begun["run_id"].as_str().context("no run id")?.to_owned();
    until(&format!("{what} has ended"), Duration::from_secs(600), async || {
        tokio::time::sleep(LOOK_EVERY).await;
        let run = town.relay.get(&format!("/api/runs/{id}")).await?;
        Ok((!run["finished_at"].is_null()).then_some(run))
    })
    .await
}

async fn all_is_brought_over(size: Size, database: Database, within: Duration) -> Result<()> {
    let shop = Shop::builder().quiet().start().await?;
    let wish = json!({
        "simple": size.simple, "variable": size.variable,
        "customers": size.customers, "orders": size.orders,
    });
    let seeded = shop.call_cli("seed", wish)?;
    println!("{size:?} made in {} s", seeded["seconds"]);
    let in_shop = stocks_in_shop(&shop)?;
    ensure!(in_shop.len() == size.stocks(), "{} stocks in the shop", in_shop.len());

    // What is asked after the import would be counted as part of it.
    let relay = Relay::start_with(database, &[("NEXPURA_SWEEP_SECONDS", "3600")]).await?;
    let town = Town::of(relay, shop).await?;
    until("every stock is counted", within, async || {
        tokio::time::sleep(LOOK_EVERY).await;
        Ok((stocks_in_ledger(&town.relay).await?.len() == in_shop.len()).then_some(()))
    })
    .await
    .with_context(|| town.relay.log().unwrap_or_default())?;
    let asked = town.shop.asked_by_relays()?;
    run(&town, "sync/customers").await?;
    run(&town, "sync/orders").await?;
    same(&in_shop, &stocks_in_ledger(&town.relay).await?).context("stocks")?;
    orders_agree(&town).await?;
    customers_agree(&town).await?;

    let began = asked.first().context("nothing was asked")?.began_at();
    let ended = asked.last().context("nothing was asked")?.ended_at;
    let serving = serving_time(&asked, RATE);
    println!(
        "brought over in {:.1} s by {} requests, which take the shop {serving:.1} s at the allowed rate: {:.2}",
        ended - began,
        asked.len(),
        (ended - began) / serving
    );

    for what in ["sync/products", "sync/customers", "sync/orders"] {
        let again = run(&town, what).await?;
        assert_eq!((&again["synced"], &again["failed"]), (&json!(0), &json!(0)), "{what}: {again}");
        ensure!(again["unchanged"].as_u64() > Some(0), "{what}: {again}");
    }
    same(&in_shop, &stocks_in_ledger(&town.relay).await?).context("stocks, the second time")?;
    let asked = town.shop.asked_by_relays()?;
    let most = most_within(&asked, 1.0);
    let peak = town.relay.peak_memory()?;
    println!(
        "{} requests in all, at most {most} within a second; the relay took {peak} KiB",
        asked.len()
    );
    ensure!(peak <= MEMORY, "the relay took {peak} KiB");
    // Whether a store may be connected is asked at a pace of its own, once.
    ensure!(most <= 6, "{most} requests within a second");
    Ok(())
}

#[tokio::test]
async fn more_than_a_page_of_everything_is_brought_over() -> Result<()> {
    on_woocommerce!();
    let size = Size { simple: 105, variable: 6, customers: 12, orders: 104 };
    all_is_brought_over(size, Database::Sqlite, Duration::from_secs(120)).await
}

#[tokio::test]
#[ignore = "a campaign: make soak"]
async fn years_of_trade_are_brought_over() -> Result<()> {
    on_woocommerce!();
    let size = Size { simple: 1_800, variable: 200, customers: 500, orders: 2_000 };
    all_is_brought_over(size, Database::Sqlite, Duration::from_secs(1_200)).await
}
