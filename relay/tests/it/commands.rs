//! What a person decides and looks up on the command line: the same as over the API, and in the operator's name.

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    shop::{Shop, Stock, server::Town},
    support::{
        connected::Connected, database, on_both, program::Program, pushing, relay::TestRelay,
    },
};

const ANN: &str = "Ann";

fn ann(relay: &TestRelay) -> Program<'_> {
    Program { relay, tenant: ANN }
}

/// A shop of Ann's with five rings, five bands and nine chains that are counted.
async fn counted(relay: &TestRelay) -> (Connected, [u64; 3]) {
    let mut shop = Shop::new();
    let pieces = [shop.simple("RING", 5), shop.simple("BAND", 5), shop.simple("CHAIN", 9)];
    let shop = Connected::of(&relay.relay, &Town::open().await, shop, ANN).await;
    shop.open().await;
    (shop, pieces)
}

/// Everything is read twice, with nothing to come from the spool.
async fn read(shop: &Connected) {
    for _ in 0..3 {
        shop.let_time_pass().await;
        shop.push().await;
        shop.want_sweep(true).await;
        assert!(shop.run_sweep().await);
    }
}

/// Edits stocks in the shop while an order of the last piece cannot be read, so that a person is asked.
async fn edited(shop: &Connected, edits: &[(u64, i64)], unread: u64) {
    let order = shop.unnoticed(|shop| shop.paid_order(&[(unread, 1)])).0;
    shop.fake.damage_order(order);
    for (product, units) in edits {
        shop.unnoticed(|shop| shop.set_stock(*product, *units));
    }
    read(shop).await;
    shop.fake.repair();
    shop.make_due().await;
    shop.fetch().await;
}

/// The row of a piece in a list.
fn of<'a>(list: &'a Value, sku: &str) -> &'a Value {
    let items = list["items"].as_array().unwrap();
    items.iter().find(|item| item["sku"] == sku).unwrap_or_else(|| panic!("no {sku}: {list}"))
}

/// What was done in whose name, the oldest first.
async fn done(relay: &TestRelay, of: &str) -> Vec<Vec<String>> {
    let like = format!("SELECT action, actor FROM audit_log WHERE action LIKE '{of}%' ORDER BY id");
    relay.texts(&like).await
}

fn by_the_operator(action: &str) -> Vec<String> {
    vec![action.to_owned(), "command line".to_owned()]
}

