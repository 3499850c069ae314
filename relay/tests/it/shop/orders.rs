//! What happens to orders, and what WooCommerce does to the stock for it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use nexpura_protocol::{Resource, Verb};

use super::{Mark, Shop};

/// An order.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) key: String,
    pub(crate) status: String,
    before_trash: Option<String>,
    /// `_order_stock_reduced`.
    pub(crate) flag: bool,
    pub(crate) lines: Vec<Line>,
    pub(crate) refunds: Vec<Refund>,
    pub(crate) email: String,
    pub(crate) customer: u64,
    pub(crate) modified: DateTime<Utc>,
    /// When WooCommerce noted a payment.
    pub(crate) paid: Option<DateTime<Utc>>,
}

/// A line of an order.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) id: u64,
    /// The product or variation.
    pub(crate) product: u64,
    pub(crate) quantity: i64,
    /// For one unit, in millionths.
    pub(crate) price: i64,
    /// `_reduced_stock`.
    pub(crate) reduced: Option<i64>,
    /// `_restock_refunded_items`.
    pub(crate) restocked: i64,
}

/// A refund of an order.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) id: u64,
    /// In cents.
    pub(crate) amount: i64,
    /// The line and its units, unless only money went back.
    pub(crate) line: Option<(u64, i64)>,
}

impl Order {
    /// The sum of the lines, in millionths.
    pub(crate) fn lines_sum(&self) -> i64 {
        self.lines.iter().map(Line::total).sum()
    }

    /// What the customer pays: the sum rounded half up to cents, in millionths.
    pub(crate) fn total(&self) -> i64 {
        (self.lines_sum() + 5_000).div_euclid(10_000) * 10_000
    }
}

impl Line {
    /// In millionths.
    pub(crate) fn total(&self) -> i64 {
        self.quantity * self.price
    }
}

/// The statuses in which WooCommerce keeps the stock reduced, and adjusts it when lines are edited.
fn reduces(status: &str) -> bool {
    matches!(status, "processing" | "on-hold" | "completed")
}

impl Shop {
    /// An order of these products and units that waits for its payment.
    pub(crate) fn order(&mut self, lines: &[(u64, i64)]) -> (u64, Vec<Mark>) {
        self.order_in("pending", lines)
    }

    /// A checkout that a visitor of the block checkout has begun: no hook tells of it.
    pub(crate) fn draft(&mut self, lines: &[(u64, i64)]) -> u64 {
        self.order_in("checkout-draft", lines).0
    }

    /// An order that is paid at once.
    pub(crate) fn paid_order(&mut self, lines: &[(u64, i64)]) -> (u64, Vec<Mark>) {
        let (id, mut marks) = self.order(lines);
        marks.extend(self.enter(id, "processing"));
        (id, marks)
    }

    pub(crate) fn order_in(&mut self, status: &str, lines: &[(u64, i64)]) -> (u64, Vec<Mark>) {
        let id = self.next_id();
        let lines =
            lines.iter().map(|(product, quantity)| self.new_line(*product, *quantity)).collect();
        let order = Order {
            id,
            key: format!("wc_order_{id}"),
            status: status.to_owned(),
            before_trash: None,
            flag: false,
            lines,
            refunds: Vec::new(),
            email: format!("Buyer{}@Example.test", id % 3),
            customer: 0,
            modified: Utc::now(),
            paid: None,
        };
        self.orders.insert(id, order);
        (id, vec![Mark { resource: Resource::Order, id, verb: Verb::Created }])
    }

    fn new_line(&mut self, product: u64, quantity: i64) -> Line {
        // Thirds do not come out even in cents, which leaves a rounding.
        let price = 33_333_333 + i64::try_from(product % 7).unwrap_or(0) * 1_111_111;
        Line { id: self.next_id(), product, quantity, price, reduced: None, restocked: 0 }
    }

    /// `set_status()` and save, with what WooCommerce hooks on it.
    pub(crate) fn enter(&mut self, id: u64, status: &str) -> Vec<Mark> {
        let Some(order) = self.orders.get_mut(&id) else { return Vec::new() };
        if order.status == status || order.status == "trash" {
            return Vec::new();
        }
        self.become_status(id, status, Verb::Updated)
    }

    fn become_status(&mut self, id: u64, status: &str, verb: Verb) -> Vec<Mark> {
        let Some(order) = self.orders.get_mut(&id) else { return Vec::new() };
        order.status = status.to_owned();
        order.modified = Utc::now();
        if matches!(status, "processing" | "completed") {
            order.paid = order.paid.or(Some(order.modified));
        }
        let (flag, lines) = (order.flag, order.lines.clone());
        let mut touched = BTreeSet::from([Mark { resource: Resource::Order, id, verb }]);
        if reduces(status) && !flag {
            for line in lines.iter().filter(|line| line.reduced.unwrap_or(0) == 0) {
                if self.managed(line.product) {
                    touched.extend(self.add_to_stock(line.product, -line.quantity));
                    self.line_mut(id, line.id).reduced = Some(line.quantity);
                }
            }
            self.set_flag(id, true);
        }
        if matches!(status, "cancelled" | "pending") && flag {
            for line in &lines {
                let Some(reduced) = line.reduced.filter(|reduced| *reduced != 0) else { continue };
                if self.managed(line.product) {
                    touched.extend(self.add_to_stock(line.product, reduced));
                    self.line_mut(id, line.id).reduced = None;
                }
            }
            self.set_flag(id, false);
        }
        touched.into_iter().collect()
    }

