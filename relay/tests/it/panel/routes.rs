//! Every page and every form: who may use it, from where, and that it shows nothing of another jeweller.

/// What the benchmark of the pages asks for.
#[path = "../../../../tests/benches/pages/routes.rs"]
mod measured;

use std::collections::BTreeSet;

use nexpura_relay::{
    domain::Role,
    panel::{self, Needs},
};
use reqwest::Method;
use uuid::Uuid;

use super::browser::{Browser, leads_to, person, session, tenant};
use crate::{
    isolation::{Jeweller, jeweller},
    shop::{Shop, server::Town},
    support::{
        api::{Reply, send},
        on_both,
        relay::{Served, TestRelay},
    },
};

const STAFF: Option<Role> = Some(Role::Staff);
const MANAGER: Option<Role> = Some(Role::Manager);
const OWNER: Option<Role> = Some(Role::Owner);

/// Every route of the panel, with the least role that may use it. A new one has to stand here, and then
/// proves itself below.
const ROUTES: &[(&str, &str, Option<Role>)] = &[
    ("GET", "/assets/{file}", None),
    ("GET", "/login", None),
    ("POST", "/login", None),
    ("GET", "/set-password", None),
    ("POST", "/set-password", None),
    ("POST", "/logout", STAFF),
    ("GET", "/", STAFF),
    ("GET", "/website/connect", MANAGER),
    ("POST", "/website/connect", MANAGER),
    ("GET", "/website/nexpura.zip", MANAGER),
    ("POST", "/website/connect/string", MANAGER),
    ("GET", "/website/connect/string/{id}", MANAGER),
    ("GET", "/website/connect/string/{id}/progress", MANAGER),
    ("GET", "/integrations", STAFF),
    ("GET", "/integrations/runs/{id}", STAFF),
    ("GET", "/integrations/runs/{id}/findings.csv", STAFF),
    ("GET", "/integrations/runs/{id}/progress", STAFF),
    ("GET", "/integrations/{id}/runs", STAFF),
    ("GET", "/integrations/{id}/changes", STAFF),
    ("GET", "/integrations/{id}/changes.csv", STAFF),
    ("POST", "/integrations/{id}/sync/{kind}", MANAGER),
    ("POST", "/integrations/{id}/test", MANAGER),
    ("POST", "/integrations/{id}/webhooks/setup", MANAGER),
    ("POST", "/integrations/{id}/webhooks/remove", MANAGER),
    ("POST", "/integrations/{id}/resume", MANAGER),
    ("POST", "/integrations/{id}/accept", MANAGER),
    ("GET", "/integrations/{id}/disconnect", MANAGER),
    ("POST", "/integrations/{id}/disconnect", MANAGER),
    ("GET", "/settings/integrations", MANAGER),
    ("POST", "/settings/integrations/{id}/policy", MANAGER),
    ("GET", "/sales", STAFF),
    ("GET", "/sales.csv", STAFF),
    ("GET", "/sales/news", STAFF),
    ("GET", "/sales/{id}", STAFF),
    ("GET", "/inventory", STAFF),
    ("GET", "/inventory.csv", STAFF),
    ("GET", "/inventory/{sku}", STAFF),
    ("POST", "/inventory/{sku}/adjust", STAFF),
    ("POST", "/inventory/{sku}/count", STAFF),
    ("GET", "/events", STAFF),
    ("GET", "/events.csv", STAFF),
    ("POST", "/events/retry", MANAGER),
    ("GET", "/events/{id}", STAFF),
    ("POST", "/events/{id}/retry", MANAGER),
    ("POST", "/events/{id}/leave", MANAGER),
    ("GET", "/drift", STAFF),
    ("GET", "/drift.csv", STAFF),
    ("GET", "/drift/adopt", MANAGER),
    ("GET", "/drift/push", MANAGER),
    ("POST", "/drift/adopt", MANAGER),
    ("POST", "/drift/push", MANAGER),
    ("POST", "/drift/{id}/adopt", MANAGER),
    ("POST", "/drift/{id}/push", MANAGER),
    ("GET", "/conflicts", STAFF),
    ("GET", "/conflicts.csv", STAFF),
    ("POST", "/conflicts/{id}", MANAGER),
    ("GET", "/links", STAFF),
    ("GET", "/links.csv", STAFF),
    ("GET", "/links/ledger", MANAGER),
    ("GET", "/links/shop", MANAGER),
    ("POST", "/links", MANAGER),
    ("POST", "/links/{id}", MANAGER),
    ("GET", "/customers", STAFF),
    ("GET", "/customers.csv", STAFF),
    ("GET", "/settings", STAFF),
    ("POST", "/settings/password", STAFF),
    ("POST", "/settings/sessions/end", STAFF),
    ("GET", "/settings/activity", MANAGER),
    ("GET", "/settings/activity.csv", MANAGER),
    ("GET", "/settings/people", OWNER),
    ("POST", "/settings/people", OWNER),
    ("POST", "/settings/people/{id}/role", OWNER),
    ("POST", "/settings/people/{id}/link", OWNER),
    ("GET", "/settings/people/{id}/remove", OWNER),
    ("POST", "/settings/people/{id}/remove", OWNER),
];

