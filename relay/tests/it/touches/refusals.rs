//! Shops that refuse, fail or want to be left alone.

use nexpura_relay::{service::fetch, store::Db};

use super::{counted, sell_unnoticed, status, touch};
use crate::{
    shop::server::Behaviour,
    support::{connected::Connected, database, on_both},
};

/// Seconds from now until the only thing that is wanted will be fetched, and its failures so far.
async fn next_try(shop: &Connected) -> (i64, i64) {
    let sql = match &shop.relay.db {
        Db::Sqlite { .. } => {
            "SELECT CAST(ROUND((julianday(fetch_at) - julianday('now')) * 86400) AS INTEGER), attempts"
        }
        Db::Postgres(_) => {
            "SELECT CAST(ROUND(EXTRACT(EPOCH FROM fetch_at - now())) AS BIGINT), attempts"
        }
    };
    let sql = format!("{sql} FROM resources WHERE fetch_at IS NOT NULL AND {}", shop.mine());
    let rows = database::numbers(&shop.relay.db, &sql).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    (rows[0][0], rows[0][1])
}

on_both! {
    async fn a_key_that_is_refused_shows_on_the_store_until_it_works_again(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        assert_eq!(status(&shop).await, ("connected".to_owned(), String::new()));
        let order = sell_unnoticed(&shop, ring, 2);
        shop.fake.behave(Behaviour::Status(401));
        touch(&shop, order).await;
        shop.fetch().await;
        let (state, reason) = status(&shop).await;
        assert_eq!(state, "error");
        assert!(reason.contains("does not accept the API key"), "{reason}");
        let detail = relay.texts("SELECT detail FROM inbox WHERE status = 'queued'").await;
        assert_eq!(detail, [[reason]]);

        shop.fake.behave(Behaviour::Honest);
        assert_eq!(shop.make_due().await, 1);
        shop.fetch().await;
        assert_eq!(status(&shop).await, ("connected".to_owned(), String::new()));
        assert_eq!(shop.quantity(ring).await, 8);
    }
}

on_both! {
    async fn a_sweep_notices_a_refused_key_and_its_return(relay: TestRelay) {
        let (shop, _) = counted(&relay).await;
        shop.fake.behave(Behaviour::Status(401));
        shop.want_sweep(false).await;
        shop.run_sweep().await;
        assert_eq!(status(&shop).await.0, "error");
        let error = relay.texts("SELECT error FROM sync_runs WHERE finished_at IS NULL").await;
        assert!(error[0][0].contains("API key"), "{error:?}");
        shop.fake.behave(Behaviour::Honest);
        shop.want_sweep(false).await;
        shop.run_sweep().await;
        assert_eq!(status(&shop).await.0, "connected");
    }
}

on_both! {
    async fn a_shop_that_fails_is_asked_again_later_and_later(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = sell_unnoticed(&shop, ring, 2);
        shop.fake.behave(Behaviour::Status(503));
        touch(&shop, order).await;
        let mut waits = Vec::new();
        for failures in 1..=4 {
            shop.make_due().await;
            assert_eq!(fetch::fetch_due(&shop.relay, shop.tenant, shop.integration).await.unwrap(), 1);
            let (wait, failed) = next_try(&shop).await;
            assert_eq!(failed, failures);
            assert_eq!(fetch::fetch_due(&shop.relay, shop.tenant, shop.integration).await.unwrap(), 0, "not yet");
            waits.push(wait);
        }
        assert!(waits.windows(2).all(|two| two[1] >= two[0] + two[0] / 2), "{waits:?}");
        assert_eq!(status(&shop).await.0, "connected", "that mends itself");
        shop.fake.behave(Behaviour::Honest);
        shop.make_due().await;
        shop.fetch().await;
        assert_eq!(shop.quantity(ring).await, 8);
        assert_eq!(relay.number("SELECT MAX(attempts) FROM resources").await, 0);
    }
}

on_both! {
    async fn a_shop_that_wants_to_be_left_alone_is(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = sell_unnoticed(&shop, ring, 2);
        shop.fake.behave(Behaviour::LeaveMeAlone(1_800));
        touch(&shop, order).await;
        shop.fetch().await;
        let (wait, _) = next_try(&shop).await;
        assert!((1_700..=1_800).contains(&wait), "{wait} s");
        let asked = shop.fake.asked().len();
        shop.make_due().await;
        shop.want_sweep(false).await;
        shop.fetch().await;
        shop.run_sweep().await;
        assert_eq!(shop.fake.asked().len(), asked, "not a single request meanwhile");
        assert_eq!(status(&shop).await.0, "connected");
    }
}
