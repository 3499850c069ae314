//! What is read at each stage of a run, and what is known when it has been read.

use super::{Cursor, StepError, Sweep, known::Known, pages::Source};
use crate::{
    channel::woocommerce::Listing,
    service::{Work, ledger},
    store::{self, StoreError, integrations, listings, resources},
};

impl Sweep<'_> {
    pub(super) async fn products(&self, cursor: &Cursor) -> Result<Cursor, StepError> {
        if cursor.everything && cursor.offset == 0 {
            self.learn_who_it_is().await?;
        }
        let known = self.known().await?;
        let known = Known::read(known.products, known.products_slow, cursor);
        let next = self.read(cursor, since(Listing::Products, known)).await?;
        let mut tx = self.relay.db.write().await?;
        let until = next.since.unwrap_or_else(store::now);
        let (tenant, id, now) = (self.tenant, self.store.id, store::now());
        integrations::lock(&mut tx, tenant, id).await?;
        integrations::products_known(&mut tx, tenant, id, until, next.slow).await?;
        // A product that was one too many may be so no more, though nothing of it has changed.
        listings::waken(&mut tx, tenant, id, ledger::EXISTS_ALREADY, now).await?;
        tx.commit().await?;
        Ok(next)
    }

    /// A store that was connected before WooCommerce's own id was kept, or while the shop had none, is asked for it: by
    /// it a shop that is built anew is told from this one.
    async fn learn_who_it_is(&self) -> Result<(), StoreError> {
        let (tenant, id) = (self.tenant, self.store.id);
        let mut tx = self.relay.db.read().await?;
        let known = integrations::woocommerce_id(&mut tx, tenant, id).await?;
        tx.commit().await?;
        if known.is_some() {
            return Ok(());
        }
        // Whatever ails it, the listing says.
        let Ok(status) = self.client.system_status().await else { return Ok(()) };
        let Some(told) = status.store_id else { return Ok(()) };
        let mut tx = self.relay.db.write().await?;
        integrations::learn_woocommerce_id(&mut tx, tenant, id, &told).await?;
        tx.commit().await
    }

    pub(super) async fn variations(&self, cursor: &Cursor) -> Result<Cursor, StepError> {
        let next = self.read(cursor, Source::Variations).await?;
        if let (true, Some(began)) = (cursor.everything, cursor.began) {
            // Deleted or put into the trash, and nobody has told; or not for everybody to see.
            let mut tx = self.relay.db.write().await?;
            let (tenant, id, now) = (self.tenant, self.store.id, store::now());
            // Of a store that is halted nothing was taken in, so that nothing was seen.
            let store = integrations::lock(&mut tx, tenant, id).await?;
            if store.is_some_and(|store| store.has_key() && store.forked_at.is_none()) {
                resources::want_unseen_products(&mut tx, tenant, id, began, now).await?;
            }
            tx.commit().await?;
            self.relay.wake.of(Work::Fetch).notify_one();
        }
        Ok(next)
    }

    pub(super) async fn orders(&self, cursor: &Cursor) -> Result<Cursor, StepError> {
        let next =
            self.read(cursor, since(Listing::Orders, self.orders_known(cursor).await?)).await?;
        Ok(Cursor { orders_from: next.since, ..next })
    }

    pub(super) async fn trashed_orders(&self, cursor: &Cursor) -> Result<Cursor, StepError> {
        let next = self.read(cursor, Source::Trash(self.orders_known(cursor).await?)).await?;
        if let Some(until) = next.orders_from {
            let mut tx = self.relay.db.write().await?;
            let (tenant, id) = (self.tenant, self.store.id);
            integrations::orders_known(&mut tx, tenant, id, until, next.slow).await?;
            tx.commit().await?;
        }
        Ok(next)
    }

    async fn orders_known(&self, cursor: &Cursor) -> Result<Option<Known>, StoreError> {
        let known = self.known().await?;
        Ok(Known::read(known.orders, known.orders_slow, cursor))
    }

    async fn known(&self) -> Result<integrations::KnownUntil, StoreError> {
        let mut tx = self.relay.db.read().await?;
        let known = integrations::known_until(&mut tx, self.tenant, self.store.id).await?;
        tx.commit().await?;
        Ok(known)
    }
}

/// What changed since all was known, or everything where nothing is.
fn since(listing: Listing, known: Option<Known>) -> Source {
    known.map_or(Source::Plain(listing), |known| Source::Since(listing, known))
}
