//! How far a listing is read that changes while it is read.
//!
//! Rows of a listing that leave it (deleted, in the trash, of another role) move all that follow to the front, past
//! where the next page begins. So each page overlaps the last by one row: where that row, or one before it, does not
//! come first, rows have slid past, and what lies before is asked for until the two meet.

use serde_json::Value;

use super::{Page, shape};
use crate::channel::ChannelError;

/// Steps back with nothing new between them after which a store is one that cannot be read: as many as lead to the
/// beginning of any listing, and some more.
const IN_VAIN: u32 = 40;

/// Up to where a listing is read, and where the next page begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    offset: u64,
    last: u64,
    /// How far the next step back goes beyond the one before.
    back: u64,
    /// Steps back since the last page that held something new.
    in_vain: u32,
    /// Whether the store keeps rows to itself just here, so that no page can begin with one that is known.
    blind: bool,
}

/// What a page is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// Nothing: rows may lie between it and what was read. The next is to be asked for.
    Not,
    /// It follows what was read, and more follows it.
    More,
    /// It follows what was read, and is the last.
    Last,
}

impl Reach {
    /// Where a reading goes on: how many rows come before the next page, and the last id that is in. Both are 0 for
    /// one that begins.
    #[must_use]
    pub fn at(offset: u64, last: u64) -> Self {
        Self { offset, last, ..Self::default() }
    }

    /// How many rows come before the next page.
    #[must_use]
    pub fn offset(self) -> u64 {
        self.offset
    }

    /// The id of the last row that is in; 0 for none.
    #[must_use]
    pub fn last(self) -> u64 {
        self.last
    }

