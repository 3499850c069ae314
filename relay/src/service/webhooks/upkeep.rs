//! Looking after webhooks: WooCommerce switches one off after six failed deliveries, and people change
//! or remove them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{
    WebhooksError,
    bring::{Brought, LEASE, bring},
    remove,
};
use crate::{
    channel::ChannelError,
    service::{Relay, Work},
    store::{
        self, IntegrationId, StoreError, TenantId, Tx, audit, integrations, keys, runs, tenants,
        webhooks::{self, Looked, Setup},
    },
};

/// From one look to the next.
const EVERY: TimeDelta = TimeDelta::minutes(3);
/// After a failure, doubling.
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(30);
/// The longest wait between two looks.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);
/// How long nobody is asked again about what only a person can change.
const FOR_A_PERSON: TimeDelta = TimeDelta::hours(6);
/// How long the previous secret counts once the new one is in place: for deliveries on their way.
const GRACE: TimeDelta = TimeDelta::minutes(10);
/// What was looked at since then need not be when a relay starts.
const FRESH: TimeDelta = TimeDelta::seconds(5);
const ACTOR: &str = "relay";

/// A store has registered: without the extension it gets webhooks, with it those that it has go.
///
/// # Errors
/// When the database does not answer.
pub async fn registered(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let store = integrations::get(tx, tenant, integration).await?;
    let extension = store.is_some_and(|store| store.mode == "extension");
    let setup = webhooks::lock(tx, tenant, integration).await?;
    if extension {
        if setup.is_some() {
            webhooks::ask(tx, tenant, integration, "removing", now).await?;
        }
        return Ok(());
    }
    if setup.is_some_and(|setup| setup.state == "active") {
        keys::set_mode(tx, tenant, integration, "webhooks", now).await?;
    }
    webhooks::ask(tx, tenant, integration, "waiting", now).await
}

/// This relay has just started: shops may have switched their webhooks off while it was away.
///
/// # Errors
/// When the database does not answer.
pub async fn after_start(relay: &Relay, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut tx = relay.db.write().await?;
    for tenant in tenants::all(&mut tx).await? {
        webhooks::ask_all(&mut tx, tenant, now - FRESH, now).await?;
    }
    tx.commit().await
}

/// Looks after the webhooks of a store, if they are due; `false` when there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn look_after_due(
    relay: &Relay,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<bool, StoreError> {
    let now = store::now();
    let mut tx = relay.db.write().await?;
    let due = webhooks::claim(&mut tx, (tenant, integration), now, now + LEASE).await?;
    tx.commit().await?;
    let Some(setup) = due else { return Ok(false) };
    if setup.state == "removing" {
        let removed = remove::from_store(relay, tenant, setup.integration_id).await;
        settle_removal(relay, tenant, &setup, removed).await?;
    } else {
        let brought = bring(relay, tenant, &setup, false).await;
        settle(relay, tenant, &setup, &brought, ACTOR).await?;
    }
    Ok(true)
}

/// Keeps what came of bringing a store's webhooks to what they shall be.
pub(super) async fn settle(
    relay: &Relay,
    tenant: TenantId,
    before: &Setup,
    outcome: &Result<Brought, WebhooksError>,
    actor: &str,
) -> Result<(), StoreError> {
    let now = store::now();
    let id = before.integration_id;
    let mut tx = relay.db.write().await?;
    // As whoever connects or disconnects it: the store first.
    integrations::lock(&mut tx, tenant, id).await?;
    match outcome {
        Ok(brought) => keep(&mut tx, tenant, before, brought, actor, now).await?,
        Err(error) => {
            if error.is_internal() {
                tracing::error!(%error, "webhooks could not be set up");
            } else {
                tracing::info!(%error, "webhooks are not in place");
            }
            if matches!(error, WebhooksError::ReadOnly) {
                keys::set_mode(&mut tx, tenant, id, "sweep", now).await?;
            }
            let lasts = before.state == "active" && !matches!(error, WebhooksError::ReadOnly);
            let detail = if error.is_internal() {
                "the relay failed; its log says why".to_owned()
            } else {
                error.to_string()
            };
            let found = Looked {
                state: if lasts { "active" } else { "failing" },
                detail: Some(&detail),
                answered: false,
                heals: before.heals,
                due_at: next_try(error, before.attempts).map(|wait| now + wait),
            };
            webhooks::looked(&mut tx, tenant, id, &found, now).await?;
        }
    }
    tx.commit().await?;
    relay.wake.of(Work::Sweep).notify_one();
    Ok(())
}

