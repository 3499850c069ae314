//! What waits, however much it is: sales that do not match the stock, counts to choose from, and what a push would
//! change; listed page by page, and as files.

use nexpura_relay::{
    domain::Role,
    store::{
        self,
        conflicts::{self, Conflict},
    },
};
use serde_json::json;

use super::{
    browser::{Browser, leads_to, somebody},
    inert::is_inert,
    sales::rings,
};
use crate::{
    isolation::wait_for_a_choice,
    shop::{Shop, server::Town},
    support::{connected::Connected, on_both, pushing},
};

const EVIL: &str = "<script>alert(1)</script>\"''><img src=x onerror=alert(1)>";

/// So many sales that sold more than there was, each one unit more than the one before.
async fn oversell(shop: &Connected, how_many: i64) {
    let mut tx = shop.relay.db.write().await.unwrap();
    for n in 1..=how_many {
        let (kind, quantity) = ("oversale", -n * 1_000);
        let none = Conflict { kind, inventory_id: None, sale_id: None, line_id: None, quantity };
        conflicts::record(&mut tx, shop.tenant, &none, store::now()).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// A page that had something once tells nothing of the pages before it, and leads to the first of them.
async fn is_told_to_be_empty(browser: &Browser, page: &str, first: &str) {
    assert_ne!(page, first);
    let body = browser.open(page).await.body;
    let leads = format!("<a class=\"button\" href=\"{first}\">First page</a>");
    assert!(body.contains("Nothing is left on this page") && body.contains(&leads), "{body}");
    assert_eq!(body.matches("class=\"empty-title\"").count(), 1, "{body}");
}

on_both! {
    async fn every_sale_that_does_not_match_is_listed_and_decided_there(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, _, staff) = rings(&relay, &served).await;
        assert!(staff.open("/conflicts").await.body.contains("Nothing to decide"));
        oversell(&shop, 10).await;
        assert!(!staff.open("/drift").await.body.contains("href=\"/conflicts\""), "all are shown");
        oversell(&shop, 120).await;
        let sold = ("<strong>Oversold: ", " more");
        let newest: Vec<_> = (1..=120).rev().chain((1..=10).rev()).map(|n: i64| n.to_string()).collect();
        assert_eq!(staff.walk("/conflicts", sold.0, sold.1).await, (newest.clone(), 3));
        assert_eq!(staff.walk("/conflicts?after=nonsense", sold.0, sold.1).await.0, newest);
        assert_eq!(staff.walk("/drift", sold.0, sold.1).await.0, newest[..10]);
        assert!(staff.open("/drift").await.body.contains("<a href=\"/conflicts\">All that wait"));
        let file = staff.open("/conflicts.csv").await;
        assert!(file.headers["content-disposition"].to_str().unwrap().contains("conflicts.csv"));
        let lines: Vec<_> = file.body.lines().collect();
        assert_eq!(lines.len(), 131);
        assert!(lines[1].ends_with(",oversold,120,,") && lines[130].ends_with(",oversold,1,,"), "{lines:?}");

        let mut manager = somebody(&relay.relay, &served, shop.tenant, "m@example.test", Role::Manager).await;
        for (list, form) in [("/conflicts", "?list=own\""), ("/drift", "\"")] {
            let forms = manager.walk(list, "action=\"/conflicts/", ">").await.0;
            assert!(forms.iter().all(|one| one.ends_with(form)), "{forms:?}");
            let decided = format!("/conflicts/{}", forms[0].trim_end_matches('"'));
            let done = manager.submit(&decided, &[("decision", "acknowledge")]).await;
            assert_eq!(leads_to(&done), list);
        }
        let left = staff.walk("/conflicts", sold.0, sold.1).await.0;
        assert_eq!(left, newest[2..]);
        let last = manager.last_page("/conflicts").await;
        relay.run("DELETE FROM conflicts WHERE quantity > -100000").await;
        assert_eq!(manager.walk("/conflicts", sold.0, sold.1).await.1, 1);
        is_told_to_be_empty(&manager, &last, "/conflicts").await;
    }
}

on_both! {
    async fn every_count_to_choose_from_is_listed_and_chosen_there(relay: TestRelay) {
        let served = relay.serve().await;
        let mut shop = Shop::new();
        shop.simple("RING", 9);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        let mut manager = somebody(&relay.relay, &served, shop.tenant, "m@example.test", Role::Manager).await;
        assert!(manager.open("/links").await.body.contains("Nothing to decide"));
        let mut waiting = Vec::new();
        for n in 0..200 {
            waiting.push((wait_for_a_choice(&relay, &shop, n).await, format!("LINK-{n}")));
        }
        waiting.sort();
        let skus: Vec<_> = waiting.into_iter().map(|(_, sku)| sku).collect();
        let sku = ("<span class=\"block small muted\">", "</span>");
        assert_eq!(manager.walk("/links", sku.0, sku.1).await, (skus.clone(), 4));
        assert_eq!(manager.walk("/drift", sku.0, sku.1).await.0, skus[..10]);
        let page = manager.open("/drift").await.body;
        assert!(page.contains("<a href=\"/links\">All that wait"), "{page}");
        let file = manager.open("/links.csv").await.body;
        let listed: Vec<_> = file.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(listed, skus);
        for (list, form) in [("/links", "?list=own"), ("/drift", "")] {
            let forms = manager.walk(list, "action=\"/links/", "\"").await.0;
            assert!(forms.iter().all(|one| one.ends_with(form)), "{forms:?}");
            let one = format!("/links/{}", forms[0]);
            assert_eq!(leads_to(&manager.submit(&one, &[("holds", "ledger")]).await), list);
        }
        assert_eq!(manager.walk("/links", sku.0, sku.1).await.0, skus[2..]);
        let last = manager.last_page("/links").await;
        let asked = manager.open("/links/shop?list=own").await.body;
        assert!(asked.contains(&format!("{} pieces get their shop’s number", skus.len() - 2)), "{asked}");
        let all = manager.submit("/links?list=own", &[("holds", "shop")]).await;
        assert_eq!(leads_to(&all), "/links");
        assert!(manager.open("/links").await.body.contains("Nothing to decide"));
        is_told_to_be_empty(&manager, &last, "/links").await;
    }
}

on_both! {
    async fn every_change_that_a_push_would_make_is_listed(relay: TestRelay) {
        let served = relay.serve().await;
        let mut shop = Shop::new();
        for n in 100..220 {
            shop.simple(&format!("P-{n}"), 5);
        }
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        let staff = somebody(&relay.relay, &served, shop.tenant, "s@example.test", Role::Staff).await;
        let here = format!("/integrations/{}/changes", shop.integration);
        assert!(!staff.open(&here).await.body.contains("Export CSV"));
        for n in 100..220 {
            pushing::adjust(&shop, &format!("P-{n}"), "1").await;
        }
        let (mut skus, pages) = staff.walk(&here, "<span class=\"block small muted\">", "</span>").await;
        let newest: Vec<_> = (100..220).rev().map(|n| format!("P-{n}")).collect();
        assert_eq!((&skus, pages), (&newest, 3));
        let page = staff.open(&here).await.body;
        assert!(page.contains("120 pieces</h2>") && page.contains(&format!("{here}.csv")), "{page}");
        let file = staff.open(&format!("{here}.csv")).await.body;
        let lines: Vec<_> = file.lines().collect();
        assert_eq!(lines.len(), 121);
        assert!(lines[1].starts_with("P-219,") && lines[1].ends_with(",5,6"), "{}", lines[1]);
        // Whoever asks by the API is told all of it at once, by SKU.
        let asked = json!({ "store": shop.fake.home, "dry_run": true });
        let told = served.api.post("/api/integrations/woocommerce/sync/inventory", &shop.token, &asked).await.ok();
        let told: Vec<_> = told["changes"].as_array().unwrap().iter().map(|one| one["sku"].clone()).collect();
        skus.sort();
        assert_eq!(told, skus);
        let last = staff.last_page(&here).await;
        for n in 100..120 {
            pushing::adjust(&shop, &format!("P-{n}"), "-1").await;
        }
        assert!(staff.open(&here).await.body.contains("100 pieces</h2>"));
        is_told_to_be_empty(&staff, &last, &here).await;
    }
}

on_both! {
    async fn what_waits_is_shown_as_text(relay: TestRelay) {
        let served = relay.serve().await;
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 9);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        wait_for_a_choice(&relay, &shop, 1).await;
        shop.request(|shop| shop.paid_order(&[(ring, 12)]));
        shop.push().await;
        relay.run(&format!("UPDATE inventory SET name = '{EVIL}'")).await;
        relay.run(&format!("UPDATE inventory SET sku = '{EVIL}' WHERE sku = 'RING'")).await;
        let manager = somebody(&relay.relay, &served, shop.tenant, "m@example.test", Role::Manager).await;
        for place in ["/conflicts", "/links"] {
            is_inert(&manager.open(place).await.body, place);
        }
    }
}
