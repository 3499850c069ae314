//! What many orders of one push bring, written once: their sales and lines, and what those post.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
};

use serde_json::json;
use uuid::Uuid;

use super::{
    ApplyError, Source, listing,
    post::{self, Owed},
};
use crate::store::{
    StoreError, Tx, customers,
    listings::{self, Listing},
    movements::{self, Movement},
    pushes, runs, sale_items, sales,
};

/// What is in hand and not written yet.
///
/// The store's lock is held from before the first of it until after the writing, so that nobody else changes a sale
/// or a listing of the store meanwhile. Whatever in the same transaction reads what may be here, or changes stock
/// itself, has it written first.
#[derive(Debug, Default)]
pub struct Unwritten {
    /// Orders of which anything is here.
    orders: BTreeSet<i64>,
    sales: Vec<sales::Row>,
    lines: Vec<sale_items::OfSale>,
    pub(super) movements: Vec<Movement<'static>>,
    moved: BTreeMap<Uuid, i64>,
    unsure: BTreeSet<Uuid>,
    unsure_lines: Vec<sale_items::Unsure>,
    listings: BTreeMap<i64, Listing>,
    /// By their e-mail; these are written, and only what is known of them is kept.
    pub(super) people: HashMap<String, customers::Known>,
}

impl Unwritten {
    /// Whether the sale of this order or any of its lines is here.
    pub(super) fn has_order(&self, external_id: i64) -> bool {
        self.orders.contains(&external_id)
    }

    pub(super) fn sale(&mut self, sale: sales::Row) {
        self.orders.insert(sale.external_id);
        self.sales.push(sale);
    }

    pub(super) fn line(&mut self, sale: &sales::Row, line: sale_items::Row) {
        self.orders.insert(sale.external_id);
        self.lines.push(sale_items::OfSale { sale: sale.id, line });
    }

    /// Posts what a line owes to the stock it draws on, and gives what is accounted for now. Where the stock has no
    /// listing yet, its product is asked for.
    pub(super) async fn post(
        &mut self,
        tx: &mut Tx,
        source: &Source,
        stock_id: i64,
        owed: Owed,
    ) -> Result<i64, ApplyError> {
        let listing = match self.listings.get(&stock_id) {
            Some(listing) => listing.clone(),
            None => match listing::ensure_known(tx, source, stock_id).await? {
                Some(listing) => self.listings.entry(stock_id).or_insert(listing).clone(),
                None => return Ok(owed.posted),
            },
        };
        post::post_line(self, source, &listing, owed)
    }

    /// Counts a change of a listing, and of its mirror by so much.
    pub(super) fn moved(&mut self, listing: Uuid, change: i64) {
        *self.moved.entry(listing).or_default() += change;
    }

    /// Notes that only a reading of a listing can say whether so many units of a line are in its count.
    pub(super) fn unsure(&mut self, listing: Uuid, sale_id: Uuid, line_id: i64, units: i64) {
        self.unsure.insert(listing);
        self.unsure_lines.push(sale_items::Unsure { sale_id, line_id, units });
    }

    /// Writes all of it, and forgets what was read.
    ///
    /// # Errors
    /// When the database does not answer, or refuses a value.
    pub async fn write(&mut self, tx: &mut Tx, source: &Source) -> Result<(), StoreError> {
        let Self { sales, lines, movements, moved, unsure, unsure_lines, .. } = mem::take(self);
        let (tenant, integration, now) = (source.tenant, source.integration, source.now);
        sales::upsert_all(tx, tenant, integration, &sales, now).await?;
        sale_items::upsert_all(tx, tenant, integration, &lines).await?;
        let posted = movements::post_all(tx, tenant, &movements, now).await?;
        listings::moved_all(tx, tenant, &moved).await?;
        for line in &unsure_lines {
            sale_items::unsure(tx, tenant, line).await?;
        }
        for listing in &unsure {
            listings::unsure(tx, tenant, *listing, now).await?;
        }
        if !unsure.is_empty() {
            runs::ask(tx, tenant, integration, "sweep", &json!({}), false, now).await?;
        }
        let pieces: BTreeSet<Uuid> =
            movements.iter().map(|movement| movement.inventory_id).collect();
        let pieces: Vec<Uuid> = pieces.into_iter().collect();
        pushes::ask_all_held(tx, tenant, &pieces, now).await?;
        for (movement, posted) in movements.iter().zip(&posted) {
            post::note_oversale(tx, tenant, movement, posted, now).await?;
        }
        Ok(())
    }
}
