//! An order as a sale: its parts, and the law that they add up to its total.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use nexpura_protocol::{Facts, LineFacts};
use serde::Serialize;
use serde_json::Value;

use super::{
    Address, Currency, Email, MappingError, Money, MoneyError, OrderStatus, Quantity, Refund,
    StockFlag, customer,
    limits::{self, MAX_UNITS},
    read::Object,
    refund,
};

/// One order of a shop.
///
/// The lines' totals and taxes, shipping, fees and their taxes and [`Sale::rounding`] add up to
/// [`Sale::total`] exactly, whether the shop's prices include tax or not: WooCommerce keeps a line's
/// total without tax in either case. Discounts are within the lines' totals already, so
/// [`Sale::discount`] is told for itself, as is [`Sale::tax`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sale {
    /// WooCommerce's id of the order.
    pub order_id: u64,
    /// With store and id, the order's identity: ids come again after a database was restored.
    pub order_key: Option<String>,
    /// The number that people see; plugins make their own.
    pub number: String,
    /// The state it is in.
    pub status: OrderStatus,
    /// What its amounts are in.
    pub currency: Currency,
    /// Whether the shop's prices were entered with tax. Nothing is calculated from it.
    pub prices_include_tax: bool,
    /// When it was placed.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// When it was done.
    pub completed_at: Option<DateTime<Utc>>,
    /// WooCommerce's user id, 0 for a guest.
    pub customer_id: u64,
    /// What the customer is matched by; `None` where the shop's text is no address.
    pub email: Option<Email>,
    /// Who bought: the billed person or company, or else the one it is sent to.
    pub customer_name: String,
    /// Where the bill goes.
    pub billing: Address,
    /// Where the goods go.
    pub shipping_address: Address,
    /// The gateway's id, such as `cod`.
    pub payment_method: String,
    /// What the customer saw it called.
    pub payment_title: String,
    /// The gateway's id of the payment.
    pub transaction_id: String,
    /// What the customer wrote.
    pub customer_note: String,
    /// The codes of the coupons used.
    pub coupons: Vec<String>,
    /// What was sold.
    pub lines: Vec<SaleLine>,
    /// Shipping, without tax.
    pub shipping: Money,
    /// Tax on shipping.
    pub shipping_tax: Money,
    /// Fees, without tax; below zero where they are rebates.
    pub fees: Money,
    /// Tax on fees.
    pub fees_tax: Money,
    /// What coupons took off, without tax; within the lines' totals already.
    pub discount: Money,
    /// The tax on that.
    pub discount_tax: Money,
    /// All tax of the order, as the shop tells it.
    pub tax: Money,
    /// What remains between the parts and the total: the shop's rounding, and whatever a plugin
    /// takes off the total alone.
    pub rounding: Money,
    /// What the customer pays.
    pub total: Money,
    /// What was paid back.
    pub refunds: Vec<Refund>,
    /// The sum of that.
    pub refunded: Money,
    /// Whether the order's stock was reduced, where the shop's plugin says so.
    pub stock_flag: StockFlag,
}

/// One product on an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaleLine {
    /// WooCommerce's id of the line, unique in its shop.
    pub line_id: u64,
    /// The product; 0 once it is deleted.
    pub product_id: u64,
    /// The variation, 0 where there is none.
    pub variation_id: u64,
    /// What the customer saw it called.
    pub name: String,
    /// The product's SKU as it is now, not as it was when sold.
    pub sku: Option<String>,
    /// The units ordered.
    pub quantity: Quantity,
    /// Before discounts, without tax.
    pub subtotal: Money,
    /// Tax on that.
    pub subtotal_tax: Money,
    /// After discounts, without tax.
    pub total: Money,
    /// Tax on that.
    pub total_tax: Money,
    /// How many units the shop took out of its stock for this line, net of what it put back
    /// (`_reduced_stock`); `None` where it keeps no such tally. Below zero where more was put back.
    pub reduced: Option<Quantity>,
    /// The product that owns the stock, where the shop's plugin says so and it still exists.
    pub stock_id: Option<u64>,
    /// Whether that owner's stock is managed, where the shop's plugin says so.
    pub managed: Option<bool>,
    /// Whether it may be sold below zero, where the shop's plugin says so.
    pub backorders: Option<bool>,
}

impl Sale {
    /// From WooCommerce's REST v3 representation of an order, and what its plugin adds to that.
    ///
    /// # Errors
    /// Something that the ledger rests on is missing, of a kind that cannot be read, beyond the
    /// [`limits`], or there twice.
    pub fn read(payload: &Value, facts: Option<&Facts>) -> Result<Self, MappingError> {
        let order = Object::root(payload, "order")?;
        let order_id = order.id("id")?;
        let currency = order.required_text("currency", A_CURRENCY)?;
        let currency = Currency::parse(&currency).map_err(|_| {
            order
                .place
                .key("currency")
                .unexpected(A_CURRENCY, order.get("currency").unwrap_or(&Value::Null))
        })?;
        let billing = order.inner("billing", Address::read)?;
        let shipping_address = order.inner("shipping", Address::read)?;
        let customer_name = Some(billing.name())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| shipping_address.name());

        let (lines, restocked) = read_lines(order, facts)?;
        let fees =
            order.each("fee_lines", |fee| Ok((fee.money("total")?, fee.money("total_tax")?)))?;
        let (fees, fees_tax): (Vec<_>, Vec<_>) = fees.into_iter().unzip();
        let refunds =
            refund::read(order, facts.and_then(|facts| facts.refunds.as_ref()), &restocked)?;