on_both! {
    async fn what_differs_is_listed_and_decided_one_or_all(relay: TestRelay) {
        let (shop, [ring, band, chain]) = counted(&relay).await;
        let ann = ann(&relay);
        assert_eq!(ann.text(&["drift", "list"]), "Nothing differs.\n");
        edited(&shop, &[(ring, 2), (band, 0)], chain).await;

        let list = ann.json(&["drift", "list"]);
        let served = relay.serve().await;
        let api = served.api.get("/api/drift?status=held", &shop.token).await.ok();
        assert_eq!(list["items"], api["items"], "the same as over the API");
        assert_eq!(list["items"].as_array().unwrap().len(), 3, "{list}");
        for path in ["/api/drift?limit=2", "/api/drift?status=held&limit=2"] {
            let page = served.api.get(path, &shop.token).await.ok();
            let next = page["next"].as_str().expect("more");
            let rest = served.api.get(&format!("{path}&after={next}"), &shop.token).await.ok();
            let whole = [&page, &rest].map(|page| page["items"].as_array().unwrap().clone()).concat();
            assert_eq!((&json!(whole), &rest["next"]), (&list["items"], &json!(null)), "{path}");
        }
        assert_eq!(list["all"], json!({ "waiting": 3, "emptied_here": 1, "emptied_there": 0 }));
        let found = ann.json(&["drift", "list", "--find", "ban", "--store", &shop.fake.home]);
        assert_eq!(found["items"], json!([of(&list, "BAND")]));
        let text = ann.text(&["drift", "list"]);
        for said in ["LEDGER EXPECTED", "RING", "drift adopt ID --seen N", "--all --seen-at ", "of 1 of them"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        let page = ann.json(&["drift", "list", "--limit", "2"]);
        let next = page["next"].as_str().expect("more");
        let rest = ann.json(&["drift", "list", "--limit", "2", "--after", next]);
        assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &json!(null)));
        assert!(ann.refused(&["drift", "list", "--after", "!"]).contains("another page"));

        // Only what was seen is decided, and nothing without saying what that was.
        let id = of(&list, "RING")["id"].as_str().unwrap();
        assert!(ann.refused(&["drift", "adopt", id]).contains("--seen"));
        assert!(ann.refused(&["drift", "adopt", "--all"]).contains("--seen-at"));
        assert!(ann.refused(&["drift", "adopt"]).contains("required"));
        assert!(ann.refused(&["drift", "adopt", id, "--seen", "7"]).contains("have changed"));
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(5), Some(5)));
        let seen = of(&list, "RING")["changes"].to_string();
        assert_eq!(ann.json(&["drift", "adopt", id, "--seen", &seen]), json!({ "decided": 1, "left": 0 }));
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
        assert!(ann.refused(&["drift", "adopt", id, "--seen", &seen]).contains("no drift with this id"));
        let notes = relay.texts("SELECT notes FROM stock_movements WHERE movement_type = 'adjustment'").await;
        assert!(notes[0][0].ends_with("adopted on the command line"), "{notes:?}");

        // What was listed before it had these numbers is left.
        let early = "2020-01-01T00:00:00Z";
        let band_only = ["--find", "BAND", "--all", "--seen-at"];
        let none = ann.json(&[&["drift", "push"], &band_only[..], &[early]].concat());
        assert_eq!(none, json!({ "decided": 0, "left": 1 }));
        let seen_at = list["seen_at"].as_str().unwrap();
        let all = ann.text(&[&["drift", "push"], &band_only[..], &[seen_at]].concat());
        assert!(all.starts_with("1 decided: the ledger's number goes to the shop."), "{all}");
        assert_eq!(shop.listing(band).await, ("open".to_owned(), Some(0), Some(5)));
        let decided = ann.json(&["drift", "list", "--decided"]);
        assert_eq!([&of(&decided, "RING")["status"], &of(&decided, "BAND")["status"]], ["adopted", "pushed"]);
        assert!(ann.text(&["drift", "list", "--decided"]).contains("adopted  RING"));
        assert_eq!(
            done(&relay, "drift.").await,
            [by_the_operator("drift.adopted"), by_the_operator("drift.pushed")]
        );
    }
}

on_both! {
    async fn what_arrived_is_found_shown_tried_again_and_left(relay: TestRelay) {
        let (shop, [ring, ..]) = counted(&relay).await;
        let ann = ann(&relay);
        let fine = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.push().await;
        let bad = shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)])).0;
        shop.fake.damage_order(bad);
        read(&shop).await;

        let number = format!("#{fine}");
        let list = ann.json(&["event", "list", "--order", &number, "--status", "applied"]);
        let served = relay.serve().await;
        let api = served.api.get("/api/events?status=applied", &shop.token).await.ok();
        let event = &list["items"][0];
        assert!(api["items"].as_array().unwrap().contains(event), "the same as over the API: {list}");
        assert_eq!(event["resource_id"], fine);
        assert_eq!(ann.json(&["event", "list", "--order", "no"])["items"], json!([]));
        let id = event["id"].as_str().unwrap();
        let whole = ann.json(&["event", "show", id]);
        assert_eq!(whole, served.api.get(&format!("/api/events/{id}"), &shop.token).await.ok());
        assert_eq!([&whole["payload"]["id"], &whole["order_number"]], [&json!(fine), &json!(fine.to_string())]);
        assert_eq!((&whole["facts"]["rev"], &whole["unread"]), (&event_rev(&relay, id).await, &json!(false)));
        let text = ann.text(&["event", "show", id]);
        assert!(text.contains("\"line_items\"") && text.contains(&format!("order #{fine} is sale")), "{text}");

        // What failed is tried again, one or all; what can never be read is left.
        let failed = ann.json(&["event", "list", "--status", "failed"]);
        let broken = failed["items"][0]["id"].as_str().expect("what failed");
        assert!(ann.text(&["event", "show", broken]).contains("event leave"));
        let retried = "SELECT COUNT(*) FROM inbox WHERE status = 'queued' AND detail = 'to be tried again'";
        assert_eq!(ann.json(&["event", "retry", broken]), json!({ "retried": 1 }));
        assert_eq!(relay.number(retried).await, 1);
        shop.make_due().await;
        shop.fetch().await;
        let all = served.api.post("/api/events/retry", &shop.token, &json!({})).await.ok();
        assert_eq!(all, json!({ "retried": 1 }));
        shop.make_due().await;
        shop.fetch().await;
        assert_eq!(ann.json(&["event", "retry", "--all"]), json!({ "retried": 1 }));
        assert_eq!(ann.json(&["event", "retry", "--all"]), json!({ "retried": 0 }));
        shop.fetch().await;
        assert!(ann.refused(&["event", "leave", id]).contains("does not wait to be read"));
        assert!(ann.text(&["event", "leave", broken]).contains("nothing waits for it"));
        assert_eq!(ann.json(&["event", "show", broken])["left"], json!(true));
        let nobody = Uuid::new_v4().to_string();
        for words in [["event", "retry"], ["event", "leave"], ["event", "show"]] {
            let said = ann.refused(&[words[0], words[1], &nobody]);
            assert!(said.contains("no event with this id"), "{said}");
        }
        relay.run("UPDATE inbox SET resource = 'lineage' WHERE status = 'applied'").await;
        assert!(ann.refused(&["event", "retry", id]).contains("store accept"));
        assert!(ann.refused(&["event", "retry"]).contains("required"));
        assert_eq!(done(&relay, "event.retried").await, [by_the_operator("event.retried")]);
        assert_eq!(done(&relay, "order.left").await, [by_the_operator("order.left")]);
    }
}

