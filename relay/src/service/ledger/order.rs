//! An order becomes a sale, and its lines post what they owe.

use std::collections::{BTreeMap, BTreeSet};

use nexpura_protocol::Facts;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ApplyError, Source, Unwritten, customer, listing, post::Owed, remote};
use crate::{
    domain::{OrderStatus, Quantity, Sale, SaleLine, posting},
    store::{
        Tx, conflicts,
        movements::{self, Movement},
        products, pushes, sale_items, sales,
    },
};

/// What has happened to the order besides what its representation shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderFate {
    /// It stands as it is shown.
    Stands,
    /// It was deleted, and is shown as it last stood.
    Deleted,
}

/// Brings the sale to what the representation shows.
pub(super) async fn apply(
    tx: &mut Tx,
    unwritten: &mut Unwritten,
    source: &Source,
    payload: &Value,
    facts: Option<&Facts>,
    fate: OrderFate,
) -> Result<(), ApplyError> {
    let (tenant, integration) = (source.tenant, source.integration);
    let order = Sale::read(payload, facts)?;
    if order.status == OrderStatus::CheckoutDraft {
        return Ok(());
    }
    let external_id = remote(order.order_id)?;
    if unwritten.has_order(external_id) {
        unwritten.write(tx, source).await?;
    }
    let known = match source.fresh {
        true => None,
        false => {
            let key = order.order_key.as_deref();
            sales::lock(tx, tenant, integration, external_id, key).await?
        }
    };
    let before: BTreeMap<i64, sale_items::Row> = match &known {
        Some(sale) => sale_items::of_sale(tx, tenant, sale.id)
            .await?
            .into_iter()
            .map(|line| (line.line_id, line))
            .collect(),
        None => BTreeMap::new(),
    };
    let unreduced = match &known {
        Some(sale) => conflicts::unreduced(tx, tenant, sale.id).await?,
        None => BTreeSet::new(),
    };
    if !unreduced.is_empty() {
        // What comes back is added to what was sold before.
        unwritten.write(tx, source).await?;
    }
    let last_flag = known.as_ref().map(|sale| sale.stock_flag);
    let flag = posting::flag_after(&order.status, order.stock_flag, last_flag);

    let customer = customer::of_order(tx, unwritten, source, &order).await?;
    let mut row = row(&order, flag, fate)?;
    row.customer_id = customer;
    if let Some(known) = &known {
        row.id = known.id;
        row.order_key.clone_from(&known.order_key);
    }
    unwritten.sale(row.clone());
    if known.is_some() || !order.refunds.is_empty() {
        unwritten.write(tx, source).await?;
        sales::replace_refunds(tx, tenant, row.id, &refunds(&order)?).await?;
    }

    let mut after: BTreeMap<i64, sale_items::Row> = BTreeMap::new();
    for line in &order.lines {
        let mut item = item(line)?;
        let last = before.get(&item.line_id);
        let last_desired = last.map(|last| Quantity::from_thousandths(last.desired));
        item.desired =
            posting::desired(&order.status, Some(flag), line, last_desired).thousandths();
        item.posted = last.map_or(0, |last| last.posted);
        if item.stock_id.is_none() {
            item.stock_id = owner(tx, source, &item, last).await?;
        }
        match of_unreduced(&order, flag, line) {
            Unreduced::Noticed => {
                unwritten.write(tx, source).await?;
                note_unreduced(tx, source, &row, line).await?;
            }
            Unreduced::Over if unreduced.contains(&item.line_id) => {
                close_unreduced(tx, source, row.id, item.line_id).await?;
            }
            Unreduced::Over | Unreduced::AsItWas => {}
        }
        after.insert(item.line_id, item);
    }
    for (line_id, last) in &before {
        if !last.gone && !after.contains_key(line_id) && unreduced.contains(line_id) {
            close_unreduced(tx, source, row.id, *line_id).await?;
        }
        after.entry(*line_id).or_insert_with(|| sale_items::Row {
            desired: 0,
            gone: true,
            ..last.clone()
        });
    }
    post_lines(tx, unwritten, source, &row, known.is_some().then_some(&before), after).await
}

