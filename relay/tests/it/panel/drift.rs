//! What waits for a person's word: drift, conflicts, and whose count holds.

use chrono::{TimeDelta, Utc};
use nexpura_relay::{
    domain::Role,
    store::{self, drifts, listings},
};
use uuid::Uuid;

use super::{
    browser::{Browser, leads_to, somebody},
    inert::is_inert,
    sales::rings,
};
use crate::{
    isolation::wait_for_a_choice,
    support::{
        connected::Connected,
        database, on_both,
        relay::{Served, TestRelay},
    },
};

/// The shop has one unit more than it should.
async fn hold(relay: &TestRelay, shop: &Connected, stock: u64) {
    let mut tx = relay.relay.db.write().await.unwrap();
    let (tenant, integration) = (shop.tenant, shop.integration);
    let stock = i64::try_from(stock).unwrap();
    let listing = listings::lock(&mut tx, tenant, integration, stock).await.unwrap().unwrap();
    let mirror = listing.mirror.unwrap();
    let listing_changes = listing.changes;
    let seen = drifts::Seen { mirror, reading: mirror + 1_000, listing_changes };
    drifts::hold(&mut tx, tenant, integration, listing.id, seen, store::now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn manager(relay: &TestRelay, served: &Served, shop: &Connected) -> Browser {
    somebody(&relay.relay, served, shop.tenant, "m@example.test", Role::Manager).await
}

/// Decides all that wait as a person does who looks first.
async fn all(manager: &mut Browser, verdict: &str) {
    let path = format!("/drift/{verdict}");
    let page = manager.open(&path).await.body;
    let at = page.find("name=\"seen_at\" value=\"").expect("the form");
    let seen_at = page[at..].split('"').nth(3).unwrap().replace("&#43;", "+");
    let list = format!("/drift{}", verdict.trim_start_matches(|one| one != '?'));
    assert_eq!(leads_to(&manager.submit(&path, &[("seen_at", &seen_at)]).await), list);
}

/// The addresses that a page's forms send to and that end so.
fn forms(page: &str, end: &str) -> Vec<String> {
    let actions = page.split("action=\"").skip(1).filter_map(|part| part.split('"').next());
    actions.filter(|action| action.ends_with(end)).map(str::to_owned).collect()
}

on_both! {
    async fn a_drift_is_adopted_or_pushed_back_one_or_all(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, staff) = rings(&relay, &served).await;
        let mut manager = manager(&relay, &served, &shop).await;
        assert!(staff.open("/drift").await.body.contains("Nothing differs"));
        hold(&relay, &shop, ring).await;
        let page = manager.open("/drift").await.body;
        for said in ["RING/1", ">10<", "<strong>11</strong>"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        assert!(forms(&staff.open("/drift").await.body, "/adopt").is_empty(), "staff only look");
        let adopt = forms(&page, "/adopt").into_iter().find(|form| form != "/drift/adopt").unwrap();
        assert_eq!(leads_to(&manager.submit(&adopt, &[("seen", "0")]).await), "/drift");
        assert_eq!(shop.quantity(ring).await, 11);
        let page = manager.open("/drift").await.body;
        assert!(page.contains("Nothing differs") && page.contains("the shop’s 11 used"), "{page}");
        assert_eq!(manager.submit(&adopt, &[("seen", "0")]).await.status, 404, "it is decided already");
        let piece = manager.open("/inventory/RING%2F1").await.body;
        assert!(piece.contains("by m@example.test"), "who decided it: {piece}");
        hold(&relay, &shop, ring).await;
        all(&mut manager, "push").await;
        assert_eq!(shop.quantity(ring).await, 11, "the ledger's number counts");
        assert_eq!(relay.number("SELECT COUNT(*) FROM drifts WHERE status = 'held'").await, 0);
        hold(&relay, &shop, ring).await;
        all(&mut manager, "adopt").await;
        assert_eq!(shop.quantity(ring).await, 12);
        hold(&relay, &shop, ring).await;
        relay.run("UPDATE drifts SET reading = 0 WHERE status = 'held'").await;
        let asked = manager.open("/drift/adopt").await.body;
        assert!(asked.contains("1 piece gets its shop’s number"), "{asked}");
        assert!(asked.contains("1 piece becomes 0") && asked.contains("class=\"danger\""), "{asked}");
        let asked = manager.open("/drift/push").await.body;
        assert!(asked.contains("1 piece gets Nexpura’s number"), "{asked}");
        assert!(!asked.contains("becomes 0") && !asked.contains("class=\"danger\""), "{asked}");
        assert_eq!(shop.quantity(ring).await, 12, "nothing is done by looking");
        all(&mut manager, "push").await;
        let asked = manager.open("/drift/push").await.body;
        assert!(asked.contains("0 pieces") && forms(&asked, "/push").is_empty(), "{asked}");
        let file = staff.open("/drift.csv").await.body;
        assert_eq!(file.lines().count(), 5);
        assert!(file.contains(",RING/1,10,11,adopted,") && file.contains(",pushed,"), "{file}");
        let log = manager.open("/settings/activity").await.body;
        assert!(log.contains("Adopted the shop’s number") && log.contains("Kept Nexpura’s number"));
    }
}

on_both! {
    async fn numbers_that_nobody_has_seen_are_not_decided(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, _) = rings(&relay, &served).await;
        let mut manager = manager(&relay, &served, &shop).await;
        hold(&relay, &shop, ring).await;
        let page = manager.open("/drift").await.body;
        let adopt = forms(&page, "/adopt").into_iter().find(|form| form != "/drift/adopt").unwrap();
        assert!(page.contains("name=\"seen\" value=\"0\""), "{page}");
        let bulk = store::now().to_rfc3339();
        // It was read again meanwhile, and differs by more.
        relay.run("UPDATE drifts SET reading = reading + 4000, changes = changes + 1").await;
        let later = database::moment(&relay.relay.db, Utc::now() + TimeDelta::seconds(1));
        relay.run(&format!("UPDATE drifts SET created_at = {later}")).await;
        manager.submit(&adopt, &[("seen", "0")]).await;
        let page = manager.open("/drift").await.body;
        assert!(page.contains("the numbers have changed") && page.contains("<strong>15</strong>"), "{page}");
        assert!(page.contains("name=\"seen\" value=\"1\""), "{page}");
        manager.submit("/drift/adopt", &[("seen_at", &bulk)]).await;
        let page = manager.open("/drift").await.body;
        assert!(page.contains("Nothing is decided. 1 difference waits on"), "{page}");
        assert_eq!(manager.submit(&adopt, &[]).await.status, 400, "what was seen has to be said");
        assert_eq!(shop.quantity(ring).await, 10);
        manager.submit(&adopt, &[("seen", "1")]).await;
        assert_eq!(shop.quantity(ring).await, 15);
    }
}

on_both! {
    async fn a_conflict_is_decided_where_it_is_shown(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, staff) = rings(&relay, &served).await;
        let mut manager = manager(&relay, &served, &shop).await;
        shop.request(|shop| {
            let (id, marks) = shop.order(&[(ring, 2)]);
            let order = shop.orders.get_mut(&id).unwrap();
            (order.status, order.paid) = ("processing".to_owned(), Some(Utc::now()));
            ((), marks)
        });
        shop.push().await;
        let page = manager.open("/drift").await.body;
        assert!(page.contains("Paid, but the shop did not reduce its stock: 2"), "{page}");
        let at = page.find("action=\"/conflicts/").unwrap() + "action=\"".len();
        let here = page[at..].split('"').next().unwrap().to_owned();
        manager.submit(&here, &[("decision", "acknowledge")]).await;
        assert!(manager.open("/drift").await.body.contains("This is not possible"));
        assert_eq!(manager.submit(&here, &[("decision", "burn")]).await.status, 400);
        manager.submit(&here, &[("decision", "take")]).await;
        assert_eq!(shop.quantity(ring).await, 8);
        assert_eq!(manager.submit(&here, &[("decision", "take")]).await.status, 404);
        shop.request(|shop| shop.paid_order(&[(ring, 9)]));
        shop.push().await;
        let page = staff.open("/drift").await.body;
        assert!(page.contains("Oversold: 1 more sold than in stock"), "{page}");
        assert!(!page.contains("I have contacted the buyer"), "staff only look");
    }
}

