//! A shop without our plugin is told of its orders that they were brought over, by a private note: nothing else in the
//! shop changes.

mod fields;

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

/// All that the shop's REST API tells of everything, dates and custom fields included.
const AS_IT_IS: &str = "wp_cache_flush();
    $found = array();
    foreach ( array( 'orders', 'products', 'customers' ) as $listing ) {
        $rows = json_decode( wp_json_encode( rest_do_request( new WP_REST_Request( 'GET', '/wc/v3/' . $listing ) )->get_data() ), true );
        foreach ( $rows as $row ) {
            // In an order that is drawn by lot.
            unset( $row['related_ids'] );
            $found[ $listing ][ $row['id'] ] = $row;
        }
    }
    return $found;";

/// Counts what the shop mails, and what its hooks tell of changed things; of a note they tell as of a comment.
const COUNTER: &str = r"<?php
add_filter( 'wp_mail', static function ( $mail ) {
	update_option( 'tests_changes', 1 + (int) get_option( 'tests_changes' ) );
	return $mail;
} );
foreach ( array( 'woocommerce_update_order', 'woocommerce_update_product', 'woocommerce_update_customer', 'save_post', 'profile_update' ) as $hook ) {
	add_action( $hook, static function () {
		update_option( 'tests_changes', 1 + (int) get_option( 'tests_changes' ) );
	} );
}
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

/// How many notes say of an order that it was brought over; none of them may be for the customer.
async fn notes(shop: &Shop, order: u64) -> Result<usize> {
    let code = format!(
        "wp_cache_flush(); return array_column( wc_get_order_notes( array( 'order_id' => {order} ) ), 'customer_note', 'content' );"
    );
    let all = shop.php(&code).await?;
    let ours = all.as_object().into_iter().flatten().filter(|(note, _)| note.contains("Nexpura"));
    let ours: Vec<&Value> = ours.map(|(_, customer)| customer).collect();
    ensure!(ours.iter().all(|customer| **customer == json!(false)), "{all}");
    let code = format!(
        "return count( get_comments( array( 'post_id' => {order}, 'search' => 'Synced with Nexpura', 'type' => 'order_note' ) ) );"
    );
    let counted = shop.php(&format!("remove_all_filters( 'comments_clauses' ); {code}")).await?;
    let counted = usize::try_from(counted.as_u64().context("a count")?)?;
    ensure!(counted >= ours.len(), "{all}");
    Ok(counted)
}

async fn noted_once(wish: Wish, storage: Storage) -> Result<()> {
    let shop = Shop::builder().plain().on(wish).storage(storage).start().await?;
    shop.add_product("RING", "900.00", Some(5)).await?;
    shop.add_variable("BAND", "300.00", None, &[("BAND-M", "M", Some(4))]).await?;
    shop.php("return wc_create_new_customer( \"o'brien@example.org\", 'ada', 'x7!kd9Qz' );")
        .await?;
    let paid = shop.create_order(&[("RING", 2)]).await?;
    shop.pay(paid).await?;
    let pending = shop.create_order(&[("BAND-M", 1)]).await?;
    fs::write(shop.content().join("mu-plugins/changes.php"), COUNTER)?;
    let before = shop.php(AS_IT_IS).await?;

    let relay = Relay::start(Database::Sqlite).await?;
    let key = shop.make_key("read_write").await?;
    let (key, secret) = (key.consumer_key, key.consumer_secret);
    let keys = json!({ "store_url": shop.url, "consumer_key": key, "consumer_secret": secret });
    relay.post(&format!("{WOO}/connect"), &keys).await?;
    until("each order has its note", PATIENCE, async || {
        Ok((notes(&shop, paid).await? == 1 && notes(&shop, pending).await? == 1).then_some(()))
    })
    .await
    .with_context(|| relay.log().unwrap_or_default())?;
    let second = reconciled(&relay, &shop).await?;
    assert_eq!((&second["synced"], &second["failed"]), (&json!(0), &json!(0)), "{second}");
    assert_eq!(shop.php(AS_IT_IS).await?, before, "a note changes what it is on");
    let changes = shop.php("return (int) get_option( 'tests_changes' );").await?;
    assert_eq!(changes, json!(0), "mails were sent or hooks fired");

    // Whoever wants none gets none; and none comes twice.
    let off = json!({ "store": shop.url, "marks": false });
    relay.post(&format!("{WOO}/policy"), &off).await?;
    let later = shop.create_order(&[("RING", 1)]).await?;
    // Nobody tells of it.
    reconciled(&relay, &shop).await?;
    until("the later order is a sale", PATIENCE, async || Ok(relay.sale(later).await?.map(drop)))
        .await?;
    reconciled(&relay, &shop).await?;
    for (order, count) in [(paid, 1), (pending, 1), (later, 0)] {
        assert_eq!(notes(&shop, order).await?, count, "{order}");
    }
    Ok(())
}

#[tokio::test]
async fn without_the_plugin_a_private_note_says_it_and_nothing_changes() -> Result<()> {
    on_woocommerce!();
    noted_once(Wish::default(), Storage::Hpos).await
}

/// On older versions, where they can be had.
async fn noted_once_on(woocommerce: &str, storage: Storage) -> Result<()> {
    let (wordpress, woocommerce) = (Some("6.5".to_owned()), Some(woocommerce.to_owned()));
    let wish = Wish { wordpress, woocommerce };
    on_woocommerce!(wish);
    noted_once(wish, storage).await
}

#[tokio::test]
async fn so_it_is_on_woocommerce_9_4() -> Result<()> {
    noted_once_on("9.4", Storage::Hpos).await
}

#[tokio::test]
async fn so_it_is_on_woocommerce_8_2_with_legacy_orders() -> Result<()> {
    noted_once_on("8.2", Storage::Legacy).await
}
