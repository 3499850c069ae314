//! What is asked for, and what a store's honest answers come to.

use std::time::Duration;

use chrono::{TimeDelta, TimeZone, Utc};
use serde_json::json;

use super::store::{KEY, SECRET, Store, client, json, page, reply};
use crate::channel::{
    ChannelError,
    woocommerce::{Listing, PageQuery, SystemStatus},
};

/// How an answer is dated.
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";
/// As recorded from WooCommerce 10.0.2: what a missing order gets.
const NO_SUCH_ORDER: &str = r#"{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}"#;

#[tokio::test]
async fn things_are_asked_for_at_their_own_addresses_with_facts() {
    let store = Store::answering(|asked| {
        let last = asked.path.rsplit('/').next().unwrap().parse().unwrap_or(0_u64);
        if last == 0 { page(&json!([]), 0, 0) } else { json(&json!({"id": last})) }
    })
    .await;
    let client = store.client();
    assert_eq!(client.order(84).await.unwrap().unwrap()["id"], 84);
    assert_eq!(client.product(20).await.unwrap().unwrap()["id"], 20);
    assert_eq!(client.variation(20, 21).await.unwrap().unwrap()["id"], 21);
    assert_eq!(client.customer(3).await.unwrap().unwrap()["id"], 3);
    assert_eq!(client.refunds(84).await.unwrap(), Vec::<serde_json::Value>::new());
    let asked = store.asked();
    let paths: Vec<_> = asked.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/wp-json/wc/v3/orders/84",
            "/wp-json/wc/v3/products/20",
            "/wp-json/wc/v3/products/20/variations/21",
            "/wp-json/wc/v3/customers/3",
            "/wp-json/wc/v3/orders/84/refunds",
        ]
    );
    for one in asked {
        assert_eq!(one.query["nexpura"], "1", "{}", one.path);
        assert_eq!(one.query["oauth_consumer_key"], KEY);
        assert!(!one.headers.contains_key("authorization"), "the key itself over http");
        assert!(one.query.values().all(|value| !value.contains(SECRET)));
    }
}

#[tokio::test]
async fn a_missing_thing_is_none_only_in_woocommerces_own_words() {
    let store = Store::answering(|asked| {
        let code = match asked.path.trim_start_matches("/wp-json/wc/v3/") {
            "orders/9" => "woocommerce_rest_shop_order_invalid_id",
            "products/9" => "woocommerce_rest_product_invalid_id",
            "products/8/variations/9" => "woocommerce_rest_product_variation_invalid_id",
            "customers/9" => "wc_user_invalid_id",
            "customers/10" => "woocommerce_rest_invalid_id",
            _ => "rest_no_route",
        };
        reply(404, &[], &NO_SUCH_ORDER.replace("woocommerce_rest_shop_order_invalid_id", code))
    })
    .await;
    let client = store.client();
    assert_eq!(client.order(9).await, Ok(None));
    assert_eq!(client.product(9).await, Ok(None));
    assert_eq!(client.variation(8, 9).await, Ok(None));
    assert_eq!(client.customer(9).await, Ok(None));
    assert_eq!(client.customer(10).await, Ok(None));
    assert_eq!(client.status().await, Ok(None));
    assert_eq!(client.order(7).await, Err(ChannelError::NotFound));
    assert_eq!(client.refunds(7).await, Err(ChannelError::NotFound));
    let orders = client.page(Listing::Orders, &PageQuery::default()).await;
    assert_eq!(orders, Err(ChannelError::NotFound));
}

#[tokio::test]
async fn a_listing_asks_for_every_status_in_the_order_of_ids() {
    let store = Store::answering(|_| page(&json!([{"id": 1}, {"id": 2}]), 102, 2)).await;
    let client = store.client();
    let query = PageQuery { offset: 99, ..PageQuery::default() };
    let answered = client.page(Listing::Orders, &query).await.unwrap();
    assert_eq!((answered.items.len(), answered.total), (2, 102));
    client.page(Listing::Products, &PageQuery { trashed: true, ..query }).await.unwrap();
    client.page(Listing::Variations { parent: 20 }, &query).await.unwrap();
    client.page(Listing::Customers, &PageQuery { per_page: 1000, ..query }).await.unwrap();

    let asked = store.asked();
    let paths: Vec<_> = asked.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/wp-json/wc/v3/orders",
            "/wp-json/wc/v3/products",
            "/wp-json/wc/v3/products/20/variations",
            "/wp-json/wc/v3/customers",
        ]
    );
    for one in &asked {
        let of = |name: &str| one.query.get(name).map(String::as_str);
        assert_eq!((of("offset"), of("page")), (Some("99"), None));
        assert_eq!(of("per_page"), Some("100"));
        assert_eq!((of("orderby"), of("order")), (Some("id"), Some("asc")));
        assert_eq!(of("modified_after"), None);
    }
    let statuses: Vec<_> = asked.iter().map(|one| one.query.get("status").cloned()).collect();
    assert_eq!(
        statuses,
        [Some("any".to_owned()), Some("trash".to_owned()), Some("any".to_owned()), None]
    );
    assert_eq!(asked[3].query["role"], "customer");
}

#[tokio::test]
async fn customers_have_no_trash_to_ask_for() {
    let store = Store::saying(500, "").await;
    let query = PageQuery { trashed: true, ..PageQuery::default() };
    let answered = store.client().page(Listing::Customers, &query).await.unwrap();
    assert_eq!((answered.items.len(), answered.total), (0, 0));
    assert!(store.asked().is_empty());
}

