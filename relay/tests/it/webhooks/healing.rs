//! Webhooks that WooCommerce switched off, or that somebody changed, come back by themselves.

use nexpura_relay::service::webhooks;
use serde_json::{Value, json};

use super::place::Place;
use crate::support::{on_both, wait};

/// When the next sweep is due, against now: not at all, later, or now.
async fn sweep_is_due(place: &Place) -> bool {
    let sql = "SELECT COUNT(*) FROM sync_runs r JOIN webhook_setups s
        ON s.integration_id = r.integration_id WHERE r.kind = 'sweep' AND r.due_at <= s.checked_at";
    place.test.number(sql).await == 1
}

on_both! {
    async fn switched_off_by_woocommerce_they_are_switched_on_and_the_store_is_swept(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        let (url, secret) = (place.url(), place.shop.secret());
        // Nothing is wrong: nothing is done.
        place.time_passes().await;
        assert!(place.look().await);
        assert!(!sweep_is_due(&place).await);
        let batches = |place: &Place| {
            place.shop.inside().asked.iter().filter(|asked| asked.starts_with("POST")).count()
        };
        let before = batches(&place);
        place.time_passes().await;
        assert!(place.look().await);
        assert_eq!(batches(&place), before, "sound ones are not written");
        // The relay is away for seven sales.
        place.shop.reaches(None);
        for id in 1..8 {
            place.shop.happens("order.created", &json!({ "id": id })).await;
        }
        place.shop.reaches(Some(place.served.api.clone()));
        let off = place.shop.hooks().into_iter().find(|hook| hook.topic == "order.created").unwrap();
        assert_eq!(off.status, "disabled");
        place.time_passes().await;
        assert!(place.look().await);
        assert!(place.shop.hooks().iter().all(|hook| hook.status == "active"));
        assert_eq!((place.url(), place.shop.secret()), (url, secret));
        assert!(sweep_is_due(&place).await, "what they missed is swept");
        let standing = place.standing().await;
        assert_eq!(standing["mode"], "webhooks");
        let detail = standing["webhooks"]["detail"].as_str().unwrap();
        assert!(detail.contains("1 switched off by WooCommerce after failed deliveries"), "{detail}");
        place.shop.happens("order.created", &json!({ "id": 8 })).await;
        assert_eq!(place.inbox().await.len(), 1);
    }
}

on_both! {
    async fn removed_paused_or_changed_they_are_put_right(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        {
            let mut inside = place.shop.inside();
            inside.hooks.remove(&1);
            inside.hooks.get_mut(&2).unwrap().status = "paused".to_owned();
            let own = inside.hooks[&3].url.replace("relay.example", "old.example");
            inside.hooks.get_mut(&3).unwrap().url = own;
            inside.hooks.get_mut(&4).unwrap().topic = "coupon.created".to_owned();
        }
        place.time_passes().await;
        assert!(place.look().await);
        place.url();
        place.shop.secret();
        let hooks = place.shop.hooks();
        assert_eq!(hooks.len(), 11);
        assert!(hooks.iter().all(|hook| hook.status == "active"), "{hooks:?}");
        assert!(!hooks.iter().any(|hook| hook.topic == "coupon.created"), "{hooks:?}");
        let (left, right) = (place.standing().await, place.shop.inside());
        let seen: Vec<&Value> = left["webhooks"]["topics"].as_array().unwrap().iter().collect();
        for topic in seen {
            let id = topic["remote_id"].as_u64().unwrap();
            assert_eq!(right.hooks[&id].topic, topic["topic"].as_str().unwrap());
        }
    }
}

on_both! {
    async fn a_shop_that_cannot_reach_the_relay_is_looked_at_less_and_less(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        let heals = "SELECT heals FROM webhook_setups";
        for round in 1..4 {
            place.shop.inside().hooks.get_mut(&1).unwrap().status = "disabled".to_owned();
            place.time_passes().await;
            assert!(place.look().await);
            assert_eq!(place.test.number(heals).await, round);
        }
        assert!(!place.look().await, "not at once again");
        place.deliver(&place.shop.secret(), "order.updated", "{\"id\":7}").await.ok();
        assert_eq!(place.test.number(heals).await, 0, "a delivery shows that it can");
    }
}

on_both! {
    async fn a_store_that_does_not_answer_keeps_its_webhooks_and_is_asked_again(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        place.shop.inside().hooks.clear();
        place.shop.inside().fails_after = Some(0);
        place.time_passes().await;
        assert!(place.look().await);
        let standing = place.standing().await;
        assert_eq!(standing["mode"], "webhooks");
        assert!(standing["webhooks"]["detail"].as_str().unwrap().contains("status 500"));
        place.shop.inside().fails_after = None;
        place.time_passes().await;
        assert!(place.look().await);
        assert_eq!(place.shop.hooks().len(), 11);
        place.url();
        place.shop.secret();
    }
}

on_both! {
    async fn a_relay_that_starts_looks_at_once_and_its_worker_does_the_work(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        place.shop.inside().hooks.clear();
        assert!(!place.look().await, "the next look is minutes away");
        // It was away for a while.
        place.test.run("UPDATE webhook_setups SET checked_at = NULL").await;
        webhooks::after_start(&place.test.relay, nexpura_relay::store::now()).await.unwrap();
        let working = place.test.work();
        wait::until("the webhooks are back", || async {
            (place.shop.inside().hooks.len() == 11).then_some(())
        })
        .await;
        working.stop().await;
    }
}
