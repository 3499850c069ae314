//! What a merchant sees of Nexpura on WordPress's own screens.

mod command_line;
mod orders;
mod products;
mod settings;

use anyhow::Result;
use nexpura_tests::shop::{Shop, Storage};

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

/// Forgets what the relay said, as half a minute would.
async fn let_it_be_forgotten(shop: &Shop) -> Result<()> {
    let forget = "global $wpdb; $wpdb->query( \"DELETE FROM $wpdb->options WHERE option_name LIKE '%transient%nexpura_standing%'\" ); wp_cache_flush(); return true;";
    shop.php(forget).await.map(drop)
}

/// The text between two others.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    page.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(found, _)| found)
}
