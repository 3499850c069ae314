//! Who is believed: signatures, their age and their secrets; and how little a stranger learns.

use chrono::{TimeDelta, Utc};
use nexpura_protocol::signature::encode_secret;
use nexpura_relay::service::{credential::random, vault::Place};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::{
    shop::{Shop, server::Town},
    support::{
        api::{Api, Reply, Signed},
        connected::Connected,
        database, on_both,
        relay::TestRelay,
    },
};

async fn connected(relay: &TestRelay) -> Connected {
    Connected::new(&relay.relay, &Town::open().await, Shop::new()).await
}

fn heartbeat(shop: &Connected) -> Vec<u8> {
    serde_json::to_vec(&shop.spool.lock().unwrap().batch(Vec::new())).unwrap()
}

fn signed(shop: &Connected, body: &[u8]) -> Signed {
    Signed::new(&shop.connection_id(), &shop.secret, body)
}

async fn send(api: &Api, path: &str, signed: &Signed, body: &[u8]) -> Reply {
    api.post_signed(path, signed, body.to_vec()).await
}

on_both! {
    async fn every_stranger_hears_the_same(relay: TestRelay) {
        let shop = connected(&relay).await;
        let revoked = connected(&relay).await;
        let id = database::key(&relay.relay.db, revoked.connection);
        let at = database::moment(&relay.relay.db, Utc::now());
        relay.run(&format!("UPDATE connections SET revoked_at = {at} WHERE id = {id}")).await;
        let served = relay.serve().await;
        let body = heartbeat(&shop);
        let good = signed(&shop, &body);
        let stale_and_wrong = Signed::at(
            &shop.connection_id(),
            &[&encode_secret(&[7; 32])],
            &body,
            Utc::now().timestamp() - 10_000,
        );
        let elsewhere = format!("{}{}", Uuid::new_v4().simple(), shop.connection.simple());
        let mut other_secret = good.clone();
        other_secret.connection = Some(revoked.connection_id());
        let with = |change: &dyn Fn(&mut Signed)| {
            let mut changed = good.clone();
            change(&mut changed);
            changed
        };
        let strangers = [
            signed(&revoked, &body),
            stale_and_wrong,
            other_secret,
            signed(&shop, b"another body"),
            Signed::at(&shop.connection_id(), &[&encode_secret(&[0; 32])], &body, Utc::now().timestamp()),
            with(&|s| s.connection = Some(elsewhere.clone())),
            with(&|s| s.connection = Some("0".repeat(64))),
            with(&|s| s.connection = Some("é".to_owned())),
            with(&|s| s.connection = Some(shop.connection_id().to_uppercase())),
            with(&|s| s.connection = None),
            with(&|s| s.id = None),
            with(&|s| s.id = Some("another".to_owned())),
            with(&|s| s.timestamp = None),
            with(&|s| s.timestamp = Some("now".to_owned())),
            with(&|s| s.timestamp = Some((Utc::now().timestamp() + 1).to_string())),
            with(&|s| s.signature = None),
            with(&|s| s.signature = Some("v1,AAAA".to_owned())),
            with(&|s| s.signature = s.signature.as_ref().map(|v1| v1.replace("v1,", "v2,"))),
        ];
        let mut heard = Vec::new();
        for path in ["/v1/push", "/v1/connect", "/v1/disconnect"] {
            for stranger in &strangers {
                let reply = send(&served.api, path, stranger, &body).await;
                assert_eq!(reply.status, 401, "{path} {stranger:?}");
                let mut names: Vec<String> =
                    reply.headers.keys().map(|name| name.as_str().to_owned()).collect();
                names.sort();
                heard.push((reply.body, names));
            }
        }
        heard.dedup();
        assert_eq!(heard.len(), 1, "strangers are told apart: {heard:?}");
        assert_eq!(send(&served.api, "/v1/push", &good, &body).await.status, 200);
    }
}

on_both! {
    async fn a_wrong_clock_is_told_only_to_who_knows_the_secret(relay: TestRelay) {
        let shop = connected(&relay).await;
        let served = relay.serve().await;
        let body = heartbeat(&shop);
        for (off, fits) in [(0, true), (-290, true), (290, true), (-310, false), (310, false), (-1 << 40, false)] {
            let now = Utc::now().timestamp() + off;
            let at = Signed::at(&shop.connection_id(), &[&shop.secret], &body, now);
            let reply = send(&served.api, "/v1/push", &at, &body).await;
            if fits {
                assert_eq!(reply.status, 200, "{off} seconds");
                continue;
            }
            assert!(reply.problem(401).contains("clock"));
            assert!(reply.json()["type"].as_str().unwrap().ends_with("/stale-timestamp"));
            let date = reply.headers["date"].to_str().unwrap();
            let date = chrono::DateTime::parse_from_rfc2822(date).unwrap().to_utc();
            assert!((Utc::now() - date).abs() < TimeDelta::minutes(1));
        }
    }
}

