//! Listings whose piece exists already: they wait, unlinked, until a person says whose count holds.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch, page::Page, sale_items};

/// A listing that waits; quantities in thousandths.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Waiting {
    /// Its key within the tenant.
    pub id: Uuid,
    /// The store's address.
    pub store: String,
    /// WooCommerce's id of the stock owner.
    pub stock_id: i64,
    /// The SKU that both have.
    pub sku: String,
    /// What the shop calls it.
    pub name: String,
    /// What the ledger calls it.
    pub piece: String,
    /// The ledger's count; means nothing unless `counted`.
    pub quantity: i64,
    /// Whether the ledger has a count.
    pub counted: bool,
    /// What the shop last showed; no settled reading.
    pub reading: Option<i64>,
    /// When it showed that.
    pub reading_at: Option<DateTime<Utc>>,
    /// What the shop has sold of it since, which comes off the ledger's count if that holds.
    pub sold: i64,
}

/// What waits, in the order in which it was found.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(
    tx: &mut Tx,
    tenant: TenantId,
    integration: Option<IntegrationId>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Page<Waiting>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        Waiting,
        "SELECT l.id, i.store_url AS store, l.stock_id, v.sku, p.name, v.name AS piece, v.quantity,
            v.counted, l.reading, l.reading_at,
            CASE WHEN l.opened_at IS NULL AND l.told_apart_at IS NULL THEN 0 ELSE
                COALESCE((SELECT CAST(SUM(o.desired - o.posted) AS BIGINT) FROM sale_items o
                    WHERE o.tenant_id = l.tenant_id AND o.integration_id = l.integration_id
                      AND o.stock_id = l.stock_id AND o.posted <> o.desired), 0) END AS sold
         FROM listings l
         JOIN integrations i ON i.tenant_id = l.tenant_id AND i.id = l.integration_id
         JOIN products p ON p.tenant_id = l.tenant_id AND p.integration_id = l.integration_id
           AND p.remote_id = l.stock_id
         JOIN inventory v ON v.tenant_id = p.tenant_id AND v.sku = p.sku
         WHERE l.tenant_id = $1 AND l.state = 'waiting' AND ($2 IS NULL OR l.integration_id = $2)
           AND ($3 IS NULL OR l.id > $3)
         ORDER BY l.id LIMIT $4",
        tenant,
        integration,
        after,
        limit + 1,
    )?;
    Ok(Page::cut(rows, limit, |row| row.id.to_string()))
}

/// The stores in which something waits, or the one store of this listing if it waits.
///
/// # Errors
/// When the database does not answer.
pub async fn stores_waiting(
    tx: &mut Tx,
    tenant: TenantId,
    listing: Option<Uuid>,
) -> Result<Vec<IntegrationId>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        (Uuid,),
        "SELECT i.id FROM integrations i
         WHERE i.tenant_id = $1 AND EXISTS (
            SELECT 1 FROM listings l
            WHERE l.tenant_id = i.tenant_id AND l.integration_id = i.id AND l.state = 'waiting'
              AND ($2 IS NULL OR l.id = $2))
         ORDER BY i.id",
        tenant,
        listing,
    )?;
    Ok(rows.into_iter().map(|(store,)| store).collect())
}

/// How many listings of a store wait, or whether this one does.
///
/// # Errors
/// When the database does not answer.
pub async fn count_waiting(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    listing: Option<Uuid>,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM listings
         WHERE tenant_id = $1 AND integration_id = $2 AND state = 'waiting'
           AND ($3 IS NULL OR id = $3)",
        tenant,
        integration,
        listing,
    )?;
    Ok(count)
}

/// Tells the history of what waits in a store for a choice, and was never open, from what comes after it: lines that
/// are known now are no part of what the ledger has still to count, and all that comes from now on is sold.
///
/// # Errors
/// When the database does not answer.
pub async fn tell_apart(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE sale_items SET posted = desired
         WHERE tenant_id = $1 AND integration_id = $2 AND posted <> desired AND stock_id IN (
            SELECT stock_id FROM listings
            WHERE tenant_id = $1 AND integration_id = $2 AND state IN ('waiting', 'opening')
              AND (state = 'waiting' OR holds IS NOT NULL)
              AND opened_at IS NULL AND told_apart_at IS NULL)",
        tenant,
        integration,
    )?;
    execute!(
        tx,
        "UPDATE listings SET told_apart_at = $3
         WHERE tenant_id = $1 AND integration_id = $2 AND state IN ('waiting', 'opening')
           AND (state = 'waiting' OR holds IS NOT NULL)
           AND opened_at IS NULL AND told_apart_at IS NULL",
        tenant,
        integration,
        now,
    )
    .map(drop)
}