/// The shop has no such order any more: the sale stays as it last stood.
pub(super) async fn gone(tx: &mut Tx, source: &Source, external_id: i64) -> Result<(), ApplyError> {
    let (tenant, integration) = (source.tenant, source.integration);
    if let Some(sale) = sales::lock(tx, tenant, integration, external_id, None).await? {
        sales::gone(tx, tenant, sale.id, &sale.status, source.now).await?;
    }
    Ok(())
}

/// Posts the lines in the order of their stock, so that two orders never lock two stocks crosswise.
async fn post_lines(
    tx: &mut Tx,
    unwritten: &mut Unwritten,
    source: &Source,
    sale: &sales::Row,
    before: Option<&BTreeMap<i64, sale_items::Row>>,
    after: BTreeMap<i64, sale_items::Row>,
) -> Result<(), ApplyError> {
    let mut lines: Vec<_> = after.into_values().collect();
    lines.sort_by_key(|line| (line.stock_id, line.line_id));
    for line in &mut lines {
        let last = before.and_then(|lines| lines.get(&line.line_id));
        // Before its listing opens a line has posted nothing, and yet what it takes may change.
        let owing = |line: &sale_items::Row| (line.desired, line.stock_id);
        let news = last.map_or(line.desired != 0, |last| owing(last) != owing(line));
        if let Some(stock_id) = line.stock_id
            && (news || line.posted != line.desired)
        {
            let owed = Owed {
                sale_id: sale.id,
                line_id: line.line_id,
                desired: line.desired,
                posted: line.posted,
                heard_at: source.heard_at,
                news,
            };
            line.posted = unwritten.post(tx, source, stock_id, owed).await?;
        }
    }
    for line in lines {
        if before.and_then(|before| before.get(&line.line_id)) != Some(&line) {
            unwritten.line(sale, line);
        }
    }
    Ok(())
}

/// Whose stock a line draws on where the shop did not say: as it was, else as the product is known.
async fn owner(
    tx: &mut Tx,
    source: &Source,
    line: &sale_items::Row,
    last: Option<&sale_items::Row>,
) -> Result<Option<i64>, ApplyError> {
    if let Some(stock_id) = last.and_then(|last| last.stock_id) {
        return Ok(Some(stock_id));
    }
    let product = if line.variation_id > 0 { line.variation_id } else { line.product_id };
    if product == 0 {
        return Ok(None);
    }
    let (tenant, integration) = (source.tenant, source.integration);
    let owner = products::stock_owner(tx, tenant, integration, product).await?;
    if owner.is_none() {
        listing::want_product(tx, source, product).await?;
    }
    Ok(owner)
}

/// What a representation says of a line that the shop may have forgotten to take from its stock.
enum Unreduced {
    /// The order is paid, and the line never left the shop's stock.
    Noticed,
    /// The shop has taken it, or it is not sold any more.
    Over,
    /// In the trash, refunded or with its product gone it has still not been taken by the shop.
    AsItWas,
}

fn of_unreduced(order: &Sale, flag: bool, line: &SaleLine) -> Unreduced {
    let paid = order.paid_at.is_some()
        && matches!(order.status, OrderStatus::Processing | OrderStatus::Completed);
    let untouched = !flag && line.reduced.is_none();
    let off = matches!(order.status, OrderStatus::Cancelled | OrderStatus::Pending);
    if paid && untouched && line.managed == Some(true) {
        Unreduced::Noticed
    } else if !untouched || off {
        Unreduced::Over
    } else {
        Unreduced::AsItWas
    }
}

/// A paid order whose line never left the shop's stock is for a person to look at.
async fn note_unreduced(
    tx: &mut Tx,
    source: &Source,
    sale: &sales::Row,
    line: &SaleLine,
) -> Result<(), ApplyError> {
    let conflict = conflicts::Conflict {
        kind: "never_reduced",
        inventory_id: None,
        sale_id: Some(sale.id),
        line_id: Some(remote(line.line_id)?),
        quantity: line.quantity.thousandths(),
    };
    Ok(conflicts::record(tx, source.tenant, &conflict, source.now).await?)
}