    /// Looks at the page that begins at [`offset`](Self::offset), takes the row from it that is in already, and goes
    /// on to the next.
    ///
    /// # Errors
    /// `WrongShape` when the store's pages never meet.
    pub fn meet(&mut self, page: &mut Page, per_page: u32) -> Result<Met, ChannelError> {
        let ids = page.items.iter().map(shape::identified).collect::<Result<Vec<_>, _>>()?;
        let (per_page, rows) = (u64::from(per_page), ids.len() as u64);
        let there = page.total.saturating_sub(self.offset);
        let end = ids.last().copied().unwrap_or_default();
        // Where another plugin has its own order, ids say nothing: pages count by their places alone.
        let ordered = ids.is_sorted();
        let begins = self.offset == 0;
        let too_many = rows > there && !begins;
        let follows = match ids.first() {
            _ if begins => true,
            Some(first) => !ordered || self.blind || *first <= self.last,
            None => self.blind && there > 0,
        };
        if too_many || !follows {
            if self.in_vain == IN_VAIN {
                return Err(ChannelError::WrongShape(
                    "pages of a list that do not meet".to_owned(),
                ));
            }
            self.in_vain += 1;
            if !too_many {
                self.back = (self.back * 2).max(1);
                self.offset = self.offset.saturating_sub(self.back);
            }
            return Ok(Met::Not);
        }
        let news = end > self.last || (!ordered && rows > 1);
        self.blind = !news && rows < there.min(per_page);
        self.back = 0;
        if news {
            self.in_vain = 0;
        }
        let known = self.last;
        page.items.retain(|item| item.get("id").and_then(Value::as_u64) != Some(known));
        self.last = if ordered { self.last.max(end) } else { end };
        if there > per_page {
            self.offset += per_page.saturating_sub(1).max(1);
            return Ok(Met::More);
        }
        self.offset += rows.saturating_sub(1);
        // A store that heeds no offset ends like this: only its last row, asked for by itself, says which it is.
        let doubtful = !news && !begins && rows > 1;
        Ok(if doubtful { Met::More } else { Met::Last })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EACH: u32 = 10;

    /// One page of a list of these ids, of which the odd `hidden` ones are counted and not shown.
    fn page(list: &[u64], hidden: &[u64], offset: u64) -> Page {
        let offset = usize::try_from(offset).unwrap();
        let there = list.iter().skip(offset).take(EACH as usize);
        let shown = there.filter(|id| !hidden.contains(id)).map(|id| json!({ "id": id }));
        // As WordPress: a page beyond the end knows of no rows at all.
        let total = if offset < list.len() { list.len() as u64 } else { 0 };
        Page { items: shown.collect(), total, slow: 0 }
    }

    /// Reads a list that is, before each request, as `list` makes it; gives what came in, and the requests.
    fn read(mut list: impl FnMut(usize) -> Vec<u64>, hidden: &[u64]) -> (Vec<u64>, usize) {
        let (mut reach, mut read) = (Reach::default(), Vec::new());
        for asked in 0..200 {
            let mut page = page(&list(asked), hidden, reach.offset());
            let met = reach.meet(&mut page, EACH).unwrap();
            if met != Met::Not {
                read.extend(page.items.iter().map(|item| item["id"].as_u64().unwrap()));
            }
            if met == Met::Last {
                read.sort_unstable();
                read.dedup();
                return (read, asked + 1);
            }
        }
        panic!("it never ends: {reach:?}");
    }

    fn ids(count: u64) -> Vec<u64> {
        (1..=count).collect()
    }

    #[test]
    fn a_list_that_keeps_still_costs_one_row_a_page() {
        for (rows, requests) in [(0, 1), (1, 1), (10, 1), (11, 2), (19, 2), (20, 3), (100, 11)] {
            assert_eq!(read(|_| ids(rows), &[]), (ids(rows), requests), "{rows} rows");
        }
    }

    #[test]
    fn whatever_leaves_a_list_and_whenever_takes_nothing_else_with_it() {
        for at in 1..9 {
            for gone in 1..70 {
                for from in 0..70 {
                    let leaves = |id: &u64| (from..from + gone).contains(id);
                    let list = |asked| {
                        let mut list = ids(75);
                        list.retain(|id| asked < at || !leaves(id));
                        list
                    };
                    let (read, _) = read(list, &[]);
                    let stays = ids(75).into_iter().filter(|id| !leaves(id));
                    for id in stays {
                        assert!(
                            read.contains(&id),
                            "{id}: {gone} from {from} before {at}: {read:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_comes_in_before_is_no_hindrance() {
        for more in [1, 9, 10, 40, 200] {
            let list = |asked| match asked {
                0..3 => (1_000..1_050).collect(),
                _ => (0..more).map(|n| n + 1).chain(1_000..1_050).collect::<Vec<_>>(),
            };
            let (read, _) = read(list, &[]);
            assert!((1_000..1_050).all(|id| read.contains(&id)), "{more}: {read:?}");
        }
    }

    #[test]
    fn rows_that_a_store_keeps_to_itself_hold_nothing_up() {
        for hidden in [vec![10], vec![20, 19], ids(10), (9..60).collect(), (30..=75).collect()] {
            let (read, requests) = read(|_| ids(75), &hidden);
            let shown: Vec<_> = ids(75).into_iter().filter(|id| !hidden.contains(id)).collect();
            assert_eq!(read, shown, "{hidden:?}");
            assert!(requests < 30, "{requests} for {hidden:?}");
        }
    }

    #[test]
    fn a_list_in_another_order_is_read_by_its_places() {
        let mixed = |_| (1..=75).map(|n| n * 31 % 76).collect();
        assert_eq!(read(mixed, &[]), (ids(75), 9));
        assert_eq!(read(|_| (1..=75).rev().collect(), &[]), (ids(75), 9));
    }

    #[test]
    fn a_store_that_begins_where_it_likes_is_told_of() {
        for (begins, total) in [(0, 75), (0, 73), (3, 75), (3, 73), (10, 75), (40, 75)] {
            let mut reach = Reach::default();
            let outcome = (0..200).find_map(|_| {
                // It heeds no offset; it only knows where its lists begin.
                let from = if reach.offset() == 0 { 0 } else { begins };
                let mut page = Page { total, ..page(&ids(75), &[], from) };
                match reach.meet(&mut page, EACH) {
                    Ok(Met::Last) => Some(Ok(())),
                    Ok(_) => None,
                    Err(error) => Some(Err(error)),
                }
            });
            assert!(
                matches!(outcome, Some(Err(ChannelError::WrongShape(_)))),
                "{begins}: {outcome:?}"
            );
        }
    }

    #[test]
    fn one_that_was_let_go_goes_on_where_it_stood() {
        let mut reach = Reach::default();
        assert_eq!(reach.meet(&mut page(&ids(25), &[], 0), EACH), Ok(Met::More));
        let mut reach = Reach::at(reach.offset(), reach.last());
        let mut next = page(&ids(25), &[], reach.offset());
        assert_eq!(reach.meet(&mut next, EACH), Ok(Met::More));
        assert_eq!(next.items.len(), 9, "without the one that was in");
        assert_eq!((reach.offset(), reach.last()), (18, 19));
    }
}
