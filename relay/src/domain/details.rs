//! What a shop tells of a piece beside its name, price and stock; kept as it was told, and shown to people.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Money, Product};

/// The details of a piece.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// `simple`, `variation`, or any other kind of product.
    pub kind: String,
    /// The address of its page in the shop.
    pub permalink: Option<String>,
    /// The shop's tax class, empty for the standard one.
    pub tax_class: String,
    /// What it costs outside a sale.
    pub regular_price: Option<Money>,
    /// What it costs on sale.
    pub sale_price: Option<Money>,
    /// Names of its categories.
    pub categories: Vec<String>,
    /// Attributes as name and value, one entry a value.
    pub attributes: Vec<(String, String)>,
}

impl Details {
    /// From what is kept of a piece; nothing of what cannot be read.
    #[must_use]
    pub fn read(kept: &Value) -> Self {
        Self::deserialize(kept).unwrap_or_default()
    }

    /// The attributes by name, in the shop's order, each with all its values.
    #[must_use]
    pub fn by_name(&self) -> Vec<(&str, Vec<&str>)> {
        let mut named: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, value) in &self.attributes {
            match named.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(value),
                None => named.push((name, vec![value])),
            }
        }
        named
    }
}

impl From<&Product> for Details {
    fn from(product: &Product) -> Self {
        Self {
            kind: product.kind.clone(),
            permalink: product.permalink.clone(),
            tax_class: product.tax_class.clone(),
            regular_price: product.regular_price,
            sale_price: product.sale_price,
            categories: product.categories.clone(),
            attributes: product.attributes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_kept_is_read_as_it_was_told() {
        let told = Details {
            kind: "variation".to_owned(),
            permalink: Some("https://shop.example/ring/".to_owned()),
            tax_class: "reduced".to_owned(),
            regular_price: Some(Money::from_micros(12_500_000)),
            sale_price: None,
            categories: vec!["Rings".to_owned()],
            attributes: vec![("Metal".to_owned(), "Gold".to_owned())],
        };
        assert_eq!(Details::read(&serde_json::to_value(&told).unwrap()), told);
        for odd in [json!(null), json!({}), json!([1]), json!({ "categories": 7 })] {
            assert_eq!(Details::read(&odd), Details::default(), "{odd}");
        }
    }

    #[test]
    fn the_values_of_an_attribute_stand_together() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let attributes = vec![pair("Metal", "Gold"), pair("Size", "52"), pair("Metal", "Silver")];
        let details = Details { attributes, ..Details::default() };
        assert_eq!(details.by_name(), [("Metal", vec!["Gold", "Silver"]), ("Size", vec!["52"])]);
    }
}
