//! What is read at each stage of a run, and what is known when it has been read.

use super::{Cursor, StepError, Sweep, known::Known, pages::Source};
use crate::{
    channel::woocommerce::Listing,
    service::{Work, ledger},
    store::{self, StoreError, integrations, listings, resources},
};

impl Sweep<'_> {
    pub(super) async fn products(&self, cursor: &Cursor) -> Result<Cursor, StepError> {
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

    pub(super) async fn variations(&self, cursor: &Cursor) -> Result<Cursor, StepError> {
        let next = self.read(cursor, Source::Variations).await?;
        if let (true, Some(began)) = (cursor.everything, cursor.began) {
            // Deleted or put into the trash, and nobody has told; or not for everybody to see.
            let mut tx = self.relay.db.write().await?;
            let (tenant, id, now) = (self.tenant, self.store.id, store::now());
            resources::want_unseen_products(&mut tx, tenant, id, began, now).await?;
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