async fn event_rev(relay: &TestRelay, id: &str) -> Value {
    let key = database::key(&relay.relay.db, id.parse().unwrap());
    json!(relay.number(&format!("SELECT rev FROM inbox WHERE event_id = {key}")).await)
}

on_both! {
    async fn runs_are_listed_by_store_and_each_shows_what_it_did_not_bring(relay: TestRelay) {
        let mut shop = Shop::new();
        shop.bare = true;
        shop.simple("RING", 5);
        for _ in 0..25 {
            shop.product(None, "simple", None, Stock::Own(2));
        }
        let town = Town::open().await;
        let shop = Connected::of(&relay.relay, &town, shop, ANN).await;
        let other = Connected::of(&relay.relay, &town, Shop::new(), ANN).await;
        let ann = ann(&relay);
        assert_eq!(ann.text(&["run", "list"]), "No run yet.\n");
        let (home, elsewhere) = (shop.fake.home.as_str(), other.fake.home.as_str());
        let brought = ann.text(&["sync", "products", "--store", home]);
        let told = ann.json(&["sync", "customers", "--store", elsewhere]);

        let list = ann.json(&["run", "list", "--store", home]);
        let kinds = |list: &Value| -> Vec<_> {
            let items = list["items"].as_array().unwrap().iter();
            items.map(|run| run["kind"].as_str().unwrap().to_owned()).filter(|kind| kind != "sweep").collect()
        };
        assert_eq!(kinds(&list), ["products"]);
        let all = ann.json(&["run", "list"]);
        assert_eq!(kinds(&all), ["customers", "products"], "the newest first");
        let served = relay.serve().await;
        assert_eq!(all, served.api.get("/api/runs", &shop.token).await.ok(), "the same as over the API");
        let api = served.api.get(&format!("/api/runs?store={home}&limit=1"), &shop.token).await.ok();
        assert_eq!(api["items"], json!([list["items"][0]]));
        let page = ann.json(&["run", "list", "--limit", "1"]);
        let next = page["next"].as_str().expect("more");
        let rest = ann.json(&["run", "list", "--after", next]);
        assert_eq!(page["items"].as_array().unwrap().len() + rest["items"].as_array().unwrap().len(),
            all["items"].as_array().unwrap().len());
        let text = ann.text(&["run", "list", "--store", elsewhere]);
        assert!(text.contains("customers") && text.contains("ended ") && !text.contains("products"), "{text}");

        let id = list["items"].as_array().unwrap().iter().find(|run| run["kind"] == "products").unwrap()["id"].clone();
        let id = id.as_str().unwrap();
        assert!(brought.ends_with(&format!("  and 5 more: see `run show {id}`\n")), "{brought}");
        let whole = ann.text(&["run", "show", id]);
        assert_eq!(whole.lines().filter(|line| line.contains(": skipped, ")).count(), 25, "{whole}");
        assert!(whole.starts_with(&format!("products of {home}, ended ")), "{whole}");
        let report = ann.json(&["run", "show", told["run"]["id"].as_str().unwrap()]);
        assert_eq!(report, told, "as it was told when it ended");
        assert!(ann.refused(&["run", "show", &Uuid::new_v4().to_string()]).contains("run list"));
    }
}

