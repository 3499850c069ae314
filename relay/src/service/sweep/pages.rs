//! A store's listings, page by page: while one page is brought over, the next is on its way.

use chrono::{DateTime, TimeDelta, Utc};
use nexpura_protocol::event::Resource;
use serde_json::{Value, json};

use super::{Cursor, LEASE, StepError, Sweep, known::Known, report};
use crate::{
    channel::{
        ChannelError,
        woocommerce::{Client, Listing, Met, Page, PageQuery, Reach},
    },
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

/// What arrived this shortly before a page was asked for may be newer than the page.
const SAME_MOMENT: TimeDelta = TimeDelta::seconds(5);
/// When a row that could not be brought over is tried again for the first time.
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(30);
/// A shop's clock that turns out slower by more than this than a listing by date was asked for has it asked for anew.
const SLOWER: TimeDelta = TimeDelta::minutes(1);
/// How often in one reading, before its clock is told to be none.
const SLOWER_TIMES: u32 = 3;

/// Where pages come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// A whole listing.
    Plain(Listing),
    /// A listing's rows that changed since they were known.
    Since(Listing, Known),
    /// Orders in the trash, those that changed since they were known if that is given.
    Trash(Option<Known>),
    /// The variations of each product in turn that has some; of those that changed, unless all is read.
    Variations,
}

/// One request, and where the run stands once its answer is in.
struct Request {
    listing: Listing,
    query: PageQuery,
    reach: Reach,
    then: Cursor,
}

/// What became of one row.
enum Row {
    Synced,
    Unchanged,
    /// Nothing of it is in yet: it is asked for by itself, or may become something.
    Waiting,
    Skipped {
        label: String,
        reason: String,
    },
    Failed {
        label: String,
        reason: String,
    },
}

impl Source {
    fn query(self, cursor: &Cursor) -> PageQuery {
        let (known, trashed) = match self {
            Self::Plain(_) | Self::Variations => (None, false),
            Self::Since(_, known) => (Some(known), false),
            Self::Trash(known) => (known, true),
        };
        let modified_after = known.map(|known| known.modified_after(cursor.slow));
        PageQuery { modified_after, trashed, ..PageQuery::default() }
    }
}

impl Request {
    fn new(listing: Listing, query: PageQuery, cursor: &Cursor) -> Self {
        let reach = Reach::at(cursor.offset, cursor.last);
        Self { listing, query, reach, then: cursor.clone() }
    }

    async fn ask(&self, client: &Client) -> Result<Page, ChannelError> {
        let query = PageQuery { offset: self.reach.offset(), ..self.query };
        client.page(self.listing, &query).await
    }

    /// Takes the answer; where it follows what was read, the run stands behind it once it is in.
    fn meet(&mut self, page: &mut Page) -> Result<Met, ChannelError> {
        let met = self.reach.meet(page, self.query.per_page)?;
        if met != Met::Not {
            (self.then.offset, self.then.last) = (self.reach.offset(), self.reach.last());
        }
        Ok(met)
    }
}

