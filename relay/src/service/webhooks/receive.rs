//! A signed delivery of a store's own webhook: a touch.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    channel::woocommerce::delivery::Subject,
    service::{Relay, Work, anew::anew},
    store::{
        IntegrationId, StoreError, TenantId, Tx, inbox, integrations,
        resources::{self, Key},
        webhooks,
    },
};

/// What is kept in `inbox.spool` of what came by a webhook.
const SPOOL: &str = "webhook";
/// How exactly it is known when the last delivery came.
const TO_THE_MINUTE: TimeDelta = TimeDelta::minutes(1);

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The thing will be fetched.
    Queued,
    /// It was here before, and the thing is still to be fetched.
    Duplicate,
    /// Nothing in the ledger follows from it.
    Ignored,
}

impl Received {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
        }
    }
}

/// Takes in what a verified delivery is about.
///
/// # Errors
/// When the database does not answer; WooCommerce does not try again, but the sweep finds it.
pub async fn receive(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    subject: Option<Subject>,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Received, StoreError> {
    let received = anew(|| take_in(relay, tenant, integration, subject, body, now)).await?;
    if received == Received::Queued {
        relay.wake.of(Work::Fetch).notify_one();
    }
    Ok(received)
}

async fn take_in(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
    subject: Option<Subject>,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Received, StoreError> {
    let mut tx = relay.db.write().await?;
    // A store that is halted or has no key keeps what it wants until it can be asked again.
    integrations::lock(&mut tx, tenant, integration).await?;
    let received = match subject {
        Some(subject) => touch(&mut tx, tenant, integration, subject, body, now).await?,
        None => Received::Ignored,
    };
    webhooks::delivered(&mut tx, tenant, integration, now, now - TO_THE_MINUTE).await?;
    tx.commit().await?;
    Ok(received)
}

async fn touch(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    subject: Subject,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Received, StoreError> {
    let topic = subject.topic.to_string();
    let resource_id = i64::try_from(subject.id).unwrap_or(i64::MAX);
    let resource = subject.topic.resource.as_str();
    let key = Key { tenant, integration, resource, remote_id: resource_id };
    let event_id = id_of(integration, &topic, resource_id, body);
    let arrival = inbox::Arrival {
        event_id,
        spool: SPOOL,
        seq: 0,
        topic: &topic,
        resource,
        resource_id,
        rev: None,
        occurred_at: now,
        payload: None,
        facts: None,
    };
    let new = inbox::insert(tx, tenant, integration, &arrival, now).await?;
    // The same again is no second event, but it may well be a second happening: a deletion carries
    // nothing but the id, so that an order put twice into the trash looks the same twice.
    let again = !new && inbox::wait_again(tx, tenant, integration, event_id).await?;
    if !new && !again && !resources::in_hand(tx, key, now).await? {
        return Ok(Received::Duplicate);
    }
    resources::arrive(tx, key, now).await?;
    resources::want(tx, key, now).await?;
    Ok(if new || again { Received::Queued } else { Received::Duplicate })
}

/// The same for the same topic, thing and body. WooCommerce's own delivery id is no help: it is the same
/// for all that one webhook delivers within a second.
fn id_of(integration: IntegrationId, topic: &str, resource_id: i64, body: &[u8]) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(integration.as_bytes());
    hash.update(topic.as_bytes());
    hash.update(resource_id.to_be_bytes());
    hash.update(Sha256::digest(body));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_its_store_topic_thing_and_body() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let id = id_of(one, "order.updated", 7, b"{}");
        assert_eq!(id, id_of(one, "order.updated", 7, b"{}"));
        assert_ne!(id, id_of(other, "order.updated", 7, b"{}"));
        assert_ne!(id, id_of(one, "order.deleted", 7, b"{}"));
        assert_ne!(id, id_of(one, "order.updated", 8, b"{}"));
        assert_ne!(id, id_of(one, "order.updated", 7, b"{ }"));
    }
}
