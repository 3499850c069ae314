//! `doctor`: what is set up, what is not, and what to do about it.

use serde::Serialize;

use crate::{
    service::Relay,
    store::{StoreError, inbox, integrations, tenants},
};

#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    ok: bool,
    detail: String,
}

/// Prints every finding; fails when one of them is bad.
pub(super) async fn doctor(relay: &Relay, json: bool) -> anyhow::Result<()> {
    let mut findings = vec![public_url(relay), settling(relay)];
    match stores(relay).await {
        Ok(more) => {
            findings.push(good("database", "it answers and its tables are up to date"));
            findings.extend(more);
        }
        Err(error) => {
            tracing::debug!(%error, "doctor");
            findings.push(bad(
                "database",
                "it does not answer, or its tables are not there: run `nexpura-relay migrate`",
            ));
        }
    }
    let ok = findings.iter().all(|finding| finding.ok);
    if json {
        println!("{}", serde_json::json!({ "ok": ok, "findings": findings }));
    } else {
        for finding in &findings {
            let mark = if finding.ok { "ok " } else { "BAD" };
            println!("{mark}  {}: {}", finding.what, finding.detail);
        }
    }
    relay.db.close().await;
    anyhow::ensure!(ok, "something needs attention");
    Ok(())
}

fn public_url(relay: &Relay) -> Finding {
    match relay.config.reachable_at() {
        Ok(url) => good("public address", url.as_str()),
        Err(error) => bad("public address", &error.to_string()),
    }
}

fn settling(relay: &Relay) -> Finding {
    let seconds = relay.config.settle_seconds;
    if seconds >= 10 {
        good("settled reading", &format!("two equal readings {seconds} s apart"))
    } else {
        bad(
            "settled reading",
            &format!("{seconds} s is for demonstrations only: unset NEXPURA_SETTLE_SECONDS"),
        )
    }
}

async fn stores(relay: &Relay) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    let mut tx = relay.db.read().await?;
    for store in integrations::summaries(&mut tx).await? {
        let what = format!("{} of {}", store.store_url, store.tenant);
        let synced = store
            .last_sync_at
            .map_or_else(|| "never".to_owned(), |at| at.format("%F %T UTC").to_string());
        findings.push(match (store.forked_reason, store.status_reason, store.push_trouble) {
            (Some(reason), ..) => bad(&what, &format!("halted: {reason}")),
            (None, Some(reason), _) => bad(&what, &format!("{}: {reason}", store.status)),
            (None, None, Some(reason)) => bad(&what, &format!("stock does not go back: {reason}")),
            (None, None, None) => {
                good(&what, &format!("{} by {}, last swept {synced}", store.status, store.mode))
            }
        });
    }
    for tenant in tenants::all(&mut tx).await? {
        for (status, count) in inbox::counts(&mut tx, tenant).await? {
            if status == "failed" {
                let detail = format!("{count} failed: see `event list --status failed`");
                findings.push(bad("events", &detail));
            }
        }
    }
    tx.commit().await?;
    Ok(findings)
}

fn good(what: &str, detail: &str) -> Finding {
    Finding { what: what.to_owned(), ok: true, detail: detail.to_owned() }
}

fn bad(what: &str, detail: &str) -> Finding {
    Finding { what: what.to_owned(), ok: false, detail: detail.to_owned() }
}