/// What each form needs to be understood; one that is not named here has no fields.
fn fields(path: &str) -> &'static [(&'static str, &'static str)] {
    match path {
        "/login" => &[("email", "nobody@example.test"), ("password", "not a password")],
        "/set-password" => &[("link", "none"), ("password", "not a password")],
        "/settings/password" => &[("present", "not a password"), ("new", "short")],
        "/website/connect" => {
            &[("store_url", "no shop"), ("consumer_key", "none"), ("consumer_secret", "none")]
        }
        "/settings/integrations/{id}/policy" => &[("drift", "adopt")],
        "/settings/people" => &[("email", "no address"), ("role", "staff")],
        "/settings/people/{id}/role" => &[("role", "staff")],
        "/inventory/{sku}/adjust" => &[("reason", "other"), ("direction", "in"), ("units", "1")],
        "/conflicts/{id}" => &[("decision", "acknowledge")],
        "/links" | "/links/{id}" => &[("holds", "ledger")],
        "/drift/adopt" | "/drift/push" => &[("seen_at", "2020-01-01T00:00:00Z")],
        "/drift/{id}/adopt" | "/drift/{id}/push" => &[("seen", "0")],
        "/inventory/{sku}/count" => &[("units", "3")],
        _ => &[],
    }
}

#[test]
fn every_route_is_in_the_table() {
    let there: BTreeSet<_> = panel::table()
        .into_iter()
        .map(|(method, path, needs)| match needs {
            Needs::Nothing => (method, path, None),
            Needs::Role(role) => (method, path, Some(role)),
        })
        .collect();
    let known: BTreeSet<_> = ROUTES.iter().copied().collect();
    let strangers: Vec<_> = there.symmetric_difference(&known).collect();
    assert!(
        strangers.is_empty(),
        "routes without a proof, or proofs without a route: {strangers:?}"
    );
    assert_eq!(there.len(), panel::table().len(), "a route stands twice");
}

/// What is looked at and not measured, and why.
const UNMEASURED: [(&str, &str); 7] = [
    ("/assets/{file}", "asked for once by a browser, and read from no database"),
    ("/login", "holds nothing of any tenant"),
    ("/set-password", "holds nothing of any tenant"),
    ("/website/nexpura.zip", "made of what the program brings along"),
    ("/website/connect/string/{id}/progress", "lasts until a shop has used it"),
    ("/integrations/runs/{id}/progress", "lasts as long as the run"),
    ("/sales/news", "lasts as long as the page is open"),
];

#[test]
fn every_page_is_measured_in_a_ledger_of_years() {
    let table = panel::table();
    let looked_at = table.iter().filter(|(method, ..)| *method == "GET").map(|(_, path, _)| *path);
    let known = measured::MEASURED.into_iter().chain(UNMEASURED.map(|(path, _)| path));
    let (looked_at, known): (BTreeSet<_>, BTreeSet<_>) = (looked_at.collect(), known.collect());
    let strangers: Vec<_> = looked_at.symmetric_difference(&known).collect();
    assert!(strangers.is_empty(), "tests/benches/pages/routes.rs, or a reason: {strangers:?}");
}

/// A jeweller with somebody of each role.
struct House {
    jeweller: Jeweller,
    people: Vec<(Role, Uuid)>,
}

impl House {
    async fn new(relay: &TestRelay, town: &Town, mark: &str) -> Self {
        let mut shop = Shop::new();
        shop.simple("RING", 9);
        shop.customer("ana@example.test", "?");
        let event = Uuid::new_v4().to_string();
        let jeweller = jeweller(relay, town, &shop, mark, &event).await;
        let mut people = Vec::new();
        for role in Role::ALL {
            let email = format!("{role}@{mark}.test").to_lowercase();
            let id = person(&relay.relay, jeweller.shop.tenant, &email, role).await;
            people.push((role, id));
        }
        Self { jeweller, people }
    }