on_both! {
    async fn after_a_rotation_the_old_secret_counts_until_it_is_forgotten(relay: TestRelay) {
        let shop = connected(&relay).await;
        let served = relay.serve().await;
        let new = encode_secret(&random::<32>().unwrap());
        let db = &relay.relay.db;
        let id = database::key(db, shop.connection);
        let seal = |field, secret: &secrecy::SecretString| {
            let place =
                Place { tenant: shop.tenant, table: "connections", row: shop.connection, field };
            let sealed = relay.relay.vault.seal(place, secret.expose_secret()).unwrap();
            database::bytes(db, &sealed)
        };
        let (current, previous) = (seal("secret", &new), seal("previous_secret", &shop.secret));
        relay
            .run(&format!(
                "UPDATE connections SET secret = {current}, previous_secret = {previous}
                 WHERE id = {id}"
            ))
            .await;
        let body = heartbeat(&shop);
        let by = |secrets: &[&secrecy::SecretString]| {
            Signed::at(&shop.connection_id(), secrets, &body, Utc::now().timestamp())
        };
        for signed in [by(&[&shop.secret]), by(&[&new]), by(&[&new, &shop.secret])] {
            assert_eq!(send(&served.api, "/v1/push", &signed, &body).await.status, 200);
        }
        relay.run(&format!("UPDATE connections SET previous_secret = NULL WHERE id = {id}")).await;
        assert_eq!(send(&served.api, "/v1/push", &by(&[&shop.secret]), &body).await.status, 401);
        for signed in [by(&[&new]), by(&[&shop.secret, &new])] {
            assert_eq!(send(&served.api, "/v1/push", &signed, &body).await.status, 200);
        }
    }
}

on_both! {
    async fn a_bearer_token_opens_nothing_once_it_is_revoked_or_changed(relay: TestRelay) {
        let shop = connected(&relay).await;
        let served = relay.serve().await;
        let get = |token: String| {
            let api = served.api.clone();
            async move { api.get("/api/inventory", &token).await }
        };
        assert_eq!(get(shop.token.clone()).await.status, 200);
        let mut changed = shop.token.clone();
        let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
        changed.push(last);
        let another = connected(&relay).await;
        let mixed = {
            let (_, secret) = another.token.rsplit_once('_').unwrap();
            let (tenant, _) = shop.token.split_once('_').map(|(p, r)| (p, r.split('_').next().unwrap())).map(|(p, t)| (format!("{p}_{t}"), ())).unwrap();
            format!("{tenant}_{secret}")
        };
        let refused = get(changed).await;
        refused.problem(401);
        for token in ["".to_owned(), "x".to_owned(), "nxt__".to_owned(), mixed] {
            assert_eq!(get(token).await.body, refused.body);
        }
        let at = database::moment(&relay.relay.db, Utc::now());
        relay.run(&format!("UPDATE tokens SET revoked_at = {at} WHERE {}", shop.of_tenant())).await;
        assert_eq!(get(shop.token.clone()).await.body, refused.body);
        assert_eq!(get(another.token.clone()).await.status, 200);
    }
}

on_both! {
    async fn every_refusal_has_the_one_shape(relay: TestRelay) {
        let shop = connected(&relay).await;
        let served = relay.serve().await;
        for (path, status) in [
            ("/api/inventory?limit=many", 400),
            ("/api/inventory?after=%21", 400),
            ("/api/sales?external_id=x", 400),
            ("/api/sales?after=AAAA", 400),
            ("/api/customers?after=AAAA", 400),
            ("/api/events?after=AAAA", 400),
            ("/api/sales/84", 400),
            ("/api/sales/00000000-0000-0000-0000-000000000000", 404),
            ("/api/inventory/NONE/movements", 404),
            ("/api/nothing", 404),
            ("/nothing", 404),
            ("/v1/push", 405),
        ] {
            served.api.get(path, &shop.token).await.problem(status);
        }
        let path = "/api/inventory/NONE/movements";
        for (body, status) in [
            (serde_json::json!({}), 400),
            (serde_json::json!({ "type": "theft", "quantity_change": "1" }), 400),
            (serde_json::json!({ "type": "sale", "quantity_change": "1" }), 404),
            (serde_json::json!({ "type": "sale", "quantity_change": "0" }), 422),
            (serde_json::json!({ "type": "sale", "quantity_change": "x" }), 422),
            (serde_json::json!({ "type": "sale", "quantity_change": "0.0001" }), 422),
            (serde_json::json!({ "type": "sale", "quantity_change": 1e30 }), 422),
        ] {
            served.api.post(path, &shop.token, &body).await.problem(status);
        }
    }
}
