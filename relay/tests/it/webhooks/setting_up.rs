//! Registering webhooks in a shop, and taking them away.

use std::sync::Arc;

use nexpura_relay::{
    service::{admin, vault::Vault, webhooks},
    store,
};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::json;

use super::{
    place::Place,
    shop::{Hook, deliver, sign},
};
use crate::support::{api::send, on_both, relay::MASTER_KEY};

on_both! {
    async fn one_a_topic_is_made_under_a_sealed_secret_and_the_store_says_so(relay: TestRelay) {
        let place = Place::new(relay).await;
        assert_eq!(place.standing().await["mode"], "sweep");
        let made = place.set_up().await;
        assert_eq!(made["report"]["created"], 11);
        let mut topics: Vec<_> = place.shop.hooks().into_iter().map(|hook| hook.topic).collect();
        topics.sort();
        assert_eq!(
            topics,
            [
                "customer.created", "customer.deleted", "customer.updated",
                "order.created", "order.deleted", "order.restored", "order.updated",
                "product.created", "product.deleted", "product.restored", "product.updated",
            ]
        );
        let url = place.url();
        assert!(
            url.starts_with("https://relay.example/api/integrations/woocommerce/webhook/"),
            "{url}"
        );
        let secret = place.shop.secret();
        assert!(secret.len() >= 32, "{secret}");
        let standing = place.standing().await;
        assert_eq!((&standing["mode"], &standing["webhooks"]["state"]), (&json!("webhooks"), &json!("active")));
        assert_eq!(standing["webhooks"]["delivery_url"], url.as_str());
        assert_eq!(standing["webhooks"]["topics"].as_array().map(Vec::len), Some(11));
        let kept = place.test.number("SELECT COUNT(*) FROM webhook_setups WHERE secret IS NOT NULL").await;
        assert_eq!(kept, 1);
        let answer = made.to_string() + &standing.to_string();
        assert!(!answer.contains(&secret), "the secret is shown");
        if let nexpura_relay::store::Db::Sqlite { .. } = place.test.relay.db {
            for file in std::fs::read_dir(place.test.database.folder.path()).unwrap() {
                let bytes = std::fs::read(file.unwrap().path()).unwrap();
                assert!(
                    !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
                    "the secret lies open"
                );
            }
        }
    }
}

on_both! {
    async fn stale_ones_of_ours_are_replaced_and_nobody_elses_are_touched(relay: TestRelay) {
        let place = Place::new(relay).await;
        let theirs = [
            ("order.created", "https://other.example/hook".to_owned()),
            ("coupon.created", "https://other.example/hook".to_owned()),
            // Another relay's, and another jeweller's at this relay.
            ("order.created", place.foreign_address("https://other.example")),
            ("order.created", place.strangers_address("https://relay.example").await),
        ];
        for (topic, url) in &theirs {
            place.shop.make(topic, url);
        }
        let before = place.shop.hooks();
        for (topic, url) in [
            ("order.created", place.dead_address("https://relay.old.example")),
            ("order.updated", place.dead_address("http://127.0.0.1:1")),
            ("order.updated", place.dead_address("https://relay.example")),
            ("coupon.created", place.dead_address("https://relay.example")),
            // Of a ledger that is no more, and of before there were connections.
            ("product.updated", place.foreign_address("https://relay.example")),
            (
                "order.created",
                "https://relay.example/api/integrations/woocommerce/webhook".to_owned(),
            ),
        ] {
            place.shop.make(topic, &url);
        }
        let made = place.set_up().await;
        assert_eq!(
            (&made["report"]["created"], &made["report"]["updated"], &made["report"]["removed"]),
            (&json!(8), &json!(3), &json!(3))
        );
        let (mine, others): (Vec<Hook>, Vec<Hook>) =
            place.shop.hooks().into_iter().partition(|hook| hook.secret != "theirs");
        assert_eq!(others, before, "others' webhooks are as they were");
        assert_eq!(mine.len(), 11);
        let url = &mine[0].url;
        assert!(mine.iter().all(|hook| hook.url == *url && hook.status == "active"), "{mine:?}");
    }
}

