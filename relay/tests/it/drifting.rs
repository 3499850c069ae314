//! A drift that waits for a person is decided by what is true when the person decides.

use chrono::{TimeDelta, Utc};
use nexpura_protocol::{Resource, Verb};
use nexpura_relay::{
    service::{drift, leave},
    store,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    shop::{Mark, Shop, server::Town},
    support::{
        api::Reply,
        connected::Connected,
        database, on_both,
        relay::{Served, TestRelay},
    },
};

async fn counted(relay: &TestRelay) -> (Connected, u64, u64) {
    let mut shop = Shop::new();
    let (ring, band) = (shop.simple("RING", 5), shop.simple("BAND", 5));
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    (shop, ring, band)
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

/// An order of which nobody has told, and that nobody can read.
async fn unreadable_order(shop: &Connected, product: u64) -> u64 {
    let order = shop.unnoticed(|shop| shop.paid_order(&[(product, 1)])).0;
    shop.fake.damage_order(order);
    order
}

/// How many orders the relay still asks for.
async fn unread(relay: &TestRelay) -> i64 {
    let sql = "SELECT COUNT(*) FROM resources WHERE resource = 'order' AND fetch_at IS NOT NULL";
    relay.number(sql).await
}

/// The event of what could not be read.
async fn failed_event(served: &Served, shop: &Connected) -> String {
    let list = served.api.get("/api/events?status=failed", &shop.token).await.ok();
    list["items"][0]["id"].as_str().expect("an event that failed").to_owned()
}

async fn leave_by(served: &Served, shop: &Connected, event: &str) -> Reply {
    served.api.post(&format!("/api/events/{event}/leave"), &shop.token, &json!({})).await
}

/// It can be read after all.
async fn becomes_readable(shop: &Connected) {
    shop.fake.repair();
    shop.make_due().await;
    shop.fetch().await;
}

async fn held(shop: &Connected) -> Vec<(i64, i64)> {
    let sql =
        "SELECT CAST(mirror AS TEXT), CAST(reading AS TEXT) FROM drifts WHERE status = 'held'";
    let rows = database::texts(&shop.relay.db, &format!("{sql} AND {}", shop.mine())).await;
    let units = |text: &String| text.parse::<i64>().unwrap() / 1_000;
    rows.iter().map(|row| (units(&row[0]), units(&row[1]))).collect()
}

/// A person decides the drift of this product by the numbers that are shown; gives what the API answers.
async fn decide(relay: &TestRelay, shop: &Connected, product: u64, verdict: &str) -> Reply {
    let served = relay.serve().await;
    let drift = drift_of(&served, shop, product).await;
    decide_as(&served, shop, &drift, verdict).await
}

async fn decide_as(served: &Served, shop: &Connected, drift: &Value, verdict: &str) -> Reply {
    let path = format!("/api/drift/{}/{verdict}", drift["id"].as_str().unwrap());
    served.api.post(&path, &shop.token, &json!({ "seen": drift["changes"] })).await
}

async fn drift_of(served: &Served, shop: &Connected, product: u64) -> Value {
    let list = served.api.get("/api/drift?status=held", &shop.token).await.ok();
    let items = list["items"].as_array().unwrap();
    items.iter().find(|drift| drift["stock_id"] == product).expect("a drift").clone()
}

on_both! {
    async fn an_order_that_can_be_read_at_last_is_no_edit(relay: TestRelay) {
        let (shop, ring, _) = counted(&relay).await;
        unreadable_order(&shop, ring).await;
        read(&shop).await;
        assert_eq!(held(&shop).await, [(5, 4)]);
        let refused = decide(&relay, &shop, ring, "push").await.problem(409);
        assert!(refused.contains("could not be read yet"), "{refused}");
        becomes_readable(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(4), Some(4)));
        for verdict in ["adopt", "push"] {
            let refused = decide(&relay, &shop, ring, verdict).await.problem(409);
            assert!(refused.contains("read again"), "{refused}");
            assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(4), Some(4)));
        }
        read(&shop).await;
        assert_eq!(held(&shop).await, []);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(4), Some(4)));
    }
}

on_both! {
    async fn an_order_that_can_be_read_is_no_edit_without_anybodys_word_either(relay: TestRelay) {
        let (shop, ring, _) = counted(&relay).await;
        unreadable_order(&shop, ring).await;
        read(&shop).await;
        becomes_readable(&shop).await;
        read(&shop).await;
        assert_eq!(held(&shop).await, []);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(4), Some(4)));
    }
}

