//! A store's runs, and the report of each: listed page by page, and as a file.

use chrono::TimeDelta;
use nexpura_relay::store::{
    self,
    runs::{self, Finding, Tally},
};
use serde_json::json;
use uuid::Uuid;

use super::sales::rings;
use crate::support::{connected::Connected, database, on_both, wait::until};

/// A run that has ended.
async fn ended(shop: &Connected, kind: &str, tally: Tally) -> Uuid {
    let (tenant, integration, now) = (shop.tenant, shop.integration, store::now());
    let (cursor, until) = (json!({}), now + TimeDelta::minutes(1));
    let mut tx = shop.relay.db.write().await.unwrap();
    let id = runs::ask(&mut tx, tenant, integration, kind, &cursor, false, now).await.unwrap();
    let run = runs::claim(&mut tx, (tenant, integration), now, until).await.unwrap().unwrap();
    assert_eq!(run.id, id);
    let held = run.held();
    assert!(runs::advance(&mut tx, tenant, held, &cursor, tally, None, until).await.unwrap());
    assert!(runs::finish(&mut tx, tenant, held, now).await.unwrap().is_some());
    tx.commit().await.unwrap();
    id
}

fn finding(remote_id: i64, outcome: &str, label: &str) -> Finding {
    Finding {
        resource: "product".to_owned(),
        remote_id,
        outcome: outcome.to_owned(),
        label: label.to_owned(),
        reason: format!("because of {remote_id}"),
    }
}

async fn note(shop: &Connected, run: Uuid, findings: &[Finding]) {
    let mut tx = shop.relay.db.write().await.unwrap();
    runs::find_all(&mut tx, shop.tenant, run, findings).await.unwrap();
    tx.commit().await.unwrap();
}

const REPORT: &str = "<td class=\"lead\"><a href=\"/integrations/runs/";

on_both! {
    async fn a_stores_runs_are_listed_the_newest_first_each_with_its_report(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, _, staff) = rings(&relay, &served).await;
        let here = format!("/integrations/{}/runs", shop.integration);
        let card = staff.open("/integrations").await.body;
        assert!(card.contains(&format!("href=\"{here}\"")), "{card}");
        let before = staff.walk(&here, REPORT, "\"").await.0;
        let mut expected = Vec::new();
        for n in 0..60 {
            let kind = ["products", "orders", "inventory"][n % 3];
            let tally = Tally { seen: 1_200, synced: 47, skipped: 3, ..Tally::default() };
            expected.insert(0, ended(&shop, kind, tally).await.to_string());
        }
        let broken = ended(&shop, "customers", Tally { seen: 9, failed: 2, ..Tally::default() }).await;
        expected.insert(0, broken.to_string());
        let pushes: Vec<_> = expected.iter().skip(1).step_by(3).cloned().collect();
        expected.extend(before);
        assert_eq!(staff.walk(&here, REPORT, "\"").await, (expected, 2));
        let page = staff.open(&here).await.body;
        for told in ["Import customers", "2 failed", "Done", "1,200", ">47<"] {
            assert!(page.contains(told), "{told}: {page}");
        }
        let of_kind = staff.walk(&format!("{here}?kind=inventory"), REPORT, "\"").await;
        assert_eq!(of_kind, (pushes, 1));
        // What finds nothing is left out among all, and is there for whoever asks for it.
        relay.run("DELETE FROM sync_runs WHERE kind = 'sweep' AND finished_at IS NULL").await;
        let sweep = ended(&shop, "sweep", Tally { seen: 5, unchanged: 5, ..Tally::default() }).await;
        let is_in = async |path: &str| staff.open(path).await.body.contains(&sweep.to_string());
        assert!(!is_in(&here).await && is_in(&format!("{here}?kind=sweep")).await);
        relay.run("UPDATE sync_runs SET skipped = 1 WHERE kind = 'sweep'").await;
        assert!(is_in(&here).await);
    }
}

