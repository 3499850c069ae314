//! The store double is held to WooCommerce: the same small suite on both, and what they show compared.

use std::fs;

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::Database,
    shop::{
        Shop, Storage,
        checkout::{Payment, Receipt},
    },
    stack::sources::Wish,
    town::Town,
};
use serde_json::Value;

/// What a store shows of one checkout.
#[derive(Debug)]
struct Shown {
    /// The answer's HTTP status, the order's status and total.
    outcome: (u16, String, String),
    /// What remains.
    stock: Vec<Option<f64>>,
    /// The hooks that our plugin or the stock rules depend on, in their order.
    hooks: Vec<String>,
    /// The order's representation.
    order: Value,
    /// The products' representations and whose stock each draws on.
    products: Vec<Value>,
}

/// Notes each such hook in a file of the shop.
const RECORDER: &str = r"<?php
add_action( 'all', static function ( $hook ) {
	static $known = '/^woocommerce_(new_order|update_order|payment_complete|pre_payment_complete|reduce_order_stock|reduce_order_item_stock|restore_order_stock|order_status_\S+|updated_product_stock|(product|variation)_set_stock|store_api_checkout_order_processed)$/';
	if ( is_string( $hook ) && preg_match( $known, $hook ) ) {
		file_put_contents( getenv( 'NEXPURA_TESTS_SHOP' ) . '/hooks', $hook . PHP_EOL, FILE_APPEND );
	}
} );
";

const SKUS: [&str; 4] = ["RING", "CHAIN", "BAND-52", "CORD"];

/// The suite: one checkout of each kind.
async fn suite(wish: Wish) -> Result<Vec<Shown>> {
    let town =
        Town::open(Shop::builder().on(wish).storage(Storage::Legacy), Database::Sqlite).await?;
    let shop = &town.shop;
    let ring = shop.add_product("RING", "120.00", Some(9)).await?;
    let chain = shop.add_product("CHAIN", "80.00", None).await?;
    let band = shop.add_variable("BAND", "300.00", None, &[("BAND-52", "52", Some(4))]).await?[0];
    let cord = shop.add_variable("CORD", "15.00", Some(7), &[("CORD-S", "S", None)]).await?[0];
    town.opened(&["RING", "BAND-52", "CORD"]).await?;
    fs::write(shop.content().join("mu-plugins/recorder.php"), RECORDER)?;

    let visits: [(&[(u64, u32)], Payment); 4] = [
        (&[(ring, 2)], Payment::Card),
        (&[(band, 1), (chain, 1)], Payment::Cash),
        (&[(cord, 3)], Payment::Transfer),
        (&[(ring, 1)], Payment::DeclinedCard),
    ];
    let mut shown = Vec::new();
    for (items, payment) in visits {
        let cart = shop.cart().await?;
        for (product, quantity) in items {
            cart.add(*product, *quantity).await?;
        }
        let _none_yet = fs::remove_file(shop.folder().join("hooks"));
        let answer = cart.try_check_out(payment).await?;
        let status = answer.status().as_u16();
        let receipt: Receipt = answer.json().await?;
        let hooks = fs::read_to_string(shop.folder().join("hooks"))?;
        let order = receipt.order_id;
        town.agrees(order, &SKUS).await?;
        shown.push(Shown {
            outcome: (status, receipt.status, shop.order(order).await?.total),
            stock: futures::future::try_join_all(SKUS.map(|sku| shop.stock(sku))).await?,
            hooks: hooks.lines().map(str::to_owned).collect(),
            order: represented(shop, &format!("wc_get_order( {order} )")).await?,
            products: products(shop).await?,
        });
    }
    Ok(shown)
}

/// An order or product as our plugin reads it.
async fn represented(shop: &Shop, thing: &str) -> Result<Value> {
    shop.php(&format!("$it = {thing}; return \\Nexpura\\represent( $it );")).await
}

/// The products of the suite, each with the facts that our plugin adds.
async fn products(shop: &Shop) -> Result<Vec<Value>> {
    let mut products = Vec::new();
    for sku in ["RING", "CHAIN", "BAND", "BAND-52", "CORD", "CORD-S"] {
        let find = format!("wc_get_product( wc_get_product_id_by_sku( '{sku}' ) )");
        let mut product = represented(shop, &find).await?;
        let facts = shop.php(&format!("return \\Nexpura\\stock_facts( {find} );")).await?;
        product["managed"] = facts["managed"].clone();
        product["owns its stock"] = (facts["stock_id"] == product["id"]).into();
        products.push(product);
    }
    Ok(products)
}