async fn keep(
    tx: &mut Tx,
    tenant: TenantId,
    before: &Setup,
    brought: &Brought,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let id = before.integration_id;
    for webhook in &brought.report.webhooks {
        webhooks::seen(tx, tenant, id, webhook, now).await?;
    }
    webhooks::confirm(tx, tenant, id, now, now + GRACE).await?;
    keys::set_mode(tx, tenant, id, "webhooks", now).await?;
    let healed = brought.wrong.as_ref().filter(|_| before.confirmed_at.is_some());
    if let Some(wrong) = healed {
        tracing::warn!(store = %id, wrong, "webhooks had to be put right");
        // Whatever they missed meanwhile.
        runs::ask(tx, tenant, id, "sweep", &json!({}), false, now).await?;
        audit::record(tx, tenant, actor, "webhooks.healed", wrong, now).await?;
    } else if before.confirmed_at.is_none() || actor != ACTOR {
        audit::record(tx, tenant, actor, "webhooks.registered", &id.to_string(), now).await?;
    }
    let heals = before.heals + i64::from(healed.is_some());
    let detail = healed.map(|wrong| format!("had to be put right: {wrong}"));
    let found = Looked {
        state: "active",
        detail: detail.as_deref(),
        answered: true,
        heals,
        due_at: Some(now + doubled(EVERY, heals)),
    };
    webhooks::looked(tx, tenant, id, &found, now).await
}

async fn settle_removal(
    relay: &Relay,
    tenant: TenantId,
    before: &Setup,
    outcome: Result<usize, WebhooksError>,
) -> Result<(), StoreError> {
    let now = store::now();
    let id = before.integration_id;
    let mut tx = relay.db.write().await?;
    match outcome {
        Ok(removed) => {
            remove::forget(&mut tx, tenant, id, now).await?;
            let subject = format!("{removed} of {id}");
            audit::record(&mut tx, tenant, ACTOR, "webhooks.removed", &subject, now).await?;
        }
        Err(error) => {
            let detail = error.to_string();
            let found = Looked {
                state: "removing",
                detail: Some(&detail),
                answered: false,
                heals: 0,
                due_at: next_try(&error, before.attempts).map(|wait| now + wait),
            };
            webhooks::looked(&mut tx, tenant, id, &found, now).await?;
        }
    }
    tx.commit().await
}

/// How long to wait after a failure; nothing where only an event begins it anew.
fn next_try(error: &WebhooksError, attempts: i64) -> Option<TimeDelta> {
    match error {
        WebhooksError::Unknown | WebhooksError::Disconnected | WebhooksError::Extension => None,
        WebhooksError::ReadOnly => Some(FOR_A_PERSON),
        WebhooksError::Halted | WebhooksError::NoAddress(_) => Some(LONGEST_WAIT),
        WebhooksError::Channel(ChannelError::RateLimited { retry_after: Some(after) }) => {
            let usual = doubled(FIRST_RETRY, attempts);
            Some(TimeDelta::from_std(*after).unwrap_or(LONGEST_WAIT).clamp(usual, LONGEST_WAIT))
        }
        _ => Some(doubled(FIRST_RETRY, attempts)),
    }
}

fn doubled(wait: TimeDelta, times: i64) -> TimeDelta {
    let factor = 1 << times.clamp(0, 10);
    wait.checked_mul(factor).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_the_store_may_ask_for_more() {
        let failed = WebhooksError::Channel(ChannelError::Timeout);
        assert_eq!(next_try(&failed, 0), Some(TimeDelta::seconds(30)));
        assert_eq!(next_try(&failed, 3), Some(TimeDelta::minutes(4)));
        assert_eq!(next_try(&failed, 1_000), Some(LONGEST_WAIT));
        let busy = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            WebhooksError::Channel(ChannelError::RateLimited { retry_after })
        };
        assert_eq!(next_try(&busy(90), 0), Some(TimeDelta::seconds(90)));
        assert_eq!(next_try(&busy(1), 0), Some(FIRST_RETRY));
        assert_eq!(next_try(&busy(90_000), 0), Some(LONGEST_WAIT));
        assert_eq!(next_try(&WebhooksError::ReadOnly, 9), Some(FOR_A_PERSON));
        assert_eq!(next_try(&WebhooksError::Disconnected, 0), None);
    }
}
