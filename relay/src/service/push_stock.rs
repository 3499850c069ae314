//! Stock goes back: what a shop's stock has still to be told, in one request for many listings.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::try_join_all;
use nexpura_protocol::{
    Signer,
    stock::{MAX_PUSHES, StockPush, StockPushes, StockVerdict},
};
use uuid::Uuid;

use super::{
    Relay,
    drift::empties_too_much,
    fetch::note_trouble,
    ledger::{self, Source},
    store_client,
    vault::Place,
};
use crate::{
    channel::{ChannelError, woocommerce::StockOutcome},
    domain::Quantity,
    store::{
        self, IntegrationId, StoreError, TenantId, Tx, connections, integrations, listings,
        pushes::{self, Push},
    },
};

/// How long a claim holds: longer than a request may take.
const LEASE: TimeDelta = TimeDelta::minutes(1);
/// The longest wait between two tries.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// Pushes what is due to a tenant's stores, each at its own pace; gives how many pushes were in hand.
///
/// # Errors
/// When the database does not answer.
pub async fn push_due(relay: &Relay, tenant: TenantId) -> Result<usize, StoreError> {
    let mut tx = relay.db.read().await?;
    let stores = pushes::stores_due(&mut tx, tenant, store::now()).await?;
    tx.commit().await?;
    let counts = try_join_all(stores.into_iter().map(|id| to_store(relay, tenant, id))).await?;
    Ok(counts.into_iter().sum())
}