/// The same for one listing.
///
/// # Errors
/// When the database does not answer.
pub async fn tell_one_apart(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    stock_id: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let told = execute!(
        tx,
        "UPDATE listings SET told_apart_at = $4
         WHERE tenant_id = $1 AND integration_id = $2 AND stock_id = $3 AND state = 'waiting'
           AND opened_at IS NULL AND told_apart_at IS NULL",
        tenant,
        integration,
        stock_id,
        now,
    )?;
    if told > 0 {
        sale_items::take_as_posted(tx, tenant, integration, stock_id).await?;
    }
    Ok(())
}

/// The stores that list a piece, or a product of its SKU, in the order in which they are locked.
///
/// # Errors
/// When the database does not answer.
pub async fn stores_of(
    tx: &mut Tx,
    tenant: TenantId,
    sku: &str,
) -> Result<Vec<IntegrationId>, StoreError> {
    let rows = fetch!(
        fetch_all,
        tx,
        (Uuid,),
        "SELECT i.id FROM integrations i
         WHERE i.tenant_id = $1 AND (EXISTS (
            SELECT 1 FROM products p
            WHERE p.tenant_id = i.tenant_id AND p.integration_id = i.id AND p.sku = $2)
          OR EXISTS (
            SELECT 1 FROM inventory v
            JOIN listings l ON l.tenant_id = v.tenant_id AND l.inventory_id = v.id
            WHERE v.tenant_id = i.tenant_id AND v.sku = $2 AND l.integration_id = i.id))
         ORDER BY i.id",
        tenant,
        sku,
    )?;
    Ok(rows.into_iter().map(|(store,)| store).collect())
}

/// Somebody has counted a piece: what a store that does not have it open has sold of it so far is no part of that
/// count, and all that it sells from now on is. Gives how many lines that is about. The past of a store whose orders
/// were never all read is told apart when they are.
///
/// # Errors
/// When the database does not answer.
pub async fn counted(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    sku: &str,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut stocks = fetch!(
        fetch_all,
        tx,
        (i64,),
        "SELECT l.stock_id FROM inventory v
         JOIN listings l ON l.tenant_id = v.tenant_id AND l.inventory_id = v.id
         WHERE v.tenant_id = $1 AND v.sku = $3 AND l.integration_id = $2 AND l.state <> 'open'
         UNION
         SELECT l.stock_id FROM products p
         JOIN listings l ON l.tenant_id = p.tenant_id AND l.integration_id = p.integration_id
           AND l.stock_id = p.remote_id
         WHERE p.tenant_id = $1 AND p.integration_id = $2 AND p.sku = $3
           AND l.inventory_id IS NULL AND l.state <> 'open'",
        tenant,
        integration,
        sku,
    )?;
    stocks.sort_unstable();
    let mut lines = 0;
    for (stock_id,) in stocks {
        execute!(
            tx,
            "UPDATE listings SET unsure_at = NULL, changes = changes + 1,
                told_apart_at = CASE WHEN opened_at IS NOT NULL OR told_apart_at IS NOT NULL OR EXISTS (
                    SELECT 1 FROM integrations i WHERE i.tenant_id = $1 AND i.id = $2
                      AND i.orders_known_until IS NOT NULL) THEN $4 END
             WHERE tenant_id = $1 AND integration_id = $2 AND stock_id = $3",
            tenant,
            integration,
            stock_id,
            now,
        )?;
        lines += sale_items::made_sure(tx, tenant, integration, stock_id).await?.len() as u64;
        lines += sale_items::take_as_posted(tx, tenant, integration, stock_id).await?;
    }
    Ok(lines)
}

