//! Two jewellers with the same SKUs, customers and order ids never meet, on any route there is.

mod jeweller;
mod rows;

use std::{collections::BTreeSet, fs, path::Path};

use reqwest::Method;
use serde_json::{Value, json};

pub(crate) use self::jeweller::{Jeweller, jeweller, wait_for_a_choice};
use crate::{
    shop::{
        Shop,
        server::{CONSUMER_KEY, CONSUMER_SECRET, Town},
    },
    support::{
        api::{Api, Reply, send},
        on_both,
    },
};

/// By what a route knows who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// By the signature of a connection.
    Shop,
    /// By a bearer token.
    Token,
    /// Not at all: it must hold nothing of any tenant.
    Anybody,
}

/// Every route of the relay. A new one has to stand here, and then proves itself below.
pub(crate) const ROUTES: &[(&str, &[Method], Who)] = &[
    ("/v1/push", &[Method::POST], Who::Shop),
    ("/v1/connect", &[Method::POST], Who::Shop),
    ("/v1/disconnect", &[Method::POST], Who::Shop),
    ("/v1/status", &[Method::POST], Who::Shop),
    ("/v1/retry", &[Method::POST], Who::Shop),
    ("/v1/person", &[Method::POST], Who::Shop),
    ("/v1/erase", &[Method::POST], Who::Shop),
    ("/api/inventory", &[Method::GET], Who::Token),
    // Before anything of theirs is moved.
    ("/api/drift/{id}/adopt", &[Method::POST], Who::Token),
    ("/api/drift/{id}/push", &[Method::POST], Who::Token),
    ("/api/inventory/{sku}/movements", &[Method::GET, Method::POST], Who::Token),
    ("/api/sales", &[Method::GET], Who::Token),
    ("/api/sales/{id}", &[Method::GET], Who::Token),
    ("/api/customers", &[Method::GET], Who::Token),
    ("/api/events", &[Method::GET], Who::Token),
    ("/api/events/retry", &[Method::POST], Who::Token),
    ("/api/events/{id}", &[Method::GET], Who::Token),
    ("/api/events/{id}/retry", &[Method::POST], Who::Token),
    ("/api/events/{id}/leave", &[Method::POST], Who::Token),
    ("/api/conflicts", &[Method::GET], Who::Token),
    ("/api/conflicts/{id}/decide", &[Method::POST], Who::Token),
    ("/api/drift", &[Method::GET], Who::Token),
    ("/api/links", &[Method::GET], Who::Token),
    ("/api/links/{id}", &[Method::POST], Who::Token),
    ("/api/links", &[Method::POST], Who::Token),
    ("/api/runs", &[Method::GET], Who::Token),
    ("/api/runs/{id}", &[Method::GET], Who::Token),
    ("/api/runs/{id}/progress", &[Method::GET], Who::Token),
    ("/api/integrations/woocommerce/sync/products", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce/sync/customers", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce/sync/orders", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce/sync/inventory", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce/reconcile", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce/policy", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce/resume", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce/accept", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce", &[Method::GET], Who::Token),
    ("/api/integrations/woocommerce/webhooks/setup", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce/setup-webhooks", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce/webhooks/remove", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce/webhook/{connection}", &[Method::POST], Who::Shop),
    ("/api/integrations/woocommerce/webhooks/handle", &[Method::POST], Who::Shop),
    ("/api/integrations", &[Method::GET], Who::Token),
    ("/api/integrations/woocommerce/connect", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce/test", &[Method::POST], Who::Token),
    ("/api/integrations/woocommerce/disconnect", &[Method::POST], Who::Token),
    ("/api/openapi.json", &[Method::GET], Who::Anybody),
    ("/api/docs", &[Method::GET], Who::Anybody),
    ("/healthz", &[Method::GET], Who::Anybody),
    ("/readyz", &[Method::GET], Who::Anybody),
    ("/metrics", &[Method::GET], Who::Anybody),
];

/// The routes that the sources name, with the methods they are given.
fn routes_in_the_sources(folder: &Path) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // The panel's routes have a table of their own: see `panel::routes`.
        if matches!(name, "tests" | "tests.rs" | "panel") {
            continue;
        }
        if path.is_dir() {
            found.extend(routes_in_the_sources(&path));
        } else {
            let source = fs::read_to_string(&path).unwrap();
            for call in source.split(".route(").skip(1) {
                let mut quoted = call.trim_start().split('"').skip(1);
                let Some(route) = quoted.next() else { continue };
                let rest = quoted.next().unwrap_or_default();
                let handlers = rest.split(['\n', ';']).next().unwrap_or_default();
                for method in ["get", "post", "put", "patch", "delete", "any"] {
                    if handlers.contains(&format!(" {method}("))
                        || handlers.contains(&format!(").{method}("))
                    {
                        found.insert((route.to_owned(), method.to_uppercase()));
                    }
                }
            }
        }
    }
    found
}

