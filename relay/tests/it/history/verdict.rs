//! Whether the ledger says what the shop is.

use std::collections::BTreeMap;

use super::world::World;
use crate::{
    shop::{Order, Shop, Stock},
    support::database::{self, NONE},
};

/// Everything in which they differ.
pub(super) async fn differences(world: &World) -> Vec<String> {
    let shop = world.shop.fake.shop().clone();
    let mut found = stocks(world, &shop).await;
    found.extend(sales(world, &shop).await);
    found.extend(waiting(world).await);
    found.extend(forgotten(world).await);
    found
}

/// Whatever differs has a push, unless it is read first.
async fn forgotten(world: &World) -> Vec<String> {
    let sql = format!(
        "SELECT CAST(l.stock_id AS TEXT) FROM listings l
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE l.{} AND l.state = 'open' AND v.counted AND v.quantity <> l.mirror AND l.doubted_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM stock_pushes p
             WHERE p.tenant_id = l.tenant_id AND p.listing_id = l.id AND p.status = 'open')",
        world.shop.of_tenant()
    );
    let rows = database::texts(&world.shop.relay.db, &sql).await;
    rows.into_iter()
        .map(|row| format!("stock {} differs and is pushed to nobody", row[0]))
        .collect()
}

async fn stocks(world: &World, shop: &Shop) -> Vec<String> {
    let mut found = Vec::new();
    let listings = world.shop.listings().await;
    let of_tenant = world.shop.of_tenant();
    let sums = format!(
        "SELECT i.quantity, CAST(COALESCE((SELECT SUM(m.quantity_change) FROM stock_movements m
            WHERE m.tenant_id = i.tenant_id AND m.inventory_id = i.id), 0) AS BIGINT)
         FROM inventory i WHERE i.{of_tenant}"
    );
    for row in database::numbers(&world.shop.relay.db, &sums).await {
        if row[0] != row[1] {
            found.push(format!("quantity {} is not the sum of its movements {}", row[0], row[1]));
        }
    }
    for product in shop.products.values() {
        let (Stock::Own(units), Some(_)) = (product.stock, &product.sku) else { continue };
        let id = i64::try_from(product.id).unwrap();
        let edits = |at: &BTreeMap<u64, i64>| at.get(&product.id).copied().unwrap_or(0);
        let since = edits(&shop.edits) - edits(&shop.edits_at_reading);
        let wanted = (units - since) * 1_000;
        match listings.iter().find(|(stock, ..)| *stock == id) {
            // The ledger's number counts. The mirror has what the shop was found to have, if it was.
            Some((_, state, mirror, quantity))
                if state == "open"
                    && *quantity == wanted
                    && (*mirror == wanted || since != 0 || edits(&shop.edits) != 0) => {}
            other => found.push(format!(
                "stock {id}: the shop has {units} ({since} of it by hand), the ledger {other:?}"
            )),
        }
    }
    found
}

async fn sales(world: &World, shop: &Shop) -> Vec<String> {
    let (db, mine) = (&world.shop.relay.db, world.shop.mine());
    let mut found = Vec::new();
    let sql = format!(
        "SELECT CAST(external_id AS TEXT), status, CAST(total AS TEXT), CAST(rounding AS TEXT),
            CASE WHEN gone THEN 'gone' ELSE '' END
         FROM sales WHERE {mine} ORDER BY external_id"
    );
    let mut sales: BTreeMap<u64, Vec<String>> = database::texts(db, &sql)
        .await
        .into_iter()
        .map(|row| (row[0].parse().unwrap(), row))
        .collect();
    let sql = format!(
        "SELECT s.external_id, l.line_id, l.quantity, l.desired, l.posted,
            CAST(CASE WHEN l.gone THEN 1 ELSE 0 END AS BIGINT), l.total, l.stock_id
         FROM sale_items l JOIN sales s ON s.tenant_id = l.tenant_id AND s.id = l.sale_id
         WHERE s.{} AND s.integration_id = {}",
        world.shop.of_tenant(),
        database::key(db, world.shop.integration)
    );
    let mut lines: BTreeMap<u64, Vec<Vec<i64>>> = BTreeMap::new();
    for row in database::numbers(db, &sql).await {
        lines.entry(u64::try_from(row[0]).unwrap()).or_default().push(row);
    }
    let there = shop.orders.values().map(|order| (order, false));
    let deleted = shop.deleted.values().map(|order| (order, true));
    for (order, deleted) in there.chain(deleted) {
        if order.status == "checkout-draft" {
            continue;
        }
        let gone = if deleted || order.status == "trash" { "gone" } else { "" };
        let wanted = vec![
            order.id.to_string(),
            order.status.clone(),
            order.total().to_string(),
            (order.total() - order.lines_sum()).to_string(),
            gone.to_owned(),
        ];
        let sale = sales.remove(&order.id);
        if sale.as_ref() != Some(&wanted) {
            found.push(format!("the order is {wanted:?}, its sale {sale:?}"));
        }
        let rows = lines.remove(&order.id).unwrap_or_default();
        found.extend(compare_lines(shop, order, &rows));
    }
    if !sales.is_empty() {
        found.push(format!("sales without an order: {sales:?}"));
    }
    found
}

fn compare_lines(shop: &Shop, order: &Order, rows: &[Vec<i64>]) -> Vec<String> {
    let mut found = Vec::new();
    for line in &order.lines {
        let id = i64::try_from(line.id).unwrap();
        let Some(row) = rows.iter().find(|row| row[1] == id) else {
            found.push(format!("order {} lacks line {id}", order.id));
            continue;
        };
        let [quantity, desired, posted, gone, total, stock] = row[2..] else { continue };
        let sold = (line.quantity * 1_000, line.total());
        if gone != 0 || (quantity, total) != sold {
            found.push(format!("order {}, line {id}: {row:?}, not {line:?}", order.id));
        }
        if !shop.managed(line.product) {
            // Without the plugin nobody tells that, but its listing is not open either.
            continue;
        }
        if desired != line.reduced.unwrap_or(0) * 1_000 {
            found.push(format!("order {}, line {id} wants {desired}, not {line:?}", order.id));
        }
        let has_piece = shop.products[&shop.owner(line.product).unwrap()].sku.is_some();
        if has_piece && posted != desired {
            found.push(format!("order {}, line {id} posted {posted} of {desired}", order.id));
        }
        if stock == NONE {
            found.push(format!("order {}, line {id} has no stock owner", order.id));
        }
    }
    for row in rows
        .iter()
        .filter(|row| order.lines.iter().all(|line| i64::try_from(line.id).unwrap() != row[1]))
    {
        let [desired, posted, gone] = row[3..6] else { continue };
        if gone != 1 || desired != 0 || posted != 0 {
            found.push(format!("order {}: a removed line is {row:?}", order.id));
        }
    }
    found
}

async fn waiting(world: &World) -> Vec<String> {
    let sql = format!(
        "SELECT topic, status, detail FROM inbox WHERE status IN ('queued', 'failed') AND {}",
        world.shop.mine()
    );
    let rows = database::texts(&world.shop.relay.db, &sql).await;
    rows.into_iter().map(|row| format!("an event waits: {row:?}")).collect()
}
