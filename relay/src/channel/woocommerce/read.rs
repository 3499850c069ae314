//! What the relay reads from a store: single things, and whole listings page by page.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, TimeDelta, Utc, Weekday};
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::{
    Client, Met, Reach,
    client::{Answer, MAX_OBJECT_BYTES, MAX_PAGE_BYTES},
    manner::Refusal,
    shape,
};
use crate::channel::ChannelError;

/// Largest page that WooCommerce gives.
pub const MAX_PER_PAGE: u32 = 100;
/// An order with more refunds than this many pages of them is no order of a shop.
const MAX_REFUND_PAGES: usize = 10;

/// A clock that says to be slower than this, in seconds, tells no time: ten years.
const SLOWEST: i64 = 10 * 366 * 24 * 3600;

/// What to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Listing {
    /// Orders of every status that WooCommerce knows.
    Orders,
    /// Products of every type and status; variations have their own listing.
    Products,
    /// The variations of one product.
    Variations {
        /// The variable product.
        parent: u64,
    },
    /// Registered customers (users with the role `customer`).
    Customers,
}

impl Listing {
    pub(super) fn route(self) -> String {
        match self {
            Self::Orders => "wc/v3/orders".to_owned(),
            Self::Products => "wc/v3/products".to_owned(),
            Self::Variations { parent } => format!("wc/v3/products/{parent}/variations"),
            Self::Customers => "wc/v3/customers".to_owned(),
        }
    }
}

/// Which page of a listing. Every listing here heeds `offset` and `orderby=id`, since WooCommerce 8.2 at the latest, and
/// with orders in either storage (`WC_REST_CRUD_Controller`, `WC_REST_Customers_V1_Controller`, `OrdersTableQuery`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery {
    /// How many rows of the listing come before it.
    pub offset: u64,
    /// 1 to [`MAX_PER_PAGE`].
    pub per_page: u32,
    /// Only what was changed after this moment, to the second, by the store's own clock. Customers cannot be asked that way:
    /// WooCommerce ignores it there. The answer may hold older ones too.
    pub modified_after: Option<DateTime<Utc>>,
    /// Only what lies in the trash, which no other page holds. Customers have none.
    pub trashed: bool,
}

impl Default for PageQuery {
    fn default() -> Self {
        Self { offset: 0, per_page: MAX_PER_PAGE, modified_after: None, trashed: false }
    }
}

/// One page of a listing, ascending by id.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The representations, each an object with an id.
    pub items: Vec<Value>,
    /// Things in the whole listing, by the store's word; beyond its end WordPress knows of none.
    pub total: u64,
    /// By how many seconds the store's clock was slow when it answered, by its `Date`; 0 where it is fast, or says
    /// nothing. An answer that something in between has kept makes the clock look slower than it is, never faster.
    pub slow: i64,
}

/// What a store says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemStatus {
    /// The address the shop has for itself.
    pub home_url: String,
    /// WooCommerce's own id of the shop, a UUID; older versions have none.
    pub store_id: Option<String>,
    /// WordPress's version.
    pub wordpress: String,
    /// WooCommerce's version.
    pub woocommerce: String,
    /// ISO 4217 code of the shop's currency.
    pub currency: String,
    /// Whether orders live in tables of their own (high-performance order storage).
    pub hpos: Option<bool>,
    /// The answer itself.
    pub raw: Value,
}