on_both! {
    async fn what_was_put_right_in_the_shop_is_not_put_right_again(relay: TestRelay) {
        let (shop, ring, band) = counted(&relay).await;
        unreadable_order(&shop, band).await;
        shop.unnoticed(|shop| shop.set_stock(ring, 0));
        read(&shop).await;
        assert_eq!(held(&shop).await.len(), 2);
        becomes_readable(&shop).await;
        shop.act(|shop| shop.set_stock(ring, 5));
        shop.push().await;
        for product in [ring, band] {
            let refused = decide(&relay, &shop, product, "push").await.problem(409);
            assert!(refused.contains("read again"), "{refused}");
        }
        assert_eq!(shop.listing(ring).await.1, Some(5), "five more than there are");
        read(&shop).await;
        assert_eq!(held(&shop).await, []);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(5), Some(5)));
        let over = "SELECT status, reason FROM drifts WHERE reading = 0";
        let over = relay.texts(over).await;
        assert_eq!(over[0][0], "void");
        assert!(over[0][1].contains("has what the ledger expects"), "{over:?}");
    }
}

on_both! {
    async fn what_nothing_has_moved_since_is_decided_at_once(relay: TestRelay) {
        let (shop, ring, band) = counted(&relay).await;
        unreadable_order(&shop, band).await;
        shop.unnoticed(|shop| shop.set_stock(ring, 2));
        read(&shop).await;
        becomes_readable(&shop).await;
        assert_eq!(decide(&relay, &shop, ring, "adopt").await.body, "");
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
        assert_eq!(held(&shop).await, [(5, 4)], "the other one");
    }
}

on_both! {
    async fn other_numbers_than_were_seen_are_not_decided(relay: TestRelay) {
        let (shop, ring, band) = counted(&relay).await;
        unreadable_order(&shop, band).await;
        shop.unnoticed(|shop| shop.set_stock(ring, 2));
        read(&shop).await;
        let served = relay.serve().await;
        let seen = drift_of(&served, &shop, ring).await;
        // Read once more, and nothing is new.
        read(&shop).await;
        let again = drift_of(&served, &shop, ring).await;
        assert_eq!(again["changes"], seen["changes"]);
        assert_eq!(again["created_at"], seen["created_at"], "the same is no younger");
        // Edited once more, and nobody has noticed.
        shop.unnoticed(|shop| shop.set_stock(ring, 9));
        read(&shop).await;
        becomes_readable(&shop).await;
        let refused = decide_as(&served, &shop, &seen, "adopt").await.problem(409);
        assert!(refused.contains("numbers have changed"), "{refused}");
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(5), Some(5)));
        let fresh = drift_of(&served, &shop, ring).await;
        assert_eq!([&fresh["expected"], &fresh["found"]], ["5", "9"]);
        assert_ne!(fresh["created_at"], seen["created_at"], "since these numbers are there");
        assert_eq!(decide_as(&served, &shop, &fresh, "adopt").await.body, "");
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(9), Some(9)));
    }
}

on_both! {
    async fn what_is_being_read_is_not_decided_by_half_a_reading(relay: TestRelay) {
        let (shop, ring, band) = counted(&relay).await;
        unreadable_order(&shop, band).await;
        shop.unnoticed(|shop| shop.set_stock(ring, 2));
        read(&shop).await;
        becomes_readable(&shop).await;
        // Edited once more, and so far it is seen once.
        shop.unnoticed(|shop| shop.set_stock(ring, 9));
        shop.let_time_pass().await;
        shop.want_sweep(true).await;
        assert!(shop.run_sweep().await);
        let refused = decide(&relay, &shop, ring, "adopt").await.problem(409);
        assert!(refused.contains("read again"), "{refused}");
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(5), Some(5)));
    }
}

on_both! {
    async fn an_order_that_can_never_be_read_is_left_and_nothing_waits_for_it(relay: TestRelay) {
        let (shop, ring, _) = counted(&relay).await;
        let order = unreadable_order(&shop, ring).await;
        read(&shop).await;
        assert_eq!(held(&shop).await, [(5, 4)]);
        let refused = decide(&relay, &shop, ring, "adopt").await.problem(409);
        assert!(refused.contains(&format!("order #{order} of this store")), "{refused}");
        let served = relay.serve().await;
        let event = failed_event(&served, &shop).await;
        assert_eq!(leave_by(&served, &shop, &event).await.status, 204);
        assert!(leave_by(&served, &shop, &event).await.problem(409).contains("does not wait"));
        leave_by(&served, &shop, &Uuid::new_v4().to_string()).await.problem(404);
        let told = relay.texts("SELECT status, detail FROM inbox WHERE resource = 'order'").await;
        assert!(told.iter().all(|one| one[0] == "ignored" && one[1].contains("left")), "{told:?}");
        assert_eq!(decide(&relay, &shop, ring, "adopt").await.body, "");
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(4), Some(4)));
        // A sweep shows it just as it was left.
        read(&shop).await;
        assert_eq!(unread(&relay).await, 0, "it is asked for again");
        assert!(served.api.get("/api/events?status=failed", &shop.token).await.ok()["items"] == json!([]));
        // Something new of it.
        shop.unnoticed(|shop| shop.enter(order, "completed"));
        read(&shop).await;
        assert_eq!(unread(&relay).await, 1, "what is new of it is not asked for");
        let event = failed_event(&served, &shop).await;
        assert_eq!(leave_by(&served, &shop, &event).await.status, 204);
        let verb = Verb::Updated;
        shop.spool.lock().unwrap().touch(Mark { resource: Resource::Order, id: order, verb });
        shop.push().await;
        assert_eq!(unread(&relay).await, 1, "what arrived of it is not asked for");
        becomes_readable(&shop).await;
        assert_eq!(unread(&relay).await, 0);
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 1);
        assert_eq!(relay.number("SELECT COUNT(*) FROM resources WHERE left_at IS NOT NULL").await, 0);
    }
}

