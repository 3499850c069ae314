//! A translation that lies in the plugin's languages/ is read there, by old and new WordPress.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};
use nexpura_tests::{paths, process, shop::Shop, stack::sources::Wish};

/// Writes a translation into the plugin's own folder, and has the administrator read the language.
const IN_GERMAN: &str = "
    require_once ABSPATH . WPINC . '/pomo/mo.php';
    $texts = new MO();
    $texts->set_header( 'Plural-Forms', 'nplurals=2; plural=(n != 1);' );
    $texts->add_entry( array(
        'singular'     => 'Connect this shop to Nexpura',
        'translations' => array( 'Diesen Laden mit Nexpura verbinden' ),
    ) );
    update_user_meta( 1, 'locale', 'de_DE' );
    return $texts->export_to_file( WP_PLUGIN_DIR . '/nexpura/languages/nexpura-de_DE.mo' );";

/// The plugin as it is installed from its zip: a folder of its own, into which a file can be put.
async fn install(shop: &Shop) -> Result<()> {
    let folder = shop.content().join("plugins/nexpura");
    // A link into the sources, which nobody has followed yet.
    fs::remove_file(&folder).context("the plugin is not linked")?;
    let mut copy = Command::new("cp");
    process::run(copy.arg("-r").arg(paths::repository().join("wp-plugin")).arg(&folder))?;
    let activate = "require_once ABSPATH . 'wp-admin/includes/plugin.php'; \
                    return null === activate_plugin( 'nexpura/nexpura.php' );";
    let activated = shop.php(activate).await?;
    ensure!(activated == true, "the plugin is not activated");
    Ok(())
}

async fn a_screen_is_read_in_german(wish: Wish) -> Result<()> {
    on_woocommerce!(wish);
    let shop = Shop::builder().on(wish).plain().start().await?;
    install(&shop).await?;
    let admin = shop.log_in().await?;
    let page = "admin.php?page=nexpura";
    ensure!(admin.page(page).await?.contains("Connect this shop to Nexpura"), "not in English");
    let written = shop.php(IN_GERMAN).await?;
    ensure!(written == true, "the translation is not written: {written}");
    let shown = admin.page(page).await?;
    ensure!(shown.contains("Diesen Laden mit Nexpura verbinden"), "not in German:\n{shown}");
    ensure!(!shown.contains("Connect this shop to Nexpura"), "in both languages");
    Ok(())
}

#[tokio::test]
async fn a_translation_is_read_on_todays_wordpress() -> Result<()> {
    a_screen_is_read_in_german(Wish::default()).await
}

#[tokio::test]
async fn a_translation_is_read_on_wordpress_6_5() -> Result<()> {
    let (wordpress, woocommerce) = (Some("6.5".to_owned()), Some("9.4".to_owned()));
    a_screen_is_read_in_german(Wish { wordpress, woocommerce }).await
}
