//! A shop without our extension, connected and looked after in the browser; and what each role may not do.

use anyhow::{Context, Result};
use nexpura_tests::{
    browser::walk,
    relay::{Database, Relay},
    shop::{self, Shop, checkout::Payment},
};
use serde_json::{Value, json};

use super::{Hands, owner, somebody, with_door};

#[tokio::test]
async fn shops_without_the_extension_are_connected_and_followed_by_webhooks() -> Result<()> {
    on_woocommerce!();
    // Only what the webhooks tell counts here, not what a sweep would find anyway.
    let (relay, plain, bare) = futures::join!(
        Relay::start_with(Database::Sqlite, &[("NEXPURA_SWEEP_SECONDS", "3600")]),
        Shop::builder().plain().start(),
        Shop::builder().without_extension().start()
    );
    let (relay, plain, bare) = (relay?, plain?, bare?);
    let pearl = plain.add_product("PEARL", "40.00", Some(6)).await?;
    plain.add_product("CHAIN", "80.00", None).await?;
    with_door(&plain)?;
    let (full, read) = (plain.make_key("read_write").await?, plain.make_key("read").await?);
    let keys = |key: &shop::keys::Key| json!([key.consumer_key, key.consumer_secret]);
    let start = json!({
        "relay": relay.url, "link": owner(&relay)?, "plain": plain.url, "bare": bare.url,
        "manager": somebody(&relay, "mia@aurelia.example", "manager")?,
        "staff": somebody(&relay, "sam@aurelia.example", "staff")?,
        "user": shop::USER, "password": shop::PASSWORD, "full": keys(&full), "read": keys(&read),
    });
    let hands = Hands { relay: &relay, shop: &plain, connection: None };
    walk("by_webhooks", &start, async |verb, request: &Value| match verb {
        "webhooks" => plain.call("webhooks", ()).await,
        "buy" => {
            let order = plain.checkout(&[(pearl, 2)], Payment::Cash).await?;
            plain.call_cli("run_action_scheduler", json!({}))?;
            Ok(json!(order))
        }
        _ => hands.serve(verb, request).await,
    })
    .await
    .with_context(|| relay.log().unwrap_or_default())
}