impl Client {
    /// What the store says of itself. Needs a key of a user with `manage_woocommerce`.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn system_status(&self) -> Result<SystemStatus, ChannelError> {
        Ok(self.told_status().await?)
    }

    /// The same, with WooCommerce's own code where it refuses.
    pub(super) async fn told_status(&self) -> Result<SystemStatus, Refusal> {
        // Asked for one by one: a bare `environment` makes WooCommerce call two outside servers first
        // (`get_environment_info_per_fields`), ten seconds each where they do not answer.
        let fields = "environment.home_url,environment.store_id,environment.version,\
                      environment.wp_version,environment.php_version,settings";
        let parameters = [("_fields", fields.to_owned())];
        let answer = self.get("wc/v3/system_status", &parameters, MAX_OBJECT_BYTES).await?;
        Ok(SystemStatus::read(answer.body)?)
    }

    /// Whether the shop's prices include tax.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn prices_include_tax(&self) -> Result<bool, ChannelError> {
        let route = "wc/v3/settings/tax/woocommerce_prices_include_tax";
        let answer = self.get(route, &[], MAX_OBJECT_BYTES).await?;
        match answer.body.get("value").and_then(Value::as_str) {
            Some("yes") => Ok(true),
            Some("no") => Ok(false),
            _ => Err(wrong("woocommerce_prices_include_tax is neither yes nor no")),
        }
    }

    /// An order, also one in the trash; `None` when there is none.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn order(&self, id: u64) -> Result<Option<Value>, ChannelError> {
        self.object(&format!("wc/v3/orders/{id}"), id, &["woocommerce_rest_shop_order_invalid_id"])
            .await
    }

    /// A product or a variation, which WooCommerce answers at this address too; `None` when there is
    /// none.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn product(&self, id: u64) -> Result<Option<Value>, ChannelError> {
        self.object(&format!("wc/v3/products/{id}"), id, &["woocommerce_rest_product_invalid_id"])
            .await
    }

    /// A variation of the product `parent`; `None` when that product has none of this id.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn variation(&self, parent: u64, id: u64) -> Result<Option<Value>, ChannelError> {
        let route = format!("wc/v3/products/{parent}/variations/{id}");
        self.object(&route, id, &["woocommerce_rest_product_variation_invalid_id"]).await
    }

    /// A registered customer; `None` when there is none.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn customer(&self, id: u64) -> Result<Option<Value>, ChannelError> {
        // The first since 10.0, the second before.
        let gone = ["wc_user_invalid_id", "woocommerce_rest_invalid_id"];
        self.object(&format!("wc/v3/customers/{id}"), id, &gone).await
    }

    /// All refunds of an order with their lines, ascending by id; empty for an order that is gone.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn refunds(&self, order: u64) -> Result<Vec<Value>, ChannelError> {
        let route = format!("wc/v3/orders/{order}/refunds");
        let (mut refunds, mut reach) = (BTreeMap::new(), Reach::default());
        for _ in 0..MAX_REFUND_PAGES {
            let query = PageQuery { offset: reach.offset(), ..PageQuery::default() };
            let answer = self.get(&route, &query.paging(), MAX_PAGE_BYTES).await?;
            let mut page = Page::read(answer, query.per_page)?;
            let met = reach.meet(&mut page, query.per_page)?;
            for refund in page.items {
                refunds.insert(shape::identified(&refund)?, refund);
            }
            if met == Met::Last {
                return Ok(refunds.into_values().collect());
            }
        }
        Err(wrong("an order with more than a thousand refunds"))
    }

    /// What our plugin says of itself (`wc-nexpura/v1/status`); `None` where it is not installed.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn status(&self) -> Result<Option<Value>, ChannelError> {
        match self.get("wc-nexpura/v1/status", &[], MAX_OBJECT_BYTES).await {
            Ok(answer) if answer.body.is_object() => Ok(Some(answer.body)),
            Ok(_) => Err(wrong("not an object")),
            Err(refusal) => gone(refusal, &["rest_no_route"]),
        }
    }

    /// One page of a listing.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn page(&self, listing: Listing, query: &PageQuery) -> Result<Page, ChannelError> {
        let query = PageQuery { per_page: query.per_page.clamp(1, MAX_PER_PAGE), ..*query };
        if listing == Listing::Customers && query.trashed {
            return Ok(Page { items: Vec::new(), total: 0, slow: 0 });
        }
        let mut parameters = query.paging();
        let route = listing.route();
        if listing == Listing::Customers {
            parameters.push(("role", "customer".to_owned()));
        } else {
            let status = if query.trashed { "trash" } else { "any" };
            parameters.push(("status", status.to_owned()));
            if let Some(moment) = query.modified_after {
                parameters.push(("modified_after", as_gmt(moment)));
                parameters.push(("dates_are_gmt", "true".to_owned()));
            }
        }
        let answer = self.get(&route, &parameters, MAX_PAGE_BYTES).await?;
        Page::read(answer, query.per_page)
    }

    async fn object(
        &self,
        route: &str,
        id: u64,
        gone_codes: &[&str],
    ) -> Result<Option<Value>, ChannelError> {
        match self.get(route, &[], MAX_OBJECT_BYTES).await {
            Ok(Answer { body, .. }) => match shape::identified(&body)? {
                answered if answered == id => Ok(Some(body)),
                _ => Err(wrong("another id than was asked for")),
            },
            Err(refusal) => gone(refusal, gone_codes),
        }
    }
}

