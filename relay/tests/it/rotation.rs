//! Secrets are exchanged without anything being lost: the master key, and a connection's own.

use nexpura_relay::service::{Relay, admin, admin::Resealed, credential::ConnectionId};
use secrecy::SecretString;
use serde_json::json;

use crate::{
    shop::{Shop, server::Town},
    support::{
        api::{Api, Signed},
        connected::Connected,
        on_both,
        relay::{MASTER_KEY, TestRelay},
    },
};

/// Two further keys, 32 bytes in base64.
const NEW: &str = "YSBuZXcgbWFzdGVyIGtleSBvZiB0aGlydHktdHdvIGI=";
const OTHER: &str = "c29tZWJvZHkgZWxzZSdzIG1hc3RlciBrZXksIDMyIGI=";

/// The same relay, started with other master keys.
async fn started_with(relay: &TestRelay, keys: &str) -> Relay {
    let mut config = (*relay.relay.config).clone();
    config.master_key = Some(SecretString::from(keys.to_owned()));
    Relay::open(config).await.unwrap()
}

async fn connected(relay: &TestRelay) -> Connected {
    let mut shop = Shop::new();
    shop.simple("RING", 10);
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    shop
}

/// Whether the store can be asked with its stored key.
async fn asks(relay: Relay, shop: &Connected) -> bool {
    let shop = Connected { relay, ..shop.clone() };
    let before = shop.fake.asked().len();
    shop.want_sweep(false).await;
    shop.run_sweep().await;
    shop.fake.asked().len() > before
}

on_both! {
    async fn every_secret_is_sealed_anew_and_the_old_key_may_go(relay: TestRelay) {
        let ann = connected(&relay).await;
        let ben = connected(&relay).await;
        let id = ConnectionId { tenant: ann.tenant, id: ann.connection };
        admin::rotate_connection(&relay.relay, id, nexpura_relay::store::now()).await.unwrap();

        let both = started_with(&relay, &format!("{NEW},{MASTER_KEY}")).await;
        assert!(asks(both.clone(), &ann).await, "the old key opens nothing beside the new one");
        // Two keys and a secret each, and the secret before.
        let done = admin::rotate_vault(&both).await.unwrap();
        assert_eq!(done, Resealed { resealed: 7, current: 0 });
        let again = admin::rotate_vault(&both).await.unwrap();
        assert_eq!(again, Resealed { resealed: 0, current: 7 });

        let new = started_with(&relay, NEW).await;
        assert!(asks(new.clone(), &ann).await && asks(new, &ben).await);
        assert!(!asks(started_with(&relay, MASTER_KEY).await, &ben).await);
    }
}

on_both! {
    async fn a_key_that_is_missing_is_named_and_nothing_is_changed(relay: TestRelay) {
        let shop = connected(&relay).await;
        let without = started_with(&relay, &format!("{NEW},{OTHER}")).await;
        let refused = admin::rotate_vault(&without).await.unwrap_err();
        let text = format!("{refused:#}");
        assert!(text.contains("another master key") && text.contains("consumer_key"), "{text}");
        assert!(asks(relay.relay.clone(), &shop).await);
        let done = admin::rotate_vault(&relay.relay).await.unwrap();
        assert_eq!(done, Resealed { resealed: 0, current: 3 });
    }
}

async fn heartbeat(api: &Api, shop: &Connected, secret: &SecretString) -> u16 {
    let body = json!({
        "spool": "0190a000-0000-7000-8000-000000000001",
        "events": [],
        "state": { "unsent": 0, "open_intents": 0 },
    });
    let body = body.to_string().into_bytes();
    let signed = Signed::new(&shop.connection_id(), secret, &body);
    api.post_signed("/v1/push", &signed, body).await.status
}

on_both! {
    async fn a_connection_keeps_its_old_secret_until_the_new_one_is_used(relay: TestRelay) {
        let shop = connected(&relay).await;
        let served = relay.serve().await;
        let id = ConnectionId { tenant: shop.tenant, id: shop.connection };
        let now = nexpura_relay::store::now();
        let string = admin::rotate_connection(&relay.relay, id, now).await.unwrap();
        assert_eq!(string.id(), shop.connection_id());
        assert_eq!(heartbeat(&served.api, &shop, &shop.secret).await, 200);
        assert_eq!(heartbeat(&served.api, &shop, &shop.secret).await, 200);
        assert_eq!(heartbeat(&served.api, &shop, string.secret()).await, 200);
        assert_eq!(heartbeat(&served.api, &shop, &shop.secret).await, 401);
        assert_eq!(heartbeat(&served.api, &shop, string.secret()).await, 200);
    }
}