/// Every field of the double's answer is in WooCommerce's too, and of the same kind.
fn has_the_shape_of(double: &Value, real: &Value, at: &str) -> Result<()> {
    match (double, real) {
        (Value::Null, _) | (_, Value::Null) => Ok(()),
        (Value::Object(double), Value::Object(real)) => {
            double.iter().try_for_each(|(name, value)| {
                let there =
                    real.get(name).with_context(|| format!("WooCommerce has no {at}.{name}"))?;
                has_the_shape_of(value, there, &format!("{at}.{name}"))
            })
        }
        (Value::Array(double), Value::Array(real)) if at.ends_with("meta_data") => {
            // WooCommerce keeps more of it; what the double has is there under the same key.
            double.iter().try_for_each(|meta| {
                let there = real.iter().find(|other| other["key"] == meta["key"]);
                let there =
                    there.with_context(|| format!("WooCommerce has no {at} {}", meta["key"]))?;
                has_the_shape_of(meta, there, at)
            })
        }
        (Value::Array(double), Value::Array(real)) => {
            ensure!(double.len() == real.len(), "{at}: {double:?} is as long as {real:?}");
            (0..real.len())
                .try_for_each(|n| has_the_shape_of(&double[n], &real[n], &format!("{at}[{n}]")))
        }
        _ => {
            let same = std::mem::discriminant(double) == std::mem::discriminant(real);
            ensure!(same, "{at} is {double} in the double and {real} in WooCommerce");
            Ok(())
        }
    }
}

/// Fields of a product that are the same on every run.
fn product_facts(product: &Value) -> Value {
    let mut facts = Value::Null;
    for name in [
        "name",
        "type",
        "status",
        "sku",
        "price",
        "regular_price",
        "manage_stock",
        "stock_quantity",
        "stock_status",
        "backorders",
        "managed",
        "owns its stock",
    ] {
        facts[name] = product[name].clone();
    }
    facts
}

/// Fields of an order that are the same on every run.
fn facts(order: &Value) -> Value {
    let mut facts = Value::Null;
    for name in [
        "status",
        "currency",
        "total",
        "shipping_total",
        "payment_method",
        "created_via",
        "billing",
    ] {
        facts[name] = order[name].clone();
    }
    for (n, line) in order["line_items"].as_array().into_iter().flatten().enumerate() {
        for name in ["name", "sku", "quantity", "subtotal", "total", "price"] {
            facts[format!("{n} {name}")] = line[name].clone();
        }
        let reduced = line["meta_data"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|meta| meta["key"] == "_reduced_stock");
        facts[format!("{n} reduced")] = reduced.map_or(Value::Null, |meta| meta["value"].clone());
    }
    facts
}

/// Whether one sequence is another with some left out.
fn is_within(part: &[String], whole: &[String]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|hook| rest.any(|other| other == hook))
}

#[tokio::test]
async fn sells_as_woocommerce_does() -> Result<()> {
    let double = suite(Wish::double()).await?;
    let outcomes: Vec<&str> = double.iter().map(|shown| shown.outcome.1.as_str()).collect();
    assert_eq!(outcomes, ["processing", "processing", "on-hold", "failed"]);
    assert_eq!(double[3].stock, [Some(7.0), None, Some(3.0), Some(4.0)]);
    on_woocommerce!();
    let real = suite(Wish::default()).await?;
    for (double, real) in double.iter().zip(&real) {
        assert_eq!(double.outcome, real.outcome);
        assert_eq!(double.stock, real.stock);
        assert_eq!(facts(&double.order), facts(&real.order));
        has_the_shape_of(&double.order, &real.order, "order")?;
        for (double, real) in double.products.iter().zip(&real.products) {
            assert_eq!(product_facts(double), product_facts(real));
            has_the_shape_of(double, real, "product")?;
        }
        let within = is_within(&double.hooks, &real.hooks);
        assert!(within, "the double fires {:#?}\nWooCommerce {:#?}", double.hooks, real.hooks);
    }
    Ok(())
}
