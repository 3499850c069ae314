//! Pieces for people: searched, filtered, in order; and one of them with why there are as many as there are.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Relay;
pub use crate::store::{inventory::Shown, listings::Shown as Listing, movements::Told};
use crate::{
    domain::Details,
    store::{
        StoreError, TenantId, Tx,
        inventory::{self, Amount, Texts},
        listings, movements,
        page::{Page, read_cursor},
    },
};

/// Movements that a chart begins with at most.
const CHARTED: i64 = 400;

/// Of which pieces there has to be how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stock {
    /// All pieces.
    #[default]
    Any,
    /// At least something of it.
    Some,
    /// None left.
    None,
    /// Sold more often than there were.
    Below,
}

impl Stock {
    fn amount(self) -> Amount {
        let (least, most) = match self {
            Self::Any => (i64::MIN, i64::MAX),
            Self::Some => (1, i64::MAX),
            Self::None => (0, 0),
            Self::Below => (i64::MIN, -1),
        };
        Amount { least, most, counted: self != Self::Any }
    }
}

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// By SKU.
    #[default]
    Sku,
    /// By name.
    Name,
    /// The fewest first.
    Fewest,
    /// The most first.
    Most,
}

/// Which pieces, in which order.
///
/// What is searched for stands by SKU, then by name; what is narrowed by how much there is stands by that.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// How the SKU or the name begins; empty for all.
    pub text: String,
    /// How many there have to be.
    pub stock: Stock,
    /// The order.
    pub order: Order,
}

/// After which row of which part of the list a page begins.
enum After {
    Sku(String, Uuid),
    Name(String, Uuid),
    Quantity(i64, Uuid),
}

impl After {
    fn key(&self) -> String {
        match self {
            Self::Sku(sku, id) => format!("s{id}{sku}"),
            Self::Name(name, id) => format!("n{id}{name}"),
            Self::Quantity(quantity, id) => format!("q{id}{quantity}"),
        }
    }

    fn read(cursor: &str) -> Option<Self> {
        let key = read_cursor(cursor)?;
        let (part, rest) = key.split_at_checked(1)?;
        let (id, value) = rest.split_at_checked(36)?;
        let id = Uuid::try_parse(id).ok()?;
        match part {
            "s" => Some(Self::Sku(value.to_owned(), id)),
            "n" => Some(Self::Name(value.to_owned(), id)),
            "q" => Some(Self::Quantity(value.parse().ok()?, id)),
            _ => None,
        }
    }
}

/// One page of pieces. `after` is the `next` of the page before; one that was tampered with begins anew.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    relay: &Relay,
    tenant: TenantId,
    search: &Search,
    after: &str,
    limit: i64,
) -> Result<Page<Shown>, StoreError> {
    let after = After::read(after);
    let mut tx = relay.db.read().await?;
    let rows = if search.text.trim().is_empty() {
        everything(&mut tx, tenant, search, after.as_ref(), limit + 1).await?
    } else {
        found(&mut tx, tenant, search, after.as_ref(), limit + 1).await?
    };
    tx.commit().await?;
    let page = Page::cut(rows, limit, |(_, key)| key.key());
    Ok(page.map(|(piece, _)| piece))
}

type Keyed = (Shown, After);

fn with_sku(piece: Shown) -> Keyed {
    let key = After::Sku(piece.sku.to_ascii_lowercase(), piece.id);
    (piece, key)
}

fn with_name(piece: Shown) -> Keyed {
    let key = After::Name(piece.name.to_ascii_lowercase(), piece.id);
    (piece, key)
}

fn with_quantity(piece: Shown) -> Keyed {
    let key = After::Quantity(piece.quantity, piece.id);
    (piece, key)
}

async fn everything(
    tx: &mut Tx,
    tenant: TenantId,
    search: &Search,
    after: Option<&After>,
    limit: i64,
) -> Result<Vec<Keyed>, StoreError> {
    let (amount, all) = (search.stock.amount(), Texts::beginning_with(""));
    let order = match (search.stock, search.order) {
        (Stock::Any, order) => order,
        (_, Order::Most) => Order::Most,
        _ => Order::Fewest,
    };
    Ok(match order {
        Order::Sku => {
            let key =
                if let Some(After::Sku(sku, id)) = after { (sku.as_str(), *id) } else { START };
            let rows = inventory::by_sku(tx, tenant, &all, key, amount, limit).await?;
            rows.into_iter().map(with_sku).collect()
        }
        Order::Name => {
            let key =
                if let Some(After::Name(name, id)) = after { (name.as_str(), *id) } else { START };
            let rows = inventory::by_name(tx, tenant, &all, None, key, amount, limit).await?;
            rows.into_iter().map(with_name).collect()
        }
        Order::Fewest | Order::Most => {
            let most_first = order == Order::Most;
            let (mut from, mut to) = ((amount.least, Uuid::nil()), (amount.most, Uuid::max()));
            match after {
                Some(After::Quantity(quantity, id)) if most_first => to = to.min((*quantity, *id)),
                Some(After::Quantity(quantity, id)) => from = from.max((*quantity, *id)),
                _ => {}
            }
            let (span, counted) = ((from, to), amount.counted);
            let rows = inventory::by_quantity(tx, tenant, span, most_first, counted, limit).await?;
            rows.into_iter().map(with_quantity).collect()
        }
    })
}

