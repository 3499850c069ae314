//! Where somebody asks for it, products and customers of a shop without our plugin are marked by a custom field: it is
//! all that changes in the shop's database, beside the dates.

use std::fs;

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::{Database, Relay},
    shop::{Shop, Storage},
    stack::sources::Wish,
    wait::until,
};
use serde_json::{Value, json};

use super::{PATIENCE, WOO, reconciled};

/// One of everything that a shop may have, with products that a saving would bring in order: one of a type whose plugin
/// is switched off, one that is called in stock though none is there, one that is counted no more. And customers whom
/// WordPress would write anew: an address that is none, one with an apostrophe, a name or a login that it would filter.
const CATALOGUE: &str = "
    $ring = new WC_Product_Simple( wc_get_product_id_by_sku( 'RING' ) );
    $ring->set_sale_price( '800' );
    $ring->set_date_on_sale_from( time() - DAY_IN_SECONDS );
    $ring->set_date_on_sale_to( time() + DAY_IN_SECONDS );
    $ring->set_description( 'A \\\\ \"ring\" & <b>more</b>' );
    $ring->save();
    $set = new WC_Product_Grouped();
    $set->set_name( 'Set' );
    $set->set_children( array( $ring->get_id() ) );
    $set->save();
    $link = new WC_Product_External();
    $link->set_name( 'Elsewhere' );
    $link->set_sku( 'LINK' );
    $link->set_product_url( 'https://example.org/?a=1&b=2' );
    $link->save();
    $box = new WC_Product_Simple();
    $box->set_name( 'Box of rings' );
    $box->set_sku( 'BOX' );
    $box->set_status( 'private' );
    $box->save();
    $forced = new WC_Product_Simple();
    $forced->set_sku( 'FORCED' );
    $forced->set_manage_stock( true );
    $forced->set_stock_quantity( 0 );
    $forced->save();
    update_post_meta( $forced->get_id(), '_stock_status', 'instock' );
    $uncounted = new WC_Product_Simple();
    $uncounted->set_sku( 'UNCOUNTED' );
    $uncounted->set_manage_stock( true );
    $uncounted->set_stock_quantity( 3 );
    $uncounted->save();
    update_post_meta( $uncounted->get_id(), '_manage_stock', 'no' );
    wp_insert_term( 'subscription', 'product_type' );
    wp_set_object_terms( $box->get_id(), 'subscription', 'product_type' );
    wc_create_new_customer( 'ada@example.org', 'ada', 'x7!kd9Qz', array( 'first_name' => \"A'da\", 'display_name' => \"A'da \\\"the ring\\\"\" ) );
    wc_create_new_customer( \"o'brien@example.org\", 'brien', 'x7!kd9Qz' );
    update_user_meta( wc_create_new_customer( 'couple@example.org', 'couple', 'x7!kd9Qz' ), 'first_name', 'Mr & Mrs' );
    $till = wc_create_new_customer( 'till@example.org', 'till', 'x7!kd9Qz' );
    $GLOBALS['wpdb']->update( $GLOBALS['wpdb']->users, array( 'user_email' => 'till@local' ), array( 'ID' => $till ) );
    wc_create_new_customer( 'login@example.org', 'login@example.org', 'x7!kd9Qz' );
    // What WooCommerce does later than it is asked to.
    ActionScheduler_QueueRunner::instance()->run();
    return true;";

/// All that the database has of products and users, but for what a saving is known to move: dates, the version that
/// saved it, and the mark.
const ROWS: &str = "
    global $wpdb;
    $posts = \"SELECT ID FROM {$wpdb->posts} WHERE post_type IN ( 'product', 'product_variation' )\";
    $queries = array(
        'posts' => \"SELECT * FROM {$wpdb->posts} WHERE ID IN ( $posts ) ORDER BY ID\",
        'fields' => \"SELECT post_id, meta_key, meta_value FROM {$wpdb->postmeta} WHERE post_id IN ( $posts )
            AND meta_key NOT IN ( 'Synced with Nexpura', '_product_version' ) ORDER BY post_id, meta_key, meta_value\",
        'users' => \"SELECT * FROM {$wpdb->users} ORDER BY ID\",
        'user_fields' => \"SELECT user_id, meta_key, meta_value FROM {$wpdb->usermeta}
            WHERE meta_key NOT IN ( 'Synced with Nexpura', 'last_update', 'session_tokens' ) ORDER BY user_id, meta_key, meta_value\",
        'terms' => \"SELECT * FROM {$wpdb->term_relationships} WHERE object_id IN ( $posts ) ORDER BY object_id, term_taxonomy_id\",
        'taxonomies' => \"SELECT * FROM {$wpdb->term_taxonomy} ORDER BY term_taxonomy_id\",
        'lookup' => \"SELECT * FROM {$wpdb->prefix}wc_product_meta_lookup ORDER BY product_id\",
    );
    $found = array();
    foreach ( $queries as $name => $query ) {
        foreach ( $wpdb->get_results( $query, ARRAY_A ) as $row ) {
            unset( $row['post_modified'], $row['post_modified_gmt'] );
            $found[ $name ][] = wp_json_encode( $row );
        }
    }
    return $found;";

/// What has its field, each as often as it has one.
const MARKED: &str = "
    global $wpdb;
    return array_merge(
        $wpdb->get_col( \"SELECT COALESCE( NULLIF( s.meta_value, '' ), p.post_title ) FROM {$wpdb->postmeta} m
            JOIN {$wpdb->posts} p ON p.ID = m.post_id
            LEFT JOIN {$wpdb->postmeta} s ON s.post_id = p.ID AND s.meta_key = '_sku'
            WHERE m.meta_key = 'Synced with Nexpura' ORDER BY 1\" ),
        $wpdb->get_col( \"SELECT u.user_email FROM {$wpdb->usermeta} m JOIN {$wpdb->users} u ON u.ID = m.user_id
            WHERE m.meta_key = 'Synced with Nexpura' ORDER BY 1\" )
    );";

const MAILS: &str = r"<?php
add_filter( 'wp_mail', static function ( $mail ) {
	update_option( 'tests_mails', 1 + (int) get_option( 'tests_mails' ) );
	return $mail;
} );
";

async fn marked_and_nothing_else(wish: Wish, storage: Storage) -> Result<()> {
    let shop = Shop::builder().plain().on(wish).storage(storage).start().await?;
    shop.add_product("RING", "900.00", Some(5)).await?;
    shop.add_product("PEARL", "90.00", None).await?;
    shop.add_backordered("BROOCH", "120.00", 0).await?;
    shop.add_variable("BAND", "300.00", None, &[("BAND-M", "M", Some(4)), ("BAND-L", "L", None)])
        .await?;
    shop.php(CATALOGUE).await?;
    fs::write(shop.content().join("mu-plugins/mails.php"), MAILS)?;
    let before = shop.php(ROWS).await?;

    let relay = Relay::start(Database::Sqlite).await?;
    let key = shop.make_key("read_write").await?;
    let (key, secret) = (key.consumer_key, key.consumer_secret);
    let keys = json!({ "store_url": shop.url, "consumer_key": key, "consumer_secret": secret });
    relay.post(&format!("{WOO}/connect"), &keys).await?;
    reconciled(&relay, &shop).await?;
    assert_eq!(shop.php(MARKED).await?, json!([]), "nobody has asked for it");
    let on = json!({ "store": shop.url, "mark_fields": true });
    relay.post(&format!("{WOO}/policy"), &on).await?;
    reconciled(&relay, &shop).await?;
    let marked = json!(["BAND", "BROOCH", "LINK", "PEARL", "RING", "Set", "ada@example.org"]);
    until("all that may be marked is", PATIENCE, async || {
        Ok((shop.php(MARKED).await? == marked).then_some(()))
    })
    .await
    .with_context(|| relay.log().unwrap_or_default())?;
    same(&before, &shop.php(ROWS).await?)?;
    assert_eq!(shop.php("return (int) get_option( 'tests_mails' );").await?, json!(0));

    // Everything is read again: it is no news, and gets no second one.
    let again = reconciled(&relay, &shop).await?;
    assert_eq!((&again["synced"], &again["failed"]), (&json!(0), &json!(0)), "{again}");
    assert_eq!(shop.php(MARKED).await?, marked);

    let off = json!({ "store": shop.url, "mark_fields": false });
    relay.post(&format!("{WOO}/policy"), &off).await?;
    shop.add_product("LATER", "10.00", Some(1)).await?;
    reconciled(&relay, &shop).await?;
    assert_eq!(shop.php(MARKED).await?, marked);
    Ok(())
}

/// Names the first rows that are not as they were.
fn same(before: &Value, after: &Value) -> Result<()> {
    let tables = before.as_object().context("no tables")?;
    ensure!(tables.len() == 7, "there is nothing to compare: {before}");
    for (table, rows) in tables {
        let of = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let (old, new) = (of(rows), of(&after[table]));
        let gone: Vec<&Value> = old.iter().filter(|row| !new.contains(row)).take(5).collect();
        let come: Vec<&Value> = new.iter().filter(|row| !old.contains(row)).take(5).collect();
        ensure!(old == new, "{table} has changed:\ngone {gone:#?}\nnew {come:#?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_custom_field_changes_nothing_else() -> Result<()> {
    on_woocommerce!();
    marked_and_nothing_else(Wish::default(), Storage::Hpos).await
}

#[tokio::test]
async fn a_custom_field_changes_nothing_else_on_woocommerce_8_2() -> Result<()> {
    let (wordpress, woocommerce) = (Some("6.5".to_owned()), Some("8.2".to_owned()));
    let wish = Wish { wordpress, woocommerce };
    on_woocommerce!(wish);
    marked_and_nothing_else(wish, Storage::Legacy).await
}
