//! What was done: the newest first, page by page, of one person, and as a file.

use nexpura_relay::{
    domain::Role,
    store::{self, audit},
};

use super::browser::{somebody, tenant};
use crate::support::on_both;

on_both! {
    async fn everything_that_was_done_is_listed_filtered_and_exported(relay: TestRelay) {
        let gold = tenant(&relay.relay, "Gold").await;
        let mut tx = relay.relay.db.write().await.unwrap();
        for n in 0..1_203 {
            let actor = if n % 2 == 0 { "ann@example.test" } else { "ben@example.test" };
            let subject = format!("thing {n:04}");
            let now = store::now();
            audit::record(&mut tx, gold, actor, "thing.done", &subject, now).await.unwrap();
        }
        tx.commit().await.unwrap();
        let served = relay.serve().await;
        let manager = somebody(&relay.relay, &served, gold, "m@example.test", Role::Manager).await;
        let mut seen = Vec::new();
        let mut path = "/settings/activity?actor=ann%40example.test".to_owned();
        for _ in 0..3 {
            let page = manager.open(&path).await.body;
            assert!(!page.contains("ben@example.test"));
            let row = |part: &str| part.get(..4).and_then(|number| number.parse::<u32>().ok());
            seen.extend(page.split("thing ").skip(1).filter_map(row));
            let next = page.split("href=\"").find(|part| part.contains("rel=\"next\"")).unwrap();
            path = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
            assert!(path.contains("actor=ann%40example.test"), "{path}");
        }
        let all: Vec<u32> = (0..150).map(|n| 1_202 - 2 * n).collect();
        assert_eq!(seen, all);
        let file = manager.open("/settings/activity.csv").await;
        assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
        assert_eq!(file.headers["content-disposition"], "attachment; filename=\"activity.csv\"");
        let lines: Vec<&str> = file.body.lines().collect();
        assert_eq!(lines.len(), 1 + 1_203);
        assert_eq!(lines[0], "\u{feff}When,Who,What,To what");
        assert!(lines[1].ends_with(",ann@example.test,thing.done,thing 1202"), "{}", lines[1]);
    }
}