    /// A fresh session of somebody of this role: some routes end the one that they are asked with.
    async fn browser(&self, relay: &TestRelay, served: &Served, role: Role) -> Browser {
        let (_, id) = self.people.iter().find(|(its, _)| *its == role).unwrap();
        let session = session(&relay.relay, self.jeweller.shop.tenant, *id).await;
        Browser::new(served).holding(&session)
    }

    /// An address that names something of this jeweller.
    fn path(&self, route: &str) -> String {
        let shop = &self.jeweller.shop;
        let id = match route.split("/{id}").next().unwrap_or_default() {
            "/settings/people" => self.people[0].1.to_string(),
            "/integrations" | "/settings/integrations" => shop.integration.to_string(),
            "/integrations/runs" => self.jeweller.run.clone(),
            "/website/connect/string" => shop.connection.to_string(),
            // The fixture's conflict has the key of its sale.
            "/sales" | "/conflicts" => self.jeweller.sale.clone(),
            "/links" => self.jeweller.link.clone(),
            "/drift" => self.jeweller.drift.clone(),
            "/events" => self.jeweller.own_event.clone(),
            other => {
                assert!(!route.contains("{id}"), "{other}: say what its id is");
                String::new()
            }
        };
        route
            .replace("{id}", &id)
            .replace("{sku}", "RING")
            .replace("{kind}", "products")
            .replace("{file}", "none.css")
    }
}

async fn ask(browser: &Browser, method: &str, route: &str, path: &str) -> Reply {
    // What lasts while a page is open begins with the list as it stands.
    if route == "/sales/news" {
        return browser.listen(path).await.first().await;
    }
    if method == "GET" {
        return browser.open(path).await;
    }
    browser.clone().submit(path, fields(route)).await
}

/// Whether an answer sends somebody to the login page.
fn is_sent_to_log_in(reply: &Reply) -> bool {
    reply.status == 303 && leads_to(reply).starts_with("/login")
}

/// What no page may hold: the policy forbids it to run or to show.
fn is_clean(reply: &Reply, place: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
    ] {
        assert_eq!(reply.headers[name], value, "{place}");
    }
    let policy = reply.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self'"),
        "{place}"
    );
    assert!(!policy.contains("unsafe"), "{place}");
    assert_eq!(reply.headers["cache-control"], "no-store", "{place}");
    if reply.headers.get("content-type").is_some_and(|kind| kind == "application/zip") {
        return;
    }
    for inline in ["<script>", " style=", " onclick=", " onload=", " onerror=", "javascript:"] {
        assert!(!reply.body.contains(inline), "{place}: {inline}");
    }
}

on_both! {
    async fn every_route_asks_for_login_role_and_origin_and_shows_its_own_jeweller_only(relay: TestRelay) {
        let town = Town::open().await;
        let ann = House::new(&relay, &town, "Annasmark").await;
        let ben = House::new(&relay, &town, "Bensmark").await;
        let served = relay.serve().await;
        for (method, route, needs) in ROUTES {
            let place = format!("{method} {route}");
            let path = ann.path(route);
            let nobody = ask(&Browser::new(&served), method, route, &path).await;
            is_clean(&nobody, &place);
            assert_eq!(is_sent_to_log_in(&nobody), needs.is_some(), "{place}: {}", nobody.status);
            from_elsewhere(&relay, &served, &ann, method, route).await;
            let Some(needed) = needs else {
                assert!(!nobody.body.contains("Annasmark"), "{place}");
                continue;
            };
            for cookie in ["", "nxs_x_y", "nxt_0_0", &format!("nxs_{}_{}", Uuid::nil().simple(), "A".repeat(43))] {
                let made_up = ask(&Browser::new(&served).holding(cookie), method, route, &path).await;
                assert!(is_sent_to_log_in(&made_up), "{place} with {cookie:?}");
            }
            if *method == "GET" {
                let owner = ann.browser(&relay, &served, Role::Owner).await;
                let own = ask(&owner, method, route, &path).await;
                assert_eq!(own.status, 200, "{place}: what is one's own is there");
            }
            for role in Role::ALL {
                let browser = ann.browser(&relay, &served, role).await;
                // What the other jeweller has is not there, whoever asks.
                let theirs = ask(&browser, method, route, &ben.path(route)).await;
                is_clean(&theirs, &place);
                if role < *needed {
                    assert_eq!(theirs.status, 403, "{place} as {role}");
                    assert!(theirs.body.contains("have permission to do this"), "{place} as {role}");
                    let goes_on = theirs.body.contains("<nav aria-label=\"Pages\">");
                    assert!(goes_on, "{place} as {role}: from an error page one goes on");
                } else if route.contains("{id}") {
                    assert_eq!(theirs.status, 404, "{place} as {role}: {}", theirs.body);
                } else {
                    let done = [200, 303, 422].contains(&theirs.status);
                    assert!(done, "{place} as {role}: {} {}", theirs.status, theirs.body);
                    assert!(route == &"/logout" || !is_sent_to_log_in(&theirs), "{place} as {role}");
                }
                for hidden in ["Bensmark", "bensmark", ben.jeweller.shop.fake.home.as_str()] {
                    assert!(!theirs.body.contains(hidden), "{place} as {role} shows {hidden}");
                }
            }
        }
        let people = "SELECT COUNT(*) FROM users WHERE removed_at IS NULL";
        assert_eq!(relay.number(people).await, 6, "nobody was removed, and nobody came in");
    }
}

