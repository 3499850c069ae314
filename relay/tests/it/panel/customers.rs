//! Customers: found by e-mail and by name, and in a file.

use chrono::Utc;
use nexpura_relay::{domain::Role, store};
use uuid::Uuid;

use super::{
    browser::{Browser, somebody, tenant},
    inert::is_inert,
};
use crate::support::{database, on_both, relay::TestRelay};

/// Customers `first`, `last`, e-mail, in the order in which they come.
async fn customers(relay: &TestRelay, tenant: Uuid, people: &[(String, String, String)]) {
    let db = &relay.relay.db;
    let (tenant, now) = (database::key(db, tenant), database::moment(db, Utc::now()));
    for (first, last, email) in people {
        let id = database::key(db, store::new_id());
        relay
            .run(&format!(
                "INSERT INTO customers (tenant_id, id, email, first_name, last_name, company, phone,
                    address, created_at, updated_at)
                 VALUES ({tenant}, {id}, '{email}', '{first}', '{last}', '', '', '{{}}', {now}, {now})"
            ))
            .await;
    }
}

/// The e-mails of all pages of a list, in their order.
async fn walk(browser: &Browser, path: &str) -> Vec<String> {
    let (mut path, mut seen) = (path.to_owned(), Vec::new());
    loop {
        let page = browser.open(&path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        let cells = page.body.split("<td class=\"second break mail\">").skip(1);
        seen.extend(
            cells
                .filter_map(|cell| Some(cell.split('<').next()?.trim().to_owned()))
                .filter(|cell| cell.contains('@')),
        );
        let Some(next) = page.body.split("<a ").find(|link| link.contains("rel=\"next\"")) else {
            return seen;
        };
        path = next.split('"').nth(3).unwrap().replace("&#38;", "&");
    }
}

on_both! {
    async fn every_customer_is_on_one_page_in_every_order_and_search(relay: TestRelay) {
        let gold = tenant(&relay.relay, "Gold").await;
        let theirs = tenant(&relay.relay, "Silver").await;
        let served = relay.serve().await;
        let staff = somebody(&relay.relay, &served, gold, "s@example.test", Role::Staff).await;
        assert!(staff.open("/customers").await.body.contains("No customer yet"));
        let email = |n: i64| format!("c{n:03}@example.test");
        let all: Vec<_> = (0..120)
            .map(|n| {
                let last = if n % 2 == 0 { "Smith" } else { "jones" };
                (format!("Ann{n}"), last.to_owned(), email(n))
            })
            .collect();
        customers(&relay, gold, &all).await;
        let zoe = [("Cee".to_owned(), "C0".to_owned(), "zoe@example.test".to_owned())];
        customers(&relay, gold, &zoe).await;
        customers(&relay, theirs, &zoe).await;
        let mut newest = vec!["zoe@example.test".to_owned()];
        newest.extend((0..120).rev().map(email));
        assert_eq!(walk(&staff, "/customers").await, newest);
        let named = walk(&staff, "/customers?sort=name").await;
        assert_eq!((named.len(), named[0].as_str()), (121, "zoe@example.test"));
        assert!(named[1..61].iter().all(|one| one[3..4].parse::<u32>().unwrap() % 2 == 1));
        // E-mails first, then names; in any case.
        let mut found: Vec<_> = (0..100).map(email).collect();
        found.push("zoe@example.test".to_owned());
        assert_eq!(walk(&staff, "/customers?q=C0").await, found);
        assert_eq!(walk(&staff, "/customers?q=JON").await.len(), 60);
        assert_eq!(walk(&staff, "/customers?after=tampered").await.len(), 121);
        assert!(staff.open("/customers?q=x").await.body.contains("No such customer"));
        // Some agreed to be written to, one said no, and of all others nobody knows.
        relay.run("UPDATE customers SET marketing_consent = TRUE WHERE email LIKE 'c__5@%'").await;
        relay.run("UPDATE customers SET marketing_consent = FALSE WHERE email LIKE 'c007@%'").await;
        let agreed: Vec<_> = (0..120).filter(|n| n % 10 == 5).map(email).collect();
        let others: Vec<_> = newest.iter().filter(|one| !agreed.contains(one)).cloned().collect();
        assert_eq!(walk(&staff, "/customers?marketing=no").await, others);
        assert_eq!(walk(&staff, "/customers?marketing=x").await, newest);
        assert_eq!(walk(&staff, "/customers?marketing=yes&q=c01").await, [email(15)]);
        assert_eq!(walk(&staff, "/customers?marketing=yes&q=jones").await, agreed);
        assert_eq!(walk(&staff, "/customers?marketing=yes&sort=name").await, agreed);
        assert_eq!(walk(&staff, "/customers?marketing=no&q=C0").await.len(), 91);
        assert!(walk(&staff, "/customers?marketing=yes&q=smith").await.is_empty());
        let file = staff.open("/customers.csv?marketing=yes").await.body;
        assert_eq!(file.lines().count(), 13);
        let mut agreed = agreed;
        agreed.reverse();
        assert_eq!(walk(&staff, "/customers?marketing=yes").await, agreed);
        let file = staff.open("/customers.csv?q=C0").await.body;
        assert_eq!(file.lines().count(), 102);
        assert!(file.contains("\r\nAnn0,Smith,,c000@example.test,,,,"), "{file}");
    }
}

on_both! {
    async fn what_a_customer_calls_themselves_stays_text(relay: TestRelay) {
        let gold = tenant(&relay.relay, "Gold").await;
        let served = relay.serve().await;
        let staff = somebody(&relay.relay, &served, gold, "s@example.test", Role::Staff).await;
        let evil = "<script>alert(1)</script>\"''><img src=x onerror=alert(1)>".to_owned();
        customers(&relay, gold, &[(evil.clone(), evil.clone(), evil.clone())]).await;
        is_inert(&staff.open("/customers").await.body, "/customers");
        let formula = ("=1+1".to_owned(), "@x".to_owned(), "-y".to_owned());
        customers(&relay, gold, &[formula]).await;
        let file = staff.open("/customers.csv").await.body;
        assert!(file.contains("\r\n'=1+1,'@x,,'-y,"), "{file}");
    }
}
