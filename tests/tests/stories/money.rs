//! Currencies with no, two and three decimals; prices with and without tax: the parts of a sale make its total.

use anyhow::{Context, Result};
use nexpura_tests::{
    relay::Database,
    shop::{Shop, ShopBuilder, checkout::Payment},
    town::{Town, same_amount},
};
use serde_json::Value;

/// A decimal number of the ledger's answer.
fn amount(of: &Value) -> Result<f64> {
    let text = of.as_str().with_context(|| format!("{of} is no decimal text"))?;
    Ok(text.parse()?)
}

/// Sells three of something with an awkward price, and looks at every part of the sale.
async fn parts_make_the_total(shop: ShopBuilder, price: &str, total: &str) -> Result<()> {
    let town = Town::open(shop, Database::Sqlite).await?;
    let thing = town.shop.add_product("THING", price, Some(10)).await?;
    let other = town.shop.add_product("OTHER", price, Some(10)).await?;
    town.opened(&["THING", "OTHER"]).await?;
    let order = town.shop.checkout(&[(thing, 3), (other, 1)], Payment::Card).await?;
    assert_eq!(town.shop.order(order).await?.total, total, "in the shop");
    let sale = town.agrees(order, &["THING", "OTHER"]).await?;
    assert!(same_amount(&sale.total, total), "{sale:?}");

    let sale = town.relay.sale_in_full(&sale).await?;
    let lines = sale["lines"].as_array().context("no lines")?;
    assert_eq!(lines.len(), 2);
    let mut sum = amount(&sale["shipping"])?
        + amount(&sale["fees"])?
        + amount(&sale["rounding"])?
        + amount(&sale["tax"])?;
    for line in lines {
        sum += amount(&line["total"])?;
        assert_eq!(line["desired"], line["posted"], "{line}");
    }
    assert!(
        same_amount(&format!("{sum:.6}"), total),
        "the parts make {sum}, the total is {total}: {sale}"
    );
    Ok(())
}

#[tokio::test]
async fn yen_have_no_decimals() -> Result<()> {
    on_woocommerce!();
    // 4 × 1234 + 10 for the post, 10 % on top, rounded line by line: 370 + 123 + 1.
    parts_make_the_total(Shop::builder().currency("JPY", 0).taxes("10", false), "1234", "5440")
        .await
}

#[tokio::test]
async fn pounds_have_two() -> Result<()> {
    on_woocommerce!();
    // Prices with 20 % in them; the post is 10 before tax.
    parts_make_the_total(Shop::builder().currency("GBP", 2).taxes("20", true), "33.33", "145.32")
        .await
}

#[tokio::test]
async fn dinars_have_three() -> Result<()> {
    on_woocommerce!();
    // 4 × 12.345 + 10 = 59.38, 5 % on top.
    parts_make_the_total(Shop::builder().currency("KWD", 3).taxes("5", false), "12.345", "62.349")
        .await
}
