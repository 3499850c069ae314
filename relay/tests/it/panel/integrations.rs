//! Stores connected, synced, compared and disconnected, as a manager does it in a browser.

use chrono::Utc;
use nexpura_protocol::{Batch, ConnectionString, SpoolState};
use nexpura_relay::domain::Role;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{
    browser::{Browser, leads_to, somebody, tenant},
    inert::is_inert,
    sales::rings,
};
use crate::{
    shop::{
        Shop, Stock,
        server::{Behaviour, CONSUMER_KEY, CONSUMER_SECRET, FakeShop, Town},
    },
    support::{
        api::Signed,
        connected::Connected,
        on_both, pushing,
        relay::{Served, TestRelay},
        wait::until,
    },
};

const HERE: &str = "/integrations";

/// A manager of the jeweller whose shop this is.
async fn manager(relay: &TestRelay, served: &Served, tenant: Uuid) -> Browser {
    somebody(&relay.relay, served, tenant, "mara@example.test", Role::Manager).await
}

/// An address as the panel names a store by it.
fn bare(address: &str) -> &str {
    address.split_once("://").unwrap().1
}

/// What stands behind a button's form.
fn form<'a>(page: &'a str, action: &str) -> &'a str {
    let from = page.find(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("{action}"));
    page[from..].split("</form>").next().unwrap()
}

on_both! {
    async fn a_store_is_connected_by_its_key_and_every_refusal_says_why(relay: TestRelay) {
        let town = Town::open().await;
        let fake = town.shop(Shop::new());
        let gold = tenant(&relay.relay, "Gold").await;
        let served = relay.serve().await;
        let mut mara = manager(&relay, &served, gold).await;
        assert!(mara.open(HERE).await.body.contains("No store is connected"));
        let page = mara.open("/website/connect").await.body;
        for told in ["WooCommerce › Settings › Advanced › REST API", "WooCommerce › Nexpura", "Read/Write"] {
            assert!(page.contains(told), "{told}");
        }
        let url = format!(" {}/ ", fake.home);
        let refused = json!({ "code": "woocommerce_rest_cannot_view", "data": { "status": 401 } });
        let answer = |answer| fake.answer_with("wc/v3/system_status", answer);
        answer(Some((401, refused)));
        let pasted = |url, secret| {
            [("store_url", url), ("consumer_key", CONSUMER_KEY), ("consumer_secret", secret)]
        };
        for (url, secret, why) in [
            (url.as_str(), CONSUMER_SECRET, "<strong>Invalid API credentials.</strong> "),
            ("http://127.0.0.1:1", CONSUMER_SECRET, "<strong>Cannot reach store URL.</strong> "),
            ("not a shop", CONSUMER_SECRET, "<strong>Cannot reach store URL.</strong> "),
            (url.as_str(), "nonsense", "<strong>Invalid API credentials.</strong> "),
        ] {
            let refused = mara.submit("/website/connect", &pasted(url, secret)).await;
            assert_eq!(refused.status, 422, "{why}");
            assert!(refused.body.contains(why), "{why}: {}", refused.body);
            assert!(refused.body.contains(&format!("value=\"{url}\"")), "what was typed stays");
            assert!(!refused.body.contains(secret), "but for the secret");
        }
        assert_eq!(relay.number("SELECT COUNT(*) FROM integrations").await, 0);
        answer(None);
        let done = mara.submit("/website/connect", &pasted(url.as_str(), CONSUMER_SECRET)).await;
        assert_eq!(leads_to(&done), HERE);
        let page = mara.open(HERE).await.body;
        assert!(page.contains(&format!("class=\"notice good\" role=\"status\">Connected to {}.", bare(&fake.home))), "{page}");
        assert!(page.contains("checked every few minutes") && page.contains(">Connected<"), "{page}");
        assert!(!page.contains("cs_") && !page.contains("ck_"));
        let actors = relay.texts("SELECT actor FROM audit_log WHERE action = 'store.connected'").await;
        assert_eq!(actors, [["mara@example.test"]]);
    }
}

