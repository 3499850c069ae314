//! What a stranger, a broken sender or a compromised shop may send: each gets its answer, none changes the books.

use anyhow::{Context, Result};
use futures::future::try_join_all;
use nexpura_tests::{
    push::{Sender, event},
    relay::Database,
    shop::{Shop, checkout::Payment},
    town::Town,
};
use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};

/// A town with one sale, and a sender that knows its connection's secret.
async fn town() -> Result<(Town, Sender, u64)> {
    let town = Town::open(Shop::builder(), Database::Sqlite).await?;
    let ring = town.shop.add_product("RING-1", "75.00", Some(10)).await?;
    town.opened(&["RING-1"]).await?;
    let order = town.shop.checkout(&[(ring, 1)], Payment::Card).await?;
    town.agrees(order, &["RING-1"]).await?;
    let sender = Sender::new(&town.relay.http, &town.connection)?;
    Ok((town, sender, order))
}

/// Status, content type and body of an answer.
async fn told(answer: Response) -> Result<(StatusCode, String, Value)> {
    let status = answer.status();
    let kind =
        answer.headers().get(header::CONTENT_TYPE).context("no content type")?.to_str()?.to_owned();
    Ok((status, kind, answer.json().await?))
}

/// The order as WooCommerce's REST API tells it, under another id and without lines.
async fn like_an_order(town: &Town, order: u64, id: u64) -> Result<Value> {
    let code = format!(
        "return rest_do_request( new WP_REST_Request( 'GET', '/wc/v3/orders/{order}' ) )->get_data();"
    );
    let mut payload = town.shop.php(&code).await?;
    payload["id"] = json!(id);
    payload["number"] = json!(id.to_string());
    payload["order_key"] = json!(format!("wc_order_{id}"));
    payload["line_items"] = json!([]);
    Ok(payload)
}

#[tokio::test]
async fn whoever_cannot_sign_is_refused_alike() -> Result<()> {
    on_woocommerce!();
    let (town, sender, _) = town().await?;
    let heartbeat = serde_json::to_vec(&sender.batch(1, &[]))?;
    let accepted = sender.send(heartbeat.clone()).await?;
    assert_eq!(accepted.status(), StatusCode::OK, "{}", accepted.text().await?);

    let other = town.relay.connection()?;
    let wrong_key = Sender::new(&town.relay.http, &other)?.claiming(&town.connection.id);
    let unknown = sender.clone().claiming(&"0f".repeat(32));
    let mut tampered = heartbeat.clone();
    tampered.push(b' ');
    let answers = [
        wrong_key.send(heartbeat.clone()).await?,
        unknown.send(heartbeat.clone()).await?,
        sender.clone().claiming("no-connection").send(heartbeat.clone()).await?,
        sender.send_as(&heartbeat, tampered).await?,
        town.relay
            .http
            .post(format!("{}/v1/push", town.relay.url))
            .body(heartbeat.clone())
            .send()
            .await?,
    ];
    let mut bodies = Vec::new();
    for answer in answers {
        let (status, kind, body) = told(answer).await?;
        assert_eq!(
            (status, kind.as_str()),
            (StatusCode::UNAUTHORIZED, "application/problem+json"),
            "{body}"
        );
        bodies.push(body);
    }
    assert!(
        bodies.iter().all(|body| *body == bodies[0]),
        "a stranger learns which it was: {bodies:?}"
    );
    assert_eq!(bodies[0]["type"], "about:blank");

    for off in [-301, 302] {
        let mut wrong_clock = sender.clone();
        wrong_clock.clock_ahead = off;
        let answer = wrong_clock.send(heartbeat.clone()).await?;
        assert!(answer.headers().contains_key(header::DATE), "nothing to correct the clock by");
        let (status, _, body) = told(answer).await?;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(
            body["type"].as_str().is_some_and(|kind| kind.ends_with("/stale-timestamp")),
            "{body}"
        );
    }
    Ok(())
}

/// A push whose payload is a list in a list in a list.
fn nested(sender: &Sender, depth: usize) -> Result<String> {
    let push = sender.batch(1, &[event("order.updated", 1, &json!("here"), 1)]);
    let list = "[".repeat(depth) + &"]".repeat(depth);
    Ok(serde_json::to_string(&push)?.replacen("\"here\"", &list, 1))
}

