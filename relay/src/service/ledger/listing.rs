//! Which piece a stock owner of a shop sells, and whether its lines may post.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::{ApplyError, Source};
use crate::{
    domain::{Details, Product, ProductStock},
    store::{
        StoreError, Tx, drifts, integrations, inventory, links,
        listings::{self, Listing, Standing},
        new_id, products, resources, runs, sale_items,
    },
};

/// Why a listing waits for a person.
pub const EXISTS_ALREADY: &str = "a piece of this SKU exists already: choose whose count holds";
/// New pieces that one store may bring within an hour.
const MAX_NEW_PIECES_AN_HOUR: i64 = 20_000;

/// Asks for a product that an order speaks of but nobody has told us about.
pub(super) async fn want_product(
    tx: &mut Tx,
    source: &Source,
    remote_id: i64,
) -> Result<(), ApplyError> {
    let key = resources::Key {
        tenant: source.tenant,
        integration: source.integration,
        resource: "product",
        remote_id,
    };
    Ok(resources::want(tx, key, source.now).await?)
}

/// The listing of a stock owner; where there is none yet, its product is asked for.
pub(super) async fn ensure_known(
    tx: &mut Tx,
    source: &Source,
    stock_id: i64,
) -> Result<Option<Listing>, ApplyError> {
    let (tenant, integration) = (source.tenant, source.integration);
    let listing = listings::lock(tx, tenant, integration, stock_id).await?;
    if listing.is_none()
        && products::stock_owner(tx, tenant, integration, stock_id).await?.is_none()
    {
        want_product(tx, source, stock_id).await?;
    }
    Ok(listing)
}

/// Brings the listing of a product that owns its stock to what the shop says of it.
pub(super) async fn follow(
    tx: &mut Tx,
    source: &Source,
    product: &Product,
    stock_id: i64,
) -> Result<(), ApplyError> {
    let (tenant, integration) = (source.tenant, source.integration);
    let listing = listings::lock(tx, tenant, integration, stock_id).await?;
    let (managed, backorders) = match product.stock {
        ProductStock::Own { backorders, .. } => (true, backorders),
        ProductStock::Unmanaged => (false, false),
        ProductStock::Parent => {
            return let_go(tx, source, listing, "its stock is kept by its parent").await;
        }
    };
    if !managed && is_container(product) {
        return let_go(tx, source, listing, "it is a container of other products").await;
    }
    let linked = listing.as_ref().and_then(|listing| listing.inventory_id);
    let let_go_of = match linked {
        Some(id) if now_of_another(tx, source, product, id).await? => {
            Some(inventory::sku_of(tx, tenant, id).await?)
        }
        _ => None,
    };
    let piece = match linked {
        Some(id) if let_go_of.is_none() => Ok(id),
        _ => choose_piece(tx, source, product, stock_id, backorders).await?,
    };
    let standing = match piece {
        Ok(id) => {
            describe(tx, source, product, id, backorders).await?;
            let state = if managed { "opening" } else { "unmanaged" };
            let reason = (!managed).then_some("the shop does not manage its stock");
            Standing { inventory_id: Some(id), state, reason, backorders }
        }
        Err((state, reason)) => {
            Standing { inventory_id: None, state, reason: Some(reason), backorders }
        }
    };
    let opened = match listing {
        None => {
            listings::insert(tx, tenant, integration, stock_id, &standing, source.now).await?;
            true
        }
        Some(listing) if listing.state == "open" && standing.state == "opening" => {
            listings::set_backorders(tx, tenant, listing.id, backorders).await?;
            overtake(tx, source, listing.id, &product.stock).await?;
            false
        }
        Some(listing) if listing.state != standing.state => {
            if listing.unsure_at.is_some() && listing.inventory_id != standing.inventory_id {
                // What may have left the one piece has not left the other.
                sale_items::made_sure(tx, tenant, integration, stock_id).await?;
                listings::made_sure(tx, tenant, listing.id).await?;
            }
            listings::restate(tx, tenant, listing.id, &standing, source.now).await?;
            true
        }
        Some(_) => false,
    };
    if let Some(sku) = let_go_of {
        // Whoever was one too many for the piece that it has let go of is so no more.
        waken(tx, source, &sku).await?;
    }
    if opened && standing.state == "opening" {
        ask_for_reading(tx, source).await?;
    }
    if let ("waiting", ProductStock::Own { quantity: Some(quantity), .. }) =
        (standing.state, &product.stock)
    {
        let quantity = quantity.thousandths();
        links::seen(tx, tenant, integration, stock_id, quantity, source.now).await?;
    }
    if opened && standing.state == "waiting" && knows_orders(tx, source).await? {
        links::tell_one_apart(tx, tenant, integration, stock_id, source.now).await?;
    }
    Ok(())
}

/// Has a stock read again whose drift waits for a person, where the shop shows another number than was found.
async fn overtake(
    tx: &mut Tx,
    source: &Source,
    listing: Uuid,
    stock: &ProductStock,
) -> Result<(), ApplyError> {
    let ProductStock::Own { quantity: Some(quantity), .. } = stock else { return Ok(()) };
    let held = drifts::reading_held(tx, source.tenant, listing).await?;
    if held.is_some_and(|reading| reading != quantity.thousandths()) {
        listings::moved(tx, source.tenant, listing, 0).await?;
        ask_for_reading(tx, source).await?;
    }
    Ok(())
}

