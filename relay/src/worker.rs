//! Claims and runs queued work: touches to fetch, sweeps, and keeping the house clean.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{
    sync::watch,
    task::{Id, JoinSet},
    time::{Instant, sleep, sleep_until},
};

use crate::{
    service::{Relay, Work, fetch, push_stock, sweep, webhooks},
    store::{
        self, IntegrationId, StoreError, TenantId, inbox, paces, pushes, resources, runs, sessions,
        tenants, webhooks as hooks,
    },
};

/// Each store's work is done by itself, so that one that does not answer keeps no other waiting.
type Store = (TenantId, IntegrationId);

/// How often work is looked for when nothing wakes the worker.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a worker waits after the database did not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// How often old payloads are forgotten and the states counted.
const CLEAN_EVERY: Duration = Duration::from_secs(60);
/// How long payloads are kept.
const KEEP_PAYLOADS: TimeDelta = TimeDelta::days(90);
/// How long it is kept what a run did not bring over, row by row.
const KEEP_FINDINGS: TimeDelta = TimeDelta::days(90);
/// How long a sweep that found nothing is remembered: there is one every few minutes.
const KEEP_SWEEPS: TimeDelta = TimeDelta::days(7);

/// Runs until told to stop, and then ends what is in hand. What a worker leaves behind when it is
/// killed falls due again when its lease ends.
pub async fn run(relay: Relay, mut stop: watch::Receiver<bool>) {
    let mut tasks = JoinSet::new();
    tasks.spawn(looking(relay.clone(), stop.clone(), "fetch", Work::Fetch));
    tasks.spawn(looking(relay.clone(), stop.clone(), "sweep", Work::Sweep));
    tasks.spawn(looking(relay.clone(), stop.clone(), "push", Work::Push));
    tasks.spawn(looking(relay.clone(), stop.clone(), "webhooks", Work::Webhooks));
    tasks.spawn(cleaning(relay, stop.clone()));
    let _ = stop.wait_for(|stop| *stop).await;
    while tasks.join_next().await.is_some() {}
}

async fn looking(relay: Relay, mut stop: watch::Receiver<bool>, name: &'static str, work: Work) {
    let mut in_hand = JoinSet::new();
    let mut busy: HashMap<Id, Store> = HashMap::new();
    while !*stop.borrow() {
        let pause = match due(&relay, work).await {
            Ok(stores) => {
                for store in stores {
                    if !busy.values().any(|other| *other == store) {
                        let task = in_hand.spawn(one_store(relay.clone(), store, name, work));
                        busy.insert(task.id(), store);
                    }
                }
                LOOK_EVERY
            }
            Err(error) => {
                tracing::error!(%error, work = name, "cannot look for work");
                AFTER_FAILURE
            }
        };
        let next = Instant::now() + pause;
        loop {
            tokio::select! {
                () = sleep_until(next) => break,
                () = relay.wake.of(work).notified() => break,
                Some(done) = in_hand.join_next_with_id() => {
                    // One that panicked has ended too; its claim falls due again.
                    let (id, did) = done.unwrap_or_else(|error| (error.id(), false));
                    busy.remove(&id);
                    // Where nothing was to do, another relay has it: to look at once would be to look for ever.
                    if did {
                        break;
                    }
                }
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
    }
    while in_hand.join_next().await.is_some() {}
}

async fn due(relay: &Relay, work: Work) -> Result<Vec<Store>, StoreError> {
    let mut tx = relay.db.read().await?;
    let stores = match work {
        Work::Fetch => resources::stores_due(&mut tx, store::now()).await?,
        Work::Sweep => runs::stores_due(&mut tx, store::now()).await?,
        Work::Push => pushes::stores_due(&mut tx, store::now()).await?,
        Work::Webhooks => hooks::stores_due(&mut tx, store::now()).await?,
    };
    tx.commit().await?;
    Ok(stores)
}

/// Takes up what one store has to do; whether there was anything.
async fn one_store(relay: Relay, (tenant, id): Store, name: &'static str, work: Work) -> bool {
    let outcome = match work {
        Work::Fetch => fetch::fetch_due(&relay, tenant, id).await.map(|things| things > 0),
        Work::Sweep => sweep::sweep_due(&relay, tenant, id).await,
        Work::Push => push_stock::push_due(&relay, tenant, id).await.map(|pushes| pushes > 0),
        Work::Webhooks => webhooks::look_after_due(&relay, tenant, id).await,
    };
    match outcome {
        Ok(did) => did,
        Err(error) if error.is_transient() => {
            tracing::debug!(%error, work = name, "met another transaction");
            true
        }
        Err(error) => {
            tracing::error!(%error, work = name, "work failed");
            sleep(AFTER_FAILURE).await;
            true
        }
    }
}

async fn cleaning(relay: Relay, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = clean(&relay, store::now()).await {
            tracing::warn!(%error, "cannot clean up");
        }
        tokio::select! {
            () = sleep(CLEAN_EVERY) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn clean(relay: &Relay, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut tx = relay.db.read().await?;
    let tenants = tenants::all(&mut tx).await?;
    tx.commit().await?;
    let mut waiting = BTreeMap::from([("queued".to_owned(), 0), ("failed".to_owned(), 0)]);
    for tenant in tenants {
        let mut tx = relay.db.write().await?;
        inbox::forget_payloads(&mut tx, tenant, now - KEEP_PAYLOADS).await?;
        paces::forget(&mut tx, tenant).await?;
        runs::forget_findings(&mut tx, tenant, now - KEEP_FINDINGS).await?;
        runs::forget_sweeps(&mut tx, tenant, now - KEEP_SWEEPS).await?;
        sessions::forget_expired(&mut tx, tenant, now).await?;
        for (status, count) in inbox::counts(&mut tx, tenant).await? {
            *waiting.entry(status).or_default() += count;
        }
        tx.commit().await?;
    }
    for (status, count) in waiting {
        #[allow(clippy::cast_precision_loss)]
        metrics::gauge!("nexpura_events_waiting", "status" => status).set(count as f64);
    }
    Ok(())
}
