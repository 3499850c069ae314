//! What a merchant sees of Nexpura on WordPress's own screens.

mod command_line;
mod languages;
mod orders;
mod privacy;
mod products;
mod settings;
mod synced;

use anyhow::{Result, bail};
use nexpura_tests::{
    shop::{Shop, Storage, admin::Admin},
    town::Town,
};

/// Where the shop shows its orders.
fn list(storage: Storage) -> &'static str {
    match storage {
        Storage::Hpos => "admin.php?page=wc-orders",
        Storage::Legacy => "edit.php?post_type=shop_order",
    }
}

/// Where the shop shows one order.
fn edit(storage: Storage, order: u64) -> String {
    match storage {
        Storage::Hpos => format!("admin.php?page=wc-orders&action=edit&id={order}"),
        Storage::Legacy => format!("post.php?post={order}&action=edit"),
    }
}

/// Every screen of ours shows a sold order and its product as they stand in the ledger.
pub(crate) async fn screens_show(
    town: &Town,
    storage: Storage,
    order: u64,
    sku: &str,
) -> Result<()> {
    let find = format!("return wc_get_product_id_by_sku( '{sku}' );");
    let product = town.shop.php(&find).await?;
    let admin = town.shop.log_in().await?;
    for (page, text) in [
        (list(storage).to_owned(), "nexpura-in-ledger"),
        (edit(storage, order), "nexpura-in-ledger"),
        (format!("post.php?post={product}&action=edit"), "Nexpura has "),
        ("admin.php?page=nexpura".to_owned(), "Waiting to be sent"),
        ("admin.php?page=wc-status".to_owned(), "data-export-label=\"Nexpura\""),
    ] {
        once_it_says(&town.shop, &admin, &page, text).await?;
    }
    Ok(())
}

/// A page once it says this. Each look asks the relay anew, which need not always answer within the page's patience.
async fn once_it_says(shop: &Shop, admin: &Admin<'_>, page: &str, text: &str) -> Result<String> {
    for _ in 0..3 {
        let shown = admin.page(page).await?;
        if shown.contains(text) {
            return Ok(shown);
        }
        let_it_be_forgotten(shop).await?;
    }
    bail!("{page} does not say {text}")
}

/// Forgets what the relay said, as half a minute would.
pub(crate) async fn let_it_be_forgotten(shop: &Shop) -> Result<()> {
    let forget = "global $wpdb; $wpdb->query( \"DELETE FROM $wpdb->options WHERE option_name LIKE '%transient%nexpura_standing%'\" ); wp_cache_flush(); return true;";
    shop.php(forget).await.map(drop)
}

/// The text between two others.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    page.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(found, _)| found)
}
