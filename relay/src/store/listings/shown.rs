//! How listings stand, for people.

use std::collections::HashMap;

use uuid::Uuid;

use crate::store::{IntegrationId, StoreError, TenantId, Tx, fetch};

/// How many listings of a store are open.
///
/// # Errors
/// When the database does not answer.
pub async fn count_open(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM listings
         WHERE tenant_id = $1 AND integration_id = $2 AND state = 'open'",
        tenant,
        integration,
    )?;
    Ok(count)
}

/// Why a product of a store is not in the inventory, if it is not.
///
/// # Errors
/// When the database does not answer.
pub async fn why_not(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    stock_id: i64,
) -> Result<Option<String>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Option<String>,),
        "SELECT reason FROM listings
         WHERE tenant_id = $1 AND integration_id = $2 AND stock_id = $3
           AND state IN ('skipped', 'waiting')",
        tenant,
        integration,
        stock_id,
    )?;
    Ok(row.map(|(reason,)| reason.unwrap_or_default()))
}

/// An open listing whose stock is not what the ledger has, in thousandths.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Differing {
    /// The key of the push that is asked for.
    pub push: Uuid,
    /// The piece's SKU.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// What the shop has, by all that the ledger knows.
    pub mirror: i64,
    /// What the ledger has.
    pub quantity: i64,
}

/// The open listings of a store that have something still to be told: those of open pushes before the one of the key
/// `before`, the newest first, and not all that there are. Whatever moves a piece or a mirror asks for a push in the
/// same transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn untold(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Differing>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Differing,
        "SELECT p.id AS push, v.sku, v.name, l.stock_id, l.mirror, v.quantity
         FROM stock_pushes p
         JOIN listings l ON l.tenant_id = p.tenant_id AND l.id = p.listing_id
         JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE p.tenant_id = $1 AND p.integration_id = $2 AND p.status = 'open' AND p.id < $3
           AND l.state = 'open' AND v.counted AND v.quantity <> l.mirror
         ORDER BY p.id DESC LIMIT $4",
        tenant,
        integration,
        before,
        limit,
    )
}

/// How many there are of them, as far as `at_most`.
///
/// # Errors
/// When the database does not answer.
pub async fn count_untold(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    at_most: i64,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM (
            SELECT p.id FROM stock_pushes p
            JOIN listings l ON l.tenant_id = p.tenant_id AND l.id = p.listing_id
            JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
            WHERE p.tenant_id = $1 AND p.integration_id = $2 AND p.status = 'open'
              AND l.state = 'open' AND v.counted AND v.quantity <> l.mirror LIMIT $3) AS untold",
        tenant,
        integration,
        at_most,
    )?;
    Ok(count)
}

/// The pieces of open listings of a store that differ and that nobody has asked a push for, were it ever forgotten:
/// all that the store lists is compared.
///
/// # Errors
/// When the database does not answer.
pub async fn forgotten(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<Vec<(Uuid,)>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        (Uuid,),
        "SELECT v.id FROM listings l JOIN inventory v ON v.tenant_id = l.tenant_id AND v.id = l.inventory_id
         WHERE l.tenant_id = $1 AND l.integration_id = $2 AND l.state = 'open' AND v.counted
           AND v.quantity <> l.mirror AND l.doubted_at IS NULL AND NOT EXISTS (SELECT 1 FROM stock_pushes p
             WHERE p.tenant_id = l.tenant_id AND p.listing_id = l.id AND p.status = 'open')
         ORDER BY v.sku",
        tenant,
        integration,
    )
}

/// A listing as it is shown with its piece.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Shown {
    /// The store's address.
    pub store: String,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// Its state.
    pub state: String,
    /// Why, for people.
    pub reason: Option<String>,
    /// In thousandths.
    pub mirror: Option<i64>,
}

/// The listings of all pieces from one SKU to another: of one page of the inventory.
///
/// The pieces are joined from the left, so that they decide the plan and not all that a store lists.
///
/// # Errors
/// When the database does not answer.
pub async fn between(
    tx: &mut Tx,
    tenant: TenantId,
    first: &str,
    last: &str,
) -> Result<HashMap<Uuid, Vec<Shown>>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        OfPiece,
        "SELECT v.id AS piece, i.store_url AS store, l.stock_id, l.state, l.reason, l.mirror
         FROM inventory v
         CROSS JOIN listings l
         JOIN integrations i ON i.tenant_id = l.tenant_id AND i.id = l.integration_id
         WHERE v.tenant_id = $1 AND v.sku >= $2 AND v.sku <= $3
           AND l.tenant_id = v.tenant_id AND l.inventory_id = v.id
         ORDER BY i.store_url, l.stock_id",
        tenant,
        first,
        last,
    )?;
    let mut found: HashMap<Uuid, Vec<Shown>> = HashMap::new();
    for row in rows {
        found.entry(row.piece).or_default().push(row.shown);
    }
    Ok(found)
}

#[derive(sqlx::FromRow)]
struct OfPiece {
    piece: Uuid,
    #[sqlx(flatten)]
    shown: Shown,
}
