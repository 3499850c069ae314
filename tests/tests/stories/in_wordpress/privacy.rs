//! WordPress's privacy tools: a person's export has what Nexpura keeps, and their erasure reaches it.

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    impostor::{Impostor, Manner},
    relay::Database,
    shop::{Shop, Storage, checkout::Payment},
    town::Town,
};
use serde_json::{Value, json};

/// Runs every exporter or eraser as WordPress's own page does, all its pages, and gives what ours said.
const RUN: &str = "
	require_once ABSPATH . 'wp-admin/includes/admin.php';
	foreach ( array( 'outcome', 'settings-page', 'privacy' ) as $part ) {
		require_once dirname( \\Nexpura\\PLUGIN_FILE ) . \"/includes/$part.php\";
	}
	$said = array();
	foreach ( apply_filters( 'wp_privacy_personal_data_KINDs', array() ) as $name => $one ) {
		for ( $page = 1; $page < 9; $page++ ) {
			$answer = ( $one['callback'] )( 'EMAIL', $page );
			if ( 'nexpura' === $name ) {
				$said[] = is_wp_error( $answer ) ? array( 'error' => $answer->get_error_message() ) : $answer;
			}
			if ( is_wp_error( $answer ) || $answer['done'] ) {
				break;
			}
		}
	}
	return $said;
";

async fn run(shop: &Shop, kind: &str, email: &str) -> Result<Value> {
    shop.php(&RUN.replace("KIND", kind).replace("EMAIL", email)).await
}

async fn a_person_is_exported_and_erased(storage: Storage) -> Result<()> {
    let mut town = Town::open(Shop::builder().storage(storage), Database::Sqlite).await?;
    let ring = town.shop.add_product("RING-1", "99.00", Some(9)).await?;
    town.opened(&["RING-1"]).await?;
    let order = town.shop.checkout(&[(ring, 2)], Payment::Card).await?;
    let sale = town.agrees(order, &["RING-1"]).await?;
    let path = format!("/api/sales/{}", sale.id.as_str().context("no id")?);
    let before = town.relay.get(&path).await?;
    let email = before["email"].as_str().context("no e-mail")?.to_owned();

    let said = run(&town.shop, "exporter", &email).await?.to_string();
    for part in ["Nexpura: customer", "Nexpura: sales", email.as_str()] {
        ensure!(said.contains(part), "the export lacks {part}: {said}");
    }

    // While the relay is away nothing is called done.
    town.relay.kill();
    let said = run(&town.shop, "eraser", &email).await?;
    ensure!(said[0]["items_retained"] == true, "{said}");
    ensure!(said[0]["messages"][0].as_str().is_some_and(|m| m.contains("once more")), "{said}");
    let script = "<script>alert(1)</script>";
    let refusal = json!({ "type": "about:blank", "status": 422, "detail": script });
    let liar = Impostor::at(town.relay.address(), Manner::Says(409, refusal)).await?;
    for kind in ["exporter", "eraser"] {
        let said = run(&town.shop, kind, &email).await?.to_string();
        ensure!(said.contains("does not know this shop"), "{said}");
        ensure!(!said.contains("<script"), "what the relay says runs: {said}");
    }
    liar.leave().await;
    town.relay.start_again().await?;

    // By now WooCommerce has erased its own order as far as it does that: ours goes by the e-mail all the same.
    let said = run(&town.shop, "eraser", &email).await?;
    ensure!(said[0]["items_removed"] == true && said[0]["items_retained"] == false, "{said}");
    let after = town.relay.get(&path).await?;
    ensure!(!after.to_string().contains(&email), "the sale still names her: {after}");
    for figure in ["total", "tax", "number", "currency", "lines"] {
        ensure!(after[figure] == before[figure], "{figure} is not what it was");
    }
    ensure!(!town.relay.get("/api/customers").await?.to_string().contains(&email), "a customer");

    // The shop still names her, since WooCommerce keeps orders unless it is told not to: the ledger does not.
    town.shop.set_status(order, "completed").await?;
    town.agrees(order, &["RING-1"]).await?;
    let after = town.relay.get(&path).await?;
    ensure!(!after.to_string().contains(&email), "the sale names her again: {after}");
    let again = run(&town.shop, "eraser", &email).await?;
    ensure!(again[0]["items_removed"] == false, "{again}");
    Ok(())
}

#[tokio::test]
async fn a_person_is_exported_and_erased_on_hpos() -> Result<()> {
    on_woocommerce!();
    a_person_is_exported_and_erased(Storage::Hpos).await
}

#[tokio::test]
async fn a_person_is_exported_and_erased_on_legacy_storage() -> Result<()> {
    on_woocommerce!();
    a_person_is_exported_and_erased(Storage::Legacy).await
}
