//! Money through the whole way: what a real WooCommerce recorded adds up exactly in what the API shows.

use std::path::Path;

use nexpura_protocol::{Event, Facts, Resource, Topic, Verb};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    shop::{Shop, server::Town},
    support::{connected::Connected, on_both, relay::TestRelay},
};

/// The recorded orders, and what the shop itself says that they come to.
const RECORDED: [(&str, &str, &str); 8] = [
    ("order-plain", "AUD", "120.00"),
    ("order-dinar", "KWD", "37.037"),
    ("order-cancelled", "AUD", "30.00"),
    ("order-refund-with-restock", "AUD", "50.00"),
    ("order-refund-without-restock", "AUD", "50.00"),
    ("order-tax-exclusive-fee-shipping-coupon", "AUD", "0"),
    ("order-tax-inclusive-coupon", "AUD", "0"),
    ("order-unmanaged", "AUD", "0"),
];

fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Millionths out of decimal text, and nothing else.
fn micros(value: &Value) -> i128 {
    let text = value.as_str().unwrap_or_else(|| panic!("money is text, not {value}"));
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(part.len() <= 6, "{text}");
    let part = format!("{part:0<6}");
    sign * (whole.parse::<i128>().unwrap() * 1_000_000 + part.parse::<i128>().unwrap())
}

/// What is wrong with a sale as the API shows it, next to the order that it comes from.
fn check(order: &Value, sale: &Value) {
    let money = |name: &str| micros(&sale[name]);
    let lines: i128 = sale["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| micros(&line["total"]) + micros(&line["tax"]))
        .sum();
    let extras = ["shipping", "shipping_tax", "fees", "fees_tax", "rounding"];
    let parts = lines + extras.iter().map(|name| money(name)).sum::<i128>();
    assert_eq!(parts, money("total"), "lines, tax and extras are not the total: {sale}");
    assert_eq!(money("total"), micros(&order["total"]), "{sale}");
    assert_eq!(money("tax"), micros(&order["total_tax"]));
    assert_eq!(money("discount"), micros(&order["discount_total"]));
    assert_eq!(money("shipping"), micros(&order["shipping_total"]));
    assert_eq!(sale["currency"], order["currency"]);
    assert_eq!(sale["number"], order["number"]);
    assert_eq!(sale["status"], order["status"]);
    assert_eq!(sale["prices_include_tax"], order["prices_include_tax"]);
    let cent = 10_000;
    assert!(money("rounding").abs() < 2 * cent, "what remains is a rounding: {sale}");
    let told = order["line_items"].as_array().unwrap();
    assert_eq!(sale["lines"].as_array().unwrap().len(), told.len());
    for (line, told) in sale["lines"].as_array().unwrap().iter().zip(told) {
        assert_eq!(micros(&line["total"]), micros(&told["total"]), "{line}");
        assert_eq!(micros(&line["tax"]), micros(&told["total_tax"]), "{line}");
        assert_eq!(micros(&line["subtotal"]), micros(&told["subtotal"]), "{line}");
        assert_eq!(line["quantity"], told["quantity"].to_string());
    }
    let refunded: i128 =
        order["refunds"].as_array().unwrap().iter().map(|refund| -micros(&refund["total"])).sum();
    assert_eq!(money("refunded"), refunded);
    let refunds: i128 =
        sale["refunds"].as_array().unwrap().iter().map(|refund| micros(&refund["amount"])).sum();
    assert_eq!(refunds, refunded);
}

async fn shown(relay: &TestRelay, shop: &Connected, order: u64) -> Value {
    let served = relay.serve().await;
    let list = format!("/api/sales?external_id={order}");
    let list = served.api.get(&list, &shop.token).await.ok();
    let id = list["items"][0]["id"].as_str().expect("a sale").to_owned();
    served.api.get(&format!("/api/sales/{id}"), &shop.token).await.ok()
}

on_both! {
    async fn recorded_orders_add_up_as_events_and_as_answers(relay: TestRelay) {
        let town = Town::open().await;
        let pushed = Connected::new(&relay.relay, &town, Shop::new()).await;
        let fetched = Connected::new(&relay.relay, &town, Shop::new()).await;
        for (seq, (name, ..)) in (1..).zip(RECORDED) {
            let order = fixture(name);
            let id = order["id"].as_u64().unwrap();
            let refunds = name.strip_prefix("order-").filter(|name| name.starts_with("refund"));
            let facts = Facts {
                rev: Some(1),
                refunds: Some(refunds.map_or(json!([]), |name| fixture(&format!("refunds-{name}")))),
                ..Facts::default()
            };
            let mut event = Event {
                id: Uuid::new_v4().to_string(),
                seq,
                topic: Topic::new(Resource::Order, Verb::Created),
                resource_id: id,
                occurred_at: chrono::Utc::now(),
                payload: Some(order.clone()),
                facts: Some(facts.clone()),
            };
            let verdicts = pushed.push_events(vec![event.clone()]).await;
            assert_eq!(verdicts, [nexpura_protocol::Verdict::Applied], "{name}");
            (event.payload, event.facts) = (None, None);
            let mut answer = order.clone();
            answer["nexpura"] = json!(facts);
            fetched.fake.answer_with(&format!("wc/v3/orders/{id}"), Some((200, answer)));
            fetched.push_events(vec![event]).await;
            fetched.fetch().await;

            let mut sales = [shown(&relay, &pushed, id).await, shown(&relay, &fetched, id).await];
            for sale in &mut sales {
                check(&order, sale);
                for own in ["id", "store", "customer_id"] {
                    sale[own] = json!(null);
                }
            }
            assert_eq!(sales[0], sales[1], "{name} is the same whichever way it came");
        }
    }
}

on_both! {
    async fn amounts_of_every_size_come_out_as_they_went_in(relay: TestRelay) {
        let shop = Connected::new(&relay.relay, &Town::open().await, Shop::new()).await;
        let template = fixture("order-plain");
        let amounts = [
            ("JPY", "1500", "1500"),
            ("KWD", "0.001", "0.001"),
            ("AUD", "0.1", "0.2"),
            ("AUD", "212.119091", "212.12"),
            ("AUD", "-5.00", "-5.00"),
            ("VND", "4611686018427", "4611686018427"),
            ("AUD", "4611686018427.387903", "4611686018427.387903"),
            ("AUD", "0.000001", "0.00"),
        ];
        for (seq, (currency, line, total)) in (1..).zip(amounts) {
            let mut order = template.clone();
            order["id"] = json!(1_000 + seq);
            order["order_key"] = json!(format!("wc_order_{seq}"));
            order["currency"] = json!(currency);
            order["total"] = json!(total);
            let lines = order["line_items"].as_array_mut().unwrap();
            lines.truncate(1);
            (lines[0]["total"], lines[0]["subtotal"]) = (json!(line), json!(line));
            let event = Event {
                id: Uuid::new_v4().to_string(),
                seq,
                topic: Topic::new(Resource::Order, Verb::Created),
                resource_id: 1_000 + seq,
                occurred_at: chrono::Utc::now(),
                payload: Some(order.clone()),
                facts: Some(Facts { rev: Some(1), ..Facts::default() }),
            };
            shop.push_events(vec![event]).await;
            let sale = shown(&relay, &shop, 1_000 + seq).await;
            assert_eq!(micros(&sale["total"]), micros(&json!(total)), "{sale}");
            assert_eq!(micros(&sale["lines"][0]["total"]), micros(&json!(line)), "{sale}");
            let rounding = micros(&json!(total)) - micros(&json!(line));
            assert_eq!(micros(&sale["rounding"]), rounding, "{sale}");
        }
    }
}
