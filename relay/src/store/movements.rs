//! Stock movements: the only way in which a piece's quantity changes.

use std::{collections::BTreeMap, slice};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, TenantId, Tx, execute_many, fetch, inventory, new_id, page::Page};

/// A movement to be posted.
#[derive(Debug, Default)]
pub struct Movement<'a> {
    /// Which piece.
    pub inventory_id: Uuid,
    /// `sale`, `return`, `adjustment`, `stocktake`, `purchase`, `transfer`, `write_off` or `other`.
    pub kind: &'a str,
    /// In thousandths.
    pub change: i64,
    /// For people.
    pub notes: &'a str,
    /// The store it comes from.
    pub integration_id: Option<Uuid>,
    /// The sale behind it.
    pub sale_id: Option<Uuid>,
    /// The line of that sale.
    pub line_id: Option<i64>,
    /// The event behind it.
    pub event_id: Option<Uuid>,
    /// The token of whoever posted it by hand.
    pub token_id: Option<Uuid>,
    /// The person who posted it in the panel.
    pub user_id: Option<Uuid>,
}

/// What a movement led to.
#[derive(Debug, Clone, Copy)]
pub struct Posted {
    /// The movement's id.
    pub id: Uuid,
    /// The piece's quantity after it, in thousandths.
    pub quantity: i64,
    /// Whether the piece may be sold below zero.
    pub backorders: bool,
}

/// Posts a movement and adds it to the piece's quantity.
///
/// # Errors
/// When the database does not answer, or the piece does not exist.
pub async fn post(
    tx: &mut Tx,
    tenant: TenantId,
    movement: &Movement<'_>,
    now: DateTime<Utc>,
) -> Result<Posted, StoreError> {
    let posted = post_all(tx, tenant, slice::from_ref(movement), now).await?;
    posted.into_iter().next().ok_or_else(|| sqlx::Error::RowNotFound.into())
}

/// Posts movements one after the other; what each led to is given in their order. Each piece is written once.
///
/// # Errors
/// When the database does not answer, or a piece does not exist.
pub async fn post_all(
    tx: &mut Tx,
    tenant: TenantId,
    movements: &[Movement<'_>],
    now: DateTime<Utc>,
) -> Result<Vec<Posted>, StoreError> {
    let mut sums: BTreeMap<Uuid, i64> = BTreeMap::new();
    for movement in movements {
        *sums.entry(movement.inventory_id).or_default() += movement.change;
    }
    let after = inventory::add(tx, tenant, &sums, now).await?;
    let mut pieces: BTreeMap<Uuid, (i64, bool)> = after
        .into_iter()
        .map(|(id, quantity, backorders)| (id, (quantity - sums[&id], backorders)))
        .collect();
    let mut posted = Vec::with_capacity(movements.len());
    for movement in movements {
        let piece = pieces.get_mut(&movement.inventory_id).ok_or(sqlx::Error::RowNotFound)?;
        piece.0 += movement.change;
        posted.push(Posted { id: new_id(), quantity: piece.0, backorders: piece.1 });
    }
    let rows: Vec<_> = movements.iter().zip(&posted).collect();
    execute_many!(
        tx,
        "INSERT INTO stock_movements (tenant_id, id, inventory_id, movement_type, quantity_change,
            notes, integration_id, sale_id, line_id, event_id, token_id, user_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        &rows,
        (movement, posted) => [
            tenant,
            posted.id,
            movement.inventory_id,
            movement.kind,
            movement.change,
            movement.notes,
            movement.integration_id,
            movement.sale_id,
            movement.line_id,
            movement.event_id,
            movement.token_id,
            movement.user_id,
            now,
        ]
    );
    Ok(posted)
}

/// A movement as it is shown.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Shown {
    /// Its id.
    pub id: Uuid,
    /// Its type.
    pub movement_type: String,
    /// In thousandths.
    pub quantity_change: i64,
    /// For people.
    pub notes: String,
    /// The event behind it.
    pub event_id: Option<Uuid>,
    /// The sale behind it.
    pub sale_id: Option<Uuid>,
    /// That sale's order.
    pub order_id: Option<i64>,
    /// That order's number, as the shop's customers see it.
    pub order_number: Option<String>,
    /// When it was posted.
    pub created_at: DateTime<Utc>,
}

