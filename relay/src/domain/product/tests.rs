//! Recorded products and variations, and broken ones.

use nexpura_protocol::event::StockFacts;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::testing::{any_damage, any_json, fixture};

fn read(payload: &Value) -> Product {
    Product::read(payload, None).unwrap()
}

fn own(quantity: &str, backorders: bool) -> ProductStock {
    ProductStock::Own { quantity: Some(Quantity::parse(quantity).unwrap()), backorders }
}

fn facts(stock_id: u64, managed: bool, backorders: &str) -> Facts {
    let backorders = backorders.to_owned();
    Facts { stock: Some(StockFacts { stock_id, managed, backorders }), ..Facts::default() }
}

fn sku(product: &Product) -> &str {
    product.sku.as_ref().unwrap().as_str()
}

#[test]
fn a_recorded_simple_product_is_read() {
    let ring = read(&fixture("product-simple.json"));
    assert_eq!((ring.id, ring.parent_id, ring.kind.as_str()), (11, None, "simple"));
    assert_eq!((ring.name.as_str(), sku(&ring)), ("Ring 2", "RING-2"));
    assert_eq!(ring.status, "publish");
    assert_eq!(ring.price.unwrap().to_string(), "102.00");
    assert_eq!((ring.regular_price, ring.sale_price), (ring.price, None));
    assert_eq!((ring.stock, ring.stock_id), (own("998", false), 11));
    assert_eq!(ring.categories, ["Uncategorized"]);
    assert_eq!(ring.permalink.as_deref(), Some("http://127.0.0.1:8080/product/ring-2/"));
    assert_eq!(ring.image, None);
}

#[test]
fn a_recorded_variable_product_has_no_stock_of_its_own() {
    let band = read(&fixture("product-variable.json"));
    assert_eq!((band.kind.as_str(), sku(&band), band.price), ("variable", "BAND", None));
    assert_eq!((band.stock, band.stock_id), (ProductStock::Unmanaged, 99));
    assert!(band.has_variations);
    let mut subscription = fixture("product-variable.json");
    subscription["type"] = json!("variable-subscription");
    assert!(read(&subscription).has_variations, "its variations tell");
    subscription["variations"] = json!([]);
    assert!(!read(&subscription).has_variations);
    assert!(!read(&fixture("product-simple.json")).has_variations);
    let metal = |value: &str| ("Metal".to_owned(), value.to_owned());
    assert_eq!(band.attributes, [metal("Gold 18ct"), metal("Platinum 950")]);
}

#[test]
fn recorded_variations_own_their_stock_or_share_their_parents() {
    let recorded = fixture("product-variations.json");
    let platinum = read(&recorded[0]);
    assert_eq!((platinum.id, platinum.parent_id), (101, Some(99)));
    assert_eq!((platinum.stock, platinum.stock_id), (ProductStock::Unmanaged, 101));
    let gold = read(&recorded[1]);
    assert_eq!((gold.kind.as_str(), gold.name.as_str()), ("variation", "Gold 18ct"));
    assert_eq!((gold.stock, gold.stock_id), (own("3", false), 100));
    assert_eq!(gold.attributes, [("Metal".to_owned(), "Gold 18ct".to_owned())]);

    let stud = read(&fixture("product-variations-parent-managed.json")[0]);
    assert_eq!((stud.id, stud.parent_id, sku(&stud)), (103, Some(102), "STUD-AU"));
    assert_eq!((stud.stock, stud.stock_id), (ProductStock::Parent, 102));
}

#[test]
fn an_older_shops_variation_is_completed() {
    let mut old = fixture("product-variations-parent-managed.json")[0].clone();
    for key in ["type", "name", "parent_id"] {
        old.as_object_mut().unwrap().remove(key);
    }
    let stud = read(&old);
    assert_eq!((stud.kind.as_str(), stud.name.as_str()), ("variation", "Gold 18ct"));
    assert_eq!((stud.parent_id, stud.stock_id), (Some(102), 102));
    old["_links"]["up"][0]["href"] = json!("http://127.0.0.1:8080/wp-json/wc/v3/");
    assert_eq!(
        Product::read(&old, None).unwrap_err().to_string(),
        "product.parent_id is missing: expected the product whose stock this variation draws on"
    );
    let told = Facts { parent_id: Some(102), ..Facts::default() };
    assert_eq!(Product::read(&old, Some(&told)).unwrap().stock_id, 102);
}

