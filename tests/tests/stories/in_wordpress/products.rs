//! The product's own page, WooCommerce's status page and its log.

use anyhow::{Result, ensure};
use nexpura_tests::{
    impostor::{Impostor, Manner},
    relay::Database,
    shop::Shop,
    town::{PATIENCE, Town},
    wait,
};
use serde_json::json;

use super::{let_it_be_forgotten, once_it_says};

#[tokio::test]
async fn a_product_shows_its_piece_its_count_and_its_last_push() -> Result<()> {
    on_woocommerce!();
    let mut town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let shop = &town.shop;
    let script = "<script>alert(1)</script>";
    let ring = shop.add_product("RING<script>-1", "99.00", Some(9)).await?;
    let variations = shop
        .add_variable(
            "BAND",
            "300.00",
            None,
            &[("BAND-52", "52", Some(4)), ("BAND-54", "54", Some(5))],
        )
        .await?;
    let parent = format!("return wc_get_product( {} )->get_parent_id();", variations[0]);
    let band: u64 = serde_json::from_value(shop.php(&parent).await?)?;
    let sku: String = serde_json::from_value(
        shop.php(&format!("return wc_get_product( {ring} )->get_sku();")).await?,
    )?;
    town.opened(&[&sku, "BAND-52", "BAND-54"]).await?;
    let admin = shop.log_in().await?;
    let edit = format!("post.php?post={ring}&action=edit");
    let page = once_it_says(shop, &admin, &edit, "Nexpura has 9.").await?;
    ensure!(page.contains("SKU matched: "), "the product does not show its piece");
    ensure!(page.contains("Nothing was pushed yet."), "the product does not show its push");
    ensure!(!page.contains("SKU matched: RING<script>"), "the SKU runs");

    let taken = json!({ "type": "purchase", "quantity_change": "3", "notes": "" });
    let path = format!("/api/inventory/{}/movements", sku.replace('<', "%3C").replace('>', "%3E"));
    town.relay.post(&path, &taken).await?;
    wait::until("the shop has twelve", PATIENCE, async || {
        Ok((shop.stock(&sku).await? == Some(12.0)).then_some(()))
    })
    .await?;
    wait::until("the page shows the push", PATIENCE, async || {
        let_it_be_forgotten(shop).await?;
        let page = admin.page(&edit).await?;
        Ok((page.contains("Nexpura has 12.") && page.contains("ago (3).")).then_some(()))
    })
    .await?;

    let_it_be_forgotten(shop).await?;
    let shown = admin.variations(band).await?;
    ensure!(shown.contains("SKU matched: BAND-52."), "{shown}");
    ensure!(shown.contains("Nexpura has 5."), "{shown}");

    // Whoever may not edit a product is told nothing of it, by whatever screen of theirs.
    let told = async |user: &str| {
        let code = format!(
            "foreach ( array( 'retry', 'product-screens' ) as $screen ) {{
                require_once WP_PLUGIN_DIR . '/nexpura/includes/' . $screen . '.php';
            }}
            wp_set_current_user( {user} );
            $GLOBALS['product_object'] = wc_get_product( {ring} );
            ob_start();
            do_action( 'woocommerce_product_options_inventory_product_data' );
            do_action( 'woocommerce_product_after_variable_attributes', 0, array(), get_post( {variation} ) );
            return ob_get_clean();",
            variation = variations[0],
        );
        shop.php(&code).await
    };
    let stranger = "wp_insert_user( array( 'user_login' => 'stranger', 'user_pass' => 'x', 'role' => 'subscriber' ) )";
    let (shown, hidden) = (told("1").await?, told(stranger).await?);
    let shown = shown.as_str().unwrap_or_default();
    ensure!(shown.contains("Nexpura has 12.") && shown.contains("BAND-52"), "{shown}");
    ensure!(hidden == json!(""), "{hidden}");

    let says = "data-export-label=\"Nexpura says\"";
    let status = once_it_says(shop, &admin, "admin.php?page=wc-status", says).await?;
    ensure!(status.contains("data-export-label=\"Nexpura\""), "the status page has no section");
    ensure!(!status.contains("whsec_"), "the status page shows the secret");

    // A relay that lies runs nothing here, and what goes wrong is logged.
    town.relay.kill();
    let_it_be_forgotten(&town.shop).await?;
    let thing = json!({
        "id": ring, "state": "in_ledger", "listing": "open", "sku": script, "quantity": script,
        "to_push": script, "pushed_at": script, "pushed": script, "piece_url": "javascript:alert(1)",
    });
    let lie = json!({ "store": { "status": "error", "detail": script }, "products": [thing] });
    let liar = Impostor::at(town.relay.address(), Manner::Says(200, lie)).await?;
    for page in [admin.page(&edit).await?, admin.page("admin.php?page=wc-status").await?] {
        ensure!(page.contains("&lt;script&gt;alert(1)"), "what the relay said is not shown");
        ensure!(!page.contains(script), "what the relay said runs");
        ensure!(!page.contains("javascript:alert"), "a link runs");
    }
    drop(liar);
    let_it_be_forgotten(&town.shop).await?;
    admin.page(&edit).await?;
    let logs = "$found = ''; foreach ( (array) glob( WC_LOG_DIR . 'nexpura-*.log' ) as $log ) { $found .= file_get_contents( $log ); } return $found;";
    let log = town.shop.php(logs).await?;
    ensure!(log.as_str().is_some_and(|log| log.contains("unreachable")), "the log says {log}");
    Ok(())
}
