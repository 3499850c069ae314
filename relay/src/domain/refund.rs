//! What was paid back on an order, and which of its units came back with it.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::{
    MappingError, Money, Quantity,
    limits::{self, MAX_UNITS},
    read::{self, Object, Place},
};

/// One refund of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refund {
    /// WooCommerce's id of the refund.
    pub id: u64,
    /// What was paid back, above zero.
    pub amount: Money,
    /// What the shop's people wrote about it.
    pub reason: String,
    /// When; `None` where only the order's own short list of refunds is known.
    pub created_at: Option<DateTime<Utc>>,
    /// What it was for; empty for a mere amount, and where only the short list is known.
    pub lines: Vec<RefundLine>,
}

/// What one refund gave back of one line. Counted towards the customer: WooCommerce's `-2` units at
/// `-20.00` are 2 and 20.00 here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefundLine {
    /// The order's line, where the refund says which.
    pub line_id: Option<u64>,
    /// The units paid back.
    pub quantity: Quantity,
    /// What was paid back for them, without tax.
    pub total: Money,
    /// The tax paid back for them.
    pub total_tax: Money,
    /// How many of them went back into stock, where that can be told. For people only: stock is
    /// posted from the order's lines, whatever stands here.
    pub restocked: Option<Quantity>,
}

/// The order's refunds: those that `detail` (`/orders/{id}/refunds`) tells, and from the order's
/// own short list those that it does not. `restocked` says how many units of each order line ever
/// came back by refunds (`_restock_refunded_items`).
pub(super) fn read(
    order: Object<'_, '_>,
    detail: Option<&Value>,
    restocked: &HashMap<u64, Quantity>,
) -> Result<Vec<Refund>, MappingError> {
    let mut refunds = match detail {
        None | Some(Value::Null) => Vec::new(),
        Some(detail) => {
            limits::check_depth(detail, limits::MAX_DEPTH)?;
            let mut seen = HashSet::new();
            read::each_of(detail, Place::root("facts").key("refunds"), |refund| {
                let read = read_detail(refund)?;
                if seen.insert(read.id) { Ok(read) } else { Err(refund.place.key("id").repeated()) }
            })?
        }
    };
    let short = if detail.is_some() {
        order.each_if_any("refunds", read_short)?
    } else {
        order.each("refunds", read_short)?
    };
    for refund in short {
        if refunds.iter().all(|told| told.id != refund.id) {
            refunds.push(refund);
        }
    }
    tell_restocked(&mut refunds, restocked);
    Ok(refunds)
}

fn read_short(refund: Object<'_, '_>) -> Result<Refund, MappingError> {
    // WooCommerce puts the minus before whatever stands there, nothing included.
    let total = match refund.get("total").and_then(Value::as_str) {
        Some("-") => Money::ZERO,
        _ => refund.money("total")?,
    };
    Ok(Refund {
        id: refund.id("id")?,
        amount: towards_customer(total)?,
        reason: refund.text("reason", limits::MAX_NOTE)?,
        created_at: None,
        lines: Vec::new(),
    })
}

fn read_detail(refund: Object<'_, '_>) -> Result<Refund, MappingError> {
    Ok(Refund {
        id: refund.id("id")?,
        amount: refund.money("amount")?,
        reason: refund.text("reason", limits::MAX_NOTE)?,
        created_at: refund.time("date_created_gmt")?,
        lines: refund.each_if_any("line_items", read_line)?,
    })
}

fn read_line(line: Object<'_, '_>) -> Result<RefundLine, MappingError> {
    let expected = "a number of units, at most 1,000,000";
    let quantity = line.quantity("quantity", expected, (-MAX_UNITS, MAX_UNITS))?;
    Ok(RefundLine {
        line_id: line.meta_id("_refunded_item_id")?,
        quantity: quantity.checked_neg().unwrap_or(Quantity::ZERO),
        total: towards_customer(line.money("total")?)?,
        total_tax: towards_customer(line.money("total_tax")?)?,
        restocked: None,
    })
}

fn towards_customer(amount: Money) -> Result<Money, MappingError> {
    amount.checked_neg().map_err(|_| MappingError::OutOfRange { path: "order.refunds" })
}

/// WooCommerce keeps one tally a line, over all its refunds. It says how much of each refund came
/// back where that leaves no choice: one refund of the line, none of it, or all of it.
fn tell_restocked(refunds: &mut [Refund], tallies: &HashMap<u64, Quantity>) {
    let mut refunded: HashMap<u64, (usize, i128)> = HashMap::new();
    for line in refunds.iter().flat_map(|refund| &refund.lines) {
        if let Some(id) = line.line_id {
            let (times, units) = refunded.entry(id).or_default();
            *times += 1;
            *units += i128::from(line.quantity.thousandths());
        }
    }
    for line in refunds.iter_mut().flat_map(|refund| &mut refund.lines) {
        let Some(id) = line.line_id else { continue };
        let (Some(tally), Some((times, units))) = (tallies.get(&id), refunded.get(&id)) else {
            continue;
        };
        line.restocked = if tally.is_zero() || *times == 1 {
            Some(*tally)
        } else if i128::from(tally.thousandths()) == *units {
            Some(line.quantity)
        } else {
            None
        };
    }
}

#[cfg(test)]
mod tests;
