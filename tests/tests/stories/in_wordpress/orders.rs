//! The box beside an order and the column in the list of orders, on both order storages.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    impostor::{Impostor, Manner},
    relay::Database,
    shop::{Shop, Storage, checkout::Payment},
    town::Town,
    wait,
};
use serde_json::json;

use super::{between, edit, let_it_be_forgotten, list, once_it_says};

/// What the box says.
fn in_box(page: &str) -> &str {
    between(page, "id=\"nexpura-order\"", "<div id=\"")
}

async fn an_order_is_shown_where_it_stands(storage: Storage) -> Result<()> {
    let mut town = Town::open(Shop::builder().storage(storage), Database::Sqlite).await?;
    let ring = town.shop.add_product("RING-1", "99.00", Some(9)).await?;
    town.opened(&["RING-1"]).await?;
    let sold = town.shop.checkout(&[(ring, 1)], Payment::Card).await?;
    let sale = town.agrees(sold, &["RING-1"]).await?;
    let id = sale.id.as_str().context("the sale has no id")?;
    let link = format!("{}/sales/{id}", town.relay.url);

    let admin = town.shop.log_in().await?;
    let page = once_it_says(&town.shop, &admin, &edit(storage, sold), "nexpura-in-ledger").await?;
    let shown = in_box(&page);
    ensure!(shown.contains("nexpura-in-ledger") && shown.contains(&link), "the box says {shown}");
    ensure!(!shown.contains("nexpura_retry"), "nothing is to be tried again: {shown}");
    once_it_says(&town.shop, &admin, list(storage), &link).await?;

    // Who looks at an order locks it, which is told as well.
    town.quiet().await?;
    // The relay is away: the order waits here, and the page says what is known.
    town.relay.kill();
    let waiting = town.shop.checkout(&[(ring, 1)], Payment::Card).await?;
    town.captured().await?;
    let_it_be_forgotten(&town.shop).await?;
    let page = admin.page(&edit(storage, waiting)).await?;
    let shown = in_box(&page);
    ensure!(shown.contains("Waiting to be sent"), "the box says {shown}");
    ensure!(shown.contains("Nexpura does not answer."), "the box says {shown}");
    ensure!(!shown.contains("cURL"), "a jeweller is told of sockets: {shown}");
    let page = admin.page(&edit(storage, sold)).await?;
    let shown = in_box(&page);
    ensure!(shown.contains("Not known right now"), "of what is sent the box says {shown}");

    town.relay.start_again().await?;
    town.agrees(waiting, &["RING-1"]).await?;
    let_it_be_forgotten(&town.shop).await?;
    once_it_says(&town.shop, &admin, &edit(storage, waiting), "nexpura-in-ledger").await?;
    Ok(())
}

#[tokio::test]
async fn an_order_shows_how_it_stands_on_hpos() -> Result<()> {
    on_woocommerce!();
    an_order_is_shown_where_it_stands(Storage::Hpos).await
}

#[tokio::test]
async fn an_order_shows_how_it_stands_on_legacy_storage() -> Result<()> {
    on_woocommerce!();
    an_order_is_shown_where_it_stands(Storage::Legacy).await
}

/// A total that no ledger can read, until the option is gone.
const BREAKER: &str = r"<?php
add_filter( 'woocommerce_rest_prepare_shop_order_object', static function ( $response ) {
	if ( get_option( 'tests_break_orders' ) ) {
		$response->data['total'] = '<script>alert(1)</script>';
	}
	return $response;
} );
";

