//! A product or variation of a shop, and whose stock it draws on.

use nexpura_protocol::Facts;
use serde::Serialize;
use serde_json::Value;

use super::{
    MappingError, Money, Quantity, Sku, limits, read::Object, sale::allows_backorders, text,
};

/// A product as the shop sells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Product {
    /// WooCommerce's id of the product or variation.
    pub id: u64,
    /// The product that a variation belongs to.
    pub parent_id: Option<u64>,
    /// `simple`, `variable`, `variation`, or any other that a plugin adds.
    pub kind: String,
    /// Whether it is sold as its variations, whatever its kind: plugins add some, such as `variable-subscription`.
    pub has_variations: bool,
    /// Its name; of a variation, what sets it apart.
    pub name: String,
    /// What it is matched by; without one it is skipped.
    pub sku: Option<Sku>,
    /// `publish`, `draft` and so on.
    pub status: String,
    /// What it costs now; `None` where it has no price, which is not a price of zero.
    pub price: Option<Money>,
    /// What it costs outside a sale.
    pub regular_price: Option<Money>,
    /// What it costs on sale.
    pub sale_price: Option<Money>,
    /// The shop's tax class, empty for the standard one.
    pub tax_class: String,
    /// Address of its first picture.
    pub image: Option<String>,
    /// Address of its page.
    pub permalink: Option<String>,
    /// Names of its categories.
    pub categories: Vec<String>,
    /// Attributes as name and value, one entry a value.
    pub attributes: Vec<(String, String)>,
    /// How its stock is kept.
    pub stock: ProductStock,
    /// The product or variation whose stock it draws on; its own id where nobody's is managed.
    pub stock_id: u64,
}

/// How a product's stock is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kept", rename_all = "snake_case")]
pub enum ProductStock {
    /// By itself.
    Own {
        /// The units there are, below zero where more were sold; `None` where the shop left it open.
        quantity: Option<Quantity>,
        /// Whether it may be sold below zero.
        backorders: bool,
    },
    /// By the product it is a variation of.
    Parent,
    /// By nobody: unknown, which is not zero.
    Unmanaged,
}

impl Product {
    /// From WooCommerce's REST v3 representation of a product or a variation, and what its plugin
    /// adds to that.
    ///
    /// # Errors
    /// The id is missing, the SKU is none, a variation's stock is its parent's but nothing says who
    /// that is, or something is of a kind that cannot be read.
    pub fn read(payload: &Value, facts: Option<&Facts>) -> Result<Self, MappingError> {
        let product = Object::root(payload, "product")?;
        let id = product.id("id")?;
        let parent_id = parent(product, facts)?;
        let attributes = attributes(product);
        let (stock, stock_id) = stock(product, facts, id, parent_id)?;
        let variations = product.get("variations").and_then(Value::as_array);
        // Older WooCommerce tells neither a variation's kind nor its name; newer ones (9.4) make the name
        // of its attributes like this.
        let kind = product
            .optional_text("type", limits::MAX_CODE)?
            .unwrap_or_else(|| if parent_id.is_some() { "variation" } else { "simple" }.to_owned());
        let mut name = product.name("name")?;
        if name.is_empty() && kind == "variation" {
            let values: Vec<&str> = attributes.iter().map(|(_, value)| value.as_str()).collect();
            name = limits::bounded(&values.join(", "), limits::MAX_NAME);
        }
        Ok(Self {
            id,
            parent_id,
            has_variations: kind == "variable" || variations.is_some_and(|ids| !ids.is_empty()),
            name,
            sku: product.parsed("sku", Sku::parse, A_SKU)?,
            status: product.text("status", limits::MAX_CODE)?,
            price: product.price("price")?,
            regular_price: product.price("regular_price")?,
            sale_price: product.price("sale_price")?,
            tax_class: product.text("tax_class", limits::MAX_CODE)?,
            image: image(product)?,
            permalink: product.url("permalink")?,
            categories: product.labels("categories", |category| filled_name(category.get("name")?)),
            attributes,
            stock,
            stock_id,
            kind,
        })
    }
}