on_both! {
    async fn registering_again_refreshes_the_secret_and_the_old_one_holds_until_that_is_done(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        let old = place.shop.secret();
        let delivered = async |secret: &str, id: u64| {
            place.deliver(secret, "coupon.created", &json!({ "id": id }).to_string()).await.status
        };
        assert_eq!(delivered(&old, 1).await, 200);
        // The store changes half of them and fails.
        place.shop.inside().fails_after = Some(0);
        place.post("webhooks/setup").await.problem(422);
        let secrets: Vec<_> = place.shop.hooks().into_iter().map(|hook| hook.secret).collect();
        let new = secrets.iter().find(|secret| **secret != old).unwrap().clone();
        assert!(secrets.contains(&old));
        assert_eq!((delivered(&old, 2).await, delivered(&new, 2).await), (200, 200));
        // It is tried again by itself, with the same secret.
        place.shop.inside().fails_after = None;
        place.time_passes().await;
        assert!(place.look().await);
        assert_eq!(place.shop.secret(), new);
        // What was on its way still counts, but not for ever.
        assert_eq!((delivered(&old, 3).await, delivered(&new, 3).await), (200, 200));
        place.test.run("UPDATE webhook_setups SET previous_until = created_at").await;
        assert_eq!((delivered(&old, 4).await, delivered(&new, 4).await), (401, 200));
        // And again by a person's wish.
        assert_eq!(place.set_up().await["report"]["updated"], 11);
        assert_ne!(place.shop.secret(), new);
        assert_eq!(place.shop.hooks().len(), 11);
    }
}

on_both! {
    async fn a_store_without_the_extension_gets_them_by_itself_and_loses_them_with_it(relay: TestRelay) {
        let place = Place::new(relay).await;
        let registered = async |mode: &str| {
            place.test.run(&format!("UPDATE integrations SET mode = '{mode}'")).await;
            let mut tx = place.test.relay.db.write().await.unwrap();
            webhooks::registered(&mut tx, place.tenant, place.integration, store::now()).await.unwrap();
            tx.commit().await.unwrap();
        };
        registered("sweep").await;
        assert!(place.look().await);
        assert_eq!(place.shop.hooks().len(), 11);
        assert_eq!(place.standing().await["mode"], "webhooks");
        let (url, secret) = (place.url(), place.shop.secret());
        // It registers again, with nothing new.
        registered("sweep").await;
        assert_eq!(place.standing().await["mode"], "webhooks");
        assert!(place.look().await);
        assert_eq!((place.url(), place.shop.secret()), (url.clone(), secret.clone()));
        // With the extension there is no need of them.
        registered("extension").await;
        assert!(place.look().await);
        assert_eq!(place.shop.hooks().len(), 0);
        let standing = place.standing().await;
        assert_eq!((&standing["mode"], &standing["webhooks"]), (&json!("extension"), &json!(null)));
        place.post("webhooks/setup").await.problem(409);
        let late = deliver(
            &place.served.api,
            &url,
            "order.updated",
            &sign(&secret, "{\"id\":1}"),
            "{\"id\":1}",
        )
        .await;
        assert_eq!(late.status, 401);
    }
}

on_both! {
    async fn what_stands_in_the_way_is_told(relay: TestRelay) {
        let mut place = Place::new(relay).await;
        place.shop.inside().read_only = true;
        let told = place.post("webhooks/setup").await.problem(422);
        assert!(told.contains("read/write key"), "{told}");
        let standing = place.standing().await;
        assert_eq!((&standing["mode"], &standing["webhooks"]["state"]), (&json!("sweep"), &json!("failing")));
        assert!(standing["webhooks"]["detail"].as_str().unwrap().contains("read/write key"));
        assert_eq!(standing["status"], "connected", "it can still be read");
        place.shop.inside().read_only = false;

        let unknown = json!({ "store": "https://nobody.example" });
        let path = "/api/integrations/woocommerce/setup-webhooks";
        place.served.api.post(path, &place.token, &unknown).await.problem(404);
        send(place.served.api.request(Method::POST, path)).await.problem(401);
        let all = send(place.served.api.request(Method::POST, path).bearer_auth(&place.token)).await;
        assert_eq!(all.ok()["report"]["created"], 11, "the only store need not be named");

        place.test.run("UPDATE integrations SET forked_at = created_at").await;
        assert!(place.post("webhooks/setup").await.problem(409).contains("a person has to decide"));
        place.test.run("UPDATE integrations SET forked_at = NULL, status = 'disconnected'").await;
        assert!(place.post("webhooks/setup").await.problem(409).contains("connect it first"));
        place.test.run("UPDATE integrations SET status = 'connected'").await;

        place.test.set(|config| config.public_url = None);
        place.served = place.test.serve().await;
        assert!(place.post("webhooks/setup").await.problem(409).contains("NEXPURA_PUBLIC_URL"));
        place.test.set(|config| config.public_url = Some("http://relay.example".parse().unwrap()));
        place.served = place.test.serve().await;
        assert!(place.post("webhooks/setup").await.problem(409).contains("https"));
    }
}

