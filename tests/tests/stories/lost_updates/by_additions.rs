//! Nexpura's way: a change travels as an addition that counts once, however often and however late it arrives.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::{Database, Relay},
    road::Road,
    shop::Shop,
    town::Town,
    wait::until,
};
use reqwest::Method;
use serde_json::json;

use super::busy_day::{self, Deed, Goods, whole};

/// How long pushes that were lost may take until they have arrived.
const PATIENCE: Duration = Duration::from_secs(120);

/// A town whose every road is bad.
struct Region {
    town: Town,
    to_relay: std::sync::Arc<Road>,
    to_shop: std::sync::Arc<Road>,
    goods: Goods,
}

async fn region(database: Database) -> Result<Region> {
    let to_relay = Road::open("/v1/push").await?;
    let to_shop = Road::open("/wp-json/wc-nexpura/v1/stock").await?;
    // Swept all the time: a sweep must take nothing that moves for somebody's edit.
    let relay = Relay::start_behind(&to_relay, database, &[("NEXPURA_SWEEP_SECONDS", "2")]);
    let shop = Shop::builder().workers(busy_day::workers()).behind(&to_shop).start();
    let (relay, shop) = futures::try_join!(relay, shop)?;
    let town = Town::of(relay, shop).await?;
    // Over https no nonce of OAuth's stands before a request that comes twice; here the shop forgets them.
    town.shop.sql(
        "CREATE TRIGGER forgetful BEFORE UPDATE ON wp_woocommerce_api_keys FOR EACH ROW SET NEW.nonces = ''",
    )?;
    let goods = Goods::lay_out(&town.shop).await?;
    town.opened(&goods.names()).await?;
    Ok(Region { town, to_relay, to_shop, goods })
}

/// What the ledger has of each, all in one answer.
async fn in_ledger(relay: &Relay, goods: &Goods) -> Result<Vec<i64>> {
    let rows = relay.stock_rows().await?;
    let units = |sku: &String| {
        let row = rows.iter().find(|row| row.sku.as_ref() == Some(sku));
        whole(row.and_then(|row| row.units()).with_context(|| format!("{sku} is not counted"))?)
    };
    goods.skus.iter().map(units).collect()
}

/// One campaign; prints what it went through.
async fn no_unit_is_lost(database: Database, visits: u32, seed: u64) -> Result<()> {
    let region = region(database).await?;
    let (shop, relay, goods) = (&region.town.shop, &region.town.relay, &region.goods);
    let count = async |which: usize| {
        whole(relay.quantity(&goods.skus[which]).await?.context("not counted")?)
    };
    let does = async |which: usize, deed: Deed| {
        let path = format!("/api/inventory/{}/movements", goods.skus[which]);
        let body = json!({
            "type": deed.kind, "quantity_change": deed.change.to_string(), "notes": "a busy day",
        });
        relay.post(&path, &body).await.map(drop)
    };
    let day = busy_day::pass(shop, goods, visits, seed, count, does).await?;
    ensure!(day.orders > 0, "nobody bought anything");

    until("nothing is left to be sent", PATIENCE, async || Ok(region.town.quiet().await.ok()))
        .await
        .with_context(|| relay.log().unwrap_or_default())?;
    let accounted = goods.accounted(shop, &day.moved).await?;
    let mut last = (Vec::new(), Vec::new());
    let agreed = until("every unit is where it belongs", PATIENCE, async || {
        // A person looks after a store whose pushes were stopped because they would empty it.
        let store = json!({ "store": shop.url });
        relay.ask(Method::POST, "/api/integrations/woocommerce/resume", Some(&store)).await?;
        last = (goods.in_shop(shop)?, in_ledger(relay, goods).await?);
        Ok((last.0 == accounted && last.1 == accounted).then_some(()))
    })
    .await;
    agreed.with_context(|| {
        format!(
            "seed {seed}\naccounted {accounted:?}\nshop      {:?}\nledger    {:?}\n{}",
            last.0,
            last.1,
            relay.log().unwrap_or_default()
        )
    })?;
    for (sku, accounted) in goods.skus.iter().zip(&accounted) {
        let movements = relay.movements(sku).await?;
        let sum: f64 =
            movements.iter().map(|one| one.quantity_change.parse().unwrap_or(f64::NAN)).sum();
        ensure!(whole(sum)? == *accounted, "seed {seed}: {sku} has the movements {movements:?}");
    }
    let edits = relay.list("/api/drift").await?;
    ensure!(edits.is_empty(), "seed {seed}: nobody edited a stock, but {edits:?}");
    ensure!(
        region.to_shop.was_bad() && region.to_relay.was_bad(),
        "seed {seed}: too little traffic: {:?} {:?}",
        region.to_shop,
        region.to_relay
    );
    println!(
        "seed {seed} on {database:?}: {} orders, {} movements by hand, {} pushes to the shop, {} to the relay",
        day.orders,
        day.deeds,
        region.to_shop.met(),
        region.to_relay.met()
    );
    Ok(())
}

#[tokio::test]
async fn no_unit_is_lost_with_the_ledger_on_sqlite() -> Result<()> {
    on_woocommerce!();
    no_unit_is_lost(Database::Sqlite, 6, 1).await
}

#[tokio::test]
async fn no_unit_is_lost_with_the_ledger_on_postgres() -> Result<()> {
    on_woocommerce!();
    no_unit_is_lost(Database::Postgres, 6, 2).await
}

#[tokio::test]
#[ignore = "a campaign: make soak"]
async fn no_unit_is_lost_in_twenty_campaigns() -> Result<()> {
    on_woocommerce!();
    for seed in 101..121 {
        let database = if seed % 2 == 0 { Database::Sqlite } else { Database::Postgres };
        no_unit_is_lost(database, 12, seed).await?;
    }
    Ok(())
}