#[test]
fn every_route_is_in_the_table() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let found = routes_in_the_sources(&sources);
    let known: BTreeSet<(&str, &str)> = ROUTES
        .iter()
        .flat_map(|(route, methods, _)| methods.iter().map(|method| (*route, method.as_str())))
        .collect();
    let strangers: Vec<_> = found
        .iter()
        .filter(|(route, method)| {
            !known.iter().any(|(known, its)| known.ends_with(route.as_str()) && its == method)
        })
        .collect();
    assert!(strangers.is_empty(), "routes without a proof that tenants do not meet: {strangers:?}");
    assert_eq!(found.len(), known.len(), "{found:?}");
}

/// A list's items that hold the mark.
fn marked(body: &Value, mark: &str) -> usize {
    let items = body["items"].as_array().expect("a list");
    items.iter().filter(|item| item.to_string().contains(mark)).count()
}

on_both! {
    async fn what_one_jeweller_asks_shows_nothing_of_another(relay: TestRelay) {
        let town = Town::open().await;
        let mut shop = Shop::new();
        shop.simple("RING", 9);
        shop.customer("ana@example.test", "?");
        let event = uuid::Uuid::new_v4().to_string();
        let ann = jeweller(&relay, &town, &shop, "Annasmark", &event).await;
        let ben = jeweller(&relay, &town, &shop, "Bensmark", &event).await;
        assert_eq!(ann.event.resource_id, ben.event.resource_id);
        let served = relay.serve().await;
        for (route, methods, who) in ROUTES {
            for method in *methods {
                for (me, other) in [(&ann, &ben), (&ben, &ann)] {
                    match who {
                        Who::Token => by_token(&served.api, route, method, me, other).await,
                        Who::Shop => by_signature(&served.api, route, me, other).await,
                        Who::Anybody => {
                            let reply = send(served.api.request(method.clone(), route)).await;
                            assert_eq!(reply.status, 200, "{route}");
                            for hidden in [&me.mark, &me.shop.tenant.to_string(), "RING", "ana@"] {
                                assert!(!reply.body.contains(hidden), "{route}: {}", reply.body);
                            }
                        }
                    }
                }
            }
        }
        // One taken away by hand, one adopted from the shop; each once, by its own jeweller.
        for (jeweller, units) in [(&ann, 7 - 1 + 1), (&ben, 7 - 1 + 1)] {
            let ring = *jeweller.shop.fake.shop().products.keys().next().unwrap();
            assert_eq!(jeweller.shop.quantity(ring).await, units);
        }
    }
}

/// Asks for the other's things by one's own token; nothing is there, and one's own things are.
async fn by_token(api: &Api, route: &str, method: &Method, me: &Jeweller, other: &Jeweller) {
    let place = format!("{method} {route}");
    let mine = ask(api, route, method, me, me).await;
    // A decision can be made once, an order that was read cannot be left, there is nothing to resume or to accept, and a shop with the
    // extension gets no webhooks.
    let ends = [
        "/push",
        "/adopt",
        "/decide",
        "/leave",
        "/resume",
        "/accept",
        "/setup",
        "/setup-webhooks",
        "/remove",
    ];
    let decided = ends.iter().any(|end| route.ends_with(end));
    let done = (200..300).contains(&mine.status) || (decided && [404, 409].contains(&mine.status));
    assert!(done, "{place}: {} {}", mine.status, mine.body);
    let nobody = send(api.request(method.clone(), &path(route, me))).await;
    nobody.problem(401);
    let theirs = ask(api, route, method, me, other).await;
    for reply in [&mine, &theirs] {
        let meets = reply.body.contains(&other.mark) || reply.body.contains(&other.shop.fake.home);
        assert!(!meets, "{place} shows another tenant's: {}", reply.body);
    }
    match (method, route) {
        // One's own, whoever else has some.
        (&Method::POST, "/api/events/retry") => drop(theirs.ok()),
        (&Method::POST, "/api/events/{id}/retry") => drop(theirs.problem(404)),
        (&Method::POST, "/api/integrations/woocommerce/connect") => drop(theirs.problem(422)),
        (&Method::POST, route) if !route.starts_with("/api/inventory") => drop(theirs.problem(404)),
        (&Method::GET, "/api/runs/{id}" | "/api/runs/{id}/progress") => drop(theirs.problem(404)),
        (&Method::GET, "/api/conflicts") => {
            let numbers: Vec<_> = mine.ok()["items"].as_array().unwrap().clone();
            assert_eq!(numbers.len(), 1, "{place}: {}", mine.body);
            assert_eq!(numbers[0]["order_number"], me.mark.as_str(), "{place}");
        }
        (
            &Method::GET,
            "/api/runs" | "/api/drift" | "/api/integrations" | "/api/integrations/woocommerce",
        ) => {
            let items = mine.ok()["items"].as_array().unwrap().len();
            assert!(items > 0, "{place}: {}", mine.body);
            assert_eq!(marked(&mine.ok(), &me.shop.fake.home), items, "{place}");
        }
        (&Method::GET, "/api/sales/{id}") => {
            assert!(mine.body.contains(&me.mark), "{place}: {}", mine.body);
            theirs.problem(404);
        }
        (&Method::GET, "/api/events/{id}") => {
            assert_eq!(mine.ok()["store"], me.shop.fake.home, "{place}: {}", mine.body);
            theirs.problem(404);
        }
        (&Method::GET, "/api/events") => {
            assert_eq!(
                marked(&mine.ok(), &me.shop.fake.home),
                mine.ok()["items"].as_array().unwrap().len()
            );
        }
        (&Method::GET, _) => assert!(marked(&mine.ok(), &me.mark) > 0, "{place}: {}", mine.body),
        // The ids are the same on both sides: what was asked for was one's own.
        _ => {}
    }
}

