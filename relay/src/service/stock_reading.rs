//! What a shop shows of stocks, read many at a time.

use std::collections::{BTreeMap, btree_map::Entry};

use serde_json::Value;

use super::ingest::facts_of;
use crate::{
    channel::{
        ChannelError,
        woocommerce::{Client, Listing},
    },
    domain::{Product, ProductStock},
};

/// The products and variations that own these stocks, each given with its parent if it has one. What
/// the shop has deleted is nothing.
///
/// # Errors
/// See [`ChannelError`].
pub(super) async fn read(
    client: &Client,
    stocks: impl IntoIterator<Item = (i64, Option<i64>)>,
) -> Result<BTreeMap<i64, Option<Value>>, ChannelError> {
    let mut by_parent: BTreeMap<Option<u64>, Vec<u64>> = BTreeMap::new();
    for (stock_id, parent) in stocks {
        let parent = parent.and_then(|parent| u64::try_from(parent).ok());
        by_parent.entry(parent).or_default().extend(u64::try_from(stock_id).ok());
    }
    let mut found = BTreeMap::new();
    for (parent, ids) in by_parent {
        let listing = parent.map_or(Listing::Products, |parent| Listing::Variations { parent });
        for item in client.these(listing, &ids).await? {
            if let Some(id) = item.get("id").and_then(Value::as_i64) {
                found.insert(id, Some(item));
            }
        }
        for id in ids {
            let Ok(stock_id) = i64::try_from(id) else { continue };
            if let Entry::Vacant(untold) = found.entry(stock_id) {
                // It may lie in the trash, which no listing shows.
                untold.insert(client.product(id).await?);
            }
        }
    }
    Ok(found)
}

/// The stock that a product shows as its own, in thousandths.
pub(super) fn units(item: &Value) -> Option<i64> {
    let mut item = item.clone();
    let facts = facts_of(&mut item);
    let product = Product::read(&item, facts.as_ref()).ok()?;
    match product.stock {
        ProductStock::Own { quantity, .. } => quantity.map(|quantity| quantity.thousandths()),
        ProductStock::Parent | ProductStock::Unmanaged => None,
    }
}
