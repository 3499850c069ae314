//! What a saving leaves as it is, by what WooCommerce 10.0 and WordPress 6.8 do.

use serde_json::Value;

use super::Counting;

/// WooCommerce's own types of products: their classes are there whatever plugin is switched off
/// (`wc_get_product_types`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnType {
    /// Sold as it is.
    Simple,
    /// Sold as its variations.
    Variable,
    /// A list of others.
    Grouped,
    /// Sold elsewhere.
    External,
}

impl OwnType {
    /// The type of this name, if it is one of WooCommerce's own.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let all = [Self::Simple, Self::Variable, Self::Grouped, Self::External];
        all.into_iter().find(|kind| kind.word() == word)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Variable => "variable",
            Self::Grouped => "grouped",
            Self::External => "external",
        }
    }
}

/// Whether a saving leaves a product of this type as it is: `WC_Product::validate_props` sets its stock status, and
/// empties what means nothing for it, as the shop's settings now have it.
pub(super) fn product(row: &Value, kind: OwnType, counting: Counting) -> bool {
    if row["type"] != kind.word() {
        return false;
    }
    let backorders = row["backorders"] != "no";
    let status = &row["stock_status"];
    if row["manage_stock"] != false {
        let expected = match row["stock_quantity"].as_f64() {
            // Without what comes behind the point.
            #[expect(clippy::cast_precision_loss, reason = "a number of units that a shop sets")]
            Some(units) if units.trunc() > counting.none_left as f64 => "instock",
            _ if backorders => "onbackorder",
            _ => "outofstock",
        };
        // Others than simple ones hand their status on.
        return kind == OwnType::Simple && status == expected;
    }
    let nothing_left_over =
        row["stock_quantity"].is_null() && row["low_stock_amount"].is_null() && !backorders;
    nothing_left_over
        && match kind {
            OwnType::Simple => true,
            OwnType::External => status == "instock",
            OwnType::Variable => has_no_price(row),
            // Its price is made anew of those.
            OwnType::Grouped => {
                has_no_price(row)
                    && row["grouped_products"].as_array().is_some_and(|all| !all.is_empty())
            }
        }
}

/// REST empties these of what is sold as others.
fn has_no_price(row: &Value) -> bool {
    ["regular_price", "sale_price"].iter().all(|name| row[*name] == "")
        && ["date_on_sale_from", "date_on_sale_to"].iter().all(|name| row[*name].is_null())
}

/// The stock status that a product has by its variations (`WC_Product_Variable_Data_Store_CPT::sync_stock_status`);
/// none where there are none, or one of which nobody can say whether it counts.
pub(super) fn status_of_all(variations: &[Value]) -> Option<&'static str> {
    let any = |status: &str| variations.iter().any(|one| one["stock_status"] == status);
    let counts = |one: &Value| one["status"] == "publish" || one["status"] == "private";
    match variations {
        [] => None,
        all if !all.iter().all(counts) => None,
        _ if any("instock") => Some("instock"),
        _ if any("onbackorder") => Some("onbackorder"),
        _ => Some("outofstock"),
    }
}

/// Whether a saving leaves an account as it is. WordPress is given its address anew (`WC_Customer_Data_Store::update`):
/// one that WooCommerce does not take for one is emptied, one with an apostrophe counts as changed, which is mailed. The
/// names go through WordPress's filters (`wp_insert_user`), which WooCommerce has kept them from; a name to log in with
/// that those would change gets another address of the author's page, and one that is an address is mostly shown as the
/// person's name as well, which WooCommerce replaces (`WC_Customer::set_display_name`).
pub(super) fn account(row: &Value) -> bool {
    let text = |name: &str| row[name].as_str();
    let filtered = |name: &str| {
        name.contains(['&', '<', '>', '%', '\\'])
            || name.contains(char::is_control)
            || name.split(' ').collect::<Vec<_>>() != name.split_whitespace().collect::<Vec<_>>()
    };
    let plain = |name: &str| text(name).is_some_and(|name| name.is_empty() || !filtered(name));
    let login = |name: &str| {
        !filtered(name)
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '.' | '-'))
    };
    text("email").is_some_and(is_plain_address)
        && plain("first_name")
        && plain("last_name")
        && text("username").is_some_and(|name| !name.is_empty() && login(name))
}