on_both! {
    async fn whose_count_holds_is_chosen_for_one_or_all(relay: TestRelay) {
        let served = relay.serve().await;
        let mut shop = crate::shop::Shop::new();
        shop.simple("RING", 9);
        let town = crate::shop::server::Town::open().await;
        let shop = Connected::new(&relay.relay, &town, shop).await;
        shop.open().await;
        let mut manager = manager(&relay, &served, &shop).await;
        let links = [
            wait_for_a_choice(&relay, &shop, 1).await,
            wait_for_a_choice(&relay, &shop, 2).await,
        ];
        let page = manager.open("/drift").await.body;
        assert!(page.contains("LINK-1") && page.contains("LINK-2"), "{page}");
        assert!(!page.contains("href=\"/links\""), "{page}");
        manager.submit(&format!("/links/{}", links[0]), &[("holds", "ledger")]).await;
        let page = manager.open("/drift").await.body;
        assert!(page.contains("1 linked.") && !page.contains("LINK-1"), "{page}");
        assert!(page.contains("href=\"/links/ledger\"") && page.contains("href=\"/links/shop\""), "{page}");
        assert!(forms(&page, "/links").is_empty(), "what is done to all is asked first: {page}");
        // The shop has none of it, and the ledger some.
        let (of, counted) = (database::key(&relay.relay.db, links[1]), "counted = TRUE, quantity = 4000");
        relay.run(&format!("UPDATE listings SET reading = 0 WHERE id = {of}")).await;
        relay.run(&format!("UPDATE inventory SET {counted} WHERE sku = 'LINK-2'")).await;
        let asked = manager.open("/links/shop").await.body;
        for said in ["1 piece gets its shop’s number", "1 piece becomes 0", "name=\"holds\" value=\"shop\"", "class=\"danger\""] {
            assert!(asked.contains(said), "{said}: {asked}");
        }
        let asked = manager.open("/links/ledger?list=own").await.body;
        for said in ["1 piece gets Nexpura’s number", "action=\"/links?list=own\"", "href=\"/links\">Back", "class=\"primary\""] {
            assert!(asked.contains(said), "{said}: {asked}");
        }
        assert!(!asked.contains("becomes 0"), "{asked}");
        relay.run(&format!("UPDATE listings SET reading = 3000 WHERE id = {of}")).await;
        relay.run("UPDATE inventory SET quantity = 0 WHERE sku = 'LINK-2'").await;
        assert!(manager.open("/links/ledger").await.body.contains("1 piece becomes 0"));
        // The ledger has no count of it that could hold.
        relay.run("UPDATE inventory SET counted = FALSE WHERE sku = 'LINK-2'").await;
        let asked = manager.open("/links/ledger").await.body;
        assert!(asked.contains("1 still needs a decision") && forms(&asked, "/links").is_empty(), "{asked}");
        manager.submit("/links", &[("holds", "shop")]).await;
        assert!(!manager.open("/drift").await.body.contains("LINK-2"));
        let chosen = "SELECT holds FROM listings WHERE holds IS NOT NULL ORDER BY holds";
        assert_eq!(relay.texts(chosen).await, [["ledger"], ["shop"]]);
        let again = manager.submit(&format!("/links/{}", links[0]), &[("holds", "shop")]).await;
        assert_eq!(again.status, 404);
    }
}

