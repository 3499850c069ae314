//! The shop in WooCommerce's REST v3 representation, and the plugin's facts beside it.

use chrono::{DateTime, Utc};
use nexpura_protocol::{Facts, LineFacts, Resource, StockFacts};
use serde_json::{Value, json};

use super::{Customer, Line, Order, Product, Refund, Shop, Stock};

impl Shop {
    /// The representation, or nothing where there is no such thing.
    pub(crate) fn show(&self, resource: Resource, id: u64) -> Option<Value> {
        match resource {
            Resource::Order => self.orders.get(&id).map(|order| self.show_order(order)),
            Resource::Product => self.products.get(&id).map(|product| self.show_product(product)),
            Resource::Customer => self.customers.get(&id).map(|one| self.show_customer(one)),
            Resource::Lineage => None,
        }
    }

    /// The facts, as the plugin reads them in the same moment.
    pub(crate) fn facts(&self, resource: Resource, id: u64) -> Facts {
        let mut facts =
            Facts { rev: self.revisions.get(&(resource, id)).copied(), ..Facts::default() };
        match resource {
            Resource::Order => {
                if let Some(order) = self.orders.get(&id) {
                    facts.order_key = Some(order.key.clone());
                    facts.stock_reduced = Some(order.flag);
                    facts.lines = order.lines.iter().map(|line| self.line_facts(line)).collect();
                    facts.refunds = Some(
                        order.refunds.iter().map(|refund| show_refund(order, refund)).collect(),
                    );
                }
            }
            Resource::Product => {
                facts.parent_id = self.products.get(&id).and_then(|product| product.parent);
                facts.stock = self.stock_facts(id);
            }
            Resource::Customer | Resource::Lineage => {}
        }
        facts
    }

    /// An answer to a REST read with `nexpura=1`.
    pub(crate) fn answer(&self, resource: Resource, id: u64) -> Option<Value> {
        let mut shown = self.show(resource, id)?;
        if resource == Resource::Order && self.damaged.contains(&id) {
            shown["currency"] = json!(7);
        }
        if !self.bare {
            shown["nexpura"] = json!(self.facts(resource, id));
        }
        Some(shown)
    }

    fn stock_facts(&self, product: u64) -> Option<StockFacts> {
        let stock_id = self.owner(product)?;
        let owner = self.products.get(&stock_id)?;
        Some(StockFacts {
            stock_id,
            managed: matches!(owner.stock, Stock::Own(_)),
            backorders: owner.backorders.to_owned(),
        })
    }

    fn line_facts(&self, line: &Line) -> LineFacts {
        let stock = self.stock_facts(line.product);
        LineFacts {
            line_id: line.id,
            stock_id: stock.as_ref().map(|stock| stock.stock_id),
            managed: stock.as_ref().is_some_and(|stock| stock.managed),
            backorders: stock.map_or_else(|| "no".to_owned(), |stock| stock.backorders),
        }
    }

    fn show_order(&self, order: &Order) -> Value {
        let refunds: Vec<Value> = order
            .refunds
            .iter()
            .map(|refund| {
                let total = format!("-{}", cents(refund.amount));
                json!({ "id": refund.id, "reason": "", "total": total })
            })
            .collect();
        json!({
            "id": order.id,
            "parent_id": 0,
            "status": order.status,
            "currency": "AUD",
            "version": "10.0.2",
            "prices_include_tax": false,
            "date_created_gmt": gmt(order.modified),
            "date_modified_gmt": gmt(order.modified),
            "date_paid_gmt": order.paid.map(gmt),
            "date_completed_gmt": null,
            "discount_total": "0.00", "discount_tax": "0.00",
            "shipping_total": "0.00", "shipping_tax": "0.00", "cart_tax": "0.00",
            "total": cents(order.total() / 10_000), "total_tax": "0.00",
            "customer_id": order.customer,
            "order_key": order.key,
            "billing": address("Ana", &order.email),
            "shipping": address("", ""),
            "payment_method": "cod", "payment_method_title": "Cash on delivery",
            "transaction_id": "", "customer_note": "",
            "number": order.id.to_string(),
            "meta_data": [],
            "line_items": order.lines.iter().map(|line| self.show_line(line)).collect::<Vec<_>>(),
            "tax_lines": [], "shipping_lines": [], "fee_lines": [], "coupon_lines": [],
            "refunds": refunds,
            "currency_symbol": "$",
        })
    }

