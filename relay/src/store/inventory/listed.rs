//! Pieces as a list shows them: by SKU, by name or by how many there are, each by an index.

use uuid::Uuid;

use super::{Shown, Whole};
use crate::store::{StoreError, TenantId, Tx, fetch, fetch_sorted};

/// How many there may be of what is listed, in thousandths.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// At least.
    pub least: i64,
    /// At most.
    pub most: i64,
    /// Whether pieces that nobody has counted are left out.
    pub counted: bool,
}

/// A stretch of texts, byte by byte: of all that begin with something.
#[derive(Debug, Clone)]
pub struct Texts {
    /// The first that belongs to it.
    pub first: String,
    /// Greater than all that belong to it.
    pub behind: String,
}

impl Texts {
    /// All that begin with this.
    #[must_use]
    pub fn beginning_with(text: &str) -> Self {
        Self { first: text.to_owned(), behind: format!("{text}{}", char::MAX) }
    }
}

/// Pieces whose folded SKU lies in `skus`, in its order, after `after`.
///
/// # Errors
/// When the database does not answer.
pub async fn by_sku(
    tx: &mut Tx,
    tenant: TenantId,
    skus: &Texts,
    after: (&str, Uuid),
    amount: Amount,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT id, sku, name, quantity, counted, backorders, price, image FROM inventory
         WHERE tenant_id = $1 AND lower(sku) >= $2 AND lower(sku) < $3 AND (lower(sku), id) > ($4, $5)
           AND quantity >= $6 AND quantity <= $7 AND (counted OR NOT $8)
         ORDER BY lower(sku), id LIMIT $9",
        tenant,
        skus.first.as_str().max(after.0),
        &skus.behind,
        after.0,
        after.1,
        amount.least,
        amount.most,
        amount.counted,
        limit,
    )
}

/// Pieces whose folded name lies in `names`, in its order, after `after`, but for those whose folded SKU
/// lies in `skus`.
///
/// # Errors
/// When the database does not answer.
pub async fn by_name(
    tx: &mut Tx,
    tenant: TenantId,
    names: &Texts,
    skus: Option<&Texts>,
    after: (&str, Uuid),
    amount: Amount,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Shown,
        "SELECT id, sku, name, quantity, counted, backorders, price, image FROM inventory
         WHERE tenant_id = $1 AND lower(name) >= $2 AND lower(name) < $3
           AND (lower(name), id) > ($4, $5)
           AND ($6 IS NULL OR lower(sku) < $6 OR lower(sku) >= $7)
           AND quantity >= $8 AND quantity <= $9 AND (counted OR NOT $10)
         ORDER BY lower(name), id LIMIT $11",
        tenant,
        names.first.as_str().max(after.0),
        &names.behind,
        after.0,
        after.1,
        skus.map(|skus| skus.first.as_str()),
        skus.map(|skus| skus.behind.as_str()),
        amount.least,
        amount.most,
        amount.counted,
        limit,
    )
}

/// Pieces whose quantity and key lie between two, which belong to it no more: the fewest first, or from
/// the end, the most.
///
/// # Errors
/// When the database does not answer.
pub async fn by_quantity(
    tx: &mut Tx,
    tenant: TenantId,
    (from, to): ((i64, Uuid), (i64, Uuid)),
    most_first: bool,
    counted: bool,
    limit: i64,
) -> Result<Vec<Shown>, StoreError> {
    fetch_sorted!(
        fetch_all,
        most_first,
        tx,
        Shown,
        "SELECT id, sku, name, quantity, counted, backorders, price, image FROM inventory
         WHERE tenant_id = $1 AND (quantity, id) > ($2, $3) AND (quantity, id) < ($4, $5)
           AND (counted OR NOT $6)
         ORDER BY quantity",
        ", id",
        " LIMIT $7",
        tenant,
        from.0,
        from.1,
        to.0,
        to.1,
        counted,
        limit,
    )
}

/// The piece of this SKU.
///
/// # Errors
/// When the database does not answer.
pub async fn get(tx: &mut Tx, tenant: TenantId, sku: &str) -> Result<Option<Whole>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Whole,
        "SELECT id, sku, name, quantity, counted, backorders, price, image, details FROM inventory
         WHERE tenant_id = $1 AND sku = $2",
        tenant,
        sku,
    )
}

/// How many pieces have a folded SKU or a folded name in `texts`, as far as `at_most` of each; one that has both is
/// counted twice.
///
/// # Errors
/// When the database does not answer.
pub async fn count_called(
    tx: &mut Tx,
    tenant: TenantId,
    texts: &Texts,
    at_most: i64,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM (
            SELECT id FROM (SELECT id FROM inventory
                WHERE tenant_id = $1 AND lower(sku) >= $2 AND lower(sku) < $3 LIMIT $4) AS by_sku
            UNION ALL
            SELECT id FROM (SELECT id FROM inventory
                WHERE tenant_id = $1 AND lower(name) >= $2 AND lower(name) < $3 LIMIT $4) AS by_name
         ) AS called",
        tenant,
        &texts.first,
        &texts.behind,
        at_most,
    )?;
    Ok(count)
}

/// How many pieces were sold more often than there were.
///
/// # Errors
/// When the database does not answer.
pub async fn count_below(tx: &mut Tx, tenant: TenantId) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM inventory WHERE tenant_id = $1 AND quantity < 0 AND counted",
        tenant,
    )?;
    Ok(count)
}
