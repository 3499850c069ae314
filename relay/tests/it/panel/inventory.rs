//! The inventory: what a list finds, why there are as many as there are, and putting it right.

use chrono::Utc;
use nexpura_relay::domain::Role;
use serde_json::json;
use uuid::Uuid;

use super::{
    browser::{Browser, leads_to, somebody, tenant},
    inert::is_inert,
    sales::rings,
};
use crate::support::{database, on_both, relay::TestRelay};

/// Pieces without a shop: SKU, name, thousandths.
async fn pieces(relay: &TestRelay, tenant: Uuid, pieces: &[(String, String, i64)]) {
    let db = &relay.relay.db;
    let (tenant, now) = (database::key(db, tenant), database::moment(db, Utc::now()));
    for (sku, name, quantity) in pieces {
        let id = database::key(db, Uuid::new_v4());
        relay
            .run(&format!(
                "INSERT INTO inventory (tenant_id, id, sku, name, quantity, counted, backorders,
                    price, details, created_at, updated_at)
                 VALUES ({tenant}, {id}, '{sku}', '{name}', {quantity}, TRUE, FALSE, 1450000000,
                    '{{}}', {now}, {now})"
            ))
            .await;
    }
}

/// The SKUs of all pages of a list, in their order.
async fn walk(browser: &Browser, path: &str) -> Vec<String> {
    let (mut path, mut seen) = (path.to_owned(), Vec::new());
    loop {
        let page = browser.open(&path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        let skus = page.body.split("<code>").skip(1);
        seen.extend(skus.filter_map(|part| Some(part.split_once("</code>")?.0.to_owned())));
        let Some(next) = page.body.split("<a ").find(|link| link.contains("rel=\"next\"")) else {
            return seen;
        };
        path = next.split('"').nth(3).unwrap().replace("&#38;", "&").replace("&amp;", "&");
    }
}

on_both! {
    async fn every_piece_is_on_one_page_in_every_order_and_filter(relay: TestRelay) {
        let gold = tenant(&relay.relay, "Gold").await;
        let served = relay.serve().await;
        let staff = somebody(&relay.relay, &served, gold, "s@example.test", Role::Staff).await;
        assert!(staff.open("/inventory").await.body.contains("No piece yet"));
        // Names go backwards, half of them in capitals; there are −1, 0, 1 or 2 of each.
        let quantity = |n: i64| (n % 4 - 1) * 1_000;
        let all: Vec<_> = (0..120)
            .map(|n| {
                let ring = if n % 2 == 0 { "RING" } else { "ring" };
                (format!("R-{n:03}"), format!("{ring} {:03}", 999 - n), quantity(n))
            })
            .collect();
        pieces(&relay, gold, &all).await;
        let other = ("GEM".to_owned(), "r-0 brooch".to_owned(), 7_000);
        pieces(&relay, gold, &[other]).await;
        let sku = |n: i64| format!("R-{n:03}");
        let mut by_sku = vec!["GEM".to_owned()];
        by_sku.extend((0..120).map(sku));
        assert_eq!(walk(&staff, "/inventory").await, by_sku);
        let mut by_name = vec!["GEM".to_owned()];
        by_name.extend((0..120).rev().map(sku));
        assert_eq!(walk(&staff, "/inventory?sort=name").await, by_name);
        // What begins so: SKUs first, then names; in any case.
        let mut found: Vec<_> = (0..100).map(sku).collect();
        found.push("GEM".to_owned());
        assert_eq!(walk(&staff, "/inventory?q=r-0").await, found);
        assert_eq!(walk(&staff, "/inventory?q=Ring+99").await.len(), 10);
        assert!(walk(&staff, "/inventory?q=ing").await.is_empty());
        let none = staff.open("/inventory?q=ing").await.body;
        assert!(none.contains("Only how a SKU or a name begins is searched."), "{none}");
        let count = async |query: &str| walk(&staff, &format!("/inventory?{query}")).await.len();
        assert_eq!(count("stock=none").await, 30);
        assert_eq!(count("stock=below").await, 30);
        assert_eq!(count("stock=some").await, 61);
        assert_eq!(count("stock=below&q=R-00").await, 3);
        assert_eq!(count("after=tampered").await, 121);
        let most = walk(&staff, "/inventory?sort=most").await;
        assert_eq!((most.len(), most[0].as_str()), (121, "GEM"));
        let mut fewest = walk(&staff, "/inventory?sort=fewest").await;
        fewest.reverse();
        assert_eq!(fewest, most);
        let theirs = tenant(&relay.relay, "Silver").await;
        pieces(&relay, theirs, &[("THEIRS".to_owned(), "Theirs".to_owned(), 1_000)]).await;
        assert_eq!(staff.open("/inventory/THEIRS").await.status, 404);
        let file = staff.open("/inventory.csv?stock=below").await;
        assert_eq!(file.body.lines().count(), 31);
        assert!(file.body.contains("R-000,RING 999,-1,no,1450.00\r\n"), "{}", file.body);
    }
}

on_both! {
    async fn a_piece_tells_why_there_are_as_many_as_there_are(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, mut staff) = rings(&relay, &served).await;
        let here = "/inventory/RING%2F1";
        let order = shop.request(|shop| shop.paid_order(&[(ring, 3)]));
        shop.push().await;
        let fields = [("reason", "purchase"), ("direction", "in"), ("units", "2"), ("note", "from Ben")];
        assert_eq!(leads_to(&staff.submit(&format!("{here}/adjust"), &fields).await), here);
        let page = staff.open(here).await.body;
        assert!(page.contains("There are 9 of RING/1 now."), "{page}");
        for said in [
            "Why 9?",
            "Purchased",
            "by staff@example.test",
            "from Ben",
            "+2</span>",
            "9 after",
            &format!("Order #{order}"),
            "−3</span>",
            "7 after",
            "Counted",
            "10 after",
            "at most 10, at least 7, 9 now.",
            "On its way",
            "<path class=\"chart-line\"",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
        // Whoever manages goes on from there to what somebody did, and everybody to what was brought over.
        let runs = format!("<a href=\"/integrations/{}/runs\">by ", shop.integration);
        assert!(page.contains(&runs), "{page}");
        let doings = "href=\"/settings/activity?actor=staff%40example.test\">by staff@example.test</a>";
        assert!(!page.contains(doings), "staff may not look there: {page}");
        let manager = somebody(&relay.relay, &served, shop.tenant, "m@example.test", Role::Manager).await;
        let managed = manager.open(here).await.body;
        assert!(managed.contains(doings), "{managed}");
        let done = manager.open("/settings/activity?actor=staff%40example.test").await.body;
        assert!(done.contains("Adjusted the stock"), "{done}");
        assert!(page.contains("<select name=\"reason\" required><option value=\"\">Choose…</option>"), "{page}");
        assert_eq!(staff.open("/inventory/RING").await.status, 404);
        assert_eq!(shop.quantity(ring).await, 9);
        // The shop gets it, and the log says who.
        assert_eq!(relay.number("SELECT COUNT(*) FROM stock_pushes WHERE status = 'open'").await, 1);
        let log = "SELECT actor FROM audit_log WHERE action = 'inventory.adjusted'";
        assert_eq!(relay.texts(log).await, [["staff@example.test"]]);
    }
}

on_both! {
    async fn stock_is_put_right_by_units_or_by_a_count_and_nonsense_changes_nothing(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, mut staff) = rings(&relay, &served).await;
        let here = "/inventory/RING%2F1";
        let adjust = |direction, units| {
            [("reason", "adjustment"), ("direction", direction), ("units", units)]
        };
        for (fields, quantity) in [
            (adjust("out", "3"), 7),
            (adjust("out", "x"), 7),
            (adjust("out", "0"), 7),
            (adjust("in", "1000000000000"), 7),
            (adjust("in", "1"), 8),
        ] {
            staff.submit(&format!("{here}/adjust"), &fields).await;
            assert_eq!(shop.quantity(ring).await, quantity, "{fields:?}");
        }
        for (reason, direction) in [("write_off", "in"), ("sale", "in"), ("purchase", "out"), ("return", "out")] {
            let fields = [("reason", reason), ("direction", direction), ("units", "1")];
            staff.submit(&format!("{here}/adjust"), &fields).await;
            assert!(staff.open(here).await.body.contains(": choose "), "{reason} {direction}");
        }
        assert_eq!(shop.quantity(ring).await, 8);
        let none = [("reason", ""), ("direction", "in"), ("units", "1")];
        assert_eq!(staff.submit(&format!("{here}/adjust"), &none).await.status, 400);
        let unknown = [("reason", "magic"), ("direction", "in"), ("units", "1")];
        assert_eq!(staff.submit(&format!("{here}/adjust"), &unknown).await.status, 400);
        staff.submit(&format!("{here}/count"), &[("units", "5")]).await;
        assert_eq!(shop.quantity(ring).await, 5);
        staff.submit(&format!("{here}/count"), &[("units", "5")]).await;
        let page = staff.open(here).await.body;
        assert!(page.contains("nothing to put right"), "{page}");
        let counted = "SELECT CAST(quantity_change AS TEXT) FROM stock_movements
            WHERE movement_type = 'stocktake' ORDER BY id";
        assert_eq!(relay.texts(counted).await, [["10000"], ["-3000"]]);
        let sum = "SELECT CAST(SUM(quantity_change) AS BIGINT) FROM stock_movements";
        assert_eq!(relay.number(sum).await, 5_000);
        let nobody = staff.submit("/inventory/NONE/count", &[("units", "5")]).await;
        assert_eq!(nobody.status, 404);
    }
}

