//! `/api/sales`: what shops sold.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    App,
    auth::Bearer,
    error::ApiError,
    extract::{Path, Query},
    inventory::key_cursor,
};
use crate::{
    domain::{Money, Quantity},
    store::{
        page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
        sale_items, sales,
    },
};

/// Which rows of the list.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    external_id: Option<i64>,
    after: Option<String>,
    limit: Option<i64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Sale {
    id: Uuid,
    external_id: String,
    store: String,
    number: String,
    status: String,
    gone: bool,
    currency: String,
    total: Money,
    email: Option<String>,
    customer_id: Option<Uuid>,
    created_at: Option<DateTime<Utc>>,
}

impl Sale {
    fn of(row: &sales::Shown) -> Self {
        let sale = &row.sale;
        Self {
            id: sale.id,
            external_id: sale.external_id.to_string(),
            store: row.store.clone(),
            number: sale.number.clone(),
            status: sale.status.clone(),
            gone: sale.gone,
            currency: sale.currency.clone(),
            total: Money::from_micros(sale.total),
            email: sale.email.clone(),
            customer_id: sale.customer_id,
            created_at: sale.ordered_at,
        }
    }
}

/// `GET /api/sales`: the newest first, or those of one order id.
pub(super) async fn list(
    State(app): State<App>,
    who: Bearer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Sale>>, ApiError> {
    let before = key_cursor(query.after.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let mut tx = app.relay.db.read().await?;
    let before = before.unwrap_or(Uuid::max());
    let page = match query.external_id {
        Some(order) => sales::list_of_order(&mut tx, who.tenant, order, before, limit).await?,
        None => sales::list(&mut tx, who.tenant, before, limit).await?,
    };
    tx.commit().await?;
    Ok(Json(page.map(|row| Sale::of(&row))))
}

#[derive(Debug, Serialize)]
pub(super) struct Whole {
    #[serde(flatten)]
    sale: Sale,
    prices_include_tax: bool,
    lines: Vec<Line>,
    shipping: Money,
    shipping_tax: Money,
    fees: Money,
    fees_tax: Money,
    discount: Money,
    discount_tax: Money,
    tax: Money,
    rounding: Money,
    refunded: Money,
    refunds: Vec<Refund>,
    payment_method: String,
    payment_title: String,
    transaction_id: String,
    paid_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    details: Value,
}

#[derive(Debug, Serialize)]
struct Line {
    external_id: String,
    product_id: i64,
    variation_id: i64,
    name: String,
    sku: Option<String>,
    quantity: Quantity,
    subtotal: Money,
    total: Money,
    tax: Money,
    desired: Quantity,
    posted: Quantity,
    gone: bool,
}

#[derive(Debug, Serialize)]
struct Refund {
    external_id: String,
    amount: Money,
    reason: String,
    lines: Value,
    created_at: Option<DateTime<Utc>>,
}

/// `GET /api/sales/{id}`: one sale with its lines and refunds.
pub(super) async fn show(
    State(app): State<App>,
    who: Bearer,
    Path(id): Path<Uuid>,
) -> Result<Json<Whole>, ApiError> {
    let mut tx = app.relay.db.read().await?;
    let row = sales::get(&mut tx, who.tenant, id).await?;
    let row = row.ok_or(ApiError::NotFound("there is no sale with this id"))?;
    let lines = sale_items::of_sale(&mut tx, who.tenant, id).await?;
    let refunds = sales::refunds(&mut tx, who.tenant, id).await?;
    tx.commit().await?;
    Ok(Json(whole(&row, lines, refunds)))
}

fn whole(row: &sales::Shown, lines: Vec<sale_items::Row>, refunds: Vec<sales::Refund>) -> Whole {
    let sale = &row.sale;
    Whole {
        sale: Sale::of(row),
        prices_include_tax: sale.prices_include_tax,
        lines: lines.into_iter().map(line).collect(),
        shipping: Money::from_micros(sale.shipping),
        shipping_tax: Money::from_micros(sale.shipping_tax),
        fees: Money::from_micros(sale.fees),
        fees_tax: Money::from_micros(sale.fees_tax),
        discount: Money::from_micros(sale.discount),
        discount_tax: Money::from_micros(sale.discount_tax),
        tax: Money::from_micros(sale.tax),
        rounding: Money::from_micros(sale.rounding),
        refunded: Money::from_micros(sale.refunded),
        refunds: refunds.into_iter().map(refund).collect(),
        payment_method: sale.payment_method.clone(),
        payment_title: sale.payment_title.clone(),
        transaction_id: sale.transaction_id.clone(),
        paid_at: sale.paid_at,
        completed_at: sale.completed_at,
        details: sale.details.clone(),
    }
}

fn line(row: sale_items::Row) -> Line {
    Line {
        external_id: row.line_id.to_string(),
        product_id: row.product_id,
        variation_id: row.variation_id,
        name: row.name,
        sku: row.sku,
        quantity: Quantity::from_thousandths(row.quantity),
        subtotal: Money::from_micros(row.subtotal),
        total: Money::from_micros(row.total),
        tax: Money::from_micros(row.total_tax),
        desired: Quantity::from_thousandths(row.desired),
        posted: Quantity::from_thousandths(row.posted),
        gone: row.gone,
    }
}

fn refund(row: sales::Refund) -> Refund {
    Refund {
        external_id: row.external_id.to_string(),
        amount: Money::from_micros(row.amount),
        reason: row.reason,
        lines: row.lines,
        created_at: row.refunded_at,
    }
}
