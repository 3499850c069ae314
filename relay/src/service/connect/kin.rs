//! Whether a shop is the one that was connected at its address before, and what is kept where it is another.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{
    StoreError, TenantId, Tx, customers,
    integrations::{self, Integration},
    lineage, listings, resources,
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

/// Compares a store with what a shop tells now.
pub(super) async fn compare(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    told: Option<&str>,
) -> Result<Kin, StoreError> {
    let before = integrations::woocommerce_id(tx, tenant, id).await?;
    Ok(match (before.as_deref(), told) {
        (Some(before), Some(told)) if before == told => Kin::Same,
        (Some(_), Some(_)) => Kin::Other,
        _ => Kin::Unknown,
    })
}

/// The id that is to be kept of a store: what is told now, else what was told before.
pub(super) async fn kept_id(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    told: Option<&str>,
) -> Result<Option<String>, StoreError> {
    match told {
        Some(told) => Ok(Some(told.to_owned())),
        None => integrations::woocommerce_id(tx, tenant, id).await,
    }
}

/// Whether a shop may go on with the store at its address. One that was built anew may show other things under the same
/// ids: it is read as a new one is, once a person has let go of the old one.
pub(super) async fn goes_on(
    tx: &mut Tx,
    tenant: TenantId,
    known: &Integration,
    told: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let kin = compare(tx, tenant, known.id, told).await?;
    if kin != Kin::Other {
        return Ok(true);
    }
    let was_let_go = known.status == "disconnected";
    if was_let_go {
        read_as_new(tx, tenant, known.id, kin, now).await?;
    }
    Ok(was_let_go)
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
