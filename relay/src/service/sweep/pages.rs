//! A store's listings, page by page: while one page is brought over, the next is on its way.

use chrono::{DateTime, TimeDelta, Utc};
use nexpura_protocol::event::Resource;
use serde_json::{Value, json};

use super::{Cursor, LEASE, StepError, Sweep, report};
use crate::{
    channel::woocommerce::{Listing, PageQuery},
    service::{
        fetch::apply_answer,
        ingest::facts_of,
        ledger::{self, Source as Origin},
    },
    store::{
        self, StoreError, Tx,
        integrations::{self, Integration},
        listings, products, resources,
        runs::Tally,
    },
};

/// How far a listing by date reaches back beyond what is known: two clocks and long requests.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);
/// What arrived this shortly before a page was asked for may be newer than the page.
const SAME_MOMENT: TimeDelta = TimeDelta::seconds(5);
/// When a row that could not be brought over is tried again for the first time.
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(30);

/// Where pages come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// A whole listing.
    Plain(Listing),
    /// A listing's rows that changed since this moment.
    Since(Listing, DateTime<Utc>),
    /// Orders in the trash, those that changed since then if it is given.
    Trash(Option<DateTime<Utc>>),
    /// The variations of each variable product in turn.
    Variations,
}

/// One request, and where the run stands once its answer is in.
struct Request {
    listing: Listing,
    query: PageQuery,
    then: Cursor,
}

/// What became of one row.
enum Row {
    Synced,
    Unchanged,
    Skipped { label: String, reason: String },
    Failed { label: String, reason: String },
}

