//! `/api/openapi.json` and `/api/docs`: what every route takes and gives, for programs and for people.
//!
//! The tables beside this file are the one description; both are made of them. Tests hold them against the
//! router and against real answers.

mod operations;
mod page;
mod schemas;

use std::sync::LazyLock;

use axum::{
    Json,
    http::header,
    response::{Html, IntoResponse},
};
use serde_json::{Map, Value, json};

use operations::{OPERATIONS, Operation, Who};
use schemas::{QUERY, SCALARS};

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
static PAGE: LazyLock<String> = LazyLock::new(|| page::of(&DOCUMENT));

/// `GET /api/openapi.json`: the API in the form of OpenAPI 3.1.
pub(super) async fn openapi() -> Json<&'static Value> {
    Json(&DOCUMENT)
}

/// `GET /api/docs`: the same for people. The page loads nothing and runs nothing.
pub(super) async fn docs() -> impl IntoResponse {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(PAGE.as_str()))
}

fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described(operation);
    }
    let mut schemas: Map<String, Value> = Map::new();
    for (name, description, pattern) in SCALARS {
        let scalar = json!({ "type": "string", "description": description, "pattern": pattern });
        schemas.insert((*name).to_owned(), scalar);
    }
    for (name, description, fields) in schemas::all() {
        schemas.insert((*name).to_owned(), object(description, fields));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Nexpura relay",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Stock, sales and customers of a jeweller, kept in agreement with WooCommerce. \
                Quantities and money are decimal text, never floats. Lists are read page by page: pass \
                `next` as `after`. Errors are problem details (RFC 9457).",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer",
                    "description": "A token of `nexpura-relay token create`; it stands for one tenant." },
                "signature": { "type": "apiKey", "in": "header", "name": "webhook-signature",
                    "description": "Standard Webhooks: `webhook-id`, `webhook-timestamp`, \
                        `webhook-signature`, and `nexpura-connection`, over the bytes of the body." },
                "webhook": { "type": "apiKey", "in": "header", "name": "x-wc-webhook-signature",
                    "description": "WooCommerce's own: base64 HMAC-SHA256 of the body." },
            },
        },
    })
}

fn described(operation: &Operation) -> Value {
    let mut parameters = Vec::new();
    for part in operation.path.split('/') {
        if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            let kind = if name == "id" { "uuid" } else { "string" };
            let schema = typed(kind);
            parameters
                .push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
        }
    }
    for name in operation.query {
        let known = QUERY.iter().find(|(known, ..)| known == name);
        let (kind, description) = known.map_or(("string", ""), |(_, kind, told)| (*kind, *told));
        parameters.push(json!({
            "name": name, "in": "query", "schema": typed(kind), "description": description,
        }));
    }
    let mut responses = Map::new();
    for (status, content) in operation.answers {
        responses.insert(status.to_string(), answer(*status, content));
    }
    let problem = json!({ "application/problem+json": { "schema": typed("Problem") } });
    responses.insert(
        "default".to_owned(),
        json!({ "description": "What was wrong, and what to do about it.", "content": problem }),
    );
    let mut described = json!({
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": parameters,
        "responses": responses,
        "security": match operation.who {
            Who::Token => json!([{ "token": [] }]),
            Who::Shop => json!([{ "signature": [] }]),
            Who::WooCommerce => json!([{ "webhook": [] }]),
            Who::Anybody => json!([]),
        },
    });
    if let Some(body) = operation.body {
        let content = json!({ "application/json": { "schema": typed(body) } });
        described["requestBody"] = json!({ "required": true, "content": content });
    }
    described
}

/// What one status means: a schema's name, a page of it in brackets, a media type, or nothing.
fn answer(status: u16, content: &str) -> Value {
    let description = match status {
        202 => "It is begun.",
        204 => "It is done.",
        _ => "What was asked for.",
    };
    if content.is_empty() {
        return json!({ "description": description });
    }
    let (media, schema) = match content.strip_prefix('[').and_then(|c| c.strip_suffix(']')) {
        Some(item) => (
            "application/json",
            json!({
                "type": "object",
                "required": ["items", "next"],
                "properties": {
                    "items": { "type": "array", "items": typed(item) },
                    "next": { "type": ["string", "null"],
                        "description": "What to pass as `after` for the next page." },
                },
            }),
        ),
        None if content.contains('/') => (content, json!({ "type": "string" })),
        None => ("application/json", typed(content)),
    };
    json!({ "description": description, "content": { media: { "schema": schema } } })
}

/// An object of these fields; a name with `?` may be absent.
fn object(description: &str, fields: &[schemas::Field]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, kind, told) in fields {
        let bare = name.trim_end_matches('?');
        if bare.len() == name.len() {
            required.push(bare);
        }
        let mut schema = typed(kind);
        if !told.is_empty() {
            schema["description"] = json!(told);
        }
        properties.insert(bare.to_owned(), schema);
    }
    json!({
        "type": "object", "description": description, "required": required,
        "properties": properties,
    })
}

/// A type as the tables write it: `uuid`, `time`, `string`, `integer`, `boolean`, `any`, words split by `|`,
/// the name of a schema, a list of any of them in brackets; with `?` behind, it may be null.
fn typed(kind: &str) -> Value {
    if let Some(kind) = kind.strip_suffix('?') {
        let mut schema = typed(kind);
        return match schema["type"].as_str().map(str::to_owned) {
            Some(name) => {
                schema["type"] = json!([name, "null"]);
                schema
            }
            None => json!({ "oneOf": [schema, { "type": "null" }] }),
        };
    }
    if let Some(item) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        return json!({ "type": "array", "items": typed(item) });
    }
    match kind {
        "uuid" => json!({ "type": "string", "format": "uuid" }),
        "time" => json!({ "type": "string", "format": "date-time" }),
        "string" | "integer" | "boolean" => json!({ "type": kind }),
        "any" => json!({}),
        words if words.contains('|') => {
            json!({ "type": "string", "enum": words.split('|').collect::<Vec<_>>() })
        }
        name => json!({ "$ref": format!("#/components/schemas/{name}") }),
    }
}