#[tokio::test]
async fn a_failed_order_says_why_and_can_be_tried_again() -> Result<()> {
    on_woocommerce!();
    let storage = Storage::Hpos;
    let town = Town::open(Shop::builder().storage(storage), Database::Sqlite).await?;
    let ring = town.shop.add_product("RING-1", "99.00", Some(9)).await?;
    town.opened(&["RING-1"]).await?;
    std::fs::write(town.shop.content().join("mu-plugins/breaker.php"), BREAKER)?;
    town.shop.php("return update_option( 'tests_break_orders', 1 );").await?;
    let order = town.shop.checkout(&[(ring, 1)], Payment::Card).await?;
    wait::until("the order failed", Duration::from_secs(30), async || {
        Ok((!town.relay.events(Some("failed")).await?.is_empty()).then_some(()))
    })
    .await?;

    let admin = town.shop.log_in().await?;
    // The list first: an order that is looked at is locked for others, which is one more event of it.
    for page in [list(storage), &edit(storage, order)] {
        let page = once_it_says(&town.shop, &admin, page, "nexpura-failed").await?;
        ensure!(page.contains("and tries again by itself."), "the page does not say what comes");
        let cause = between(&page, "nexpura-cause", "</small>");
        ensure!(cause.contains("total"), "the page does not say why: {cause}");
        ensure!(!page.contains("<script>alert(1)"), "the order's text runs");
    }
    town.shop.php("return delete_option( 'tests_break_orders' );").await?;
    town.captured().await?;
    let page = admin.follow(list(storage), "nexpura_retry").await?;
    ensure!(page.contains("Nexpura reads it again now"), "the button says nothing");
    town.agrees(order, &["RING-1"]).await?;
    let_it_be_forgotten(&town.shop).await?;
    let page = once_it_says(&town.shop, &admin, list(storage), "nexpura-in-ledger").await?;
    ensure!(!page.contains("nexpura-failed"), "it still failed");
    Ok(())
}

#[tokio::test]
async fn a_silent_relay_keeps_a_page_waiting_once_and_a_lying_one_runs_nothing() -> Result<()> {
    on_woocommerce!();
    let storage = Storage::Hpos;
    let mut town = Town::open(Shop::builder().storage(storage), Database::Sqlite).await?;
    let ring = town.shop.add_product("RING-1", "99.00", Some(9)).await?;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(town.shop.checkout(&[(ring, 1)], Payment::Card).await?);
    }
    town.quiet().await?;
    let admin = town.shop.log_in().await?;
    // Once, so that what a first visit prepares is not measured.
    let began = Instant::now();
    admin.page(list(storage)).await?;
    let usual = began.elapsed();
    let_it_be_forgotten(&town.shop).await?;
    town.relay.kill();

    let silent = Impostor::at(town.relay.address(), Manner::Silent).await?;
    let began = Instant::now();
    let page = admin.page(list(storage)).await?;
    let waited = began.elapsed();
    ensure!(page.contains("Not known right now"), "the column says something");
    let began = Instant::now();
    admin.page(list(storage)).await?;
    let usual = usual.max(began.elapsed());
    ensure!(waited < usual + Duration::from_secs(5), "the page took {waited:?}, else {usual:?}");
    admin.page(&edit(storage, orders[0])).await?;
    ensure!(silent.times_asked("/v1/status") == 1, "a silent relay is asked again and again");
    drop(silent);

    let_it_be_forgotten(&town.shop).await?;
    let script = "<script>alert(1)</script>";
    let told: Vec<_> = orders
        .iter()
        .map(|id| json!({ "id": id, "state": "failed", "detail": script, "sale_url": "javascript:alert(1)" }))
        .collect();
    let lie =
        json!({ "store": { "status": script, "detail": script }, "orders": told, "products": [] });
    let liar = Impostor::at(town.relay.address(), Manner::Says(200, lie)).await?;
    let pages = [
        admin.page(list(storage)).await?,
        // Not the one that was looked at: that waits in the spool, which is told before what a relay says.
        admin.page(&edit(storage, orders[1])).await?,
        admin.page("admin.php?page=nexpura").await?,
    ];
    ensure!(liar.times_asked("/v1/status") == 3, "one request a page");
    for page in pages {
        ensure!(page.contains("&lt;script&gt;alert(1)"), "what the relay said is not shown");
        ensure!(!page.contains(script), "what the relay said runs");
        ensure!(!page.contains("javascript:alert"), "a link runs");
    }
    drop(liar);
    let_it_be_forgotten(&town.shop).await?;
    let refusal = json!({ "type": "about:blank", "status": 409, "detail": script });
    let _refusing = Impostor::at(town.relay.address(), Manner::Says(409, refusal)).await?;
    let page = admin.page(&edit(storage, orders[2])).await?;
    let shown = in_box(&page);
    ensure!(shown.contains("does not know this shop"), "the box says {shown}");
    ensure!(!page.contains(script), "the relay's error runs");
    Ok(())
}