/// Closes what was never reduced: the shop has taken the units after all, or they are not sold any more.
/// What a person had the ledger take for them comes back.
async fn close_unreduced(
    tx: &mut Tx,
    source: &Source,
    sale_id: Uuid,
    line_id: i64,
) -> Result<(), ApplyError> {
    let (tenant, now) = (source.tenant, source.now);
    let Some(closed) = conflicts::close_unreduced(tx, tenant, sale_id, line_id, now).await? else {
        return Ok(());
    };
    if let Some(taken) = closed.taken {
        let movement = Movement {
            inventory_id: taken.inventory_id,
            kind: "adjustment",
            change: taken.quantity,
            notes: "taken by hand for this order, which needs it no more: its shop has taken it itself, or the sale is off",
            integration_id: Some(source.integration),
            sale_id: Some(sale_id),
            line_id: Some(line_id),
            event_id: source.event,
            ..Movement::default()
        };
        movements::post(tx, tenant, &movement, now).await?;
        pushes::ask_held(tx, tenant, taken.inventory_id, now).await?;
    }
    Ok(pushes::hurry_line(tx, tenant, sale_id, line_id, now).await?)
}

fn row(order: &Sale, flag: bool, fate: OrderFate) -> Result<sales::Row, ApplyError> {
    Ok(sales::Row {
        id: crate::store::new_id(),
        external_id: remote(order.order_id)?,
        order_key: order.order_key.clone().unwrap_or_default(),
        number: order.number.clone(),
        status: order.status.as_str().to_owned(),
        stock_flag: flag,
        gone: fate == OrderFate::Deleted || order.status == OrderStatus::Trash,
        customer_id: None,
        email: order.email.as_ref().map(|email| email.as_str().to_owned()),
        currency: order.currency.as_str().to_owned(),
        prices_include_tax: order.prices_include_tax,
        shipping: order.shipping.micros(),
        shipping_tax: order.shipping_tax.micros(),
        fees: order.fees.micros(),
        fees_tax: order.fees_tax.micros(),
        discount: order.discount.micros(),
        discount_tax: order.discount_tax.micros(),
        tax: order.tax.micros(),
        rounding: order.rounding.micros(),
        total: order.total.micros(),
        refunded: order.refunded.micros(),
        payment_method: order.payment_method.clone(),
        payment_title: order.payment_title.clone(),
        transaction_id: order.transaction_id.clone(),
        details: json!({
            "billing": order.billing,
            "shipping": order.shipping_address,
            "coupons": order.coupons,
            "customer_note": order.customer_note,
        }),
        ordered_at: order.created_at,
        paid_at: order.paid_at,
        completed_at: order.completed_at,
    })
}

fn item(line: &SaleLine) -> Result<sale_items::Row, ApplyError> {
    Ok(sale_items::Row {
        line_id: remote(line.line_id)?,
        product_id: remote(line.product_id)?,
        variation_id: remote(line.variation_id)?,
        stock_id: line.stock_id.map(remote).transpose()?,
        name: line.name.clone(),
        sku: line.sku.clone(),
        quantity: line.quantity.thousandths(),
        subtotal: line.subtotal.micros(),
        subtotal_tax: line.subtotal_tax.micros(),
        total: line.total.micros(),
        total_tax: line.total_tax.micros(),
        desired: 0,
        posted: 0,
        gone: false,
    })
}

fn refunds(order: &Sale) -> Result<Vec<sales::Refund>, ApplyError> {
    order
        .refunds
        .iter()
        .map(|refund| {
            Ok(sales::Refund {
                external_id: remote(refund.id)?,
                amount: refund.amount.micros(),
                reason: refund.reason.clone(),
                lines: json!(refund.lines),
                refunded_at: refund.created_at,
            })
        })
        .collect()
}
