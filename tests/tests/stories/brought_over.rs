//! What a shop had before it was connected is brought over whole, and what drifts is noticed.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nexpura_tests::{relay::Database, shop::Shop, town::Town, wait::until};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(120);

/// Asks for a run and waits for its end; gives it with its report.
async fn run(town: &Town, what: &str) -> Result<Value> {
    let path = format!("/api/integrations/woocommerce/{what}");
    let begun = town.relay.post(&path, &json!({ "store": town.shop.url })).await?;
    let id = begun["run_id"].as_str().context("no run id")?.to_owned();
    until(&format!("{what} has ended"), PATIENCE, async || {
        let run = town.relay.get(&format!("/api/runs/{id}")).await?;
        Ok((!run["finished_at"].is_null()).then_some(run))
    })
    .await
}

async fn decided(town: &Town, status: &str, count: usize) -> Result<Vec<Value>> {
    until(&format!("{count} drifts are {status}"), PATIENCE, async || {
        let drifts = town.relay.list(&format!("/api/drift?status={status}")).await?;
        Ok((drifts.len() >= count).then_some(drifts))
    })
    .await
}

#[tokio::test]
async fn a_second_import_changes_nothing_and_says_so() -> Result<()> {
    let town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let shop = &town.shop;
    for at in 0..12 {
        shop.add_product(&format!("RING-{at}"), "90.00", Some(at)).await?;
    }
    shop.add_variable("BAND", "30.00", None, &[("BAND-S", "S", Some(4)), ("BAND-L", "L", Some(2))])
        .await?;
    shop.add_product("", "5.00", Some(1)).await?;
    let order = shop.create_order(&[("RING-7", 2)]).await?;
    shop.pay(order).await?;

    let first = run(&town, "sync/products").await?;
    assert_eq!(first["failed"], 0, "{first}");
    town.opened(&["RING-0", "RING-7", "RING-11", "BAND-S", "BAND-L"]).await?;
    assert_eq!(town.relay.quantity("RING-7").await?, Some(5.0));

    // What the sale has changed in a product besides its stock.
    run(&town, "sync/products").await?;
    let second = run(&town, "sync/products").await?;
    assert_eq!((&second["synced"], &second["failed"]), (&json!(0), &json!(0)), "{second}");
    ensure!(second["unchanged"].as_i64() >= Some(14), "{second}");
    let reason = second["findings"][0]["reason"].as_str().unwrap_or_default();
    assert_eq!(reason, "it has no SKU");

    run(&town, "sync/orders").await?;
    let again = run(&town, "sync/orders").await?;
    assert_eq!((&again["synced"], &again["unchanged"]), (&json!(0), &json!(1)), "{again}");
    assert_eq!(town.relay.quantity("RING-7").await?, Some(5.0));
    Ok(())
}

#[tokio::test]
async fn an_edited_stock_is_pushed_back_or_adopted() -> Result<()> {
    let town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let shop = &town.shop;
    shop.add_product("RING", "90.00", Some(6)).await?;
    town.opened(&["RING"]).await?;

    shop.set_stock("RING", 9).await?;
    run(&town, "reconcile").await?;
    let pushed = decided(&town, "pushed", 1).await?;
    assert_eq!((&pushed[0]["expected"], &pushed[0]["found"]), (&json!("6"), &json!("9")));
    until("the shop has 6 again", PATIENCE, async || {
        Ok((shop.stock("RING").await? == Some(6.0)).then_some(()))
    })
    .await?;
    assert_eq!(town.relay.quantity("RING").await?, Some(6.0));

    let policy = json!({ "store": shop.url, "drift": "adopt" });
    town.relay.post("/api/integrations/woocommerce/policy", &policy).await?;
    shop.set_stock("RING", 4).await?;
    run(&town, "reconcile").await?;
    decided(&town, "adopted", 1).await?;
    assert_eq!(town.relay.quantity("RING").await?, Some(4.0));
    assert_eq!(shop.stock("RING").await?, Some(4.0));
    let movements = town.relay.movements("RING").await?;
    ensure!(movements.iter().any(|one| one.kind == "adjustment"), "no adjustment");
    Ok(())
}

#[tokio::test]
async fn nothing_empties_a_shop_without_a_persons_word() -> Result<()> {
    let town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let skus: Vec<String> = (0..12).map(|at| format!("RING-{at}")).collect();
    for sku in &skus {
        town.shop.add_product(sku, "90.00", Some(2)).await?;
    }
    let names: Vec<&str> = skus.iter().map(String::as_str).collect();
    town.opened(&names).await?;
    let policy = json!({ "store": town.shop.url, "drift": "adopt" });
    town.relay.post("/api/integrations/woocommerce/policy", &policy).await?;
    // As a spreadsheet gone wrong would: all at once.
    town.shop
        .php(
            "foreach ( wc_get_products( array( 'limit' => -1 ) ) as $p ) { \
             $p->set_stock_quantity( 0 ); $p->save(); } return 1;",
        )
        .await?;
    run(&town, "reconcile").await?;
    let held = decided(&town, "held", skus.len()).await?;
    for sku in &names {
        assert_eq!(town.relay.quantity(sku).await?, Some(2.0), "{sku}");
    }
    for drift in &held {
        let id = drift["id"].as_str().context("no id")?;
        let seen = json!({ "seen": drift["changes"] });
        town.relay.post(&format!("/api/drift/{id}/push"), &seen).await?;
    }
    let resume = json!({ "store": town.shop.url });
    town.relay.post("/api/integrations/woocommerce/resume", &resume).await?;
    for sku in &names {
        until(&format!("the shop has {sku} again"), PATIENCE, async || {
            Ok((town.shop.stock(sku).await? == Some(2.0)).then_some(()))
        })
        .await?;
    }
    Ok(())
}
