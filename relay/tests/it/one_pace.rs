//! One pace a store: however many relays ask, and whatever they ask for; and nobody uses up another's.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use nexpura_relay::{
    channel::pace::{REQUESTS_PER_SECOND, SPACING},
    domain::Sku,
    service::{
        Relay,
        adjust::{self, Kind},
        connect::by_key,
        pace,
    },
    store::{self, integrations, tenants},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    shop::{
        Shop,
        server::{Behaviour, CONSUMER_KEY, CONSUMER_SECRET, FakeShop, Town},
    },
    support::{
        connected::Connected,
        database::Backend,
        on_both,
        relay::{TestRelay, Working},
        wait::until,
    },
};

/// What lies between two requests leaving a relay and arriving here is not the relay's to say: on a busy
/// machine the one may take so much longer than the other.
const ON_THE_WAY: Duration = Duration::from_millis(60);

/// A key that no shop knows.
const UNKNOWN_KEY: &str = "ck_ffffffffffffffffffffffffffffffffffffffff";

/// A relay on the same database, at the pace that it really has.
async fn paced(relay: &TestRelay) -> Relay {
    let mut other = relay.sibling().await;
    other.pace = Arc::new(pace::of(&other.db));
    other
}

/// Tests the store's key: two requests.
async fn test(relay: &Relay, shop: &Connected) {
    let mut tx = relay.db.read().await.unwrap();
    let store = integrations::get(&mut tx, shop.tenant, shop.integration).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    // What comes out of it is not what counts here.
    drop(by_key::test(relay, shop.tenant, &store, store::now()).await);
}

/// Tries to connect a shop.
async fn try_to_connect(relay: &Relay, tenant: Uuid, fake: &FakeShop, key: &str) -> bool {
    let request = by_key::Request {
        store_url: fake.home.clone(),
        consumer_key: key.to_owned(),
        consumer_secret: CONSUMER_SECRET.into(),
    };
    by_key::verify(relay, tenant, &request).await.is_ok()
}

fn arrivals(fake: &FakeShop, since: Instant) -> Vec<Instant> {
    fake.asked().iter().map(|asked| asked.at).filter(|at| *at >= since).collect()
}

/// A shop without the plugin, all of whose stocks are open and all of whose orders are still to be fetched.
async fn busy_shop(relay: &TestRelay) -> Connected {
    let mut shop = Shop::new();
    shop.bare = true;
    let ring = shop.simple("RING", 1_000);
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    relay.run("UPDATE connections SET revoked_at = created_at").await;
    relay.run("DELETE FROM spools").await;
    for _ in 0..15 {
        let (_, marks) = shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)]));
        shop.spool.lock().unwrap().touch(marks[0]);
    }
    shop.push().await;
    shop
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_relays_together_never_ask_a_store_more_than_five_times_a_second() {
    let relay = TestRelay::new(Backend::Postgres).await;
    let shop = busy_shop(&relay).await;
    let relays = [paced(&relay).await, paced(&relay).await, paced(&relay).await];
    let runs_done = "SELECT COUNT(*) FROM sync_runs WHERE finished_at IS NOT NULL";
    let done_before = relay.number(runs_done).await;
    shop.want_sweep(true).await;
    let request = adjust::Request {
        kind: Kind::Adjustment,
        quantity_change: json!("-1"),
        notes: "by hand".to_owned(),
    };
    let ring = Sku::parse("RING").unwrap();
    let begun = Instant::now();
    adjust::adjust(&shop.relay, shop.tenant, Uuid::new_v4(), &ring, &request, store::now())
        .await
        .unwrap();
    // The orders are fetched, the store is swept, the stock is pushed; and people ask for it besides.
    let working: Vec<_> = relays.iter().cloned().map(Working::begin).collect();
    let asking = relays.each_ref().map(|relay| async {
        test(relay, &shop).await;
        let known = try_to_connect(relay, shop.tenant, &shop.fake, CONSUMER_KEY).await;
        assert!(known, "the tenant's own store, connected again");
        test(relay, &shop).await;
    });
    futures::future::join_all(asking).await;
    until("all is done", || async {
        let sql = "SELECT (SELECT COUNT(*) FROM resources WHERE fetch_at IS NOT NULL)
            + (SELECT COUNT(*) FROM stock_pushes WHERE status = 'open')";
        let swept = relay.number(runs_done).await > done_before;
        (swept && relay.number(sql).await == 0).then_some(())
    })
    .await;
    for one in working {
        one.stop().await;
    }
    let asked = shop.fake.asked();
    for route in ["wc/v3/orders/", "wc/v3/products/batch", "wc/v3/products", "wc/v3/system_status"]
    {
        let some = asked.iter().any(|a| a.at >= begun && a.route.starts_with(route));
        assert!(some, "{route} was never asked for");
    }
    let at = arrivals(&shop.fake, begun);
    assert!(at.len() > 30, "{}", at.len());
    let tightest = at.windows(REQUESTS_PER_SECOND as usize + 1).map(|six| six[5] - six[0]).min();
    let tightest = tightest.unwrap();
    assert!(tightest > Duration::from_secs(1) - ON_THE_WAY, "six requests within {tightest:?}");
    // Nor do the places that one relay leaves free go to waste: they use the pace that there is.
    let span = *at.last().unwrap() - at[0];
    let places = SPACING * u32::try_from(at.len()).unwrap();
    assert!(span < places * 3, "{} requests took {span:?}", at.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_asks_one_relay_to_leave_it_alone_is_left_alone_by_all() {
    let relay = TestRelay::new(Backend::Postgres).await;
    let shop = Connected::new(&relay.relay, &Town::open().await, Shop::new()).await;
    let (one, other) = (paced(&relay).await, paced(&relay).await);
    test(&other, &shop).await;
    shop.fake.behave(Behaviour::LeaveMeAlone(2));
    test(&one, &shop).await;
    let told = Instant::now();
    shop.fake.behave(Behaviour::Honest);
    test(&other, &shop).await;
    let after = arrivals(&shop.fake, told);
    assert_eq!(after.len(), 2, "asked once it may be");
    let waited = after[0] - told;
    assert!(waited > Duration::from_millis(1_900), "asked again after {waited:?}");
}

on_both! {
    async fn whoever_tries_a_stores_address_uses_up_nothing_of_its_pace(relay: TestRelay) {
        let shop = Connected::new(&relay.relay, &Town::open().await, Shop::new()).await;
        let paced = Relay { pace: Arc::new(pace::of(&relay.relay.db)), ..relay.relay.clone() };
        let mut tx = relay.relay.db.write().await.unwrap();
        let nosy = tenants::ensure(&mut tx, "Nosy", store::now()).await.unwrap();
        tx.commit().await.unwrap();
        let begun = Instant::now();
        let trying = async {
            let attempts = (0..12).map(|_| try_to_connect(&paced, nosy, &shop.fake, UNKNOWN_KEY));
            assert!(!futures::future::join_all(attempts).await.contains(&true));
        };
        let asking = async {
            // Their attempts stand in line by now.
            until("an attempt", || async {
                (!arrivals(&shop.fake, begun).is_empty()).then_some(())
            }).await;
            let begun = Instant::now();
            test(&paced, &shop).await;
            begun.elapsed()
        };
        let took = tokio::select! {
            took = asking => took,
            () = trying => panic!("twelve attempts were over before the store was asked twice"),
        };
        assert!(took < Duration::from_secs(2), "the store's own jeweller waited {took:?}");
    }
}
