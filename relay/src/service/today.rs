//! What matters today: what was sold lately, what stock moved, and what waits for somebody.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Relay, decisions};
pub use crate::store::sales::Sold;
use crate::store::{
    IntegrationId, StoreError, TenantId, Tx, conflicts, drifts, inbox, integrations, inventory,
    keys, movements, runs, sales, spools, webhooks,
};

/// Days that the chart shows.
const DAYS: i64 = 14;

/// A day of the chart: 24 hours, the last of them ending now.
#[derive(Debug)]
pub struct Day {
    /// When it began.
    pub from: DateTime<Utc>,
    /// Sales in it.
    pub sales: i64,
}

/// What a spool has to send is here within seconds; so long after that something is wrong.
pub const LATE: TimeDelta = TimeDelta::minutes(15);

/// A spool that was not heard of for so long was given up with what it held.
const FORGOTTEN: TimeDelta = TimeDelta::days(7);

/// A store that was not swept for so long is not looked at as it should be; longer where sweeps are rarer.
const UNSWEPT: TimeDelta = TimeDelta::hours(1);

/// What waits for somebody, and how much of it.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Events that failed.
    pub failed: i64,
    /// Drifts.
    pub drifts: i64,
    /// Sales that do not fit the stock.
    pub conflicts: i64,
    /// Pieces of which nobody has said whose count holds.
    pub links: i64,
    /// Pieces of which more was sold than there was.
    pub below: i64,
}

/// A store that somebody has to look after.
#[derive(Debug)]
pub struct Troubled {
    /// Its key within the tenant.
    pub id: IntegrationId,
    /// Its address.
    pub store: String,
    /// Why.
    pub why: Trouble,
}

/// All of it.
#[derive(Debug)]
pub struct Today {
    /// What was sold in the last 24 hours, by currency.
    pub sold: Vec<Sold>,
    /// The days before, the oldest first, up to now.
    pub days: Vec<Day>,
    /// What stock moved in the last 24 hours: kind of movement, how often, thousandths together.
    pub moved: Vec<(String, i64, i64)>,
    /// What waits.
    pub waiting: Waiting,
    /// Stores that somebody has to look after, each as often as there are reasons.
    pub trouble: Vec<Troubled>,
}

/// Why somebody has to look after a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Two databases claim to be it.
    Halted,
    /// It cannot be asked.
    Error,
    /// Its stock waits for a person's word.
    Held,
    /// So many events wait in the shop, the oldest for longer than [`LATE`].
    Backlog(i64),
    /// Stock does not go back to it.
    Unpushed,
    /// Its webhooks do not come.
    Webhooks,
    /// Nothing was swept since then, and nothing is being swept.
    Unswept(DateTime<Utc>),
}

/// How a tenant stands.
///
/// # Errors
/// When the database does not answer.
pub async fn today(
    relay: &Relay,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> Result<Today, StoreError> {
    let mut tx = relay.db.read().await?;
    let mut days = Vec::new();
    let mut sold = Vec::new();
    for ago in (0..DAYS).rev() {
        let (from, until) = (now - TimeDelta::days(ago + 1), now - TimeDelta::days(ago));
        sold = sales::sold(&mut tx, tenant, from, until).await?;
        days.push(Day { from, sales: sold.iter().map(|sold| sold.sales).sum() });
    }
    let moved = movements::since(&mut tx, tenant, first_key(now - TimeDelta::days(1))).await?;
    let counts = inbox::counts(&mut tx, tenant).await?;
    let failed = counts.into_iter().find(|(status, _)| status == "failed");
    let waiting = Waiting {
        failed: failed.map_or(0, |(_, count)| count),
        drifts: drifts::count_waiting(&mut tx, tenant).await?,
        conflicts: conflicts::count_open(&mut tx, tenant).await?,
        links: decisions::links_waiting(&mut tx, tenant).await?,
        below: inventory::count_below(&mut tx, tenant).await?,
    };
    let between = TimeDelta::from_std(relay.config.sweep_every()).unwrap_or(UNSWEPT);
    let unswept = now - UNSWEPT.max(between * 3);
    let trouble = trouble(&mut tx, tenant, unswept, now).await?;
    tx.commit().await?;
    Ok(Today { sold, days, moved, waiting, trouble })
}

async fn trouble(
    tx: &mut Tx,
    tenant: TenantId,
    unswept: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Troubled>, StoreError> {
    let mut trouble = Vec::new();
    let hooks = webhooks::standing(tx, tenant).await?;
    for store in keys::list(tx, tenant).await? {
        if store.status == "disconnected" {
            continue;
        }
        let unswept = store.last_sync_at.filter(|at| *at < unswept);
        // One that takes long is not one that does not come.
        let in_hand = unswept.is_some() && runs::in_hand(tx, tenant, store.id, now).await?;
        let mut found =
            |why| trouble.push(Troubled { id: store.id, store: store.store.clone(), why });
        if store.halted.is_some() {
            found(Trouble::Halted);
        } else if store.status == "error" {
            found(Trouble::Error);
        } else if let Some(at) = unswept.filter(|_| !in_hand) {
            found(Trouble::Unswept(at));
        }
        if integrations::held_reason(tx, tenant, store.id).await?.is_some() {
            found(Trouble::Held);
        } else if store.push_trouble.is_some() {
            found(Trouble::Unpushed);
        }
        if hooks.iter().any(|hook| hook.integration_id == store.id && hook.state == "failing") {
            found(Trouble::Webhooks);
        }
        let spool = spools::waiting(tx, tenant, store.id, now - FORGOTTEN).await?;
        let since = |spool: &spools::Waiting| spool.oldest_unsent_at.unwrap_or(spool.reported_at);
        let late = |spool: &spools::Waiting| spool.unsent > 0 && since(spool) < now - LATE;
        if let Some(spool) = spool.filter(late) {
            found(Trouble::Backlog(spool.unsent));
        }
    }
    Ok(trouble)
}

/// Less than the key of anything that was made since: keys begin with the millisecond they were made in.
fn first_key(since: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(since.timestamp_millis()).unwrap_or(0);
    let mut key = [0; 16];
    key[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    Uuid::from_bytes(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_made_from_now_on_are_greater_and_those_before_are_not() {
        let (made, now) = (crate::store::new_id(), Utc::now());
        assert!(first_key(now - TimeDelta::milliseconds(5)) < crate::store::new_id());
        assert!(first_key(now + TimeDelta::milliseconds(5)) > made);
    }
}
