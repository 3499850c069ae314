//! Whose count holds where a shop brings a piece that the ledger has already: a person's word.

use chrono::{DateTime, Utc};
use nexpura_protocol::event::Resource;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Relay, Work,
    anew::{anew, may_be_store},
    decisions::links_waiting,
};
use crate::{
    domain::Quantity,
    store::{
        IntegrationId, StoreError, TenantId, audit, integrations, links, listings, page::Page,
        resources, runs, sale_items,
    },
};

/// Whose count holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// The ledger's: what the shop's settled reading differs by is pushed to the shop.
    Ledger,
    /// The shop's: its settled reading becomes the ledger's count, as a stocktake.
    Shop,
}

impl Holds {
    /// The word in the API and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Shop => "shop",
        }
    }
}

/// A listing that waits for a choice.
#[derive(Debug, Serialize)]
pub struct Link {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The store's address.
    pub store: String,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// The SKU that both sides have.
    pub sku: String,
    /// What the shop calls it.
    pub name: String,
    /// What the ledger calls it.
    pub piece: String,
    /// The ledger's count; nothing where it has none.
    pub ledger: Option<Quantity>,
    /// What the shop last showed. It is read anew, twice, before it counts.
    pub shop: Option<Quantity>,
    /// When the shop showed that.
    pub shop_seen_at: Option<DateTime<Utc>>,
    /// What the shop has sold since, net of what came back. It comes off the ledger's count if that holds.
    pub sold_since: Quantity,
    /// What the ledger's count ends at if it holds; nothing where it has none.
    pub ledger_ends_at: Option<Quantity>,
}

impl Link {
    /// Whether more came back to the shop than it has sold since.
    #[must_use]
    pub fn comes_back(&self) -> bool {
        self.sold_since.thousandths() < 0
    }
}

/// What waits, that of one store if it is given.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(
    relay: &Relay,
    tenant: TenantId,
    store: Option<IntegrationId>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Page<Link>, StoreError> {
    let mut tx = relay.db.read().await?;
    let rows = links::waiting(&mut tx, tenant, store, after, limit).await?;
    tx.commit().await?;
    Ok(rows.map(|row| Link {
        id: row.id,
        store: row.store,
        stock_id: row.stock_id,
        sku: row.sku,
        name: row.name,
        piece: row.piece,
        ledger: row.counted.then(|| Quantity::from_thousandths(row.quantity)),
        sold_since: Quantity::from_thousandths(row.sold),
        ledger_ends_at: row.counted.then(|| Quantity::from_thousandths(row.quantity - row.sold)),
        shop: row.reading.map(Quantity::from_thousandths),
        shop_seen_at: row.reading_at,
    }))
}

/// What is chosen for.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    /// One listing.
    One(Uuid),
    /// All that waits in a store.
    OfStore(IntegrationId),
    /// All that waits.
    All,
}

/// What a choice led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Chosen {
    /// Listings that are linked, and open at their next settled reading.
    pub chosen: u64,
    /// Listings that still wait: their piece is sold by another product of the same store, or the ledger has
    /// no count of it that could hold.
    pub left: i64,
}

/// What choosing alike for all that waits would come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alike {
    /// Listings that would be linked.
    pub linked: i64,
    /// Of how many the side that does not hold has some, and would have none left.
    pub emptied: i64,
    /// Listings that would still wait, as of [`Chosen`].
    pub left: i64,
}

/// What [`choose`] for all that waits would come to, by what is known now: nothing is read anew for it.
///
/// # Errors
/// When the database does not answer.
pub async fn alike(relay: &Relay, tenant: TenantId, holds: Holds) -> Result<Alike, StoreError> {
    let mut tx = relay.db.read().await?;
    let (linked, emptied) = links::alike(&mut tx, tenant, holds.as_str()).await?;
    let waiting = links_waiting(&mut tx, tenant).await?;
    tx.commit().await?;
    Ok(Alike { linked, emptied, left: waiting - linked })
}

/// Why nothing was chosen.
#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    /// It does not wait.
    #[error("nothing with this id waits for a choice")]
    Unknown,
    /// It waits, and has to go on waiting.
    #[error(
        "this cannot be linked so: either another product of the same store sells the piece already (give one of them another SKU), or the ledger has no count of it yet that could hold (let the shop's hold)"
    )]
    Unfit,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

may_be_store!(ChooseError);

/// Links what waited to its piece. Nothing is counted yet: that is for the settled reading which follows.
///
/// # Errors
/// See [`ChooseError`].
pub async fn choose(
    relay: &Relay,
    tenant: TenantId,
    which: Which,
    holds: Holds,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Chosen, ChooseError> {
    let chosen = anew(|| link(relay, tenant, which, holds, actor, now)).await?;
    relay.wake.of(Work::Fetch).notify_one();
    relay.wake.of(Work::Sweep).notify_one();
    Ok(chosen)
}

async fn link(
    relay: &Relay,
    tenant: TenantId,
    which: Which,
    holds: Holds,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Chosen, ChooseError> {
    let one = if let Which::One(id) = which { Some(id) } else { None };
    let mut done = Chosen { chosen: 0, left: 0 };
    let mut tx = relay.db.write().await?;
    let stores = match which {
        Which::OfStore(store) => vec![store],
        Which::One(_) | Which::All => links::stores_waiting(&mut tx, tenant, one).await?,
    };
    if one.is_some() && stores.is_empty() {
        return Err(ChooseError::Unknown);
    }
    for store in stores {
        let Some(held) = integrations::lock(&mut tx, tenant, store).await? else { continue };
        let pieces = links::link(&mut tx, tenant, store, one, holds.as_str(), now).await?;
        let linked = pieces.len() as u64;
        done.chosen += linked;
        done.left += links::count_waiting(&mut tx, tenant, store, one).await?;
        if linked > 0 {
            // Whoever had the piece before, under another SKU or in the trash, is looked at anew.
            for stock_id in listings::release(&mut tx, tenant, store, &pieces, now).await? {
                let (integration, resource) = (store, Resource::Product.as_str());
                let key = resources::Key { tenant, integration, resource, remote_id: stock_id };
                resources::want(&mut tx, key, now).await?;
                sale_items::made_sure(&mut tx, tenant, store, stock_id).await?;
            }
            runs::ask(&mut tx, tenant, store, "sweep", &json!({}), false, now).await?;
            let action = format!("links.{}_holds", holds.as_str());
            let subject = match one {
                Some(id) => format!("{} {id}", held.store_url),
                None => format!("{} {linked}", held.store_url),
            };
            audit::record(&mut tx, tenant, actor, &action, &subject, now).await?;
        }
    }
    if one.is_some() && done.chosen == 0 {
        return Err(if done.left == 0 { ChooseError::Unknown } else { ChooseError::Unfit });
    }
    tx.commit().await?;
    Ok(done)
}