on_both! {
    async fn taken_away_they_are_gone_from_the_shop_and_the_ledger(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.shop.make("order.created", "https://other.example/hook");
        place.set_up().await;
        place.post("disconnect").await.ok();
        assert_eq!(place.shop.hooks().len(), 1);
        assert_eq!(place.test.number("SELECT COUNT(*) FROM webhook_setups").await, 0);
        assert_eq!(place.standing().await["mode"], "sweep");
        // A store that has no key is not asked.
        let asked = place.shop.inside().asked.len();
        place.post("disconnect").await.ok();
        assert_eq!(place.shop.inside().asked.len(), asked);
    }
}

on_both! {
    async fn a_person_may_do_without_them(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        assert_eq!(place.post("webhooks/remove").await.ok()["removed"], 11);
        let standing = place.standing().await;
        assert_eq!((&standing["mode"], &standing["webhooks"]["state"]), (&json!("sweep"), &json!("off")));
        // It registers again: a person's word stands.
        let mut tx = place.test.relay.db.write().await.unwrap();
        webhooks::registered(&mut tx, place.tenant, place.integration, store::now()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!place.look().await);
        assert_eq!(place.shop.hooks().len(), 0);
        place.set_up().await;
        assert_eq!(place.shop.hooks().len(), 11);
        assert_eq!(place.standing().await["mode"], "webhooks");
    }
}

on_both! {
    async fn a_shop_that_cannot_be_reached_loses_its_credential_all_the_same(relay: TestRelay) {
        let place = Place::new(relay).await;
        place.set_up().await;
        place.shop.inside().read_only = true;
        let told = place.post("disconnect").await.ok();
        assert!(told["message"].as_str().unwrap().contains("webhooks could not be removed"), "{told}");
        assert_eq!(place.shop.hooks().len(), 11);
        assert_eq!(place.deliver(&place.shop.secret(), "order.updated", "{\"id\":1}").await.status, 401);
    }
}

on_both! {
    async fn they_go_when_the_store_is_disconnected(relay: TestRelay) {
        let place = Place::new(relay).await;
        let theirs = place.shop.make("order.created", "https://other.example/hook");
        place.set_up().await;
        let (url, secret) = (
            place.shop.hooks().remove(1).url,
            place.shop.hooks().remove(1).secret,
        );
        let told = place.post("disconnect").await.ok();
        assert_eq!(told["status"], "disconnected");
        assert_eq!(place.shop.inside().hooks.keys().copied().collect::<Vec<_>>(), [theirs]);
        let body = "{\"id\":1}";
        let signature = sign(&secret, body);
        let late = deliver(&place.served.api, &url, "order.updated", &signature, body).await;
        assert_eq!(late.status, 401);
    }
}

on_both! {
    async fn their_secret_is_sealed_anew_with_all_others(relay: TestRelay) {
        let mut place = Place::new(relay).await;
        place.set_up().await;
        let first = place.shop.secret();
        place.set_up().await;
        let second = place.shop.secret();
        let key = "bmV4cHVyYSBhbm90aGVyIG1hc3RlciBrZXksIDMyIEI=";
        let vault = |keys: &str| Arc::new(Vault::new(&SecretString::from(keys)).unwrap());
        place.test.relay.vault = vault(&format!("{key},{MASTER_KEY}"));
        admin::rotate_vault(&place.test.relay).await.unwrap();
        place.test.relay.vault = vault(key);
        place.served = place.test.serve().await;
        for (id, secret) in [first, second].iter().enumerate() {
            let body = format!("{{\"id\":{}}}", id + 1);
            let reply = place.deliver(secret, "order.updated", &body).await;
            assert_eq!(reply.ok()["status"], "queued");
        }
    }
}
