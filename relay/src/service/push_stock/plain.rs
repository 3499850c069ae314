//! The plain way: without the plugin a stock can only be read and written, so what is written is
//! remembered first.
//!
//! Between the reading and the writing a sale may come in and be overwritten; nothing in WooCommerce's
//! REST API rules that out. What a retry finds tells whether the writing took place. Where it does not
//! tell, nothing is guessed: the push is doubtful, and a settled reading decides.

use std::collections::{BTreeMap, HashMap};

use super::{Outcome, Sent, Trouble};
use crate::{
    channel::{
        ChannelError,
        woocommerce::{Client, Listing, StockWrite},
    },
    service::{Relay, stock_reading, store_client},
    store::{
        StoreError, TenantId, integrations,
        integrations::Integration,
        pushes::{self, Attempt, Push},
    },
};

/// What the shop shows of a stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// In thousandths.
    Units(i64),
    Unmanaged,
    Missing,
}

/// What is to be done about one push.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Write(Attempt),
    End(Outcome),
}

/// Reads each stock, remembers what it is to become, writes it, and reads it again.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn send(
    relay: &Relay,
    tenant: TenantId,
    store: &Integration,
    claimed: &[Push],
) -> Result<Sent, StoreError> {
    let stopped = |trouble| Sent { trouble: Some(trouble), ..Sent::default() };
    let client = match store_client::client(relay, tenant, store) {
        Ok(client) => client,
        Err(error) => return Ok(stopped(Trouble::here(error))),
    };
    let seen = match look(&client, claimed).await {
        Ok(seen) => seen,
        Err(error) => return Ok(stopped(Trouble::of(error))),
    };
    let steps: Vec<Step> = claimed
        .iter()
        .map(|push| decide(push, seen.get(&push.stock_id).copied().unwrap_or(Seen::Missing)))
        .collect();

    let mut tx = relay.db.write().await?;
    integrations::lock(&mut tx, tenant, store.id).await?;
    if pushes::held(&mut tx, tenant, claimed).await?.len() < claimed.len() {
        // Reading took so long that another relay has taken some of it up.
        return Ok(stopped(Trouble::taken_up()));
    }
    for (push, step) in claimed.iter().zip(&steps) {
        if let Step::Write(attempt) = step {
            pushes::remember(&mut tx, tenant, push.id, *attempt).await?;
        }
    }
    tx.commit().await?;

    let writing: Vec<(&Push, Attempt)> = claimed
        .iter()
        .zip(&steps)
        .filter_map(|(push, step)| match step {
            Step::Write(attempt) => Some((push, *attempt)),
            Step::End(_) => None,
        })
        .collect();
    let (mut trouble, read_only) = match write(&client, &writing).await {
        Ok(()) => (None, false),
        // The same key has just been taken for reading.
        Err(ChannelError::Unauthorized) => (None, true),
        Err(error) => (Some(Trouble::of(error)), false),
    };
    let mut after = HashMap::new();
    if trouble.is_none() && !read_only && !writing.is_empty() {
        let written: Vec<Push> = writing.iter().map(|(push, _)| (*push).clone()).collect();
        match look(&client, &written).await {
            Ok(seen) => after = seen,
            Err(error) => trouble = Some(Trouble::of(error)),
        }
    }
    let outcomes = claimed
        .iter()
        .zip(steps)
        .map(|(push, step)| match step {
            Step::End(outcome) => Some(outcome),
            Step::Write(_) if read_only => Some(Outcome::Later("the key may only read")),
            Step::Write(attempt) => after.get(&push.stock_id).map(|after| judge(attempt, *after)),
        })
        .collect();
    Ok(Sent { outcomes, trouble, read_only })
}

/// What is to be done, by what is remembered and what is seen.
fn decide(push: &Push, seen: Seen) -> Step {
    let units = match seen {
        Seen::Units(units) => units,
        Seen::Unmanaged => return Step::End(Outcome::Unmanaged),
        Seen::Missing => return Step::End(Outcome::Missing),
    };
    match push.attempt {
        Some(attempt) if attempt.target == units => Step::End(Outcome::Done),
        Some(attempt) if attempt.reading == units => Step::Write(attempt),
        Some(_) => Step::End(Outcome::Doubtful),
        None => match units.checked_add(push.delta) {
            // A shop counts in whole units unless a plugin says otherwise; half a unit would be cut off
            // without a word.
            Some(target) if units % 1000 == 0 && target % 1000 != 0 => {
                Step::End(Outcome::Later("the shop counts in whole units"))
            }
            Some(target) => Step::Write(Attempt { reading: units, target }),
            None => Step::End(Outcome::Later("the shop's stock is no number that can be added to")),
        },
    }
}

