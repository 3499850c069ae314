//! How a run gets on, told by server-sent events until it has ended.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::{
    shop::{Shop, Stock, server::Town},
    support::{connected::Connected, on_both},
};

const WOO: &str = "/api/integrations/woocommerce";

/// A stream of events as it comes in.
struct Events {
    answer: Response,
    unread: String,
}

impl Events {
    /// Name and data of the next event; nothing at the end of the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                };
                let told = field("event: ").zip(field("data: "));
                self.unread = rest.to_owned();
                match told {
                    Some((name, data)) => {
                        return Some((name, serde_json::from_str(&data).unwrap()));
                    }
                    // A comment that keeps the connection alive.
                    None => continue,
                }
            }
            let more = self.answer.chunk().await.unwrap()?;
            self.unread.push_str(std::str::from_utf8(&more).unwrap());
        }
    }
}

on_both! {
    async fn a_run_tells_how_it_gets_on_until_it_has_ended(relay: TestRelay) {
        let mut shop = Shop::new();
        for n in 0..5 {
            shop.simple(&format!("RING-{n}"), 1);
        }
        shop.product(None, "simple", None, Stock::Own(2));
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        let served = relay.serve().await;
        let begun = json!({ "store": shop.fake.home });
        let begun = served.api.post(&format!("{WOO}/sync/products"), &shop.token, &begun).await.ok();
        let id = begun["run_id"].as_str().expect("the run's id");
        let progress = begun["progress"].as_str().expect("where its progress is told");
        assert_eq!(progress, format!("/api/runs/{id}/progress"));
        let open = async || {
            let request = served.api.request(Method::GET, progress);
            let answer = request.bearer_auth(&shop.token).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.headers()["content-type"], "text/event-stream");
            assert_eq!(answer.headers()["x-accel-buffering"], "no");
            Events { answer, unread: String::new() }
        };
        let mut events = open().await;
        let (name, run) = events.next().await.expect("how it stands");
        assert_eq!((name.as_str(), &run["id"], &run["seen"]), ("progress", &json!(id), &json!(0)));
        assert_eq!(run["finished_at"], json!(null));

        while shop.run_sweep().await {}
        let mut last = run;
        let mut ended = false;
        while let Some((name, run)) = events.next().await {
            assert!(!ended, "nothing comes after the end: {run}");
            assert_ne!(run, last, "only what has moved is told");
            assert!(run["seen"].as_i64() >= last["seen"].as_i64(), "{last} then {run}");
            ended = name == "done";
            assert_eq!(run["finished_at"].is_null(), !ended, "{name}: {run}");
            last = run;
        }
        assert!(ended, "the stream ends with the run: {last}");
        let counts = ["seen", "synced", "skipped", "failed"].map(|name| last[name].as_i64().unwrap());
        assert_eq!(counts, [6, 5, 1, 0], "{last}");

        // Whoever comes late is told the end at once.
        let mut late = open().await;
        assert_eq!(late.next().await, Some(("done".to_owned(), last)));
        assert_eq!(late.next().await, None);
    }
}
