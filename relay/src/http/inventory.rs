//! `/api/inventory`: pieces, their movements, and adjusting them.

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    App,
    auth::Bearer,
    error::ApiError,
    extract::{Body, Path, Query},
};
use crate::{
    domain::{Details, Money, Quantity, Sku},
    service::adjust::{self, Adjusted},
    store::{
        self, inventory, listings, movements,
        page::{DEFAULT_LIMIT, MAX_LIMIT, Page, read_cursor},
    },
};

/// Which rows of a list.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    sku: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

impl ListQuery {
    fn limit(&self) -> i64 {
        self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)
    }

    fn after(&self) -> Result<Option<String>, ApiError> {
        cursor(self.after.as_deref())
    }
}

/// Reads a list's cursor.
pub(super) fn cursor(after: Option<&str>) -> Result<Option<String>, ApiError> {
    let refuse = || ApiError::BadRequest("after: expected the `next` of another page".to_owned());
    after.map(|text| read_cursor(text).ok_or_else(refuse)).transpose()
}

/// Reads a list's cursor that is a key.
pub(super) fn key_cursor(after: Option<&str>) -> Result<Option<Uuid>, ApiError> {
    let refuse = |_| ApiError::BadRequest("after: expected the `next` of another page".to_owned());
    cursor(after)?.map(|text| Uuid::try_parse(&text).map_err(refuse)).transpose()
}

#[derive(Debug, Serialize)]
pub(super) struct Piece {
    id: Uuid,
    sku: String,
    name: String,
    quantity: Option<Quantity>,
    backorders: bool,
    price: Option<Money>,
    image: Option<String>,
    details: Details,
    listings: Vec<Listing>,
}

#[derive(Debug, Serialize)]
struct Listing {
    store: String,
    stock_id: i64,
    state: String,
    reason: Option<String>,
    mirror: Option<Quantity>,
}

/// `GET /api/inventory`: pieces by SKU, or the one of `sku`.
pub(super) async fn list(
    State(app): State<App>,
    who: Bearer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Piece>>, ApiError> {
    let after = query.after()?;
    let mut tx = app.relay.db.read().await?;
    let page = match &query.sku {
        Some(sku) => {
            let piece = inventory::get(&mut tx, who.tenant, sku).await?;
            Page { items: piece.into_iter().collect(), next: None }
        }
        None => inventory::list(&mut tx, who.tenant, after.as_deref(), query.limit()).await?,
    };
    let first = page.items.first().map_or("", |piece| &piece.shown.sku);
    let last = page.items.last().map_or("", |piece| &piece.shown.sku);
    let mut sold_at = listings::between(&mut tx, who.tenant, first, last).await?;
    tx.commit().await?;
    Ok(Json(page.map(|piece| {
        let listings = sold_at.remove(&piece.shown.id).unwrap_or_default();
        shown(piece, listings)
    })))
}

fn shown(piece: inventory::Whole, listings: Vec<listings::Shown>) -> Piece {
    let inventory::Whole { shown: piece, details } = piece;
    Piece {
        id: piece.id,
        sku: piece.sku,
        name: piece.name,
        quantity: piece.counted.then(|| Quantity::from_thousandths(piece.quantity)),
        backorders: piece.backorders,
        price: piece.price.map(Money::from_micros),
        image: piece.image,
        details: Details::read(&details),
        listings: listings
            .into_iter()
            .map(|listing| Listing {
                store: listing.store,
                stock_id: listing.stock_id,
                state: listing.state,
                reason: listing.reason,
                mirror: listing.mirror.map(Quantity::from_thousandths),
            })
            .collect(),
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Movement {
    id: Uuid,
    #[serde(rename = "type")]
    kind: String,
    quantity_change: Quantity,
    occurred_at: DateTime<Utc>,
    notes: String,
    source: Option<Source>,
}

#[derive(Debug, Serialize)]
struct Source {
    event_id: Option<Uuid>,
    sale_id: Option<Uuid>,
    order_id: Option<i64>,
    order_number: Option<String>,
}

/// `GET /api/inventory/{sku}/movements`: the newest first.
pub(super) async fn movements(
    State(app): State<App>,
    who: Bearer,
    Path(sku): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Movement>>, ApiError> {
    let before = key_cursor(query.after.as_deref())?;
    let mut tx = app.relay.db.read().await?;
    let piece = inventory::get(&mut tx, who.tenant, &sku).await?;
    let piece = piece.ok_or(ApiError::NotFound("there is no piece with this SKU"))?;
    let page = movements::list(&mut tx, who.tenant, piece.shown.id, before, query.limit()).await?;
    tx.commit().await?;
    Ok(Json(page.map(|row| Movement {
        id: row.id,
        kind: row.movement_type,
        quantity_change: Quantity::from_thousandths(row.quantity_change),
        occurred_at: row.created_at,
        notes: row.notes,
        source: (row.sale_id.is_some() || row.event_id.is_some()).then_some(Source {
            event_id: row.event_id,
            sale_id: row.sale_id,
            order_id: row.order_id,
            order_number: row.order_number,
        }),
    })))
}

/// `POST /api/inventory/{sku}/movements`: posts a movement.
pub(super) async fn adjust(
    State(app): State<App>,
    who: Bearer,
    Path(sku): Path<String>,
    Body(request): Body<adjust::Request>,
) -> Result<(StatusCode, Json<Adjusted>), ApiError> {
    let sku = Sku::parse(&sku).map_err(|error| ApiError::BadRequest(error.to_string()))?;
    let now = store::now();
    let adjusted = adjust::adjust(&app.relay, who.tenant, who.token, &sku, &request, now).await?;
    Ok((StatusCode::CREATED, Json(adjusted)))
}
