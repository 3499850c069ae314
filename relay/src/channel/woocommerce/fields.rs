//! Marks of products and accounts in a shop without our plugin: a custom field. In WordPress a product's are shown where
//! somebody asks for it ("Screen options"), an account's to programs only.
//!
//! WooCommerce saves the whole of a thing for it, with its hooks and a new date of modification, and a saving brings in
//! order what is not as WooCommerce or WordPress would have it. So each is looked at first; what would not stay as it is
//! gets no field.

mod harmless;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    Client, Listing, MAX_PER_PAGE, Page,
    client::{MAX_OBJECT_BYTES, MAX_PAGE_BYTES},
    synced::MARK,
};
use crate::channel::ChannelError;
pub use harmless::OwnType;

/// What no saving may change of a product: people read it or go by it, and it changes seldom otherwise.
const OF_PRODUCT: [&str; 9] = [
    "type",
    "name",
    "status",
    "sku",
    "regular_price",
    "sale_price",
    "catalog_visibility",
    "manage_stock",
    "backorders",
];
/// The same of an account.
const OF_ACCOUNT: [&str; 5] = ["email", "username", "first_name", "last_name", "role"];

/// How the shop counts its products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counting {
    /// So many units and fewer are as good as none.
    pub none_left: i64,
}

/// What became of some that were to be given their field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saved {
    /// Those that the shop refused.
    pub refused: Vec<i64>,
    /// Those of which something else has changed as well, by its names in their representation.
    pub altered: Vec<(i64, Vec<&'static str>)>,
}

/// Whether an entry of a representation's `meta_data` is the mark.
#[must_use]
pub fn is_mark(entry: &Value) -> bool {
    entry["key"] == MARK
}

