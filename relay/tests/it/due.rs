//! What is due can be taken up: a worker that is offered work which it cannot claim would look for it again and
//! again.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use nexpura_relay::store::{self, Tx, pushes, resources, runs, webhooks};
use serde_json::json;
use tokio::time::sleep;

use crate::{
    numbered::{one_ring, want},
    support::{
        connected::Connected,
        database::{self, Backend},
        on_both,
        pushing::adjust,
        relay::TestRelay,
    },
};

/// A kind of queued work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fetch,
    Run,
    Push,
    Webhooks,
}

const KINDS: [Kind; 4] = [Kind::Fetch, Kind::Run, Kind::Push, Kind::Webhooks];

/// How a store and its work may stand; each combination of these is tried.
const STANDS: [&str; 7] =
    ["halted", "held", "without a key", "read only", "without the plugin", "numbered", "leased"];

/// Asks for work of every kind.
async fn ask(shop: &Connected) {
    adjust(shop, "RING", "-1").await;
    let mut tx = shop.relay.db.write().await.unwrap();
    let (tenant, integration) = (shop.tenant, shop.integration);
    let ago = store::now() - TimeDelta::seconds(1);
    let key = resources::Key { tenant, integration, resource: "order", remote_id: 77 };
    resources::want(&mut tx, key, ago).await.unwrap();
    runs::ask(&mut tx, tenant, integration, "sweep", &json!({}), false, ago).await.unwrap();
    webhooks::ask(&mut tx, tenant, integration, "waiting", ago).await.unwrap();
    tx.commit().await.unwrap();
}

/// Puts the store and its work where this combination has them.
async fn put(shop: &Connected, is: impl Fn(&str) -> bool) {
    let db = &shop.relay.db;
    let soon = database::moment(db, Utc::now() + TimeDelta::minutes(5));
    let ago = database::moment(db, Utc::now() - TimeDelta::minutes(5));
    let when = |yes: bool, at: &str| if yes { at.to_owned() } else { "NULL".to_owned() };
    let key = database::bytes(db, b"key");
    let leased = when(is("leased"), &soon);
    for sql in [
        format!(
            "UPDATE integrations SET forked_at = {}, held_at = {}, consumer_key = {}, writable = {}",
            when(is("halted"), &ago),
            when(is("held"), &ago),
            when(!is("without a key"), &key),
            if is("read only") { "FALSE" } else { "TRUE" },
        ),
        format!("UPDATE connections SET revoked_at = {}", when(is("without the plugin"), &ago)),
        format!(
            "UPDATE stock_pushes SET due_at = {ago}, leased_until = {leased}, push_no = {}, delta = {}",
            when(is("numbered"), "1"),
            when(is("numbered"), "-1000"),
        ),
        format!("UPDATE resources SET leased_until = {leased} WHERE fetch_at IS NOT NULL"),
        format!("UPDATE sync_runs SET leased_until = {leased}"),
        format!("UPDATE webhook_setups SET leased_until = {leased}"),
    ] {
        database::run(db, &sql).await;
    }
}

async fn is_due(shop: &Connected, kind: Kind) -> bool {
    let now = store::now();
    let mut tx = shop.relay.db.read().await.unwrap();
    let stores = match kind {
        Kind::Fetch => resources::stores_due(&mut tx, now).await,
        Kind::Run => runs::stores_due(&mut tx, now).await,
        Kind::Push => {
            let stores = pushes::stores_due(&mut tx, now).await;
            let one = pushes::is_due(&mut tx, shop.tenant, shop.integration, now).await.unwrap();
            assert_eq!(one, !stores.as_ref().unwrap().is_empty(), "two ways to ask disagree");
            stores
        }
        Kind::Webhooks => webhooks::stores_due(&mut tx, now).await,
    };
    stores.unwrap().contains(&(shop.tenant, shop.integration))
}

/// Whether a worker that takes it up gets something. Nothing is kept of it.
async fn is_claimed(shop: &Connected, kind: Kind, plugin: bool) -> bool {
    let now = store::now();
    let until = now + TimeDelta::minutes(1);
    let mut tx: Tx = shop.relay.db.write().await.unwrap();
    let (tenant, integration) = (shop.tenant, shop.integration);
    let key = (tenant, integration);
    match kind {
        Kind::Fetch => !resources::claim(&mut tx, key, 20, now, until).await.unwrap().is_empty(),
        Kind::Run => runs::claim(&mut tx, key, now, until).await.unwrap().is_some(),
        Kind::Push => {
            let times = pushes::Times { now, until, held_since: now };
            let claimed = pushes::claim(&mut tx, tenant, integration, plugin, 100, times).await;
            !claimed.unwrap().is_empty()
        }
        Kind::Webhooks => webhooks::claim(&mut tx, key, now, until).await.unwrap().is_some(),
    }
}

on_both! {
    async fn what_is_due_can_be_taken_up_however_a_store_stands(relay: TestRelay) {
        let (shop, _) = one_ring(&relay).await;
        ask(&shop).await;
        let mut seen = Vec::new();
        for bits in 0..1_u32 << STANDS.len() {
            let stands: Vec<&str> =
                (0..STANDS.len()).filter(|at| bits >> at & 1 == 1).map(|at| STANDS[at]).collect();
            put(&shop, |what| stands.contains(&what)).await;
            for kind in KINDS {
                if !is_due(&shop, kind).await {
                    continue;
                }
                seen.push(kind);
                let plugin = !stands.contains(&"without the plugin");
                assert!(is_claimed(&shop, kind, plugin).await, "{kind:?} of a store that is {stands:?}");
            }
        }
        assert!(KINDS.iter().all(|kind| seen.contains(kind)), "nothing was due: {seen:?}");
    }
}

/// Whether workers look for work that somebody else holds again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_found_nothing_to_do_pauses() {
    let relay = TestRelay::new(Backend::Postgres).await;
    let (shop, ring) = one_ring(&relay).await;
    let order = shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)])).0;
    want(&shop, order).await;
    // Another relay has it, and has not committed yet.
    let mut other = relay.relay.db.write().await.unwrap();
    let now = store::now();
    let key = (shop.tenant, shop.integration);
    let until = now + TimeDelta::minutes(1);
    let taken = resources::claim(&mut other, key, 20, now, until).await.unwrap();
    assert_eq!(taken.len(), 1);
    let statements = async || {
        relay
            .number(
                "SELECT xact_commit + xact_rollback FROM pg_stat_database
             WHERE datname = current_database()",
            )
            .await
    };
    let working = relay.work();
    // The statistics come a second late.
    sleep(Duration::from_millis(1500)).await;
    let before = statements().await;
    sleep(Duration::from_millis(3000)).await;
    let after = statements().await;
    assert!(after - before < 150, "{} transactions in three seconds", after - before);
    drop(other);
    working.stop().await;
}
