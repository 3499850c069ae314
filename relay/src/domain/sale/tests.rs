//! Recorded orders, what plugins make of them, broken orders.

mod generated;

use serde_json::json;

use super::*;
use crate::domain::testing::fixture;

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn units(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn read(payload: &Value) -> Sale {
    Sale::read(payload, None).unwrap()
}

/// Everything an order must have, and nothing else.
fn least() -> Value {
    json!({
        "id": 1, "status": "processing", "currency": "AUD",
        "total": "10.00", "total_tax": "0.00", "shipping_total": "0.00", "shipping_tax": "0.00",
        "line_items": [{
            "id": 5, "quantity": 2,
            "subtotal": "10.00", "subtotal_tax": "0.00", "total": "10.00", "total_tax": "0.00",
        }],
        "fee_lines": [], "refunds": [],
    })
}

fn with(path: &str, value: Value) -> Value {
    let mut order = least();
    let (outer, key) = path.rsplit_once('/').unwrap();
    let outer = order.pointer_mut(outer).unwrap();
    match key.parse::<usize>() {
        Ok(index) => outer[index] = value,
        Err(_) => outer[key] = value,
    }
    order
}

#[test]
fn the_law_holds_for_every_recorded_order() {
    let mut seen = 0;
    for name in [
        "order-cancelled",
        "order-dinar",
        "order-plain",
        "order-refund-with-restock",
        "order-refund-without-restock",
        "order-tax-exclusive-fee-shipping-coupon",
        "order-tax-inclusive-coupon",
        "order-unmanaged",
    ] {
        let payload = fixture(&format!("{name}.json"));
        let sale = read(&payload);
        assert_eq!(sale.total, money(payload["total"].as_str().unwrap()), "{name}");
        assert_eq!(sale.pieces_sum(), Ok(sale.total), "{name}");
        assert_eq!(sale.rounding, Money::ZERO, "{name}");
        assert_eq!(Some(sale.order_id), payload["id"].as_u64(), "{name}");
        assert_eq!(sale.lines.len(), payload["line_items"].as_array().unwrap().len(), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 8);
}

#[test]
fn tax_shipping_fee_and_coupon_have_each_their_field() {
    let sale = read(&fixture("order-tax-exclusive-fee-shipping-coupon.json"));
    assert_eq!(sale.currency.as_str(), "EUR");
    assert!(!sale.prices_include_tax);
    assert_eq!((sale.shipping, sale.shipping_tax), (money("7.77"), money("0.78")));
    assert_eq!((sale.fees, sale.fees_tax), (money("4.55"), money("0.46")));
    assert_eq!((sale.discount, sale.discount_tax), (money("16.50"), money("1.65")));
    assert_eq!((sale.tax, sale.total), (money("10.59"), money("116.41")));
    assert_eq!(sale.coupons, ["chopsjv"]);
    let line = &sale.lines[0];
    assert_eq!((line.line_id, line.product_id, line.variation_id), (53, 49, 0));
    assert_eq!(line.sku.as_deref(), Some("1/3"));
    assert_eq!((line.subtotal, line.subtotal_tax), (money("100"), money("10")));
    assert_eq!((line.total, line.total_tax), (money("85"), money("8.5")));
    assert_eq!((line.quantity, line.reduced), (units("3"), Some(units("3"))));
}

#[test]
fn prices_that_include_tax_add_up_the_same_way() {
    let sale = read(&fixture("order-tax-inclusive-coupon.json"));
    assert!(sale.prices_include_tax);
    assert_eq!((sale.total, sale.tax), (money("176.43"), money("16.04")));
    assert_eq!(sale.pieces_sum(), Ok(money("176.43")));
    // The same order with six decimals, as a shop with that setting sends it.
    let mut exact = fixture("order-tax-inclusive-coupon.json");
    exact["line_items"][0]["total"] = json!("142.119091");
    exact["line_items"][0]["total_tax"] = json!("14.211909");
    let exact = read(&exact);
    assert_eq!(exact.rounding, money("-0.001"));
    assert_eq!(exact.pieces_sum(), Ok(money("176.43")));
}

#[test]
fn who_when_and_how_are_read() {
    let sale = read(&fixture("order-refund-with-restock.json"));
    assert_eq!((sale.order_id, sale.number.as_str()), (87, "87"));
    assert_eq!(sale.order_key.as_deref(), Some("wc_order_lxBIZdfA6bWyF"));
    assert_eq!(sale.email.unwrap().as_str(), "ana@example.test");
    assert_eq!(sale.customer_name, "Ana O'Neil <b>");
    assert_eq!((sale.billing.city.as_str(), sale.customer_id), ("Sydney", 0));
    assert!(sale.shipping_address.is_empty());
    let told = "2026-11-20T22:52:37Z".parse().ok();
    assert_eq!((sale.created_at, sale.paid_at, sale.completed_at), (told, told, None));
    assert_eq!(sale.stock_flag, None);
    assert_eq!(read(&fixture("order-dinar.json")).total.display(sale.currency), "37.04");
}

#[test]
fn a_webhooks_body_is_an_order_like_any_other() {
    let body = fixture("webhook-order-created.json");
    let payload: Value = serde_json::from_str(body["body_raw"].as_str().unwrap()).unwrap();
    let sale = read(&payload);
    assert_eq!((sale.order_id, sale.total), (31, money("101")));
    assert_eq!((sale.payment_method.as_str(), sale.payment_title.as_str()), ("cod", "COD"));
    assert_eq!(sale.lines[0].reduced, Some(units("1")));
    // A deletion's says nothing but the id: no sale can be read from it.
    let body = fixture("webhook-order-deleted.json");
    let payload: Value = serde_json::from_str(body["body_raw"].as_str().unwrap()).unwrap();
    assert!(Sale::read(&payload, None).is_err());
    assert!(Sale::read(&fixture("order-missing.json"), None).is_err());
}

#[test]
fn facts_tell_what_the_representation_does_not() {
    let facts: Facts = serde_json::from_value(json!({
        "order_key": "wc_order_other", "stock_reduced": true,
        "lines": [
            {"line_id": 44, "stock_id": 40, "managed": true, "backorders": "notify"},
            {"line_id": 45, "stock_id": null, "managed": false, "backorders": ""},
        ],
    }))
    .unwrap();
    let sale = Sale::read(&fixture("order-plain.json"), Some(&facts)).unwrap();
    assert_eq!(sale.order_key.as_deref(), Some("wc_order_other"));
    assert_eq!(sale.stock_flag, Some(true));
    let told = |line: &SaleLine| (line.stock_id, line.managed, line.backorders);
    assert_eq!(told(&sale.lines[0]), (Some(40), Some(true), Some(true)));
    assert_eq!(told(&sale.lines[1]), (None, Some(false), Some(false)));
    let sale = read(&fixture("order-plain.json"));
    assert_eq!(sale.order_key.as_deref(), Some("wc_order_8NqbSh0QIb7Ub"));
    assert!(sale.lines.iter().all(|line| told(line) == (None, None, None)));
}

#[test]
fn facts_beyond_a_databases_column_are_not_taken() {
    let facts: Facts = serde_json::from_value(json!({
        "lines": [{"line_id": 44, "stock_id": u64::MAX, "managed": true, "backorders": "no"}],
    }))
    .unwrap();
    let sale = Sale::read(&fixture("order-plain.json"), Some(&facts)).unwrap();
    assert_eq!((sale.lines[0].stock_id, sale.lines[0].managed), (None, Some(true)));
}

#[test]
fn what_plugins_make_of_an_order_is_read() {
    let sale = read(&json!({
        "id": "12", "status": "wc-being-engraved", "currency": "usd", "number": 1007,
        "total": 10, "total_tax": 0.5, "shipping_total": "", "shipping_tax": null,
        "customer_id": "", "billing": [], "shipping": null, "transaction_id": 123456,
        "line_items": {"3": {
            "id": "5", "quantity": "1.5", "name": "Salt &amp; Pepper &#8211; ring", "sku": null,
            "product_id": null, "variation_id": "", "parent_name": {"x": 1},
            "subtotal": 9, "subtotal_tax": "", "total": 9.5, "total_tax": false,
            "meta_data": {"0": {"key": "_reduced_stock", "value": 1.5}},
        }},
        "fee_lines": [], "coupon_lines": [], "refunds": [], "a_plugins_own": {"deep": [[]]},
    }));
    assert_eq!(sale.status.as_str(), "being-engraved");
    assert_eq!((sale.number.as_str(), sale.transaction_id.as_str()), ("1007", "123456"));
    assert_eq!((sale.total, sale.rounding), (money("10"), money("0.5")));
    assert_eq!(sale.lines[0].name, "Salt & Pepper – ring");
    assert_eq!(sale.lines[0].reduced, Some(units("1.5")));
    assert_eq!((sale.lines[0].sku.as_deref(), sale.email), (None, None));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let long: Vec<Value> =
        (1..=1_001).map(|id| json!({"id": id, "total": "", "total_tax": ""})).collect();
    let twice = least()["line_items"][0].clone();
    for (order, told) in [
        (json!(3), "order: expected an object, found a number"),
        (with("/id", json!(-1)), "order.id: expected an id above zero, found a number"),
        (with("/status", json!("")), "order.status: expected an order status, found a text"),
        (
            with("/currency", json!("dollars")),
            "order.currency: expected a currency code of three letters, found a text",
        ),
        (with("/total", json!("1,000")), "order.total: expected a decimal amount, found a text"),
        (with("/total", json!(1e300)), "order.total: expected a decimal amount, found a number"),
        (with("/line_items", Value::Null), "order.line_items: expected a list, found null"),
        (
            with("/line_items/0", json!(3)),
            "order.line_items[0]: expected an object, found a number",
        ),
        (
            with("/line_items/0/quantity", json!(-1)),
            "order.line_items[0].quantity: expected a number of units from 0 to 1,000,000, with \
             at most three decimal places, found a number",
        ),
        (
            with("/line_items/0/quantity", json!(1_000_001)),
            "order.line_items[0].quantity: expected a number of units from 0 to 1,000,000, with \
             at most three decimal places, found a number",
        ),
        (
            with("/line_items/0/meta_data", json!([{"key": "_reduced_stock", "value": "many"}])),
            "order.line_items[0].meta_data._reduced_stock: expected a number of units, at most \
             1,000,000 either way, found a text",
        ),
        (
            with(
                "/line_items/0/meta_data",
                json!([{"key": "_reduced_stock", "value": -1_000_001}]),
            ),
            "order.line_items[0].meta_data._reduced_stock: expected a number of units, at most \
             1,000,000 either way, found a number",
        ),
        (with("/fee_lines", json!(long)), "order.fee_lines: more than 1000 entries"),
        (
            with("/line_items", json!([twice.clone(), twice])),
            "order.line_items[1].id: the same id a second time",
        ),
        (
            with("/refunds", json!([{"id": 2, "total": "20,00"}])),
            "order.refunds[0].total: expected a decimal amount, found a text",
        ),
        (with("/line_items/0/total", json!("9223372036854")), ""),
        (
            with("/line_items/0/total", json!("-9223372036854")),
            "order.total: the sum is out of range",
        ),
    ] {
        let read = Sale::read(&order, None);
        if told.is_empty() {
            // Large is not wrong: the law still holds.
            assert_eq!(read.unwrap().pieces_sum(), Ok(money("10")));
        } else {
            assert_eq!(read.unwrap_err().to_string(), told);
        }
    }
}

#[test]
fn without_its_lines_an_order_is_never_taken_for_one_whose_lines_are_gone() {
    for key in [
        "id",
        "status",
        "currency",
        "total",
        "total_tax",
        "shipping_total",
        "shipping_tax",
        "line_items",
        "fee_lines",
        "refunds",
    ] {
        let mut order = least();
        order.as_object_mut().unwrap().remove(key);
        let missing = Sale::read(&order, None).unwrap_err().to_string();
        assert!(missing.starts_with(&format!("order.{key} is missing: expected ")), "{missing}");
    }
    assert!(Sale::read(&least(), None).is_ok());
}

#[test]
fn long_texts_are_cut_and_never_refused() {
    let long = "é".repeat(20_000);
    let mut order = with("/line_items/0/name", json!(long));
    for key in ["customer_note", "payment_method_title", "transaction_id", "order_key", "number"] {
        order[key] = json!(long);
    }
    order["billing"] = json!({"first_name": long, "email": long});
    let sale = read(&order);
    assert_eq!(sale.lines[0].name.chars().count(), limits::MAX_NAME);
    assert_eq!(sale.customer_note.chars().count(), limits::MAX_NOTE);
    assert_eq!(sale.transaction_id.chars().count(), limits::MAX_CODE);
    assert_eq!((sale.email, sale.billing.first_name.chars().count()), (None, limits::MAX_NAME));
}

#[test]
fn too_deep_is_refused_wherever_it_is() {
    let mut deep = json!(1);
    for _ in 0..limits::MAX_DEPTH {
        deep = json!([deep]);
    }
    let told = MappingError::TooDeep { max: limits::MAX_DEPTH };
    assert_eq!(Sale::read(&with("/x", deep.clone()), None), Err(told.clone()));
    let facts = Facts { refunds: Some(deep), ..Facts::default() };
    assert_eq!(Sale::read(&least(), Some(&facts)), Err(told));
}
