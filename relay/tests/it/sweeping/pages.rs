//! Listings that move while they are read.

use chrono::{TimeDelta, Utc};
use nexpura_relay::store::runs;
use serde_json::json;
use tokio::sync::oneshot;

use super::{counted, sweep};
use crate::{
    shop::{Shop, Stock, server::Town},
    support::{connected::Connected, database, on_both, relay::TestRelay},
};

/// A shop that sells one ring in so many orders, and their ids.
async fn sold(relay: &TestRelay, orders: usize) -> (Connected, u64, Vec<u64>) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 1_000);
    let orders = (0..orders).map(|_| shop.paid_order(&[(ring, 1)]).0).collect();
    (Connected::new(&relay.relay, &Town::open().await, shop).await, ring, orders)
}

/// Every order is in, and nothing of what was sold before the count is taken from it.
async fn all_are_in(relay: &TestRelay, shop: &Connected, ring: u64) {
    let orders = i64::try_from(shop.fake.shop().orders.len()).unwrap();
    assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, orders);
    shop.open().await;
    let units = shop.fake.shop().units(ring).unwrap();
    shop.let_time_pass().await;
    sweep(shop, true).await;
    assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(units), Some(units)));
    assert_eq!(relay.number("SELECT COUNT(*) FROM stock_movements").await, 1);
}

on_both! {
    async fn an_order_that_leaves_a_page_takes_none_of_the_next_with_it(relay: TestRelay) {
        let (shop, ring, orders) = sold(&relay, 150).await;
        let fake = shop.fake.clone();
        // And one more comes at the end, so that there are as many as before.
        shop.fake.interrupt("wc/v3/orders", move || async move {
            let mut shop = fake.shop();
            shop.trash(orders[7]);
            shop.paid_order(&[(ring, 1)]);
        });
        shop.want_sweep(true).await;
        shop.run_sweep().await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        all_are_in(&relay, &shop, ring).await;
    }
}

on_both! {
    async fn pages_that_empty_while_they_are_read_lose_nothing(relay: TestRelay) {
        let (shop, ring, orders) = sold(&relay, 350).await;
        for emptied in [0..99, 120..200] {
            let (fake, gone) = (shop.fake.clone(), orders[emptied].to_vec());
            shop.fake.interrupt("wc/v3/orders", move || async move {
                let mut shop = fake.shop();
                gone.into_iter().for_each(|order| drop(shop.trash(order)));
            });
        }
        shop.want_sweep(true).await;
        shop.run_sweep().await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        all_are_in(&relay, &shop, ring).await;
    }
}

on_both! {
    async fn a_product_or_variation_that_goes_takes_no_other_with_it(relay: TestRelay) {
        let mut shop = Shop::new();
        let parent = shop.product(None, "variable", None, Stock::Unmanaged);
        let mut make = |of: Option<u64>, kind, n| {
            shop.product(of, kind, Some(&format!("{kind}-{n}")), Stock::Own(1))
        };
        let rings: Vec<u64> = (0..120).map(|n| make(None, "simple", n)).collect();
        let sizes: Vec<u64> = (0..120).map(|n| make(Some(parent), "variation", n)).collect();
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        for (route, gone) in [
            ("wc/v3/products", rings[3]),
            (&format!("wc/v3/products/{parent}/variations"), sizes[3]),
        ] {
            let fake = shop.fake.clone();
            shop.fake.interrupt(route, move || async move {
                fake.shop().products.get_mut(&gone).unwrap().trashed = true;
            });
        }
        shop.want_sweep(true).await;
        shop.run_sweep().await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        assert_eq!(relay.number("SELECT COUNT(*) FROM listings").await, 240);
    }
}

on_both! {
    async fn a_shop_whose_pages_never_meet_is_told_of(relay: TestRelay) {
        let (shop, _, _) = sold(&relay, 150).await;
        shop.fake.shop().deaf = true;
        shop.want_sweep(true).await;
        shop.run_sweep().await;
        let told = relay.texts("SELECT error FROM sync_runs WHERE error IS NOT NULL").await;
        assert!(told[0][0].contains("pages"), "{told:?}");
        assert!(shop.fake.times_asked("wc/v3/orders") < 60);
    }
}