impl PageQuery {
    /// Ascending by id, so that what is added meanwhile shifts no page; what leaves does (see [`Reach`]).
    fn paging(&self) -> Vec<(&'static str, String)> {
        vec![
            ("offset", self.offset.to_string()),
            ("per_page", self.per_page.to_string()),
            ("orderby", "id".to_owned()),
            ("order", "asc".to_owned()),
        ]
    }
}

impl Page {
    pub(super) fn read(answer: Answer, per_page: u32) -> Result<Self, ChannelError> {
        let Value::Array(items) = answer.body else {
            return Err(wrong("not a list"));
        };
        if items.len() > per_page as usize {
            return Err(wrong("more things than asked for"));
        }
        for item in &items {
            shape::identified(item)?;
        }
        let slow = answer.clock_ahead.map_or(0, |ahead| (-ahead).clamp(0, SLOWEST));
        Ok(Self { items, total: count(&answer.headers, "x-wp-total")?, slow })
    }
}

impl SystemStatus {
    fn read(raw: Value) -> Result<Self, ChannelError> {
        let text = |pointer: &str| {
            let value = raw.pointer(pointer).and_then(Value::as_str).unwrap_or_default().trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let needed = |pointer: &str| {
            text(pointer).ok_or_else(|| wrong(&format!("a system status without {pointer}")))
        };
        Ok(Self {
            home_url: needed("/environment/home_url")?,
            store_id: text("/environment/store_id"),
            wordpress: needed("/environment/wp_version")?,
            woocommerce: needed("/environment/version")?,
            currency: needed("/settings/currency")?,
            hpos: raw.pointer("/settings/HPOS_enabled").and_then(Value::as_bool),
            raw,
        })
    }
}

/// A 404 with WooCommerce's own code for "no such thing" is an answer; any other refusal is an error.
fn gone(refusal: Refusal, codes: &[&str]) -> Result<Option<Value>, ChannelError> {
    let known = refusal.code.as_deref().is_some_and(|code| codes.contains(&code));
    if refusal.error == ChannelError::NotFound && known { Ok(None) } else { Err(refusal.error) }
}

fn count(headers: &HeaderMap, name: &str) -> Result<u64, ChannelError> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| wrong(&format!("a list without the header {name}")))
}

/// A moment as `modified_after` takes it.
///
/// Without a time zone: WordPress would turn one with into the site's local time and then compare that
/// with GMT (`WP_Date_Query::build_mysql_datetime`). Even so it reads it as the site's local time and
/// writes it back, which moves a time that the site's clocks skip in spring an hour ahead. Clocks are
/// set on Fridays to Sundays, so on these days the hour before is asked for too.
fn as_gmt(moment: DateTime<Utc>) -> String {
    let skips = matches!(moment.weekday(), Weekday::Fri | Weekday::Sat | Weekday::Sun);
    let moment = if skips { moment - TimeDelta::hours(1) } else { moment };
    moment.format("%Y-%m-%dT%H:%M:%S").to_string()
}

fn wrong(what: &str) -> ChannelError {
    ChannelError::WrongShape(what.to_owned())
}
