//! Sales: the whole order with what it moved, and a list that finds it.

use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use nexpura_relay::domain::Role;
use uuid::Uuid;

use super::{
    browser::{Browser, somebody, tenant},
    inert::is_inert,
};
use crate::{
    shop::{Shop, server::Town},
    support::{
        connected::Connected,
        database, on_both,
        relay::{Served, TestRelay},
    },
};

/// A shop with ten rings, and somebody of the staff who looks at it.
pub(super) async fn rings(relay: &TestRelay, served: &Served) -> (Connected, u64, Browser) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING/1", 10);
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    let staff =
        somebody(&relay.relay, served, shop.tenant, "staff@example.test", Role::Staff).await;
    (shop, ring, staff)
}

/// The path of the first sale on a page.
fn first_sale(page: &str) -> String {
    let at = page.find("href=\"/sales/").expect("a sale") + "href=\"".len();
    page[at..].split('"').next().unwrap().to_owned()
}

/// Sales of one shop, an hour apart, the newest now; every seventh one failed.
async fn many(relay: &TestRelay, shop: &Connected, how_many: i64) {
    let db = &relay.relay.db;
    let key = |id| database::key(db, id);
    let now = nexpura_relay::store::now();
    for n in 0..how_many {
        let at = database::moment(db, now - TimeDelta::hours(how_many - n));
        let status = if n % 7 == 0 { "failed" } else { "completed" };
        relay
            .run(&format!(
                "INSERT INTO sales (tenant_id, id, integration_id, external_id, order_key, number,
                    status, stock_flag, gone, email, currency, prices_include_tax, shipping,
                    shipping_tax, fees, fees_tax, discount, discount_tax, tax, rounding, total,
                    refunded, payment_method, payment_title, transaction_id, details, ordered_at,
                    created_at, updated_at)
                 VALUES ({}, {}, {}, {n}, 'k', 'N{n:05}', '{status}', TRUE, FALSE,
                    'buyer{}@example.test', 'EUR', TRUE, 0, 0, 0, 0, 0, 0, 0, 0, 1450000000, 0,
                    'cod', 'Cash', '', '{{}}', {at}, {at}, {at})",
                key(shop.tenant),
                key(Uuid::new_v4()),
                key(shop.integration),
                n % 3,
            ))
            .await;
    }
}

/// The numbers of the sales on a page or in a file, in their order.
fn numbers(page: &str) -> Vec<u32> {
    let lines = page.replace(">#", "\n");
    let parts = lines.split('\n').filter_map(|part| part.strip_prefix('N'));
    parts.filter_map(|part| part.get(..5)?.parse().ok()).collect()
}

/// All pages of a list, as their numbers.
async fn walk(browser: &Browser, path: &str) -> Vec<u32> {
    let (mut path, mut seen) = (path.to_owned(), Vec::new());
    loop {
        let page = browser.open(&path).await;
        assert_eq!(page.status, 200, "{path}");
        seen.extend(numbers(&page.body));
        let Some(next) = page.body.split("<a ").find(|link| link.contains("rel=\"next\"")) else {
            return seen;
        };
        path = next.split('"').nth(3).unwrap().replace("&#38;", "&").replace("&amp;", "&");
    }
}

on_both! {
    async fn a_sale_is_shown_whole_with_the_stock_that_each_line_moved(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, staff) = rings(&relay, &served).await;
        assert!(staff.open("/sales").await.body.contains("No sale yet"));
        let order = shop.request(|shop| shop.paid_order(&[(ring, 3)]));
        shop.push().await;
        shop.act(|shop| shop.refund(order, 0, 1, true));
        shop.push().await;
        shop.fetch().await;
        let list = staff.open("/sales").await.body;
        assert!(list.contains(&format!("#{order}")), "{list}");
        let page = staff.open(&first_sale(&list)).await;
        assert_eq!(page.status, 200);
        let total = shop.fake.shop().orders[&order].total();
        for said in [
            "<strong>−3</strong> of <a href=\"/inventory/RING%2F1\">RING/1</a>",
            "<strong>+1</strong> of",
            "1 × Ring",
            "1 back into stock",
            "Paid back",
            "Shipping",
            "Tax",
            "Transaction",
        ] {
            assert!(page.body.contains(said), "{said}: {}", page.body);
        }
        let currency = &relay.texts("SELECT currency FROM sales").await[0][0];
        assert_eq!(currency, "AUD");
        let shown = format!("A${}.{:02}", total / 1_000_000, total / 10_000 % 100);
        assert!(page.body.contains(&shown), "{shown}: {}", page.body);
        let nobody = format!("/sales/{}", Uuid::new_v4());
        assert_eq!(staff.open(&nobody).await.status, 404);
        assert_eq!(staff.open("/sales/nonsense").await.status, 404);
    }
}

