//! Marks in a shop that has no plugin: a note on each order, and a custom field of products and accounts where somebody
//! has asked for that.
//!
//! Each is asked for once and remembered before it is: a mark that got lost is better than one that comes again and
//! again where only the shop's answers get lost or are none.

use std::{collections::BTreeMap, ops::ControlFlow};

use chrono::{DateTime, Utc};
use nexpura_protocol::event::Resource;
use serde_json::Value;

use super::{StepError, Sweep};
use crate::{
    channel::{
        ChannelError,
        woocommerce::{Listing, OwnType},
    },
    service::store_policy,
    store::{self, connections, integrations::Integration, resources},
};

/// Orders that are given a note in one sweep: ten seconds at a store's pace.
const NOTES: i64 = 50;
/// Products, and accounts, that are given a field in one sweep: the shop saves each, and has webhooks tell of each.
const FIELDS: usize = 25;
/// So many are saved with one request: others wait for a shop that takes long.
const AT_ONCE: usize = 5;
/// Products that are looked at for that, variations among them.
const LOOKED_AT: i64 = 500;

impl Sweep<'_> {
    /// Marks some of what has no mark yet.
    pub(in super::super) async fn mark_without_plugin(&self) -> Result<(), StepError> {
        if self.run.kind != "sweep" {
            return Ok(());
        }
        let Some(store) = self.may_mark_without_plugin().await? else { return Ok(()) };
        self.note_orders().await?;
        if store.mark_fields {
            self.mark_products().await?;
            self.mark_accounts().await?;
        }
        Ok(())
    }

    /// Notes beside orders that they were brought over.
    async fn note_orders(&self) -> Result<(), StepError> {
        let mut tx = self.relay.db.read().await?;
        let orders =
            resources::orders_without_mark(&mut tx, self.tenant, self.store.id, NOTES).await?;
        tx.commit().await?;
        for order in orders {
            if self.may_mark_without_plugin().await?.is_none() {
                break;
            }
            self.set_marked(Resource::Order, &[order], Some(store::now())).await?;
            let Err(error) = self.client.note_synced(order).await else { continue };
            self.refused(Resource::Order, &[order], &error).await?;
            break;
        }
        Ok(())
    }

    /// Gives products a custom field. WooCommerce saves the whole of them for it, with its hooks and a new date, so that
    /// somebody has to ask for it; those that this could do harm to are left out.
    async fn mark_products(&self) -> Result<(), StepError> {
        let (tenant, id) = (self.tenant, self.store.id);
        let mut tx = self.relay.db.read().await?;
        let found = resources::products_without_mark(&mut tx, tenant, id, LOOKED_AT).await?;
        tx.commit().await?;
        let (mut by_type, mut others) = (BTreeMap::<OwnType, Vec<i64>>::new(), Vec::new());
        for (id, kind) in found {
            match OwnType::of(&kind) {
                None => others.push(id),
                Some(_) if by_type.values().map(Vec::len).sum::<usize>() == FIELDS => {}
                Some(kind) => by_type.entry(kind).or_default().push(id),
            }
        }
        // Variations go by their parents; what other plugins bring is not touched.
        self.set_marked(Resource::Product, &others, Some(store::now())).await?;
        if by_type.is_empty() {
            return Ok(());
        }
        let counting = match self.client.counting().await {
            Ok(Some(counting)) => counting,
            Ok(None) => {
                let store = self.client.store().host();
                tracing::info!(
                    store,
                    "the shop counts no stock as WooCommerce does: products are not marked"
                );
                return Ok(());
            }
            Err(error) => return self.refused(Resource::Product, &[], &error).await,
        };
        for (kind, ids) in by_type {
            // Their variations are looked at too.
            let at_once = if kind == OwnType::Variable { 1 } else { AT_ONCE };
            for some in ids.chunks(at_once) {
                let look = self.client.markable_products(kind, some, counting);
                if self.mark_some(Listing::Products, some, look).await?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The same of accounts.
    async fn mark_accounts(&self) -> Result<(), StepError> {
        let (tenant, id) = (self.tenant, self.store.id);
        let at_most = i64::try_from(FIELDS).unwrap_or(i64::MAX);
        let mut tx = self.relay.db.read().await?;
        let ids = resources::accounts_without_mark(&mut tx, tenant, id, at_most).await?;
        tx.commit().await?;
        for some in ids.chunks(AT_ONCE) {
            let look = self.client.markable_accounts(some);
            if self.mark_some(Listing::Customers, some, look).await?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Looks at some and marks those that can be; none of them is looked at again. Where something else of one has
    /// changed as well, it was the last time.
    async fn mark_some(
        &self,
        listing: Listing,
        ids: &[i64],
        look: impl Future<Output = Result<Vec<Value>, ChannelError>>,
    ) -> Result<ControlFlow<()>, StepError> {
        let resource = match listing {
            Listing::Customers => Resource::Customer,
            _ => Resource::Product,
        };
        if !self.may_mark_fields().await? {
            return Ok(ControlFlow::Break(()));
        }
        let rows = match look.await {
            Ok(rows) => rows,
            Err(error) => {
                // What the shop cannot show keeps no other from its mark.
                if is_about_these(&error) {
                    self.set_marked(resource, ids, Some(store::now())).await?;
                }
                self.refused(resource, &[], &error).await?;
                return Ok(ControlFlow::Break(()));
            }
        };
        if !self.may_mark_fields().await? {
            return Ok(ControlFlow::Break(()));
        }
        let now = store::now();
        self.set_marked(resource, ids, Some(now)).await?;
        if rows.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let saved = match self.client.mark_by_field(listing, &rows, now).await {
            Ok(saved) => saved,
            Err(error) => {
                self.refused(resource, ids, &error).await?;
                return Ok(ControlFlow::Break(()));
            }
        };
        if !saved.refused.is_empty() {
            let (store, ids) = (self.client.store().host(), saved.refused);
            tracing::info!(
                store,
                resource = resource.as_str(),
                ?ids,
                "the shop does not mark these"
            );
        }
        if saved.altered.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let told = saved
            .altered
            .iter()
            .map(|(id, names)| format!("{} {id}: {}", resource.as_str(), names.join(", ")));
        let told = told.collect::<Vec<_>>().join("; ");
        let store = self.client.store().host();
        tracing::warn!(
            store,
            told,
            "marking these changed something else, so no more are marked by a field"
        );
        store_policy::stop_fields(self.relay, self.tenant, self.store.id, &told, store::now())
            .await?;
        Ok(ControlFlow::Break(()))
    }

    /// The store, where it may still be marked and has got no plugin meanwhile; keeps the run's claim.
    async fn may_mark_without_plugin(&self) -> Result<Option<Integration>, StepError> {
        let Some(store) = self.may_mark().await? else { return Ok(None) };
        let mut tx = self.relay.db.read().await?;
        let plugin = connections::newest_secret(&mut tx, self.tenant, self.store.id).await?;
        tx.commit().await?;
        Ok(plugin.is_none().then_some(store))
    }

    async fn may_mark_fields(&self) -> Result<bool, StepError> {
        Ok(self.may_mark_without_plugin().await?.is_some_and(|store| store.mark_fields))
    }

    /// Says that things stay without a mark; they are tried again where the shop has surely done nothing.
    async fn refused(
        &self,
        resource: Resource,
        ids: &[i64],
        error: &ChannelError,
    ) -> Result<(), StepError> {
        let (store, resource_name) = (self.client.store().host(), resource.as_str());
        tracing::info!(store, resource_name, ?ids, %error, "what was brought over is not marked in the shop");
        if is_no_attempt(error) {
            self.set_marked(resource, ids, None).await?;
        }
        Ok(())
    }

    async fn set_marked(
        &self,
        resource: Resource,
        ids: &[i64],
        at: Option<DateTime<Utc>>,
    ) -> Result<(), StepError> {
        // In the order in which others lock them.
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let mut tx = self.relay.db.write().await?;
        for remote_id in ids {
            let key = resources::Key {
                tenant: self.tenant,
                integration: self.store.id,
                resource: resource.as_str(),
                remote_id,
            };
            resources::set_marked(&mut tx, key, at).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// Whether the shop has surely done nothing, for a reason that is not the thing's and will pass. What is forbidden may be
/// so for ever, by something that stands before the shop.
fn is_no_attempt(error: &ChannelError) -> bool {
    matches!(
        error,
        ChannelError::Unauthorized | ChannelError::RateLimited { .. } | ChannelError::NoTurn
    )
}

/// Whether a failure to show some things may be theirs, rather than the shop's or the way's to it.
fn is_about_these(error: &ChannelError) -> bool {
    matches!(
        error,
        ChannelError::Server { .. }
            | ChannelError::Rejected { .. }
            | ChannelError::NotFound
            | ChannelError::TooLarge
            | ChannelError::NotJson
            | ChannelError::WrongShape(_)
    )
}
