//! Whose store is meant.

use crate::{
    service::{Relay, admin, runs},
    store::{IntegrationId, TenantId, integrations::Integration},
};

/// One store of a jeweller.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// The jeweller whose store it is
    #[arg(long)]
    tenant: String,
    /// The store's address or id
    #[arg(long)]
    store: String,
}

impl Named {
    pub(super) async fn find(&self, relay: &Relay) -> anyhow::Result<(TenantId, Integration)> {
        let tenant = admin::known_tenant(relay, &self.tenant).await?;
        let store = runs::named_store(relay, tenant, &self.store).await?;
        Ok((tenant, store))
    }
}

/// All of a jeweller's stores, or one of them.
#[derive(Debug, clap::Args)]
pub(super) struct OfJeweller {
    /// The jeweller
    #[arg(long)]
    tenant: String,
    /// Only those of this store: its address or id
    #[arg(long)]
    store: Option<String>,
}

impl OfJeweller {
    pub(super) async fn find(
        &self,
        relay: &Relay,
    ) -> anyhow::Result<(TenantId, Option<IntegrationId>)> {
        let tenant = admin::known_tenant(relay, &self.tenant).await?;
        let Some(name) = &self.store else { return Ok((tenant, None)) };
        Ok((tenant, Some(runs::named_store(relay, tenant, name).await?.id)))
    }
}