async fn ask(api: &Api, route: &str, method: &Method, me: &Jeweller, whose: &Jeweller) -> Reply {
    let path = path(route, whose);
    let mut request = api.request(method.clone(), &path).bearer_auth(&me.shop.token);
    if method == Method::POST {
        // Taken away and put back, and in the end one less.
        let change = if std::ptr::eq(me, whose) { "-2" } else { "1" };
        let mut body = json!({ "type": "adjustment", "quantity_change": change, "notes": me.mark });
        if route.ends_with("/decide") {
            body = json!({ "decision": "acknowledge" });
        }
        if route.starts_with("/api/drift") {
            body = json!({ "seen": 0 });
        }
        if route.starts_with("/api/links") {
            body = json!({ "store": whose.shop.fake.home, "holds": "shop" });
        }
        if route.contains("/woocommerce/") {
            body = json!({ "store": whose.shop.fake.home, "drift": "ledger" });
        }
        if route.ends_with("/woocommerce/connect") {
            // Whoever has a store's key may connect it; the other's is not known here.
            let secret = if std::ptr::eq(me, whose) { CONSUMER_SECRET } else { "cs_?" };
            body = json!({
                "store_url": whose.shop.fake.home,
                "consumer_key": CONSUMER_KEY,
                "consumer_secret": secret,
            });
        }
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    send(request).await
}

pub(crate) fn path(route: &str, whose: &Jeweller) -> String {
    let id = match route.split('/').nth(2) {
        Some("events") => &whose.own_event,
        Some("drift") => &whose.drift,
        Some("runs") => &whose.run,
        Some("links") => &whose.link,
        _ => &whose.sale,
    };
    route.replace("{sku}", "RING").replace("{id}", id)
}

/// Signs with one's own secret in the other's name, and pushes the other's event in one's own.
async fn by_signature(api: &Api, route: &str, me: &Jeweller, other: &Jeweller) {
    let body = serde_json::to_vec(&me.shop.spool.lock().unwrap().batch(vec![other.event.clone()]));
    let body = body.unwrap();
    let mut signed =
        crate::support::api::Signed::new(&me.shop.connection_id(), &me.shop.secret, &body);
    signed.connection = Some(other.shop.connection_id());
    api.post_signed(route, &signed, body.clone()).await.problem(401);
    // One's own connection under the other's tenant is no connection.
    signed.connection =
        Some(format!("{}{}", other.shop.tenant.simple(), me.shop.connection.simple()));
    api.post_signed(route, &signed, body.clone()).await.problem(401);
    if route == "/v1/push" {
        // The same event id: for this shop it is its own.
        let reply = me.shop.post(api, route, body).await;
        assert_eq!(reply.ok()["results"][0]["status"], "duplicate");
    }
    if route == "/v1/status" {
        // The other's order has the same id: what is told of it is one's own sale.
        let body = json!({ "orders": [other.event.resource_id] }).to_string();
        let reply = me.shop.post(api, route, body.into_bytes()).await;
        let link = reply.ok()["orders"][0]["sale_url"].as_str().unwrap().replace('-', "");
        assert!(link.ends_with(&me.sale.replace('-', "").to_lowercase()), "{link} {}", me.sale);
        assert!(!reply.body.contains(&other.shop.fake.home), "{}", reply.body);
    }
}