#[tokio::test]
async fn changes_are_asked_for_in_gmt_and_never_miss_an_hour_that_clocks_skip() {
    let store = Store::answering(|_| page(&json!([]), 0, 0)).await;
    let client = store.client();
    // A Wednesday, then the Sunday on which Central Europe's clocks went from 2 to 3.
    for (day, expected) in [(26, "2025-03-26T02:30:05"), (30, "2025-03-30T01:30:05")] {
        let moment = Utc.with_ymd_and_hms(2025, 3, day, 2, 30, 5).unwrap();
        let query = PageQuery { modified_after: Some(moment), ..PageQuery::default() };
        client.page(Listing::Orders, &query).await.unwrap();
        let asked = store.asked().pop().unwrap();
        assert_eq!(asked.query["modified_after"], expected);
        assert_eq!(asked.query["dates_are_gmt"], "true");
    }
}

#[tokio::test]
async fn a_page_says_how_slow_the_stores_clock_is() {
    for (date, from, to) in [
        (Some(Utc::now() - TimeDelta::hours(3)), 10_798, 10_830),
        (Some(Utc::now() + TimeDelta::hours(3)), 0, 0),
        (Utc.with_ymd_and_hms(1970, 1, 1, 0, 0, 0).single(), 316_224_000, 316_224_000),
        (None, 0, 1),
    ] {
        let told = date.map_or("soon".to_owned(), |date| date.format(HTTP_DATE).to_string());
        let store =
            Store::answering(move |_| reply(200, &[("x-wp-total", "0"), ("date", &told)], "[]"));
        let page = store.await.client().page(Listing::Orders, &PageQuery::default()).await.unwrap();
        assert!((from..=to).contains(&page.slow), "{date:?}: {}", page.slow);
    }
}

#[tokio::test]
async fn all_pages_of_an_orders_refunds_are_read() {
    let store = Store::answering(|asked| {
        let offset: u64 = asked.query["offset"].parse().unwrap();
        let refunds: Vec<_> = (offset..130).take(100).map(|n| json!({"id": 90 + n})).collect();
        page(&json!(refunds), 130, 2)
    })
    .await;
    let refunds = store.client().refunds(84).await.unwrap();
    assert_eq!(refunds, (90..220).map(|id| json!({"id": id})).collect::<Vec<_>>());
    assert_eq!(store.asked().len(), 2);
}

#[tokio::test]
async fn refunds_without_end_are_given_up() {
    let store = Store::answering(|_| page(&json!([{"id": 90}]), 9999, 9999)).await;
    let refunds = store.client().refunds(84).await;
    assert!(matches!(refunds, Err(ChannelError::WrongShape(_))), "{refunds:?}");
    assert!(store.asked().len() <= 10);
}

#[tokio::test]
async fn the_store_says_what_it_is() {
    let store = Store::answering(|_| {
        json(&json!({
            "environment": {
                "home_url": "https://shop.example", "store_id": "d5ee28ae-c1c6-4f01-8aa0-1037ab798f5a",
                "version": "10.0.2", "wp_version": "6.8.2", "php_version": "8.2.29",
            },
            "settings": {"currency": "AUD", "HPOS_enabled": true},
        }))
    })
    .await;
    let status = store.client().system_status().await.unwrap();
    let SystemStatus { home_url, store_id, wordpress, woocommerce, currency, hpos, raw } = status;
    assert_eq!(home_url, "https://shop.example");
    assert_eq!(store_id.as_deref(), Some("d5ee28ae-c1c6-4f01-8aa0-1037ab798f5a"));
    assert_eq!((wordpress.as_str(), woocommerce.as_str()), ("6.8.2", "10.0.2"));
    assert_eq!((currency.as_str(), hpos), ("AUD", Some(true)));
    assert_eq!(raw["environment"]["php_version"], "8.2.29");
    // A bare `environment` would make WooCommerce call PayPal and its own servers first.
    let fields = store.asked().pop().unwrap().query["_fields"].clone();
    assert!(fields.split(',').all(|field| field != "environment"), "{fields}");
}

#[tokio::test]
async fn whether_prices_include_tax_is_a_setting() {
    let store =
        Store::saying(200, r#"{"id":"woocommerce_prices_include_tax","value":"yes"}"#).await;
    assert_eq!(store.client().prices_include_tax().await, Ok(true));
    let path = store.asked().pop().unwrap().path;
    assert_eq!(path, "/wp-json/wc/v3/settings/tax/woocommerce_prices_include_tax");
    let store = Store::saying(200, r#"{"value":"perhaps"}"#).await;
    assert!(store.client().prices_include_tax().await.is_err());
}

#[tokio::test]
async fn our_plugin_says_what_it_is() {
    let store = Store::saying(200, r#"{"version":"0.1.0"}"#).await;
    assert_eq!(store.client().status().await, Ok(Some(json!({"version": "0.1.0"}))));
    assert_eq!(store.asked().pop().unwrap().path, "/wp-json/wc-nexpura/v1/status");
}

#[tokio::test]
async fn a_site_with_plain_permalinks_is_asked_by_parameter() {
    let store = Store::saying(200, r#"{"id":7}"#).await;
    let url = store.url("fine");
    let root = format!("{url}/index.php?rest_route=/");
    let url = url.with_rest_root(&root).unwrap();
    client(url, Duration::from_secs(30)).order(7).await.unwrap();
    let asked = store.asked().pop().unwrap();
    assert_eq!(asked.path, "/fine/index.php");
    assert_eq!(asked.query["rest_route"], "/wc/v3/orders/7");
    assert_eq!(asked.query["nexpura"], "1");
    assert!(asked.query.contains_key("oauth_signature"));
}