impl Sweep<'_> {
    pub(super) async fn products(&self, cursor: &Cursor) -> Result<Cursor, StepError> {
        let known = self.known().await?.products;
        let next = self.read(cursor, since(Listing::Products, known, cursor)).await?;
        let mut tx = self.relay.db.write().await?;
        let until = next.since.unwrap_or_else(store::now);
        let (tenant, id, now) = (self.tenant, self.store.id, store::now());
        integrations::lock(&mut tx, tenant, id).await?;
        integrations::products_known(&mut tx, tenant, id, until).await?;
        // A product that was one too many may be so no more, though nothing of it has changed.
        listings::waken(&mut tx, tenant, id, ledger::EXISTS_ALREADY, now).await?;
        tx.commit().await?;
        Ok(next)
    }

    pub(super) async fn orders(&self, cursor: &Cursor) -> Result<Cursor, StepError> {
        let known = self.known().await?.orders;
        let next = self.read(cursor, since(Listing::Orders, known, cursor)).await?;
        Ok(Cursor { orders_from: next.since, ..next })
    }

    pub(super) async fn trashed_orders(&self, cursor: &Cursor) -> Result<Cursor, StepError> {
        let known = self.known().await?.orders.filter(|_| !cursor.everything);
        let next = self.read(cursor, Source::Trash(known.map(|at| at - OVERLAP))).await?;
        if let Some(until) = next.orders_from {
            let mut tx = self.relay.db.write().await?;
            integrations::orders_known(&mut tx, self.tenant, self.store.id, until).await?;
            tx.commit().await?;
        }
        Ok(next)
    }

    async fn known(&self) -> Result<integrations::KnownUntil, StoreError> {
        let mut tx = self.relay.db.read().await?;
        let known = integrations::known_until(&mut tx, self.tenant, self.store.id).await?;
        tx.commit().await?;
        Ok(known)
    }

    /// Reads all that is left of a source and brings it over.
    pub(super) async fn read(&self, cursor: &Cursor, source: Source) -> Result<Cursor, StepError> {
        let Some(mut request) = self.first(source, cursor).await? else {
            return Ok(cursor.clone());
        };
        let mut asked_at = store::now();
        let mut page = self.client.page(request.listing, &request.query).await?;
        loop {
            request.then.since.get_or_insert(asked_at);
            let last = page.items.is_empty() || u64::from(request.query.page) >= page.total_pages;
            let following = self.following(source, &request, last).await?;
            let total = matches!(source, Source::Plain(_) | Source::Since(..))
                .then(|| i64::try_from(page.total).unwrap_or(i64::MAX));
            let resource = resource_of(request.listing);
            let took = self.take_in(&request.then, resource, page.items, asked_at, total);
            let Some(following) = following else {
                took.await?;
                return Ok(request.then);
            };
            let asked_next = store::now();
            let ahead = self.client.page(following.listing, &following.query);
            let (took, ahead) = tokio::join!(took, ahead);
            took?;
            if self.relay.wake.is_stopping() {
                return Err(StepError::Stopping);
            }
            page = ahead?;
            (request, asked_at) = (following, asked_next);
        }
    }

    async fn first(&self, source: Source, cursor: &Cursor) -> Result<Option<Request>, StoreError> {
        let page = cursor.page + 1;
        let query = PageQuery { page, ..PageQuery::default() };
        let then = Cursor { page, ..cursor.clone() };
        let request = match source {
            Source::Plain(listing) => Request { listing, query, then },
            Source::Since(listing, moment) => {
                let query = PageQuery { modified_after: Some(moment), ..query };
                Request { listing, query, then }
            }
            Source::Trash(modified_after) => {
                let query = PageQuery { modified_after, trashed: true, ..query };
                Request { listing: Listing::Orders, query, then }
            }
            Source::Variations => return self.next_parent(cursor).await,
        };
        Ok(Some(request))
    }

    async fn following(
        &self,
        source: Source,
        request: &Request,
        last: bool,
    ) -> Result<Option<Request>, StoreError> {
        if !last {
            let page = request.query.page + 1;
            return Ok(Some(Request {
                listing: request.listing,
                query: PageQuery { page, ..request.query },
                then: Cursor { page, ..request.then.clone() },
            }));
        }
        match (source, request.listing) {
            (Source::Variations, Listing::Variations { parent }) => {
                let after = i64::try_from(parent).unwrap_or(i64::MAX);
                self.next_parent(&Cursor { after, page: 0, ..request.then.clone() }).await
            }
            _ => Ok(None),
        }
    }

    async fn next_parent(&self, cursor: &Cursor) -> Result<Option<Request>, StoreError> {
        let mut tx = self.relay.db.read().await?;
        let (tenant, id) = (self.tenant, self.store.id);
        let parents = products::parents(&mut tx, tenant, id, cursor.after, 1).await?;
        tx.commit().await?;
        Ok(parents.first().and_then(|parent| u64::try_from(*parent).ok()).map(|parent| {
            let page = cursor.page + 1;
            Request {
                listing: Listing::Variations { parent },
                query: PageQuery { page, ..PageQuery::default() },
                then: Cursor { page, ..cursor.clone() },
            }
        }))
    }

    /// Brings the rows of a page over and moves the run's cursor, in one transaction.
    async fn take_in(
        &self,
        then: &Cursor,
        resource: Resource,
        items: Vec<Value>,
        asked_at: DateTime<Utc>,
        total: Option<i64>,
    ) -> Result<(), StepError> {
        let now = store::now();
        let mut tx = self.relay.db.write().await?;
        let store = integrations::lock(&mut tx, self.tenant, self.store.id).await?;
        let store = store.filter(Integration::has_key).ok_or(StepError::Disconnected)?;
        let halted = store.forked_at.is_some();
        let mut tally = Tally::default();
        for item in items.into_iter().filter(|_| !halted) {
            let id = item.get("id").and_then(Value::as_i64).unwrap_or_default();
            let key = resources::Key {
                tenant: self.tenant,
                integration: self.store.id,
                resource: resource.as_str(),
                remote_id: id,
            };
            let row = self.take_in_one(&mut tx, key, resource, item, asked_at, now).await?;
            tally.seen += 1;
            match row {
                Row::Synced => tally.synced += 1,
                Row::Unchanged => tally.unchanged += 1,
                Row::Skipped { label, reason } => {
                    tally.skipped += 1;
                    report::found(&mut tx, self.run.id, key, "skipped", &label, &reason).await?;
                }
                Row::Failed { label, reason } => {
                    tally.failed += 1;
                    report::found(&mut tx, self.run.id, key, "failed", &label, &reason).await?;
                }
            }
        }
        let (at, until) = (json!(then), now + LEASE);
        let held = self.run.held();
        if !store::runs::advance(&mut tx, self.tenant, held, &at, tally, total, until).await? {
            return Err(StepError::Lost);
        }
        Ok(tx.commit().await?)
    }

    async fn take_in_one(
        &self,
        tx: &mut Tx,
        key: resources::Key<'_>,
        resource: Resource,
        item: Value,
        asked_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Row, StoreError> {
        let standing = resources::seen(tx, key, now).await?;
        let stock = self.stock_shown(resource, &item);
        let overtaken = standing.applied_at.is_some_and(|at| at > asked_at);
        if overtaken || standing.arrived_at > asked_at - SAME_MOMENT {
            // Something about it arrived while the page was under way: it is asked for by itself.
            resources::want(tx, key, now).await?;
            return self.seen_product(tx, key, stock, label(&item), Row::Unchanged, now).await;
        }
        let mut payload = item;
        let facts = payload.get("nexpura").cloned();
        let read = facts_of(&mut payload);
        let label = label(&payload);
        // Whatever its `rev` says: a change that the plugin never noticed has not raised it.
        let known = standing.content.as_deref();
        let same = known == Some(&ledger::digest(&payload, read.as_ref()));
        if same {
            resources::unchanged(tx, key).await?;
        } else {
            if let (Some(facts), Some(fields)) = (facts, payload.as_object_mut()) {
                fields.insert("nexpura".to_owned(), facts);
            }
            let source = Origin {
                tenant: self.tenant,
                integration: self.store.id,
                event: None,
                fresh: false,
                heard_at: standing.heard_at.unwrap_or(now),
                erased: standing.erased_at.is_some(),
                now,
            };
            if let Err(error) = apply_answer(tx, &source, key, resource, Some(payload)).await? {
                let reason = error.for_people();
                report::failed(tx, key, &reason, now).await?;
                resources::put_back(tx, key, now + FIRST_RETRY, true).await?;
                return Ok(Row::Failed { label, reason });
            }
        }
        let row = if same { Row::Unchanged } else { Row::Synced };
        self.seen_product(tx, key, stock, label, row, now).await
    }

    /// Takes a product's stock as a reading, which a second one has to confirm, and says whether the
    /// product is one for the ledger.
    async fn seen_product(
        &self,
        tx: &mut Tx,
        key: resources::Key<'_>,
        stock: Option<i64>,
        label: String,
        row: Row,
        now: DateTime<Utc>,
    ) -> Result<Row, StoreError> {
        if key.resource != Resource::Product.as_str() {
            return Ok(row);
        }
        if let Some(quantity) = stock {
            self.note_reading(tx, key.remote_id, quantity, now).await?;
        }
        let why = listings::why_not(tx, self.tenant, self.store.id, key.remote_id).await?;
        Ok(match why {
            Some(reason) => Row::Skipped { label, reason },
            None => row,
        })
    }
}

/// What changed since all was known, or everything where that is asked for or nothing is known.
fn since(listing: Listing, known: Option<DateTime<Utc>>, cursor: &Cursor) -> Source {
    match known.filter(|_| !cursor.everything) {
        Some(known) => Source::Since(listing, known - OVERLAP),
        None => Source::Plain(listing),
    }
}

fn resource_of(listing: Listing) -> Resource {
    match listing {
        Listing::Orders => Resource::Order,
        Listing::Products | Listing::Variations { .. } => Resource::Product,
        Listing::Customers => Resource::Customer,
    }
}

/// What people call a thing: its SKU, number or name. No personal data.
fn label(item: &Value) -> String {
    let text = |key| item.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let id = item.get("id").and_then(Value::as_i64).unwrap_or_default();
    let told = text("sku").or_else(|| text("number"));
    let named = told.or_else(|| text("name"));
    named.map_or_else(|| format!("#{id}"), |text| text.chars().take(200).collect())
}
