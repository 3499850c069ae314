//! Bringing a store's webhooks to what they shall be: what is missing is made, what is off is put right,
//! what is stale is removed.

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::time::sleep;
use url::Url;

use super::{
    Addressee, WebhooksError, addressee, delivery_url,
    plan::{Plan, is_sound},
    upkeep,
};
use crate::{
    channel::{
        ChannelError,
        woocommerce::{Client, Webhook, WebhookBatch, WebhookWish},
    },
    service::{
        Relay,
        credential::{ConnectionId, random},
        store_client,
        vault::Place,
    },
    store::{
        self, IntegrationId, StoreError, TenantId, Tx,
        integrations::{self, Integration},
        webhooks::{self, Setup},
    },
};

/// How long a claim holds: longer than the slowest registration, which pings for each webhook.
pub(super) const LEASE: TimeDelta = TimeDelta::minutes(5);
/// How long a person's wish waits for a look that is under way.
const PATIENCE: TimeDelta = TimeDelta::seconds(30);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// New webhooks in one request: for each, WooCommerce may wait five seconds for its ping.
const CREATE_AT_ONCE: usize = 4;
const DELETE_AT_ONCE: usize = 100;
/// Bytes of a secret.
const SECRET_BYTES: usize = 32;

/// How a store's webhooks are now.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Where they deliver to.
    pub delivery_url: String,
    /// One a topic.
    pub webhooks: Vec<webhooks::Webhook>,
    /// How many were made.
    pub created: usize,
    /// How many were changed.
    pub updated: usize,
    /// How many stale ones were removed.
    pub removed: usize,
}

/// What came of it, and what had been wrong.
pub(super) struct Brought {
    pub(super) report: Report,
    pub(super) wrong: Option<String>,
}

/// Registers a store's webhooks under a new secret, by a person's wish.
///
/// # Errors
/// See [`WebhooksError`].
pub async fn setup(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    actor: &str,
) -> Result<Report, WebhooksError> {
    let mut tx = relay.db.write().await?;
    fit(&mut tx, tenant, integration).await?;
    webhooks::switch_on(&mut tx, tenant, integration, store::now()).await?;
    tx.commit().await?;
    let before = in_hand(relay, tenant, integration).await?.ok_or(WebhooksError::Unknown)?;
    let brought = bring(relay, tenant, &before, true).await;
    upkeep::settle(relay, tenant, &before, &brought, actor).await?;
    brought.map(|brought| brought.report)
}

