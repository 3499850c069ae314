//! What a person has to decide.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, TenantId, Tx, execute, fetch, new_id};

/// A conflict to be recorded.
#[derive(Debug)]
pub struct Conflict<'a> {
    /// `oversale` or `never_reduced`.
    pub kind: &'a str,
    /// The piece, if one is concerned.
    pub inventory_id: Option<Uuid>,
    /// The sale that led to it.
    pub sale_id: Option<Uuid>,
    /// The line of that sale.
    pub line_id: Option<i64>,
    /// In thousandths: the quantity below zero, or the units that never left the shop's stock.
    pub quantity: i64,
}

/// Records a conflict, once a sale's line while it is open, and not again once a person has decided
/// whether the line's units are to leave the stock.
///
/// # Errors
/// When the database does not answer.
pub async fn record(
    tx: &mut Tx,
    tenant: TenantId,
    conflict: &Conflict<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "INSERT INTO conflicts (tenant_id, id, kind, inventory_id, sale_id, line_id, quantity,
            created_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8
         WHERE NOT EXISTS (SELECT 1 FROM conflicts
            WHERE tenant_id = $1 AND kind = $3 AND sale_id = $5 AND line_id = $6
              AND (resolved_at IS NULL OR decision IN ('take', 'leave')))",
        tenant,
        new_id(),
        conflict.kind,
        conflict.inventory_id,
        conflict.sale_id,
        conflict.line_id,
        conflict.quantity,
        now,
    )
    .map(drop)
}

/// The lines of a sale of which something may be closed by [`close_unreduced`].
///
/// # Errors
/// When the database does not answer.
pub async fn unreduced(
    tx: &mut Tx,
    tenant: TenantId,
    sale: Uuid,
) -> Result<BTreeSet<i64>, StoreError> {
    let lines = fetch!(
        fetch_all,
        tx,
        (i64,),
        "SELECT line_id FROM conflicts
         WHERE tenant_id = $1 AND kind = 'never_reduced' AND sale_id = $2
           AND (resolved_at IS NULL OR decision = 'take')",
        tenant,
        sale,
    )?;
    Ok(lines.into_iter().map(|(line_id,)| line_id).collect())
}

/// What a person had the ledger take for a line that its shop had not.
#[derive(Debug, sqlx::FromRow)]
pub struct Taken {
    /// The piece.
    pub inventory_id: Uuid,
    /// In thousandths.
    pub quantity: i64,
}

/// What was closed.
#[derive(Debug)]
pub struct Closed {
    /// What a person had the ledger take, which is now to be given back.
    pub taken: Option<Taken>,
}

/// Closes what was never reduced; nothing where there was no such thing.
///
/// # Errors
/// When the database does not answer.
pub async fn close_unreduced(
    tx: &mut Tx,
    tenant: TenantId,
    sale: Uuid,
    line_id: i64,
    now: DateTime<Utc>,
) -> Result<Option<Closed>, StoreError> {
    let open = fetch!(
        fetch_optional,
        tx,
        (Uuid, Option<String>, Option<Uuid>, i64),
        "SELECT id, decision, inventory_id, quantity FROM conflicts
         WHERE tenant_id = $1 AND kind = 'never_reduced' AND sale_id = $2 AND line_id = $3
           AND (resolved_at IS NULL OR decision = 'take')",
        tenant,
        sale,
        line_id,
    )?;
    let Some((id, decision, inventory, quantity)) = open else { return Ok(None) };
    execute!(
        tx,
        "UPDATE conflicts SET resolved_at = $3, decision = NULL WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        now,
    )?;
    let taken = decision.and(inventory).map(|inventory_id| Taken { inventory_id, quantity });
    Ok(Some(Closed { taken }))
}

/// Whether a stock has a paid line that was noticed before `since`, was never reduced, and waits for a
/// person.
///
/// # Errors
/// When the database does not answer.
pub async fn holds(
    tx: &mut Tx,
    tenant: TenantId,
    listing: Uuid,
    since: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Uuid,),
        "SELECT c.id FROM conflicts c
         JOIN sale_items i ON i.tenant_id = c.tenant_id AND i.sale_id = c.sale_id
           AND i.line_id = c.line_id
         JOIN listings l ON l.tenant_id = c.tenant_id AND l.integration_id = i.integration_id
           AND l.stock_id = i.stock_id
         WHERE c.tenant_id = $1 AND c.kind = 'never_reduced' AND c.resolved_at IS NULL AND NOT i.gone
           AND c.created_at <= $3 AND l.id = $2 LIMIT 1",
        tenant,
        listing,
        since,
    )?;
    Ok(row.is_some())
}