        let mut sale = Self {
            order_id,
            order_key: match facts.and_then(|facts| facts.order_key.as_deref()) {
                Some(key) if !key.trim().is_empty() => Some(limits::bounded(key, limits::MAX_CODE)),
                _ => order.optional_text("order_key", limits::MAX_CODE)?,
            },
            number: order
                .optional_text("number", limits::MAX_CODE)?
                .unwrap_or_else(|| order_id.to_string()),
            status: OrderStatus::parse(&order.required_text("status", "an order status")?),
            currency,
            prices_include_tax: order.flag("prices_include_tax")?.unwrap_or(false),
            created_at: order.time("date_created_gmt")?,
            paid_at: order.time("date_paid_gmt")?,
            completed_at: order.time("date_completed_gmt")?,
            customer_id: order.id_or_zero("customer_id")?,
            email: order.inner("billing", customer::email)?,
            customer_name,
            billing,
            shipping_address,
            payment_method: order.text("payment_method", limits::MAX_CODE)?,
            payment_title: order.name("payment_method_title")?,
            transaction_id: order.text("transaction_id", limits::MAX_CODE)?,
            customer_note: order.text("customer_note", limits::MAX_NOTE)?,
            coupons: order
                .each_if_any("coupon_lines", |coupon| coupon.text("code", limits::MAX_CODE))?,
            lines,
            shipping: order.money("shipping_total")?,
            shipping_tax: order.money("shipping_tax")?,
            fees: sum(fees, "order.fee_lines")?,
            fees_tax: sum(fees_tax, "order.fee_lines")?,
            discount: order.money_or_zero("discount_total")?,
            discount_tax: order.money_or_zero("discount_tax")?,
            tax: order.money("total_tax")?,
            rounding: Money::ZERO,
            total: order.money("total")?,
            refunded: sum(refunds.iter().map(|refund| refund.amount), "order.refunds")?,
            refunds,
            stock_flag: facts.and_then(|facts| facts.stock_reduced),
        };
        sale.rounding = sale
            .pieces_sum()
            .and_then(|pieces| sale.total.checked_sub(pieces))
            .map_err(|_| MappingError::OutOfRange { path: "order.total" })?;
        Ok(sale)
    }

    /// What the parts add up to, rounding included: the total of any sale that was read.
    ///
    /// # Errors
    /// The sum is out of range, which that of a sale that was read never is.
    pub fn pieces_sum(&self) -> Result<Money, MoneyError> {
        let lines = self.lines.iter().flat_map(|line| [line.total, line.total_tax]);
        let extras = [self.shipping, self.shipping_tax, self.fees, self.fees_tax, self.rounding];
        Money::sum(lines.chain(extras))
    }
}

const A_CURRENCY: &str = "a currency code of three letters";

fn sum(
    amounts: impl IntoIterator<Item = Money>,
    path: &'static str,
) -> Result<Money, MappingError> {
    Money::sum(amounts).map_err(|_| MappingError::OutOfRange { path })
}

/// The order's lines, and of each how many units ever came back by refunds.
fn read_lines(
    order: Object<'_, '_>,
    facts: Option<&Facts>,
) -> Result<(Vec<SaleLine>, HashMap<u64, Quantity>), MappingError> {
    let facts: HashMap<u64, &LineFacts> =
        facts.iter().flat_map(|facts| &facts.lines).map(|line| (line.line_id, line)).collect();
    let mut seen = HashSet::new();
    let mut restocked = HashMap::new();
    let lines = order.each("line_items", |line| {
        let read = read_line(line, &facts)?;
        if !seen.insert(read.line_id) {
            return Err(line.place.key("id").repeated());
        }
        let tally = line.meta_quantity(
            "_restock_refunded_items",
            UNITS_EITHER_WAY,
            (-MAX_UNITS, MAX_UNITS),
        )?;
        restocked.insert(read.line_id, tally.unwrap_or(Quantity::ZERO));
        Ok(read)
    })?;
    Ok((lines, restocked))
}

const UNITS_EITHER_WAY: &str = "a number of units, at most 1,000,000 either way";

fn read_line(
    line: Object<'_, '_>,
    facts: &HashMap<u64, &LineFacts>,
) -> Result<SaleLine, MappingError> {
    let line_id = line.id("id")?;
    let facts = facts.get(&line_id);
    let units = "a number of units from 0 to 1,000,000, with at most three decimal places";
    Ok(SaleLine {
        line_id,
        product_id: line.id_or_zero("product_id")?,
        variation_id: line.id_or_zero("variation_id")?,
        name: line.name("name")?,
        sku: line.optional_text("sku", limits::MAX_NAME)?,
        quantity: line.quantity("quantity", units, (0, MAX_UNITS))?,
        subtotal: line.money("subtotal")?,
        subtotal_tax: line.money("subtotal_tax")?,
        total: line.money("total")?,
        total_tax: line.money("total_tax")?,
        reduced: line.meta_quantity("_reduced_stock", UNITS_EITHER_WAY, (-MAX_UNITS, MAX_UNITS))?,
        stock_id: facts.and_then(|facts| facts.stock_id).and_then(limits::id),
        managed: facts.map(|facts| facts.managed),
        backorders: facts.map(|facts| allows_backorders(&facts.backorders)),
    })
}

/// Whether a product with this backorder setting may be sold below zero.
pub(super) fn allows_backorders(setting: &str) -> bool {
    matches!(setting.trim(), "yes" | "notify")
}

#[cfg(test)]
mod tests;
