//! WooCommerce's REST routes, as a shop of the model answers them.

use std::collections::HashMap;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDateTime, Utc};
use nexpura_protocol::Resource;
use serde_json::{Value, json};

use super::{Shop, server::Asked, show::show_refund};

impl Shop {
    /// Answers a request that came with the right key; `home` is the address that it calls its own.
    pub(super) fn rest(&mut self, asked: &Asked, home: &str) -> Response {
        let parts: Vec<&str> = asked.route.split('/').collect();
        match parts[..] {
            ["wc", "v3", "system_status"] => {
                json_with(200, &system_status(home, &self.woocommerce_id))
            }
            ["wc", "v3", "settings", "products"] => json_with(200, &self.counting()),
            ["wc", "v3", "orders", id, "refunds"] => refunds(self, &asked.query, id),
            ["wc", "v3", "orders", id, "notes"] => self.note(id, &asked.body),
            ["wc", "v3", "products", parent, "variations"] => self.variations(&asked.query, parent),
            ["wc", "v3", "products", "batch"] => self.batch(None, &asked.body),
            ["wc", "v3", "customers", "batch"] => self.batch_of_customers(&asked.body),
            ["wc", "v3", "products", parent, "variations", "batch"] => {
                self.batch(parent.parse().ok(), &asked.body)
            }
            ["wc-nexpura", "v1", "stock"] if !self.bare => {
                json_with(200, &self.answer_stock(&asked.body))
            }
            ["wc-nexpura", "v1", "synced"] if !self.bare => {
                json_with(200, &self.answer_synced(&asked.body))
            }
            ["wc", "v3", listing] => self.listing(listing, &asked.query),
            ["wc", "v3", listing, id] => one(self, listing, id),
            _ => refusal(404, "rest_no_route"),
        }
    }

    /// A note is a comment: the order stays as it is.
    fn note(&mut self, order: &str, note: &Value) -> Response {
        let Some(order) = order.parse().ok().filter(|id| self.orders.contains_key(id)) else {
            return refusal(404, "woocommerce_rest_order_invalid_id");
        };
        assert_eq!(note["customer_note"], false, "the customer would be mailed");
        self.notes.push((order, note["note"].as_str().unwrap().to_owned()));
        json_with(201, &json!({ "id": self.notes.len(), "note": note["note"] }))
    }

    /// Absolute stocks, each by itself; a variation is changed at its parent's address only.
    fn batch(&mut self, parent: Option<u64>, body: &Value) -> Response {
        let updates = body["update"].as_array().cloned().unwrap_or_default();
        assert!(updates.len() <= 100, "more than WooCommerce takes at once");
        if updates.is_empty() {
            return json_with(200, &json!([]));
        }
        let mut done = Vec::new();
        for update in updates {
            let id = update["id"].as_u64().unwrap_or_default();
            if self.products.get(&id).is_none_or(|product| product.parent != parent) {
                let code = "woocommerce_rest_product_invalid_id";
                done.push(
                    json!({ "id": id, "error": { "code": code, "data": { "status": 400 } } }),
                );
                continue;
            }
            if update.get("meta_data").is_some() {
                done.push(self.save_product(id, &update));
                continue;
            }
            let wanted = update["stock_quantity"].as_i64().expect("whole units");
            self.set_stock_over_rest(id, wanted);
            done.push(json!({ "id": id, "stock_quantity": wanted }));
        }
        json_with(200, &json!({ "update": done }))
    }

    /// Saves a product with a custom field: its type becomes the one that it is shown with.
    fn save_product(&mut self, id: u64, update: &Value) -> Value {
        assert_eq!(update["meta_data"][0]["key"], "Synced with Nexpura");
        if self.refuses == Some(id) {
            return json!({ "id": id, "error": { "code": "nexpura_test" } });
        }
        self.kept_types.remove(&id);
        self.fields.push((Resource::Product, id));
        let altered = self.alters == Some(id);
        let product = self.products.get_mut(&id).unwrap();
        product.modified = Utc::now();
        if altered {
            product.name = "Ring, on sale".to_owned();
        }
        self.answer(Resource::Product, id).unwrap()
    }

    /// Saves accounts with a custom field: an address with an apostrophe counts as a changed one, which is mailed.
    fn batch_of_customers(&mut self, body: &Value) -> Response {
        let mut done = Vec::new();
        for update in body["update"].as_array().unwrap() {
            assert_eq!(update["meta_data"][0]["key"], "Synced with Nexpura");
            let one = &self.customers[&update["id"].as_u64().unwrap()];
            if one.email.contains('\'') {
                self.mailed.push(one.email.clone());
            }
            let id = one.id;
            self.fields.push((Resource::Customer, id));
            done.push(self.answer(Resource::Customer, id).unwrap());
        }
        json_with(200, &json!({ "update": done }))
    }

    fn counting(&self) -> Value {
        let none_left = self.none_left.to_string();
        json!([
            { "id": "woocommerce_manage_stock", "value": "yes" },
            { "id": "woocommerce_notify_no_stock_amount", "value": none_left },
        ])
    }

    /// `set_stock_quantity()` does nothing where the stock is not managed.
    fn set_stock_over_rest(&mut self, product: u64, units: i64) {
        let Some(now) = self.units(product) else { return };
        let _marks = self.add_to_stock(product, units - now);
    }

