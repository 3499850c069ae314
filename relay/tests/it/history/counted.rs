//! A shop whose stocks are counted already: the rows that its opening leaves, written at once.

use nexpura_relay::store::{self, inventory, listings, movements, products, runs};
use serde_json::json;

use crate::{shop::Stock, support::connected::Connected};

/// Counts every stock of a shop that has no orders yet, as its settled reading would.
pub(super) async fn at_once(shop: &Connected) {
    let now = store::now();
    let (tenant, integration) = (shop.tenant, shop.integration);
    let catalogue: Vec<_> = shop.fake.shop().products.values().cloned().collect();
    let mut tx = shop.relay.db.write().await.unwrap();
    for product in catalogue {
        let id = i64::try_from(product.id).unwrap();
        let owner = shop.fake.shop().owner(product.id).unwrap();
        let known = products::Known {
            remote_id: id,
            parent_id: product.parent.map(|parent| i64::try_from(parent).unwrap()),
            stock_id: i64::try_from(owner).unwrap(),
            kind: product.kind,
            has_variations: product.kind == "variable",
            sku: product.sku.as_deref(),
            name: &product.name,
            status: "publish",
        };
        products::upsert(&mut tx, tenant, integration, &known, now).await.unwrap();
        let (Stock::Own(units), Some(sku)) = (product.stock, &product.sku) else { continue };
        let piece = inventory::Described {
            sku,
            name: &product.name,
            backorders: false,
            price: None,
            image: None,
            details: &json!({}),
        };
        let inventory_id = store::new_id();
        inventory::insert(&mut tx, tenant, inventory_id, &piece, integration, now).await.unwrap();
        let standing = listings::Standing {
            inventory_id: Some(inventory_id),
            state: "opening",
            reason: None,
            backorders: false,
        };
        listings::insert(&mut tx, tenant, integration, id, &standing, now).await.unwrap();
        inventory::mark_counted(&mut tx, tenant, inventory_id).await.unwrap();
        let count = movements::Movement {
            inventory_id,
            kind: "stocktake",
            change: units * 1_000,
            integration_id: Some(integration),
            ..movements::Movement::default()
        };
        movements::post(&mut tx, tenant, &count, now).await.unwrap();
        let listing = listings::lock(&mut tx, tenant, integration, id).await.unwrap().unwrap();
        listings::open(&mut tx, tenant, listing.id, units * 1_000, now).await.unwrap();
    }
    let cursor = json!({});
    runs::ask(&mut tx, tenant, integration, "sweep", &cursor, false, now).await.unwrap();
    tx.commit().await.unwrap();
}
