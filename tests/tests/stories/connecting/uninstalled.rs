//! The plugin is deleted in WordPress: nothing of it stays in the database, nor on the disk.

use std::fs;

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::Database,
    shop::{Shop, checkout::Payment},
    town::{PATIENCE, Town, Way},
    wait::until,
};
use serde_json::{Value, json};

/// What the shop's database and schedule hold of the plugin, by kind.
async fn traces(shop: &Shop) -> Result<Value> {
    shop.php(
        r#"
        global $wpdb;
        wp_cache_flush();
        $webhooks = "SELECT COUNT(*) FROM {$wpdb->prefix}wc_webhooks WHERE delivery_url LIKE '%/api/integrations/%'";
        $keys = "SELECT COUNT(*) FROM {$wpdb->prefix}woocommerce_api_keys WHERE description LIKE '%Nexpura%'";
        $transients = "SELECT COUNT(*) FROM {$wpdb->options} WHERE option_name LIKE '%transient%nexpura%'";
        $options = "SELECT COUNT(*) FROM {$wpdb->options} WHERE option_name LIKE 'nexpura%'";
        $meta = "SELECT ( SELECT COUNT(*) FROM {$wpdb->postmeta} WHERE meta_key LIKE '%nexpura%' )
            + ( SELECT COUNT(*) FROM {$wpdb->usermeta} WHERE meta_key LIKE '%nexpura%' )";
        $scheduled = array_filter(
            _get_cron_array(),
            static fn( array $hooks ): bool => array() !== preg_grep( '/nexpura/', array_keys( $hooks ) )
        );
        return array(
            'options'    => (int) $wpdb->get_var( $options ),
            'transients' => (int) $wpdb->get_var( $transients ),
            'tables'     => count( $wpdb->get_col( "SHOW TABLES LIKE '%nexpura%'" ) ),
            'webhooks'   => (int) $wpdb->get_var( $webhooks ),
            'keys'       => (int) $wpdb->get_var( $keys ),
            'meta'       => (int) $wpdb->get_var( $meta ),
            'scheduled'  => count( $scheduled ),
        );
        "#,
    )
    .await
}

/// Deactivates and deletes the plugin's data as WordPress does, in two requests.
async fn uninstall(shop: &Shop) -> Result<()> {
    let admin = "require_once ABSPATH . 'wp-admin/includes/plugin.php';";
    let off = format!(
        "{admin} deactivate_plugins( 'nexpura/nexpura.php' ); \
         return is_plugin_active( 'nexpura/nexpura.php' );"
    );
    assert_eq!(shop.php(&off).await?, false);
    let there = shop.php("return function_exists( 'Nexpura\\\\connection' );").await?;
    assert_eq!(there, false, "the plugin is still loaded");
    shop.php(&format!("{admin} uninstall_plugin( 'nexpura/nexpura.php' );")).await.map(drop)
}

/// Names of the files in the folder of the spools.
fn spools(shop: &Shop) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(shop.spool())? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn count(traces: &Value, kind: &str) -> Result<u64> {
    traces[kind].as_u64().with_context(|| format!("{kind}: {traces}"))
}

const NOTHING: [(&str, u64); 7] = [
    ("options", 0),
    ("transients", 0),
    ("tables", 0),
    ("webhooks", 0),
    ("keys", 0),
    ("meta", 0),
    ("scheduled", 0),
];

fn is_nothing(traces: &Value) -> Result<()> {
    for (kind, expected) in NOTHING {
        ensure!(count(traces, kind)? == expected, "{kind} stay: {traces}");
    }
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_is_deleted_leaves_nothing_in_the_database_or_on_the_disk() -> Result<()> {
    on_woocommerce!();
    let town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let shop = &town.shop;
    let ring = shop.add_product("RING", "900.00", Some(10)).await?;
    town.opened(&["RING"]).await?;
    // A sale has been sent, so that a sender runs in a worker.
    let order = shop.checkout(&[(ring, 1)], Payment::Cash).await?;
    town.agrees(order, &["RING"]).await?;
    shop.php("set_transient( 'nexpura_outcome_1', array( 'text' => 'Sent.' ), HOUR_IN_SECONDS );")
        .await?;
    let others = shop.spool().join(format!("{}.db", "0".repeat(64)));
    fs::write(&others, "another shop's")?;

    let before = traces(shop).await?;
    for kind in ["options", "transients", "tables", "keys", "scheduled"] {
        ensure!(count(&before, kind)? > 0, "there are no {kind} to remove: {before}");
    }
    ensure!(spools(shop)?.len() > 1, "there is no spool to remove: {:?}", spools(shop)?);
    uninstall(shop).await?;
    is_nothing(&traces(shop).await?)?;
    let stays = vec![format!("{}.db", "0".repeat(64))];
    assert_eq!(spools(shop)?, stays, "only the spool of another shop stays");

    // Nothing that still runs makes any of it anew, and the shop goes on selling.
    shop.checkout(&[(ring, 1)], Payment::Cash).await?;
    shop.visit("/").await?;
    is_nothing(&traces(shop).await?)?;
    assert_eq!(spools(shop)?, stays);
    Ok(())
}

#[tokio::test]
async fn the_webhooks_of_a_deleted_plugin_go_and_those_of_others_stay() -> Result<()> {
    on_woocommerce!();
    let town = Town::open_by(Way::Webhooks, Shop::builder(), Database::Sqlite).await?;
    let shop = &town.shop;
    let theirs = json!({ "topic": "order.created", "url": "http://127.0.0.1:9/hook" });
    let _: u64 = shop.call("add_webhook", theirs).await?;
    until("the relay's webhooks are there", PATIENCE, async || {
        Ok((count(&traces(shop).await?, "webhooks")? == 11).then_some(()))
    })
    .await?;
    uninstall(shop).await?;
    is_nothing(&traces(shop).await?)?;
    let left: Vec<Value> = shop.call("webhooks", ()).await?;
    ensure!(left.len() == 1 && left[0]["url"] == "http://127.0.0.1:9/hook", "{left:?}");
    Ok(())
}