fn is_plain_address(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let of = |text: &str, others: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
    };
    of(local, "._+-")
        && domain.contains('.')
        && domain
            .split('.')
            .all(|label| of(label, "-") && !label.starts_with('-') && !label.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(mut thing: Value, differing: &Value) -> Value {
        let (fields, others) = (thing.as_object_mut().unwrap(), differing.as_object().unwrap());
        fields.extend(others.clone());
        thing
    }

    #[test]
    fn products() {
        let counted = |units: f64, status: &str| json!({ "manage_stock": true, "stock_quantity": units, "stock_status": status });
        let on_demand = json!({
            "manage_stock": true, "stock_quantity": 0, "stock_status": "onbackorder",
            "backorders": "notify",
        });
        let cases = [
            ("simple", json!({}), 0, true),
            ("simple", json!({ "stock_status": "outofstock" }), 0, true),
            ("simple", json!({ "stock_quantity": 3 }), 0, false),
            ("simple", json!({ "low_stock_amount": 2 }), 0, false),
            ("simple", json!({ "backorders": "yes" }), 0, false),
            ("simple", json!({ "regular_price": "9" }), 0, true),
            ("simple", json!({ "type": "variable" }), 0, false),
            ("simple", counted(1.0, "instock"), 0, true),
            ("simple", counted(0.0, "outofstock"), 0, true),
            ("simple", counted(0.0, "instock"), 0, false),
            ("simple", counted(1.0, "outofstock"), 0, false),
            // A fraction of a unit is none.
            ("simple", counted(0.5, "instock"), 0, false),
            ("simple", counted(0.5, "outofstock"), 0, true),
            // A shop that keeps its last piece back, and one that came to that later.
            ("simple", counted(1.0, "outofstock"), 1, true),
            ("simple", counted(1.0, "instock"), 1, false),
            ("simple", on_demand, 0, true),
            ("variable", json!({}), 0, true),
            ("variable", json!({ "sale_price": "9" }), 0, false),
            ("variable", json!({ "date_on_sale_to": "2026-12-01T00:00:00" }), 0, false),
            ("variable", counted(1.0, "instock"), 0, false),
            ("grouped", json!({}), 0, true),
            ("grouped", json!({ "grouped_products": [] }), 0, false),
            ("grouped", json!({ "regular_price": "9" }), 0, false),
            ("external", json!({}), 0, true),
            ("external", json!({ "stock_status": "outofstock" }), 0, false),
        ];
        for (kind, differing, none_left, stays) in cases {
            let usual = json!({
                "type": kind, "manage_stock": false, "stock_quantity": null,
                "stock_status": "instock", "low_stock_amount": null, "backorders": "no",
                "regular_price": "", "sale_price": "", "date_on_sale_from": null,
                "date_on_sale_to": null, "grouped_products": [7],
            });
            let row = with(usual, &differing);
            let kind = OwnType::of(kind).unwrap();
            assert_eq!(product(&row, kind, Counting { none_left }), stays, "{row} {none_left}");
        }
    }

    #[test]
    fn a_product_has_the_status_of_its_best_variation() {
        let all = |statuses: &[&str]| -> Vec<Value> {
            let one = |status| json!({ "status": "publish", "stock_status": status });
            statuses.iter().map(one).collect()
        };
        let draft = json!({ "status": "draft", "stock_status": "instock" });
        assert_eq!(status_of_all(&[all(&["instock"]), vec![draft]].concat()), None);
        let cases = [
            (&[][..], None),
            (&["outofstock", "instock"], Some("instock")),
            (&["outofstock", "onbackorder"], Some("onbackorder")),
            (&["outofstock"], Some("outofstock")),
        ];
        for (statuses, status) in cases {
            assert_eq!(status_of_all(&all(statuses)), status, "{statuses:?}");
        }
    }

    #[test]
    fn accounts() {
        let cases = [
            (json!({}), true),
            (json!({ "first_name": "", "last_name": "" }), true),
            (json!({ "first_name": "Renée", "last_name": "O'Brien-Smith" }), true),
            (json!({ "email": "ada.l+shop@mail.example.org" }), true),
            // What WooCommerce takes for no address it shows as none.
            (json!({ "email": "" }), false),
            (json!({ "email": "o'brien@example.org" }), false),
            (json!({ "email": "a&b@example.org" }), false),
            (json!({ "email": "till@local" }), false),
            (json!({ "email": "till@-a.example" }), false),
            (json!({ "email": "till@a..example" }), false),
            (json!({ "email": "a@b@example.org" }), false),
            (json!({ "first_name": "Mr & Mrs" }), false),
            (json!({ "last_name": " Li" }), false),
            (json!({ "last_name": "Li  Wu" }), false),
            (json!({ "last_name": "Li\nWu" }), false),
            (json!({ "last_name": "%41da" }), false),
            (json!({ "last_name": null }), false),
            (json!({ "username": "ada@example.org" }), false),
            (json!({ "username": "renée" }), false),
            (json!({ "username": "" }), false),
        ];
        for (differing, stays) in cases {
            let usual = json!({
                "email": "ada@example.org", "username": "ada l_1.x-y", "first_name": "Ada",
                "last_name": "de Li",
            });
            let row = with(usual, &differing);
            assert_eq!(account(&row), stays, "{row}");
        }
    }
}
