//! What Nexpura adds to a checkout, and how long a sale travels: shops side by side in one run.
//!
//! Three shops take turns: plain WooCommerce, one connected to a relay that answers, one whose relay is gone. Run with
//! `make bench`; `NEXPURA_BENCH_ROUNDS` says how many checkouts each does.

use std::{env, time::Duration, time::Instant};

use anyhow::{Context, Result};
use nexpura_tests::{
    budgets::Budgets,
    relay::{Database, Relay},
    shop::{Shop, ShopBuilder, checkout::Payment},
    times::Times,
    town::{PATIENCE, Town},
};

/// What may be added to the half of all checkouts, in percent of what they take without.
const ADDED: f64 = 1.0;
/// What may be added to 99 of 100 checkouts, in milliseconds.
const ADDED_AT_MOST: f64 = 2.0;
/// In which 95 of 100 sales must be in the ledger, in milliseconds.
const ARRIVED_WITHIN: f64 = 250.0;

/// A checkout by card through the Store API; the time that the last request took, and the order.
async fn check_out(shop: &Shop, product: u64) -> Result<(Duration, u64)> {
    let cart = shop.cart().await?;
    cart.add(product, 1).await?;
    let began = Instant::now();
    let order = cart.check_out(Payment::Card).await?;
    Ok((began.elapsed(), order))
}

/// Waits for an order's paid sale as closely as the API's rate allows.
async fn travels(relay: &Relay, order: u64) -> Result<Duration> {
    let began = Instant::now();
    loop {
        if relay.sale(order).await?.is_some_and(|sale| sale.status == "processing") {
            return Ok(began.elapsed());
        }
        anyhow::ensure!(began.elapsed() < PATIENCE, "order {order} did not arrive");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Holds what being connected adds to its budgets.
fn adds(what: &str, without: &mut Times, with: &mut Times, budgets: &mut Budgets) {
    let half = (with.at(0.5) / without.at(0.5) - 1.0) * 100.0;
    let verdict = budgets.at_most(&format!("{what}, p50"), half, ADDED, "%");
    println!("{what:<44} p50 {half:6.2} %   {verdict}");
    let most = with.at(0.99) - without.at(0.99);
    let verdict = budgets.at_most(&format!("{what}, p99"), most, ADDED_AT_MOST, "ms");
    println!("{what:<44} p99 {most:6.1} ms   {verdict}");
}

#[tokio::main]
async fn main() -> Result<()> {
    let rounds =
        env::var("NEXPURA_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(120);
    let shop = || -> ShopBuilder { Shop::builder().quiet() };
    let plain = shop().plain().start().await?;
    let live = Town::open(shop(), Database::Sqlite).await?;
    let mut dead = Town::open(shop(), Database::Sqlite).await?;
    let mut products = Vec::new();
    for shop in [&plain, &live.shop, &dead.shop] {
        products.push(shop.add_product("RING-1", "60.00", Some(1_000_000)).await?);
    }
    live.opened(&["RING-1"]).await?;
    dead.opened(&["RING-1"]).await?;
    dead.quiet().await?;
    dead.relay.kill();
    // The first of each compile and fill caches.
    for (shop, product) in [&plain, &live.shop, &dead.shop].into_iter().zip(&products) {
        for _ in 0..6 {
            check_out(shop, *product).await?;
        }
    }
    let [mut without, mut with, mut unreachable, mut journey] = [(); 4].map(|()| Times::default());
    for _ in 0..rounds {
        without.add(check_out(&plain, products[0]).await?.0);
        let (time, order) = check_out(&live.shop, products[1]).await?;
        with.add(time);
        journey.add(travels(&live.relay, order).await.context("the sale's journey")?);
        unreachable.add(check_out(&dead.shop, products[2]).await?.0);
    }
    println!("{}", plain.sources.description);
    without.show("checkout, plain WooCommerce");
    with.show("checkout, connected");
    unreachable.show("checkout, connected, the relay unreachable");
    let travels = "from the checkout's answer to the ledger";
    journey.show(travels);
    let mut budgets = Budgets::default();
    adds("added to a checkout", &mut without, &mut with, &mut budgets);
    adds("added with the relay unreachable", &mut without, &mut unreachable, &mut budgets);
    let most = journey.at(0.95);
    let verdict = budgets.at_most(travels, most, ARRIVED_WITHIN, "ms");
    println!("{travels:<44} p95 {most:6.1} ms   {verdict}");
    budgets.end()
}