impl Client {
    /// How the shop counts its products; nothing where it counts none, or not as WooCommerce does.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn counting(&self) -> Result<Option<Counting>, ChannelError> {
        let only = [("_fields", "id,value".to_owned())];
        let answer = self.get("wc/v3/settings/products", &only, MAX_OBJECT_BYTES).await?;
        let settings = answer.body.as_array().map_or(&[][..], Vec::as_slice);
        let of = |id: &str| settings.iter().find(|one| one["id"] == id).map(|one| &one["value"]);
        if of("woocommerce_manage_stock").is_none_or(|value| value != "yes") {
            return Ok(None);
        }
        Ok(of("woocommerce_notify_no_stock_amount")
            .and_then(whole)
            .map(|none_left| Counting { none_left }))
    }

    /// Those of at most [`MAX_PER_PAGE`] products of one type that have no custom field yet and stay as they are where
    /// they are saved.
    ///
    /// WooCommerce shows a product as a simple one while the plugin of its type is switched off, and makes it one where
    /// it is saved then (`WC_Product_Data_Store_CPT::update_version_and_type`). A listing that is asked for a type goes
    /// by what is kept in the database.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn markable_products(
        &self,
        kind: OwnType,
        ids: &[i64],
        counting: Counting,
    ) -> Result<Vec<Value>, ChannelError> {
        let of_kind = [("type", kind.word()), ("status", "any")];
        let mut rows = self.named(Listing::Products, ids, &of_kind).await?;
        rows.retain(|row| harmless::product(row, kind, counting) && !is_marked(row));
        if kind == OwnType::Variable {
            let mut agreeing = Vec::new();
            for row in rows {
                if self.agrees_with_its_variations(&row).await? {
                    agreeing.push(row);
                }
            }
            return Ok(agreeing);
        }
        Ok(rows)
    }

    async fn agrees_with_its_variations(&self, product: &Value) -> Result<bool, ChannelError> {
        let Some(parent) = product["id"].as_u64() else { return Ok(false) };
        let parameters = [
            ("per_page", MAX_PER_PAGE.to_string()),
            ("_fields", "id,status,stock_status".to_owned()),
        ];
        let route = Listing::Variations { parent }.route();
        let answer = self.get(&route, &parameters, MAX_PAGE_BYTES).await?;
        let page = Page::read(answer, MAX_PER_PAGE)?;
        let all = page.total == page.items.len() as u64;
        Ok(all && harmless::status_of_all(&page.items) == product["stock_status"].as_str())
    }

    /// The same of accounts, where they are customers in the first place.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn markable_accounts(&self, ids: &[i64]) -> Result<Vec<Value>, ChannelError> {
        let mut rows = self.named(Listing::Customers, ids, &[("role", "customer")]).await?;
        rows.retain(|row| harmless::account(row) && !is_marked(row));
        Ok(rows)
    }

    async fn named(
        &self,
        listing: Listing,
        ids: &[i64],
        parameters: &[(&'static str, &str)],
    ) -> Result<Vec<Value>, ChannelError> {
        let ids: Vec<String> = ids.iter().take(MAX_PER_PAGE as usize).map(i64::to_string).collect();
        // As it is kept, which is how a saving's answer shows it.
        let mut asked = vec![
            ("include", ids.join(",")),
            ("per_page", MAX_PER_PAGE.to_string()),
            ("context", "edit".to_owned()),
        ];
        asked.extend(parameters.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let answer = self.get(&listing.route(), &asked, MAX_PAGE_BYTES).await?;
        Ok(Page::read(answer, MAX_PER_PAGE)?.items)
    }

    /// Gives products or accounts, as they were just read, their custom field.
    ///
    /// # Errors
    /// See [`ChannelError`]: [`ChannelError::Unauthorized`] where the key may only read.
    pub async fn mark_by_field(
        &self,
        listing: Listing,
        rows: &[Value],
        at: DateTime<Utc>,
    ) -> Result<Saved, ChannelError> {
        let field = json!([{ "key": MARK, "value": at.format("%Y-%m-%d %H:%M UTC").to_string() }]);
        let update: Vec<Value> =
            rows.iter().map(|row| json!({ "id": row["id"], "meta_data": field })).collect();
        let body = json!({ "update": update }).to_string().into_bytes();
        let route = format!("{}/batch", listing.route());
        let answer = self.post(&route, body, &|_| Vec::new(), MAX_PAGE_BYTES).await?;
        let kept = match listing {
            Listing::Customers => &OF_ACCOUNT[..],
            _ => &OF_PRODUCT[..],
        };
        let done = answer.body["update"].as_array().map_or(&[][..], Vec::as_slice);
        let mut saved = Saved::default();
        for row in rows {
            let id = row["id"].as_i64().unwrap_or_default();
            let done = done.iter().find(|done| done["id"] == row["id"]).ok_or_else(|| {
                ChannelError::WrongShape("a batch that does not tell of all".to_owned())
            })?;
            let changed = kept.iter().copied().filter(|name| row[*name] != done[*name]);
            match changed.collect::<Vec<_>>() {
                _ if done.get("error").is_some() => saved.refused.push(id),
                names if names.is_empty() => {}
                names => saved.altered.push((id, names)),
            }
        }
        Ok(saved)
    }
}

/// A setting as `absint()` reads it.
fn whole(value: &Value) -> Option<i64> {
    let digits = match value {
        Value::String(text) => text.trim().trim_start_matches('-').to_owned(),
        number => number.to_string().trim_start_matches('-').to_owned(),
    };
    let digits = digits.split('.').next().unwrap_or_default();
    if digits.is_empty() { Some(0) } else { digits.parse().ok() }
}

fn is_marked(row: &Value) -> bool {
    row["meta_data"].as_array().is_some_and(|entries| entries.iter().any(is_mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_units_is_read_as_the_shop_does() {
        let cases = [
            (json!("0"), Some(0)),
            (json!("2"), Some(2)),
            (json!(3), Some(3)),
            (json!(""), Some(0)),
            (json!("1.5"), Some(1)),
            (json!("-1"), Some(1)),
            (json!("some"), None),
            (json!(null), None),
        ];
        for (value, units) in cases {
            assert_eq!(whole(&value), units, "{value}");
        }
    }
}