on_both! {
    async fn what_a_shop_calls_what_differs_stays_text(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, _) = rings(&relay, &served).await;
        hold(&relay, &shop, ring).await;
        let evil = "<script>alert(1)</script>\"''><img src=x onerror=alert(1)>";
        relay.run(&format!("UPDATE inventory SET sku = '{evil}', name = '{evil}'")).await;
        let manager = manager(&relay, &served, &shop).await;
        is_inert(&manager.open("/drift").await.body, "/drift");
    }
}

/// The SKUs of the pieces in a list, from all its pages.
async fn walk(browser: &Browser, path: &str) -> Vec<String> {
    browser.walk(path, "<span class=\"block small muted\">", "</span>").await.0
}

/// A shop with two rings and a chain, all of which differ there.
async fn differing(relay: &TestRelay) -> (Connected, [u64; 3]) {
    let mut shop = crate::shop::Shop::new();
    let pieces = ["RING-1", "RING-2", "CHAIN"].map(|sku| shop.simple(sku, 9));
    let town = crate::shop::server::Town::open().await;
    let shop = Connected::new(&relay.relay, &town, shop).await;
    shop.open().await;
    relay.run("UPDATE inventory SET name = 'Gold ' || sku").await;
    relay.run("UPDATE inventory SET name = 'Ringlet' WHERE sku = 'CHAIN'").await;
    for piece in pieces {
        hold(relay, &shop, piece).await;
    }
    (shop, pieces)
}

