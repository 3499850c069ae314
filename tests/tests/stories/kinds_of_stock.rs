//! Stock that nobody counts, that a parent owns, that may go below nothing.

use anyhow::{Context, Result};
use nexpura_tests::{
    relay::Database,
    shop::{Shop, Storage, checkout::Payment},
    town::Town,
};

async fn each_kind(storage: Storage) -> Result<()> {
    let town = Town::open(Shop::builder().storage(storage), Database::Sqlite).await?;
    let shop = &town.shop;
    let chain = shop.add_product("CHAIN", "80.00", None).await?;
    let pearl = shop.add_backordered("PEARL", "40.00", 1).await?;
    let own = shop
        .add_variable(
            "BAND",
            "300.00",
            None,
            &[("BAND-52", "52", Some(4)), ("BAND-54", "54", Some(2))],
        )
        .await?;
    let shared = shop
        .add_variable("CORD", "15.00", Some(9), &[("CORD-S", "S", None), ("CORD-L", "L", None)])
        .await?;
    town.opened(&["PEARL", "BAND-52", "BAND-54", "CORD"]).await?;

    let unmanaged = shop.checkout(&[(chain, 2)], Payment::Cash).await?;
    town.agrees(unmanaged, &["CHAIN"]).await.context("unmanaged")?;

    let owed = shop.create_order(&[("PEARL", 3)]).await?;
    shop.pay(owed).await?;
    assert_eq!(shop.stock("PEARL").await?, Some(-2.0));
    town.agrees(owed, &["PEARL"]).await.context("sold below nothing")?;
    shop.set_status(owed, "cancelled").await?;
    town.agrees(owed, &["PEARL"]).await.context("given back")?;
    for left in [0.0, -1.0] {
        let order = shop.checkout(&[(pearl, 1)], Payment::Card).await?;
        assert_eq!(shop.stock("PEARL").await?, Some(left));
        town.agrees(order, &["PEARL"]).await.context("bought below nothing")?;
    }

    let bands = shop.checkout(&[(own[0], 1), (own[1], 2)], Payment::Cash).await?;
    town.agrees(bands, &["BAND-52", "BAND-54"]).await.context("each variation its own")?;

    let cords = shop.checkout(&[(shared[0], 2), (shared[1], 3)], Payment::Card).await?;
    assert_eq!(shop.stock("CORD").await?, Some(4.0));
    town.agrees(cords, &["CORD"]).await.context("both variations draw on the parent")?;
    shop.refund(cords, "CORD-S", 1, true).await?;
    assert_eq!(shop.stock("CORD").await?, Some(5.0));
    town.agrees(cords, &["CORD"]).await.context("one came back to the parent")?;
    Ok(())
}

#[tokio::test]
async fn each_kind_on_hpos() -> Result<()> {
    on_woocommerce!();
    each_kind(Storage::Hpos).await
}

#[tokio::test]
async fn each_kind_on_legacy_storage() -> Result<()> {
    on_woocommerce!();
    each_kind(Storage::Legacy).await
}

/// A product whose stock starts to be counted, and one that stops.
#[tokio::test]
async fn counting_can_begin() -> Result<()> {
    on_woocommerce!();
    let town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let shop = &town.shop;
    let charm = shop.add_product("CHARM", "25.00", None).await?;
    let before = shop.checkout(&[(charm, 1)], Payment::Cash).await?;
    town.agrees(before, &["CHARM"]).await?;
    shop.php(
        "$p = wc_get_product( wc_get_product_id_by_sku( 'CHARM' ) ); $p->set_manage_stock( true ); \
         $p->set_stock_quantity( 7 ); return $p->save();",
    )
    .await?;
    town.opened(&["CHARM"]).await?;
    let after = shop.checkout(&[(charm, 2)], Payment::Cash).await?;
    town.agrees(after, &["CHARM"]).await?;
    assert_eq!(town.relay.quantity("CHARM").await?, Some(5.0));
    Ok(())
}