    fn show_line(&self, line: &Line) -> Value {
        let product = self.products.get(&line.product);
        let (product_id, variation_id) = match product.and_then(|product| product.parent) {
            Some(parent) => (parent, line.product),
            None => (if product.is_some() { line.product } else { 0 }, 0),
        };
        let mut meta = Vec::new();
        for (key, value) in [
            ("_reduced_stock", line.reduced),
            ("_restock_refunded_items", (line.restocked != 0).then_some(line.restocked)),
        ] {
            if let Some(value) = value {
                let value = value.to_string();
                meta.push(json!({
                    "id": line.id * 10, "key": key, "value": value,
                    "display_key": key, "display_value": value,
                }));
            }
        }
        json!({
            "id": line.id,
            "name": format!("Ring {}", line.product),
            "product_id": product_id,
            "variation_id": variation_id,
            "quantity": line.quantity,
            "tax_class": "",
            "subtotal": micros(line.total()), "subtotal_tax": "0.00",
            "total": micros(line.total()), "total_tax": "0.00",
            "taxes": [],
            "meta_data": meta,
            "sku": product.and_then(|product| product.sku.clone()),
            "price": 33.333333,
            "parent_name": null,
        })
    }

    fn show_product(&self, product: &Product) -> Value {
        let status = match product.stock {
            Stock::Own(units) if units <= 0 && product.backorders == "no" => "outofstock",
            Stock::Own(units) if units <= 0 => "onbackorder",
            _ => "instock",
        };
        let (managed, shown) = match product.stock {
            Stock::Own(units) => (json!(true), json!(units)),
            Stock::Parent => (json!("parent"), json!(product.parent.and_then(|id| self.units(id)))),
            Stock::Unmanaged => (json!(false), Value::Null),
        };
        let is_many = matches!(product.kind, "variable" | "grouped");
        let members: &[u64] = if product.kind == "grouped" { &[7] } else { &[] };
        json!({
            "id": product.id,
            "name": product.name,
            "grouped_products": members,
            "permalink": format!("https://shop.example/product/{}/", product.id),
            "date_modified_gmt": gmt(product.modified),
            "type": product.kind,
            "status": if product.trashed { "trash" } else { "publish" },
            "sku": product.sku.clone().unwrap_or_default(),
            "price": "33.33", "regular_price": if is_many { "" } else { "33.33" }, "sale_price": "",
            "tax_class": "",
            "manage_stock": managed,
            "stock_quantity": shown,
            "stock_status": status,
            "backorders": product.backorders,
            "backorders_allowed": product.backorders != "no",
            "parent_id": product.parent.unwrap_or(0),
            "categories": [{ "id": 15, "name": "Rings", "slug": "rings" }],
            "images": [],
            "attributes": [],
            "variations": self.variations_of(product),
            "meta_data": self.show_fields(Resource::Product, product.id),
        })
    }

    fn show_customer(&self, customer: &Customer) -> Value {
        json!({
            "id": customer.id,
            "email": customer.email,
            "username": format!("user{}", customer.id),
            "first_name": customer.first_name,
            "last_name": "Li",
            "role": customer.role,
            "billing": address("", ""),
            "shipping": address("", ""),
            "is_paying_customer": false,
            "meta_data": self.show_fields(Resource::Customer, customer.id),
        })
    }

    /// The fields of a thing, each with an id of its own.
    fn show_fields(&self, resource: Resource, id: u64) -> Vec<Value> {
        let ours = self.fields.iter().enumerate().filter(|(_, one)| **one == (resource, id));
        ours.map(|(at, _)| json!({ "id": at, "key": "Synced with Nexpura", "value": "today" }))
            .collect()
    }

    /// `get_children()` of whatever is of the kind "variable", as plugins' kinds may be too.
    fn variations_of(&self, product: &Product) -> Vec<u64> {
        let is_one = product.kind.starts_with("variable");
        let children = self.products.values().filter(|one| one.parent == Some(product.id));
        children.filter(|one| is_one && !one.trashed).map(|one| one.id).collect()
    }
}

/// A refund as `/orders/{id}/refunds` gives it.
pub(crate) fn show_refund(order: &Order, refund: &Refund) -> Value {
    let lines: Vec<Value> = refund
        .line
        .iter()
        .map(|(line, units)| {
            json!({
                "id": refund.id * 10,
                "quantity": -units,
                "total": format!("-{}", cents(refund.amount)), "total_tax": "0.00",
                "meta_data": [{ "id": 1, "key": "_refunded_item_id", "value": line.to_string() }],
            })
        })
        .collect();
    json!({
        "id": refund.id,
        "date_created_gmt": gmt(order.modified),
        "amount": cents(refund.amount),
        "reason": "",
        "line_items": lines,
    })
}

fn address(first_name: &str, email: &str) -> Value {
    json!({
        "first_name": first_name, "last_name": "", "company": "", "address_1": "1 St",
        "address_2": "", "city": "Sydney", "state": "NSW", "postcode": "2000", "country": "AU",
        "email": email, "phone": "",
    })
}

/// As WooCommerce writes moments: to the second, without a zone.
fn gmt(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S").to_string()
}

fn cents(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn micros(micros: i64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
