//! Whether a shop is the one that was connected at its address before, and what is kept where it is another.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{
    StoreError, TenantId, Tx, customers, integrations, lineage, listings, resources,
};

/// What WooCommerce's own id says of a shop and the one that was connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kin {
    /// It is that shop.
    Same,
    /// It was built anew.
    Other,
    /// Nothing: older versions of WooCommerce have no id.
    Unknown,
}

/// Compares a store with what a shop tells now; gives the id that is to be kept as well.
pub(super) async fn compare(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    told: Option<&str>,
) -> Result<(Kin, Option<String>), StoreError> {
    let before = integrations::woocommerce_id(tx, tenant, id).await?;
    let kin = match (before.as_deref(), told) {
        (Some(before), Some(told)) if before == told => Kin::Same,
        (Some(_), Some(_)) => Kin::Other,
        _ => Kin::Unknown,
    };
    Ok((kin, told.map(str::to_owned).or(before)))
}

/// Has a store read as a new shop is, with its row and its history: whose count holds of what Nexpura has, a person says.
/// Unless it is the same shop, its accounts may be other people under the same ids.
pub(super) async fn read_as_new(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    kin: Kin,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    integrations::unfork(tx, tenant, id, now).await?;
    lineage::begin_anew(tx, tenant, id).await?;
    listings::begin_anew(tx, tenant, id, now).await?;
    listings::unlink(tx, tenant, id, now).await?;
    resources::begin_anew(tx, tenant, id).await?;
    if kin != Kin::Same {
        customers::forget_accounts(tx, tenant, id).await?;
    }
    if kin == Kin::Other {
        // The plugin there, if there is one, has another id by now.
        integrations::forget_plugin(tx, tenant, id).await?;
        // Whoever was erased is not who has that id now. In doubt nobody comes back who was erased.
        resources::forget_erasures(tx, tenant, id).await?;
    }
    integrations::nothing_known(tx, tenant, id).await
}