on_both! {
    async fn a_stores_policy_and_its_stops_are_a_persons_word(relay: TestRelay) {
        let (shop, _) = counted(&relay).await;
        let ann = ann(&relay);
        let home = shop.fake.home.clone();
        let store = |words: &[&str]| ann.json(&[&["store"], words, &["--store", &home]].concat());
        let policy = json!({
            "store": home, "drift": "ledger", "in_force": true, "marks": true,
            "mark_fields": false, "writable": true,
        });
        assert_eq!(store(&["policy"]), policy);
        assert_eq!(store(&["policy", "--drift", "adopt"])["drift"], "adopt");
        assert_eq!(relay.texts("SELECT drift_policy FROM integrations").await, [["adopt"]]);
        relay.run("UPDATE integrations SET mode = 'sweep'").await;
        assert_eq!(store(&["policy", "--marks", "off"])["marks"], false);
        assert_eq!(store(&["policy", "--mark-fields", "on"])["mark_fields"], true);
        let policy = json!({
            "store": home, "drift": "adopt", "in_force": false, "marks": false,
            "mark_fields": true, "writable": true,
        });
        assert_eq!(store(&["policy"]), policy);
        let said = || ann.text(&["store", "policy", "--store", &home]);
        assert!(said().contains("Nothing is marked in the shop."));
        assert_eq!(store(&["policy", "--marks", "on"])["marks"], true);
        assert!(said().contains("products and customers by a custom field"));
        relay.run("UPDATE integrations SET writable = FALSE").await;
        assert!(said().contains("its key may only read"));
        relay.run("UPDATE integrations SET writable = TRUE").await;
        assert!(ann.text(&["store", "policy", "--store", &home]).contains("until then the ledger's does"));
        let other = ann.refused(&["store", "policy", "--store", &home, "--drift", "both"]);
        assert!(other.contains("ledger, adopt"), "{other}");

        // Pushes that were stopped go on by a person's word, once.
        let resume = ["store", "resume", "--store", home.as_str()];
        assert!(ann.refused(&resume).contains("are not held"));
        pushing::adjust(&shop, "RING", "-5").await;
        let now = database::moment(&relay.relay.db, Utc::now());
        relay.run(&format!("UPDATE integrations SET held_at = {now}, held_reason = 'much would be empty'")).await;
        let list = ann.json(&["store", "list"]);
        assert_eq!(list["items"][0]["held"], "much would be empty", "{list}");
        let served = relay.serve().await;
        assert_eq!(list, served.api.get("/api/integrations", &shop.token).await.ok());
        let text = ann.text(&["store", "list"]);
        assert!(text.contains("much would be empty; then `store resume`"), "{text}");
        assert_eq!(store(&["resume"])["resumed"], true);
        assert_eq!(relay.number("SELECT COUNT(*) FROM integrations WHERE held_at IS NOT NULL").await, 0);
        assert_eq!(relay.number("SELECT COUNT(*) FROM stock_pushes WHERE approved").await, 1);

        // A store that two databases claim to be is taken up again with the one it has.
        assert!(ann.refused(&["store", "accept", "--store", &home]).contains("not halted"));
        relay.run(&format!("UPDATE integrations SET forked_at = {now}, forked_reason = 'two of them', mode = 'extension'")).await;
        assert!(ann.text(&["store", "list"]).contains("two of them; see `store accept`"));
        // The plugin has to hear of it first, where there is one.
        assert!(ann.refused(&["store", "accept", "--store", &home]).contains("could not be told"));
        relay.run("UPDATE integrations SET store_id = NULL").await;
        assert_eq!(store(&["accept"])["accepted"], true);
        assert_eq!(relay.number("SELECT COUNT(*) FROM integrations WHERE forked_at IS NOT NULL").await, 0);
        for action in ["policy.adopt", "marks.off", "mark_fields.on", "pushes.resumed", "fork.accepted"] {
            assert_eq!(done(&relay, action).await, [by_the_operator(action)]);
        }
    }
}