/// What a stock that reads so after the writing says about it.
fn judge(attempt: Attempt, after: Seen) -> Outcome {
    match after {
        Seen::Units(units) if units == attempt.target => Outcome::Done,
        // WooCommerce leaves a value out that it believes to be there already.
        Seen::Units(units) if units == attempt.reading => {
            Outcome::Later("the shop took the new stock and did not keep it")
        }
        Seen::Units(_) => Outcome::Doubtful,
        Seen::Unmanaged => Outcome::Unmanaged,
        Seen::Missing => Outcome::Missing,
    }
}

/// What the shop shows of the pushes' stocks.
async fn look(client: &Client, pushes: &[Push]) -> Result<HashMap<i64, Seen>, ChannelError> {
    let stocks = pushes.iter().map(|push| (push.stock_id, push.parent_id));
    let shown = stock_reading::read(client, stocks).await?;
    Ok(shown
        .into_iter()
        .map(|(stock_id, item)| {
            let seen = match &item {
                None => Seen::Missing,
                Some(item) => stock_reading::units(item).map_or(Seen::Unmanaged, Seen::Units),
            };
            (stock_id, seen)
        })
        .collect())
}

/// Writes the new stocks, those of each parent's variations together. One that the shop refuses shows
/// when all are read again.
async fn write(client: &Client, writing: &[(&Push, Attempt)]) -> Result<(), ChannelError> {
    let mut by_parent: BTreeMap<Option<i64>, Vec<StockWrite>> = BTreeMap::new();
    for (push, attempt) in writing {
        let stock_id = u64::try_from(push.stock_id).unwrap_or_default();
        let write = StockWrite { stock_id, thousandths: attempt.target };
        by_parent.entry(push.parent_id).or_default().push(write);
    }
    for (parent, writes) in by_parent {
        let listing = match parent.and_then(|parent| u64::try_from(parent).ok()) {
            Some(parent) => Listing::Variations { parent },
            None => Listing::Products,
        };
        client.write_stock(listing, &writes).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn push(delta: i64, attempt: Option<(i64, i64)>) -> Push {
        Push {
            id: Uuid::nil(),
            listing_id: Uuid::nil(),
            stock_id: 7,
            parent_id: None,
            push_no: None,
            delta,
            attempt: attempt.map(|(reading, target)| Attempt { reading, target }),
            attempts: 0,
            claim: 1,
        }
    }

    #[test]
    fn a_first_try_adds_to_what_is_read() {
        let step = decide(&push(-2_000, None), Seen::Units(5_000));
        assert_eq!(step, Step::Write(Attempt { reading: 5_000, target: 3_000 }));
        let below = decide(&push(-6_000, None), Seen::Units(5_000));
        assert_eq!(below, Step::Write(Attempt { reading: 5_000, target: -1_000 }));
    }

    #[test]
    fn a_retry_knows_its_own_work_and_guesses_nothing_else() {
        let again = push(-2_000, Some((5_000, 3_000)));
        assert_eq!(decide(&again, Seen::Units(3_000)), Step::End(Outcome::Done));
        let same = Attempt { reading: 5_000, target: 3_000 };
        assert_eq!(decide(&again, Seen::Units(5_000)), Step::Write(same));
        assert_eq!(decide(&again, Seen::Units(4_000)), Step::End(Outcome::Doubtful));
        assert_eq!(decide(&again, Seen::Missing), Step::End(Outcome::Missing));
        assert_eq!(decide(&again, Seen::Unmanaged), Step::End(Outcome::Unmanaged));
    }

    #[test]
    fn half_a_unit_goes_only_where_halves_are_counted() {
        assert!(matches!(
            decide(&push(500, None), Seen::Units(5_000)),
            Step::End(Outcome::Later(_))
        ));
        let halves = decide(&push(500, None), Seen::Units(5_500));
        assert_eq!(halves, Step::Write(Attempt { reading: 5_500, target: 6_000 }));
    }

    #[test]
    fn what_reads_otherwise_after_the_writing_is_doubtful() {
        let attempt = Attempt { reading: 5_000, target: 3_000 };
        assert_eq!(judge(attempt, Seen::Units(3_000)), Outcome::Done);
        assert_eq!(judge(attempt, Seen::Units(2_000)), Outcome::Doubtful);
        assert!(matches!(judge(attempt, Seen::Units(5_000)), Outcome::Later(_)));
    }
}