impl Sweep<'_> {
    /// Reads all that is left of a source and brings it over.
    pub(super) async fn read(&self, cursor: &Cursor, source: Source) -> Result<Cursor, StepError> {
        let Some(mut request) = self.first(source, cursor).await? else {
            return Ok(cursor.clone());
        };
        let mut asked_at = store::now();
        let mut page = request.ask(&self.client).await?;
        let mut slower = 0;
        loop {
            request.then.since.get_or_insert(asked_at);
            request.then.slow = request.then.slow.max(page.slow);
            let needed = source.query(&request.then).modified_after;
            if request.query.modified_after > needed.map(|needed| needed + SLOWER) {
                slower += 1;
                if slower > SLOWER_TIMES {
                    let what = "a clock that is slower each time it is read".to_owned();
                    return Err(ChannelError::WrongShape(what).into());
                }
                let anew = Cursor { offset: 0, last: 0, ..request.then };
                request = Request::new(request.listing, source.query(&anew), &anew);
                self.hold_on().await?;
                asked_at = store::now();
                page = request.ask(&self.client).await?;
                continue;
            }
            let met = request.meet(&mut page)?;
            if met == Met::Not {
                self.hold_on().await?;
                asked_at = store::now();
                page = request.ask(&self.client).await?;
                continue;
            }
            let following = self.following(source, &request, met == Met::Last).await?;
            let total = matches!(source, Source::Plain(_) | Source::Since(..))
                .then(|| i64::try_from(page.total).unwrap_or(i64::MAX));
            let resource = resource_of(request.listing);
            let took = self.take_in(&request.then, resource, page.items, asked_at, total);
            let Some(following) = following else {
                took.await?;
                return Ok(request.then);
            };
            let asked_next = store::now();
            let ahead = following.ask(&self.client);
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
        let listing = match source {
            Source::Plain(listing) | Source::Since(listing, _) => listing,
            Source::Trash(_) => Listing::Orders,
            Source::Variations => return self.next_parent(cursor).await,
        };
        Ok(Some(Request::new(listing, source.query(cursor), cursor)))
    }

    async fn following(
        &self,
        source: Source,
        request: &Request,
        last: bool,
    ) -> Result<Option<Request>, StoreError> {
        if !last {
            return Ok(Some(Request { then: request.then.clone(), ..*request }));
        }
        match (source, request.listing) {
            (Source::Variations, Listing::Variations { parent }) => {
                let after = i64::try_from(parent).unwrap_or(i64::MAX);
                let cursor = Cursor { after, offset: 0, last: 0, ..request.then.clone() };
                self.next_parent(&cursor).await
            }
            _ => Ok(None),
        }
    }

    async fn next_parent(&self, cursor: &Cursor) -> Result<Option<Request>, StoreError> {
        let mut tx = self.relay.db.read().await?;
        let (tenant, id) = (self.tenant, self.store.id);
        // Saving variations saves their parent, which therefore is among what changed.
        let since = cursor.began.filter(|_| !cursor.everything).map(|began| began - SAME_MOMENT);
        let parent = products::next_parent(&mut tx, tenant, id, cursor.after, since).await?;
        tx.commit().await?;
        Ok(parent.and_then(|parent| u64::try_from(parent).ok()).map(|parent| {
            Request::new(Listing::Variations { parent }, PageQuery::default(), cursor)
        }))
    }

    /// Brings the rows of a page over and moves the run's cursor, in one transaction; then they are marked.
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
        let mut marks = Vec::new();
        for item in items.into_iter().filter(|_| !halted) {
            let id = item.get("id").and_then(Value::as_i64).unwrap_or_default();
            let key = resources::Key {
                tenant: self.tenant,
                integration: self.store.id,
                resource: resource.as_str(),
                remote_id: id,
            };
            // Only our plugin can mark it.
            let markable = item.get("nexpura").is_some();
            let row = self.take_in_one(&mut tx, key, resource, item, asked_at, now).await?;
            if markable && matches!(row, Row::Synced | Row::Unchanged) {
                marks.push((resource, id));
            }
            tally.seen += 1;
            match row {
                Row::Synced => tally.synced += 1,
                Row::Unchanged | Row::Waiting => tally.unchanged += 1,
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
        tx.commit().await?;
        self.marks.add(marks);
        self.mark().await;
        Ok(())
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
            let is_in = standing.rev.is_some() || standing.applied_at.is_some();
            let row = if is_in { Row::Unchanged } else { Row::Waiting };
            return self.seen_product(tx, key, stock, report::label(&item), row, now).await;
        }
        let mut payload = item;
        let facts = payload.get("nexpura").cloned();
        let read = facts_of(&mut payload);
        let label = report::label(&payload);
        let nothing = ledger::nothing_to_keep(resource, &payload, standing.erased_at.is_some());
        // Whatever its `rev` says: a change that the plugin never noticed has not raised it.
        let known = standing.content.as_deref();
        let content = ledger::digest(&payload, read.as_ref());
        let same = known == Some(&content);
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
                if resources::stays_left(tx, key, &content).await? {
                    let reason = format!("left by a person: {reason}");
                    return Ok(Row::Skipped { label, reason });
                }
                report::failed(tx, key, &reason, now).await?;
                resources::put_back(tx, key, now + FIRST_RETRY, true).await?;
                return Ok(Row::Failed { label, reason });
            }
        }
        let row = match nothing {
            // Visitors leave some all day: worth a line to whoever asked for a run, not in each sweep.
            Some(_) if self.run.kind == "sweep" => Row::Waiting,
            Some(reason) => Row::Skipped { label: label.clone(), reason: reason.to_owned() },
            None if same => Row::Unchanged,
            None => Row::Synced,
        };
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

fn resource_of(listing: Listing) -> Resource {
    match listing {
        Listing::Orders => Resource::Order,
        Listing::Products | Listing::Variations { .. } => Resource::Product,
        Listing::Customers => Resource::Customer,
    }
}
