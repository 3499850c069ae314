//! Once a day a sweep reads everything, however old: what no date and no hook told of.

use chrono::{TimeDelta, Utc};

use super::counted;
use crate::support::{connected::Connected, database, on_both, relay::TestRelay};

/// Runs the sweep that the one before asked for, as if its time had come.
async fn next_sweep(relay: &TestRelay, shop: &Connected) {
    shop.let_time_pass().await;
    let ago = database::moment(&relay.relay.db, Utc::now() - TimeDelta::seconds(1));
    let waiting = format!("kind = 'sweep' AND finished_at IS NULL AND {}", shop.mine());
    let ended = format!(
        "SELECT COUNT(*) FROM sync_runs WHERE kind = 'sweep' AND finished_at IS NOT NULL AND {}",
        shop.mine()
    );
    let before = relay.number(&ended).await;
    let sql = format!("UPDATE sync_runs SET due_at = {ago} WHERE {waiting}");
    assert_eq!(relay.run(&sql).await, 1, "one sweep waits");
    assert!(shop.run_sweep().await);
    assert_eq!(relay.number(&ended).await, before + 1, "it went through");
}

/// Lets everything have been read so long ago.
async fn deeply_swept(relay: &TestRelay, shop: &Connected, ago: TimeDelta) {
    let at = database::moment(&relay.relay.db, Utc::now() - ago);
    let id = database::key(&relay.relay.db, shop.integration);
    let sql = format!("UPDATE integrations SET deep_at = {at} WHERE id = {id}");
    assert_eq!(relay.run(&sql).await, 1);
}

async fn sales(relay: &TestRelay) -> i64 {
    relay.number("SELECT COUNT(*) FROM sales").await
}

on_both! {
    async fn once_a_day_everything_is_read_however_old(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        // Brought in past WooCommerce, with a date that no sweep looks back to.
        shop.unnoticed(|shop| {
            let (order, _) = shop.order(&[(ring, 1)]);
            shop.orders.get_mut(&order).unwrap().modified = Utc::now() - TimeDelta::days(30);
        });
        deeply_swept(&relay, &shop, TimeDelta::hours(23)).await;
        for _ in 0..3 {
            next_sweep(&relay, &shop).await;
            assert_eq!(sales(&relay).await, 0, "an ordinary sweep reads what is new");
        }
        deeply_swept(&relay, &shop, TimeDelta::hours(25)).await;
        // This one was asked for before the day was over; it asks for the next.
        next_sweep(&relay, &shop).await;
        assert_eq!(sales(&relay).await, 0);
        next_sweep(&relay, &shop).await;
        assert_eq!(sales(&relay).await, 1, "the daily sweep reads everything");

        // And the day begins anew.
        let before = shop.fake.asked().len();
        next_sweep(&relay, &shop).await;
        let asked = shop.fake.asked().split_off(before);
        let orders: Vec<_> = asked.iter().filter(|asked| asked.route == "wc/v3/orders").collect();
        assert!(!orders.is_empty());
        assert!(orders.iter().all(|asked| asked.query.contains_key("modified_after")), "{orders:?}");
    }
}
