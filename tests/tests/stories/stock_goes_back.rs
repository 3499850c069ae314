//! What the ledger says, the shop's stock becomes: as additions, so that no sale is lost on the way.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::Database,
    shop::{Shop, checkout::Payment},
    town::{PATIENCE, Town},
    wait::until,
};
use serde_json::{Value, json};

async fn adjust(town: &Town, sku: &str, change: &str) -> Result<()> {
    let body = json!({ "type": "adjustment", "quantity_change": change, "notes": "by hand" });
    town.relay.post(&format!("/api/inventory/{sku}/movements"), &body).await.map(drop)
}

async fn shop_has(town: &Town, sku: &str, stock: f64) -> Result<()> {
    let what = format!("{sku} is {stock} in the shop");
    until(&what, PATIENCE, async || Ok((town.shop.stock(sku).await? == Some(stock)).then_some(())))
        .await
}

#[tokio::test]
async fn an_adjustment_reaches_the_shop_with_status_and_lookup_table() -> Result<()> {
    on_woocommerce!();
    let town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let ring = town.shop.add_product("RING", "900.00", Some(2)).await?;
    town.opened(&["RING"]).await?;

    adjust(&town, "RING", "3").await?;
    shop_has(&town, "RING", 5.0).await?;
    adjust(&town, "RING", "-5").await?;
    shop_has(&town, "RING", 0.0).await?;
    let seen: Value = town
        .shop
        .php(&format!(
            "global $wpdb; $p = wc_get_product( {ring} ); \
             return array( $p->get_stock_status(), $wpdb->get_var( \"SELECT stock_quantity FROM \
             {{$wpdb->prefix}}wc_product_meta_lookup WHERE product_id = {ring}\" ) );"
        ))
        .await?;
    assert_eq!(seen[0], "outofstock");
    assert_eq!(seen[1].as_str().and_then(|text| text.parse::<f64>().ok()), Some(0.0));

    adjust(&town, "RING", "1").await?;
    shop_has(&town, "RING", 1.0).await?;
    let order = town.shop.checkout(&[(ring, 1)], Payment::Cash).await?;
    town.agrees(order, &["RING"]).await?;
    Ok(())
}

#[tokio::test]
async fn changes_while_the_shop_is_away_arrive_together_once() -> Result<()> {
    on_woocommerce!();
    let mut town = Town::open(Shop::builder(), Database::Sqlite).await?;
    town.shop.add_product("RING", "900.00", Some(10)).await?;
    town.opened(&["RING"]).await?;
    town.relay.kill();
    town.relay.start_again().await?;
    for _ in 0..5 {
        adjust(&town, "RING", "-1").await?;
    }
    adjust(&town, "RING", "2").await?;
    town.relay.kill();
    town.relay.start_again().await?;
    shop_has(&town, "RING", 7.0).await?;
    let row = town.relay.stock_row("RING").await?.context("no row")?;
    ensure!(row.units() == Some(7.0), "the ledger has {:?}", row.units());
    Ok(())
}

/// Prints what a person waits for; the budget itself is held by the benchmarks.
#[tokio::test]
async fn buyers_and_the_ledger_move_one_stock_at_once() -> Result<()> {
    on_woocommerce!();
    let town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let ring = town.shop.add_product("RING", "900.00", Some(40)).await?;
    town.opened(&["RING"]).await?;
    let begun = Instant::now();
    let buy = async {
        for _ in 0..6 {
            town.shop.checkout(&[(ring, 1)], Payment::Cash).await?;
        }
        anyhow::Ok(())
    };
    let also = async {
        for _ in 0..6 {
            town.shop.checkout(&[(ring, 1)], Payment::Card).await?;
        }
        anyhow::Ok(())
    };
    let sell = async {
        for turn in 0..20 {
            adjust(&town, "RING", if turn % 2 == 0 { "-1" } else { "2" }).await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(buy, also, sell)?;
    println!("12 checkouts and 20 adjustments took {:?}", begun.elapsed());
    shop_has(&town, "RING", 38.0).await?;
    until("RING is 38 in the ledger", PATIENCE, async || {
        Ok((town.relay.quantity("RING").await? == Some(38.0)).then_some(()))
    })
    .await
}