async fn to_store(relay: &Relay, tenant: TenantId, id: IntegrationId) -> Result<usize, StoreError> {
    let now = store::now();
    let mut tx = relay.db.write().await?;
    let store = integrations::lock(&mut tx, tenant, id).await?;
    let Some(store) = store.filter(|store| store.forked_at.is_none()) else {
        return Ok(0);
    };
    let emptied = pushes::would_empty(&mut tx, tenant, id).await?;
    let open = listings::count_open(&mut tx, tenant, id).await?;
    if empties_too_much(emptied, open) {
        let reason = format!(
            "{emptied} of {open} listings would be emptied at once: look why, then let the pushes go"
        );
        integrations::hold(&mut tx, tenant, id, &reason, now).await?;
        tx.commit().await?;
        return Ok(0);
    }
    let limit = i64::try_from(MAX_PUSHES).unwrap_or(i64::MAX);
    let claimed = pushes::claim(&mut tx, tenant, id, limit, now, now + LEASE).await?;
    let secret = connections::newest_secret(&mut tx, tenant, id).await?;
    tx.commit().await?;
    if claimed.is_empty() {
        return Ok(0);
    }
    let sent = send(relay, tenant, &store, secret, &claimed).await;
    let now = store::now();
    let mut tx = relay.db.write().await?;
    integrations::lock(&mut tx, tenant, id).await?;
    match sent {
        Ok(outcomes) => {
            for push in &claimed {
                let outcome = outcomes.iter().find(|outcome| outcome.push_id == push.id);
                settle(&mut tx, tenant, id, push, outcome, now).await?;
            }
        }
        Err((reason, error)) => {
            if let Some(error) = &error {
                note_trouble(&mut tx, tenant, id, error, now).await?;
            }
            for push in &claimed {
                let at = now + wait(push.attempts, error.as_ref());
                pushes::put_back(&mut tx, tenant, push.id, at, &reason).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(claimed.len())
}

async fn send(
    relay: &Relay,
    tenant: TenantId,
    store: &integrations::Integration,
    secret: Option<(Uuid, Vec<u8>)>,
    claimed: &[Push],
) -> Result<Vec<StockOutcome>, (String, Option<ChannelError>)> {
    let untold = |reason: String| (reason, None);
    let signer = signer(relay, tenant, secret).map_err(untold)?;
    let client =
        store_client::client(relay, tenant, store).map_err(|error| untold(error.to_string()))?;
    let body = StockPushes {
        pushes: claimed
            .iter()
            .map(|push| StockPush {
                push_id: push.id.to_string(),
                push_no: u64::try_from(push.push_no).unwrap_or_default(),
                stock_id: u64::try_from(push.stock_id).unwrap_or_default(),
                delta: Quantity::from_thousandths(push.delta).to_string(),
            })
            .collect(),
    };
    client.push_stock(&body, &signer).await.map_err(|error| (error.to_string(), Some(error)))
}

/// Signs as the store's newest connection; else says what to do.
fn signer(
    relay: &Relay,
    tenant: TenantId,
    secret: Option<(Uuid, Vec<u8>)>,
) -> Result<Signer, String> {
    let (connection, sealed) =
        secret.ok_or_else(|| "the store has no connection: connect it again".to_owned())?;
    let place = Place { tenant, table: "connections", row: connection, field: "secret" };
    let secret = relay.vault.open(place, &sealed).map_err(|error| error.to_string())?;
    Signer::new([&secret]).map_err(|error| error.to_string())
}

/// Has a shop forget the numbers of all pushes, before it is taken up again with another database.
///
/// # Errors
/// With what to do, in words.
pub(super) async fn begin_anew(
    relay: &Relay,
    tenant: TenantId,
    store: &integrations::Integration,
) -> Result<(), String> {
    let mut tx = relay.db.read().await.map_err(|error| error.to_string())?;
    let secret = connections::newest_secret(&mut tx, tenant, store.id).await;
    let secret = secret.map_err(|error| error.to_string())?;
    drop(tx);
    let signer = signer(relay, tenant, secret)?;
    let client = store_client::client(relay, tenant, store).map_err(|error| error.to_string())?;
    client.begin_pushes(&signer).await.map_err(|error| error.to_string())
}

/// Brings one push, its listing and its store to what the shop answered.
async fn settle(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    push: &Push,
    outcome: Option<&StockOutcome>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let source = Source { tenant, integration, event: None, heard_at: now, now };
    match outcome.map(|outcome| outcome.status) {
        Some(StockVerdict::Applied | StockVerdict::Duplicate) => {
            if let Some(piece) = pushes::acknowledge(tx, tenant, push, now).await? {
                // What moved since the push was frozen goes with the next one.
                pushes::ask(tx, tenant, piece, now).await?;
            }
        }
        Some(StockVerdict::Unmanaged) => {
            let reason = "the shop does not manage its stock";
            pushes::finish(tx, tenant, push.id, "void", Some(reason), now).await?;
            ledger::listing_lost(tx, &source, push.stock_id, "unmanaged", reason).await?;
        }
        Some(StockVerdict::Missing) => {
            let reason = "the shop has deleted it";
            pushes::finish(tx, tenant, push.id, "void", Some(reason), now).await?;
            ledger::listing_lost(tx, &source, push.stock_id, "missing", reason).await?;
        }
        Some(StockVerdict::OutOfOrder) => {
            let reason = "the shop's database does not know of stock that it was given: it was restored from a backup or copied";
            integrations::fork(tx, tenant, integration, reason, now).await?;
            pushes::put_back(tx, tenant, push.id, now + LONGEST_WAIT, reason).await?;
        }
        Some(StockVerdict::Failed) | None => {
            let at = now + wait(push.attempts, None);
            pushes::put_back(tx, tenant, push.id, at, "the shop could not do it").await?;
        }
    }
    Ok(())
}

/// 1 s, doubling; longer where the store asks for it.
fn wait(attempts: i64, error: Option<&ChannelError>) -> TimeDelta {
    let doublings = u32::try_from(attempts.clamp(0, 10)).unwrap_or(10);
    let usual = TimeDelta::seconds(1 << doublings).min(LONGEST_WAIT);
    match error {
        Some(ChannelError::RateLimited { retry_after: Some(after) }) => {
            let asked: Duration = *after;
            TimeDelta::from_std(asked).unwrap_or(LONGEST_WAIT).clamp(usual, LONGEST_WAIT)
        }
        _ => usual,
    }
}
