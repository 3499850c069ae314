//! What follows from a settled reading of a stock that is not open, or whose mirror nobody could tell.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Sweep;
use crate::{
    service::ledger::note_oversale,
    store::{
        self, StoreError, Tx, integrations, inventory, links, listings,
        movements::{self, Movement},
        pushes, sale_items,
    },
};

impl Sweep<'_> {
    /// Every order of the store has just been read: what is known of those that wait for a choice is their past.
    pub(super) async fn tell_apart(&self) -> Result<(), StoreError> {
        let (tenant, id, now) = (self.tenant, self.store.id, store::now());
        let mut tx = self.relay.db.write().await?;
        integrations::lock(&mut tx, tenant, id).await?;
        links::tell_apart(&mut tx, tenant, id, now).await?;
        tx.commit().await
    }

    /// Opens a listing. A piece that nobody has counted takes the shop's count; one that was counted
    /// keeps its own, and the difference is for the shop to get, unless a person has said that the shop's
    /// count holds. What a listing has sold since it was open before, or since its history was told apart, is in
    /// the reading but not in the count, so it is posted.
    pub(super) async fn open(
        &self,
        tx: &mut Tx,
        listing: &listings::Listing,
        quantity: i64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (tenant, integration) = (self.tenant, self.store.id);
        let Some(inventory_id) = listing.inventory_id else { return Ok(()) };
        let uncounted = inventory::mark_counted(tx, tenant, inventory_id).await?;
        let by_shop = uncounted || listing.holds.as_deref() == Some("shop");
        let count = if uncounted {
            Some((quantity, "opening count, as the shop had it"))
        } else if by_shop {
            let had = inventory::lock_quantity(tx, tenant, inventory_id).await?;
            let change = quantity - had;
            (change != 0).then_some((change, "the shop's count, which was chosen to hold"))
        } else {
            None
        };
        if let Some((change, notes)) = count {
            let movement = Movement {
                inventory_id,
                kind: "stocktake",
                change,
                notes,
                integration_id: Some(integration),
                ..Movement::default()
            };
            movements::post(tx, tenant, &movement, now).await?;
        }
        if listing.posts_meanwhile() && !by_shop {
            self.post_meanwhile(tx, inventory_id, listing.stock_id, now).await?;
        }
        let unsure = sale_items::made_sure(tx, tenant, integration, listing.stock_id).await?;
        if listing.posts_meanwhile() && !by_shop {
            // Nobody can tell any more: what may be sold is not sold again.
            self.post_unsure(tx, inventory_id, &unsure, now).await?;
        }
        sale_items::take_as_posted(tx, tenant, integration, listing.stock_id).await?;
        listings::open(tx, tenant, listing.id, quantity, now).await?;
        pushes::ask(tx, tenant, inventory_id, now).await.map(drop)
    }

    /// Posts what the lines of a stock owe to its piece. The mirror is not moved: the reading has it.
    async fn post_meanwhile(
        &self,
        tx: &mut Tx,
        inventory_id: Uuid,
        stock_id: i64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (tenant, integration) = (self.tenant, self.store.id);
        for line in sale_items::unposted(tx, tenant, integration, stock_id).await? {
            let of_line = (line.sale_id, line.line_id);
            self.post_one(tx, inventory_id, of_line, line.posted - line.desired, now).await?;
        }
        Ok(())
    }

    async fn post_one(
        &self,
        tx: &mut Tx,
        inventory_id: Uuid,
        (sale_id, line_id): (Uuid, i64),
        change: i64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let movement = Movement {
            inventory_id,
            kind: if change < 0 { "sale" } else { "return" },
            change,
            integration_id: Some(self.store.id),
            sale_id: Some(sale_id),
            line_id: Some(line_id),
            ..Movement::default()
        };
        let posted = movements::post(tx, self.tenant, &movement, now).await?;
        note_oversale(tx, self.tenant, &movement, &posted, now).await
    }

    /// Says by a settled reading how many of the units that were taken to be in a listing's count have left the shop
    /// after it: as many as the shop misses. They are posted as those of the newest lines, and move the mirror as well.
    pub(super) async fn make_sure(
        &self,
        tx: &mut Tx,
        listing: &listings::Listing,
        mirror: i64,
        had: i64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (tenant, integration) = (self.tenant, self.store.id);
        let unsure = sale_items::made_sure(tx, tenant, integration, listing.stock_id).await?;
        listings::made_sure(tx, tenant, listing.id).await?;
        let Some(inventory_id) = listing.inventory_id else { return Ok(()) };
        let after = left_after(unsure, mirror - had);
        self.post_unsure(tx, inventory_id, &after, now).await?;
        let change: i64 = after.iter().map(|line| -line.units).sum();
        listings::moved(tx, tenant, listing.id, change).await?;
        if mirror + change == had && listing.doubted_at.is_none() {
            listings::forget_reading(tx, tenant, listing.id).await?;
        }
        pushes::ask(tx, tenant, inventory_id, now).await.map(drop)
    }

    async fn post_unsure(
        &self,
        tx: &mut Tx,
        inventory_id: Uuid,
        unsure: &[sale_items::Unsure],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for line in unsure {
            let of_line = (line.sale_id, line.line_id);
            self.post_one(tx, inventory_id, of_line, -line.units, now).await?;
        }
        Ok(())
    }

    /// Takes the reading as the mirror of a listing that has posted all the while: only what the shop
    /// has was in doubt.
    pub(super) async fn settle_mirror(
        &self,
        tx: &mut Tx,
        listing: &listings::Listing,
        quantity: i64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        listings::settle_mirror(tx, self.tenant, listing.id, quantity, now).await?;
        let Some(inventory_id) = listing.inventory_id else { return Ok(()) };
        pushes::ask(tx, self.tenant, inventory_id, now).await.map(drop)
    }
}

