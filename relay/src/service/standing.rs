//! A shop asks how its own orders and products stand in the ledger, and for one to be read again.

use chrono::{DateTime, Utc};
use nexpura_protocol::{Resource, Verdict};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::{Relay, Work};
use crate::{
    domain::Quantity,
    store::{
        IntegrationId, StoreError, TenantId, Tx, inbox, keys,
        resources::{self, Key},
        standing,
    },
};

/// Orders and products that may be asked for together: one page of WooCommerce's lists, and more.
pub const MAX_IDS: usize = 100;

/// Which orders and products a shop asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// WooCommerce's ids of orders.
    pub orders: Vec<u64>,
    /// WooCommerce's ids of products and variations.
    pub products: Vec<u64>,
}

/// How things stand.
#[derive(Debug, Serialize)]
pub struct Told {
    /// The store itself.
    pub store: Store,
    /// One for each order that was asked for.
    pub orders: Vec<Order>,
    /// One for each product that was asked for.
    pub products: Vec<Product>,
}

/// How the store stands.
#[derive(Debug, Serialize)]
pub struct Store {
    /// `connected`, `disconnected` or `error`.
    pub status: String,
    /// Why, for people.
    pub detail: Option<String>,
    /// `extension`, `webhooks` or `sweep`.
    pub mode: String,
    /// When it was last joined with the ledger.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// Where people look at the ledger.
    pub panel_url: Option<String>,
}

/// How far a thing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All that is known of it is in the ledger.
    InLedger,
    /// Something is known of it that is not in the ledger yet.
    Waiting,
    /// It could not be brought into the ledger; it is tried again.
    Failed,
    /// It was never heard of.
    Unknown,
}

/// How an order stands.
#[derive(Debug, Serialize)]
pub struct Order {
    /// WooCommerce's id.
    pub id: u64,
    /// How far it has come.
    pub state: State,
    /// The sale's page.
    pub sale_url: Option<String>,
    /// Why it failed, for people.
    pub detail: Option<String>,
}

/// How a product stands.
#[derive(Debug, Serialize)]
pub struct Product {
    /// WooCommerce's id.
    pub id: u64,
    /// How far it has come.
    pub state: State,
    /// The state of the stock that it draws on: `opening`, `open`, `unmanaged`, `waiting`, `skipped`
    /// or `missing`.
    pub listing: Option<String>,
    /// The SKU of the piece that it is linked to.
    pub sku: Option<String>,
    /// What the ledger has of it.
    pub quantity: Option<Quantity>,
    /// What the shop has not been told yet.
    pub to_push: Option<Quantity>,
    /// When the last push was acknowledged.
    pub pushed_at: Option<DateTime<Utc>>,
    /// What it added.
    pub pushed: Option<Quantity>,
    /// The piece's page.
    pub piece_url: Option<String>,
    /// Why it failed, or why its stock is not counted, for people.
    pub detail: Option<String>,
}

