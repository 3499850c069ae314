//! What was brought over is marked: seen in WordPress's own lists, and nothing in the shop is changed by it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::{Database, Relay},
    shop::Shop,
    town::{PATIENCE, Town},
    wait,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{between, let_it_be_forgotten};

/// When each thing was last modified, and what its REST representation says of it.
const AS_IT_IS: &str = "wp_cache_flush();
    $found = array();
    foreach ( array( 'orders', 'products', 'customers' ) as $listing ) {
        $found[ $listing ] = rest_do_request( new WP_REST_Request( 'GET', '/wc/v3/' . $listing ) )->get_data();
    }
    foreach ( $found['products'] as &$product ) {
        // In an order that is drawn by lot.
        sort( $product['related_ids'] );
    }
    return json_decode( wp_json_encode( $found ), true );";

/// Counts what a shop's hooks tell of changed things.
const COUNTER: &str = r"<?php
foreach ( array( 'woocommerce_update_order', 'woocommerce_update_product', 'woocommerce_update_customer', 'save_post', 'profile_update' ) as $hook ) {
	add_action( $hook, static function () {
		update_option( 'tests_changes', 1 + (int) get_option( 'tests_changes' ) );
	} );
}
";

/// Says at the end of an administrator's page how often it looked into the table of marks.
const LOOKS: &str = r"<?php
add_filter( 'query', static function ( $sql ) {
	$GLOBALS['tests_looks'] = ( $GLOBALS['tests_looks'] ?? 0 ) + (int) str_contains( $sql, 'FROM wp_nexpura_synced' );
	return $sql;
} );
add_action( 'admin_print_footer_scripts', static function () {
	echo '<p id=looks>' . (int) ( $GLOBALS['tests_looks'] ?? 0 ) . '</p>';
} );
";

/// A page looks once for all that it lists.
fn one_look(page: &str) -> Result<()> {
    let looks = between(page, "<p id=looks>", "</p>");
    ensure!(looks == "1", "{looks} looks into the table of marks");
    Ok(())
}

fn marks(shop: &Shop, resource: &str) -> Result<Vec<String>> {
    let table = shop.sql("SHOW TABLES LIKE 'wp_nexpura_synced'")?;
    if table.trim().is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT id FROM wp_nexpura_synced WHERE resource = '{resource}' ORDER BY id");
    Ok(shop.sql(&sql)?.lines().map(str::to_owned).collect())
}

#[tokio::test]
async fn what_was_brought_over_is_marked_without_changing_anything() -> Result<()> {
    on_woocommerce!();
    let shop = Shop::builder().quiet().start().await?;
    let ring = shop.add_product("RING-1", "99.00", Some(9)).await?;
    let band = shop.add_variable("BAND", "300.00", None, &[("BAND-52", "52", Some(4))]).await?[0];
    let parent = shop.php(&format!("return wc_get_product( {band} )->get_parent_id();")).await?;
    let parent = parent.as_u64().context("a parent")?;
    let nameless = shop.add_product("", "5.00", Some(1)).await?;
    let ada =
        shop.php("return wc_create_new_customer( 'ada@example.org', 'ada', 'x7!kd9Qz' );").await?;
    let ada = ada.as_u64().context("a customer")?;
    let another = shop.create_order(&[("RING-1", 1)]).await?;
    let order = shop.create_order(&[("RING-1", 1)]).await?;
    std::fs::write(shop.content().join("mu-plugins/changes.php"), COUNTER)?;
    let before = shop.php(AS_IT_IS).await?;

    let relay = Relay::start(Database::Sqlite).await?;
    let mut town = Town::of(relay, shop).await?;
    town.opened(&["RING-1", "BAND-52"]).await?;
    let all = |resource, wanted: Vec<u64>| {
        let wanted: Vec<String> = wanted.iter().map(u64::to_string).collect();
        let marked = marks(&town.shop, resource)?;
        Ok::<_, anyhow::Error>(wanted.iter().all(|id| marked.contains(id)))
    };
    wait::until("all is marked", PATIENCE, async || {
        Ok((all("order", vec![order, another])?
            && all("product", vec![ring, parent, band])?
            && all("customer", vec![ada])?)
        .then_some(()))
    })
    .await?;
    ensure!(!marks(&town.shop, "product")?.contains(&nameless.to_string()), "it has no SKU");
    let after = town.shop.php(AS_IT_IS).await?;
    ensure!(after == before, "a mark changes what it is on:\n{before}\n{after}");
    let changes = town.shop.php("return (int) get_option( 'tests_changes' );").await?;
    ensure!(changes == json!(0), "{changes} hooks were fired");

    std::fs::write(town.shop.content().join("mu-plugins/looks.php"), LOOKS)?;
    let admin = town.shop.log_in().await?;
    let products = admin.page("edit.php?post_type=product").await?;
    one_look(&products)?;
    let row = |id: u64| between(&products, &format!("id=\"post-{id}\""), "</tr>");
    ensure!(row(ring).contains("Synced with Nexpura"), "{}", row(ring));
    ensure!(!row(nameless).contains("Synced with Nexpura"), "{}", row(nameless));
    let users = admin.page("users.php").await?;
    let row = between(&users, &format!("id='user-{ada}'"), "</tr>");
    ensure!(row.contains(">Synced with Nexpura"), "{row}");
    let row = between(&users, "id='user-1'", "</tr>");
    ensure!(row.contains("Not synced with Nexpura"), "{row}");
    one_look(&users)?;
    let page = admin.page(&format!("post.php?post={ring}&action=edit")).await?;
    ensure!(page.contains("Synced with Nexpura: "), "the product does not say when");
    let edit = format!("admin.php?page=wc-orders&action=edit&id={order}");
    ensure!(admin.page(&edit).await?.contains("Synced with Nexpura: "), "the order does not");

    // What the relay cannot say now the shop knows by itself.
    let list = "admin.php?page=wc-orders";
    ensure!(!admin.page(list).await?.contains("Synced with Nexpura: "), "the relay says more");
    town.relay.kill();
    let_it_be_forgotten(&town.shop).await?;
    let orders = admin.page(list).await?;
    ensure!(orders.contains("Synced with Nexpura: "), "the list does not say so");
    one_look(&orders)
}