/// Where the first page begins: no SKU and no name is empty and has this id.
const START: (&str, Uuid) = ("", Uuid::nil());

/// First what has such an SKU, then what only has such a name.
async fn found(
    tx: &mut Tx,
    tenant: TenantId,
    search: &Search,
    after: Option<&After>,
    limit: i64,
) -> Result<Vec<Keyed>, StoreError> {
    let amount = search.stock.amount();
    let wanted = Texts::beginning_with(&search.text.trim().to_ascii_lowercase());
    let mut rows = Vec::new();
    let by_name = if let Some(After::Name(name, id)) = after {
        (name.as_str(), *id)
    } else {
        let key = if let Some(After::Sku(sku, id)) = after { (sku.as_str(), *id) } else { START };
        let found = inventory::by_sku(tx, tenant, &wanted, key, amount, limit).await?;
        rows.extend(found.into_iter().map(with_sku));
        START
    };
    let left = limit - i64::try_from(rows.len()).unwrap_or(limit);
    if left > 0 {
        let skus = Some(&wanted);
        let found = inventory::by_name(tx, tenant, &wanted, skus, by_name, amount, left).await?;
        rows.extend(found.into_iter().map(with_name));
    }
    Ok(rows)
}

/// A movement, and how many there were after it, in thousandths.
#[derive(Debug)]
pub struct Step {
    /// The movement with whoever is behind it.
    pub told: Told,
    /// How many there were after it.
    pub after: i64,
}

/// One piece with its story.
#[derive(Debug)]
pub struct Piece {
    /// The piece.
    pub shown: Shown,
    /// What the store that brought it says of it.
    pub details: Details,
    /// Where it is sold.
    pub listings: Vec<Listing>,
    /// A page of its movements, the newest first.
    pub steps: Page<Step>,
    /// Its newest movements: when, and how many there were after it; the oldest first.
    pub course: Vec<(DateTime<Utc>, i64)>,
}

/// One piece by its SKU, if it is there, with a page of its movements.
///
/// # Errors
/// When the database does not answer.
pub async fn piece(
    relay: &Relay,
    tenant: TenantId,
    sku: &str,
    after: &str,
    limit: i64,
) -> Result<Option<Piece>, StoreError> {
    let mut tx = relay.db.read().await?;
    let Some(piece) = inventory::get(&mut tx, tenant, sku).await? else { return Ok(None) };
    let inventory::Whole { shown, details } = piece;
    let mut sold_at = listings::between(&mut tx, tenant, sku, sku).await?;
    let steps = steps(&mut tx, tenant, &shown, after, limit).await?;
    let newest = movements::steps(&mut tx, tenant, shown.id, CHARTED).await?;
    tx.commit().await?;
    let listings = sold_at.remove(&shown.id).unwrap_or_default();
    let course = course(shown.quantity, newest);
    let details = Details::read(&details);
    Ok(Some(Piece { shown, details, listings, steps, course }))
}

/// A page of a piece's movements. How many there were after each is told backwards from what there is now;
/// what a page ends with is part of the next one's key, since the past does not change.
async fn steps(
    tx: &mut Tx,
    tenant: TenantId,
    piece: &Shown,
    after: &str,
    limit: i64,
) -> Result<Page<Step>, StoreError> {
    let key = read_cursor(after).and_then(|key| {
        let (id, quantity) = key.split_once(' ')?;
        Some((Uuid::try_parse(id).ok()?, quantity.parse::<i64>().ok()?))
    });
    let (before, mut quantity) =
        key.map_or((None, piece.quantity), |(id, quantity)| (Some(id), quantity));
    let rows = movements::timeline(tx, tenant, piece.id, before, limit + 1).await?;
    let mut steps = Vec::new();
    for told in rows {
        let after = quantity;
        quantity = quantity.saturating_sub(told.movement.quantity_change);
        steps.push(Step { told, after });
    }
    let key = |step: &Step| {
        let before = step.after.saturating_sub(step.told.movement.quantity_change);
        format!("{} {before}", step.told.movement.id)
    };
    Ok(Page::cut(steps, limit, key))
}

/// From the newest changes to what there was after each, the oldest first.
fn course(now: i64, newest: Vec<(DateTime<Utc>, i64)>) -> Vec<(DateTime<Utc>, i64)> {
    let mut quantity = now;
    let mut course: Vec<_> = newest
        .into_iter()
        .map(|(at, change)| {
            let after = quantity;
            quantity = quantity.saturating_sub(change);
            (at, after)
        })
        .collect();
    course.reverse();
    course
}
