//! A shop registers again: after an answer that was lost, after another ledger, and after its plugin was deleted.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::{Database, Relay},
    road::Road,
    shop::Shop,
    wait::until,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(40);

/// How many REST keys of ours the shop has.
async fn keys(shop: &Shop) -> Result<Value> {
    shop.php(
        "global $wpdb; return (int) $wpdb->get_var( \"SELECT COUNT(*) FROM \
         {$wpdb->prefix}woocommerce_api_keys WHERE description = 'Nexpura'\" );",
    )
    .await
}

/// Whether the relay can ask the shop with the key that it has.
async fn is_asked(relay: &Relay, shop: &Shop) -> Result<()> {
    let path = "/api/integrations/woocommerce/test";
    let (status, told) = relay.ask(Method::POST, path, Some(&json!({ "store": shop.url }))).await?;
    ensure!(status == StatusCode::OK, "{told}");
    Ok(())
}

async fn adjust(relay: &Relay, change: &str) -> Result<()> {
    let body = json!({ "type": "adjustment", "quantity_change": change, "notes": "by hand" });
    relay.post("/api/inventory/RING/movements", &body).await.map(drop)
}

/// The ring is this many on both sides, and the shop is not taken for a restored one.
async fn both_have(relay: &Relay, shop: &Shop, units: f64) -> Result<()> {
    until(&format!("RING is {units} on both sides"), PATIENCE, async || {
        let row = relay.stock_row("RING").await?;
        let open = row.is_some_and(|row| row.is_open() && row.units() == Some(units));
        Ok((open && shop.stock("RING").await? == Some(units)).then_some(()))
    })
    .await
    .with_context(|| relay.log().unwrap_or_default())?;
    let stores = relay.list("/api/integrations").await?;
    ensure!(stores.len() == 1 && stores[0]["halted"].is_null(), "{stores:?}");
    Ok(())
}

#[tokio::test]
async fn an_answer_that_was_lost_leaves_a_key_that_works_and_is_asked_for_again() -> Result<()> {
    on_woocommerce!();
    let road = Road::open("/v1/connect").await?;
    let (relay, shop) =
        futures::join!(Relay::start_behind(&road, Database::Sqlite, &[]), Shop::builder().start());
    let (relay, shop) = (relay?, shop?);
    let connection = relay.connection()?;
    let by_road = format!("127.0.0.1:{}", road.port());
    shop.connect(&connection.string.replace(&by_road, relay.url.trim_start_matches("http://")))
        .await?;
    is_asked(&relay, &shop).await?;
    // A person presses "Connect again"; the relay takes the new key, and nobody hears of it.
    ensure!(shop.connect(&connection.string).await.is_err(), "the answer was not lost");
    is_asked(&relay, &shop).await?;
    let due = "$problem = \\Nexpura\\problem(); $problem['at'] -= HOUR_IN_SECONDS; \
        update_option( \\Nexpura\\PROBLEM_OPTION, $problem ); \
        return \\Nexpura\\is_registration_due();";
    assert_eq!(shop.php(due).await?, true, "the shop believes that it is connected as it was");
    shop.php("\\Nexpura\\do_background_work();").await?;
    assert_eq!(shop.php("return \\Nexpura\\problem();").await?, Value::Null);
    assert_eq!(keys(&shop).await?, 1);
    is_asked(&relay, &shop).await
}

#[tokio::test]
async fn a_shop_that_was_with_another_ledger_is_pushed_to_again() -> Result<()> {
    on_woocommerce!();
    let (relay, other, shop) = futures::join!(
        Relay::start(Database::Sqlite),
        Relay::start(Database::Sqlite),
        Shop::builder().start()
    );
    let (relay, other, shop) = (relay?, other?, shop?);
    shop.add_product("RING", "900.00", Some(10)).await?;
    shop.connect(&relay.connection()?.string).await?;
    both_have(&relay, &shop, 10.0).await?;
    for left in [9.0, 8.0] {
        adjust(&relay, "-1").await?;
        both_have(&relay, &shop, left).await?;
    }
    shop.connect(&other.connection()?.string).await?;
    shop.connect(&relay.connection()?.string).await?;
    for left in [7.0, 6.0] {
        adjust(&relay, "-1").await?;
        both_have(&relay, &shop, left).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_installation_that_was_deleted_goes_on_once_somebody_has_chosen() -> Result<()> {
    on_woocommerce!();
    // A spool of before counts as live for two minutes more, and nothing settles meanwhile.
    let builder = Shop::builder().without_extension();
    let (relay, shop) = futures::join!(Relay::start(Database::Sqlite), builder.start());
    let (relay, shop) = (relay?, shop?);
    shop.add_product("RING", "900.00", Some(10)).await?;
    shop.connect(&relay.connection()?.string).await?;
    both_have(&relay, &shop, 10.0).await?;
    adjust(&relay, "-1").await?;
    both_have(&relay, &shop, 9.0).await?;
    shop.php(
        "define( 'WP_UNINSTALL_PLUGIN', 'nexpura/nexpura.php' ); \
         require WP_PLUGIN_DIR . '/nexpura/uninstall.php';",
    )
    .await?;
    assert_eq!(keys(&shop).await?, 0);
    let refused = shop.connect(&relay.connection()?.string).await.unwrap_err().to_string();
    ensure!(refused.contains("disconnect the store in Nexpura"), "{refused}");
    let body = json!({ "store": shop.url });
    relay.post("/api/integrations/woocommerce/disconnect", &body).await?;
    shop.connect(&relay.connection()?.string).await?;
    // It may be another shop by now: a person says that the ledger's count holds.
    until("RING waits for a choice", PATIENCE, async || {
        let waiting = relay.list("/api/links").await?;
        Ok(waiting.iter().any(|link| link["sku"] == "RING").then_some(()))
    })
    .await
    .with_context(|| relay.log().unwrap_or_default())?;
    relay.post("/api/links", &json!({ "holds": "ledger" })).await?;
    adjust(&relay, "-1").await?;
    both_have(&relay, &shop, 8.0).await
}
