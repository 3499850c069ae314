//! A shop that has sold for years is brought over: afterwards the ledger has what the shop has, and once more is nothing new.

use std::{collections::BTreeMap, env, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use nexpura_tests::{
    relay::{Database, Relay},
    shop::{
        Shop,
        requests::{most_within, serving_time},
    },
    town::{Town, same_amount},
    wait::until,
};
use serde_json::{Value, json};

/// Requests a second that a store is asked at most.
const RATE: f64 = 5.0;
/// What a relay may take, in KiB.
const MEMORY: u64 = 64 * 1024;
/// How often is looked whether a long import has ended.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How much there is to bring over; variable products have three variations each.
#[derive(Debug, Clone, Copy)]
struct Size {
    simple: usize,
    variable: usize,
    customers: usize,
    orders: usize,
}

impl Size {
    fn stocks(self) -> usize {
        self.simple + 3 * self.variable
    }
}

pub(super) fn pairs(rows: &str) -> BTreeMap<String, String> {
    let both = |row: &str| row.split_once('\t').map(|(one, two)| (one.to_owned(), two.to_owned()));
    rows.lines().filter_map(both).collect()
}

/// Whether two tables have the same keys with the same amounts; else the first that differ.
pub(super) fn same(
    shop: &BTreeMap<String, String>,
    ledger: &BTreeMap<String, String>,
) -> Result<()> {
    let only = |one: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
        one.keys().find(|key| !other.contains_key(*key)).cloned()
    };
    ensure!(
        shop.keys().eq(ledger.keys()),
        "{} in the shop, {} known; only there {:?}, only here {:?}",
        shop.len(),
        ledger.len(),
        only(shop, ledger),
        only(ledger, shop)
    );
    for (key, amount) in shop {
        ensure!(same_amount(amount, &ledger[key]), "{key}: {amount} but {}", ledger[key]);
    }
    Ok(())
}

/// What the shop has of each SKU.
pub(super) fn stocks_in_shop(shop: &Shop) -> Result<BTreeMap<String, String>> {
    shop.sql(
        "SELECT l.sku, m.meta_value FROM wp_wc_product_meta_lookup l JOIN wp_postmeta m \
         ON m.post_id = l.product_id AND m.meta_key = '_stock' \
         WHERE l.sku <> '' AND l.stock_quantity IS NOT NULL",
    )
    .map(|rows| pairs(&rows))
}

/// What the ledger has of each SKU, once it has counted all of them.
pub(super) async fn stocks_in_ledger(relay: &Relay) -> Result<BTreeMap<String, String>> {
    let rows = relay.stock_rows().await?;
    let open = rows.into_iter().filter(|row| row.is_open());
    Ok(open.filter_map(|row| Some((row.sku?, row.quantity?))).collect())
}

/// What each order comes to in the shop, in micros of its currency, and what it is called.
const ORDERS_IN_SHOP: &str = "
    WITH orders AS (SELECT * FROM wp_wc_orders WHERE type = 'shop_order'),
    parts AS (SELECT o.*, d.shipping_total_amount AS post, d.shipping_tax_amount AS post_tax,
        d.discount_total_amount AS off
      FROM orders o JOIN wp_wc_order_operational_data d ON d.order_id = o.id),
    refunds AS (SELECT * FROM wp_wc_orders WHERE type = 'shop_order_refund')
    SELECT CONCAT(id, ' in all'), ROUND(total_amount * 1000000) FROM orders
    UNION ALL SELECT CONCAT(id, ' tax'), ROUND(tax_amount + post_tax, 2) * 1000000 FROM parts
    UNION ALL SELECT CONCAT(id, ' post'), ROUND(post, 2) * 1000000 FROM parts
    UNION ALL SELECT CONCAT(id, ' off'), ROUND(off, 2) * 1000000 FROM parts
    UNION ALL SELECT CONCAT(id, ' is ', REPLACE(status, 'wc-', '')), 1 FROM orders
    UNION ALL SELECT CONCAT(id, ' by ', LOWER(billing_email)), 1 FROM orders
    UNION ALL SELECT CONCAT(parent_order_id, ' back'), ROUND(-SUM(total_amount) * 1000000) FROM refunds
      GROUP BY parent_order_id
    UNION ALL SELECT CONCAT(parent_order_id, ' back by ', id), ROUND(-total_amount * 1000000) FROM refunds
    UNION ALL SELECT CONCAT(i.order_id, ' line ', i.order_item_id),
        (SELECT meta_value * 1000 FROM wp_woocommerce_order_itemmeta q
          WHERE q.order_item_id = i.order_item_id AND q.meta_key = '_qty')
      FROM wp_woocommerce_order_items i JOIN orders o ON o.id = i.order_id
      WHERE i.order_item_type = 'line_item'";