on_both! {
    async fn all_that_a_run_did_not_take_over_is_listed_and_in_its_file(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, _, staff) = rings(&relay, &served).await;
        let tally = Tally { seen: 1_103, skipped: 1_100, failed: 3, ..Tally::default() };
        let run = ended(&shop, "products", tally).await;
        let skipped: Vec<_> = (1..=1_100).map(|id| finding(id, "skipped", "=1+1")).collect();
        let failed: Vec<_> = (2_001..=2_003).map(|id| finding(id, "failed", "RING")).collect();
        note(&shop, run, &skipped).await;
        note(&shop, run, &failed).await;
        let here = format!("/integrations/runs/{run}");
        let (seen, pages) = staff.walk(&here, "<span class=\"muted small\">#", "<").await;
        let expected = (2_001..=2_003).chain(1..=1_100).map(|id: i64| id.to_string());
        assert_eq!((seen, pages), (expected.collect::<Vec<_>>(), 23));
        let file = staff.open(&format!("{here}/findings.csv")).await;
        assert!(file.headers["content-disposition"].to_str().unwrap().contains("report.csv"));
        let lines: Vec<_> = file.body.lines().collect();
        assert_eq!(lines.len(), 1_104);
        assert_eq!(lines[1], "failed,product,RING,2001,because of 2001");
        assert_eq!(lines[1_103], "skipped,product,'=1+1,1100,because of 1100");

        let asked = format!("/api/runs/{run}?limit=500");
        let first = served.api.get(&asked, &shop.token).await.ok();
        assert_eq!(first["findings"].as_array().unwrap().len(), 500);
        assert_eq!((&first["skipped"], &first["findings"][0]["remote_id"]), (&json!(1_100), &json!(2_001)));
        let next = first["next"].as_str().unwrap();
        let second = served.api.get(&format!("{asked}&after={next}"), &shop.token).await.ok();
        assert_eq!(second["findings"][0]["remote_id"], 498);
        served.api.get(&format!("{asked}&after=!"), &shop.token).await.problem(400);
    }
}

on_both! {
    async fn the_worker_forgets_old_findings_and_sweeps_but_no_numbers(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, _, staff) = rings(&relay, &served).await;
        relay.run("DELETE FROM run_findings").await;
        relay.run("DELETE FROM sync_runs").await;
        let tally = Tally { seen: 1, skipped: 1, ..Tally::default() };
        let mut runs = Vec::new();
        for (kind, days, found) in [
            ("products", 91, true),
            ("products", 89, true),
            ("sweep", 8, false),
            ("sweep", 6, false),
            ("sweep", 8, true),
            ("sweep", 91, true),
        ] {
            let nothing = Tally { seen: 1, ..Tally::default() };
            let run = ended(&shop, kind, if found { tally } else { nothing }).await;
            if found {
                note(&shop, run, &[finding(1, "skipped", "RING")]).await;
            }
            let at = database::moment(&relay.relay.db, store::now() - TimeDelta::days(days));
            let key = database::key(&relay.relay.db, run);
            relay.run(&format!("UPDATE sync_runs SET finished_at = {at} WHERE id = {key}")).await;
            runs.push(format!("/integrations/runs/{run}"));
        }
        let working = relay.work();
        let gone = async || (staff.open(&runs[2]).await.status == 404).then_some(());
        until("the sweep that found nothing is forgotten", gone).await;
        working.stop().await;
        for old in [0, 5] {
            let page = staff.open(&runs[old]).await.body;
            let numbers = page.contains("<dt>Skipped</dt><dd>1</dd>");
            assert!(page.contains("No longer kept") && numbers, "{old}: {page}");
        }
        for kept in [1, 4] {
            assert!(staff.open(&runs[kept]).await.body.contains("Because of 1."), "{kept}");
        }
        assert_eq!(staff.open(&runs[3]).await.status, 200);
    }
}