/// What was skipped because another product of the store had this SKU waits for a choice, where that one has let go
/// of it.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn waken(tx: &mut Tx, source: &Source, sku: &str) -> Result<(), StoreError> {
    let (tenant, integration, now) = (source.tenant, source.integration, source.now);
    let woken = listings::waken_of(tx, tenant, integration, sku, EXISTS_ALREADY, now).await?;
    if woken > 0 && knows_orders(tx, source).await? {
        links::tell_apart(tx, tenant, integration, source.now).await?;
    }
    Ok(())
}

/// Whether all orders of a store were read once: no sweep has to bring the past of a stock first.
async fn knows_orders(tx: &mut Tx, source: &Source) -> Result<bool, StoreError> {
    let known = integrations::known_until(tx, source.tenant, source.integration).await?;
    Ok(known.orders.is_some())
}

/// The shop has deleted the stock owner: nothing posts to it until it is seen again.
pub(super) async fn missing(tx: &mut Tx, source: &Source, stock_id: i64) -> Result<(), ApplyError> {
    let listing = listings::lock(tx, source.tenant, source.integration, stock_id).await?;
    Ok(restate(tx, source, listing, "missing", "the shop has deleted it").await?)
}

/// The shop has told, in answer to a push, that a listing has no stock to add to.
///
/// # Errors
/// When the database does not answer.
pub async fn lost(
    tx: &mut Tx,
    source: &Source,
    stock_id: i64,
    state: &str,
    reason: &str,
) -> Result<(), StoreError> {
    let listing = listings::lock(tx, source.tenant, source.integration, stock_id).await?;
    restate(tx, source, listing, state, reason).await
}

async fn let_go(
    tx: &mut Tx,
    source: &Source,
    listing: Option<Listing>,
    reason: &str,
) -> Result<(), ApplyError> {
    Ok(restate(tx, source, listing, "unmanaged", reason).await?)
}

async fn restate(
    tx: &mut Tx,
    source: &Source,
    listing: Option<Listing>,
    state: &str,
    reason: &str,
) -> Result<(), StoreError> {
    let Some(listing) = listing.filter(|listing| listing.state != state) else { return Ok(()) };
    let standing = Standing {
        inventory_id: listing.inventory_id,
        state,
        reason: Some(reason),
        backorders: false,
    };
    listings::restate(tx, source.tenant, listing.id, &standing, source.now).await
}

/// A product that is only a shell around others has no stock of its own to speak of.
fn is_container(product: &Product) -> bool {
    product.has_variations || product.kind == "grouped"
}

/// Whether a product has the SKU now of another piece than it sells: whose its stock is, and whose what it sells from
/// here on, is for a person to say. One that is only called otherwise goes on selling the same piece.
async fn now_of_another(
    tx: &mut Tx,
    source: &Source,
    product: &Product,
    piece: Uuid,
) -> Result<bool, StoreError> {
    let Some(sku) = &product.sku else { return Ok(false) };
    inventory::is_anothers(tx, source.tenant, sku.as_str(), piece).await
}

/// The piece that a stock owner sells: a new one, or a state and a reason why none.
///
/// A piece that exists already is never linked by its SKU alone: whose count holds is for a person to
/// say.
async fn choose_piece(
    tx: &mut Tx,
    source: &Source,
    product: &Product,
    stock_id: i64,
    backorders: bool,
) -> Result<Result<Uuid, (&'static str, &'static str)>, ApplyError> {
    let (tenant, integration) = (source.tenant, source.integration);
    let Some(sku) = &product.sku else {
        return Ok(Err(("skipped", "it has no SKU")));
    };
    if let Some(row) = inventory::lock_by_sku(tx, tenant, sku.as_str()).await? {
        let rival = listings::has_rival(tx, tenant, row.id, integration, stock_id).await?;
        return Ok(Err(match rival {
            true => ("skipped", "another product of this store has the same SKU"),
            false => ("waiting", EXISTS_ALREADY),
        }));
    }
    let since = source.now - TimeDelta::hours(1);
    if inventory::brought_since(tx, tenant, integration, since).await? >= MAX_NEW_PIECES_AN_HOUR {
        return Err(ApplyError::TooMany(MAX_NEW_PIECES_AN_HOUR));
    }
    let id = new_id();
    let details = json!(Details::from(product));
    let piece = described(product, sku.as_str(), backorders, &details);
    inventory::insert(tx, tenant, id, &piece, integration, source.now).await?;
    Ok(Ok(id))
}

async fn describe(
    tx: &mut Tx,
    source: &Source,
    product: &Product,
    id: Uuid,
    backorders: bool,
) -> Result<(), ApplyError> {
    let details = json!(Details::from(product));
    let sku = product.sku.as_ref().map_or("", |sku| sku.as_str());
    let piece = described(product, sku, backorders, &details);
    inventory::describe(tx, source.tenant, id, &piece, source.integration, source.now).await?;
    Ok(())
}

fn described<'a>(
    product: &'a Product,
    sku: &'a str,
    backorders: bool,
    details: &'a serde_json::Value,
) -> inventory::Described<'a> {
    inventory::Described {
        sku,
        name: &product.name,
        backorders,
        price: product.price.map(|price| price.micros()),
        image: product.image.as_deref(),
        details,
    }
}

async fn ask_for_reading(tx: &mut Tx, source: &Source) -> Result<(), ApplyError> {
    let cursor = json!({});
    runs::ask(tx, source.tenant, source.integration, "sweep", &cursor, false, source.now).await?;
    Ok(())
}