/// Why a shop was not told.
#[derive(Debug, thiserror::Error)]
pub enum StandingError {
    /// More than can be asked for at once.
    #[error("at most {MAX_IDS} orders and {MAX_IDS} products can be asked for at once")]
    TooMany,
    /// The store is not there any more.
    #[error("this connection is not registered with a store yet: register with /v1/connect first")]
    Unregistered,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a store and some of its orders and products stand.
///
/// # Errors
/// See [`StandingError`].
pub async fn tell(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    asked: &Asked,
) -> Result<Told, StandingError> {
    if asked.orders.len() > MAX_IDS || asked.products.len() > MAX_IDS {
        return Err(StandingError::TooMany);
    }
    let panel = relay.config.reachable_at().ok();
    let mut tx = relay.db.read().await?;
    let stores = keys::list(&mut tx, tenant).await?;
    let store = stores.into_iter().find(|store| store.id == integration);
    let store = store.ok_or(StandingError::Unregistered)?;
    let mut told = Told {
        store: Store {
            status: store.status,
            detail: store.halted.or(store.reason),
            mode: store.mode,
            last_sync_at: store.last_sync_at,
            panel_url: panel.as_ref().map(|panel| page(panel, &[])),
        },
        orders: Vec::with_capacity(asked.orders.len()),
        products: Vec::with_capacity(asked.products.len()),
    };
    for id in &asked.orders {
        told.orders.push(order(&mut tx, tenant, integration, *id, panel.as_ref()).await?);
    }
    for id in &asked.products {
        told.products.push(product(&mut tx, tenant, integration, *id, panel.as_ref()).await?);
    }
    tx.commit().await?;
    Ok(told)
}

/// Puts a thing forward to be fetched at once: the shop is asked how it stands now.
///
/// # Errors
/// When the database does not answer.
pub async fn again(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    (resource, id): (Resource, u64),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let remote_id = i64::try_from(id).unwrap_or(i64::MAX);
    let key = Key { tenant, integration, resource: resource.as_str(), remote_id };
    let mut tx = relay.db.write().await?;
    // As if something had arrived: a fetch that is under way may have read the shop before this.
    resources::arrive(&mut tx, key, now).await?;
    resources::want(&mut tx, key, now).await?;
    let (status, why) = (Verdict::Queued, Some("to be tried again"));
    inbox::settle_waiting(&mut tx, tenant, integration, key.resource, remote_id, status, why)
        .await?;
    tx.commit().await?;
    relay.wake.of(Work::Fetch).notify_one();
    Ok(())
}

async fn order(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    id: u64,
    panel: Option<&Url>,
) -> Result<Order, StoreError> {
    let remote_id = i64::try_from(id).unwrap_or(i64::MAX);
    let key = Key { tenant, integration, resource: Resource::Order.as_str(), remote_id };
    let sale = standing::sale(tx, key).await?;
    let (state, detail) = state(tx, key, sale.is_some()).await?;
    let to_page = |sale: Uuid| Some(page(panel?, &["sales", &sale.to_string()]));
    Ok(Order { id, state, sale_url: sale.and_then(to_page), detail })
}

async fn product(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    id: u64,
    panel: Option<&Url>,
) -> Result<Product, StoreError> {
    let remote_id = i64::try_from(id).unwrap_or(i64::MAX);
    let key = Key { tenant, integration, resource: Resource::Product.as_str(), remote_id };
    let stock = standing::stock(tx, key).await?;
    let (state, failure) = state(tx, key, stock.is_some()).await?;
    let listing = stock.as_ref().and_then(|stock| stock.listing_id);
    let push = match listing {
        Some(listing) => standing::last_push(tx, tenant, listing).await?,
        None => None,
    };
    let quantity = stock.as_ref().and_then(|stock| stock.quantity);
    let mirror = stock.as_ref().and_then(|stock| stock.mirror);
    let owed = quantity.zip(mirror).map(|(quantity, mirror)| quantity - mirror);
    let sku = stock.as_ref().and_then(|stock| stock.sku.clone());
    Ok(Product {
        id,
        state,
        listing: stock.as_ref().and_then(|stock| stock.state.clone()),
        quantity: quantity.map(Quantity::from_thousandths),
        to_push: owed.filter(|owed| *owed != 0).map(Quantity::from_thousandths),
        pushed: push.as_ref().and_then(|push| push.delta).map(Quantity::from_thousandths),
        pushed_at: push.and_then(|push| push.finished_at),
        piece_url: sku.as_deref().and_then(|sku| Some(page(panel?, &["inventory", sku]))),
        detail: failure.or(stock.and_then(|stock| stock.reason)),
        sku,
    })
}

/// How far a thing has come: what failed and was not overtaken counts before what waits.
async fn state(
    tx: &mut Tx,
    key: Key<'_>,
    is_kept: bool,
) -> Result<(State, Option<String>), StoreError> {
    let Some(heard) = standing::heard(tx, key).await? else {
        return Ok((if is_kept { State::InLedger } else { State::Unknown }, None));
    };
    if let Some(reason) = standing::failure(tx, key, heard.rev).await? {
        return Ok((State::Failed, Some(reason)));
    }
    let state = match (heard.heard_at, is_kept) {
        (Some(_), _) => State::Waiting,
        (None, true) => State::InLedger,
        (None, false) => State::Unknown,
    };
    Ok((state, None))
}

/// A page of the panel; what stands in its address is escaped.
fn page(panel: &Url, parts: &[&str]) -> String {
    let mut url = panel.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().extend(parts);
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_stands_below_the_public_address_and_its_parts_are_escaped() {
        let page = |panel: &str, parts: &[&str]| page(&Url::parse(panel).unwrap(), parts);
        assert_eq!(page("https://a.example", &["sales", "1"]), "https://a.example/sales/1");
        assert_eq!(
            page("https://a.example", &["inventory", "A/B <script>?"]),
            "https://a.example/inventory/A%2FB%20%3Cscript%3E%3F"
        );
    }
}