/// The same of the ledger's sales. Of shipping, fees and coupons it keeps each on its own as well.
const ORDERS_IN_LEDGER: &str = "
    SELECT external_id || ' in all', CAST(total AS TEXT) FROM sales
    UNION ALL SELECT external_id || ' tax', CAST(tax AS TEXT) FROM sales
    UNION ALL SELECT external_id || ' post', CAST(shipping AS TEXT) FROM sales
    UNION ALL SELECT external_id || ' off', CAST(discount AS TEXT) FROM sales
    UNION ALL SELECT external_id || ' is ' || status, '1' FROM sales
    UNION ALL SELECT external_id || ' by ' || email, '1' FROM sales
    UNION ALL SELECT external_id || ' back', CAST(refunded AS TEXT) FROM sales WHERE refunded <> 0
    UNION ALL SELECT s.external_id || ' back by ' || r.external_id, CAST(r.amount AS TEXT)
      FROM refunds r JOIN sales s ON s.tenant_id = r.tenant_id AND s.id = r.sale_id
    UNION ALL SELECT s.external_id || ' line ' || i.line_id, CAST(i.quantity AS TEXT)
      FROM sale_items i JOIN sales s ON s.tenant_id = i.tenant_id AND s.id = i.sale_id
      WHERE NOT i.gone";

/// Every order's money to the cent, what was paid back included, its status, its buyer and its lines.
fn orders_agree(town: &Town) -> Result<()> {
    let shop = pairs(&town.shop.sql(ORDERS_IN_SHOP)?);
    same(&shop, &pairs(&town.relay.rows(ORDERS_IN_LEDGER)?)).context("orders")?;
    // Parts make the whole, whatever the shop rounds.
    let apart = "SELECT COUNT(*) FROM sales s WHERE total <> shipping + fees + tax + rounding
        + (SELECT SUM(i.total) FROM sale_items i WHERE i.tenant_id = s.tenant_id AND i.sale_id = s.id AND NOT i.gone)";
    ensure!(town.relay.number(apart)? == 0, "parts of a sale do not make its total");
    Ok(())
}

/// Whoever has an account or bought without one is known once.
async fn customers_agree(town: &Town) -> Result<()> {
    let buyers = town.shop.sql(
        "SELECT LOWER(user_email), '1' FROM wp_users WHERE user_login LIKE 'buyer-%' \
         UNION SELECT LOWER(billing_email), '1' FROM wp_wc_orders WHERE type = 'shop_order'",
    )?;
    let known = town.relay.list("/api/customers").await?;
    let emails: Vec<_> = known.iter().filter_map(|one| one["email"].as_str()).collect();
    let once = emails.iter().map(|email| (email.to_lowercase(), "1".to_owned())).collect();
    same(&pairs(&buyers), &once).context("customers")?;
    ensure!(emails.len() == once.len(), "somebody is known twice");
    Ok(())
}

/// Every kind of order that a shop has is among those that were made.
fn is_various(shop: &Shop) -> Result<()> {
    for (what, count) in [
        (
            "statuses",
            "SELECT COUNT(DISTINCT status) >= 8 FROM wp_wc_orders WHERE type = 'shop_order'",
        ),
        (
            "a status of its own",
            "SELECT COUNT(*) > 0 FROM wp_wc_orders WHERE status = 'wc-shipped'",
        ),
        ("refunds", "SELECT COUNT(*) > 0 FROM wp_wc_orders WHERE type = 'shop_order_refund'"),
        (
            "guests",
            "SELECT COUNT(*) > 0 FROM wp_wc_orders WHERE customer_id = 0 AND type = 'shop_order'",
        ),
        ("taxes", "SELECT COUNT(*) > 0 FROM wp_wc_orders WHERE tax_amount > 0"),
        (
            "coupons",
            "SELECT COUNT(*) > 0 FROM wp_wc_order_operational_data WHERE discount_total_amount > 0",
        ),
        (
            "fees",
            "SELECT COUNT(*) > 0 FROM wp_woocommerce_order_items WHERE order_item_type = 'fee'",
        ),
    ] {
        ensure!(shop.sql(count)?.trim() == "1", "there are no {what} in the shop");
    }
    Ok(())
}

/// Asks for a run and waits for its report.
async fn run(town: &Town, what: &str) -> Result<Value> {
    let path = format!("/api/integrations/woocommerce/{what}");
    let begun = town.relay.post(&path, &json!({ "store": town.shop.url })).await?;
    let id = begun["run_id"].as_str().context("no run id")?.to_owned();
    until(&format!("{what} has ended"), Duration::from_secs(600), async || {
        tokio::time::sleep(LOOK_EVERY).await;
        let run = town.relay.get(&format!("/api/runs/{id}")).await?;
        Ok((!run["finished_at"].is_null()).then_some(run))
    })
    .await
}