on_both! {
    async fn a_catalogue_costs_one_row_more_a_page(relay: TestRelay) {
        let mut shop = Shop::new();
        for n in 0..2_000 {
            shop.product(None, "simple", Some(&format!("RING-{n}")), Stock::Unmanaged);
        }
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.want_sweep(true).await;
        assert!(shop.run_sweep().await);
        assert_eq!(relay.number("SELECT COUNT(*) FROM products").await, 2_000);
        // Twenty pages without overlap.
        assert_eq!(shop.fake.times_asked("wc/v3/products"), 21);
        let seen = "SELECT seen FROM sync_runs WHERE finished_at IS NOT NULL";
        assert_eq!(relay.number(seen).await, 2_000, "each is counted once");
    }
}

on_both! {
    async fn a_run_that_counted_pages_begins_its_listing_anew(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        for _ in 0..150 {
            shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)]));
        }
        shop.want_sweep(true).await;
        // As a relay of before has left it, with one page of orders in by its word.
        let cursor = json!({ "everything": true, "stage": "orders", "page": 1, "after": 0 });
        let sql = format!("UPDATE sync_runs SET cursor = '{cursor}' WHERE finished_at IS NULL");
        relay.run(&sql).await;
        let before = shop.fake.times_asked("wc/v3/products");
        assert!(shop.run_sweep().await);
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 150);
        assert_eq!(shop.fake.times_asked("wc/v3/products"), before, "what came before is in");
    }
}

/// Begins to read a listing whose pages never meet, and does this at its first step back; gives how often it was asked
/// for.
async fn step_back<F: Future<Output = ()> + Send + 'static>(
    shop: &Connected,
    doing: impl FnOnce() -> F + Send + 'static,
) -> usize {
    shop.fake.shop().deaf = true;
    for _ in 0..2 {
        shop.fake.interrupt("wc/v3/orders", || async {});
    }
    shop.fake.interrupt("wc/v3/orders", doing);
    shop.want_sweep(true).await;
    shop.run_sweep().await;
    assert_eq!(shop.fake.interruptions_left(), 0);
    shop.fake.times_asked("wc/v3/orders")
}

on_both! {
    async fn a_relay_that_stops_takes_no_more_steps_back(relay: TestRelay) {
        let (shop, _, _) = sold(&relay, 150).await;
        let stopping = shop.relay.clone();
        let asked = step_back(&shop, || async move { stopping.wake.stop() }).await;
        assert_eq!(asked, 3);
        let failed = relay.number("SELECT COUNT(*) FROM sync_runs WHERE error IS NOT NULL").await;
        assert_eq!(failed, 0, "it goes on where it stands");
    }
}

on_both! {
    async fn steps_back_keep_the_claim_and_end_with_it(relay: TestRelay) {
        let (shop, _, _) = sold(&relay, 150).await;
        let (other, (kept, told)) = (shop.clone(), oneshot::channel());
        let asked = step_back(&shop, || async move {
            let ago = database::moment(&other.relay.db, Utc::now() - TimeDelta::seconds(1));
            let sql = format!("UPDATE sync_runs SET leased_until = {ago} WHERE finished_at IS NULL");
            database::run(&other.relay.db, &sql).await;
            // Looked at while the next step is under way.
            let later = other.clone();
            other.fake.interrupt("wc/v3/orders", move || async move {
                let now = Utc::now();
                let mut tx = later.relay.db.write().await.unwrap();
                let store = (later.tenant, later.integration);
                let claimed = runs::claim(&mut tx, store, now, now + TimeDelta::minutes(2)).await;
                kept.send(claimed.unwrap().is_none()).unwrap();
                // Taken away all the same.
                let sql = format!("UPDATE sync_runs SET claims = claims + 1 WHERE {}", later.mine());
                drop(tx);
                database::run(&later.relay.db, &sql).await;
            });
        });
        assert_eq!(asked.await, 4, "it went on without its claim");
        assert!(told.await.unwrap(), "the claim was not kept");
    }
}