/// Links what waits in a store, or this one listing, to the pieces of the same SKU: they open at their next
/// settled reading, with that count which is to hold. Gives the pieces.
///
/// What has a piece that another product of the store sells stays as it is, and of several with one SKU all
/// but the first; so does, if the ledger's count is to hold, what the ledger has no count of.
///
/// # Errors
/// When the database does not answer.
pub async fn link(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    listing: Option<Uuid>,
    holds: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, StoreError> {
    let linked = fetch!(
        fetch_all,
        tx,
        (Uuid,),
        "UPDATE listings SET inventory_id = found.piece, state = 'opening', reason = NULL, holds = $4,
            mirror = NULL, reading = NULL, reading_at = NULL, reading_changes = NULL,
            changes = changes + 1, updated_at = $5
         FROM (
            SELECT l.id, v.id AS piece,
                ROW_NUMBER() OVER (PARTITION BY v.id ORDER BY l.stock_id) AS of_piece
            FROM listings l
            JOIN products p ON p.tenant_id = l.tenant_id AND p.integration_id = l.integration_id
              AND p.remote_id = l.stock_id
            JOIN inventory v ON v.tenant_id = p.tenant_id AND v.sku = p.sku
            WHERE l.tenant_id = $1 AND l.integration_id = $2 AND l.state = 'waiting'
              AND ($3 IS NULL OR l.id = $3) AND (v.counted OR $4 = 'shop')
              AND NOT EXISTS (
                SELECT 1 FROM listings o
                JOIN products q ON q.tenant_id = o.tenant_id
                  AND q.integration_id = o.integration_id AND q.remote_id = o.stock_id
                WHERE o.tenant_id = l.tenant_id AND o.inventory_id = v.id
                  AND o.integration_id = l.integration_id AND o.state IN ('opening', 'open')
                  AND q.sku = v.sku AND NOT q.gone AND q.status <> 'trash')
         ) AS found
         WHERE listings.tenant_id = $1 AND listings.id = found.id AND found.of_piece = 1
         RETURNING inventory_id",
        tenant,
        integration,
        listing,
        holds,
        now,
    )?;
    Ok(linked.into_iter().map(|(piece,)| piece).collect())
}

/// What [`link`] would come to in all stores: how many listings, and of how many of them the side that does not hold has
/// some, and would have none left. SQLite takes what it is to `CROSS JOIN` in the order in which it is written: what waits
/// is little among all that a shop lists.
///
/// # Errors
/// When the database does not answer.
pub async fn alike(tx: &mut Tx, tenant: TenantId, holds: &str) -> Result<(i64, i64), StoreError> {
    fetch!(
        fetch_one,
        tx,
        (i64, i64),
        "WITH fit AS (
            SELECT l.reading, v.counted, v.quantity,
                CASE WHEN $2 = 'shop' OR (l.opened_at IS NULL AND l.told_apart_at IS NULL) THEN 0 ELSE
                    COALESCE((SELECT CAST(SUM(o.desired - o.posted) AS BIGINT) FROM sale_items o
                        WHERE o.tenant_id = l.tenant_id AND o.integration_id = l.integration_id
                          AND o.stock_id = l.stock_id AND o.posted <> o.desired), 0) END AS sold,
                ROW_NUMBER() OVER (PARTITION BY v.id, l.integration_id ORDER BY l.stock_id) AS of_piece
            FROM listings l
            CROSS JOIN products p
            CROSS JOIN inventory v
            WHERE l.tenant_id = $1 AND l.state = 'waiting' AND (v.counted OR $2 = 'shop')
              AND p.tenant_id = l.tenant_id AND p.integration_id = l.integration_id
              AND p.remote_id = l.stock_id AND v.tenant_id = p.tenant_id AND v.sku = p.sku
              AND NOT EXISTS (
                SELECT 1 FROM listings o
                JOIN products q ON q.tenant_id = o.tenant_id
                  AND q.integration_id = o.integration_id AND q.remote_id = o.stock_id
                WHERE o.tenant_id = l.tenant_id AND o.inventory_id = v.id
                  AND o.integration_id = l.integration_id AND o.state IN ('opening', 'open')
                  AND q.sku = v.sku AND NOT q.gone AND q.status <> 'trash')
         )
         SELECT COUNT(*), COUNT(CASE
            WHEN $2 = 'shop' AND reading <= 0 AND counted AND quantity > 0 THEN 1
            WHEN $2 <> 'shop' AND quantity - sold <= 0 AND reading > 0 THEN 1 END)
         FROM fit WHERE of_piece = 1",
        tenant,
        holds,
    )
}

/// Notes what the shop shows of a stock that waits, for whoever decides.
///
/// # Errors
/// When the database does not answer.
pub async fn seen(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    stock_id: i64,
    quantity: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE listings SET reading = $4, reading_at = $5
         WHERE tenant_id = $1 AND integration_id = $2 AND stock_id = $3 AND state = 'waiting'",
        tenant,
        integration,
        stock_id,
        quantity,
        now,
    )
    .map(drop)
}