on_both! {
    async fn conflicts_are_listed_and_decided(relay: TestRelay) {
        let (shop, [ring, band, _]) = counted(&relay).await;
        let ann = ann(&relay);
        assert_eq!(ann.text(&["conflict", "list"]), "Nothing waits.\n");
        for piece in [ring, band] {
            shop.request(|shop| {
                let (id, marks) = shop.order(&[(piece, 2)]);
                let order = shop.orders.get_mut(&id).unwrap();
                (order.status, order.paid) = ("processing".to_owned(), Some(Utc::now()));
                (id, marks)
            });
        }
        shop.push().await;
        let list = ann.json(&["conflict", "list"]);
        let served = relay.serve().await;
        assert_eq!(list, served.api.get("/api/conflicts", &shop.token).await.ok());
        let first = served.api.get("/api/conflicts?limit=1", &shop.token).await.ok();
        let next = first["next"].as_str().expect("more");
        let second = ann.json(&["conflict", "list", "--limit", "1", "--after", next]);
        assert_eq!((&second["items"][0], &second["next"]), (&list["items"][1], &json!(null)));
        let text = ann.text(&["conflict", "list"]);
        assert!(text.contains("take or leave") && text.contains("never taken from the shop's stock"), "{text}");
        let decide = |sku: &str, decision: &str| {
            let id = of(&list, sku)["id"].as_str().unwrap().to_owned();
            ann.run(&["conflict", "decide", &id, "--decision", decision])
        };
        let unfit = decide("RING", "acknowledge");
        let said = String::from_utf8(unfit.stderr).unwrap();
        assert!(!unfit.status.success() && said.contains("take or leave"), "{said}");
        assert!(decide("RING", "take").status.success());
        assert!(decide("BAND", "leave").status.success());
        assert_eq!((shop.quantity(ring).await, shop.quantity(band).await), (3, 5));
        let again = decide("RING", "take");
        assert!(String::from_utf8(again.stderr).unwrap().contains("no conflict with this id"));
        assert!(ann.refused(&["conflict", "decide", "x", "--decision", "take"]).contains("invalid value"));
        assert_eq!(done(&relay, "conflict.").await, vec![by_the_operator("conflict.decided"); 2]);
    }
}

on_both! {
    async fn what_is_anothers_is_unknown_to_a_command(relay: TestRelay) {
        let (shop, [ring, band, chain]) = counted(&relay).await;
        let (ann, bob) = (ann(&relay), Program { relay: &relay, tenant: "Bob" });
        let mut theirs = Shop::new();
        theirs.simple("RING", 5);
        let theirs = Connected::of(&relay.relay, &Town::open().await, theirs, "Bob").await;
        theirs.open().await;
        edited(&shop, &[(ring, 2)], chain).await;
        shop.request(|shop| {
            let (id, marks) = shop.order(&[(band, 2)]);
            let order = shop.orders.get_mut(&id).unwrap();
            (order.status, order.paid) = ("processing".to_owned(), Some(Utc::now()));
            (id, marks)
        });
        let bad = shop.unnoticed(|shop| shop.paid_order(&[(chain, 1)])).0;
        shop.fake.damage_order(bad);
        read(&shop).await;

        let id = |list: Value| list["items"][0]["id"].as_str().expect("one of Ann's").to_owned();
        let failed = id(ann.json(&["event", "list", "--status", "failed"]));
        let (drift, conflict) = (id(ann.json(&["drift", "list"])), id(ann.json(&["conflict", "list"])));
        let run = id(ann.json(&["run", "list"]));
        for words in [
            &["event", "show", &failed][..],
            &["event", "retry", &failed],
            &["event", "leave", &failed],
            &["drift", "adopt", &drift, "--seen", "0"],
            &["drift", "push", &drift, "--seen", "0"],
            &["conflict", "decide", &conflict, "--decision", "take"],
            &["run", "show", &run],
        ] {
            let said = bob.refused(words);
            assert!(said.contains("with this id"), "{words:?}: {said}");
        }
        for words in [["event", "list"], ["drift", "list"], ["conflict", "list"], ["run", "list"]] {
            assert!(!bob.text(&words).contains(&shop.fake.home), "{words:?}");
        }
        // All that failed is all of one's own.
        let served = relay.serve().await;
        let retried = served.api.post("/api/events/retry", &theirs.token, &json!({})).await.ok();
        assert_eq!(retried, json!({ "retried": 0 }));
        assert_eq!(bob.json(&["event", "retry", "--all"]), json!({ "retried": 0 }));
        assert_eq!(ann.json(&["event", "show", &failed])["status"], "failed");
        assert_eq!(done(&relay, "event.").await, Vec::<Vec<String>>::new());
    }
}
