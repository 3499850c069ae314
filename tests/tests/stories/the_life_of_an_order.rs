//! The whole life of an order: after each step the ledger has the shop's status, total and stock.

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::Database,
    shop::{Shop, Storage, checkout::Payment},
    town::{PATIENCE, Town, Way, same_amount},
    wait::until,
};
use serde_json::json;

const RING: &str = "RING-1";

/// A town whose shop sells twenty of one ring; by other ways than the extension, a plain WooCommerce.
async fn town(way: Way, storage: Storage, database: Database) -> Result<(Town, u64)> {
    let builder = Shop::builder().storage(storage);
    // Whoever has no extension has no help from the plugin either.
    let builder = if way == Way::Extension { builder } else { builder.plain() };
    let town = Town::open_by(way, builder, database).await?;
    let ring = town.shop.add_product(RING, "120.00", Some(20)).await?;
    town.opened(&[RING]).await?;
    Ok((town, ring))
}

/// Sold, paid, edited, refunded both ways, called off.
async fn bought_paid_edited_refunded_cancelled(
    way: Way,
    storage: Storage,
    database: Database,
) -> Result<()> {
    let (town, ring) = town(way, storage, database).await?;
    let shop = &town.shop;
    let order = shop.checkout(&[(ring, 3)], Payment::Transfer).await?;
    let step = async |name: &str, stock: f64| -> Result<()> {
        let context = || format!("{name} by {way:?} on {storage:?}, {database:?}");
        assert_eq!(shop.stock(RING).await?, Some(stock), "{} in the shop", context());
        town.agrees(order, &[RING]).await.with_context(context).map(|_| ())
    };
    step("on hold", 17.0).await?;
    shop.pay(order).await?;
    step("paid", 17.0).await?;
    shop.edit_line(order, RING, 4).await?;
    step("edited up", 16.0).await?;
    shop.edit_line(order, RING, 3).await?;
    step("edited down", 17.0).await?;
    shop.refund(order, RING, 1, true).await?;
    step("refunded with restock", 18.0).await?;
    shop.refund(order, RING, 1, false).await?;
    step("refunded without restock", 18.0).await?;
    // The last one changed neither status nor total nor stock.
    until("the ledger has both refunds", PATIENCE, async || {
        let sale = town.relay.sale(order).await?.context("the sale is gone")?;
        let refunds = town.relay.sale_in_full(&sale).await?["refunds"].clone();
        Ok((refunds.as_array().map(Vec::len) == Some(2)).then_some(()))
    })
    .await?;
    shop.set_status(order, "completed").await?;
    step("completed", 18.0).await?;
    shop.set_status(order, "cancelled").await?;
    step("cancelled", 20.0).await
}

/// Declined, tried again, put into the trash, taken out, removed for good.
async fn failed_resumed_trashed_restored_deleted(way: Way, storage: Storage) -> Result<()> {
    let (town, ring) = town(way, storage, Database::Sqlite).await?;
    let shop = &town.shop;
    let cart = shop.cart().await?;
    cart.add(ring, 2).await?;
    let declined: serde_json::Value =
        cart.try_check_out(Payment::DeclinedCard).await?.json().await?;
    let order = declined["order_id"].as_u64().context("no order")?;
    town.agrees(order, &[RING]).await.context("failed")?;
    assert_eq!(shop.order(order).await?.status, "failed");
    assert_eq!(cart.check_out_again(Payment::Card).await?, order, "the same order is paid");
    town.agrees(order, &[RING]).await.context("resumed")?;
    assert_eq!(town.relay.quantity(RING).await?, Some(18.0));

    shop.trash(order).await?;
    town.agrees(order, &[RING]).await.context("trashed: WooCommerce gives nothing back")?;
    shop.untrash(order).await?;
    town.agrees(order, &[RING]).await.context("restored")?;
    let total = shop.order(order).await?.total;
    shop.delete(order).await?;
    town.stock_agrees(&[RING]).await.context("deleted: WooCommerce gives nothing back")?;
    assert_eq!(town.relay.quantity(RING).await?, Some(18.0));
    let sale = town.relay.sale(order).await?.context("the books forget no sale")?;
    assert!(same_amount(&sale.total, &total), "{sale:?}");
    Ok(())
}