#[tokio::test]
async fn garbage_is_refused_with_the_place_and_size() -> Result<()> {
    on_woocommerce!();
    let (town, sender, _) = town().await?;
    let before = town.relay.events(None).await?.len();
    for (garbage, place) in [
        (b"".to_vec(), "line 1"),
        (b"\xff\xfe{".to_vec(), "line 1"),
        (b"{\"spool\": 5".to_vec(), "line 1 column"),
        (b"[]".to_vec(), "malformed"),
        (
            serde_json::to_vec(
                &json!({ "spool": "x", "events": [], "state": { "unsent": 0, "open_intents": 0 } }),
            )?,
            "spool",
        ),
        (serde_json::to_vec(&sender.batch(1, &[json!({ "id": "1" })]))?, "events[0].id"),
    ] {
        let (status, _, body) = told(sender.send(garbage.clone()).await?).await?;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        let detail = body["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(place), "{detail:?} does not name the place ({place})");
    }
    let many: Vec<Value> =
        (0..101).map(|n| event("order.updated", 1 + n, &Value::Null, 1)).collect();
    let (status, _, body) =
        told(sender.send(serde_json::to_vec(&sender.batch(1, &many))?).await?).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");

    let large = sender.send(vec![b' '; 1024 * 1024 + 1]).await?;
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(town.relay.events(None).await?.len(), before, "garbage was kept");

    // What only one event is to blame for is that event's failure.
    let deep = nested(&sender, 20_000)?.into_bytes();
    let (status, _, body) = told(sender.send(deep).await?).await?;
    assert_eq!(status, StatusCode::OK, "{body}");
    let result = &body["results"][0];
    assert_eq!(result["status"], "failed");
    assert!(result["detail"].as_str().unwrap_or_default().contains("recursion limit"), "{body}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_applied_is_kept_and_stops_nothing() -> Result<()> {
    on_woocommerce!();
    let (town, sender, order) = town().await?;
    let mut broken = like_an_order(&town, order, 900_001).await?;
    broken["total"] = json!("a lot");
    let sound = like_an_order(&town, order, 900_002).await?;
    let events =
        [event("order.created", 900_001, &broken, 1), event("order.created", 900_002, &sound, 1)];
    let push = serde_json::to_vec(&sender.batch(1, &events))?;
    let (status, _, answer) = told(sender.send(push.clone()).await?).await?;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let verdict =
        |answer: &Value, at: usize| answer["results"][at]["status"].as_str().map(str::to_owned);
    assert_eq!(verdict(&answer, 0).as_deref(), Some("failed"), "{answer}");
    assert_eq!(verdict(&answer, 1).as_deref(), Some("applied"), "{answer}");
    assert_eq!(answer["ack"], 2);
    assert!(town.relay.sale(900_001).await?.is_none());
    assert!(town.relay.sale(900_002).await?.is_some());

    // Sent again, as after an answer that was lost.
    let (_, _, again) = told(sender.send(push).await?).await?;
    assert_eq!(verdict(&again, 0).as_deref(), Some("duplicate"), "{again}");
    assert_eq!(verdict(&again, 1).as_deref(), Some("duplicate"), "{again}");

    let id = events[0]["id"].as_str().context("no id")?;
    let kept = town.relay.get("/api/events").await?.to_string();
    assert!(kept.contains(id), "{kept}");
    let (status, answer) =
        town.relay.ask(reqwest::Method::POST, &format!("/api/events/{id}/retry"), None).await?;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    town.stock_agrees(&["RING-1"]).await
}

#[tokio::test]
async fn a_flood_is_told_to_wait_and_others_are_not_hindered() -> Result<()> {
    on_woocommerce!();
    let (town, sender, _) = town().await?;
    let heartbeat = serde_json::to_vec(&sender.batch(1, &[]))?;
    let mut slowed = 0;
    for answer in try_join_all((0..400).map(|_| sender.send(heartbeat.clone()))).await? {
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            let wait = answer.headers().get(header::RETRY_AFTER).context("no Retry-After")?;
            assert!(wait.to_str()?.parse::<u64>()? >= 1);
            slowed += 1;
        } else {
            assert_eq!(answer.status(), StatusCode::OK);
        }
    }
    assert!(slowed > 0, "400 requests at once were all taken");
    // Another of the tenant's credentials still gets its answers.
    assert_eq!(town.relay.sales().await?.len(), 1);
    Ok(())
}