/// Takes a store's webhooks in hand, waiting while somebody else has them; nothing where there are none.
pub(super) async fn in_hand(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<Option<Setup>, WebhooksError> {
    let until = store::now() + PATIENCE;
    loop {
        let now = store::now();
        let mut tx = relay.db.write().await?;
        let setup = webhooks::lock(&mut tx, tenant, integration).await?;
        let free = webhooks::lease(&mut tx, tenant, integration, now, now + LEASE).await?;
        tx.commit().await?;
        match setup {
            Some(setup) if free => return Ok(Some(setup)),
            None => return Ok(None),
            Some(_) if now > until => return Err(WebhooksError::Busy),
            Some(_) => sleep(LOOK_AGAIN).await,
        }
    }
}

/// The store, if it is one that needs webhooks and can have them.
pub(super) async fn fit(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
) -> Result<Integration, WebhooksError> {
    let store = integrations::lock(tx, tenant, id).await?.ok_or(WebhooksError::Unknown)?;
    if store.status == "disconnected" {
        return Err(WebhooksError::Disconnected);
    }
    if store.forked_at.is_some() {
        return Err(WebhooksError::Halted);
    }
    if store.mode == "extension" {
        return Err(WebhooksError::Extension);
    }
    Ok(store)
}

/// What is needed to speak to the store, and what its webhooks shall be.
struct Hand {
    client: Client,
    url: String,
    secret: SecretString,
    rewrite: bool,
}

/// Asks the store what webhooks it has and brings them to what they shall be; with `fresh`, under a new
/// secret.
pub(super) async fn bring(
    relay: &Relay,
    tenant: TenantId,
    setup: &Setup,
    fresh: bool,
) -> Result<Brought, WebhooksError> {
    let id = setup.integration_id;
    let hand = prepare(relay, tenant, id, fresh).await?;
    let found = hand.client.webhooks().await?;
    let ours = ours(relay, tenant, id, found).await?;
    let plan = Plan::of(ours, &hand.url, hand.rewrite);
    let wrong = plan.what_was_wrong(&hand.url);
    let mut there = plan.keep.clone();
    let mut refused = None;
    for batch in batches(&plan, &hand) {
        let done = hand.client.change_webhooks(&batch).await.map_err(|error| match error {
            // It could be read a moment ago.
            ChannelError::Unauthorized | ChannelError::Forbidden => WebhooksError::ReadOnly,
            other => other.into(),
        })?;
        there.extend(done.there);
        refused = refused.or(done.refused.into_iter().next());
    }
    let webhooks = one_a_topic(&there, &hand.url)
        .ok_or_else(|| WebhooksError::Refused(refused.unwrap_or_else(|| "no code".to_owned())))?;
    let report = Report {
        delivery_url: hand.url,
        webhooks,
        created: plan.create.len(),
        updated: plan.update.len(),
        removed: plan.delete.len(),
    };
    Ok(Brought { report, wrong })
}

async fn prepare(
    relay: &Relay,
    tenant: TenantId,
    id: IntegrationId,
    fresh: bool,
) -> Result<Hand, WebhooksError> {
    let mut tx = relay.db.write().await?;
    let store = fit(&mut tx, tenant, id).await?;
    let setup = webhooks::lock(&mut tx, tenant, id).await?.ok_or(WebhooksError::Unknown)?;
    let url = delivery_url(&relay.config, ConnectionId { tenant, id: setup.address_id })?;
    let (secret, is_new) = secret(relay, &mut tx, tenant, &setup, fresh).await?;
    tx.commit().await?;
    let client = store_client::client(relay, tenant, &store)?;
    Ok(Hand { client, url, secret, rewrite: is_new || setup.confirmed_at.is_none() })
}

/// The secret that they shall sign with, and whether it is new. One that is not confirmed yet is used
/// again, so that never more than two count.
async fn secret(
    relay: &Relay,
    tx: &mut Tx,
    tenant: TenantId,
    setup: &Setup,
    fresh: bool,
) -> Result<(SecretString, bool), WebhooksError> {
    let id = setup.integration_id;
    let place = |field| Place { tenant, table: "webhook_setups", row: id, field };
    let present = setup
        .secret
        .as_deref()
        .map(|sealed| relay.vault.open(place("secret"), sealed))
        .transpose()
        .map_err(anyhow::Error::from)?;
    let present = match present {
        Some(present) if !fresh || setup.confirmed_at.is_none() => return Ok((present, false)),
        present => present,
    };
    // Hexadecimal: WooCommerce decodes HTML entities in a secret before it signs with it.
    let bytes = random::<SECRET_BYTES>()?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let secret = SecretString::from(text);
    let sealed = relay.vault.seal(place("secret"), secret.expose_secret())?;
    let previous = present
        .map(|present| relay.vault.seal(place("previous_secret"), present.expose_secret()))
        .transpose()?;
    webhooks::begin(tx, tenant, id, &sealed, previous.as_deref()).await?;
    Ok((secret, true))
}

/// Those of a store's webhooks that this ledger has made for it, now or before and under whatever public
/// address of the relay; and those that deliver to this very relay, but where nobody receives any more.
pub(super) async fn ours(
    relay: &Relay,
    tenant: TenantId,
    id: IntegrationId,
    found: Vec<Webhook>,
) -> Result<Vec<Webhook>, StoreError> {
    let mut tx = relay.db.read().await?;
    let here = relay.config.reachable_at().ok().map(|url| url.origin());
    let mut ours = Vec::new();
    for webhook in found {
        let Ok(url) = Url::parse(&webhook.delivery_url) else { continue };
        let is_here = here.as_ref() == Some(&url.origin());
        let is_ours = match addressee(&url) {
            Some(Addressee::Connection(to)) if to.tenant == tenant || is_here => {
                let receiver = webhooks::at_address(&mut tx, to.tenant, to.id).await?;
                receiver.is_none_or(|receiver| receiver == id && to.tenant == tenant)
            }
            Some(Addressee::Nobody) => is_here,
            _ => false,
        };
        if is_ours {
            ours.push(webhook);
        }
    }
    tx.commit().await?;
    Ok(ours)
}

/// Changes first and removals last, so that no moment is without a webhook.
fn batches(plan: &Plan, hand: &Hand) -> Vec<WebhookBatch> {
    let wish = |id: Option<u64>, topic: &str| WebhookWish {
        id,
        name: format!("Nexpura {topic}"),
        topic: topic.to_owned(),
        delivery_url: hand.url.clone(),
        secret: hand.secret.clone(),
        status: "active",
    };
    let update: Vec<_> =
        plan.update.iter().map(|webhook| wish(Some(webhook.id), &webhook.topic)).collect();
    let mut batches = Vec::new();
    if !update.is_empty() {
        batches.push(WebhookBatch { update, ..WebhookBatch::default() });
    }
    for topics in plan.create.chunks(CREATE_AT_ONCE) {
        let create = topics.iter().map(|topic| wish(None, topic)).collect();
        batches.push(WebhookBatch { create, ..WebhookBatch::default() });
    }
    for ids in plan.delete.chunks(DELETE_AT_ONCE) {
        batches.push(WebhookBatch { delete: ids.to_vec(), ..WebhookBatch::default() });
    }
    batches
}

/// One sound webhook for each topic, or nothing if one is missing.
fn one_a_topic(there: &[Webhook], url: &str) -> Option<Vec<webhooks::Webhook>> {
    super::TOPICS
        .iter()
        .map(|topic| {
            let topic = topic.to_string();
            let found =
                there.iter().find(|webhook| webhook.topic == topic && is_sound(webhook, url))?;
            let remote_id = i64::try_from(found.id).ok()?;
            Some(webhooks::Webhook { topic, remote_id, status: found.status.clone() })
        })
        .collect()
}
