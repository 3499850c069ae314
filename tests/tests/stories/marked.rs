//! A shop without our plugin is marked too: a custom field says of each order, product and customer that it was
//! brought over, once, and nothing else of it changes but its date.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::{Database, Relay},
    shop::{Shop, Storage},
    stack::sources::Wish,
    wait::until,
};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(120);
const WOO: &str = "/api/integrations/woocommerce";

/// What people and customers see of everything, without what is expected to change.
const AS_IT_IS: &str = "wp_cache_flush();
    $found = array();
    foreach ( array( 'orders', 'products', 'customers' ) as $listing ) {
        $rows = json_decode( wp_json_encode( rest_do_request( new WP_REST_Request( 'GET', '/wc/v3/' . $listing ) )->get_data() ), true );
        foreach ( $rows as $row ) {
            unset( $row['date_modified'], $row['date_modified_gmt'], $row['meta_data'], $row['related_ids'] );
            $found[ $listing ][ $row['id'] ] = $row;
        }
    }
    return $found;";

/// Counts what the shop mails.
const MAILS: &str = r"<?php
add_filter( 'wp_mail', static function ( $mail ) {
	update_option( 'tests_mails', 1 + (int) get_option( 'tests_mails' ) );
	return $mail;
} );
";

/// Reads everything once and waits for its end.
async fn reconciled(relay: &Relay, shop: &Shop) -> Result<Value> {
    let begun = relay.post(&format!("{WOO}/reconcile"), &json!({ "store": shop.url })).await?;
    let path = format!("/api/runs/{}", begun["run_id"].as_str().context("no run id")?);
    until("all was read", PATIENCE, async || {
        let run = relay.get(&path).await?;
        Ok((!run["finished_at"].is_null()).then_some(run))
    })
    .await
    .with_context(|| relay.log().unwrap_or_default())
}

/// What marks a thing, if anything does.
async fn mark(shop: &Shop, thing: &str) -> Result<String> {
    let code = format!("wp_cache_flush(); return ( {thing} )->get_meta( 'Synced with Nexpura' );");
    let told = shop.php(&code).await?;
    Ok(told.as_str().unwrap_or_default().to_owned())
}

async fn marked_once(wish: Wish, storage: Storage) -> Result<()> {
    let shop = Shop::builder().plain().on(wish).storage(storage).start().await?;
    let ring = shop.add_product("RING", "900.00", Some(5)).await?;
    let band = shop.add_variable("BAND", "300.00", None, &[("BAND-M", "M", Some(4))]).await?[0];
    let nameless = shop.add_product("", "5.00", Some(1)).await?;
    let ada = shop
        .php("return wc_create_new_customer( 'ada@example.org', 'ada', 'x7!kd9Qz' );")
        .await?
        .as_u64()
        .context("a customer")?;
    let order = shop.create_order(&[("RING", 2)]).await?;
    shop.pay(order).await?;
    fs::write(shop.content().join("mu-plugins/mails.php"), MAILS)?;
    let before = shop.php(AS_IT_IS).await?;

    let relay = Relay::start(Database::Sqlite).await?;
    let key = shop.make_key("read_write").await?;
    let (key, secret) = (key.consumer_key, key.consumer_secret);
    let keys = json!({ "store_url": shop.url, "consumer_key": key, "consumer_secret": secret });
    relay.post(&format!("{WOO}/connect"), &keys).await?;
    let first = reconciled(&relay, &shop).await?;
    assert_eq!(first["failed"], 0, "{first}");
    for thing in [
        format!("wc_get_product( {ring} )"),
        format!("wc_get_product( wc_get_product( {band} )->get_parent_id() )"),
        format!("wc_get_order( {order} )"),
        format!("new WC_Customer( {ada} )"),
    ] {
        until(&format!("{thing} is marked"), PATIENCE, async || {
            Ok(mark(&shop, &thing).await?.ends_with(" UTC").then_some(()))
        })
        .await
        .with_context(|| relay.log().unwrap_or_default())?;
    }
    assert_eq!(mark(&shop, &format!("wc_get_product( {nameless} )")).await?, "", "it has no SKU");
    assert_eq!(shop.php(AS_IT_IS).await?, before, "a mark changes what it is on");
    assert_eq!(shop.php("return (int) get_option( 'tests_mails' );").await?, json!(0));

    // All that was marked is read again, and nothing of it is new: nor is it marked again.
    let of_order = format!("wc_get_order( {order} )");
    let since = mark(&shop, &of_order).await?;
    let second = reconciled(&relay, &shop).await?;
    assert_eq!((&second["synced"], &second["failed"]), (&json!(0), &json!(0)), "{second}");
    ensure!(second["unchanged"].as_i64() >= Some(5), "{second}");
    assert_eq!(mark(&shop, &of_order).await?, since);

    // Whoever does not want marks gets none.
    let off = json!({ "store": shop.url, "marks": false });
    relay.post(&format!("{WOO}/policy"), &off).await?;
    // What is under way does not hear of it.
    reconciled(&relay, &shop).await?;
    let brooch = shop.add_product("BROOCH", "80.00", Some(1)).await?;
    reconciled(&relay, &shop).await?;
    ensure!(relay.stock_row("BROOCH").await?.is_some(), "the brooch was not brought over");
    assert_eq!(mark(&shop, &format!("wc_get_product( {brooch} )")).await?, "");
    Ok(())
}

#[tokio::test]
async fn without_the_plugin_a_custom_field_marks_what_was_brought_over() -> Result<()> {
    on_woocommerce!();
    marked_once(Wish::default(), Storage::Hpos).await
}

/// On older versions, where they can be had.
async fn marked_once_on(woocommerce: &str, storage: Storage) -> Result<()> {
    let (wordpress, woocommerce) = (Some("6.5".to_owned()), Some(woocommerce.to_owned()));
    let wish = Wish { wordpress, woocommerce };
    on_woocommerce!(wish);
    marked_once(wish, storage).await
}

#[tokio::test]
async fn so_it_is_on_woocommerce_9_4() -> Result<()> {
    marked_once_on("9.4", Storage::Hpos).await
}

#[tokio::test]
async fn so_it_is_on_woocommerce_8_2_with_legacy_orders() -> Result<()> {
    marked_once_on("8.2", Storage::Legacy).await
}
