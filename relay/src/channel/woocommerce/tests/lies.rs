//! Stores that fail, lie, stall or say something else: each is told apart, none does harm.

use std::{
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use futures::stream;
use serde_json::json;

use super::store::{KEY, SECRET, Store, client, json, page, reply};
use crate::channel::{
    ChannelError,
    woocommerce::{Listing, PageQuery},
};

const PAGE: PageQuery = PageQuery { offset: 0, per_page: 2, modified_after: None, trashed: false };

#[tokio::test]
async fn each_status_has_its_own_error() {
    for (status, body, expected) in [
        (401, r#"{"code":"woocommerce_rest_authentication_error"}"#, ChannelError::Unauthorized),
        (401, "<html>Unauthorized</html>", ChannelError::Unauthorized),
        (403, r#"{"code":"woocommerce_rest_cannot_view"}"#, ChannelError::Forbidden),
        (403, "<html>Blocked by firewall</html>", ChannelError::Forbidden),
        (404, "<html>Not Found</html>", ChannelError::NotFound),
        (404, r#"{"code":"rest_no_route"}"#, ChannelError::NotFound),
        (404, "{}", ChannelError::NotFound),
        (
            400,
            r#"{"code":"rest_invalid_param"}"#,
            ChannelError::Rejected { status: 400, code: "rest_invalid_param".into() },
        ),
        (406, "<html>", ChannelError::Rejected { status: 406, code: "no code".into() }),
        (500, r#"{"code":"internal_server_error"}"#, ChannelError::Server { status: 500 }),
        (
            503,
            "<html>Briefly unavailable for scheduled maintenance</html>",
            ChannelError::Server { status: 503 },
        ),
        (599, "", ChannelError::Server { status: 599 }),
        (200, "<html>Log in</html>", ChannelError::NotJson),
        (200, "", ChannelError::NotJson),
        (204, "", ChannelError::NotJson),
    ] {
        let store = Store::saying(status, body).await;
        assert_eq!(store.client().order(7).await, Err(expected), "{status} {body}");
    }
}

#[tokio::test]
async fn an_answer_of_the_wrong_shape_is_no_thing() {
    for body in [
        "[]",
        "{}",
        r#"{"id":"7"}"#,
        r#"{"id":-7}"#,
        r#"{"id":7.5}"#,
        r#"{"id":8}"#,
        r#"[{"id":7}]"#,
        r#"{"code":"woocommerce_rest_shop_order_invalid_id","data":{"status":404}}"#,
    ] {
        let store = Store::saying(200, body).await;
        let order = store.client().order(7).await;
        assert!(matches!(order, Err(ChannelError::WrongShape(_))), "{body}: {order:?}");
    }
}

#[tokio::test]
async fn a_page_of_the_wrong_shape_is_no_page() {
    let counted = [("x-wp-total", "1")];
    for (headers, body) in [
        (&counted[..], "{}"),
        (&counted[..], r#"{"0":{"id":1}}"#),
        (&counted[..], "[1]"),
        (&counted[..], r#"[{"id":1},null]"#),
        (&counted[..], r#"[{"name":"ring"}]"#),
        (&counted[..], r#"[{"id":1},{"id":2},{"id":3}]"#),
        (&counted[..0], r#"[{"id":1}]"#),
        (&[("x-wp-total", "many")][..], r#"[{"id":1}]"#),
        (&[("x-wp-total", "-1")][..], r#"[{"id":1}]"#),
    ] {
        let owned: Vec<(String, String)> =
            headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let store = Store::answering(move |_| {
            let headers: Vec<_> = owned.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            reply(200, &headers, body)
        })
        .await;
        let answered = store.client().page(Listing::Orders, &PAGE).await;
        assert!(matches!(answered, Err(ChannelError::WrongShape(_))), "{body}: {answered:?}");
    }
}

#[tokio::test]
async fn a_system_status_without_its_versions_is_refused() {
    for body in [
        json!({}),
        json!([]),
        json!({"environment": {"version": 10, "wp_version": "6.8", "home_url": "https://x.example"}, "settings": {"currency": "EUR"}}),
        json!({"environment": {"version": "10.0.2", "wp_version": "6.8", "home_url": "https://x.example"}}),
        json!({"environment": {"version": "10.0.2", "wp_version": "", "home_url": "https://x.example"}, "settings": {"currency": "EUR"}}),
    ] {
        let text = body.to_string();
        let store = Store::answering(move |_| json(&body)).await;
        let status = store.client().system_status().await;
        assert!(matches!(status, Err(ChannelError::WrongShape(_))), "{text}: {status:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_told_without_its_query_and_not_followed() {
    for (location, shown) in [
        (
            "https://www.shop.example/wp-json/wc/v3/orders/7?oauth_nonce=1#x",
            "https://www.shop.example/wp-json/wc/v3/orders/7",
        ),
        ("https://user:pass@www.shop.example/", "https://www.shop.example/"),
        ("javascript:alert(1)", "an unknown address"),
        ("", "an unknown address"),
    ] {
        let store = Store::answering(move |_| {
            let header = [("location", location)];
            reply(301, if location.is_empty() { &[] } else { &header }, "<html>moved</html>")
        })
        .await;
        let expected = ChannelError::Redirected { location: shown.to_owned() };
        assert_eq!(store.client().order(7).await, Err(expected));
        assert_eq!(store.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_store_that_asks_for_quiet_gets_it() {
    let store = Store::answering(|_| reply(429, &[("retry-after", "120")], "")).await;
    let client = store.client();
    let wanted = Some(Duration::from_secs(120));
    assert_eq!(client.order(7).await, Err(ChannelError::RateLimited { retry_after: wanted }));
    let again = client.order(7).await;
    let Err(ChannelError::RateLimited { retry_after: Some(left) }) = again else {
        panic!("{again:?}");
    };
    assert!(left > Duration::from_secs(100) && left <= Duration::from_secs(120), "{left:?}");
    assert_eq!(store.asked().len(), 1, "the store was asked during its pause");
}

#[tokio::test]
async fn a_date_to_come_back_at_is_understood_and_a_far_one_is_cut() {
    let soon = (chrono::Utc::now() + chrono::TimeDelta::seconds(600)).to_rfc2822();
    let soon = soon.replace("+0000", "GMT");
    let store = Store::answering(move |_| reply(503, &[("retry-after", &soon)], "")).await;
    let client = store.client();
    assert_eq!(client.order(7).await, Err(ChannelError::Server { status: 503 }));
    let again = client.order(7).await;
    assert!(matches!(again, Err(ChannelError::RateLimited { .. })), "{again:?}");

    let store = Store::answering(|_| reply(429, &[("retry-after", "99999999")], "")).await;
    let hour = Some(Duration::from_secs(3600));
    assert_eq!(store.client().order(7).await, Err(ChannelError::RateLimited { retry_after: hour }));
    let store = Store::answering(|_| reply(429, &[("retry-after", "soon")], "")).await;
    assert_eq!(store.client().order(7).await, Err(ChannelError::RateLimited { retry_after: None }));
}

#[tokio::test]
async fn json_that_breaks_off_may_be_asked_for_again() {
    let store = Store::saying(200, r#"{"id":7,"line_items":[{"id":1},"#).await;
    let error = store.client().order(7).await.unwrap_err();
    assert!(matches!(error, ChannelError::Unreachable(_)), "{error:?}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn json_without_end_is_dropped() {
    let store = Store::answering(|_| {
        let some = r#"{"id":1,"name":"ring"},"#.repeat(1000);
        let values = stream::repeat_with(move || Ok::<_, std::io::Error>(some.clone()));
        axum::response::Response::new(Body::from_stream(values))
    })
    .await;
    assert_eq!(store.client().order(7).await, Err(ChannelError::TooLarge));
    assert_eq!(store.client().page(Listing::Orders, &PAGE).await, Err(ChannelError::TooLarge));
}

#[tokio::test]
async fn json_too_deep_or_with_too_many_values_is_not_built() {
    for body in ["[".repeat(1_000_000), format!("{{\"id\":7,\"x\":[{}0]}}", "0,".repeat(900_000))] {
        let store = Store::answering(move |_| reply(200, &[], &body)).await;
        let order = store.client().order(7).await;
        assert!(matches!(order, Err(ChannelError::WrongShape(_))), "{order:?}");
    }
}

#[tokio::test]
async fn json_that_drips_ends_at_the_deadline() {
    let store = Store::answering(|_| {
        let drops = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Ok::<_, std::io::Error>("[0,"), ()))
        });
        axum::response::Response::new(Body::from_stream(drops))
    })
    .await;
    let impatient = client(store.url(""), Duration::from_millis(700));
    assert_eq!(impatient.order(7).await, Err(ChannelError::Timeout));
}

#[tokio::test]
async fn a_refusal_with_an_endless_body_is_still_that_refusal() {
    let store = Store::answering(|_| {
        let drops = stream::repeat_with(|| Ok::<_, std::io::Error>("<html>".repeat(1000)));
        let mut response = axum::response::Response::new(Body::from_stream(drops));
        *response.status_mut() = axum::http::StatusCode::FORBIDDEN;
        response
    })
    .await;
    assert_eq!(store.client().order(7).await, Err(ChannelError::Forbidden));
}

#[tokio::test]
async fn a_shop_with_a_wrong_clock_is_met_at_its_own_time() {
    let shop_is_ahead = 3 * 3600;
    let store = Store::answering(move |asked| {
        let now = chrono::Utc::now().timestamp() + shop_is_ahead;
        let given: i64 = asked.query["oauth_timestamp"].parse().unwrap();
        if (given - now).abs() < 15 * 60 {
            return page(&json!([{"id": 1}]), 1, 1);
        }
        let date = chrono::DateTime::from_timestamp(now, 0).unwrap().to_rfc2822();
        let body = r#"{"code":"woocommerce_rest_authentication_error"}"#;
        reply(401, &[("date", &date.replace("+0000", "GMT"))], body)
    })
    .await;
    assert!(store.client().page(Listing::Orders, &PAGE).await.is_ok());
    assert_eq!(store.asked().len(), 2);
    assert!(store.client().page(Listing::Orders, &PAGE).await.is_ok());
    assert_eq!(store.asked().len(), 3, "the shop's time was forgotten");
}

#[tokio::test]
async fn a_shop_whose_clock_was_put_right_is_met_again() {
    let ahead = Arc::new(AtomicI64::new(3 * 3600));
    let shop = Arc::clone(&ahead);
    let store = Store::answering(move |asked| {
        let now = chrono::Utc::now().timestamp() + shop.load(Ordering::SeqCst);
        let given: i64 = asked.query["oauth_timestamp"].parse().unwrap();
        if (given - now).abs() < 15 * 60 {
            return page(&json!([{"id": 1}]), 1, 1);
        }
        // The second time without a date to go by.
        let date = match shop.load(Ordering::SeqCst) {
            0 => "never".to_owned(),
            _ => chrono::DateTime::from_timestamp(now, 0).unwrap().to_rfc2822(),
        };
        let body = r#"{"code":"woocommerce_rest_authentication_error"}"#;
        reply(401, &[("date", &date)], body)
    })
    .await;
    assert!(store.client().page(Listing::Orders, &PAGE).await.is_ok());
    ahead.store(0, Ordering::SeqCst);
    assert!(store.client().page(Listing::Orders, &PAGE).await.is_ok());
    assert_eq!(store.asked().len(), 4);
}

#[tokio::test]
async fn a_store_with_a_new_clock_at_each_answer_is_given_up() {
    let lies = AtomicI64::new(0);
    let store = Store::answering(move |_| {
        let lie = lies.fetch_add(86_400, Ordering::SeqCst);
        let date = chrono::DateTime::from_timestamp(1_000_000_000 + lie, 0).unwrap().to_rfc2822();
        let body = r#"{"code":"woocommerce_rest_authentication_error"}"#;
        reply(401, &[("date", &date)], body)
    })
    .await;
    assert_eq!(store.client().order(7).await, Err(ChannelError::Unauthorized));
    assert!(store.asked().len() <= 5, "{}", store.asked().len());
}

#[tokio::test]
async fn a_wrong_key_is_not_tried_for_ever() {
    let store = Store::saying(401, r#"{"code":"woocommerce_rest_authentication_error"}"#).await;
    assert_eq!(store.client().order(7).await, Err(ChannelError::Unauthorized));
    assert_eq!(store.asked().len(), 1);
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_tells_which_store_and_route_and_never_a_key_or_a_query() {
    let captured = Captured::default();
    let writer = captured.clone();
    // While one subscriber alone exists, tracing asks the thread that meets a log line first whether
    // anybody listens, and another test's thread would answer no for all. A second one prevents that.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().finish());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let log = tracing::subscriber::set_default(subscriber);
    let good = Store::saying(200, r#"{"id":7}"#).await;
    let bad = Store::saying(500, "secret body").await;
    good.client().order(7).await.unwrap();
    let error = bad.client().order(7).await.unwrap_err();
    drop(log);

    let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| line.contains("asked the store")).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains(&format!("127.0.0.1:{}", good.port)), "{text}");
    assert!(lines[0].contains("wc/v3/orders/7") && lines[0].contains("200"), "{text}");
    assert!(lines[1].contains("500"), "{text}");
    for secret in [KEY, SECRET, "oauth_", "nexpura=1", "secret body"] {
        assert!(!text.contains(secret), "{secret} in {text}");
        assert!(!format!("{error} {error:?} {:?}", good.client()).contains(secret), "{secret}");
    }
}
