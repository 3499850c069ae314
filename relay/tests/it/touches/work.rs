//! Who fetches: one worker at a time, and another where one was killed.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use nexpura_relay::{
    service::{fetch, sweep},
    store::{resources, runs},
};

use super::{counted, order_mark, sell_unnoticed, touch};
use crate::{
    shop::{Shop, server::Town},
    support::{
        connected::Connected,
        database,
        database::Backend,
        on_both,
        relay::{TestRelay, Working},
        wait::until,
    },
};

on_both! {
    async fn what_a_killed_worker_held_falls_due_when_its_lease_ends(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = sell_unnoticed(&shop, ring, 2);
        touch(&shop, order).await;
        shop.want_sweep(true).await;
        // A worker claims both, and is killed.
        let now = Utc::now();
        let mut tx = relay.relay.db.write().await.unwrap();
        let until = now + TimeDelta::minutes(5);
        let claimed = resources::claim(&mut tx, (shop.tenant, shop.integration), 20, now, until).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert!(runs::claim(&mut tx, (shop.tenant, shop.integration), now, until).await.unwrap().is_some());
        tx.commit().await.unwrap();

        assert_eq!(fetch::fetch_due(&shop.relay, shop.tenant, shop.integration).await.unwrap(), 0);
        assert!(!sweep::sweep_due(&shop.relay, shop.tenant, shop.integration).await.unwrap());
        let ended = database::moment(&relay.relay.db, Utc::now() - TimeDelta::seconds(1));
        for table in ["resources", "sync_runs"] {
            let sql = format!("UPDATE {table} SET leased_until = {ended} WHERE leased_until IS NOT NULL");
            assert_eq!(relay.run(&sql).await, 1);
        }
        assert_eq!(fetch::fetch_due(&shop.relay, shop.tenant, shop.integration).await.unwrap(), 1);
        assert!(sweep::sweep_due(&shop.relay, shop.tenant, shop.integration).await.unwrap());
        assert_eq!(shop.quantity(ring).await, 8);
    }
}

on_both! {
    async fn nothing_is_fetched_from_a_store_without_a_key(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = sell_unnoticed(&shop, ring, 2);
        touch(&shop, order).await;
        shop.want_sweep(true).await;
        let asked = shop.fake.asked().len();
        relay.run("UPDATE integrations SET consumer_key = NULL").await;
        let working = relay.work();
        assert_eq!(fetch::fetch_due(&shop.relay, shop.tenant, shop.integration).await.unwrap(), 0);
        assert!(!sweep::sweep_due(&shop.relay, shop.tenant, shop.integration).await.unwrap());
        working.stop().await;
        assert_eq!(shop.fake.asked().len(), asked);
    }
}

/// Two relays on one PostgreSQL share the work, and no thing is asked for twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_relays_never_fetch_the_same_thing_at_once() {
    let relay = TestRelay::new(Backend::Postgres).await;
    let (shop, ring) = counted(&relay).await;
    shop.unnoticed(|shop| shop.set_stock(ring, 1_000));
    let sibling = relay.sibling().await;
    let orders: Vec<u64> = (0..60).map(|_| sell_unnoticed(&shop, ring, 1)).collect();
    for order in &orders {
        shop.spool.lock().unwrap().touch(order_mark(*order));
    }
    let working = [Working::begin(relay.relay.clone()), Working::begin(sibling)];
    shop.push().await;
    until("all are fetched", || async {
        let sql = "SELECT COUNT(*) FROM inbox WHERE status = 'queued'";
        (relay.number(sql).await == 0).then_some(())
    })
    .await;
    for one in working {
        one.stop().await;
    }
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for one in shop.fake.asked() {
        *asked.entry(one.route).or_default() += 1;
    }
    for order in orders {
        assert_eq!(asked[&format!("wc/v3/orders/{order}")], 1, "order {order}");
    }
    assert_eq!(shop.quantity(ring).await, 10 - 60);
}

on_both! {
    async fn a_shop_that_does_not_answer_keeps_its_owner_s_other_shop_waiting_for_nothing(
        relay: TestRelay
    ) {
        let town = Town::open().await;
        let mut shops = Vec::new();
        for _ in 0..2 {
            let mut shop = Shop::new();
            shop.simple("RING", 10);
            shops.push(Connected::of(&relay.relay, &town, shop, "Two shops").await);
        }
        shops[0].fake.interrupt("wc/v3/orders/", std::future::pending);
        let _working = relay.work();
        let mut orders = Vec::new();
        for shop in &shops {
            let ring = *shop.fake.shop().products.keys().next().unwrap();
            orders.push(sell_unnoticed(shop, ring, 1));
            touch(shop, orders[orders.len() - 1]).await;
        }
        until("the silent shop to be asked", async || {
            (shops[0].fake.interruptions_left() == 0).then_some(())
        })
        .await;
        // What comes now finds the first shop's work in hand, and for ever.
        let ring = *shops[1].fake.shop().products.keys().next().unwrap();
        let late = sell_unnoticed(&shops[1], ring, 1);
        touch(&shops[1], late).await;
        let sql = format!("SELECT COUNT(*) FROM sales WHERE {}", shops[1].mine());
        until("the other shop's orders", async || {
            (relay.number(&sql).await == 2).then_some(())
        })
        .await;
    }
}
