//! What a person has to decide.

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

/// Records a conflict, once a sale's line while it is open.
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
              AND resolved_at IS NULL)",
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

/// Closes a conflict that has gone away by itself: the line's stock was reduced after all.
///
/// # Errors
/// When the database does not answer.
pub async fn resolve(
    tx: &mut Tx,
    tenant: TenantId,
    kind: &str,
    sale: Uuid,
    line_id: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE conflicts SET resolved_at = $5
         WHERE tenant_id = $1 AND kind = $2 AND sale_id = $3 AND line_id = $4
           AND resolved_at IS NULL",
        tenant,
        kind,
        sale,
        line_id,
        now,
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

/// What waits for a person, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn open(tx: &mut Tx, tenant: TenantId, limit: i64) -> Result<Vec<Shown>, StoreError> {
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
         WHERE c.tenant_id = $1 AND c.resolved_at IS NULL ORDER BY c.id DESC LIMIT $2",
        tenant,
        limit,
    )
}