/// A form of another site's page is refused, even in the owner's own browser.
async fn from_elsewhere(
    relay: &TestRelay,
    served: &Served,
    house: &House,
    method: &str,
    route: &str,
) {
    if method == "GET" {
        return;
    }
    let browser = house.browser(relay, served, Role::Owner).await;
    let evil = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let sibling = [("origin", "https://shop.relay.example"), ("sec-fetch-site", "same-site")];
    let old = [("origin", "https://evil.example"), ("x-nothing", "")];
    let hidden = [("origin", "null"), ("x-nothing", "")];
    for headers in [evil, sibling, old, hidden] {
        let mut request = browser.form(&house.path(route), fields(route));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let reply = send(request).await;
        assert_eq!(reply.status, 403, "{route} {headers:?}");
        assert!(reply.body.contains("Not from here"), "{route}");
    }
    // Nothing was done: the session that /logout would have ended is still there.
    assert_eq!(browser.open("/").await.status, 200, "{route}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_leads_nowhere_is_a_page_for_people_and_a_problem_for_programs() {
    let relay = TestRelay::new(crate::support::database::Backend::Sqlite).await;
    let ann = tenant(&relay.relay, "Ann").await;
    let served = relay.serve().await;
    let owner = person(&relay.relay, ann, "ann@example.test", Role::Owner).await;
    let nobody = Browser::new(&served);
    let owner = nobody.holding(&session(&relay.relay, ann, owner).await);
    for (path, status) in [("/nothing", 404), ("/sales/a/b", 404), ("/logout", 405)] {
        let asked = |browser: &Browser| browser.request(Method::GET, path);
        let page = send(asked(&nobody).header("accept", "text/html,*/*;q=0.8")).await;
        assert_eq!(page.status, status, "{path}");
        is_clean(&page, path);
        assert!(page.body.contains("<h1>") && !page.body.contains("<nav"), "{path}: {}", page.body);
        let page = send(asked(&owner).header("accept", "text/html,*/*;q=0.8")).await;
        assert_eq!(page.status, status, "{path}");
        assert!(page.body.contains("<nav aria-label=\"Pages\">"), "{path}: {}", page.body);
        send(asked(&owner).header("accept", "application/json")).await.problem(status);
    }
    let api = owner.request(Method::GET, "/api/nothing").header("accept", "text/html");
    send(api).await.problem(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_ours_counts_behind_a_proxy_too() {
    let relay = TestRelay::new(crate::support::database::Backend::Sqlite).await;
    let ann = tenant(&relay.relay, "Ann").await;
    let served = relay.serve().await;
    let owner = person(&relay.relay, ann, "ann@example.test", Role::Owner).await;
    let browser = Browser::new(&served).holding(&session(&relay.relay, ann, owner).await);
    // The browser's origin is the public address; the Host is what the proxy made of it.
    let request = browser.form("/settings/sessions/end", &[]);
    let reply = send(request.header("origin", "https://relay.example")).await;
    assert_eq!(leads_to(&reply), "/settings");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assets_are_kept_for_ever_under_names_of_their_content() {
    let relay = TestRelay::new(crate::support::database::Backend::Sqlite).await;
    let served = relay.serve().await;
    let browser = Browser::new(&served);
    let login = browser.open("/login").await;
    let mut found = 0;
    for address in login.body.split('"').filter(|part| part.starts_with("/assets/")) {
        let asset = browser.open(address).await;
        assert_eq!(asset.status, 200, "{address}");
        assert_eq!(asset.headers["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(asset.headers["x-content-type-options"], "nosniff");
        found += 1;
    }
    assert!(found >= 2, "{}", login.body);
    assert_eq!(browser.open("/assets/nexpura.0000000000000000.css").await.status, 404);
    let head = send(browser.request(Method::HEAD, "/login")).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}
