//! What waits for a person's word: drift, conflicts, and pieces of which nobody has said whose count holds.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Relay,
    adjust::By,
    drift::{self, DriftError, Verdict},
    links::{self, Link},
};
use crate::store::{
    self, IntegrationId, StoreError, TenantId, Tx, conflicts,
    drifts::{self, Wanted},
    inventory::Texts,
    keys,
    page::{MAX_LIMIT, Page, read_id},
};
pub use crate::store::{
    conflicts::Shown as Conflict,
    drifts::{Bulk, Found as Drift, Waiting as WaitingDrift},
};

/// So many of all else are shown beside the drifts that wait.
const BESIDE: i64 = 10;

/// Which drifts.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// How the SKU or the name of their piece begins; empty for all.
    pub text: String,
    /// Only those of this store.
    pub store: Option<IntegrationId>,
}

impl Search {
    /// Whether it leaves any out.
    #[must_use]
    pub fn narrows(&self) -> bool {
        self.store.is_some() || !self.text.trim().is_empty()
    }

    fn wanted(&self) -> Wanted {
        let text = self.text.trim().to_ascii_lowercase();
        let texts = (!text.is_empty()).then(|| Texts::beginning_with(&text));
        Wanted { texts, store: self.store }
    }
}

/// What waits beside the drifts, and what was decided last.
#[derive(Debug)]
pub struct Others {
    /// Oversales, and paid lines that never left the shop's stock; the newest.
    pub conflicts: Page<Conflict>,
    /// Pieces that both sides have; the first of them.
    pub links: Page<Link>,
    /// Drifts that were decided last.
    pub lately: Vec<Drift>,
}

fn key(after: &str) -> Uuid {
    read_id(after).unwrap_or(Uuid::max())
}

/// How many listings wait for a choice: asked store by store, as the index has them.
///
/// # Errors
/// When the database does not answer.
pub async fn links_waiting(tx: &mut Tx, tenant: TenantId) -> Result<i64, StoreError> {
    let mut waiting = 0;
    for (store, _) in keys::names(tx, tenant).await? {
        waiting += store::links::count_waiting(tx, tenant, store, None).await?;
    }
    Ok(waiting)
}

/// One page of the drifts that wait. `after` is the `next` of the page before; one that was tampered with
/// begins anew.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(
    relay: &Relay,
    tenant: TenantId,
    search: &Search,
    after: &str,
    limit: i64,
) -> Result<Page<WaitingDrift>, StoreError> {
    let mut tx = relay.db.read().await?;
    let rows = drifts::waiting(&mut tx, tenant, &search.wanted(), key(after), limit + 1).await?;
    tx.commit().await?;
    Ok(Page::cut(rows, limit, |drift| drift.id.to_string()))
}

/// What else waits, and what was decided last; of each the first.
///
/// # Errors
/// When the database does not answer.
pub async fn others(relay: &Relay, tenant: TenantId) -> Result<Others, StoreError> {
    let mut tx = relay.db.read().await?;
    let links_wait = links_waiting(&mut tx, tenant).await? > 0;
    let all = Wanted::default();
    let lately = drifts::found(&mut tx, tenant, &all, false, Uuid::max(), BESIDE).await?;
    tx.commit().await?;
    let conflicts = conflicts(relay, tenant, "", BESIDE).await?;
    let mut links = Page { items: Vec::new(), next: None };
    if links_wait {
        links = self::links(relay, tenant, "", BESIDE).await?;
    }
    Ok(Others { conflicts, links, lately })
}

/// One page of the conflicts that wait, the newest first. `after` is the `next` of the page before; one that was
/// tampered with begins anew, here and below.
///
/// # Errors
/// When the database does not answer.
pub async fn conflicts(
    relay: &Relay,
    tenant: TenantId,
    after: &str,
    limit: i64,
) -> Result<Page<Conflict>, StoreError> {
    let mut tx = relay.db.read().await?;
    let rows = conflicts::open(&mut tx, tenant, key(after), limit + 1).await?;
    tx.commit().await?;
    Ok(Page::cut(rows, limit, |conflict| conflict.id.to_string()))
}

/// One page of the pieces of which nobody has said whose count holds, in the order in which they were found.
///
/// # Errors
/// When the database does not answer.
pub async fn links(
    relay: &Relay,
    tenant: TenantId,
    after: &str,
    limit: i64,
) -> Result<Page<Link>, StoreError> {
    links::waiting(relay, tenant, None, read_id(after), limit).await
}

/// One page of drifts, the newest first: those that are decided, and where `undecided`, those that wait as
/// well.
///
/// # Errors
/// When the database does not answer.
pub async fn drifts(
    relay: &Relay,
    tenant: TenantId,
    search: &Search,
    undecided: bool,
    after: &str,
    limit: i64,
) -> Result<Page<Drift>, StoreError> {
    let (wanted, before) = (search.wanted(), key(after));
    let mut tx = relay.db.read().await?;
    let rows = drifts::found(&mut tx, tenant, &wanted, undecided, before, limit + 1).await?;
    tx.commit().await?;
    Ok(Page::cut(rows, limit, |found| found.drift.id.to_string()))
}

/// What deciding all alike that wait and are searched for would come to.
///
/// # Errors
/// When the database does not answer.
pub async fn bulk(relay: &Relay, tenant: TenantId, search: &Search) -> Result<Bulk, StoreError> {
    let mut tx = relay.db.read().await?;
    let bulk = drifts::bulk(&mut tx, tenant, &search.wanted()).await?;
    tx.commit().await?;
    Ok(bulk)
}

/// What became of deciding all that waits alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Together {
    /// Drifts that were decided.
    pub decided: usize,
    /// Drifts that wait on: their numbers are newer than what was looked at, or cannot be relied on now.
    pub left: usize,
}

/// Decides every drift alike that is searched for and whose numbers are not newer than what was looked at, at `seen_at`.
///
/// # Errors
/// When the database does not answer.
pub async fn decide_drifts(
    relay: &Relay,
    tenant: TenantId,
    search: &Search,
    (verdict, seen_at): (Verdict, DateTime<Utc>),
    by: By<'_>,
    now: DateTime<Utc>,
) -> Result<Together, StoreError> {
    let (wanted, mut before) = (search.wanted(), Uuid::max());
    let mut done = Together::default();
    loop {
        let mut tx = relay.db.read().await?;
        let waiting = drifts::waiting(&mut tx, tenant, &wanted, before, MAX_LIMIT).await?;
        tx.commit().await?;
        let Some(last) = waiting.last() else { return Ok(done) };
        before = last.id;
        for one in waiting {
            if one.created_at > seen_at {
                done.left += 1;
                continue;
            }
            let word = (verdict, one.changes);
            match drift::decide(relay, tenant, one.id, word, by, now).await {
                Ok(()) => done.decided += 1,
                // Somebody else has decided it, or it went away.
                Err(DriftError::Unknown) => {}
                Err(
                    DriftError::Changed
                    | DriftError::Overtaken
                    | DriftError::Unread(_)
                    | DriftError::Frozen(_),
                ) => done.left += 1,
                Err(DriftError::Store(error)) => return Err(error),
            }
        }
    }
}
