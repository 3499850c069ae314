//! Older versions of WordPress and WooCommerce, and a shop on https.

use crate::in_wordpress;
use anyhow::{Context, Result};
use nexpura_tests::{
    relay::Database,
    shop::{Shop, Storage, checkout::Payment},
    stack::sources::Wish,
    town::Town,
};

/// Bought, edited, refunded and cancelled, in a town.
async fn a_short_life(town: &Town) -> Result<u64> {
    let shop = &town.shop;
    let ring = shop.add_product("RING-1", "120.00", Some(12)).await?;
    let bands = shop.add_variable("BAND", "300.00", None, &[("BAND-52", "52", Some(4))]).await?;
    town.opened(&["RING-1", "BAND-52"]).await?;
    let order = shop.checkout(&[(ring, 3), (bands[0], 1)], Payment::Card).await?;
    let agrees = async |step: &str| -> Result<()> {
        town.agrees(order, &["RING-1", "BAND-52"])
            .await
            .map(|_| ())
            .with_context(|| step.to_owned())
    };
    agrees("bought").await?;
    shop.edit_line(order, "RING-1", 2).await?;
    agrees("edited").await?;
    shop.refund(order, "RING-1", 1, true).await?;
    agrees("refunded").await?;
    shop.set_status(order, "cancelled").await?;
    agrees("cancelled").await?;
    let classic = shop.classic_checkout(ring, 1, Payment::Transfer).await?;
    town.agrees(classic, &["RING-1"]).await?;
    Ok(classic)
}

/// On other versions, where they can be had.
async fn on(woocommerce: &str, storage: Storage) -> Result<()> {
    let wish =
        Wish { wordpress: Some("6.5".to_owned()), woocommerce: Some(woocommerce.to_owned()) };
    on_woocommerce!(wish);
    let town = Town::open(Shop::builder().on(wish).storage(storage), Database::Sqlite).await?;
    let order = a_short_life(&town).await?;
    in_wordpress::screens_show(&town, storage, order, "RING-1").await
}

#[tokio::test]
async fn woocommerce_9_4_on_wordpress_6_5() -> Result<()> {
    on("9.4", Storage::Hpos).await
}

#[tokio::test]
async fn woocommerce_8_2_on_wordpress_6_5() -> Result<()> {
    on("8.2", Storage::Legacy).await
}

#[tokio::test]
async fn a_shop_on_https_is_read_with_its_key_alone() -> Result<()> {
    on_woocommerce!();
    a_short_life(&Town::open_on_https(Shop::builder(), Database::Sqlite).await?).await.map(drop)
}
