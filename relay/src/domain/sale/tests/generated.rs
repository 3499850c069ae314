//! Orders that no shop ever sent: the law holds for them, and nothing that is damaged breaks it.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use serde_json::json;

use super::{least, money, read};
use crate::domain::{
    sale::*,
    testing::{any_damage, any_json, fixture},
};

/// A decimal text with as many places as some shop sends.
fn amount(most: i64) -> impl Strategy<Value = String> {
    (-most..most, 0u32..=6).prop_map(|(micros, places)| {
        let step = 10i64.pow(6 - places);
        Money::from_micros(micros / step * step).to_string()
    })
}

fn order() -> impl Strategy<Value = Value> {
    let pair = || (amount(90_000_000_000), amount(9_000_000_000));
    let line = (pair(), 0u32..5_000).prop_map(|((total, tax), quantity)| {
        json!({
            "quantity": f64::from(quantity) / 4.0, "total": total, "total_tax": tax,
            "subtotal": total, "subtotal_tax": tax,
        })
    });
    let fee = pair().prop_map(|(total, tax)| json!({"total": total, "total_tax": tax}));
    let extras = (pair(), amount(90_000_000_000), amount(9_000_000_000));
    let currency = prop::sample::select(vec!["JPY", "AUD", "KWD"]);
    (vec(line, 0..12), vec(fee, 0..4), extras, currency, any::<bool>()).prop_map(
        |(mut lines, fees, ((shipping, shipping_tax), total, tax), currency, inclusive)| {
            for (id, line) in (1..).zip(&mut lines) {
                line["id"] = json!(id);
            }
            json!({
                "id": 1, "status": "completed", "currency": currency,
                "prices_include_tax": inclusive, "total": total, "total_tax": tax,
                "shipping_total": shipping, "shipping_tax": shipping_tax,
                "line_items": lines, "fee_lines": fees, "refunds": [],
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_law_holds_for_every_order(order in order()) {
        let sale = read(&order);
        prop_assert_eq!(sale.pieces_sum(), Ok(sale.total));
        prop_assert_eq!(sale.total, money(order["total"].as_str().unwrap()));
        // Counted again, apart from the code under test.
        let micros = |value: &Value| i128::from(money(value.as_str().unwrap()).micros());
        let parts = ["line_items", "fee_lines"].iter().flat_map(|list| order[list].as_array().unwrap());
        let parts: i128 = parts.map(|part| micros(&part["total"]) + micros(&part["total_tax"])).sum();
        let shipping = micros(&order["shipping_total"]) + micros(&order["shipping_tax"]);
        prop_assert_eq!(
            i128::from(sale.rounding.micros()),
            micros(&order["total"]) - parts - shipping
        );
    }

    #[test]
    fn an_order_whose_parts_add_up_has_no_rounding(order in order()) {
        let mut order = order;
        let parts = read(&order);
        let exact = parts.total.checked_sub(parts.rounding).unwrap();
        order["total"] = json!(exact.to_string());
        prop_assert_eq!(read(&order).rounding, Money::ZERO);
    }
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(value in any_json(), refunds in any_json()) {
        let facts = Facts { refunds: Some(refunds), ..Facts::default() };
        let _ = Sale::read(&value, None);
        let _ = Sale::read(&least(), Some(&facts));
    }

    #[test]
    fn however_damaged_an_order_is_refused_or_obeys_the_law(
        damages in vec(any_damage(), 1..4),
        refunds in any_damage(),
    ) {
        let mut payload = fixture("order-tax-exclusive-fee-shipping-coupon.json");
        payload["refunds"] = fixture("order-refund-with-restock.json")["refunds"].clone();
        let mut detail = fixture("refunds-refund-with-restock.json");
        for damage in &damages {
            damage.apply(&mut payload);
        }
        refunds.apply(&mut detail);
        let facts = Facts { refunds: Some(detail), ..Facts::default() };
        match Sale::read(&payload, Some(&facts)) {
            Ok(sale) => {
                prop_assert_eq!(sale.pieces_sum(), Ok(sale.total));
                let ids: BTreeMap<u64, usize> =
                    sale.lines.iter().enumerate().map(|(at, line)| (line.line_id, at)).collect();
                prop_assert_eq!(ids.len(), sale.lines.len());
                // PostgreSQL cannot store it.
                prop_assert!(!serde_json::to_string(&sale).unwrap().contains("\\u0000"));
            }
            // Whatever went wrong, nothing of the customer's is in what is told of it.
            Err(error) => prop_assert!(!error.to_string().contains("Neil")),
        }
    }
}
