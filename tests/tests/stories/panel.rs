//! The panel, and WordPress's own screens, in a real browser, on the real parts.

mod by_webhooks;
mod decisions;
mod inert;
mod without_scripts;
mod wordpress;

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nexpura_tests::{
    browser::walk,
    push::{Sender, event},
    relay::{Connection, Database, Relay, TENANT},
    shop::{self, Shop, checkout::Payment, pictures},
    town::Town,
    wait::until,
};
use serde_json::{Value, json};

/// For what comes by itself; a machine that is busy with other things takes its time.
const PATIENCE: Duration = Duration::from_secs(180);

/// Who owns the tenant.
const ANN: &str = "ann@aurelia.example";

/// The link by which a new owner of the tenant sets a password.
fn owner(relay: &Relay) -> Result<String> {
    somebody(relay, ANN, "owner")
}

fn somebody(relay: &Relay, email: &str, role: &str) -> Result<String> {
    link_in(&relay.run(&["user", "add", email, "--tenant", TENANT, "--role", role])?)
}

/// The link that the command printed.
fn link_in(made: &Value) -> Result<String> {
    made["set_password"].as_str().map(str::to_owned).with_context(|| format!("no link in {made}"))
}

#[tokio::test]
async fn the_first_owner_comes_in_and_lets_others_in() -> Result<()> {
    let relay = Relay::start(Database::Sqlite).await?;
    let start = json!({ "relay": relay.url, "link": owner(&relay)? });
    walk("first_login", &start, async |verb, _| bail!("nobody does {verb} here")).await
}

#[tokio::test]
async fn strangers_are_told_why_they_are_not_let_in() -> Result<()> {
    let relay = Relay::start(Database::Sqlite).await?;
    let at = |tenant: &str| {
        let made = relay.run(&["user", "add", ANN, "--tenant", tenant, "--role", "manager"])?;
        link_in(&made)
    };
    let start = json!({
        "relay": relay.url, "link": owner(&relay)?, "elsewhere": at("borealis")?,
        "late": somebody(&relay, "late@aurelia.example", "staff")?,
    });
    walk("strangers", &start, async |verb, _| match verb {
        "links_expire" => {
            let sql = "UPDATE password_links SET expires_at = created_at";
            relay.execute(sql).map(|()| Value::Null)
        }
        _ => bail!("nobody does {verb} here"),
    })
    .await
}

/// Lets nobody but people at their pages be answered while the file `held` is there, so that they see what is under
/// way. And tells of the order in the file `odd` what nobody understands, so that it fails as long as somebody looks at
/// it: the relay tries again by itself.
const DOOR: &str = r"<?php
add_filter( 'woocommerce_rest_prepare_shop_order_object', static function ( $response, $order ) {
	$odd = WP_CONTENT_DIR . '/odd';
	clearstatcache();
	if ( file_exists( $odd ) && file_get_contents( $odd ) === (string) $order->get_id() ) {
		$response->data['currency'] = 7;
	}
	return $response;
}, 10, 2 );
add_filter( 'rest_pre_dispatch', static function ( $result ) {
	for ( $looks = 0; $looks < 2400 && file_exists( WP_CONTENT_DIR . '/held' ); $looks++ ) {
		usleep( 50000 );
		clearstatcache();
	}
	return $result;
} );
";

/// Gives a shop that door.
fn with_door(shop: &Shop) -> Result<()> {
    std::fs::write(shop.content().join("mu-plugins/door.php"), DOOR)?;
    Ok(())
}

/// What a walk may ask for that a browser cannot do.
struct Hands<'a> {
    relay: &'a Relay,
    shop: &'a Shop,
    /// Where the shop is connected already.
    connection: Option<&'a Connection>,
}

