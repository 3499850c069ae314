//! A relay that serves, and one shop with webhooks that was connected by its key.

use nexpura_relay::{
    service::{
        credential::{ConnectionId, Token},
        fetch,
        vault::Place as Sealed,
        webhooks,
    },
    store::{self, integrations, tenants, tokens},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::shop::{HookShop, deliver, sign};
use crate::{
    shop::server::{CONSUMER_KEY, CONSUMER_SECRET},
    support::{
        api::Reply,
        database,
        relay::{Served, TestRelay},
    },
};

pub(super) struct Place {
    pub(super) test: TestRelay,
    pub(super) served: Served,
    pub(super) shop: HookShop,
    pub(super) tenant: Uuid,
    pub(super) integration: Uuid,
    pub(super) token: String,
}

impl Place {
    pub(super) async fn new(test: TestRelay) -> Self {
        let (shop, served) = (HookShop::open().await, test.serve().await);
        shop.reaches(Some(served.api.clone()));
        let now = store::now();
        let integration = store::new_id();
        let mut tx = test.relay.db.write().await.unwrap();
        let tenant = tenants::ensure(&mut tx, &Uuid::new_v4().to_string(), now).await.unwrap();
        let seal = |field, secret: &str| {
            let place = Sealed { tenant, table: "integrations", row: integration, field };
            test.relay.vault.seal(place, secret).unwrap()
        };
        let registration = integrations::Registration {
            store_id: &Uuid::new_v4().to_string(),
            store_url: &shop.home,
            rest_root: "",
            mode: "sweep",
            config: &json!({}),
            consumer_key: &seal("consumer_key", CONSUMER_KEY),
            consumer_secret: &seal("consumer_secret", CONSUMER_SECRET),
        };
        integrations::insert(&mut tx, tenant, integration, &registration, now).await.unwrap();
        let token = Token::create(tenant).unwrap();
        tokens::insert(&mut tx, tenant, &token.hash(), "test", now).await.unwrap();
        tx.commit().await.unwrap();
        let token = token.expose().to_owned();
        Self { test, served, shop, tenant, integration, token }
    }

    /// Registers its webhooks by the API.
    pub(super) async fn set_up(&self) -> Value {
        self.post("webhooks/setup").await.ok()
    }

    pub(super) async fn post(&self, path: &str) -> Reply {
        let path = format!("/api/integrations/woocommerce/{path}");
        let body = json!({ "store": format!(" {}/ ", self.shop.home) });
        self.served.api.post(&path, &self.token, &body).await
    }

    /// How the API says that the store stands.
    pub(super) async fn standing(&self) -> Value {
        let all = self.served.api.get("/api/integrations/woocommerce", &self.token).await.ok();
        assert_eq!(all["items"].as_array().map(Vec::len), Some(1), "{all}");
        all["items"][0].clone()
    }

    /// The address that its webhooks deliver to.
    pub(super) fn url(&self) -> String {
        let mut urls: Vec<_> = self.shop.hooks().into_iter().map(|hook| hook.url).collect();
        urls.dedup();
        assert_eq!(urls.len(), 1, "{urls:?}");
        urls.remove(0)
    }

    /// Delivers something signed with this secret.
    pub(super) async fn deliver(&self, secret: &str, topic: &str, body: &str) -> Reply {
        deliver(&self.served.api, &self.url(), topic, &sign(secret, body), body).await
    }

    /// What a worker would do now.
    pub(super) async fn look(&self) -> bool {
        webhooks::look_after_due(&self.test.relay, self.tenant, self.integration).await.unwrap()
    }

    /// Lets the next look fall due.
    pub(super) async fn time_passes(&self) {
        let touched = self
            .test
            .run("UPDATE webhook_setups SET due_at = created_at WHERE due_at IS NOT NULL")
            .await;
        assert_eq!(touched, 1);
    }

    pub(super) async fn fetch(&self) {
        while fetch::fetch_due(&self.test.relay, self.tenant, self.integration).await.unwrap() > 0 {
        }
    }

    /// The topics and states of what came, oldest first.
    pub(super) async fn inbox(&self) -> Vec<(String, String)> {
        let sql = "SELECT topic, status FROM inbox ORDER BY received_at, topic";
        let rows = database::texts(&self.test.relay.db, sql).await;
        rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
    }

    /// Puts this secret in the place of the one that was made.
    pub(super) async fn sign_with(&self, secret: &str) {
        let row = self.integration;
        let place = Sealed { tenant: self.tenant, table: "webhook_setups", row, field: "secret" };
        let sealed = self.test.relay.vault.seal(place, secret).unwrap();
        let mut tx = self.test.relay.db.write().await.unwrap();
        store::webhooks::begin(&mut tx, self.tenant, self.integration, &sealed, None)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// The address at which another jeweller's webhooks deliver to the same relay.
    pub(super) async fn strangers_address(&self, root: &str) -> String {
        let (now, id) = (store::now(), store::new_id());
        let mut tx = self.test.relay.db.write().await.unwrap();
        let tenant = tenants::ensure(&mut tx, "A stranger", now).await.unwrap();
        let registration = integrations::Registration {
            store_id: "theirs",
            store_url: &self.shop.home,
            rest_root: "",
            mode: "sweep",
            config: &json!({}),
            consumer_key: b"sealed",
            consumer_secret: b"sealed",
        };
        integrations::insert(&mut tx, tenant, id, &registration, now).await.unwrap();
        store::webhooks::ask(&mut tx, tenant, id, "waiting", now).await.unwrap();
        let setup = store::webhooks::lock(&mut tx, tenant, id).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let id = ConnectionId { tenant, id: setup.address_id };
        format!("{root}/api/integrations/woocommerce/webhook/{id}")
    }

    /// An address of the tenant's own at which nobody receives.
    pub(super) fn dead_address(&self, root: &str) -> String {
        let id = ConnectionId { tenant: self.tenant, id: Uuid::new_v4() };
        format!("{root}/api/integrations/woocommerce/webhook/{id}")
    }

    /// An address of some other ledger.
    pub(super) fn foreign_address(&self, root: &str) -> String {
        let id = ConnectionId { tenant: Uuid::new_v4(), id: Uuid::new_v4() };
        format!("{root}/api/integrations/woocommerce/webhook/{id}")
    }
}