on_both! {
    async fn a_long_story_is_told_page_by_page_with_the_right_numbers(relay: TestRelay) {
        let served = relay.serve().await;
        let (_, _, mut staff) = rings(&relay, &served).await;
        let here = "/inventory/RING%2F1";
        for n in 0..120 {
            let units = if n % 2 == 0 { "2" } else { "1" };
            let direction = if n % 2 == 0 { "in" } else { "out" };
            let fields = [("reason", "other"), ("direction", direction), ("units", units)];
            staff.submit(&format!("{here}/adjust"), &fields).await;
        }
        let (mut path, mut after) = (here.to_owned(), Vec::new());
        loop {
            let page = staff.open(&path).await.body;
            let told = page.split(" after</span>").filter_map(|part| part.rsplit_once('>'));
            after.extend(told.filter_map(|(_, number)| number.parse::<i64>().ok()));
            let Some(next) = page.split("<a ").find(|link| link.contains("rel=\"next\"")) else { break };
            path = next.split('"').nth(3).unwrap().replace("&#38;", "&");
        }
        after.reverse();
        let mut quantity = 10;
        let mut expected = vec![10];
        for n in 0..120 {
            quantity += if n % 2 == 0 { 2 } else { -1 };
            expected.push(quantity);
        }
        assert_eq!(after, expected);
    }
}