#[test]
fn facts_outweigh_what_the_representation_says_of_stock() {
    let ring = fixture("product-simple.json");
    let with = |facts: Facts| {
        let product = Product::read(&ring, Some(&facts)).unwrap();
        (product.stock, product.stock_id)
    };
    // Stock management is switched off for the whole shop.
    assert_eq!(with(facts(11, false, "no")), (ProductStock::Unmanaged, 11));
    assert_eq!(with(facts(11, true, "notify")), (own("998", true), 11));
    assert_eq!(with(facts(9, true, "no")), (ProductStock::Parent, 9));
    assert_eq!(with(Facts::default()), (own("998", false), 11));
}

#[test]
fn unmanaged_stock_is_unknown_and_not_zero() {
    let stock = |manage: Value, quantity: Value, backorders: Value| {
        let payload = json!({
            "id": 1, "manage_stock": manage, "stock_quantity": quantity, "backorders": backorders,
        });
        Product::read(&payload, None).map(|product| product.stock)
    };
    assert_eq!(stock(json!(false), json!(5), json!("no")), Ok(ProductStock::Unmanaged));
    assert_eq!(stock(Value::Null, Value::Null, Value::Null), Ok(ProductStock::Unmanaged));
    assert_eq!(stock(json!("yes"), json!("0"), json!("no")), Ok(own("0", false)));
    assert_eq!(stock(json!(true), json!(-2), json!("yes")), Ok(own("-2", true)));
    assert_eq!(stock(json!(true), json!(2.5), json!(null)), Ok(own("2.5", false)));
    let open = ProductStock::Own { quantity: None, backorders: false };
    assert_eq!(stock(json!(true), Value::Null, json!("no")), Ok(open));
    assert!(stock(json!(true), json!(1e12), json!("no")).is_err());
    assert!(stock(json!("perhaps"), json!(1), json!("no")).is_err());
}

#[test]
fn names_prices_and_pictures_are_read_as_people_see_them() {
    let product = read(&json!({
        "id": "7", "name": "Salt &amp; Pepper ring", "sku": " 1/3 ", "price": 12.5,
        "images": [{"src": ""}, {"src": "javascript:alert(1)"}, {"src": "https://x.test/r.jpg"}],
        "permalink": "javascript:alert(1)",
        "categories": [{"name": "Rings &#8211; gold"}, {"name": ""}, 3, {"id": 4}],
        "attributes": [{"name": "Size", "options": [52, "54"]}, {"name": "", "option": "x"}, null],
    }));
    assert_eq!((product.name.as_str(), sku(&product)), ("Salt & Pepper ring", "1/3"));
    assert_eq!(product.price.unwrap().to_string(), "12.50");
    assert_eq!(product.image.as_deref(), Some("https://x.test/r.jpg"));
    assert_eq!(product.permalink, None);
    assert_eq!(product.categories, ["Rings – gold"]);
    let size = |value: &str| ("Size".to_owned(), value.to_owned());
    assert_eq!(product.attributes, [size("52"), size("54")]);
    let variation = read(&json!({"id": 8, "image": {"src": "https://x.test/v.jpg"}}));
    assert_eq!(variation.image.as_deref(), Some("https://x.test/v.jpg"));
}

#[test]
fn without_a_sku_it_is_still_a_product_and_a_wrong_one_is_told() {
    for none in [json!(""), json!("  "), Value::Null] {
        assert_eq!(read(&json!({"id": 1, "sku": none})).sku, None);
    }
    for wrong in [json!("a\u{0}b"), json!("x".repeat(256))] {
        let error = Product::read(&json!({"id": 1, "sku": wrong}), None).unwrap_err();
        assert!(error.to_string().starts_with("product.sku: expected a SKU of at most 255"));
    }
    // What REST answers where a variation is asked for as if it were a product.
    assert!(Product::read(&fixture("product-put-on-variation.json"), None).is_err());
}

#[test]
fn labels_are_bounded() {
    let many: Vec<Value> = (0..10_000).map(|n| json!({"name": "Size", "option": n})).collect();
    let product = read(&json!({"id": 1, "attributes": many, "categories": many}));
    assert_eq!(product.attributes.len(), limits::MAX_LABELS);
    assert_eq!(product.categories.len(), limits::MAX_LABELS);
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(value in any_json(), damage in any_damage()) {
        let _ = Product::read(&value, None);
        for name in ["product-simple.json", "product-variations-parent-managed.json"] {
            let mut recorded = fixture(name);
            damage.apply(&mut recorded);
            let _ = Product::read(&recorded, Some(&facts(1, true, "no")));
            let _ = Product::read(&recorded[0], None);
        }
    }
}