on_both! {
    async fn every_sale_is_on_one_page_in_every_order_and_filter(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, _, staff) = rings(&relay, &served).await;
        many(&relay, &shop, 130).await;
        let all: Vec<u32> = (0..130).collect();
        let newest: Vec<u32> = all.iter().rev().copied().collect();
        assert_eq!(walk(&staff, "/sales").await, newest);
        assert_eq!(walk(&staff, "/sales?sort=oldest").await, all);
        let failed: Vec<u32> = all.iter().copied().filter(|n| n % 7 == 0).collect();
        assert_eq!(walk(&staff, "/sales?status=failed&sort=oldest").await, failed);
        let failed: Vec<u32> = failed.into_iter().rev().collect();
        assert_eq!(walk(&staff, "/sales?status=failed").await, failed);
        let hers: Vec<u32> = newest.iter().copied().filter(|n| n % 3 == 1).collect();
        assert_eq!(walk(&staff, "/sales?q=Buyer1%40example.test").await, hers);
        let hers: Vec<u32> = hers.into_iter().filter(|n| n % 7 == 0).collect();
        assert_eq!(walk(&staff, "/sales?q=buyer1%40example.test&status=failed").await, hers);
        assert_eq!(walk(&staff, "/sales?q=%23N00077").await, [77]);
        assert_eq!(walk(&staff, &format!("/sales?store={}", shop.integration)).await, newest);
        assert!(walk(&staff, &format!("/sales?store={}", Uuid::new_v4())).await.is_empty());
        let day = (Utc::now() - TimeDelta::days(2)).date_naive();
        let of_day = walk(&staff, &format!("/sales?from={day}&until={day}")).await;
        assert_eq!(of_day.len(), 24, "{of_day:?}");
        // What cannot be read says nothing, and a cursor that was tampered with begins anew.
        assert_eq!(walk(&staff, "/sales?store=x&from=y&customer=z").await, newest);
        assert_eq!(numbers(&staff.open("/sales?after=tampered").await.body), newest[..50]);
        let none = staff.open("/sales?q=no%26thing").await.body;
        let there = "href=\"/customers?q=no%26thing\">Look under Customers";
        assert!(none.contains("No such sale") && none.contains(there), "{none}");
        // What a phone keeps folded is open where it leaves something out.
        for (query, open) in [("", false), ("q=x", false), ("status=failed", true), ("sort=oldest", true)] {
            let page = staff.open(&format!("/sales?{query}")).await.body;
            let (folded, unfolded) = ("<details class=\"fold\">", "<details class=\"fold\" open>");
            assert!(page.contains(if open { unfolded } else { folded }), "{query}: {page}");
        }
    }
}

on_both! {
    async fn an_export_has_every_sale_that_the_list_has(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, _, staff) = rings(&relay, &served).await;
        many(&relay, &shop, 620).await;
        let file = staff.open("/sales.csv").await;
        assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
        let seen = numbers(&file.body);
        assert_eq!(seen.len(), 620);
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 620);
        assert!(file.body.contains(",completed,,buyer1@example.test,EUR,1450.00,0.00,"));
        let failed = staff.open("/sales.csv?status=failed").await;
        assert_eq!(numbers(&failed.body).len(), 89);
        relay.run("UPDATE sales SET number = '=1+1' WHERE number = 'N00619'").await;
        assert!(staff.open("/sales.csv").await.body.contains("\r\n'=1+1,"), "no formula");
    }
}

on_both! {
    async fn what_a_shop_writes_stays_text(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, staff) = rings(&relay, &served).await;
        shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.push().await;
        let evil = "<script>alert(1)</script>\"''><img src=x onerror=alert(1)>";
        for column in ["number", "status", "email", "payment_title", "transaction_id"] {
            relay.run(&format!("UPDATE sales SET {column} = '{evil}'")).await;
        }
        relay.run(&format!("UPDATE sale_items SET name = '{evil}', sku = '{evil}'")).await;
        relay.run(&format!("UPDATE inventory SET sku = '{evil}'")).await;
        let list = staff.open("/sales").await.body;
        is_inert(&list, "/sales");
        is_inert(&staff.open(&first_sale(&list)).await.body, "/sales/{id}");
        let query = url::form_urlencoded::byte_serialize(evil.as_bytes()).collect::<String>();
        is_inert(&staff.open(&format!("/sales?q={query}")).await.body, "a search");
    }
}

/// Where a page is told how its list changes.
fn news_of(page: &str) -> String {
    let address = page.split("data-live=\"").nth(1).expect("a list that lives");
    address.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&")
}

on_both! {
    async fn an_open_list_is_told_what_changes_until_its_reader_is_gone(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, ring, mut staff) = rings(&relay, &served).await;
        let other = tenant(&relay.relay, "Other").await;
        let other = somebody(&relay.relay, &served, other, "o@example.test", Role::Owner).await;
        let page = staff.open("/sales").await.body;
        assert!(page.contains("No sale yet"), "{page}");
        let mut heard = staff.listen(&news_of(&page)).await;
        let only_failed = staff.open("/sales?status=failed").await.body;
        let mut failed = staff.listen(&news_of(&only_failed)).await;
        let mut theirs = other.listen(&news_of(&other.open("/sales").await.body)).await;

        let order = shop.request(|shop| shop.paid_order(&[(ring, 2)]));
        shop.push().await;
        let told = heard.next().await.unwrap();
        assert!(told.contains("event: list") && told.contains(&format!("#{order}")), "{told}");
        assert!(told.contains("Processing"), "{told}");
        // It is what the page itself shows now, and a page that shows it is not told again.
        let page = staff.open("/sales").await.body;
        let mut up_to_date = staff.listen(&news_of(&page)).await;
        shop.act(|shop| shop.enter(order, "failed"));
        shop.push().await;
        for list in [&mut heard, &mut up_to_date, &mut failed] {
            let told = list.next().await.unwrap();
            assert!(told.contains(&format!("#{order}")) && told.contains("Failed"), "{told}");
        }

        staff.submit("/logout", &[]).await;
        assert_eq!(heard.next().await, None, "somebody who has logged out is told no more");
        other.clone().submit("/logout", &[]).await;
        assert_eq!(theirs.next().await, None, "what another jeweller sells is not told");
    }
}
