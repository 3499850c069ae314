//! The description of the API says what the relay does: every route, and the shape of what it answers.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    isolation::{ROUTES, Who, jeweller, path},
    shop::{Shop, server::Town},
    support::{
        api::{Api, send},
        database::Backend,
        on_both,
        relay::TestRelay,
    },
};

async fn document(api: &Api) -> Value {
    send(api.request(Method::GET, "/api/openapi.json")).await.ok()
}

/// Method and path of every operation of the document.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |path: &Value| path.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    paths
        .iter()
        .flat_map(|(path, its)| methods(its).into_iter().map(|method| (method, path.clone())))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_is_described_and_nothing_else() {
    let relay = TestRelay::new(Backend::Sqlite).await;
    let served = relay.serve().await;
    let document = document(&served.api).await;
    let described = operations(&document);
    let known: BTreeSet<(String, String)> = ROUTES
        .iter()
        .flat_map(|(route, methods, _)| {
            methods.iter().map(|method| (method.as_str().to_lowercase(), (*route).to_owned()))
        })
        .collect();
    assert_eq!(described, known);
    // The router agrees, and asks for the credential that is described.
    for (route, methods, who) in ROUTES {
        for method in *methods {
            let operation = &document["paths"][*route][method.as_str().to_lowercase()];
            let security = operation["security"].as_array().expect("who may ask");
            let route = route.replace("{id}", &Uuid::nil().to_string()).replace("{sku}", "X");
            let reply = send(served.api.request(method.clone(), &route)).await;
            let (status, schemes) = match who {
                Who::Anybody => (200, vec![]),
                Who::Token => (401, vec!["token"]),
                Who::Shop => (401, vec!["signature", "webhook"]),
            };
            assert_eq!(reply.status, status, "{method} {route}: {}", reply.body);
            let scheme = security.first().and_then(|scheme| scheme.as_object()?.keys().next());
            let fits = match scheme {
                Some(scheme) => schemes.contains(&scheme.as_str()),
                None => schemes.is_empty(),
            };
            assert!(fits, "{method} {route}: {security:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_shape_that_is_named_is_described_and_used() {
    let relay = TestRelay::new(Backend::Sqlite).await;
    let served = relay.serve().await;
    let document = document(&served.api).await;
    let text = document.to_string();
    let named: BTreeSet<&str> = text
        .split("#/components/schemas/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let described = document["components"]["schemas"].as_object().unwrap();
    assert_eq!(named, described.keys().map(String::as_str).collect());
    let page = send(served.api.request(Method::GET, "/api/docs")).await;
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    for (_, path) in operations(&document) {
        assert!(page.body.contains(&path), "{path} is not on the page");
    }
    for name in described.keys() {
        assert!(page.body.contains(&format!("id=\"{name}\"")), "{name} is not on the page");
    }
    for elsewhere in ["<script", "src=", "http://", "https://", "@import", "url("] {
        assert!(!page.body.contains(elsewhere), "{elsewhere}");
    }
}

on_both! {
    async fn what_is_answered_has_the_shape_that_is_described(relay: TestRelay) {
        let town = Town::open().await;
        let mut shop = Shop::new();
        shop.simple("RING", 9);
        shop.customer("ana@example.test", "?");
        let ann = jeweller(&relay, &town, &shop, "Ann", &Uuid::new_v4().to_string()).await;
        let served = relay.serve().await;
        let document = document(&served.api).await;
        let token = &ann.shop.token;
        let mut reads = 0;
        for (route, methods, who) in ROUTES {
            let described = *who == Who::Token && methods.contains(&Method::GET);
            if !described || route.ends_with("/progress") {
                continue;
            }
            let body = served.api.get(&path(route, &ann), token).await.ok();
            fits(&document, "get", route, "200", &body);
            if let Some(items) = body.get("items") {
                assert!(!items.as_array().unwrap().is_empty(), "{route} shows nothing to look at");
            }
            reads += 1;
        }
        assert!(reads > 10, "{reads}");
        let home = json!({ "store": ann.shop.fake.home });
        let dry = json!({ "store": ann.shop.fake.home, "dry_run": true });
        let take = json!({ "type": "sale", "quantity_change": "-1", "notes": "at the till" });
        let woo = "/api/integrations/woocommerce";
        let asks = [
            ("/api/inventory/{sku}/movements".to_owned(), "201", &take),
            (format!("{woo}/sync/inventory"), "200", &dry),
            (format!("{woo}/sync/orders"), "202", &home),
            (format!("{woo}/test"), "200", &home),
            ("/api/links/{id}".to_owned(), "200", &json!({ "holds": "shop" })),
            ("/api/links".to_owned(), "200", &json!({ "holds": "ledger" })),
            (format!("{woo}/disconnect"), "200", &home),
        ];
        for (route, status, body) in asks {
            let reply = served.api.post(&path(&route, &ann), token, body).await;
            assert_eq!(reply.status.to_string(), status, "{route}: {}", reply.body);
            fits(&document, "post", &route, status, &reply.json());
        }
        let refused = served.api.get("/api/sales/none", token).await;
        assert_eq!(refused.status, 400, "{}", refused.body);
        let problem = &document["components"]["schemas"]["Problem"];
        check(&document, problem, &refused.json(), "a problem");
    }
}

/// Holds an answer against what the document says of this status.
fn fits(document: &Value, method: &str, route: &str, status: &str, body: &Value) {
    let described = &document["paths"][route][method]["responses"][status];
    let schema = &described["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {route} {status} is not described");
    check(document, schema, body, route);
}

/// Holds a value against a schema; a field that no schema names, or a keyword that is not known here, fails.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    for keyword in schema.as_object().expect("a schema").keys() {
        let known = [
            "$ref",
            "type",
            "properties",
            "required",
            "items",
            "enum",
            "oneOf",
            "format",
            "pattern",
            "description",
        ];
        assert!(known.contains(&keyword.as_str()), "{place}: {keyword}");
    }
    if let Some(to) = schema["$ref"].as_str() {
        let target = document.pointer(to.trim_start_matches('#')).expect(to);
        return check(document, target, value, place);
    }
    if let Some(either) = schema["oneOf"].as_array() {
        // Always something, or null.
        let null = json!({ "type": "null" });
        assert_eq!(either.len(), 2, "{place}");
        assert_eq!(either[1], null, "{place}");
        if !value.is_null() {
            check(document, &either[0], value, place);
        }
        return;
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&is), "{place}: {value} is no {types:?}");
    if let (Some(words), false) = (schema["enum"].as_array(), value.is_null()) {
        assert!(words.contains(value), "{place}: {value} is none of {words:?}");
    }
    if let Some(text) = value.as_str() {
        match schema["format"].as_str() {
            Some("uuid") => drop(Uuid::try_parse(text).expect(place)),
            Some("date-time") => drop(chrono::DateTime::parse_from_rfc3339(text).expect(place)),
            Some(other) => panic!("{place}: {other}"),
            None => {}
        }
        if schema["pattern"].is_string() {
            let digits = |c: char| c.is_ascii_digit() || "-.".contains(c);
            assert!(!text.is_empty() && text.chars().all(digits), "{place}: {text} is no number");
        }
    }
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        check(document, &schema["items"], item, &format!("{place}[{at}]"));
    }
    let Some(fields) = value.as_object() else { return };
    for field in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(fields.contains_key(field), "{place}: there is no {field}");
    }
    for (field, value) in fields {
        let described = &schema["properties"][field];
        assert!(described.is_object(), "{place}: {field} is not described");
        check(document, described, value, &format!("{place}.{field}"));
    }
}