/// An open conflict, for a decision about it.
#[derive(Debug, sqlx::FromRow)]
pub struct Open {
    /// `oversale` or `never_reduced`.
    pub kind: String,
    /// The store of the sale.
    pub integration_id: Option<Uuid>,
    /// The sale.
    pub sale_id: Option<Uuid>,
    /// Its line.
    pub line_id: Option<i64>,
    /// The order's number.
    pub order_number: Option<String>,
    /// The line's units, in thousandths.
    pub units: Option<i64>,
    /// The piece whose stock the line draws on, where its listing is open.
    pub inventory_id: Option<Uuid>,
    /// The listing.
    pub listing_id: Option<Uuid>,
}

/// Finds an open conflict.
///
/// # Errors
/// When the database does not answer.
pub async fn find_open(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<Open>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Open,
        "SELECT c.kind, s.integration_id, c.sale_id, c.line_id, s.number AS order_number,
            i.quantity AS units, l.inventory_id, l.id AS listing_id
         FROM conflicts c
         LEFT JOIN sales s ON s.tenant_id = c.tenant_id AND s.id = c.sale_id
         LEFT JOIN sale_items i ON i.tenant_id = c.tenant_id AND i.sale_id = c.sale_id
           AND i.line_id = c.line_id
         LEFT JOIN listings l ON l.tenant_id = c.tenant_id AND l.integration_id = i.integration_id
           AND l.stock_id = i.stock_id AND l.state = 'open'
         WHERE c.tenant_id = $1 AND c.id = $2 AND c.resolved_at IS NULL",
        tenant,
        id,
    )
}

/// Keeps what a person decided, and what was taken by it.
///
/// # Errors
/// When the database does not answer.
pub async fn decide(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    decision: &str,
    taken: Option<&Taken>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE conflicts SET decision = $3, resolved_at = $4,
            inventory_id = COALESCE($5, inventory_id), quantity = COALESCE($6, quantity)
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        decision,
        now,
        taken.map(|taken| taken.inventory_id),
        taken.map(|taken| taken.quantity),
    )
    .map(drop)
}

/// A conflict as it is stored; the quantity in thousandths.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Shown {
    /// Its key within the tenant.
    pub id: Uuid,
    /// `oversale` or `never_reduced`.
    pub kind: String,
    /// The piece's SKU.
    pub sku: Option<String>,
    /// The sale behind it.
    pub sale_id: Option<Uuid>,
    /// The number of its order.
    pub order_number: Option<String>,
    /// The quantity below zero, or the units that never left the shop's stock.
    pub quantity: i64,
    /// When it was noticed.
    pub created_at: DateTime<Utc>,
}

/// What waits for a person before the conflict of the key `before`, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn open(
    tx: &mut Tx,
    tenant: TenantId,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT c.id, c.kind, COALESCE(v.sku, l.sku) AS sku, c.sale_id, s.number AS order_number,
            c.quantity, c.created_at
         FROM conflicts c
         LEFT JOIN inventory v ON v.tenant_id = c.tenant_id AND v.id = c.inventory_id
         LEFT JOIN sales s ON s.tenant_id = c.tenant_id AND s.id = c.sale_id
         LEFT JOIN sale_items l ON l.tenant_id = c.tenant_id AND l.sale_id = c.sale_id
           AND l.line_id = c.line_id
         WHERE c.tenant_id = $1 AND c.resolved_at IS NULL AND c.id < $2
         ORDER BY c.id DESC LIMIT $3",
        tenant,
        before,
        limit,
    )
}

/// How many conflicts wait for a person.
///
/// # Errors
/// When the database does not answer.
pub async fn count_open(tx: &mut Tx, tenant: TenantId) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM conflicts WHERE tenant_id = $1 AND resolved_at IS NULL",
        tenant,
    )?;
    Ok(count)
}