    fn listing(&mut self, listing: &str, query: &HashMap<String, String>) -> Response {
        let mut query = query.clone();
        if self.deaf {
            query.remove("offset");
        }
        let query = &query;
        let trashed = query.get("status").is_some_and(|status| status == "trash");
        let since = query.get("modified_after").map(|text| moment(text));
        let changed = |at: DateTime<Utc>| since.is_none_or(|since| at > since);
        match listing {
            "orders" => {
                let shown = self
                    .orders
                    .values()
                    .filter(|one| (one.status == "trash") == trashed && changed(one.modified))
                    .filter_map(|one| self.answer(Resource::Order, one.id))
                    .collect();
                page(query, shown)
            }
            "products" => {
                let shown = self
                    .products
                    .values()
                    .filter(|one| one.parent.is_none() && one.trashed == trashed)
                    .filter(|one| changed(one.modified))
                    .filter(|one| {
                        let kept = self.kept_types.get(&one.id).copied().unwrap_or(one.kind);
                        query.get("type").is_none_or(|kind| kind == kept)
                    })
                    .map(|one| one.id)
                    .collect();
                self.products_page(query, shown)
            }
            "customers" => {
                let of_role = |role: &str| query.get("role").is_none_or(|asked| asked == role);
                let all = self.customers.values().filter(|one| of_role(one.role));
                let shown = included(query, all.map(|one| one.id).collect());
                let shown = shown.into_iter().filter_map(|id| self.answer(Resource::Customer, id));
                page(query, shown.collect())
            }
            _ => refusal(404, "rest_no_route"),
        }
    }

    fn products_page(&mut self, query: &HashMap<String, String>, ids: Vec<u64>) -> Response {
        let ids = included(query, ids);
        // Whoever asks for some fields only wants to know something else than the stock.
        if query.contains_key("include") && !query.contains_key("_fields") {
            for id in ids.iter().filter(|id| !self.opened.contains(id)) {
                let edits = self.edits.get(id).copied().unwrap_or(0);
                self.edits_at_reading.insert(*id, edits);
            }
        }
        let shown = ids.into_iter().filter_map(|id| self.answer(Resource::Product, id)).collect();
        page(query, shown)
    }

    fn variations(&mut self, query: &HashMap<String, String>, parent: &str) -> Response {
        let parent: u64 = parent.parse().unwrap_or_default();
        let of_parent: Vec<u64> = self
            .products
            .values()
            .filter(|one| one.parent == Some(parent) && !one.trashed)
            .map(|one| one.id)
            .collect();
        self.products_page(query, of_parent)
    }
}

/// Those that are asked for by their ids, where any are.
fn included(query: &HashMap<String, String>, mut ids: Vec<u64>) -> Vec<u64> {
    if let Some(include) = query.get("include") {
        let wanted: Vec<u64> = include.split(',').filter_map(|id| id.parse().ok()).collect();
        ids.retain(|id| wanted.contains(id));
    }
    ids
}

fn one(shop: &Shop, listing: &str, id: &str) -> Response {
    let (resource, code) = match listing {
        "orders" => (Resource::Order, "woocommerce_rest_shop_order_invalid_id"),
        "products" => (Resource::Product, "woocommerce_rest_product_invalid_id"),
        "customers" => (Resource::Customer, "wc_user_invalid_id"),
        _ => return refusal(404, "rest_no_route"),
    };
    match id.parse().ok().and_then(|id| shop.answer(resource, id)) {
        Some(shown) => json_with(200, &shown),
        None => refusal(404, code),
    }
}

fn refunds(shop: &Shop, query: &HashMap<String, String>, order: &str) -> Response {
    let Some(order) = order.parse().ok().and_then(|id| shop.orders.get(&id)) else {
        return refusal(404, "woocommerce_rest_shop_order_invalid_id");
    };
    page(query, order.refunds.iter().map(|refund| show_refund(order, refund)).collect())
}

fn page(query: &HashMap<String, String>, items: Vec<Value>) -> Response {
    let number = |name: &str, default: usize| {
        query.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (at, each) = (number("page", 1).max(1), number("per_page", 10).clamp(1, 100));
    // WooCommerce takes the page's number only where it is not told where to begin.
    let begin = number("offset", (at - 1) * each);
    // Beyond the end WordPress counts no rows at all.
    let total = if begin < items.len() { items.len() } else { 0 };
    let items: Vec<Value> = items.into_iter().skip(begin).take(each).collect();
    let response = json_with(200, &Value::Array(items));
    let response = with(response, "x-wp-total", &total.to_string());
    with(response, "x-wp-totalpages", &total.div_ceil(each).to_string())
}

fn system_status(home: &str, id: &str) -> Value {
    json!({
        "environment": {
            "home_url": home, "store_id": id,
            "version": "10.0.2", "wp_version": "6.8.2", "php_version": "8.2.35",
        },
        "settings": { "currency": "AUD", "HPOS_enabled": true },
    })
}

fn moment(text: &str) -> DateTime<Utc> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").unwrap().and_utc()
}

pub(super) fn refusal(status: u16, code: &str) -> Response {
    json_with(status, &json!({ "code": code, "message": "No.", "data": { "status": status } }))
}

pub(super) fn json_with(status: u16, body: &Value) -> Response {
    with(plain(status, &body.to_string()), "content-type", "application/json; charset=UTF-8")
}

pub(super) fn plain(status: u16, body: &str) -> Response {
    (StatusCode::from_u16(status).unwrap(), body.to_owned()).into_response()
}

pub(super) fn with(mut response: Response, name: &'static str, value: &str) -> Response {
    let value = HeaderValue::from_str(value).unwrap();
    response.headers_mut().insert(HeaderName::from_static(name), value);
    response
}
