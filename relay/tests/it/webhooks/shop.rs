//! A shop that has webhooks as WooCommerce 10.0.2 has them: REST, pings, signatures, and switching one off
//! after six failures.
//!
//! Source: `class-wc-rest-webhooks-v1-controller.php` and `class-wc-webhook.php` there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    shop::server::CONSUMER_KEY,
    support::api::{Api, Reply, send},
};

/// One of its webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hook {
    pub(super) topic: String,
    pub(super) url: String,
    pub(super) secret: String,
    pub(super) status: String,
    pub(super) failures: u32,
}

#[derive(Default)]
pub(super) struct Inside {
    pub(super) hooks: BTreeMap<u64, Hook>,
    pub(super) orders: BTreeMap<u64, Value>,
    /// Whether the key may read only.
    pub(super) read_only: bool,
    /// Batches that are carried out before one is carried out half and answered with 500.
    pub(super) fails_after: Option<usize>,
    /// What was asked for, such as `GET wc/v3/webhooks`.
    pub(super) asked: Vec<String>,
    last_id: u64,
}

/// The shop, on a port of this machine.
pub(super) struct HookShop {
    pub(super) home: String,
    inside: Arc<Mutex<Inside>>,
    server: JoinHandle<()>,
    /// Where its deliveries go, whatever host stands in their address.
    relay: Arc<Mutex<Option<Api>>>,
}

impl Drop for HookShop {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Clone)]
struct Door {
    inside: Arc<Mutex<Inside>>,
    relay: Arc<Mutex<Option<Api>>>,
}

impl HookShop {
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let home = format!("http://{}", listener.local_addr().unwrap());
        let inside: Arc<Mutex<Inside>> = Arc::default();
        let relay: Arc<Mutex<Option<Api>>> = Arc::default();
        let door = Door { inside: Arc::clone(&inside), relay: Arc::clone(&relay) };
        let router = Router::new().fallback(answer).with_state(door);
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { home, inside, server, relay }
    }

    /// From now on its pings and deliveries reach this relay; without one they fail.
    pub(super) fn reaches(&self, relay: Option<Api>) {
        *self.relay.lock().unwrap() = relay;
    }

    pub(super) fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    pub(super) fn hooks(&self) -> Vec<Hook> {
        self.inside().hooks.values().cloned().collect()
    }

    /// The secret that all of them sign with.
    pub(super) fn secret(&self) -> String {
        let mut secrets: Vec<_> = self.hooks().into_iter().map(|hook| hook.secret).collect();
        secrets.dedup();
        assert_eq!(secrets.len(), 1, "one secret");
        secrets.remove(0)
    }

    /// Makes one as somebody else would.
    pub(super) fn make(&self, topic: &str, url: &str) -> u64 {
        let (topic, url) = (topic.to_owned(), url.to_owned());
        let (secret, status) = ("theirs".to_owned(), "active".to_owned());
        self.inside().add(Hook { topic, url, secret, status, failures: 0 })
    }

    /// Something happens: every active webhook of that topic delivers.
    pub(super) async fn happens(&self, topic: &str, body: &Value) {
        let due: Vec<(u64, Hook)> = {
            let inside = self.inside();
            let active = inside.hooks.iter().filter(|(_, hook)| hook.status == "active");
            active.filter(|(_, hook)| hook.topic == topic).map(|(id, h)| (*id, h.clone())).collect()
        };
        for (id, hook) in due {
            let body = body.to_string();
            let relay = self.relay.lock().unwrap().clone();
            let went_well = match relay {
                Some(relay) => {
                    let signature = sign(&hook.secret, &body);
                    let reply = deliver(&relay, &hook.url, &hook.topic, &signature, &body).await;
                    (200..303).contains(&reply.status)
                }
                None => false,
            };
            if let Some(hook) = self.inside().hooks.get_mut(&id) {
                match went_well {
                    true => hook.failures = 0,
                    false if hook.failures > 5 => hook.status = "disabled".to_owned(),
                    false => hook.failures += 1,
                }
            }
        }
    }
}

impl Inside {
    fn add(&mut self, hook: Hook) -> u64 {
        self.last_id += 1;
        self.hooks.insert(self.last_id, hook);
        self.last_id
    }
}

/// What WooCommerce writes into `X-WC-Webhook-Signature`.
pub(super) fn sign(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    STANDARD.encode(mac.chain_update(body).finalize().into_bytes())
}

/// Delivers to the path of an address, at this relay.
pub(super) async fn deliver(
    relay: &Api,
    url: &str,
    topic: &str,
    signature: &str,
    body: &str,
) -> Reply {
    let uri: Uri = url.parse().unwrap();
    let request = relay
        .request(Method::POST, uri.path_and_query().unwrap().as_str())
        .header("content-type", "application/json")
        .header("x-wc-webhook-topic", topic)
        .header("x-wc-webhook-signature", signature)
        .header("x-wc-webhook-delivery-id", "f30d8b7df56ce0ad47f3b35124387a1b")
        .body(body.to_owned());
    send(request).await
}

