//! A store's listings, page by page.

use chrono::{DateTime, TimeDelta, Utc};
use nexpura_protocol::event::Resource;
use serde_json::Value;

use super::{Cursor, Next, Stage, StepError, Sweep, report};
use crate::{
    channel::woocommerce::{Listing, PageQuery},
    service::{fetch::apply_answer, ledger::Source},
    store::{self, StoreError, Tx, integrations, products, resources},
};

/// How far a listing by date reaches back beyond what is known: two clocks and long requests.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);
/// What arrived this shortly before a page was asked for may be newer than the page.
const SAME_MOMENT: TimeDelta = TimeDelta::seconds(5);
/// When a row that could not be brought over is tried again for the first time.
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(30);

impl Sweep<'_> {
    pub(super) async fn products(&self, cursor: &Cursor) -> Result<Next, StepError> {
        let mut tx = self.relay.db.read().await?;
        let known = integrations::known_until(&mut tx, self.tenant, self.store.id).await?;
        tx.commit().await?;
        let (mut next, last) =
            self.page(cursor, Listing::Products, Resource::Product, known.products, false).await?;
        if last {
            let mut tx = self.relay.db.write().await?;
            let until = next.since.unwrap_or_else(store::now);
            integrations::products_known(&mut tx, self.tenant, self.store.id, until).await?;
            tx.commit().await?;
            let stage = if cursor.everything { Stage::Variations } else { Stage::FirstReading };
            next = next.enter(stage);
        }
        Ok(Next::Go(next))
    }

    pub(super) async fn variations(&self, cursor: &Cursor) -> Result<Next, StepError> {
        // `page` counts within the parent after `after`.
        let mut tx = self.relay.db.read().await?;
        let parents =
            products::parents(&mut tx, self.tenant, self.store.id, cursor.after, 1).await?;
        tx.commit().await?;
        let Some(parent) = parents.first().copied() else {
            return Ok(Next::Go(cursor.enter(Stage::Customers)));
        };
        let listing = Listing::Variations { parent: u64::try_from(parent).unwrap_or_default() };
        let (mut next, last) = self.page(cursor, listing, Resource::Product, None, false).await?;
        if last {
            next = Cursor { after: parent, page: 0, since: None, ..next };
        }
        Ok(Next::Go(next))
    }

    pub(super) async fn customers(&self, cursor: &Cursor) -> Result<Next, StepError> {
        let (next, last) =
            self.page(cursor, Listing::Customers, Resource::Customer, None, false).await?;
        Ok(Next::Go(if last { next.enter(Stage::FirstReading) } else { next }))
    }

    pub(super) async fn orders(&self, cursor: &Cursor, trashed: bool) -> Result<Next, StepError> {
        let mut tx = self.relay.db.read().await?;
        let known = integrations::known_until(&mut tx, self.tenant, self.store.id).await?;
        tx.commit().await?;
        let (mut next, last) =
            self.page(cursor, Listing::Orders, Resource::Order, known.orders, trashed).await?;
        if cursor.page == 0 && !trashed {
            next.orders_from = next.since;
        }
        if last && !trashed {
            next = next.enter(Stage::TrashedOrders);
        } else if last {
            let mut tx = self.relay.db.write().await?;
            if let Some(until) = next.orders_from {
                integrations::orders_known(&mut tx, self.tenant, self.store.id, until).await?;
            }
            tx.commit().await?;
            next = next.enter(Stage::SecondReading);
            // All is in now: what follows in this sweep is only what changed meanwhile.
            next.everything = false;
        }
        Ok(Next::Go(next))
    }

    /// Reads and applies one page; gives where the sweep stands then, and whether it was the last.
    async fn page(
        &self,
        cursor: &Cursor,
        listing: Listing,
        resource: Resource,
        known_until: Option<DateTime<Utc>>,
        trashed: bool,
    ) -> Result<(Cursor, bool), StepError> {
        let asked_at = store::now();
        let query = PageQuery {
            page: cursor.page + 1,
            modified_after: known_until.filter(|_| !cursor.everything).map(|at| at - OVERLAP),
            trashed,
            ..PageQuery::default()
        };
        let page = self.client.page(listing, &query).await?;
        let last = page.items.is_empty() || u64::from(query.page) >= page.total_pages;
        self.take_in(resource, page.items, asked_at).await?;
        let since = cursor.since.or(Some(asked_at));
        Ok((Cursor { page: query.page, since, ..cursor.clone() }, last))
    }

    /// Brings the rows of a page over, in one transaction.
    pub(super) async fn take_in(
        &self,
        resource: Resource,
        items: Vec<Value>,
        asked_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if items.is_empty() {
            return Ok(());
        }
        let now = store::now();
        let mut tx = self.relay.db.write().await?;
        let halted = integrations::lock(&mut tx, self.tenant, self.store.id)
            .await?
            .is_none_or(|store| store.forked_at.is_some());
        if !halted {
            for item in items {
                self.take_in_one(&mut tx, resource, item, asked_at, now).await?;
            }
        }
        tx.commit().await
    }

    async fn take_in_one(
        &self,
        tx: &mut Tx,
        resource: Resource,
        item: Value,
        asked_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let id = item.get("id").and_then(Value::as_i64).unwrap_or_default();
        let key = resources::Key {
            tenant: self.tenant,
            integration: self.store.id,
            resource: resource.as_str(),
            remote_id: id,
        };
        let standing = resources::seen(tx, key, now).await?;
        if standing.arrived_at > asked_at - SAME_MOMENT {
            return resources::want(tx, key, now).await;
        }
        // Whatever its `rev` says: a change that the plugin never noticed has not raised it.
        let source = Source {
            tenant: self.tenant,
            integration: self.store.id,
            event: None,
            heard_at: standing.heard_at.unwrap_or(now),
            now,
        };
        if let Err(error) = apply_answer(tx, &source, key, resource, Some(item)).await? {
            report::failed(tx, key, &error.for_people(), now).await?;
            resources::put_back(tx, key, now + FIRST_RETRY, true).await?;
        }
        Ok(())
    }
}