/// A piece's movements, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    inventory: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Page<Shown>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT m.id, m.movement_type, m.quantity_change, m.notes, m.event_id, m.sale_id,
            s.external_id AS order_id, s.number AS order_number, m.created_at
         FROM stock_movements m
         LEFT JOIN sales s ON s.tenant_id = m.tenant_id AND s.id = m.sale_id
         WHERE m.tenant_id = $1 AND m.inventory_id = $2 AND m.id < $3
         ORDER BY m.id DESC LIMIT $4",
        tenant,
        inventory,
        before.unwrap_or(Uuid::max()),
        limit + 1,
    )?;
    Ok(Page::cut(rows, limit, |row| row.id.to_string()))
}

/// What a sale moved.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OfSale {
    /// The line that it was moved for.
    pub line_id: Option<i64>,
    /// The piece's SKU.
    pub sku: String,
    /// The movement's type.
    pub movement_type: String,
    /// In thousandths.
    pub quantity_change: i64,
    /// When it was posted.
    pub created_at: DateTime<Utc>,
}

/// The movements of a sale, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn of_sale(tx: &mut Tx, tenant: TenantId, sale: Uuid) -> Result<Vec<OfSale>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        OfSale,
        "SELECT m.line_id, v.sku, m.movement_type, m.quantity_change, m.created_at
         FROM stock_movements m
         JOIN inventory v ON v.tenant_id = m.tenant_id AND v.id = m.inventory_id
         WHERE m.tenant_id = $1 AND m.sale_id = $2 ORDER BY m.id",
        tenant,
        sale,
    )
}

/// A movement with whoever and whatever is behind it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Told {
    /// The movement.
    #[sqlx(flatten)]
    pub movement: Shown,
    /// The store it comes from.
    pub store: Option<String>,
    /// That store's key within the tenant.
    pub store_id: Option<Uuid>,
    /// The person who posted it.
    pub person: Option<String>,
    /// The label of the token that it was posted with.
    pub token: Option<String>,
}

/// A piece's movements with all that is behind them, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn timeline(
    tx: &mut Tx,
    tenant: TenantId,
    inventory: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Told>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Told,
        "SELECT m.id, m.movement_type, m.quantity_change, m.notes, m.event_id, m.sale_id,
            s.external_id AS order_id, s.number AS order_number, m.created_at,
            i.store_url AS store, i.id AS store_id, u.email AS person, t.label AS token
         FROM stock_movements m
         LEFT JOIN sales s ON s.tenant_id = m.tenant_id AND s.id = m.sale_id
         LEFT JOIN integrations i ON i.tenant_id = m.tenant_id AND i.id = m.integration_id
         LEFT JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
         LEFT JOIN tokens t ON t.tenant_id = m.tenant_id AND t.id = m.token_id
         WHERE m.tenant_id = $1 AND m.inventory_id = $2 AND m.id < $3
         ORDER BY m.id DESC LIMIT $4",
        tenant,
        inventory,
        before.unwrap_or(Uuid::max()),
        limit,
    )
}

/// The newest movements of a piece: when, and by how much, in thousandths.
///
/// # Errors
/// When the database does not answer.
pub async fn steps(
    tx: &mut Tx,
    tenant: TenantId,
    inventory: Uuid,
    limit: i64,
) -> Result<Vec<(DateTime<Utc>, i64)>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        (DateTime<Utc>, i64),
        "SELECT created_at, quantity_change FROM stock_movements
         WHERE tenant_id = $1 AND inventory_id = $2 ORDER BY id DESC LIMIT $3",
        tenant,
        inventory,
        limit,
    )
}

/// What stock moved from the key `first` on: the kind of movement, how many there were, and thousandths
/// together. The counts that stocks are opened with are `opening`: nothing moved by them.
///
/// # Errors
/// When the database does not answer.
pub async fn since(
    tx: &mut Tx,
    tenant: TenantId,
    first: Uuid,
) -> Result<Vec<(String, i64, i64)>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        (String, i64, i64),
        "SELECT kind, COUNT(*), CAST(SUM(quantity_change) AS BIGINT) FROM (
            SELECT quantity_change, CASE WHEN movement_type = 'stocktake'
                AND integration_id IS NOT NULL THEN 'opening' ELSE movement_type END AS kind
            FROM stock_movements WHERE tenant_id = $1 AND id >= $2) AS moved
         GROUP BY kind ORDER BY kind",
        tenant,
        first,
    )
}