    /// A person sets a line's quantity on the order's page.
    pub(crate) fn edit(&mut self, id: u64, line: usize, quantity: i64) -> Vec<Mark> {
        let Some(line) = self.line(id, line) else { return Vec::new() };
        self.line_mut(id, line.id).quantity = quantity;
        let mut touched = self.order_touched(id);
        if reduces(&self.orders[&id].status) {
            touched.extend(self.adjust(id, line.id, quantity));
        }
        touched
    }

    /// A person adds a line on the order's page and saves it.
    pub(crate) fn add_line(&mut self, id: u64, product: u64, quantity: i64) -> Vec<Mark> {
        let Some(order) = self.orders.get(&id) else { return Vec::new() };
        // Elsewhere WooCommerce leaves the line out of the stock although the order's flag is set.
        if !(reduces(&order.status) || order.status == "pending") {
            return Vec::new();
        }
        let line = self.new_line(product, quantity);
        let line_id = line.id;
        if let Some(order) = self.orders.get_mut(&id) {
            order.lines.push(line);
        }
        let mut touched = self.order_touched(id);
        if reduces(&self.orders[&id].status) {
            touched.extend(self.adjust(id, line_id, quantity));
        }
        touched
    }

    /// A person removes a line: whatever it had taken comes back.
    pub(crate) fn remove_line(&mut self, id: u64, line: usize) -> Vec<Mark> {
        let Some(line) = self.line(id, line) else { return Vec::new() };
        let mut touched = self.order_touched(id);
        touched.extend(self.adjust(id, line.id, 0));
        if let Some(order) = self.orders.get_mut(&id) {
            order.lines.retain(|one| one.id != line.id);
        }
        touched
    }

    /// `wc_maybe_adjust_line_item_product_stock()`.
    fn adjust(&mut self, id: u64, line: u64, quantity: i64) -> Option<Mark> {
        let line = self.line_mut(id, line).clone();
        if !self.managed(line.product) {
            return None;
        }
        let reduced = line.reduced.unwrap_or(0);
        let diff = if quantity == 0 { -reduced } else { quantity - line.restocked - reduced };
        if diff == 0 {
            return None;
        }
        let touched = self.add_to_stock(line.product, -diff);
        self.line_mut(id, line.id).reduced = Some(quantity - line.restocked);
        if quantity > 0 {
            self.set_flag(id, true);
        }
        touched
    }

    /// A refund of some units, put back into stock or not.
    pub(crate) fn refund(&mut self, id: u64, line: usize, units: i64, restock: bool) -> Vec<Mark> {
        let Some(line) = self.line(id, line) else { return Vec::new() };
        if units < 1 {
            return Vec::new();
        }
        let refund = Refund {
            id: self.next_id(),
            amount: units * line.price / 10_000,
            line: Some((line.id, units)),
        };
        if let Some(order) = self.orders.get_mut(&id) {
            order.refunds.push(refund);
        }
        let mut touched = self.order_touched(id);
        // A tally of 0 counts as none.
        let reduced = line.reduced.filter(|reduced| *reduced != 0);
        if let Some(reduced) = reduced.filter(|_| restock && self.managed(line.product)) {
            touched.extend(self.add_to_stock(line.product, units));
            let line = self.line_mut(id, line.id);
            (line.reduced, line.restocked) = (Some(reduced - units), line.restocked + units);
        }
        touched
    }

    pub(crate) fn trash(&mut self, id: u64) -> Vec<Mark> {
        let standing = |order: &&mut Order| !matches!(&*order.status, "trash" | "checkout-draft");
        let Some(order) = self.orders.get_mut(&id).filter(standing) else { return Vec::new() };
        order.before_trash = Some(std::mem::replace(&mut order.status, "trash".to_owned()));
        order.modified = Utc::now();
        vec![Mark { resource: Resource::Order, id, verb: Verb::Deleted }]
    }

    pub(crate) fn untrash(&mut self, id: u64) -> Vec<Mark> {
        let Some(order) = self.orders.get_mut(&id) else { return Vec::new() };
        let Some(status) = order.before_trash.take().filter(|_| order.status == "trash") else {
            return Vec::new();
        };
        self.become_status(id, &status, Verb::Restored)
    }

    /// Removes an order for good. Its event has to be captured before: afterwards there is nothing.
    pub(crate) fn delete(&mut self, id: u64) {
        if let Some(order) = self.orders.remove(&id) {
            self.deleted.insert(id, order);
        }
    }

    /// The line at this place, counted round.
    fn line(&self, id: u64, at: usize) -> Option<Line> {
        let lines = &self.orders.get(&id)?.lines;
        let at = at.checked_rem(lines.len())?;
        lines.get(at).cloned()
    }

    fn line_mut(&mut self, id: u64, line: u64) -> &mut Line {
        let order = self.orders.get_mut(&id).expect("the order");
        order.lines.iter_mut().find(|one| one.id == line).expect("the line")
    }

    fn set_flag(&mut self, id: u64, flag: bool) {
        if let Some(order) = self.orders.get_mut(&id) {
            order.flag = flag;
        }
    }

    fn order_touched(&mut self, id: u64) -> Vec<Mark> {
        if let Some(order) = self.orders.get_mut(&id) {
            order.modified = Utc::now();
        }
        vec![Mark { resource: Resource::Order, id, verb: Verb::Updated }]
    }
}
