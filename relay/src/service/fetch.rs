//! Touches: the relay asks the shop itself how a thing stands.
//!
//! One fetch a thing at a time, and one during which anything about that thing arrived is discarded:
//! what was read may be older than what arrived.

use chrono::{DateTime, TimeDelta, Utc};
use nexpura_protocol::{Verdict, event::Resource};
use serde_json::Value;

use super::{
    Relay,
    anew::anew,
    ingest::facts_of,
    ledger::{self, ApplyError, OrderFate, Source},
    store_client,
};
use crate::{
    channel::{ChannelError, woocommerce::Client},
    store::{
        self, IntegrationId, StoreError, TenantId, Tx, inbox, integrations, resources,
        resources::{Due, Key},
        sales,
    },
};

/// How many things are claimed at once.
const CLAIM: i64 = 20;
/// How long a claim holds. Where a slow store takes longer, a second relay may fetch the same thing
/// again: of two answers, the one that something overtook is discarded.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// The longest wait between two tries.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// Fetches what is due for one store; gives how many things it took up.
///
/// # Errors
/// When the database does not answer.
pub async fn fetch_due(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<usize, StoreError> {
    let now = store::now();
    let mut tx = relay.db.write().await?;
    let due = resources::claim(&mut tx, (tenant, integration), CLAIM, now, now + LEASE).await?;
    let store = integrations::get(&mut tx, tenant, integration).await?;
    tx.commit().await?;
    let Some(store) = store else { return Ok(0) };
    for thing in due.iter().take_while(|_| !relay.wake.is_stopping()) {
        if !one(relay, tenant, &store, thing).await? {
            break;
        }
    }
    Ok(due.len())
}

/// Fetches one thing; `false` where the store has been disconnected and is asked nothing more.
async fn one(
    relay: &Relay,
    tenant: TenantId,
    store: &integrations::Integration,
    thing: &Due,
) -> Result<bool, StoreError> {
    let key = Key {
        tenant,
        integration: thing.integration_id,
        resource: &thing.resource,
        remote_id: thing.remote_id,
    };
    let (Ok(resource), Ok(id)) = (thing.resource.parse(), u64::try_from(thing.remote_id)) else {
        return Ok(true);
    };
    let answer = match store_client::client(relay, tenant, store) {
        Ok(client) => {
            read(&client, resource, id).await.map_err(|error| (error.to_string(), Some(error)))
        }
        Err(error) => Err((error.to_string(), None)),
    };
    match answer {
        Ok(answer) => anew(|| keep(relay, key, thing, resource, answer.clone())).await,
        Err((reason, error)) => {
            anew(|| put_off(relay, key, thing, &reason, error.as_ref())).await?;
            Ok(true)
        }
    }
}

async fn read(client: &Client, resource: Resource, id: u64) -> Result<Option<Value>, ChannelError> {
    match resource {
        Resource::Order => {
            let Some(mut order) = client.order(id).await? else { return Ok(None) };
            let told = order.pointer("/nexpura/refunds").is_some_and(Value::is_array);
            let some =
                order.get("refunds").and_then(Value::as_array).is_some_and(|r| !r.is_empty());
            if some && !told {
                // Without the plugin a refund's lines are at an address of their own.
                let refunds = client.refunds(id).await?;
                if let Some(order) = order.as_object_mut() {
                    let facts = order.entry("nexpura").or_insert_with(|| serde_json::json!({}));
                    facts["refunds"] = Value::Array(refunds);
                }
            }
            Ok(Some(order))
        }
        Resource::Product => client.product(id).await,
        Resource::Customer => client.customer(id).await,
        Resource::Lineage => Ok(None),
    }
}

/// Applies what was read, unless something about it arrived meanwhile; `false` where the store has been
/// disconnected, and nothing of it is applied.
async fn keep(
    relay: &Relay,
    key: Key<'_>,
    thing: &Due,
    resource: Resource,
    answer: Option<Value>,
) -> Result<bool, StoreError> {
    let now = store::now();
    let mut tx = relay.db.write().await?;
    let store = integrations::lock(&mut tx, key.tenant, key.integration).await?;
    let has_key = store.as_ref().is_some_and(|store| store.has_key());
    let halted = !has_key || store.is_none_or(|store| store.forked_at.is_some());
    let standing = resources::lock(&mut tx, key).await?;
    let Some(standing) = standing.filter(|standing| !halted && standing.arrived == thing.arrived)
    else {
        resources::put_back(&mut tx, key, now, false).await?;
        tx.commit().await?;
        return Ok(has_key);
    };
    let source = Source {
        tenant: key.tenant,
        integration: key.integration,
        event: None,
        fresh: false,
        heard_at: standing.heard_at.unwrap_or(now),
        erased: standing.erased_at.is_some(),
        now,
    };
    let applied = apply_answer(&mut tx, &source, key, resource, answer).await?;
    match applied {
        Ok(()) => integrations_ok(&mut tx, key, now).await?,
        Err(error) => {
            let wait = wait_before_next(thing.attempts, None);
            resources::put_back(&mut tx, key, now + wait, true).await?;
            let text = error.for_people();
            settle(&mut tx, key, Verdict::Failed, Some(&text)).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// Applies one answer within a savepoint, so that a refusal leaves the transaction fit for its note.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn apply_answer(
    tx: &mut Tx,
    source: &Source,
    key: Key<'_>,
    resource: Resource,
    answer: Option<Value>,
) -> Result<Result<(), ApplyError>, StoreError> {
    tx.savepoint().await?;
    let mut rev = None;
    let mut content = None;
    let applied = match answer {
        Some(mut payload) => {
            let facts = facts_of(&mut payload);
            rev =
                facts.as_ref().and_then(|facts| facts.rev).and_then(|rev| i64::try_from(rev).ok());
            content = Some(ledger::digest(&payload, facts.as_ref()));
            ledger::apply(tx, source, resource, &payload, facts.as_ref(), OrderFate::Stands).await
        }
        None => gone(tx, source, key, resource).await,
    };
    match applied {
        Ok(()) => {
            tx.keep().await?;
            resources::applied(tx, key, rev, content.as_deref(), source.now).await?;
            settle(tx, key, Verdict::Applied, None).await?;
            Ok(Ok(()))
        }
        Err(ApplyError::Store(error)) if !error.is_refusal() => Err(error),
        Err(error) => {
            tx.undo().await?;
            Ok(Err(error))
        }
    }
}

/// The shop has no such thing any more. An order is told as it last stood, if an event has told that.
async fn gone(
    tx: &mut Tx,
    source: &Source,
    key: Key<'_>,
    resource: Resource,
) -> Result<(), ApplyError> {
    if resource == Resource::Order {
        let known = resources::lock(tx, key).await?.and_then(|standing| standing.rev);
        let words =
            inbox::last_words(tx, key.tenant, key.integration, key.remote_id, known).await?;
        let read = words.and_then(|(payload, facts)| {
            let facts = facts.and_then(|facts| serde_json::from_str(&facts).ok());
            Some((serde_json::from_str::<Value>(&payload).ok()?, facts))
        });
        if let Some((payload, facts)) = read {
            let (facts, fate) = (facts.as_ref(), OrderFate::Deleted);
            let told = ledger::apply(tx, source, resource, &payload, facts, fate).await;
            let known = sales::lock(tx, key.tenant, key.integration, key.remote_id, None).await?;
            // Words that nobody understands matter only where nothing else is known of the order.
            if !matches!(told, Err(ApplyError::Mapping(_))) || known.is_none() {
                return told;
            }
        }
    }
    ledger::apply_gone(tx, source, resource, key.remote_id).await
}

async fn settle(
    tx: &mut Tx,
    key: Key<'_>,
    status: Verdict,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    let (tenant, integration) = (key.tenant, key.integration);
    inbox::settle_waiting(tx, tenant, integration, key.resource, key.remote_id, status, detail)
        .await
}

async fn put_off(
    relay: &Relay,
    key: Key<'_>,
    thing: &Due,
    reason: &str,
    error: Option<&ChannelError>,
) -> Result<(), StoreError> {
    let now = store::now();
    let mut tx = relay.db.write().await?;
    if let Some(error) = error {
        note_trouble(&mut tx, key.tenant, key.integration, error, now).await?;
    }
    let wait = wait_before_next(thing.attempts, error);
    resources::put_back(&mut tx, key, now + wait, true).await?;
    settle(&mut tx, key, Verdict::Queued, Some(reason)).await?;
    tx.commit().await
}

/// Shows on the store what only a person can mend.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn note_trouble(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    error: &ChannelError,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let lasting = !error.is_transient();
    if lasting {
        let reason = error.to_string();
        integrations::set_status(tx, tenant, integration, "error", Some(&reason), now).await?;
    }
    Ok(())
}

async fn integrations_ok(tx: &mut Tx, key: Key<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
    integrations::set_status(tx, key.tenant, key.integration, "connected", None, now).await
}

/// 2 s, doubling up to an hour; longer where the store asks for it.
fn wait_before_next(attempts: i64, error: Option<&ChannelError>) -> TimeDelta {
    if let Some(ChannelError::RateLimited { retry_after: Some(after) }) = error {
        return TimeDelta::from_std(*after).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
    }
    let doublings = u32::try_from(attempts.clamp(0, 11)).unwrap_or(11);
    TimeDelta::seconds(2_i64.saturating_mul(1 << doublings)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_the_store_may_ask_for_more() {
        assert_eq!(wait_before_next(0, None), TimeDelta::seconds(2));
        assert_eq!(wait_before_next(3, None), TimeDelta::seconds(16));
        assert_eq!(wait_before_next(1_000, None), LONGEST_WAIT);
        let asked =
            ChannelError::RateLimited { retry_after: Some(std::time::Duration::from_secs(90)) };
        assert_eq!(wait_before_next(0, Some(&asked)), TimeDelta::seconds(90));
    }
}
