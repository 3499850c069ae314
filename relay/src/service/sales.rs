//! Sales for people: searched, filtered, in order; and one of them whole.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDate, NaiveTime};
use futures::{Stream, stream};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Relay;
use crate::store::{
    IntegrationId, StoreError, TenantId, Tx, keys, movements,
    page::{Page, far_ahead, moment_key, read_cursor, read_moment_key},
    sale_items,
    sales::{self, Span, Wanted},
};
pub use crate::store::{
    movements::OfSale,
    sale_items::Row as Line,
    sales::{Listed, Refund, Shown},
};

/// Which sales, in which order.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// An order number, with or without its `#`, or an e-mail; empty for all.
    pub text: String,
    /// Only those of this status; empty for all.
    pub status: String,
    /// Only those of this store.
    pub store: Option<IntegrationId>,
    /// Only those of this customer.
    pub customer: Option<Uuid>,
    /// From this day on (UTC).
    pub from: Option<NaiveDate>,
    /// Up to and with this day (UTC).
    pub until: Option<NaiveDate>,
    /// The oldest first; what was searched for is shown with the newest first always.
    pub oldest_first: bool,
}

impl Search {
    fn text(&self) -> &str {
        let text = self.text.trim();
        text.strip_prefix('#').unwrap_or(text)
    }

    /// Whether single sales are looked for.
    fn looks_for_some(&self) -> bool {
        self.customer.is_some() || !self.text().is_empty()
    }

    fn span(&self, after: &str, limit: i64) -> Span {
        let begin = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let first = self.from.map_or(DateTime::UNIX_EPOCH, begin);
        let behind = self.until.and_then(|day| day.succ_opt()).map_or(far_ahead(), begin);
        let mut span = Span {
            from: (first, Uuid::nil()),
            to: (behind, Uuid::nil()),
            newest_first: !self.oldest_first || self.looks_for_some(),
            limit: limit + 1,
        };
        if let Some(key) = read_cursor(after).as_deref().and_then(read_moment_key) {
            if span.newest_first {
                span.to = span.to.min(key);
            } else {
                span.from = span.from.max(key);
            }
        }
        span
    }
}

/// One page of sales. `after` is the `next` of the page before; one that was tampered with begins anew.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    relay: &Relay,
    tenant: TenantId,
    search: &Search,
    after: &str,
    limit: i64,
) -> Result<Page<Listed>, StoreError> {
    let span = search.span(after, limit);
    let status = (!search.status.is_empty()).then_some(search.status.as_str());
    let mut tx = relay.db.read().await?;
    let rows = if search.looks_for_some() {
        let (text, email) = (search.text(), search.text().to_lowercase());
        let by_mail = text.contains('@');
        let wanted = Wanted {
            number: (!by_mail && !text.is_empty()).then_some(text),
            email: by_mail.then_some(email.as_str()),
            customer: search.customer.filter(|_| text.is_empty()),
            status,
            store: search.store,
        };
        sales::found(&mut tx, tenant, wanted, span).await?
    } else {
        of_stores(&mut tx, tenant, search.store, status, span).await?
    };
    tx.commit().await?;
    Ok(Page::cut(rows, limit, |sale| moment_key(sale.placed_at, sale.id)))
}

/// A stretch of what one store or all sold, put together from as many of each store's as may be wanted.
async fn of_stores(
    tx: &mut Tx,
    tenant: TenantId,
    store: Option<IntegrationId>,
    status: Option<&str>,
    span: Span,
) -> Result<Vec<Listed>, StoreError> {
    let stores = match store {
        Some(store) => vec![store],
        None => keys::names(tx, tenant).await?.into_iter().map(|(store, _)| store).collect(),
    };
    let mut rows = Vec::new();
    for store in stores {
        rows.extend(match status {
            Some(status) => sales::of_status(tx, tenant, store, status, span).await?,
            None => sales::all(tx, tenant, store, span).await?,
        });
    }
    rows.sort_unstable_by_key(|sale| (sale.placed_at, sale.id));
    if span.newest_first {
        rows.reverse();
    }
    rows.truncate(usize::try_from(span.limit).unwrap_or(0));
    Ok(rows)
}

/// How often a list is looked at while somebody has it before them.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What tells one state of a page from another.
#[must_use]
pub fn mark(page: &Page<Listed>) -> String {
    let digest = Sha256::digest(format!("{page:?}"));
    URL_SAFE_NO_PAD.encode(&digest[..12])
}

/// The first page of a search each time that it is another than before; before the first it was the one of the
/// mark `seen`. Ends when the relay stops or the database does not answer.
pub fn watch(
    relay: Relay,
    tenant: TenantId,
    search: Search,
    seen: String,
    limit: i64,
) -> impl Stream<Item = Page<Listed>> {
    stream::unfold((relay, search, seen), move |(relay, search, seen)| async move {
        loop {
            let page = list(&relay, tenant, &search, "", limit).await.ok()?;
            let now = mark(&page);
            if now != seen {
                return Some((page, (relay, search, now)));
            }
            if relay.wake.is_stopping() {
                return None;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    })
}

/// One sale with all that belongs to it.
#[derive(Debug)]
pub struct Whole {
    /// The sale.
    pub shown: Shown,
    /// Its lines, those that the shop has removed included.
    pub lines: Vec<Line>,
    /// What was paid back.
    pub refunds: Vec<Refund>,
    /// The stock that it moved, the oldest movement first.
    pub movements: Vec<OfSale>,
}

/// One sale, if it is there.
///
/// # Errors
/// When the database does not answer.
pub async fn whole(relay: &Relay, tenant: TenantId, id: Uuid) -> Result<Option<Whole>, StoreError> {
    let mut tx = relay.db.read().await?;
    let Some(shown) = sales::get(&mut tx, tenant, id).await? else { return Ok(None) };
    let lines = sale_items::of_sale(&mut tx, tenant, id).await?;
    let refunds = sales::refunds(&mut tx, tenant, id).await?;
    let movements = movements::of_sale(&mut tx, tenant, id).await?;
    tx.commit().await?;
    Ok(Some(Whole { shown, lines, refunds, movements }))
}
