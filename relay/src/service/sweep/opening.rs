//! What follows from a settled reading of a stock that is not open, or whose mirror nobody could tell.

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
            let change = line.posted - line.desired;
            let movement = Movement {
                inventory_id,
                kind: if change < 0 { "sale" } else { "return" },
                change,
                integration_id: Some(integration),
                sale_id: Some(line.sale_id),
                line_id: Some(line.line_id),
                ..Movement::default()
            };
            let posted = movements::post(tx, tenant, &movement, now).await?;
            note_oversale(tx, tenant, &movement, &posted, now).await?;
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