impl Hands<'_> {
    async fn serve(&self, verb: &str, request: &Value) -> Result<Value> {
        let sku = request["sku"].as_str().unwrap_or("RING");
        match verb {
            "opened" => self.ledger_has(sku, None).await,
            "adjust" => {
                let body = json!({
                    "type": "adjustment", "quantity_change": request["change"], "notes": "counted",
                });
                self.relay.post(&format!("/api/inventory/{sku}/movements"), &body).await
            }
            "hold" => self.put("held", "").map(|()| Value::Null),
            "let_go" => self.take("held").map(|()| Value::Null),
            "copies" => {
                let code = format!(
                    "Nexpura_Tests\\copy_product( wc_get_product_id_by_sku( '{}' ), {} ); return true;",
                    request["of"].as_str().context("of what")?,
                    request["count"]
                );
                self.shop.php(&code).await
            }
            "in_the_shop" => Ok(json!(self.shop.stock(sku).await?)),
            "reaches_the_shop" => self.shop_has(sku, request["stock"].as_f64()).await,
            "reaches_the_ledger" => self.ledger_has(sku, request["stock"].as_f64()).await,
            "sell" => {
                let ring = request["product"].as_u64().context("no product")?;
                let order = self.shop.checkout(&[(ring, 1)], Payment::Cash).await?;
                Ok(json!(order))
            }
            "fail" => {
                let order = request["order"].as_u64().context("no order")?;
                self.put("odd", &order.to_string())?;
                let payload = json!({ "id": order, "currency": 7 });
                let sender = Sender::new(&self.relay.http, self.connection.context("a sender")?)?;
                let broken = event("order.updated", order, &payload, 1_000);
                let answer = sender.send(serde_json::to_vec(&sender.batch(1, &[broken]))?).await?;
                answer.error_for_status()?;
                until("the event has failed", PATIENCE, async || {
                    let failed = self.relay.events(Some("failed")).await?;
                    ensure!(failed.iter().all(|event| event.resource_id == order), "{failed:?}");
                    Ok((!failed.is_empty()).then_some(Value::Null))
                })
                .await
            }
            "mend" => self.take("odd").map(|()| Value::Null),
            "nothing_failed" => until("nothing has failed", PATIENCE, async || {
                let failed = self.relay.events(Some("failed")).await?;
                Ok(failed.is_empty().then_some(Value::Null))
            })
            .await
            .with_context(|| self.relay.log().unwrap_or_default()),
            "empty_in_the_shop" => {
                let sql = "UPDATE wp_postmeta m JOIN wp_wc_product_meta_lookup l ON l.product_id = m.post_id \
                           SET m.meta_value = 0, l.stock_quantity = 0 \
                           WHERE m.meta_key = '_stock' AND l.sku LIKE 'PIECE-%'";
                Ok(json!(self.shop.sql(sql)?))
            }
            "quiet" => {
                until("everything is pushed", PATIENCE, async || {
                    let queued = self.relay.events(Some("queued")).await?;
                    Ok(queued.is_empty().then_some(Value::Null))
                })
                .await
            }
            _ => bail!("nobody does {verb} here"),
        }
    }

    /// Leaves a file where the shop's door looks for it.
    fn put(&self, name: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(self.shop.content().join(name), text)?)
    }

    fn take(&self, name: &str) -> Result<()> {
        Ok(std::fs::remove_file(self.shop.content().join(name))?)
    }

    async fn ledger_has(&self, sku: &str, units: Option<f64>) -> Result<Value> {
        until(&format!("{sku} is {units:?} in the ledger"), PATIENCE, async || {
            let row = self.relay.stock_row(sku).await?;
            let so = row.filter(|row| row.is_open() && (units.is_none() || row.units() == units));
            Ok(so.map(|_| Value::Null))
        })
        .await
        .with_context(|| self.relay.log().unwrap_or_default())
    }

    async fn shop_has(&self, sku: &str, units: Option<f64>) -> Result<Value> {
        until(&format!("{sku} is {units:?} in the shop"), PATIENCE, async || {
            Ok((self.shop.stock(sku).await? == units).then_some(Value::Null))
        })
        .await
        .with_context(|| self.relay.log().unwrap_or_default())
    }
}

#[tokio::test]
async fn a_store_is_connected_in_both_ways_brought_over_and_let_go() -> Result<()> {
    on_woocommerce!();
    let (relay, shop, plain) = futures::join!(
        Relay::start(Database::Sqlite),
        Shop::builder().start(),
        Shop::builder().plain().start()
    );
    let (relay, shop, plain) = (relay?, shop?, plain?);
    let ring = shop.add_product("RING", "900.00", Some(10)).await?;
    shop.add_product("CHAIN", "80.00", None).await?;
    let loose = json!({ "sku": "", "name": "Loose stone", "price": "9.00", "stock": 1 });
    let _: u64 = shop.call("add_product", loose).await?;
    with_door(&shop)?;
    plain.add_product("PEARL", "40.00", Some(3)).await?;
    shop.checkout(&[(ring, 1)], Payment::Cash).await?;
    let key = plain.make_key("read_write").await?;
    let start = json!({
        "relay": relay.url, "link": owner(&relay)?, "shop": shop.url, "plain": plain.url,
        "consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret,
        "user": shop::USER, "password": shop::PASSWORD,
    });
    let hands = Hands { relay: &relay, shop: &shop, connection: None };
    walk("connect", &start, async |verb, request| hands.serve(verb, request).await)
        .await
        .with_context(|| relay.log().unwrap_or_default())
}

/// A ring with all that a shop tells of one.
fn solitaire() -> Result<Value> {
    Ok(json!({
        "sku": "RING", "name": "Aurora solitaire ring", "price": "900.00", "stock": 9,
        "picture": pictures::drawn()?.join("aurora.png"), "category": "Engagement rings",
        "attributes": { "Metal": ["Yellow gold", "Platinum"], "Stone": ["Brilliant, 1.2 ct"] },
    }))
}

#[tokio::test]
async fn a_day_with_a_sale_an_adjustment_a_failure_and_a_difference() -> Result<()> {
    on_woocommerce!();
    let town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let (relay, shop) = (&town.relay, &town.shop);
    with_door(shop)?;
    let ring: u64 = shop.call("add_product", solitaire()?).await?;
    let pieces: Vec<String> = (1..=12).map(|n| format!("PIECE-{n}")).collect();
    for sku in &pieces {
        shop.add_product(sku, "75.00", Some(5)).await?;
    }
    town.opened(&["RING", "PIECE-1", "PIECE-12"]).await?;
    let staff = somebody(relay, "sam@aurelia.example", "staff")?;
    let start = json!({
        "relay": relay.url, "link": owner(relay)?, "staff": staff, "ring": ring, "stock": 9,
        "shop": shop.url, "user": shop::USER, "password": shop::PASSWORD,
    });
    let hands = Hands { relay, shop, connection: Some(&town.connection) };
    walk("a_day", &start, async |verb, request| hands.serve(verb, request).await)
        .await
        .with_context(|| relay.log().unwrap_or_default())
}
