//! The chain of nonces: a copied or restored database is noticed, and nothing of it is applied.

use nexpura_protocol::{Event, Verdict};
use nexpura_relay::{
    service::{fetch, store_policy, sweep},
    store::{self, integrations},
};
use serde_json::json;

use crate::{
    shop::{Shop, server::Town},
    support::{connected::Connected, database, on_both, relay::TestRelay},
};

async fn counted(relay: &TestRelay) -> (Connected, u64) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 10);
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    (shop, ring)
}

async fn tell(shop: &Connected, previous: &str, next: &str) -> Verdict {
    shop.spool.lock().unwrap().lineage(previous, next);
    shop.push().await[0]
}

async fn is_forked(relay: &TestRelay) -> bool {
    relay.number("SELECT COUNT(*) FROM integrations WHERE forked_at IS NOT NULL").await == 1
}

on_both! {
    async fn a_chain_goes_on(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        for (previous, next) in [("a", "b"), ("b", "c"), ("c", "d"), ("a", "b"), ("c", "d"), ("d", "e")] {
            assert_eq!(tell(&shop, previous, next).await, Verdict::Applied, "{previous} {next}");
        }
        assert!(!is_forked(&relay).await);
        shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.push().await;
        assert_eq!(shop.quantity(ring).await, 9);
    }
}

on_both! {
    async fn what_is_no_nonce_is_ignored(relay: TestRelay) {
        let (shop, _) = counted(&relay).await;
        tell(&shop, "a", "b").await;
        let long = "x".repeat(101);
        for (previous, next) in [("", "b"), ("b", ""), (long.as_str(), "c"), ("b", long.as_str())] {
            assert_eq!(tell(&shop, previous, next).await, Verdict::Ignored);
        }
        shop.spool.lock().unwrap().lineage("b", "c");
        let mut events: Vec<Event> = shop.spool.lock().unwrap().take();
        events[0].payload = Some(json!({ "previous": 1, "next": ["c"] }));
        assert_eq!(shop.push_events(events).await, [Verdict::Ignored]);
        assert!(!is_forked(&relay).await);
    }
}

on_both! {
    async fn a_second_successor_halts_the_store(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        tell(&shop, "a", "b").await;
        tell(&shop, "b", "c").await;
        assert_eq!(tell(&shop, "b", "x").await, Verdict::Failed);
        halted(&relay, &shop, ring, "the shop was copied").await;
    }
}

on_both! {
    async fn an_unknown_predecessor_halts_the_store(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        tell(&shop, "a", "b").await;
        assert_eq!(tell(&shop, "y", "z").await, Verdict::Failed);
        halted(&relay, &shop, ring, "restored from a backup").await;
    }
}

/// Nothing of a halted store is applied, fetched or swept; once a person has decided, nothing is lost.
async fn halted(relay: &TestRelay, shop: &Connected, ring: u64, reason: &str) {
    let told = relay.texts("SELECT forked_reason FROM integrations").await;
    assert!(told[0][0].contains(reason), "{told:?}");
    let asked = shop.fake.asked().len();
    shop.request(|shop| shop.paid_order(&[(ring, 2)]));
    let verdicts = shop.push().await;
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Queued), "{verdicts:?}");
    // The chain goes on as if nothing were; the store stays halted.
    assert_ne!(tell(shop, "c", "d").await, Verdict::Duplicate);
    assert!(is_forked(relay).await);
    let detail = relay.texts("SELECT DISTINCT detail FROM inbox WHERE status = 'queued'").await;
    assert!(detail[0][0].contains("two databases"), "{detail:?}");

    shop.want_sweep(true).await;
    let working = relay.work();
    assert_eq!(fetch::fetch_due(&shop.relay, shop.tenant, shop.integration).await.unwrap(), 0);
    assert!(!sweep::sweep_due(&shop.relay, shop.tenant, shop.integration).await.unwrap());
    let served = relay.serve().await;
    let event = relay.texts("SELECT topic FROM inbox WHERE status = 'queued'").await;
    assert!(!event.is_empty());
    working.stop().await;
    assert_eq!(shop.fake.asked().len(), asked, "a halted store was asked");
    assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(10), Some(10)));
    assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 0);
    drop(served);

    relay.run("UPDATE integrations SET forked_at = NULL, forked_reason = NULL").await;
    shop.fetch().await;
    assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(8), Some(8)));
    let waiting = "SELECT COUNT(*) FROM inbox WHERE status = 'queued'";
    assert_eq!(relay.number(waiting).await, 0);
}

on_both! {
    async fn what_follows_a_wrong_nonce_in_the_same_push_is_kept_only(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        tell(&shop, "a", "b").await;
        shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.spool.lock().unwrap().lineage("y", "z");
        shop.request(|shop| shop.paid_order(&[(ring, 4)]));
        let verdicts = shop.push().await;
        let at = verdicts.iter().position(|verdict| *verdict == Verdict::Failed).unwrap();
        assert!(verdicts[..at].iter().all(|verdict| *verdict == Verdict::Applied), "{verdicts:?}");
        assert!(verdicts[at + 1..].iter().all(|verdict| *verdict == Verdict::Queued), "{verdicts:?}");
        assert_eq!(shop.quantity(ring).await, 9);
    }
}

on_both! {
    async fn an_answer_that_a_wrong_nonce_overtook_is_not_applied(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        tell(&shop, "a", "b").await;
        let (_, marks) = shop.unnoticed(|shop| shop.paid_order(&[(ring, 2)]));
        shop.spool.lock().unwrap().touch(marks[0]);
        shop.push().await;
        let meanwhile = shop.clone();
        shop.fake.interrupt("wc/v3/orders/", move || async move {
            tell(&meanwhile, "y", "z").await;
        });
        fetch::fetch_due(&shop.relay, shop.tenant, shop.integration).await.unwrap();
        assert_eq!(shop.quantity(ring).await, 10);
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 0);
    }
}

on_both! {
    async fn another_shop_goes_on_meanwhile(relay: TestRelay) {
        let (halted, _) = counted(&relay).await;
        let (other, ring) = counted(&relay).await;
        for shop in [&halted, &other] {
            tell(shop, "a", "b").await;
        }
        tell(&halted, "y", "z").await;
        assert_eq!(tell(&other, "b", "c").await, Verdict::Applied);
        other.request(|shop| shop.paid_order(&[(ring, 1)]));
        other.push().await;
        assert_eq!(other.quantity(ring).await, 9);
    }
}

on_both! {
    async fn a_halted_shop_without_its_plugin_is_taken_up_again(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        tell(&shop, "a", "b").await;
        tell(&shop, "y", "z").await;
        // A push that only the plugin could have answered for, when it was removed.
        let now = database::moment(&relay.relay.db, store::now());
        relay.run(&format!("UPDATE listings SET doubted_at = {now}")).await;
        relay.run("UPDATE connections SET revoked_at = created_at").await;
        let mut tx = relay.relay.db.read().await.unwrap();
        let halted = integrations::get(&mut tx, shop.tenant, shop.integration).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        store_policy::accept_fork(&relay.relay, shop.tenant, &halted, "somebody", store::now())
            .await
            .unwrap();
        assert!(!is_forked(&relay).await);
        assert_eq!(shop.listing(ring).await, ("opening".to_owned(), None, Some(10)));
        let doubted = "SELECT COUNT(*) FROM listings WHERE doubted_at IS NOT NULL";
        assert_eq!(relay.number(doubted).await, 0);
    }
}