/// Asks for marks with a key of this permission.
async fn mark(town: &Town, permissions: &str, body: &Value) -> Result<(StatusCode, Value)> {
    let key = town.shop.make_key(permissions).await?;
    let route = format!("{}/wp-json/wc-nexpura/v1/synced", town.shop.url);
    let request = town.shop.http.post(route).json(body);
    let request = request.basic_auth(key.consumer_key, Some(key.consumer_secret));
    let answer = request.timeout(Duration::from_secs(60)).send().await?;
    Ok((answer.status(), answer.json().await?))
}

#[tokio::test]
async fn marks_are_made_by_keys_that_may_write_and_only_of_ids() -> Result<()> {
    on_woocommerce!();
    let town = Town::open_on_https(Shop::builder().quiet(), Database::Sqlite).await?;
    let good = json!({ "order": [7], "product": [7, 8], "customer": [] });
    let (status, told) = mark(&town, "read_write", &good).await?;
    assert_eq!((status, told), (StatusCode::OK, json!({ "marked": 3 })));
    assert_eq!(marks(&town.shop, "product")?, ["7", "8"]);
    for bad in [
        json!({ "order": ["7"] }),
        json!({ "order": 7 }),
        json!({ "customer": [-1] }),
        json!({ "product": { "a": [1] } }),
        json!({ "product": (1..=201).collect::<Vec<_>>() }),
    ] {
        let (status, told) = mark(&town, "read_write", &bad).await?;
        assert_eq!(
            (status, &told["code"]),
            (StatusCode::BAD_REQUEST, &json!("nexpura_synced")),
            "{bad}"
        );
    }
    let more = json!({ "order": [9] });
    let (status, told) = mark(&town, "read", &more).await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{told}");
    let route = format!("{}/wp-json/wc-nexpura/v1/synced", town.shop.url);
    let stranger = town.shop.http.post(route).json(&more).send().await?;
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(marks(&town.shop, "order")?, ["7"]);

    // A table that is gone is made again; a page that is looked at meanwhile says nothing of it.
    town.shop.sql("DROP TABLE wp_nexpura_synced")?;
    let admin = town.shop.log_in().await?;
    let page = admin.page("users.php").await?;
    ensure!(page.contains("Not synced with Nexpura"), "the list of users is not shown");
    ensure!(!page.contains("WordPress database error"), "the page shows an error");
    let (status, told) = mark(&town, "read_write", &more).await?;
    assert_eq!((status, told), (StatusCode::OK, json!({ "marked": 1 })));
    assert_eq!(marks(&town.shop, "order")?, ["9"]);

    // Another ledger has brought over nothing yet.
    let code = "Nexpura\\begin_pushes_for( 'another' ); return true;";
    town.shop.php(code).await?;
    ensure!(marks(&town.shop, "order")?.is_empty(), "marks of another ledger stay");
    Ok(())
}