/// Of lines whose units may or may not have left the shop after its count, those that have where it misses so many:
/// of the newest, and of no more than may have.
fn left_after(mut unsure: Vec<sale_items::Unsure>, missing: i64) -> Vec<sale_items::Unsure> {
    let units: i64 = unsure.iter().map(|line| line.units).sum();
    let mut left = missing.clamp(units.min(0), units.max(0));
    unsure.sort_by_key(|line| Reverse((line.sale_id, line.line_id)));
    for line in &mut unsure {
        line.units = match left {
            0 => 0,
            1.. => line.units.clamp(0, left),
            _ => line.units.clamp(left, 0),
        };
        left -= line.units;
    }
    unsure.retain(|line| line.units != 0);
    unsure
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left after the count of lines with these units, by line in the order in which they came.
    fn of(units: &[i64], missing: i64) -> Vec<i64> {
        let lines = units.iter().zip(1..);
        let line = |(units, line_id): (&i64, i64)| sale_items::Unsure {
            sale_id: Uuid::from_u128(line_id.unsigned_abs().into()),
            line_id,
            units: *units,
        };
        let after = left_after(lines.map(line).collect(), missing);
        let of_line = |id: i64| after.iter().find(|line| line.line_id == id);
        (1..).take(units.len()).map(|id| of_line(id).map_or(0, |line| line.units)).collect()
    }

    #[test]
    fn just_what_the_shop_misses_has_left_it_after_the_count() {
        assert_eq!(of(&[1, 1, 1], 1), [0, 0, 1]);
        assert_eq!(of(&[2, 2], 3), [1, 2]);
        assert_eq!(of(&[1, 1], 0), [0, 0]);
        assert_eq!(of(&[1], 5), [1], "what is missed besides is no sale");
        assert_eq!(of(&[1], -2), [0], "nor is what is there besides a return");
        assert_eq!(of(&[-1, -1], -1), [0, -1]);
        assert_eq!(of(&[3, -1], 2), [2, 0]);
        assert_eq!(of(&[1, -1], 1), [0, 0]);
    }
}
