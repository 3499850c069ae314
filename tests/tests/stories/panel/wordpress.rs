//! What a merchant sees of Nexpura in WordPress, while all is well and while it is not.

use anyhow::{Context, Result};
use nexpura_tests::{
    browser::walk,
    relay::{Database, Relay},
    shop::{self, Shop, checkout::Payment},
    town::Town,
};
use serde_json::{Value, json};

use super::{Hands, owner, with_door};

#[tokio::test]
async fn a_merchant_looks_after_the_connection_from_wordpress() -> Result<()> {
    on_woocommerce!();
    // What an event brought in the moment of a sweep is marked by the next one.
    let relay = Relay::start_with(Database::Sqlite, &[("NEXPURA_SWEEP_SECONDS", "10")]);
    let (relay, shop) = futures::join!(relay, Shop::builder().start());
    let mut town = Town::of(relay?, shop?).await?;
    let shop = &town.shop;
    with_door(shop)?;
    let ring = shop.add_product("RING", "900.00", Some(9)).await?;
    let sizes = [("BAND-52", "52", Some(4)), ("BAND-54", "54", Some(5))];
    let sizes = shop.add_variable("BAND", "300.00", None, &sizes).await?;
    let parent = format!("return wc_get_product( {} )->get_parent_id();", sizes[0]);
    let band = shop.php(&parent).await?;
    town.opened(&["RING", "BAND-52", "BAND-54"]).await?;
    let order = shop.checkout(&[(ring, 1)], Payment::Card).await?;
    town.agrees(order, &["RING"]).await?;
    // Also in the list of users: a customer that has an account.
    let code = "return wc_create_new_customer( 'ada@buyers.example', 'ada', 'x7!kd9Qz' );";
    shop.php(code).await?;
    let start = json!({
        "relay": town.relay.url, "link": owner(&town.relay)?, "shop": shop.url,
        "user": shop::USER, "password": shop::PASSWORD,
        "ring": ring, "band": band, "order": order, "left": 8,
    });
    let serve = async |verb: &str, request: &Value| match verb {
        "relay_goes_away" => {
            town.relay.kill();
            Ok(Value::Null)
        }
        "key_is_removed" => {
            town.shop.sql("DELETE FROM wp_woocommerce_api_keys")?;
            Ok(Value::Null)
        }
        // As in a copy of its database under another address.
        "comes_from_elsewhere" => {
            let code = "$state = Nexpura\\registered(); $state['home'] = 'https://old.example'; \
                        update_option( 'nexpura_registered', $state ); return true;";
            town.shop.php(code).await
        }
        "registration_is_forgotten" => {
            town.shop.php("delete_option( 'nexpura_registered' ); return true;").await
        }
        "relay_comes_back" => town.relay.start_again().await.map(|()| Value::Null),
        _ => {
            let (relay, shop) = (&town.relay, &town.shop);
            let hands = Hands { relay, shop, connection: Some(&town.connection) };
            hands.serve(verb, request).await
        }
    };
    let walked = walk("wordpress", &start, serve).await;
    walked.with_context(|| town.relay.log().unwrap_or_default())
}
