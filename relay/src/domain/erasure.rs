//! What of a representation is about a person, and what is left of it without them.

use serde_json::{Map, Value};

/// Fields of an order that tell of a person.
const OF_ORDER: [&str; 4] =
    ["customer_ip_address", "customer_user_agent", "customer_note", "transaction_id"];
/// Fields of a customer that do.
const OF_CUSTOMER: [&str; 5] = ["email", "first_name", "last_name", "username", "avatar_url"];
/// Parts of either whose every field does.
const ADDRESSES: [&str; 2] = ["billing", "shipping"];

/// Takes the person out of an order's or customer's representation; lines, money and dates stay as they are.
///
/// The shape stays too: what was a text is an empty one. Meta data goes, since any plugin may have put
/// anything there; a line's stays, which holds what has left the stock.
pub fn erase(payload: &mut Value) {
    let Some(fields) = payload.as_object_mut() else {
        *payload = Value::Null;
        return;
    };
    for name in OF_ORDER.iter().chain(&OF_CUSTOMER) {
        empty(fields, name);
    }
    for address in ADDRESSES {
        if let Some(Value::Object(parts)) = fields.get_mut(address) {
            let names: Vec<String> = parts.keys().cloned().collect();
            names.iter().for_each(|name| empty(parts, name));
        } else {
            fields.remove(address);
        }
    }
    if fields.contains_key("customer_id") {
        fields.insert("customer_id".to_owned(), 0.into());
    }
    if fields.contains_key("meta_data") {
        fields.insert("meta_data".to_owned(), Value::Array(Vec::new()));
    }
}

/// The same of a representation as text; nothing where it cannot be read.
#[must_use]
pub fn erased(payload: &str) -> Option<String> {
    let mut payload: Value = serde_json::from_str(payload).ok()?;
    erase(&mut payload);
    (!payload.is_null()).then(|| payload.to_string())
}

fn empty(fields: &mut Map<String, Value>, name: &str) {
    if let Some(field) = fields.get_mut(name) {
        *field = Value::String(String::new());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_person_goes_and_the_figures_stay() {
        let mut order = json!({
            "id": 7, "total": "12.00", "customer_id": 3, "customer_note": "for Ana",
            "transaction_id": "ch_1", "customer_ip_address": "192.0.2.1",
            "billing": { "first_name": "Ana", "email": "ana@example.test" },
            "shipping": "Ana's",
            "meta_data": [{ "key": "_billing_vat", "value": "GB1" }],
            "line_items": [{ "id": 1, "meta_data": [{ "key": "_reduced_stock", "value": "1" }] }],
        });
        erase(&mut order);
        assert_eq!(
            order,
            json!({
                "id": 7, "total": "12.00", "customer_id": 0, "customer_note": "",
                "transaction_id": "", "customer_ip_address": "",
                "billing": { "first_name": "", "email": "" },
                "meta_data": [],
                "line_items": [{ "id": 1, "meta_data": [{ "key": "_reduced_stock", "value": "1" }] }],
            })
        );
        let customer =
            r#"{"id":3,"email":"ana@example.test","username":"ana","is_paying_customer":true}"#;
        assert_eq!(
            erased(customer).as_deref(),
            Some(r#"{"email":"","id":3,"is_paying_customer":true,"username":""}"#)
        );
        assert_eq!((erased("[\"ana@"), erased("\"ana@example.test\"")), (None, None));
    }
}
