//! What pushing a store's inventory would change, before it is done. A stock that has to be read before anything is
//! pushed is none of it.

use serde::Serialize;
use uuid::Uuid;

use super::super::Relay;
use crate::{
    domain::Quantity,
    store::{
        IntegrationId, StoreError, TenantId,
        listings::{self, Differing},
        page::{MAX_LIMIT, Page, read_id},
    },
};

/// A change that a push would make.
#[derive(Debug, Serialize)]
pub struct Change {
    /// The piece's SKU.
    pub sku: String,
    /// Its name; for people only.
    #[serde(skip)]
    pub name: String,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// What the shop has, by all that the ledger knows.
    pub shop: Quantity,
    /// What the ledger has.
    pub ledger: Quantity,
}

impl From<Differing> for Change {
    fn from(row: Differing) -> Self {
        Self {
            sku: row.sku,
            name: row.name,
            stock_id: row.stock_id,
            shop: Quantity::from_thousandths(row.mirror),
            ledger: Quantity::from_thousandths(row.quantity),
        }
    }
}

/// One page of it, what was asked for last first. `after` is the `next` of the page before; one that was tampered with
/// begins anew.
///
/// # Errors
/// When the database does not answer.
pub async fn changes(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    after: &str,
    limit: i64,
) -> Result<Page<Change>, StoreError> {
    let before = read_id(after).unwrap_or(Uuid::max());
    let mut tx = relay.db.read().await?;
    let rows = listings::untold(&mut tx, tenant, integration, before, limit + 1).await?;
    tx.commit().await?;
    Ok(Page::cut(rows, limit, |row: &Differing| row.push.to_string()).map(Change::from))
}

/// How many changes it is, as far as `at_most`.
///
/// # Errors
/// When the database does not answer.
pub async fn count_changes(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    at_most: i64,
) -> Result<i64, StoreError> {
    let mut tx = relay.db.read().await?;
    let count = listings::count_untold(&mut tx, tenant, integration, at_most).await?;
    tx.commit().await?;
    Ok(count)
}

/// All of it, by SKU.
///
/// # Errors
/// When the database does not answer.
pub async fn dry_run(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<Vec<Change>, StoreError> {
    let (mut all, mut after) = (Vec::new(), Some(String::new()));
    while let Some(from) = after {
        let page = changes(relay, tenant, integration, &from, MAX_LIMIT).await?;
        all.extend(page.items);
        after = page.next;
    }
    all.sort_unstable_by(|one: &Change, other| one.sku.cmp(&other.sku));
    Ok(all)
}
