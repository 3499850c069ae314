//! What a stranger writes into a name, a SKU or an error is shown as it was written, and runs nowhere.

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    browser::walk,
    impostor::{Impostor, Manner},
    push::{Sender, event},
    relay::Database,
    shop::{self, Shop},
    town::{PATIENCE, Town},
    wait,
};
use serde_json::{Value, json};

use super::{super::in_wordpress::let_it_be_forgotten, Hands, owner};

/// Text that runs wherever it is taken for HTML or for the rest of an attribute, and says where it stood.
fn mischief(place: &str) -> String {
    let call = format!("nexpura_ran('{place}')");
    format!("\"'><script>{call}</script><img src=x onerror={call}>")
}

/// As a text in PHP's code.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// What a spreadsheet would take for a formula.
const FORMULAS: [&str; 4] =
    ["=HYPERLINK(\"http://x\";\"y\")", "+1+cmd|'/C calc'!A0", "-2+3", "@SUM(1+1)"];

/// A shop whose every text is mischief: a product, a buyer, an account, an order's notes, a refund.
async fn mischievous(shop: &Shop) -> Result<Things> {
    let sku = format!("PIECE-1{}", mischief("sku"));
    let piece = json!({ "sku": sku, "name": mischief("product"), "price": "75.00", "stock": 5 });
    let piece: u64 = shop.call("add_product", piece).await?;
    for n in 2..=12 {
        shop.add_product(&format!("PIECE-{n}"), "75.00", Some(5)).await?;
    }
    // Nothing to match it by: it is skipped, under its name.
    let nameless = json!({ "sku": "", "name": mischief("skipped"), "price": "1.00", "stock": 1 });
    let _: u64 = shop.call("add_product", nameless).await?;
    let formula = json!({
        "sku": FORMULAS[3], "name": FORMULAS[0], "price": "5.00", "stock": 3,
    });
    let _: u64 = shop.call("add_product", formula).await?;

    let order = format!(
        "$order = wc_create_order();
        $order->add_product( wc_get_product( {piece} ), 2 );
        $order->set_billing_email( 'mischief@buyers.example' );
        $order->set_billing_first_name( {first} );
        $order->set_billing_last_name( {last} );
        $order->set_billing_company( {company} );
        $order->set_billing_phone( {phone} );
        $order->set_billing_city( {city} );
        $order->set_customer_note( {note} );
        $order->set_payment_method_title( {method} );
        $order->calculate_totals();
        $order->payment_complete( {transaction} );
        $account = new WC_Customer();
        $account->set_username( 'formula' );
        $account->set_password( 'formula' );
        $account->set_email( 'formula@buyers.example' );
        $account->set_first_name( {plus} );
        $account->set_last_name( {minus} );
        $account->save();
        return $order->get_id();",
        first = quoted(&mischief("first name")),
        last = quoted(&mischief("last name")),
        company = quoted(&mischief("company")),
        phone = quoted(&mischief("phone")),
        city = quoted(&mischief("city")),
        note = quoted(&mischief("note")),
        method = quoted(&mischief("method")),
        transaction = quoted(&mischief("transaction")),
        plus = quoted(FORMULAS[1]),
        minus = quoted(FORMULAS[2]),
    );
    let order = shop.php(&order).await?.as_u64().context("no order")?;
    let stored = shop.php(&format!("return wc_get_product( {piece} )->get_sku();")).await?;
    ensure!(stored == json!(sku), "the shop keeps another SKU: {stored}");
    let back = json!({
        "order": order, "sku": sku, "quantity": 1, "restock": true, "reason": mischief("refund"),
    });
    let _: u64 = shop.call("refund", back).await?;
    let sizes = shop.add_variable("BAND", "300.00", None, &[("BAND-52", "52", Some(4))]).await?;
    let parent = format!("return wc_get_product( {} )->get_parent_id();", sizes[0]);
    let band = shop.php(&parent).await?.as_u64().context("no parent")?;
    Ok(Things { piece, order, band, size: sizes[0] })
}

/// What is in that shop, by WooCommerce's ids.
struct Things {
    piece: u64,
    order: u64,
    /// A product with one variation.
    band: u64,
    /// That variation.
    size: u64,
}

/// An answer of something that says it is the relay.
fn lie(things: &Things) -> Value {
    let script = mischief("relay");
    let address = "javascript:nexpura_ran('address')";
    let product = |id: u64| {
        json!({
            "id": id, "state": "in_ledger", "listing": "open", "sku": script, "quantity": script,
            "to_push": script, "pushed_at": script, "pushed": script, "piece_url": address,
        })
    };
    json!({
        "detail": script,
        "store": { "status": script, "detail": script, "mode": script, "panel_url": address },
        "orders": [{ "id": things.order, "state": "failed", "detail": script, "sale_url": address }],
        "products": [product(things.piece), product(things.size)],
    })
}

#[tokio::test]
async fn nothing_that_a_stranger_wrote_runs_on_any_page() -> Result<()> {
    on_woocommerce!();
    let mut town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let things = mischievous(&town.shop).await?;
    let order = things.order;
    let sku = format!("PIECE-1{}", mischief("sku"));
    town.opened(&[&sku, "PIECE-2", "PIECE-12", FORMULAS[3]]).await?;
    let sale =
        wait::until("the sale is there", PATIENCE, async || town.relay.sale(order).await).await?;
    let start = json!({
        "relay": town.relay.url, "link": owner(&town.relay)?, "shop": town.shop.url,
        "user": shop::USER, "password": shop::PASSWORD, "formulas": FORMULAS,
        "sku": sku, "asked": mischief("asked"),
        "control": mischief("control"), "note": mischief("adjusted"),
        "piece": things.piece, "band": things.band, "order": order, "sale": sale.id,
    });
    let mut impostor = None;
    let serve = async |verb: &str, request: &Value| match verb {
        "misunderstand" => {
            let sender = Sender::new(&town.relay.http, &town.connection)?;
            let odd = event(&mischief("error"), order, &json!({ "id": order }), 1_000);
            let answer = sender.send(serde_json::to_vec(&sender.batch(1, &[odd]))?).await?;
            answer.error_for_status()?;
            Ok(Value::Null)
        }
        "lie" => {
            town.relay.kill();
            impostor = None;
            let status = request["status"].as_u64().context("no status")?;
            let manner = Manner::Says(u16::try_from(status)?, lie(&things));
            let_it_be_forgotten(&town.shop).await?;
            impostor = Some(Impostor::at(town.relay.address(), manner).await?);
            Ok(Value::Null)
        }
        _ => {
            let (relay, shop) = (&town.relay, &town.shop);
            let hands = Hands { relay, shop, connection: Some(&town.connection) };
            hands.serve(verb, request).await
        }
    };
    let walked = walk("inert", &start, serve).await;
    drop(impostor);
    walked.with_context(|| town.relay.log().unwrap_or_default())
}
