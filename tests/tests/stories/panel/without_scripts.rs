//! The panel in a browser that runs no scripts.

use anyhow::{Context, Result};
use nexpura_tests::{browser::walk, relay::Database, shop::Shop, town::Town};
use serde_json::json;

use super::{ANN, Hands, owner, with_door};

#[tokio::test]
async fn whoever_runs_no_scripts_works_with_links_and_forms() -> Result<()> {
    on_woocommerce!();
    let town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let (relay, shop) = (&town.relay, &town.shop);
    with_door(shop)?;
    shop.add_product("RING", "900.00", Some(9)).await?;
    for n in 1..=12 {
        shop.add_product(&format!("PIECE-{n}"), "75.00", Some(5)).await?;
    }
    town.opened(&["RING", "PIECE-1", "PIECE-12"]).await?;
    let start =
        json!({ "relay": relay.url, "link": owner(relay)?, "email": ANN, "shop": shop.url });
    let hands = Hands { relay, shop, connection: Some(&town.connection) };
    walk("without_scripts", &start, async |verb, request| hands.serve(verb, request).await)
        .await
        .with_context(|| relay.log().unwrap_or_default())
}
