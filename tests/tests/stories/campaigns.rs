//! Long campaigns, run by `make soak`: everything is killed again and again while the shop sells.

use std::{
    env,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures::future::try_join_all;
use nexpura_tests::{
    relay::Database,
    shop::{Shop, checkout::Payment},
    town::{PATIENCE, Town},
    wait,
};
use rustix::process::{Signal, kill_process};

const SKU: &str = "RING-1";
const OPENING: i64 = 100_000;

/// How long a campaign lasts: `NEXPURA_SOAK_SECONDS`, two minutes unless said otherwise.
pub(super) fn duration() -> Duration {
    let seconds = env::var("NEXPURA_SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(120))
}

/// Buys until the time is up; a checkout that was killed is a visitor who gave up.
async fn buy(shop: &Shop, product: u64, visitor: usize, until: Instant) -> Result<()> {
    let payments = [Payment::Card, Payment::Cash, Payment::Transfer];
    let mut visit = visitor;
    while Instant::now() < until {
        let _gave_up = shop.checkout(&[(product, 1)], payments[visit % payments.len()]).await;
        visit += 1;
    }
    Ok(())
}

/// PHP workers and the relay are killed while three visitors buy. Whatever the shop has committed is in the ledger.
#[tokio::test]
#[ignore = "a campaign: make soak"]
async fn php_and_relay_are_killed_while_the_shop_sells() -> Result<()> {
    on_woocommerce!();
    let mut town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let ring = town.shop.add_product(SKU, "60.00", Some(OPENING)).await?;
    town.opened(&[SKU]).await?;
    let (shop, relay) = (&town.shop, &mut town.relay);
    let until = Instant::now() + duration();
    let killing = async {
        let mut round = 0_usize;
        while Instant::now() < until {
            // The pace of the blows is what is tried out, not a wait for something.
            tokio::time::sleep(Duration::from_millis(700)).await;
            if round.is_multiple_of(3) {
                relay.kill();
                relay.start_again().await?;
            } else {
                let workers = shop.fpm()?.workers()?;
                if let Some(worker) = workers.get(round % workers.len().max(1)) {
                    let _ended_by_itself = kill_process(*worker, Signal::KILL);
                }
            }
            round += 1;
        }
        anyhow::Ok(round)
    };
    let buyers = try_join_all((0..3).map(|visitor| buy(shop, ring, visitor, until)));
    let (blows, _) = futures::try_join!(killing, buyers)?;

    // A draft of the checkout's is no order yet; a killed checkout leaves one behind.
    let orders = shop
        .php(
            "$born = array_diff( array_keys( wc_get_order_statuses() ), array( 'wc-checkout-draft' ) ); \
             return wc_get_orders( array( 'limit' => -1, 'return' => 'ids', 'status' => $born ) );",
        )
        .await?;
    let orders: Vec<u64> = serde_json::from_value(orders)?;
    println!("{} orders, {blows} blows", orders.len());
    // An intent whose process was killed is sent after half a minute.
    wait::until("nothing is left to be sent", PATIENCE * 4, async || Ok(town.quiet().await.ok()))
        .await?;
    let mut out = 0.0;
    for order in &orders {
        let order = shop.order(*order).await?;
        town.sale_like(&order).await?;
        out += order.lines.iter().map(|line| line.reduced_units()).sum::<f64>();
    }
    // By the orders' own tallies: a worker killed between a stock and its tally leaves WooCommerce itself at odds.
    assert_eq!(town.relay.quantity(SKU).await?, Some(OPENING as f64 - out));
    let sales = town.relay.sales().await?;
    assert!(sales.len() >= orders.len(), "{} sales of {} orders", sales.len(), orders.len());
    Ok(())
}