on_both! {
    async fn an_order_that_is_left_while_it_is_being_read_stays_left(relay: TestRelay) {
        let (shop, ring, _) = counted(&relay).await;
        let order = unreadable_order(&shop, ring).await;
        read(&shop).await;
        let event = failed_event(&relay.serve().await, &shop).await.parse().unwrap();
        let meanwhile = shop.clone();
        shop.fake.interrupt(&format!("wc/v3/orders/{order}"), move || async move {
            let now = store::now();
            leave::leave(&meanwhile.relay, meanwhile.tenant, event, "Ann", now).await.unwrap();
        });
        shop.make_due().await;
        shop.fetch().await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        assert_eq!(unread(&relay).await, 0);
    }
}

on_both! {
    async fn what_waits_already_counts_among_what_would_be_emptied_at_once(relay: TestRelay) {
        let mut shop = Shop::new();
        let rings: Vec<u64> = (0..40).map(|n| shop.simple(&format!("RING-{n}"), 1)).collect();
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        relay.run("UPDATE integrations SET drift_policy = 'adopt'").await;
        let set = async |which: std::ops::Range<usize>, units: i64| {
            for ring in &rings[which.clone()] {
                shop.unnoticed(|shop| shop.set_stock(*ring, units));
            }
            for _ in 0..3 {
                shop.let_time_pass().await;
                shop.push().await;
                shop.want_sweep(false).await;
                assert!(shop.run_sweep().await);
            }
            // No page shows them again.
            for ring in &rings[which] {
                shop.fake.shop().products.get_mut(ring).unwrap().modified = Utc::now() - TimeDelta::days(2);
            }
        };
        let waits = "SELECT COUNT(*) FROM integrations WHERE held_at IS NOT NULL";
        set(0..12, 0).await;
        assert_eq!((held(&shop).await.len(), relay.number(waits).await), (12, 1));
        // These are emptied by nothing, but while a person is asked, that person decides.
        set(12..14, 4).await;
        assert_eq!(held(&shop).await.len(), 14, "adopted while a person is asked to look");
        let (tenant, id) = (shop.tenant, shop.integration);
        assert!(drift::resume(&shop.relay, tenant, id, "Ann", store::now()).await.unwrap());
        set(14..16, 0).await;
        assert_eq!(held(&shop).await.len(), 16, "adopted little by little");
        assert_eq!(relay.number(waits).await, 1, "nobody is asked");
        assert_eq!(relay.number("SELECT COUNT(*) FROM drifts WHERE status = 'adopted'").await, 0);
    }
}

on_both! {
    async fn a_change_on_its_way_says_why_nothing_is_decided(relay: TestRelay) {
        let (shop, ring, band) = counted(&relay).await;
        unreadable_order(&shop, band).await;
        shop.unnoticed(|shop| shop.set_stock(ring, 2));
        read(&shop).await;
        becomes_readable(&shop).await;
        let now = database::moment(&relay.relay.db, Utc::now());
        relay.run("UPDATE integrations SET push_trouble = 'the plugin is gone'").await;
        relay.run(&format!(
            "INSERT INTO stock_pushes (tenant_id, id, integration_id, listing_id, status, push_no, delta,
                attempts, due_at, created_at)
             SELECT tenant_id, id, integration_id, id, 'open', 1, 1000, 0, {now}, {now} FROM listings
             WHERE stock_id = {ring}"
        )).await;
        let asked = format!("SELECT COUNT(*) FROM sync_runs WHERE finished_at IS NULL AND due_at <= {now}");
        let before = relay.number(&asked).await;
        let refused = decide(&relay, &shop, ring, "adopt").await.problem(409);
        assert!(refused.contains("the plugin is gone"), "{refused}");
        assert!(!refused.contains("read again"), "{refused}");
        assert_eq!(relay.number(&asked).await, before, "a sweep was asked for that can read nothing");
        relay.run("UPDATE stock_pushes SET status = 'void'").await;
        assert_eq!(decide(&relay, &shop, ring, "adopt").await.body, "");
    }
}
