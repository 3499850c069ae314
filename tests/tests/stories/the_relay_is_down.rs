//! The shop sells on while the relay is away, and nothing of it is lost.

use std::time::Duration;

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use nexpura_tests::{
    relay::Database,
    shop::{Shop, Storage, checkout::Payment},
    town::Town,
    wait,
};

const CHECKOUTS: usize = 50;

/// Fifty visitors buy, three at a time.
async fn fifty_buy(shop: &Shop, product: u64) -> Result<Vec<u64>> {
    let visits = (0..CHECKOUTS).map(|visit| {
        let payment = [Payment::Card, Payment::Cash, Payment::Transfer][visit % 3];
        async move { shop.checkout(&[(product, 1)], payment).await }
    });
    stream::iter(visits).buffer_unordered(3).try_collect().await
}

async fn nothing_is_lost(database: Database, storage: Storage) -> Result<()> {
    let mut town = Town::open(Shop::builder().storage(storage), database).await?;
    let ring = town.shop.add_product("RING-1", "99.00", Some(80)).await?;
    town.opened(&["RING-1"]).await?;
    town.quiet().await?;

    town.relay.kill();
    let mut orders = fifty_buy(&town.shop, ring).await?;
    assert_eq!(town.shop.stock("RING-1").await?, Some(30.0));
    town.relay.start_again().await?;

    let relay = &town.relay;
    wait::until("all fifty sales are in the ledger", Duration::from_secs(120), async || {
        Ok((relay.sales().await?.len() >= CHECKOUTS).then_some(()))
    })
    .await
    .with_context(|| relay.log().unwrap_or_default())?;
    town.stock_agrees(&["RING-1"]).await?;
    let mut in_ledger: Vec<u64> = relay
        .sales()
        .await?
        .iter()
        .map(|sale| Ok(sale.external_id.parse()?))
        .collect::<Result<_>>()?;
    in_ledger.sort_unstable();
    orders.sort_unstable();
    assert_eq!(in_ledger, orders, "each order is one sale");
    for order in &orders {
        town.sale_like(&town.shop.order(*order).await?).await?;
    }
    // The stocktake that opened the count, and one movement a sale.
    assert_eq!(relay.movements("RING-1").await?.len(), 1 + CHECKOUTS);
    assert_eq!(relay.events(Some("failed")).await?, []);
    Ok(())
}

#[tokio::test]
async fn fifty_checkouts_arrive_afterwards() -> Result<()> {
    on_woocommerce!();
    nothing_is_lost(Database::Sqlite, Storage::Hpos).await
}

#[tokio::test]
async fn fifty_checkouts_arrive_afterwards_on_legacy_storage_and_postgres() -> Result<()> {
    on_woocommerce!();
    nothing_is_lost(Database::Postgres, Storage::Legacy).await
}
