//! Coming in: by a link, by a password, as long as a session lasts, and no faster than a person types.

use chrono::TimeDelta;
use nexpura_relay::{
    domain::{Email, Role},
    service::admin,
    store,
};
use secrecy::SecretString;

use super::browser::{Browser, leads_to, person, session, somebody, tenant};
use crate::support::{api::send, database, on_both, relay::TestRelay};

const PASSWORD: &str = "a ring of gold";

/// Ann, who owns the shop and has a password.
async fn ann(relay: &TestRelay) {
    let email = Email::parse("ann@example.test").unwrap();
    let password = SecretString::from(PASSWORD);
    let added =
        admin::add_user(&relay.relay, "Ann", &email, Role::Owner, Some(&password), store::now());
    assert!(added.await.unwrap().is_none());
}

/// The path and query of a link that was given out.
fn path_of(link: &str) -> &str {
    link.strip_prefix("https://relay.example").unwrap()
}

on_both! {
    async fn a_link_sets_a_password_once_and_lets_its_holder_in(relay: TestRelay) {
        let email = Email::parse("Ann@Example.test").unwrap();
        let added = admin::add_user(&relay.relay, "Ann", &email, Role::Owner, None, store::now());
        let link = added.await.unwrap().unwrap();
        let served = relay.serve().await;
        let mut browser = Browser::new(&served);
        let page = browser.open(path_of(&link.url)).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("ann@example.test"));
        let token = url::Url::parse(&link.url).unwrap();
        let token = token.query_pairs().next().unwrap().1.into_owned();
        let chosen = |password| [("link", token.as_str()), ("password", password)];
        for password in ["short", "ann@example.test", "aaaaaaaaaaaaaa"] {
            let refused = browser.submit("/set-password", &chosen(password)).await;
            assert_eq!(refused.status, 422, "{password}");
        }
        let done = browser.submit("/set-password", &chosen(PASSWORD)).await;
        assert_eq!(leads_to(&done), "/");
        let cookie = done.headers["set-cookie"].to_str().unwrap();
        for said in ["__Host-nexpura=nxs_", "; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(cookie.contains(said), "{cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
        let home = browser.open("/").await;
        assert!(home.body.contains("ann@example.test"), "{}", home.body);
        // The link is used up, for whoever has read it over a shoulder.
        assert_eq!(browser.open(path_of(&link.url)).await.status, 410);
        assert_eq!(browser.submit("/set-password", &chosen("another password")).await.status, 410);
        let mut elsewhere = Browser::new(&served);
        assert_eq!(leads_to(&elsewhere.log_in(" ANN@example.test", PASSWORD).await), "/");
        // Neither is kept as it is, and the password is not either.
        for (table, kept) in [("sessions", 2), ("password_links", 0)] {
            let hashes = format!("SELECT COUNT(*) FROM {table} WHERE length(hash) = 32");
            assert_eq!(relay.number(&hashes).await, kept, "{table}");
            assert_eq!(relay.number(&format!("SELECT COUNT(*) FROM {table}")).await, kept);
        }
        let password = relay.texts("SELECT password FROM users").await;
        assert!(password[0][0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{password:?}");
    }
}

on_both! {
    async fn a_link_counts_three_days_and_a_new_one_replaces_it(relay: TestRelay) {
        let (email, now) = (Email::parse("ann@example.test").unwrap(), store::now());
        let first = admin::add_user(&relay.relay, "Ann", &email, Role::Owner, None, now);
        let first = first.await.unwrap().unwrap();
        assert_eq!(first.until, now + TimeDelta::days(3));
        let second = admin::renew_link(&relay.relay, "Ann", &email, now).await.unwrap();
        let served = relay.serve().await;
        let browser = Browser::new(&served);
        assert_eq!(browser.open(path_of(&first.url)).await.status, 410);
        assert_eq!(browser.open(path_of(&second.url)).await.status, 200);
        let past = database::moment(&relay.relay.db, now - TimeDelta::seconds(1));
        relay.run(&format!("UPDATE password_links SET expires_at = {past}")).await;
        assert_eq!(browser.open(path_of(&second.url)).await.status, 410);
        for nonsense in ["/set-password", "/set-password?link=x", "/set-password?link=nxl_a_b"] {
            assert_eq!(browser.open(nonsense).await.status, 410, "{nonsense}");
        }
    }
}

on_both! {
    async fn a_session_ends_when_it_is_left_unused_old_or_logged_out(relay: TestRelay) {
        ann(&relay).await;
        let served = relay.serve().await;
        let mut browser = Browser::new(&served);
        browser.log_in("ann@example.test", PASSWORD).await;
        let held = browser.clone();
        assert_eq!(held.open("/settings").await.status, 200);
        assert_eq!(leads_to(&browser.submit("/logout", &[]).await), "/login");
        assert_eq!(browser.cookie, None, "the browser forgets it");
        // And so does the relay.
        assert_eq!(leads_to(&held.open("/settings").await), "/login?next=%2Fsettings");
        let db = &relay.relay.db;
        for (column, days) in [("seen_at", 7), ("expires_at", 0)] {
            let mut browser = Browser::new(&served);
            browser.log_in("ann@example.test", PASSWORD).await;
            let just_in_time = store::now() - TimeDelta::days(days) + TimeDelta::minutes(1);
            let set = format!("UPDATE sessions SET {column} = ");
            relay.run(&format!("{set}{}", database::moment(db, just_in_time))).await;
            assert_eq!(browser.open("/").await.status, 200, "{column}");
            let too_late = store::now() - TimeDelta::days(days) - TimeDelta::seconds(1);
            relay.run(&format!("{set}{}", database::moment(db, too_late))).await;
            assert_eq!(leads_to(&browser.open("/").await), "/login", "{column}");
        }
    }
}

on_both! {
    async fn using_a_session_keeps_it_alive(relay: TestRelay) {
        ann(&relay).await;
        let served = relay.serve().await;
        let mut browser = Browser::new(&served);
        browser.log_in("ann@example.test", PASSWORD).await;
        let long_ago = database::moment(&relay.relay.db, store::now() - TimeDelta::days(6));
        relay.run(&format!("UPDATE sessions SET seen_at = {long_ago}")).await;
        let old = format!("SELECT COUNT(*) FROM sessions WHERE seen_at = {long_ago}");
        assert_eq!(relay.number(&old).await, 1);
        assert_eq!(browser.open("/").await.status, 200);
        assert_eq!(relay.number(&old).await, 0);
    }
}

on_both! {
    async fn a_stranger_learns_nothing_and_may_not_guess_for_long(relay: TestRelay) {
        ann(&relay).await;
        let served = relay.serve().await;
        let mut browser = Browser::new(&served);
        let wrong = browser.log_in("ann@example.test", "a ring of tin").await;
        let unknown = browser.log_in("nobody@example.test", "a ring of tin").await;
        assert_eq!((wrong.status, unknown.status), (401, 401));
        let same = |body: &str| body.replace("ann@", "").replace("nobody@", "");
        assert_eq!(same(&wrong.body), same(&unknown.body));
        assert!(wrong.body.contains("the password is wrong"));
        assert!(!wrong.body.contains("a ring of tin"), "a password is never shown");
        for _ in 0..4 {
            assert_eq!(browser.log_in("ann@example.test", "a ring of tin").await.status, 401);
        }
        // Five were tried: even the right one has to wait now, from here.
        let closed = browser.log_in("ann@example.test", PASSWORD).await;
        assert_eq!(closed.status, 429);
        let wait: u64 = closed.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        assert!(closed.body.contains("Try again in"));
        let from = |address: &str| {
            let fields = [("email", "ann@example.test"), ("password", PASSWORD)];
            let form = Browser::new(&served).form("/login", &fields);
            form.header("sec-fetch-site", "same-origin").header("x-forwarded-for", address)
        };
        assert_eq!(send(from("192.0.2.1")).await.status, 303, "Ann herself, elsewhere");
        assert_eq!(browser.cookie, None);
    }
}

on_both! {
    async fn a_login_goes_on_to_the_page_that_was_asked_for_and_to_no_other_site(relay: TestRelay) {
        ann(&relay).await;
        let served = relay.serve().await;
        let mut browser = Browser::new(&served);
        let asked = browser.open("/settings/activity?actor=a%26b").await;
        let login = leads_to(&asked).to_owned();
        assert_eq!(login, "/login?next=%2Fsettings%2Factivity%3Factor%3Da%2526b");
        let page = browser.open(&login).await;
        assert!(page.body.contains("value=\"/settings/activity?actor=a%26b\""), "{}", page.body);
        let mut going = async |next: &str| {
            let fields = [("email", "ann@example.test"), ("password", PASSWORD), ("next", next)];
            leads_to(&browser.submit("/login", &fields).await).to_owned()
        };
        assert_eq!(going("/settings/activity?actor=a%26b").await, "/settings/activity?actor=a%26b");
        for evil in ["/\t/evil.example", "//evil.example", "https://evil.example", "/\\evil.example", ""] {
            assert_eq!(going(evil).await, "/", "{evil}");
        }
        assert_eq!(leads_to(&browser.open("/login").await), "/", "who is in need not log in");
    }
}

on_both! {
    async fn who_works_for_two_jewellers_says_which_one_is_meant(relay: TestRelay) {
        let (email, now) = (Email::parse("ann@example.test").unwrap(), store::now());
        for (name, password) in [("Gold", PASSWORD), ("Silver", PASSWORD), ("Tin", "a ring of tin")] {
            let password = SecretString::from(password);
            let role = Role::Staff;
            admin::add_user(&relay.relay, name, &email, role, Some(&password), now).await.unwrap();
        }
        let served = relay.serve().await;
        let mut browser = Browser::new(&served);
        // A password that fits one of them says it by itself.
        browser.log_in("ann@example.test", "a ring of tin").await;
        assert!(browser.open("/").await.body.contains("Tin"));
        let mut browser = Browser::new(&served);
        let which = browser.log_in("ann@example.test", PASSWORD).await;
        assert_eq!((which.status, browser.cookie.as_deref()), (401, None));
        assert!(which.body.contains("Gold") && which.body.contains("Silver"));
        assert!(!which.body.contains("Tin"), "whose password is another one");
        let silver = which.body.split("value=\"").find(|part| part.contains(">Silver<")).unwrap();
        let silver = silver.split('"').next().unwrap();
        let fields = [("email", "ann@example.test"), ("password", PASSWORD), ("tenant", silver)];
        assert_eq!(leads_to(&browser.submit("/login", &fields).await), "/");
        assert!(browser.open("/").await.body.contains("Silver"));
    }
}

on_both! {
    async fn what_is_kept_of_ones_passwords_is_salted_alike_with_every_jeweller(relay: TestRelay) {
        ann(&relay).await;
        let (email, now) = (Email::parse("ann@example.test").unwrap(), store::now());
        let link = admin::add_user(&relay.relay, "Gold", &email, Role::Staff, None, now);
        let link = link.await.unwrap().unwrap().url;
        let served = relay.serve().await;
        let mut browser = Browser::new(&served);
        let link = link.split("link=").last().unwrap();
        browser.submit("/set-password", &[("link", link), ("password", "a ring of tin")]).await;
        let change = [("present", "a ring of tin"), ("new", "a ring of silver")];
        browser.submit("/settings/password", &change).await;
        let kept = relay.texts("SELECT password FROM users").await.concat();
        let [one, other] = kept.as_slice() else { panic!("{kept:?}") };
        assert_ne!(one, other);
        // Of the same salt, so that one computation tells of both.
        assert_eq!(one.rsplit_once('$').unwrap().0, other.rsplit_once('$').unwrap().0);
        for (password, jeweller) in [(PASSWORD, "Ann"), ("a ring of silver", "Gold")] {
            let mut browser = Browser::new(&served);
            browser.log_in("ann@example.test", password).await;
            assert!(browser.open("/").await.body.contains(jeweller), "{password}");
        }
    }
}

on_both! {
    async fn a_changed_password_ends_every_other_session(relay: TestRelay) {
        ann(&relay).await;
        let served = relay.serve().await;
        let [mut here, mut there] = [Browser::new(&served), Browser::new(&served)];
        here.log_in("ann@example.test", PASSWORD).await;
        there.log_in("ann@example.test", PASSWORD).await;
        let change = |present, new| [("present", present), ("new", new)];
        let fields = change("a ring of tin", "a ring of silver");
        let wrong = here.submit("/settings/password", &fields).await;
        assert_eq!(leads_to(&wrong), "/settings");
        let told = here.open("/settings").await.body;
        assert!(told.contains("current password is wrong"), "{told}");
        assert!(!here.open("/settings").await.body.contains("another one"), "it is told once");
        assert_eq!(there.open("/").await.status, 200);
        here.submit("/settings/password", &change(PASSWORD, "a ring of silver")).await;
        assert!(here.open("/settings").await.body.contains("is changed"));
        assert_eq!(leads_to(&there.open("/").await), "/login");
        assert_eq!(there.log_in("ann@example.test", PASSWORD).await.status, 401);
        there.log_in("ann@example.test", "a ring of silver").await;
        assert_eq!(there.open("/").await.status, 200);
        here.submit("/settings/sessions/end", &[]).await;
        assert!(here.open("/settings").await.body.contains("one other browser"));
        assert_eq!(leads_to(&there.open("/").await), "/login");
    }
}

on_both! {
    async fn own_password_may_not_be_guessed_by_who_finds_the_browser_open(relay: TestRelay) {
        let gold = tenant(&relay.relay, "Gold").await;
        let served = relay.serve().await;
        let id = person(&relay.relay, gold, "staff@example.test", Role::Staff).await;
        let mut browser = Browser::new(&served).holding(&session(&relay.relay, gold, id).await);
        let guess = [("present", "a ring of tin"), ("new", "a ring of silver")];
        for _ in 0..5 {
            assert_eq!(browser.submit("/settings/password", &guess).await.status, 303);
        }
        assert_eq!(browser.submit("/settings/password", &guess).await.status, 429);
        let other = somebody(&relay.relay, &served, gold, "other@example.test", Role::Staff).await;
        assert_eq!(other.clone().submit("/settings/password", &guess).await.status, 303);
    }
}
