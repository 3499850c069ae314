//! The harness first: a shop without our parts sells, and its verbs do what a merchant does.

use std::time::Instant;

use anyhow::Result;
use nexpura_tests::shop::{Shop, Storage, checkout::Payment};
use serde_json::Value;

/// What the verbs do to stock, by WooCommerce's own rules.
async fn lives_by_woocommerces_rules(storage: Storage) -> Result<()> {
    let started = Instant::now();
    let shop = Shop::builder().plain().storage(storage).start().await?;
    println!("{}: up after {:?}", shop.sources.description, started.elapsed());
    let started = Instant::now();
    let ring = shop.add_product("RING-1", "120.00", Some(5)).await?;
    println!("a product after {:?}", started.elapsed());
    let started = Instant::now();
    let order = shop.checkout(&[(ring, 2)], Payment::Cash).await?;
    println!("a checkout after {:?}", started.elapsed());
    assert_eq!(shop.stock("RING-1").await?, Some(3.0));
    let as_sold = shop.order(order).await?;
    assert_eq!((as_sold.status.as_str(), as_sold.total.as_str()), ("processing", "250.00"));

    shop.edit_line(order, "RING-1", 3).await?;
    assert_eq!(shop.stock("RING-1").await?, Some(2.0));
    shop.refund(order, "RING-1", 1, true).await?;
    assert_eq!(shop.stock("RING-1").await?, Some(3.0));
    shop.refund(order, "RING-1", 1, false).await?;
    assert_eq!(shop.stock("RING-1").await?, Some(3.0));
    shop.set_status(order, "cancelled").await?;
    assert_eq!(shop.stock("RING-1").await?, Some(5.0));

    let typed = shop.create_order(&[("RING-1", 1)]).await?;
    shop.pay(typed).await?;
    shop.trash(typed).await?;
    assert_eq!(shop.order(typed).await?.status, "trash");
    shop.untrash(typed).await?;
    assert_eq!(shop.order(typed).await?.status, "processing");
    shop.remove_line(typed, "RING-1").await?;
    assert_eq!(shop.stock("RING-1").await?, Some(5.0));
    shop.delete(typed).await?;
    assert!(shop.order(typed).await.is_err());

    let classic = shop.classic_checkout(ring, 1, Payment::Card).await?;
    assert_eq!(shop.order(classic).await?.status, "processing");
    let cart = shop.cart().await?;
    cart.add(ring, 1).await?;
    let declined = cart.try_check_out(Payment::DeclinedCard).await?;
    assert_eq!(declined.json::<Value>().await?["status"], "failed");
    assert_eq!(shop.stock("RING-1").await?, Some(4.0));
    cart.check_out_again(Payment::Card).await?;
    assert_eq!(shop.stock("RING-1").await?, Some(3.0));
    Ok(())
}

#[tokio::test]
async fn a_plain_shop_lives_by_woocommerces_rules_on_hpos() -> Result<()> {
    on_woocommerce!();
    lives_by_woocommerces_rules(Storage::Hpos).await
}

#[tokio::test]
async fn a_plain_shop_lives_by_woocommerces_rules_on_legacy_storage() -> Result<()> {
    on_woocommerce!();
    lives_by_woocommerces_rules(Storage::Legacy).await
}