async fn all_is_brought_over(size: Size, database: Database, within: Duration) -> Result<()> {
    let shop = Shop::builder().quiet().taxes("20", true).start().await?;
    let wish = json!({
        "simple": size.simple, "variable": size.variable,
        "customers": size.customers, "orders": size.orders, "real": true,
    });
    let seeded = shop.call_cli("seed", wish)?;
    println!("{size:?} made in {} s, to be brought over into {database:?}", seeded["seconds"]);
    is_various(&shop)?;
    let in_shop = stocks_in_shop(&shop)?;
    ensure!(in_shop.len() == size.stocks(), "{} stocks in the shop", in_shop.len());

    // What is asked after the import would be counted as part of it.
    let relay = Relay::start_with(database, &[("NEXPURA_SWEEP_SECONDS", "3600")]).await?;
    let town = Town::of(relay, shop).await?;
    until("every stock is counted", within, async || {
        tokio::time::sleep(LOOK_EVERY).await;
        Ok((stocks_in_ledger(&town.relay).await?.len() == in_shop.len()).then_some(()))
    })
    .await
    .with_context(|| town.relay.log().unwrap_or_default())?;
    let asked = town.shop.asked_by_relays()?;
    run(&town, "sync/customers").await?;
    run(&town, "sync/orders").await?;
    same(&in_shop, &stocks_in_ledger(&town.relay).await?).context("stocks")?;
    orders_agree(&town)?;
    customers_agree(&town).await?;

    let began = asked.first().context("nothing was asked")?.began_at();
    let ended = asked.last().context("nothing was asked")?.ended_at;
    let serving = serving_time(&asked, RATE);
    println!(
        "brought over in {:.1} s by {} requests, which take the shop {serving:.1} s at the allowed rate: {:.2}",
        ended - began,
        asked.len(),
        (ended - began) / serving
    );

    for what in ["sync/products", "sync/customers", "sync/orders"] {
        let again = run(&town, what).await?;
        assert_eq!((&again["synced"], &again["failed"]), (&json!(0), &json!(0)), "{what}: {again}");
        ensure!(again["unchanged"].as_u64() > Some(0), "{what}: {again}");
    }
    same(&in_shop, &stocks_in_ledger(&town.relay).await?).context("stocks, the second time")?;
    let asked = town.shop.asked_by_relays()?;
    let most = most_within(&asked, 1.0);
    let peak = town.relay.peak_memory()?;
    println!(
        "{} requests in all, at most {most} within a second; the relay took {peak} KiB",
        asked.len()
    );
    ensure!(peak <= MEMORY, "the relay took {peak} KiB");
    // Whether a store may be connected is asked at a pace of its own, once.
    ensure!(most <= 6, "{most} requests within a second");
    a_cent_is_noticed(&town)
}

/// What was compared is compared to the cent, refunds and the units of lines included.
fn a_cent_is_noticed(town: &Town) -> Result<()> {
    for (table, column, by, id) in [
        ("sales", "total", 10_000, "external_id"),
        ("sales", "refunded", 10_000, "external_id"),
        ("refunds", "amount", 10_000, "external_id"),
        ("sale_items", "quantity", 1_000, "line_id"),
    ] {
        let damage = |by: i64| {
            town.relay.execute(&format!(
                "UPDATE {table} SET {column} = {column} + {by} WHERE {id} = (SELECT MAX({id}) FROM {table})"
            ))
        };
        damage(by)?;
        ensure!(orders_agree(town).is_err(), "{column} of {table} is compared with nothing");
        damage(-by)?;
    }
    orders_agree(town)
}

#[tokio::test]
async fn more_than_a_page_of_everything_is_brought_over() -> Result<()> {
    on_woocommerce!();
    let size = Size { simple: 105, variable: 6, customers: 12, orders: 104 };
    all_is_brought_over(size, Database::Sqlite, Duration::from_secs(120)).await
}

/// `NEXPURA_SOAK_DATABASE`, `sqlite` or `postgres`, says which alone; without it both are tried, one after the other.
fn databases() -> Result<Vec<Database>> {
    Ok(match env::var("NEXPURA_SOAK_DATABASE").unwrap_or_default().as_str() {
        "" => vec![Database::Sqlite, Database::Postgres],
        "sqlite" => vec![Database::Sqlite],
        "postgres" => vec![Database::Postgres],
        other => bail!("NEXPURA_SOAK_DATABASE is sqlite or postgres, not {other}"),
    })
}

#[tokio::test]
#[ignore = "a campaign: make soak"]
async fn years_of_trade_are_brought_over() -> Result<()> {
    on_woocommerce!();
    let size = Size { simple: 1_800, variable: 200, customers: 500, orders: 2_000 };
    for database in databases()? {
        all_is_brought_over(size, database, Duration::from_secs(1_200)).await?;
    }
    Ok(())
}
