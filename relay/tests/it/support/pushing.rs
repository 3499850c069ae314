//! Stock that goes back: what moves it here, and what comes of it in the shop.

use chrono::{TimeDelta, Utc};
use nexpura_relay::{
    domain::Sku,
    service::{
        adjust::{self, Kind},
        push_stock,
    },
    store,
};
use serde_json::json;
use uuid::Uuid;

use super::{connected::Connected, database};

/// Moves a piece by hand.
pub(crate) async fn adjust(shop: &Connected, sku: &str, change: &str) {
    let request = adjust::Request {
        kind: Kind::Adjustment,
        quantity_change: json!(change),
        notes: "by hand".to_owned(),
    };
    let sku = Sku::parse(sku).unwrap();
    adjust::adjust(&shop.relay, shop.tenant, Uuid::new_v4(), &sku, &request, store::now())
        .await
        .unwrap();
}

/// Pushes what waits, whenever its next try would be; gives how many pushes were in hand.
pub(crate) async fn push(shop: &Connected) -> usize {
    let ago = database::moment(&shop.relay.db, Utc::now() - TimeDelta::seconds(1));
    let sql = format!("UPDATE stock_pushes SET due_at = {ago} WHERE status = 'open'");
    database::run(&shop.relay.db, &sql).await;
    push_stock::push_due(&shop.relay, shop.tenant, shop.integration).await.unwrap()
}

/// What the shop has of a stock.
pub(crate) fn units(shop: &Connected, stock: u64) -> i64 {
    shop.fake.shop().units(stock).unwrap()
}
