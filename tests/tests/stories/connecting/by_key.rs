//! A shop without our plugin is connected by its address and a WooCommerce key: its sales come by the sweep, its
//! stock goes back by plain REST.

use std::time::Duration;

use anyhow::{Context, Result};
use nexpura_tests::{
    relay::{Database, Relay, TENANT},
    shop::{Shop, checkout::Payment, keys::Key},
    wait::until,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(40);
const CONNECT: &str = "/api/integrations/woocommerce/connect";

/// A relay and a plain shop, not connected yet.
async fn plain() -> Result<(Shop, Relay)> {
    let (relay, shop) =
        futures::join!(Relay::start(Database::Sqlite), Shop::builder().plain().start());
    Ok((shop?, relay?))
}

fn request(url: &str, key: &Key) -> Value {
    json!({ "store_url": url, "consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret })
}

async fn connect(relay: &Relay, shop: &Shop, key: &Key) -> Result<Value> {
    relay.post(CONNECT, &request(&shop.url, key)).await
}

/// The one store, as the API shows it.
async fn store(relay: &Relay) -> Result<Value> {
    let stores = relay.list("/api/integrations").await?;
    stores.into_iter().next().context("no store")
}

async fn stands(relay: &Relay, status: &str) -> Result<Value> {
    until(&format!("the store is {status}"), PATIENCE, async || {
        let store = store(relay).await?;
        Ok((store["status"] == status).then_some(store))
    })
    .await
    .with_context(|| relay.log().unwrap_or_default())
}

async fn adjust(relay: &Relay, sku: &str, change: &str) -> Result<()> {
    let body = json!({ "type": "adjustment", "quantity_change": change, "notes": "by hand" });
    relay.post(&format!("/api/inventory/{sku}/movements"), &body).await.map(drop)
}

async fn opened(relay: &Relay, sku: &str, units: f64) -> Result<()> {
    until(&format!("{sku} is opened at {units}"), PATIENCE, async || {
        let row = relay.stock_row(sku).await?;
        Ok(row.filter(|row| row.is_open() && row.units() == Some(units)).map(drop))
    })
    .await
    .with_context(|| relay.log().unwrap_or_default())
}

async fn shop_has(relay: &Relay, shop: &Shop, sku: &str, stock: f64) -> Result<()> {
    let mut last = None;
    until(&format!("{sku} is {stock} in the shop"), PATIENCE, async || {
        last = shop.stock(sku).await?;
        Ok((last == Some(stock)).then_some(()))
    })
    .await
    .with_context(|| format!("it is {last:?}\n{}", relay.log().unwrap_or_default()))
}

#[tokio::test]
async fn a_sale_comes_by_the_sweep_and_stock_goes_back_by_plain_rest() -> Result<()> {
    on_woocommerce!();
    let (shop, relay) = plain().await?;
    let ring = shop.add_product("RING", "900.00", Some(5)).await?;
    shop.add_variable("BAND", "300.00", None, &[("BAND-M", "M", Some(4)), ("BAND-L", "L", None)])
        .await?;
    let key = shop.make_key("read_write").await?;
    // As people paste it.
    let pasted = format!("  {}/wp-admin/  ", shop.url);
    let told = relay.post(CONNECT, &request(&pasted, &key)).await?;
    assert_eq!(told["writable"], true, "{told}");
    assert_eq!(told["stock_push"], "read_and_write", "{told}");
    assert!(told["message"].as_str().is_some_and(|text| text.contains("lost update")), "{told}");
    opened(&relay, "RING", 5.0).await?;
    opened(&relay, "BAND-M", 4.0).await?;

    adjust(&relay, "RING", "-2").await?;
    adjust(&relay, "BAND-M", "3").await?;
    shop_has(&relay, &shop, "RING", 3.0).await?;
    shop_has(&relay, &shop, "BAND-M", 7.0).await?;
    assert_eq!(shop.stock("BAND-L").await?, None, "an unmanaged stock was pushed");

    let order = shop.checkout(&[(ring, 1)], Payment::Cash).await?;
    // Connecting again has the store read at once; the row and its history stay.
    let again = connect(&relay, &shop, &key).await?;
    assert_eq!(again["id"], told["id"]);
    until("the sale is in the ledger", PATIENCE, async || relay.sale(order).await)
        .await
        .with_context(|| relay.log().unwrap_or_default())?;
    until("RING is 2 in the ledger", PATIENCE, async || {
        Ok((relay.quantity("RING").await? == Some(2.0)).then_some(()))
    })
    .await?;
    assert_eq!(shop.stock("RING").await?, Some(2.0));
    adjust(&relay, "RING", "-2").await?;
    shop_has(&relay, &shop, "RING", 0.0).await?;
    let seen = shop
        .php("return wc_get_product( wc_get_product_id_by_sku( 'RING' ) )->get_stock_status();");
    assert_eq!(seen.await?, "outofstock");
    assert_eq!(relay.list("/api/integrations").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn each_way_to_fail_has_its_own_message_and_stores_nothing() -> Result<()> {
    on_woocommerce!();
    let (shop, relay) = plain().await?;
    let key = shop.make_key("read_write").await?;
    let write_only = shop.make_key("write").await?;
    let wrong = Key { consumer_secret: format!("cs_{}", "0".repeat(40)), ..key.clone() };
    let unknown = Key { consumer_key: format!("ck_{}", "0".repeat(40)), ..key.clone() };
    let swapped = Key {
        consumer_key: key.consumer_secret.clone(),
        consumer_secret: key.consumer_key.clone(),
    };
    let port = nexpura_tests::ports::free()?;
    let nobody = format!("http://127.0.0.1:{port}");
    let below = format!("{}/shop", shop.url);
    for (url, key, problem, detail) in [
        (shop.url.as_str(), &wrong, "invalid-credentials", "its secret is wrong"),
        (&shop.url, &unknown, "invalid-credentials", "the key was deleted"),
        (&shop.url, &write_only, "invalid-credentials", "lacks read permission"),
        (&shop.url, &swapped, "invalid-credentials", "swapped"),
        (&nobody, &key, "unreachable-store", "connection refused"),
        (&below, &key, "unreachable-store", "check the address"),
        ("http://10.0.0.1", &key, "unreachable-store", "10.0.0.1"),
        ("https://localhost.invalid", &key, "unreachable-store", "its name has no address"),
        ("   ", &key, "unreachable-store", "is empty"),
        ("ftp://shop.example", &key, "unreachable-store", "must begin with https://"),
    ] {
        let (status, told) = relay.ask(Method::POST, CONNECT, Some(&request(url, key))).await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{url}: {told}");
        assert!(told["type"].as_str().is_some_and(|kind| kind.ends_with(problem)), "{url}: {told}");
        let words = if problem == "invalid-credentials" {
            "Invalid API credentials: "
        } else {
            "Cannot reach store URL: "
        };
        let text = told["detail"].as_str().unwrap_or_default();
        assert!(text.starts_with(words) && text.contains(detail), "{url}: {text}");
        assert!(!text.contains(&key.consumer_secret), "{text}");
    }
    assert_eq!(relay.list("/api/integrations").await?, Vec::<Value>::new());
    assert_eq!(relay.run(&["store", "list", "--tenant", TENANT])?["items"], json!([]));
    Ok(())
}

#[tokio::test]
async fn a_key_that_may_only_read_brings_imports_and_no_pushes() -> Result<()> {
    on_woocommerce!();
    let (shop, relay) = plain().await?;
    shop.add_product("RING", "900.00", Some(5)).await?;
    let key = shop.make_key("read").await?;
    let told = connect(&relay, &shop, &key).await?;
    assert_eq!((&told["writable"], &told["stock_push"]), (&json!(false), &json!("off")), "{told}");
    opened(&relay, "RING", 5.0).await?;
    adjust(&relay, "RING", "-1").await?;

    // Given more in the shop, it is noticed when it is tested; then the stock goes.
    assert_eq!(shop.stock("RING").await?, Some(5.0));
    shop.set_key_permission(&key, "read_write").await?;
    let tested = relay.run(&["store", "test", "--tenant", TENANT, "--store", &shop.url])?;
    assert_eq!(tested["writable"], true, "{tested}");
    shop_has(&relay, &shop, "RING", 4.0).await?;

    // Taken away again, the first push notices it, and the store stays connected.
    shop.set_key_permission(&key, "read").await?;
    adjust(&relay, "RING", "-1").await?;
    until("the key is known to read only", PATIENCE, async || {
        Ok((store(&relay).await?["writable"] == false).then_some(()))
    })
    .await?;
    assert_eq!(store(&relay).await?["status"], "connected");
    assert_eq!(shop.stock("RING").await?, Some(4.0));
    Ok(())
}

#[tokio::test]
async fn a_revoked_key_is_an_error_until_it_works_again() -> Result<()> {
    on_woocommerce!();
    let (shop, relay) = plain().await?;
    shop.add_product("RING", "900.00", Some(5)).await?;
    let key = shop.make_key("read_write").await?;
    connect(&relay, &shop, &key).await?;
    opened(&relay, "RING", 5.0).await?;

    shop.remove_key(&key).await?;
    adjust(&relay, "RING", "-1").await?;
    let shown = stands(&relay, "error").await?;
    let reason = shown["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("does not accept the API key"), "{shown}");

    shop.restore_key(&key).await?;
    stands(&relay, "connected").await?;
    shop_has(&relay, &shop, "RING", 4.0).await
}

#[tokio::test]
async fn a_disconnected_store_is_left_alone_and_keeps_its_history() -> Result<()> {
    on_woocommerce!();
    let (shop, relay) = plain().await?;
    shop.add_product("RING", "900.00", Some(5)).await?;
    let key = shop.make_key("read_write").await?;
    let first = connect(&relay, &shop, &key).await?;
    opened(&relay, "RING", 5.0).await?;
    let ended = relay.run(&["store", "disconnect", "--tenant", TENANT, "--store", &shop.url])?;
    assert_eq!(ended["key_removed"], false, "{ended}");
    let ending = &key.consumer_key[key.consumer_key.len() - 7..];
    assert!(ended["message"].as_str().is_some_and(|text| text.contains(ending)), "{ended}");
    assert_eq!(store(&relay).await?["status"], "disconnected");
    let body = json!({ "store": shop.url });
    let (status, told) =
        relay.ask(Method::POST, "/api/integrations/woocommerce/test", Some(&body)).await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");

    adjust(&relay, "RING", "-1").await?;
    let again = connect(&relay, &shop, &key).await?;
    assert_eq!(again["id"], first["id"]);
    shop_has(&relay, &shop, "RING", 4.0).await?;
    let kinds: Vec<String> =
        relay.movements("RING").await?.into_iter().map(|movement| movement.kind).collect();
    assert_eq!(kinds, ["adjustment", "stocktake"]);
    Ok(())
}

#[tokio::test]
async fn the_plugin_joins_the_row_of_the_key_and_takes_both_keys_with_it() -> Result<()> {
    on_woocommerce!();
    let (relay, shop) = futures::join!(Relay::start(Database::Sqlite), Shop::builder().start());
    let (shop, relay) = (shop?, relay?);
    shop.add_product("RING", "900.00", Some(5)).await?;
    let key = shop.make_key("read_write").await?;
    let by_key = connect(&relay, &shop, &key).await?;
    opened(&relay, "RING", 5.0).await?;
    adjust(&relay, "RING", "-1").await?;
    shop_has(&relay, &shop, "RING", 4.0).await?;

    let connection = relay.connection()?;
    shop.connect(&connection.string).await?;
    let stores = relay.list("/api/integrations").await?;
    assert_eq!(stores.len(), 1, "{stores:?}");
    assert_eq!(stores[0]["id"], by_key["id"]);
    assert_eq!(stores[0]["stock_push"], "exact");
    adjust(&relay, "RING", "-1").await?;
    shop_has(&relay, &shop, "RING", 3.0).await?;

    // A key pasted on top of it leaves the plugin's way in place.
    let pasted = connect(&relay, &shop, &key).await?;
    assert_eq!(pasted["stock_push"], "exact", "{pasted}");
    adjust(&relay, "RING", "-1").await?;
    shop_has(&relay, &shop, "RING", 2.0).await?;

    let body = json!({ "store": pasted["id"] });
    let ended = relay.post("/api/integrations/woocommerce/disconnect", &body).await?;
    assert_eq!(ended["key_removed"], true, "{ended}");
    let left = shop.php("global $wpdb; return (int) $wpdb->get_var( \"SELECT COUNT(*) FROM {$wpdb->prefix}woocommerce_api_keys\" );");
    assert_eq!(left.await?, 0);
    let connected = shop.php("return \\Nexpura\\is_connected();").await?;
    assert_eq!(connected, false);
    Ok(())
}