/// The checkout of before the blocks, and orders that the merchant types in.
async fn classic_and_typed_in(way: Way, storage: Storage) -> Result<()> {
    let (town, ring) = town(way, storage, Database::Sqlite).await?;
    let shop = &town.shop;
    for (payment, stock) in
        [(Payment::Cash, 19.0), (Payment::Card, 18.0), (Payment::Transfer, 17.0)]
    {
        let order = shop.classic_checkout(ring, 1, payment).await?;
        assert_eq!(shop.stock(RING).await?, Some(stock));
        town.agrees(order, &[RING]).await.with_context(|| format!("{payment:?}"))?;
    }
    let typed = shop.create_order(&[(RING, 2)]).await?;
    town.agrees(typed, &[RING]).await.context("typed in, still to be paid")?;
    shop.pay(typed).await?;
    town.agrees(typed, &[RING]).await.context("paid")?;
    shop.remove_line(typed, RING).await?;
    assert_eq!(shop.stock(RING).await?, Some(17.0));
    town.agrees(typed, &[RING]).await.context("its line removed")?;
    Ok(())
}

#[tokio::test]
async fn bought_to_cancelled_on_hpos() -> Result<()> {
    on_woocommerce!();
    bought_paid_edited_refunded_cancelled(Way::Extension, Storage::Hpos, Database::Sqlite).await
}

#[tokio::test]
async fn bought_to_cancelled_on_legacy_storage() -> Result<()> {
    on_woocommerce!();
    bought_paid_edited_refunded_cancelled(Way::Extension, Storage::Legacy, Database::Sqlite).await
}

#[tokio::test]
async fn bought_to_cancelled_with_the_ledger_on_postgres() -> Result<()> {
    on_woocommerce!();
    bought_paid_edited_refunded_cancelled(Way::Extension, Storage::Hpos, Database::Postgres).await
}

#[tokio::test]
async fn failed_to_deleted_on_hpos() -> Result<()> {
    on_woocommerce!();
    failed_resumed_trashed_restored_deleted(Way::Extension, Storage::Hpos).await
}

#[tokio::test]
async fn failed_to_deleted_on_legacy_storage() -> Result<()> {
    on_woocommerce!();
    failed_resumed_trashed_restored_deleted(Way::Extension, Storage::Legacy).await
}

#[tokio::test]
async fn classic_checkout_and_typed_in_orders_on_hpos() -> Result<()> {
    on_woocommerce!();
    classic_and_typed_in(Way::Extension, Storage::Hpos).await
}

#[tokio::test]
async fn classic_checkout_and_typed_in_orders_on_legacy_storage() -> Result<()> {
    on_woocommerce!();
    classic_and_typed_in(Way::Extension, Storage::Legacy).await
}

#[tokio::test]
async fn bought_to_cancelled_on_hpos_by_webhooks_alone() -> Result<()> {
    on_woocommerce!();
    bought_paid_edited_refunded_cancelled(Way::Webhooks, Storage::Hpos, Database::Sqlite).await
}

#[tokio::test]
async fn failed_to_deleted_on_hpos_by_webhooks_alone() -> Result<()> {
    on_woocommerce!();
    failed_resumed_trashed_restored_deleted(Way::Webhooks, Storage::Hpos).await
}

#[tokio::test]
async fn classic_checkout_and_typed_in_orders_on_hpos_by_webhooks_alone() -> Result<()> {
    on_woocommerce!();
    classic_and_typed_in(Way::Webhooks, Storage::Hpos).await
}

#[tokio::test]
async fn bought_to_cancelled_on_legacy_storage_by_webhooks_alone() -> Result<()> {
    on_woocommerce!();
    bought_paid_edited_refunded_cancelled(Way::Webhooks, Storage::Legacy, Database::Sqlite).await
}

#[tokio::test]
async fn failed_to_deleted_on_legacy_storage_by_webhooks_alone() -> Result<()> {
    on_woocommerce!();
    failed_resumed_trashed_restored_deleted(Way::Webhooks, Storage::Legacy).await
}

#[tokio::test]
async fn classic_checkout_and_typed_in_orders_on_legacy_storage_by_webhooks_alone() -> Result<()> {
    on_woocommerce!();
    classic_and_typed_in(Way::Webhooks, Storage::Legacy).await
}

#[tokio::test]
async fn bought_to_cancelled_on_hpos_by_the_sweep_alone() -> Result<()> {
    on_woocommerce!();
    bought_paid_edited_refunded_cancelled(Way::Sweep, Storage::Hpos, Database::Sqlite).await
}