on_both! {
    async fn what_a_shop_calls_a_piece_stays_text(relay: TestRelay) {
        let served = relay.serve().await;
        let (_, _, mut staff) = rings(&relay, &served).await;
        let evil = "<script>alert(1)</script>\"''><img src=x onerror=alert(1)>";
        for column in ["sku", "name", "image"] {
            relay.run(&format!("UPDATE inventory SET {column} = '{evil}'")).await;
        }
        relay.run(&format!("UPDATE stock_movements SET notes = '{evil}'")).await;
        relay.run(&format!("UPDATE listings SET reason = '{evil}'")).await;
        let list = staff.open("/inventory").await.body;
        is_inert(&list, "/inventory");
        let at = list.find("href=\"/inventory/").unwrap() + "href=\"".len();
        let here = list[at..].split('"').next().unwrap().to_owned();
        is_inert(&staff.open(&here).await.body, "/inventory/{sku}");
        let fields = [("reason", "other"), ("direction", "in"), ("units", "1"), ("note", evil)];
        assert_eq!(staff.submit(&format!("{here}/adjust"), &fields).await.status, 303);
        is_inert(&staff.open(&here).await.body, "the notice");
    }
}

on_both! {
    async fn a_piece_shows_what_its_shop_tells_of_it_and_that_stays_text(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, staff) = rings(&relay, &served).await;
        let here = "/inventory/RING%2F1";
        let page = staff.open(here).await.body;
        assert!(page.contains("<dt>Category</dt><dd>Rings</dd>"), "{page}");
        assert!(page.contains("<dt>Tax class</dt><dd>Standard</dd>"), "{page}");
        let address = format!("href=\"https://shop.example/product/{ring}/\" rel=\"noreferrer noopener\"");
        assert!(page.contains(&address), "{page}");
        let listed = served.api.get("/api/inventory", &shop.token).await.ok();
        let details = &listed["items"][0]["details"];
        assert_eq!(details["categories"], json!(["Rings"]));
        assert_eq!((&details["tax_class"], &details["regular_price"]), (&json!(""), &json!("33.33")));

        let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
        let told = json!({
            "permalink": "javascript:alert(1)", "tax_class": evil, "categories": [evil, "Gold"],
            "attributes": [["Metal", "Gold"], ["Metal", "Silver"], [evil, evil]],
            "regular_price": "90", "sale_price": "80.5",
        });
        let told = told.to_string().replace('\'', "''");
        relay.run(&format!("UPDATE inventory SET details = '{told}'")).await;
        let page = staff.open(here).await.body;
        is_inert(&page, "what a shop tells");
        for said in ["<dt>Metal</dt><dd>Gold, Silver</dd>", "80.50 <span class=\"muted\">instead of 90.00"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        assert!(!page.contains("javascript:") && !page.contains("See it in the shop"), "{page}");
        // Whatever stands there, what cannot be read says nothing.
        relay.run("UPDATE inventory SET details = '[7]'").await;
        assert!(staff.open(here).await.body.contains("<dt>Tax class</dt><dd>Standard</dd>"));
    }
}

