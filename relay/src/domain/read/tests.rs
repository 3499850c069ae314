//! What PHP makes of a representation, and what is read from it.

use serde_json::json;

use super::*;

fn object(value: &Value) -> Object<'_, 'static> {
    Object::root(value, "thing").unwrap()
}

#[test]
fn php_has_many_ways_to_say_nothing() {
    for nothing in [json!(null), json!(false), json!(" "), json!([]), json!({})] {
        let value = json!({"it": nothing});
        let thing = object(&value);
        assert_eq!(thing.text("it", 9), Ok(String::new()));
        assert_eq!(thing.money("it"), Ok(Money::ZERO));
        assert_eq!(thing.price("it"), Ok(None));
        assert_eq!(thing.id_or_zero("it"), Ok(0));
        assert_eq!(thing.time("it"), Ok(None));
        assert_eq!(thing.each_if_any("it", |_| Ok(())), Ok(Vec::new()));
        assert_eq!(thing.inner("it", |inner| inner.text("x", 9)), Ok(String::new()));
    }
}

#[test]
fn numbers_come_as_text_and_text_as_numbers() {
    let value = json!({"id": "84", "float": 84.0, "sku": 1001, "yes": "yes", "one": 1});
    let thing = object(&value);
    assert_eq!(thing.id("id"), Ok(84));
    assert_eq!(thing.id("float"), Ok(84));
    assert_eq!(thing.text("sku", 9), Ok("1001".to_owned()));
    assert_eq!(thing.flag("yes"), Ok(Some(true)));
    assert_eq!(thing.flag("one"), Ok(Some(true)));
    assert_eq!(thing.flag("none"), Ok(None));
}

#[test]
fn ids_fit_a_signed_column() {
    for id in
        [json!(0), json!(-1), json!(1.5), json!("12a"), json!(i64::MAX as u64 + 1), json!(1e30)]
    {
        let value = json!({"id": id});
        assert!(object(&value).id("id").is_err(), "{value}");
    }
}

#[test]
fn a_filtered_list_is_a_list_in_its_order() {
    let value = json!({"list": {"10": {"n": "c"}, "2": {"n": "b"}, "0": {"n": "a"}}});
    let names = object(&value).each("list", |entry| entry.text("n", 9)).unwrap();
    assert_eq!(names, ["a", "b", "c"]);
    let value = json!({"list": {"a": {}}});
    assert!(object(&value).each("list", |_| Ok(())).is_err());
}

#[test]
fn a_required_list_is_never_taken_for_empty() {
    for value in [json!({}), json!({"list": null}), json!({"list": "x"}), json!({"list": 3})] {
        assert!(object(&value).each("list", |_| Ok(())).is_err(), "{value}");
    }
    assert_eq!(object(&json!({"list": []})).each("list", |_| Ok(())), Ok(vec![]));
}

#[test]
fn errors_name_the_place_and_never_what_stood_there() {
    let value = json!({"list": [{}, {"inner": {"n": {"secret": 1}}}]});
    let read = object(&value)
        .each("list", |entry| entry.inner("inner", |inner| inner.text("n", 9)))
        .unwrap_err();
    assert_eq!(read.to_string(), "thing.list[1].inner.n: expected a text, found an object");
}

#[test]
fn moments_are_utc() {
    let at = |text: &str| {
        let value = json!({"at": text});
        object(&value).time("at").map(|at| at.map(|at| at.to_rfc3339()))
    };
    let told = Ok(Some("2026-11-20T22:52:37+00:00".to_owned()));
    assert_eq!(at("2026-11-20T22:52:37"), told);
    assert_eq!(at("2026-11-20 22:52:37"), told);
    assert_eq!(at("2026-11-20T22:52:37Z"), told);
    assert_eq!(at("2026-11-21T09:52:37+11:00"), told);
    assert_eq!(at("0000-00-00 00:00:00"), Ok(None));
    assert_eq!(at("-0001-11-30T00:00:00"), Ok(None));
    assert!(at("yesterday").is_err());
}

#[test]
fn metas_of_others_never_get_in_the_way() {
    let value = json!({"meta_data": [
        3, {"key": ["x"]}, {"key": "_x", "value": {"a": [1]}},
        {"key": "_n", "value": "3"}, {"key": "_n", "value": "4"}, {"key": "_e", "value": ""},
    ]});
    let thing = object(&value);
    let three = Quantity::from_thousandths(3_000);
    assert_eq!(thing.meta_quantity("_n", "units", (0, 9)), Ok(Some(three)));
    assert_eq!(thing.meta_quantity("_e", "units", (0, 9)), Ok(Some(Quantity::ZERO)));
    assert_eq!(thing.meta_quantity("_gone", "units", (0, 9)), Ok(None));
    assert_eq!(thing.meta_id("_n"), Ok(Some(3)));
    let wrong = thing.meta_quantity("_x", "units", (0, 9)).unwrap_err();
    assert_eq!(wrong.to_string(), "thing.meta_data._x: expected units, found an object");
}