on_both! {
    async fn differences_are_found_by_piece_and_store_and_decided_as_found(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, [first, second, chain]) = differing(&relay).await;
        let mut manager = manager(&relay, &served, &shop).await;
        let (here, elsewhere) = (shop.integration, Uuid::new_v4());
        for (query, found) in [
            (String::new(), vec!["CHAIN", "RING-2", "RING-1"]),
            ("q=ring-".to_owned(), vec!["RING-2", "RING-1"]),
            ("q=+Ring".to_owned(), vec!["CHAIN", "RING-2", "RING-1"]),
            ("q=gold%20r".to_owned(), vec!["RING-2", "RING-1"]),
            ("q=ing".to_owned(), vec![]),
            (format!("store={here}&q=chain"), vec!["CHAIN"]),
            (format!("store={elsewhere}"), vec![]),
            ("store=nonsense".to_owned(), vec!["CHAIN", "RING-2", "RING-1"]),
            ("state=decided".to_owned(), vec![]),
        ] {
            assert_eq!(walk(&manager, &format!("/drift?{query}")).await, found, "{query}");
        }
        let page = manager.open("/drift?q=ing").await.body;
        assert!(page.contains("Nothing like that") && page.contains("value=\"ing\""), "{page}");
        let page = manager.open("/drift?q=ring-1").await.body;
        let adopt = forms(&page, "/adopt?q=ring-1").remove(0);
        let decided = manager.submit(&adopt, &[("seen", "0")]).await;
        assert_eq!(leads_to(&decided), "/drift?q=ring-1");
        assert_eq!(shop.quantity(first).await, 10);
        let asked = manager.open("/drift/push?q=ring").await.body;
        assert!(asked.contains("2 pieces get Nexpura’s number"), "{asked}");
        all(&mut manager, "adopt?q=ring-").await;
        assert_eq!((shop.quantity(second).await, shop.quantity(chain).await), (10, 9));
        assert_eq!(walk(&manager, "/drift?q=").await, ["CHAIN"], "it still waits");
        assert_eq!(walk(&manager, "/drift?state=decided&q=ring-2").await, ["RING-2"]);
        assert_eq!(walk(&manager, "/drift?state=decided").await, ["RING-2", "RING-1"]);
        let file = manager.open("/drift.csv?q=ring-1").await.body;
        assert!(file.lines().count() == 2 && file.contains(",RING-1,9,10,adopted,"), "{file}");
        assert_eq!(manager.open("/drift.csv").await.body.lines().count(), 4);
    }
}

on_both! {
    async fn every_decided_difference_is_on_one_page(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, [ring, ..]) = differing(&relay).await;
        let mut manager = manager(&relay, &served, &shop).await;
        for _ in 0..130 {
            hold(&relay, &shop, ring).await;
            relay.run("UPDATE drifts SET status = 'pushed', resolved_at = created_at").await;
        }
        for (query, wanted) in [("", 132), ("&q=ring-1", 130), ("&q=chain", 1)] {
            let seen = walk(&manager, &format!("/drift?state=decided{query}")).await;
            assert_eq!(seen.len(), wanted, "{query}");
        }
        let next = manager.open("/drift?state=decided&q=ring-1").await.body;
        let next = next.split("<a ").find(|link| link.contains("rel=\"next\"")).unwrap();
        assert!(next.contains("q=ring-1&#38;state=decided&#38;after="), "{next}");
        manager.submit("/drift/adopt", &[("seen_at", &Utc::now().to_rfc3339())]).await;
        assert_eq!(shop.quantity(ring).await, 9, "what is decided stays so");
    }
}
