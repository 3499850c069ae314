//! Requests that touch the same thing at the same moment.

use anyhow::{Context, Result};
use futures::future::try_join_all;
use nexpura_tests::{
    relay::Database,
    shop::{Shop, Storage, checkout::Payment},
    town::Town,
};

const RING: &str = "RING-1";

/// Two requests change one order at once, again and again; each time the ledger ends where the shop does.
async fn one_order(storage: Storage) -> Result<()> {
    let town = Town::open(Shop::builder().storage(storage), Database::Sqlite).await?;
    let shop = &town.shop;
    let ring = shop.add_product(RING, "60.00", Some(50)).await?;
    town.opened(&[RING]).await?;
    for round in 0..4 {
        let order = shop.checkout(&[(ring, 2)], Payment::Transfer).await?;
        let (paid, edited) =
            futures::join!(shop.pay(order), shop.edit_line(order, RING, 3 + round));
        paid.and(edited)?;
        town.agrees(order, &[RING]).await.with_context(|| format!("paid and edited, {round}"))?;
        let (refunded, completed) =
            futures::join!(shop.refund(order, RING, 1, false), shop.set_status(order, "completed"));
        refunded?;
        completed?;
        town.agrees(order, &[RING])
            .await
            .with_context(|| format!("refunded and completed, {round}"))?;
        shop.set_status(order, "cancelled").await?;
        town.agrees(order, &[RING]).await.with_context(|| format!("cancelled, {round}"))?;
    }
    let order = shop.checkout(&[(ring, 5)], Payment::Transfer).await?;
    town.agrees(order, &[RING]).await?;
    let before = shop.stock(RING).await?.context("not counted")? + 5.0;
    let (refunded, cancelled) =
        futures::join!(shop.refund(order, RING, 1, true), shop.set_status(order, "cancelled"));
    refunded?;
    cancelled?;
    // WooCommerce may give the refunded unit back twice now. The books follow the order's own tally, which is right.
    let order = shop.order(order).await?;
    town.sale_like(&order).await?;
    town.quiet().await?;
    let still_out: f64 = order.lines.iter().map(|line| line.reduced_units()).sum();
    assert_eq!(town.relay.quantity(RING).await?, Some(before - still_out), "{order:?}");
    Ok(())
}

#[tokio::test]
async fn on_one_order_on_hpos() -> Result<()> {
    on_woocommerce!();
    one_order(Storage::Hpos).await
}

#[tokio::test]
async fn on_one_order_on_legacy_storage() -> Result<()> {
    on_woocommerce!();
    one_order(Storage::Legacy).await
}

/// Three visitors at a time buy from one stock; none of their units is counted twice or lost.
#[tokio::test]
async fn on_one_stock() -> Result<()> {
    on_woocommerce!();
    let town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let shop = &town.shop;
    let ring = shop.add_product(RING, "60.00", Some(30)).await?;
    town.opened(&[RING]).await?;
    for _ in 0..5 {
        let visits = (0..3).map(|_| async { shop.checkout(&[(ring, 1)], Payment::Card).await });
        for order in try_join_all(visits).await? {
            town.agrees(order, &[RING]).await?;
        }
    }
    assert_eq!(town.relay.quantity(RING).await?, Some(15.0));
    Ok(())
}