const A_SKU: &str = "a SKU of at most 255 characters without control characters";

fn parent(product: Object<'_, '_>, facts: Option<&Facts>) -> Result<Option<u64>, MappingError> {
    let told = match product.id_or_zero("parent_id")? {
        0 => facts.and_then(|facts| facts.parent_id).and_then(limits::id).unwrap_or(0),
        told => told,
    };
    if told > 0 {
        return Ok(Some(told));
    }
    // In older WooCommerce (8.2) only the link that leads up from a variation says whose it is.
    let up = product.get("_links").and_then(|links| links.pointer("/up/0/href")?.as_str());
    let id = up.filter(|href| href.contains("/products/")).and_then(|href| href.rsplit('/').next());
    Ok(id.and_then(|id| id.parse().ok()).and_then(limits::id))
}

fn stock(
    product: Object<'_, '_>,
    facts: Option<&Facts>,
    id: u64,
    parent_id: Option<u64>,
) -> Result<(ProductStock, u64), MappingError> {
    let told = facts.and_then(|facts| facts.stock.as_ref());
    let owner = told.and_then(|told| limits::id(told.stock_id));
    let by_parent = product.get("manage_stock").and_then(Value::as_str) == Some("parent");
    // The plugin knows the shop-wide switch, which the representation does not tell.
    let managed = match told {
        Some(told) => told.managed,
        None => by_parent || product.flag("manage_stock")?.unwrap_or(false),
    };
    if !managed {
        return Ok((ProductStock::Unmanaged, owner.unwrap_or(id)));
    }
    let owner = match (owner, by_parent) {
        (Some(owner), _) => owner,
        (None, false) => id,
        (None, true) => parent_id.ok_or_else(|| MappingError::Missing {
            path: product.place.key("parent_id").to_string(),
            expected: "the product whose stock this variation draws on",
        })?,
    };
    if owner != id {
        return Ok((ProductStock::Parent, owner));
    }
    let units = "a number of units, at most 1,000,000,000, with at most three decimal places";
    let bounds = (-limits::MAX_STOCK, limits::MAX_STOCK);
    let quantity = product.optional_quantity("stock_quantity", units, bounds)?;
    let backorders = match told {
        Some(told) => allows_backorders(&told.backorders),
        None => match product.text("backorders", limits::MAX_CODE)?.as_str() {
            "" => product.flag("backorders_allowed")?.unwrap_or(false),
            setting => allows_backorders(setting),
        },
    };
    Ok((ProductStock::Own { quantity, backorders }, owner))
}

/// A product has a list of pictures, a variation at most one.
fn image(product: Object<'_, '_>) -> Result<Option<String>, MappingError> {
    let pictures = product.each_if_any("images", |picture| picture.url("src"))?;
    match pictures.into_iter().flatten().next() {
        Some(src) => Ok(Some(src)),
        None => product.inner("image", |picture| picture.url("src")),
    }
}

/// A variation has one `option` an attribute, a product a list of `options`.
fn attributes(product: Object<'_, '_>) -> Vec<(String, String)> {
    let lists = product.labels("attributes", |attribute| {
        let name = filled_name(attribute.get("name")?)?;
        let values = match (attribute.get("option"), attribute.get("options")) {
            (Some(one), _) => vec![one],
            (None, Some(Value::Array(several))) => {
                several.iter().take(limits::MAX_LABELS).collect()
            }
            _ => return None,
        };
        let values = values.into_iter().filter_map(filled_name);
        Some(values.map(|value| (name.clone(), value)).collect::<Vec<_>>())
    });
    lists.into_iter().flatten().take(limits::MAX_LABELS).collect()
}

fn filled_name(value: &Value) -> Option<String> {
    let name = match value {
        Value::String(raw) => text::name(raw),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests;
