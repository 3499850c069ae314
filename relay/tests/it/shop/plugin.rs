//! The plugin's own routes: stock, each change once, by its number; marks of what was brought over.
//!
//! Source: `wp-plugin/includes/stock.php`, `wp-plugin/includes/synced.php`.

use std::collections::BTreeMap;

use nexpura_protocol::Resource;
use serde_json::{Value, json};

use super::Shop;

/// The last push of each stock, and what its numbers count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pushes {
    /// The name that the relay gave to the count; empty before the first.
    pub(crate) count: String,
    pub(crate) last: BTreeMap<u64, (u64, String)>,
}

impl Pushes {
    /// What the plugin does with the count that a registration was answered with.
    pub(crate) fn begin(&mut self, count: &str) {
        if self.count != count {
            count.clone_into(&mut self.count);
            self.last.clear();
        }
    }
}

impl Shop {
    /// What `POST wc-nexpura/v1/stock` answers.
    pub(super) fn answer_stock(&mut self, body: &Value) -> Value {
        let pushes = body["pushes"].as_array().cloned().unwrap_or_default();
        let results: Vec<Value> = pushes.iter().map(|push| self.push_one(push)).collect();
        json!({ "results": results })
    }

    /// What `POST wc-nexpura/v1/synced` answers.
    pub(super) fn answer_synced(&mut self, body: &Value) -> Value {
        let before = self.synced.len();
        let kinds = [
            ("order", Resource::Order),
            ("product", Resource::Product),
            ("customer", Resource::Customer),
        ];
        let mut named = 0;
        for (name, resource) in kinds {
            for id in body[name].as_array().unwrap() {
                self.synced.insert((resource, id.as_u64().unwrap()));
                named += 1;
            }
        }
        assert!((1..=200).contains(&named), "as many as the plugin takes: {named}");
        json!({ "marked": self.synced.len() - before })
    }

    fn push_one(&mut self, push: &Value) -> Value {
        let id = push["push_id"].as_str().unwrap().to_owned();
        let (number, stock) =
            (push["push_no"].as_u64().unwrap(), push["stock_id"].as_u64().unwrap());
        let delta: f64 = push["delta"].as_str().unwrap().parse().unwrap();
        let (last, last_id) = self.pushes.last.get(&stock).cloned().unwrap_or_default();
        #[allow(clippy::cast_possible_truncation)]
        let status = match self.products.contains_key(&stock) {
            false => "missing",
            true if !self.managed(stock) => "unmanaged",
            true if delta.fract() != 0.0 => "failed",
            true if number == last + 1 => {
                let _mark = self.add_to_stock(stock, delta as i64);
                self.pushes.last.insert(stock, (number, id.clone()));
                "applied"
            }
            true if number == last && id == last_id => "duplicate",
            true => "out_of_order",
        };
        json!({ "push_id": id, "status": status, "stock": null })
    }
}
