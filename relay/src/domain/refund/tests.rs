//! Recorded refunds, in detail and in short.

use nexpura_protocol::Facts;
use serde_json::json;

use super::*;
use crate::domain::{Sale, testing::fixture};

fn units(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn read(name: &str, detail: Option<Value>) -> Sale {
    let facts = detail.map(|detail| Facts { refunds: Some(detail), ..Facts::default() });
    Sale::read(&fixture(&format!("order-{name}.json")), facts.as_ref()).unwrap()
}

#[test]
fn recorded_refunds_say_what_came_back() {
    for (name, reduced, restocked) in
        [("refund-with-restock", "3", "2"), ("refund-without-restock", "5", "0")]
    {
        let detail = fixture(&format!("refunds-{name}.json"));
        let sale = read(name, Some(detail));
        assert_eq!(sale.refunded.to_string(), "20.00");
        assert_eq!(sale.lines[0].reduced, Some(units(reduced)), "{name}");
        let [refund] = &sale.refunds[..] else { panic!("one refund of {name}") };
        assert_eq!(refund.amount.to_string(), "20.00");
        assert_eq!(refund.created_at, "2026-11-20T22:52:37Z".parse().ok());
        let [line] = &refund.lines[..] else { panic!("one line of {name}") };
        assert_eq!(line.line_id, Some(sale.lines[0].line_id));
        assert_eq!((line.quantity, line.restocked), (units("2"), Some(units(restocked))), "{name}");
        assert_eq!((line.total.to_string(), line.total_tax), ("20.00".to_owned(), Money::ZERO));
    }
}

#[test]
fn the_short_list_tells_what_was_paid_back() {
    let sale = read("refund-with-restock", None);
    let [refund] = &sale.refunds[..] else { panic!("one refund") };
    assert_eq!((refund.id, refund.amount.to_string()), (88, "20.00".to_owned()));
    assert_eq!((refund.created_at, refund.lines.len()), (None, 0));
    assert_eq!(sale.refunded, refund.amount);
}

#[test]
fn what_the_detail_leaves_out_the_short_list_tells() {
    let sale = read("refund-with-restock", Some(json!([])));
    assert_eq!((sale.refunds.len(), sale.refunded.to_string()), (1, "20.00".to_owned()));
    let mut order = fixture("order-refund-with-restock.json");
    order["refunds"] = json!([{"id": 88, "total": "-20.00"}, {"id": 92, "total": "-"}]);
    let facts =
        Facts { refunds: Some(fixture("refunds-refund-with-restock.json")), ..Facts::default() };
    let sale = Sale::read(&order, Some(&facts)).unwrap();
    let ids: Vec<u64> = sale.refunds.iter().map(|refund| refund.id).collect();
    assert_eq!((ids, sale.refunded.to_string()), (vec![88, 92], "20.00".to_owned()));
}

#[test]
fn a_refund_told_twice_is_refused() {
    let detail = fixture("refunds-refund-with-restock.json");
    let twice = json!([detail[0], detail[0]]);
    let facts = Facts { refunds: Some(twice), ..Facts::default() };
    let error = Sale::read(&fixture("order-refund-with-restock.json"), Some(&facts)).unwrap_err();
    assert_eq!(error.to_string(), "facts.refunds[1].id: the same id a second time");
}

#[test]
fn restocks_are_told_only_where_the_tally_leaves_no_choice() {
    let refund = |units: &str| Refund {
        id: 1,
        amount: Money::ZERO,
        reason: String::new(),
        created_at: None,
        lines: vec![RefundLine {
            line_id: Some(65),
            quantity: Quantity::parse(units).unwrap(),
            total: Money::ZERO,
            total_tax: Money::ZERO,
            restocked: None,
        }],
    };
    let told = |refunded: &[&str], tally: &str| {
        let mut refunds: Vec<Refund> = refunded.iter().map(|units| refund(units)).collect();
        tell_restocked(&mut refunds, &HashMap::from([(65, units(tally))]));
        refunds.iter().map(|refund| refund.lines[0].restocked).collect::<Vec<_>>()
    };
    assert_eq!(told(&["2"], "1"), [Some(units("1"))]);
    assert_eq!(told(&["2", "1"], "0"), [Some(Quantity::ZERO); 2]);
    assert_eq!(told(&["2", "1"], "3"), [Some(units("2")), Some(units("1"))]);
    assert_eq!(told(&["2", "1"], "2"), [None; 2]);
    let mut of_another_line = [refund("2")];
    tell_restocked(&mut of_another_line, &HashMap::from([(66, units("2"))]));
    assert_eq!(of_another_line[0].lines[0].restocked, None);
}