/// What the plugin says when somebody has pasted the string into WordPress.
async fn paste(served: &Served, string: &str, fake: &FakeShop) {
    let connection = ConnectionString::parse(string).unwrap();
    let hello = json!({
        "store_id": Uuid::new_v4(), "home_url": fake.home, "rest_url": fake.rest_url(),
        "key": { "consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET },
        "versions": { "plugin": "0.1.0", "extension": "0.1.0" }, "order_storage": "hpos",
    });
    let body = hello.to_string().into_bytes();
    let signed = Signed::new(connection.id(), connection.secret(), &body);
    served.api.post_signed("/v1/connect", &signed, body).await.ok();
}

on_both! {
    async fn a_connection_string_is_shown_once_and_the_page_notices_the_shop(relay: TestRelay) {
        let town = Town::open().await;
        let fake = town.shop(Shop::new());
        let gold = tenant(&relay.relay, "Gold").await;
        let served = relay.serve().await;
        let mut mara = manager(&relay, &served, gold).await;
        let made = mara.submit("/website/connect/string", &[]).await;
        assert_eq!(made.status, 200);
        let string = made.body.split("<code class=\"secret\">").nth(1).unwrap();
        let string = string.split('<').next().unwrap().to_owned();
        let watched = made.body.split("data-watch=\"").nth(1).unwrap().split('"').next().unwrap();
        let then = made.body.split("data-then=\"").nth(1).unwrap().split('"').next().unwrap();
        let waiting = mara.open(then).await.body;
        assert!(waiting.contains("Waiting for your shop"), "{waiting}");
        assert!(!waiting.contains(&string) && !waiting.contains("class=\"secret\""));
        let listening = mara.clone();
        let watched = watched.to_owned();
        let heard = tokio::spawn(async move { listening.open(&watched).await });
        paste(&served, &string, &fake).await;
        let heard = heard.await.unwrap();
        assert_eq!(heard.headers["content-type"], "text/event-stream");
        assert_eq!(heard.headers["x-accel-buffering"], "no");
        assert_eq!(heard.body.trim(), format!("event: done\ndata: {}", fake.home));
        let page = mara.open(then).await.body;
        assert!(page.contains(&format!("✓ {} is connected", bare(&fake.home))), "{page}");
        assert!(mara.open(HERE).await.body.contains("through the Nexpura plugin"));
    }
}

on_both! {
    async fn an_import_shows_its_progress_then_its_banner_and_what_was_skipped(relay: TestRelay) {
        let town = Town::open().await;
        let mut shop = Shop::new();
        for n in 0..5 {
            shop.simple(&format!("RING-{n}"), 1);
        }
        shop.product(None, "simple", None, Stock::Own(2));
        let shop = Connected::new(&relay.relay, &town, shop).await;
        let served = relay.serve().await;
        let mut mara = manager(&relay, &served, shop.tenant).await;
        let sync = format!("{HERE}/{}/sync", shop.integration);
        let page = mara.open(HERE).await.body;
        let buttons = ["products", "customers", "orders", "inventory", "reconcile"];
        for kind in buttons {
            assert!(!form(&page, &format!("{sync}/{kind}")).contains("disabled"), "{kind}");
        }
        assert!(!page.contains("spinner"));
        assert_eq!(leads_to(&mara.submit(&format!("{sync}/products"), &[]).await), HERE);
        let page = mara.open(HERE).await.body;
        assert!(page.contains("spinner") && page.contains("Importing products: 0"), "{page}");
        for kind in buttons {
            assert!(form(&page, &format!("{sync}/{kind}")).contains("disabled"), "{kind}");
        }
        // What moves is not said again and again, but the beginning and the end are.
        let moves = page.split("data-watch=\"").nth(1).unwrap().split("</div>").next().unwrap();
        let said = "<p class=\"hidden\" role=\"status\" data-begun=\"Import products: under way.\" data-ended=\"";
        assert!(moves.contains(said) && moves.matches("role=\"status\"").count() == 1, "{moves}");
        assert!(moves.contains("aria-label=\"Import products\""), "{moves}");
        let watched = page.split("data-watch=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let listening = mara.clone();
        let at = watched.clone();
        let heard = tokio::spawn(async move { listening.open(&at).await });
        // Read until it has begun to be watched and is through.
        while shop.run_sweep().await {}
        let heard = heard.await.unwrap().body;
        assert!(heard.contains("event: done"), "{heard}");
        assert!(heard.contains("Importing products: 6"), "{heard}");
        let page = mara.open(HERE).await.body;
        assert!(page.contains("✓ Synced 5 items, 1 skipped"), "{page}");
        assert!(!page.contains("spinner"));
        let report = mara.open(watched.strip_suffix("/progress").unwrap()).await.body;
        assert!(report.contains(">Skipped<") && report.contains("SKU"), "{report}");
        assert_eq!(mara.submit(&format!("{sync}/nonsense"), &[]).await.status, 404);
    }
}

on_both! {
    async fn an_import_that_fails_shows_the_first_error_in_place_of_the_banner(relay: TestRelay) {
        let town = Town::open().await;
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 3);
        let (order, _) = shop.paid_order(&[(ring, 1)]);
        let shop = Connected::new(&relay.relay, &town, shop).await;
        let served = relay.serve().await;
        let mut mara = manager(&relay, &served, shop.tenant).await;
        let sync = format!("{HERE}/{}/sync", shop.integration);
        shop.fake.damage_order(order);
        mara.submit(&format!("{sync}/orders"), &[]).await;
        while shop.run_sweep().await {}
        let page = mara.open(HERE).await.body;
        assert!(page.contains("notice bad\" role=\"status\"><p>Import orders: "), "{page}");
        assert!(page.contains(&order.to_string()), "{page}");
        // A shop that does not answer is said to be tried again, and stops nobody from anything else.
        shop.fake.behave(Behaviour::Status(401));
        mara.submit(&format!("{sync}/customers"), &[]).await;
        until("the shop's refusal", async || {
            shop.run_sweep().await;
            let page = mara.open(HERE).await.body;
            page.contains("It is tried again by itself").then_some(())
        })
        .await;
        let page = mara.open(HERE).await.body;
        assert!(page.contains(">Error<"), "{page}");
        assert!(!form(&page, &format!("{sync}/products")).contains("disabled"), "{page}");
        let tested = mara.submit(&format!("{HERE}/{}/test", shop.integration), &[]).await;
        assert_eq!(leads_to(&tested), HERE);
        assert!(mara.open(HERE).await.body.contains("Cannot reach store URL: the site asks"));
        shop.fake.behave(Behaviour::Honest);
        mara.submit(&format!("{HERE}/{}/test", shop.integration), &[]).await;
        assert!(mara.open(HERE).await.body.contains("answers and takes the key"));
    }
}

on_both! {
    async fn a_push_is_looked_at_before_it_is_made(relay: TestRelay) {
        let town = Town::open().await;
        let mut shop = Shop::new();
        shop.simple("RING", 5);
        shop.simple("CHAIN", 7);
        let shop = Connected::new(&relay.relay, &town, shop).await;
        shop.open().await;
        let served = relay.serve().await;
        let mara = manager(&relay, &served, shop.tenant).await;
        let changes = format!("{HERE}/{}/changes", shop.integration);
        assert!(mara.open(&changes).await.body.contains("Nothing would change"));
        let bought = json!({ "type": "purchase", "quantity_change": "3" });
        served.api.post("/api/inventory/RING/movements", &shop.token, &bought).await.ok();
        let page = mara.open(&changes).await.body;
        let row = page.split("<tr>").find(|row| row.contains(">RING<")).unwrap();
        assert!(row.contains("5 → <strong>8</strong>") && row.contains("(+3)"), "{row}");
        assert!(!page.contains("CHAIN"), "{page}");
        assert!(page.contains(&format!("{HERE}/{}/sync/inventory", shop.integration)));
        assert!(mara.open(HERE).await.body.contains("<dd>1 piece</dd>"), "it waits to be pushed");
        let staff = somebody(&relay.relay, &served, shop.tenant, "s@example.test", Role::Staff).await;
        let page = staff.open(&changes).await.body;
        assert!(page.contains(">RING<") && !page.contains("/sync/inventory"), "staff look only");
        let page = staff.open(HERE).await.body;
        assert!(page.contains(bare(&shop.fake.home)) && !page.contains("<form method=\"post\" action=\"/int"));
    }
}

on_both! {
    async fn policies_webhooks_and_disconnecting_are_a_managers_to_decide(relay: TestRelay) {
        let town = Town::open().await;
        let mut shop = Shop::new();
        shop.bare = true;
        let shop = Connected::new(&relay.relay, &town, shop).await;
        let served = relay.serve().await;
        let mut mara = manager(&relay, &served, shop.tenant).await;
        let here = format!("{HERE}/{}", shop.integration);
        let policy = format!("/settings{here}/policy");
        let page = mara.open(HERE).await.body;
        assert!(page.contains("<dt>Waiting in the shop</dt><dd>not reported yet</dd>"), "{page}");
        assert_eq!(leads_to(&mara.submit(&policy, &[("drift", "adopt")]).await), "/settings/integrations");
        let page = mara.open("/settings/integrations").await.body;
        assert!(page.contains("value=\"adopt\" checked") && page.contains("Saved for"), "{page}");
        assert!(page.contains("name=\"marks\">"), "a box that is not ticked says no");
        mara.submit(&policy, &[("drift", "adopt"), ("marks", "on")]).await;
        assert!(mara.open("/settings/integrations").await.body.contains("name=\"marks\" checked>"));
        // Without the plugin there is a second one; with it the choice is kept, though nobody sees it.
        relay.run("UPDATE connections SET revoked_at = created_at").await;
        let both = [("drift", "adopt"), ("marks", "on"), ("mark_fields", "on"), ("fields_shown", "yes")];
        mara.submit(&policy, &both).await;
        let page = mara.open("/settings/integrations").await.body;
        assert!(page.contains("type=\"checkbox\" name=\"mark_fields\" checked>"), "{page}");
        relay.run("UPDATE connections SET revoked_at = NULL").await;
        let page = mara.open("/settings/integrations").await.body;
        assert!(!page.contains("mark_fields") && !page.contains("fields_shown"), "{page}");
        mara.submit(&policy, &[("drift", "adopt"), ("marks", "on")]).await;
        assert_eq!(relay.number("SELECT COUNT(*) FROM integrations WHERE mark_fields").await, 1);
        let done = "SELECT action FROM audit_log
            WHERE action LIKE 'mark%' OR action LIKE 'policy%' ORDER BY id";
        let done: Vec<String> = relay.texts(done).await.concat();
        let expected = ["policy.adopt", "marks.off", "marks.on", "mark_fields.on"];
        assert_eq!(done, expected, "what stays as it is was not done");
        assert_eq!(mara.submit(&policy, &[("drift", "whatever")]).await.status, 400);

        let asked = mara.open(&format!("{here}/disconnect")).await.body;
        for told in ["WooCommerce key", "connection string", "stock history"] {
            assert!(asked.contains(told), "{told}: {asked}");
        }
        mara.submit(&format!("{here}/disconnect"), &[]).await;
        let page = mara.open(HERE).await.body;
        assert!(page.contains("is disconnected; its sales and stock history stay"), "{page}");
        assert!(page.contains(">Disconnected<") && page.contains("Connect it again"), "{page}");
        assert!(page.contains("WooCommerce, no longer checked") && !page.contains("every few minutes"), "{page}");
        assert!(!page.contains("not reported yet"), "nothing is waited for: {page}");
        assert_eq!(leads_to(&mara.submit(&format!("{here}/sync/orders"), &[]).await), HERE);
        assert!(mara.open(HERE).await.body.contains("The store is disconnected: connect it again first."));
        let set_up = mara.submit(&format!("{here}/webhooks/setup"), &[]).await;
        assert_eq!(leads_to(&set_up), HERE);
        assert!(mara.open(HERE).await.body.contains("The store is disconnected: connect it first."));
    }
}

on_both! {
    async fn what_a_shop_says_of_itself_stays_text(relay: TestRelay) {
        const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
        let town = Town::open().await;
        let mut shop = Shop::new();
        shop.simple(EVIL, 5);
        let shop = Connected::new(&relay.relay, &town, shop).await;
        shop.open().await;
        let served = relay.serve().await;
        let mut mara = manager(&relay, &served, shop.tenant).await;
        let piece = relay.texts("SELECT sku FROM inventory").await;
        assert_eq!(piece, [[EVIL]]);
        pushing::adjust(&shop, EVIL, "1").await;
        let changes = format!("{HERE}/{}/changes", shop.integration);
        is_inert(&mara.open(&changes).await.body, "a SKU in a dry run");
        let quoted = EVIL.replace('\'', "''");
        relay.run(&format!("UPDATE integrations SET status = 'error', status_reason = '{quoted}'")).await;
        relay.run(&format!("UPDATE integrations SET held_at = created_at, held_reason = '{quoted}'")).await;
        is_inert(&mara.open(HERE).await.body, "why a store is in trouble");
        is_inert(&mara.open("/").await.body, "the same at home");
        mara.submit(&format!("{HERE}/{}/sync/products", shop.integration), &[]).await;
        relay.run(&format!("UPDATE sync_runs SET error = '{quoted}' WHERE kind = 'products'")).await;
        relay
            .run(&format!(
                "INSERT INTO run_findings (tenant_id, run_id, resource, remote_id, outcome, label, reason)
                 SELECT tenant_id, id, 'product', 1, 'failed', '{quoted}', '{quoted}' FROM sync_runs
                 WHERE kind = 'products'"
            ))
            .await;
        is_inert(&mara.open(HERE).await.body, "a run's error");
        relay.run("UPDATE sync_runs SET error = NULL, failed = 1, finished_at = created_at").await;
        let page = mara.open(HERE).await.body;
        is_inert(&page, "a finding in a banner");
        let report = page.split("/integrations/runs/").nth(1).unwrap().split('"').next().unwrap();
        is_inert(&mara.open(&format!("{HERE}/runs/{report}")).await.body, "a report");
        let typed = [("store_url", EVIL), ("consumer_key", EVIL), ("consumer_secret", EVIL)];
        is_inert(&mara.submit("/website/connect", &typed).await.body, "what was typed");
    }
}

on_both! {
    async fn what_waits_in_a_shop_is_told_with_the_age_of_its_oldest(relay: TestRelay) {
        let served = relay.serve().await;
        let (shop, _, staff) = rings(&relay, &served).await;
        let waits = |at: i64| SpoolState { unsent: 3, open_intents: 0, oldest_unsent_at: Some(at) };
        let now = Utc::now().timestamp();
        for (at, said) in [
            (now - 7_500, Some("3 events, the oldest <time")),
            // A clock that runs ahead, or nonsense, says nothing of how long something waits.
            (now + 9_000, None),
            (i64::MAX, None),
            (-5, None),
        ] {
            let spool = shop.spool.lock().unwrap().id.to_string();
            shop.push_batch(&Batch { spool, events: Vec::new(), state: waits(at) }).await;
            let page = staff.open(HERE).await.body;
            assert!(!page.contains("not reported yet"), "{page}");
            match said {
                Some(said) => assert!(page.contains("last reported <time") && page.contains(said) && page.contains("2 hours ago"), "{page}"),
                None => assert!(page.contains("3 events <span"), "{at}: {page}"),
            }
        }
    }
}

on_both! {
    async fn the_plugin_that_fits_comes_from_the_relay_itself(relay: TestRelay) {
        let gold = tenant(&relay.relay, "Gold").await;
        let served = relay.serve().await;
        let mara = manager(&relay, &served, gold).await;
        assert!(mara.open("/website/connect").await.body.contains("href=\"/website/nexpura.zip\""));
        let answer = mara.request(Method::GET, "/website/nexpura.zip").send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/zip");
        let zip = answer.bytes().await.unwrap();
        let holds = |text: &str| zip.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(zip.starts_with(b"PK") && holds("nexpura/nexpura.php"), "no plugin");
        assert!(holds("nexpura/includes/stock.php") && holds("Plugin Name:          Nexpura"), "not whole");
    }
}
