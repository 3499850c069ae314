//! What a person has to decide.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, TenantId, Tx, execute, new_id};

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