/// WooCommerce tries an address.
pub(super) async fn ping(relay: &Api, url: &str, body: &str) -> Reply {
    let uri: Uri = url.parse().unwrap();
    let request = relay
        .request(Method::POST, uri.path())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned());
    send(request).await
}

async fn answer(State(door): State<Door>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let route = parts.uri.path().trim_start_matches("/wp-json/").to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let field = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    };
    door.inside.lock().unwrap().asked.push(format!("{} {route}", parts.method));
    if field("oauth_consumer_key").as_deref() != Some(CONSUMER_KEY) {
        return refusal(401, "woocommerce_rest_authentication_error");
    }
    let post = parts.method == Method::POST;
    if post && door.inside.lock().unwrap().read_only {
        return refusal(401, "woocommerce_rest_authentication_error");
    }
    if let Some(order) = route.strip_prefix("wc/v3/orders/") {
        let id: u64 = order.parse().unwrap_or_default();
        return match door.inside.lock().unwrap().orders.get(&id) {
            Some(order) => shown(200, order),
            None => refusal(404, "woocommerce_rest_shop_order_invalid_id"),
        };
    }
    match (route.as_str(), post) {
        ("wc/v3/webhooks", false) => {
            let page: usize = field("page").and_then(|page| page.parse().ok()).unwrap_or(1);
            let each: usize = field("per_page").and_then(|each| each.parse().ok()).unwrap_or(10);
            let inside = door.inside.lock().unwrap();
            let all = inside.hooks.iter().map(|(id, hook)| show(*id, hook));
            shown(200, &all.skip((page - 1) * each).take(each).collect())
        }
        ("wc/v3/webhooks/batch", true) => batch(&door, body).await,
        _ => refusal(404, "rest_no_route"),
    }
}

async fn batch(door: &Door, body: Body) -> Response {
    let wish: Value = serde_json::from_slice(&to_bytes(body, 1 << 20).await.unwrap()).unwrap();
    let items = |part: &str| wish[part].as_array().cloned().unwrap_or_default();
    let (mut created, mut updated, mut pinged) = (Vec::new(), Vec::new(), Vec::new());
    let breaks = {
        let mut inside = door.inside.lock().unwrap();
        let breaks = inside.fails_after == Some(0);
        inside.fails_after = inside.fails_after.map(|left| left.saturating_sub(1));
        let half = |items: Vec<Value>| {
            let whole = items.len();
            items.into_iter().take(if breaks { whole / 2 } else { whole })
        };
        let text = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
        for item in half(items("create")) {
            let (topic, url) = (text(&item, "topic"), text(&item, "delivery_url"));
            // REST makes every new one active.
            let (secret, status) = (text(&item, "secret"), "active".to_owned());
            let hook = Hook { topic, url: url.clone(), secret, status, failures: 0 };
            let id = inside.add(hook.clone());
            pinged.push((id, url));
            created.push(show(id, &hook));
        }
        for item in half(items("update")) {
            let id = item["id"].as_u64().unwrap();
            match inside.hooks.get_mut(&id) {
                Some(hook) => {
                    hook.topic = text(&item, "topic");
                    hook.url = text(&item, "delivery_url");
                    hook.secret = text(&item, "secret");
                    hook.status = text(&item, "status");
                    updated.push(show(id, hook));
                }
                None => {
                    let error = json!({ "code": "woocommerce_rest_shop_webhook_invalid_id" });
                    updated.push(json!({ "id": id, "error": error }));
                }
            }
        }
        for id in half(items("delete")) {
            inside.hooks.remove(&id.as_u64().unwrap());
        }
        breaks
    };
    let relay = door.relay.lock().unwrap().clone();
    if let Some(relay) = relay {
        for (id, url) in pinged {
            let reply = ping(&relay, &url, &format!("webhook_id={id}")).await;
            assert_eq!(reply.status, 200, "a ping: {}", reply.body);
        }
    }
    if breaks {
        return refusal(500, "internal_server_error");
    }
    shown(200, &json!({ "create": created, "update": updated }))
}

fn show(id: u64, hook: &Hook) -> Value {
    json!({
        "id": id, "name": "a name", "status": hook.status, "topic": hook.topic,
        "delivery_url": hook.url, "hooks": [],
    })
}

fn refusal(status: u16, code: &str) -> Response {
    shown(status, &json!({ "code": code, "message": "No.", "data": { "status": status } }))
}

fn shown(status: u16, body: &Value) -> Response {
    let headers = [("content-type", "application/json; charset=UTF-8")];
    (StatusCode::from_u16(status).unwrap(), headers, body.to_string()).into_response()
}
