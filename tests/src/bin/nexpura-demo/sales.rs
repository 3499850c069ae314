//! The visitors of the demo's shop: each buys, and the sale is awaited in the ledger.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::{Movement, Relay, Sale},
    shop::{Shop, checkout::Payment},
    town::same_amount,
    wait,
};

use crate::catalogue;

/// What a visitor buys.
pub(crate) struct Visit {
    who: &'static str,
    email: &'static str,
    items: &'static [(&'static str, u32)],
    payment: Payment,
    pays: &'static str,
}

/// The visits, in their order.
pub(crate) const VISITS: &[Visit] = &[
    Visit {
        who: "Ada",
        email: "ada@buyers.example",
        items: &[("AUR-RING", 1)],
        payment: Payment::Card,
        pays: "by card",
    },
    Visit {
        who: "Grace",
        email: "grace@buyers.example",
        items: &[("LUN-EAR", 2), ("TID-PEND", 1)],
        payment: Payment::Transfer,
        pays: "by bank transfer",
    },
    Visit {
        who: "Edsger",
        email: "edsger@buyers.example",
        items: &[("MER-BAND-54", 2)],
        payment: Payment::Cash,
        pays: "on delivery",
    },
    Visit {
        who: "Barbara",
        email: "barbara@buyers.example",
        items: &[("HAL-BANG", 3), ("THR-CHAIN", 1), ("EMB-PEND", 1)],
        payment: Payment::Card,
        pays: "by card",
    },
];

/// How long a sale may take into the ledger before the demo has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until the ledger has taken the shop's opening count of each SKU.
pub(crate) async fn opening_counts(relay: &Relay, counted: &[(&str, i64)]) -> Result<()> {
    for (sku, stock) in counted {
        let what = format!("the ledger has {stock} of {sku}");
        wait::until(&what, Duration::from_secs(120), async || {
            let row = relay.stock_row(sku).await?;
            let open = row.is_some_and(|row| row.is_open() && row.units() == Some(*stock as f64));
            Ok(open.then_some(()))
        })
        .await
        .with_context(|| format!("the relay logged:\n{}", relay.log().unwrap_or_default()))?;
    }
    Ok(())
}

/// Each of these orders is one sale. Others may have been bought meanwhile: the shop is open.
pub(crate) async fn each_once(relay: &Relay, orders: &[u64]) -> Result<()> {
    let sales = relay.sales().await?;
    for order in orders {
        let count = sales.iter().filter(|sale| sale.external_id == order.to_string()).count();
        ensure!(count == 1, "order {order} is {count} sales in the ledger");
    }
    Ok(())
}

/// One visit; prints the sale, its movements and what remains, as they arrive. Gives the order's id.
pub(crate) async fn visit(
    shop: &Shop,
    relay: &Relay,
    ids: &[(String, u64)],
    visit: &Visit,
) -> Result<u64> {
    let mut cart = shop.cart().await?;
    visit.email.clone_into(&mut cart.email);
    for (sku, quantity) in visit.items {
        let (_, id) =
            ids.iter().find(|(known, _)| known == sku).with_context(|| format!("no {sku}"))?;
        cart.add(*id, *quantity).await?;
    }
    let what: Vec<String> = visit.items.iter().map(|(sku, n)| format!("{n} × {sku}")).collect();
    println!("\n  {} buys {}, pays {}", visit.who, what.join(", "), visit.pays);

    let began = Instant::now();
    let receipt = cart.buy(visit.payment).await?;
    let answered = Instant::now();
    let order = receipt.order_id;
    let what = format!("the sale of order {order} is in the ledger as {}", receipt.status);
    let sale = wait::until(&what, PATIENCE, async || {
        Ok(relay.sale(order).await?.filter(|sale| sale.status == receipt.status))
    })
    .await?;
    println!(
        "    order {order}: the checkout answered after {} ms, {} ms later the ledger had its sale:",
        (answered - began).as_millis(),
        answered.elapsed().as_millis()
    );
    println!("    {} {}, {}, {}", sale.currency, sale.total, sale.status, visit.who);
    for (sku, quantity) in visit.items {
        moved(shop, relay, order, sku, *quantity, answered).await?;
    }
    let theirs = shop.order(order).await?.total;
    ensure!(
        same_amount(&theirs, &sale.total),
        "order {order} is {theirs} in the shop and {} in the ledger",
        sale.total
    );
    Ok(order)
}

/// The movement of a SKU that this order made, and the stock that remains on both sides.
async fn moved(
    shop: &Shop,
    relay: &Relay,
    order: u64,
    sku: &str,
    quantity: u32,
    answered: Instant,
) -> Result<()> {
    if !catalogue::counted().iter().any(|(counted, _)| *counted == sku) {
        ensure!(relay.quantity(sku).await?.is_none(), "the ledger counts {sku}, the shop does not");
        println!("      {sku:<12}      made to order: its stock is unknown, not zero");
        return Ok(());
    }
    let movement = wait::until(&format!("the movement of {sku}"), PATIENCE, async || {
        let movements = relay.movements(sku).await?;
        Ok(movements.into_iter().find(|movement| came_from(movement, order)))
    })
    .await?;
    let elapsed = answered.elapsed().as_millis();
    let in_ledger = relay.quantity(sku).await?.with_context(|| format!("{sku} left the ledger"))?;
    let in_shop =
        shop.stock(sku).await?.with_context(|| format!("the shop stopped counting {sku}"))?;
    println!(
        "      {sku:<12} {:>3}  {}, {in_ledger} left; the shop has {in_shop}  ({elapsed} ms)",
        movement.quantity_change, movement.kind,
    );
    ensure!(
        movement.quantity_change.parse() == Ok(-f64::from(quantity)),
        "{quantity} of {sku} were sold, the movement says {}",
        movement.quantity_change
    );
    ensure!(in_ledger == in_shop, "{sku}: {in_ledger} in the ledger, {in_shop} in the shop");
    Ok(())
}

/// Shows further sales as they arrive and change, until it is dropped.
pub(crate) async fn watch(relay: &Relay) -> Result<()> {
    let mut known: HashMap<String, Sale> = HashMap::new();
    for sale in relay.sales().await? {
        known.insert(sale.external_id.clone(), sale);
    }
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        for sale in relay.sales().await? {
            if known.get(&sale.external_id) == Some(&sale) {
                continue;
            }
            println!("  order {}: {} {}, {}", sale.number, sale.currency, sale.total, sale.status);
            let full = relay.sale_in_full(&sale).await?;
            for line in full["lines"].as_array().into_iter().flatten() {
                let Some(sku) = line["sku"].as_str() else { continue };
                let left = relay.stock_row(sku).await?.and_then(|row| row.quantity);
                let left =
                    left.map_or_else(|| "not counted".to_owned(), |left| format!("{left} left"));
                println!("    {:>3} × {sku}, {left}", line["quantity"].as_str().unwrap_or("?"));
            }
            known.insert(sale.external_id.clone(), sale);
        }
    }
}

/// Whether a movement came from a shop's order.
fn came_from(movement: &Movement, order: u64) -> bool {
    let source = movement.source.as_ref();
    source.is_some_and(|source| {
        let id = &source["order_id"];
        id.as_u64() == Some(order) || id.as_str() == Some(order.to_string().as_str())
    })
}
