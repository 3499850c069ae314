//! `wp nexpura`: connecting, looking, sending and disconnecting without a browser.

use anyhow::{Result, ensure};
use nexpura_tests::{
    relay::{Database, Relay},
    shop::{Shop, checkout::Payment},
};
use serde_json::Value;

#[tokio::test]
async fn a_shop_is_run_from_the_command_line() -> Result<()> {
    on_woocommerce!();
    let (relay, shop) =
        futures::join!(Relay::start(Database::Sqlite), Shop::builder().sender("off").start());
    let (mut relay, shop) = (relay?, shop?);
    let wp = |typed: &[&str]| shop.wp_nexpura(typed);

    let (good, said) = wp(&["doctor"])?;
    ensure!(good && said.contains("[recommended] This shop is not connected"), "{said}");
    let (good, said) = wp(&["connect", "nonsense"])?;
    ensure!(!good && said.contains("not a connection string"), "{said}");
    let connection = relay.connection()?;
    let (good, said) = wp(&["connect", &connection.string])?;
    ensure!(good && said.contains("is connected to"), "{said}");

    let ring = shop.add_product("RING-1", "99.00", Some(9)).await?;
    shop.checkout(&[(ring, 1)], Payment::Card).await?;
    let (good, said) = wp(&["status"])?;
    let status: Value = serde_json::from_str(&said)?;
    ensure!(good && status["connected"] == true, "{said}");
    ensure!(status["spool"]["unsent"].as_u64() > Some(0), "{said}");
    ensure!(!said.contains("whsec_"), "the secret is shown");

    relay.kill();
    let (good, said) = wp(&["flush", "--seconds=1"])?;
    ensure!(!good && said.contains("0 sent"), "{said}");
    let (good, said) = wp(&["doctor"])?;
    ensure!(!good && said.contains("[critical] The Nexpura relay cannot be reached"), "{said}");
    ensure!(said.contains("critical problems"), "{said}");
    relay.start_again().await?;
    let (good, said) = wp(&["flush", "--seconds=20"])?;
    ensure!(good && said.contains("sent, nothing left."), "{said}");
    ensure!(relay.sales().await?.len() == 1, "the sale is not in the ledger");
    shop.php("return delete_transient( 'nexpura_standing_pause' );").await?;
    let (good, said) = wp(&["doctor", "--format=json"])?;
    ensure!(good, "{said}");
    ensure!(said.contains("\"test\": \"ledger\""), "{said}");
    ensure!(!said.contains("\"critical\""), "{said}");

    let (good, said) = wp(&["disconnect"])?;
    ensure!(good && said.contains("is disconnected"), "{said}");
    let keys = "global $wpdb; return (int) $wpdb->get_var( \"SELECT COUNT(*) FROM {$wpdb->prefix}woocommerce_api_keys\" );";
    ensure!(shop.php(keys).await? == 0, "the key is still there");
    Ok(())
}
