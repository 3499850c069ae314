//! Two shops of one jeweller that sell the same pieces, and what a person has to say of that.

use anyhow::{Context, Result};
use nexpura_tests::{
    browser::walk,
    relay::Database,
    shop::{Shop, checkout::Payment},
    town::Town,
    wait::until,
};
use serde_json::{Value, json};

use super::{Hands, PATIENCE, owner, with_door};

/// A paid order of two rings, with whose stock the shop did nothing.
const WITHOUT_STOCK: &str = "
    add_filter( 'woocommerce_payment_complete_reduce_order_stock', '__return_false' );
    $order = wc_create_order();
    $order->add_product( wc_get_product( wc_get_product_id_by_sku( 'RING' ) ), 2 );
    $order->set_billing_email( 'grace@buyers.example' );
    $order->calculate_totals();
    $order->payment_complete( 'by telephone' );
    return $order->get_id();";

/// Connects a shop without our plugin by its key.
async fn connect_by_key(town: &Town, other: &Shop) -> Result<()> {
    let key = other.make_key("read_write").await?;
    let request = json!({
        "store_url": other.url,
        "consumer_key": key.consumer_key,
        "consumer_secret": key.consumer_secret,
    });
    town.relay.post("/api/integrations/woocommerce/connect", &request).await.map(drop)
}

/// The last opal is sold in both shops before the second can hear of the first: it answers nobody but buyers.
async fn sell_in_both(town: &Town, other: &Shop, opals: [u64; 2]) -> Result<Value> {
    std::fs::write(other.content().join("held"), "")?;
    let first = town.shop.checkout(&[(opals[0], 1)], Payment::Cash).await?;
    let second = other.classic_checkout(opals[1], 1, Payment::Cash).await;
    std::fs::remove_file(other.content().join("held"))?;
    other.call_cli("run_action_scheduler", json!({}))?;
    Ok(json!([first, second?]))
}

#[tokio::test]
async fn two_shops_sell_one_piece_and_a_person_decides() -> Result<()> {
    on_woocommerce!();
    let (town, other) = futures::join!(
        Town::open(Shop::builder(), Database::Sqlite),
        Shop::builder().plain().start()
    );
    let (town, other) = (town?, other?);
    with_door(&other)?;
    let opal = town.shop.add_product("OPAL", "1200.00", Some(1)).await?;
    for (sku, stock) in [("PEARL", 4), ("CHAIN", 9), ("RING", 9)] {
        town.shop.add_product(sku, "80.00", Some(stock)).await?;
    }
    town.opened(&["OPAL", "PEARL", "CHAIN", "RING"]).await?;
    let other_opal = other.add_product("OPAL", "1250.00", Some(1)).await?;
    other.add_product("CHAIN", "85.00", Some(2)).await?;
    let pearl = json!({
        "sku": "PEARL", "name": "South Sea pearls, graduated", "price": "95.00", "stock": 7,
    });
    let _: u64 = other.call("add_product", pearl).await?;
    connect_by_key(&town, &other).await?;

    let start = json!({
        "relay": town.relay.url, "link": owner(&town.relay)?, "shop": town.shop.url,
        "other": other.url,
    });
    let serve = async |verb: &str, request: &Value| match verb {
        "sell_in_both" => sell_in_both(&town, &other, [opal, other_opal]).await,
        "pay_without_stock" => town.shop.php(WITHOUT_STOCK).await,
        "edit_in_the_shop" => {
            let sku = request["sku"].as_str().context("no SKU")?;
            let stock = request["stock"].as_i64().context("no stock")?;
            town.shop.set_stock(sku, stock).await.map(|()| Value::Null)
        }
        "reaches_the_other_shop" => {
            let sku = request["sku"].as_str().context("no SKU")?;
            let wanted = request["stock"].as_f64();
            until(&format!("{sku} is {wanted:?} in the other shop"), PATIENCE, async || {
                Ok((other.stock(sku).await? == wanted).then_some(Value::Null))
            })
            .await
        }
        _ => {
            let (relay, shop) = (&town.relay, &town.shop);
            let hands = Hands { relay, shop, connection: Some(&town.connection) };
            hands.serve(verb, request).await
        }
    };
    let walked = walk("decisions", &start, serve).await;
    walked.with_context(|| town.relay.log().unwrap_or_default())
}
