//! Shops whose clock is wrong.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::{counted, sweep};
use crate::support::{connected::Connected, on_both};

/// An order that nobody tells of, dated as the shop's clock says.
fn sell(shop: &Connected, ring: u64, at: DateTime<Utc>) {
    let order = shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)])).0;
    shop.unnoticed(|shop| shop.orders.get_mut(&order).unwrap().modified = at);
}

/// How far back each request so far for what has changed of a listing reaches.
fn reached_back(shop: &Connected, route: &str) -> Vec<TimeDelta> {
    let asked = shop.fake.asked();
    let dated = asked.iter().filter(|asked| asked.route == route);
    let dates = dated.filter_map(|asked| asked.query.get("modified_after"));
    let moment = |text: &String| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").unwrap();
    dates.map(|text| Utc::now().naive_utc() - moment(text)).collect()
}

on_both! {
    async fn what_a_slow_clock_dated_back_is_found(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let slow = TimeDelta::hours(3);
        shop.fake.clock_behind(slow);
        sell(&shop, ring, Utc::now() - slow);
        let before = reached_back(&shop, "wc/v3/products").len();
        sweep(&shop, false).await;
        assert_eq!(shop.quantity(ring).await, 9);
        let asked = reached_back(&shop, "wc/v3/products").split_off(before);
        assert_eq!(asked.len(), 2, "the first answer said how slow it is: {asked:?}");
        assert!(asked[0] < slow && asked[1] > slow, "{asked:?}");
        // The next knows it beforehand.
        sell(&shop, ring, Utc::now() - slow);
        sweep(&shop, false).await;
        assert_eq!(shop.quantity(ring).await, 8);
        assert_eq!(reached_back(&shop, "wc/v3/products").len(), before + 3);
    }
}

on_both! {
    async fn a_clock_that_is_put_right_meanwhile_hides_nothing(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let slow = TimeDelta::hours(3);
        shop.fake.clock_behind(slow);
        sweep(&shop, false).await;
        sell(&shop, ring, Utc::now() - slow);
        let product = |shop: &Connected, at| {
            shop.unnoticed(|shop| shop.products.get_mut(&ring).unwrap().modified = at);
        };
        shop.unnoticed(|shop| shop.products.get_mut(&ring).unwrap().name = "Band".to_owned());
        product(&shop, Utc::now() - slow);
        shop.fake.clock_behind(TimeDelta::zero());
        sweep(&shop, false).await;
        assert_eq!(shop.quantity(ring).await, 9);
        assert_eq!(relay.texts("SELECT name FROM products").await, [["Band"]]);
        // What was slow once is forgotten where a whole sweep saw nothing of it.
        sweep(&shop, false).await;
        for route in ["wc/v3/products", "wc/v3/orders"] {
            let back = reached_back(&shop, route).pop().unwrap();
            assert!(back < TimeDelta::minutes(70), "{route}: {back}");
        }
    }
}

on_both! {
    async fn a_fast_clock_that_is_put_right_hides_nothing(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        shop.fake.clock_behind(TimeDelta::hours(-3));
        sweep(&shop, false).await;
        shop.fake.clock_behind(TimeDelta::zero());
        sell(&shop, ring, Utc::now());
        sweep(&shop, false).await;
        assert_eq!(shop.quantity(ring).await, 9);
    }
}

on_both! {
    async fn a_clock_that_runs_away_is_told_of(relay: TestRelay) {
        let (shop, _) = counted(&relay).await;
        shop.fake.clock_behind(TimeDelta::hours(1));
        for n in 2..12 {
            let fake = shop.fake.clone();
            shop.fake.interrupt("wc/v3/products", move || async move {
                fake.clock_behind(TimeDelta::hours(n));
            });
        }
        sweep(&shop, false).await;
        let told = relay.texts("SELECT error FROM sync_runs WHERE error IS NOT NULL").await;
        assert!(told[0][0].contains("clock"), "{told:?}");
        assert!(shop.fake.interruptions_left() > 0);
    }
}