on_both! {
    async fn a_picture_is_asked_for_where_the_page_may_and_nowhere_else(relay: TestRelay) {
        let served = relay.serve().await;
        let (_, _, staff) = rings(&relay, &served).await;
        let pages = async || {
            let list = staff.open("/inventory").await;
            let policy = list.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("img-src 'self' https:;"), "{policy}");
            [list.body, staff.open("/inventory/RING%2F1").await.body]
        };
        relay.run("UPDATE inventory SET image = 'https://shop.example/ring.jpg?w=1&h=2'").await;
        for page in pages().await {
            assert!(page.contains("<img src=\"https://shop.example/ring.jpg?w=1&#38;h=2\""), "{page}");
            assert!(page.contains("referrerpolicy=\"no-referrer\"") && !page.contains("no-picture"));
        }
        for elsewhere in [
            "'http://shop.example/ring.jpg'",
            "'javascript:alert(1)'",
            "'data:image/png;base64,AA=='",
            "'//shop.example/ring.jpg'",
            "'/inventory'",
            "NULL",
        ] {
            relay.run(&format!("UPDATE inventory SET image = {elsewhere}")).await;
            let [list, piece] = pages().await;
            assert!(list.contains("class=\"no-picture\""), "{elsewhere}: {list}");
            for page in [list, piece] {
                let asked = page.split("<img src=\"").skip(1);
                assert!(asked.clone().count() == 1, "{elsewhere}: {page}");
                assert!(asked.clone().all(|src| src.starts_with("/assets/mark.")), "{elsewhere}: {page}");
            }
        }
    }
}

on_both! {
    async fn what_is_clicked_twice_is_done_once(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, mut staff) = rings(&relay, &served).await;
        let here = "/inventory/RING%2F1";
        let page = staff.open(here).await.body;
        let once = page.split("name=\"once\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let fields = [("reason", "purchase"), ("direction", "in"), ("units", "2"), ("once", once)];
        let path = format!("{here}/adjust");
        let mut other = staff.clone();
        let (one, two) = tokio::join!(staff.submit(&path, &fields), other.submit(&path, &fields));
        assert_eq!((leads_to(&one), leads_to(&two)), (here, here));
        assert_eq!(shop.quantity(ring).await, 12, "of two clicks one counts");
        let page = staff.open(here).await.body;
        let next = page.split("name=\"once\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let fields = [("units", "3"), ("note", "in the safe"), ("once", next)];
        staff.submit(&format!("{here}/count"), &fields).await;
        assert_eq!(shop.quantity(ring).await, 3, "the next page's form counts again");
        assert!(staff.open(here).await.body.contains("in the safe"));
    }
}
