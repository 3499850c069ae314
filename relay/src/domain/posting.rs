//! How many units an order has taken out of a stock, and what of that has still to be posted.

use super::{OrderStatus, Quantity, QuantityError, SaleLine};

/// What is known of an order's stock flag, WooCommerce's own note that the order's stock was
/// reduced (`_order_stock_reduced`): set, cleared, or not told.
pub type StockFlag = Option<bool>;

/// The stock flag after an order was seen in `status`.
///
/// What the shop's plugin told holds. Without it the flag follows the statuses at which WooCommerce
/// sets and clears it; any other status (failed, refunded, trash, a plugin's own) leaves it as it
/// last was, and not set where the order was never seen before.
///
/// Source: `wc_maybe_reduce_stock_levels` and `wc_maybe_increase_stock_levels` in WooCommerce's
/// `includes/wc-stock-functions.php`.
#[must_use]
pub fn flag_after(status: &OrderStatus, told: StockFlag, last: StockFlag) -> bool {
    told.unwrap_or(match status {
        OrderStatus::Processing | OrderStatus::OnHold | OrderStatus::Completed => true,
        OrderStatus::Cancelled | OrderStatus::Pending => false,
        OrderStatus::Refunded
        | OrderStatus::Failed
        | OrderStatus::Trash
        | OrderStatus::CheckoutDraft
        | OrderStatus::Other(_) => last.unwrap_or(false),
    })
}

/// How many units of `line` have left the shop's stock.
///
/// `flag` is [`flag_after`]'s answer. `last_known` is what this function last answered for the line.
///
/// The shop's own tally of the line (`_reduced_stock`) is the truth wherever it is kept, and the
/// trash changes nothing about it, since WooCommerce restocks nothing then. A line without one is
/// out of stock with its whole quantity while the flag is set and the status is neither cancelled
/// nor pending. Stock that is not managed was never taken from.
///
/// A line that is gone wants nothing: WooCommerce puts its units back on removing it. An order that
/// is deleted is left as it stands; there is nothing to ask here.
#[must_use]
pub fn desired(
    status: &OrderStatus,
    flag: StockFlag,
    line: &SaleLine,
    last_known: Option<Quantity>,
) -> Quantity {
    if let Some(reduced) = line.reduced {
        return reduced;
    }
    let last_known = last_known.unwrap_or(Quantity::ZERO);
    let taken = match status {
        OrderStatus::Cancelled | OrderStatus::Pending => false,
        _ => flag.unwrap_or_else(|| flag_after(status, None, None)),
    };
    let keeps_last = match status {
        // As it last stood, except that a cleared flag says that everything had come back.
        OrderStatus::Trash => flag != Some(false),
        // Neither the status nor anybody else says anything.
        OrderStatus::Failed
        | OrderStatus::Refunded
        | OrderStatus::CheckoutDraft
        | OrderStatus::Other(_) => flag.is_none(),
        _ => false,
    };
    // Once its product is deleted nobody can say whose the stock was, and WooCommerce can neither
    // take from it nor put anything back.
    let product_is_gone = line.managed == Some(false) && line.stock_id.is_none();
    if keeps_last || (taken && product_is_gone) {
        last_known
    } else if taken && line.managed != Some(false) {
        line.quantity
    } else {
        Quantity::ZERO
    }
}

/// What has still to be posted: above zero where more units have left the stock.
///
/// # Errors
/// It is out of range.
pub fn delta(desired: Quantity, posted: Quantity) -> Result<Quantity, QuantityError> {
    desired.checked_sub(posted)
}

/// What one order line has still to post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// WooCommerce's id of the line.
    pub line: u64,
    /// Units that left the stock since the last posting; below zero where units came back.
    pub delta: Quantity,
}

impl Posting {
    /// The posting that brings a line from `posted` to `desired`, `None` where it is there already.
    ///
    /// # Errors
    /// It is out of range.
    pub fn of(
        line: u64,
        desired: Quantity,
        posted: Quantity,
    ) -> Result<Option<Self>, QuantityError> {
        let delta = delta(desired, posted)?;
        Ok((!delta.is_zero()).then_some(Self { line, delta }))
    }

    /// By how much the stock moves: units that left it are below zero.
    ///
    /// # Errors
    /// It is out of range.
    pub fn movement(self) -> Result<Quantity, QuantityError> {
        self.delta.checked_neg()
    }
}

#[cfg(test)]
mod tests;