#[tokio::test]
async fn failed_to_deleted_on_hpos_by_the_sweep_alone() -> Result<()> {
    on_woocommerce!();
    failed_resumed_trashed_restored_deleted(Way::Sweep, Storage::Hpos).await
}

#[tokio::test]
async fn classic_checkout_and_typed_in_orders_on_hpos_by_the_sweep_alone() -> Result<()> {
    on_woocommerce!();
    classic_and_typed_in(Way::Sweep, Storage::Hpos).await
}

#[tokio::test]
async fn bought_to_cancelled_on_legacy_storage_by_the_sweep_alone() -> Result<()> {
    on_woocommerce!();
    bought_paid_edited_refunded_cancelled(Way::Sweep, Storage::Legacy, Database::Sqlite).await
}

#[tokio::test]
async fn failed_to_deleted_on_legacy_storage_by_the_sweep_alone() -> Result<()> {
    on_woocommerce!();
    failed_resumed_trashed_restored_deleted(Way::Sweep, Storage::Legacy).await
}

#[tokio::test]
async fn classic_checkout_and_typed_in_orders_on_legacy_storage_by_the_sweep_alone() -> Result<()> {
    on_woocommerce!();
    classic_and_typed_in(Way::Sweep, Storage::Legacy).await
}

/// Has the next PHP process die with the statement after the first one that writes an order of this status.
async fn to_die_as_it_writes(shop: &Shop, status: &str) -> Result<()> {
    let pattern = format!(r"/^\s*(INSERT INTO|UPDATE) .?wp_wc_orders\b.*wc-{status}/s");
    shop.php(&format!("update_option( 'nexpura_tests_dies_after', '{pattern}' );")).await?;
    Ok(())
}

/// Killed between WooCommerce's write and the first hook that tells of it, and with it whatever else runs PHP, the
/// sender among it.
#[tokio::test]
async fn a_checkout_that_is_killed_as_its_order_is_written_reaches_the_ledger() -> Result<()> {
    on_woocommerce!();
    let (town, ring) = town(Way::Extension, Storage::Hpos, Database::Sqlite).await?;
    let shop = &town.shop;
    to_die_as_it_writes(shop, "pending").await?;
    let killed = shop.checkout(&[(ring, 1)], Payment::Card).await;
    assert!(killed.is_err(), "the checkout answered: {killed:?}");
    shop.php("delete_option( 'nexpura_tests_dies_after' );").await?;
    let born =
        shop.php("return wc_get_orders( array( 'return' => 'ids', 'status' => 'pending' ) );");
    let born: Vec<u64> = serde_json::from_value(born.await?)?;
    let [order] = born.as_slice() else { anyhow::bail!("not one order was written: {born:?}") };
    // Nobody does anything in the shop any more; the relay reads the catalogue, as it does by itself now and then.
    let catalogue = json!({ "store": shop.url });
    town.relay.post("/api/integrations/woocommerce/sync/products", &catalogue).await?;
    town.agrees(*order, &[RING]).await?;
    Ok(())
}

#[tokio::test]
async fn the_five_minute_event_sends_what_a_killed_process_had_marked() -> Result<()> {
    on_woocommerce!();
    let (town, _) = town(Way::Extension, Storage::Hpos, Database::Sqlite).await?;
    let shop = &town.shop;
    let order: u64 = shop.call("create_order", json!({ "lines": { RING: 1 } })).await?;
    town.agrees(order, &[RING]).await?;
    let told = async || -> Result<usize> {
        let events = town.relay.events(None).await?;
        Ok(events.iter().filter(|event| event.resource_id == order).count())
    };
    to_die_as_it_writes(shop, "on-hold").await?;
    // With the workers the sender goes, so that nobody sends what the command line leaves.
    shop.fpm()?.kill_workers().await?;
    let before = told().await?;
    let killed = shop.call_cli("set_status", json!({ "order": order, "status": "on-hold" }));
    ensure!(killed.is_err(), "the command ended: {killed:?}");
    ensure!(told().await? == before, "somebody has sent it already");
    // By the system's cron: its process is over before a thread that it starts could have sent anything.
    shop.call_cli("run_five_minute_event", ())?;
    ensure!(told().await? > before, "the event has not sent it");
    shop.php("delete_option( 'nexpura_tests_dies_after' );").await?;
    town.agrees(order, &[RING]).await?;
    Ok(())
}
