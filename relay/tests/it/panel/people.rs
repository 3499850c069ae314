//! Who lets whom in: invitations, roles that count at once, and an owner who cannot be the last to go.

use nexpura_relay::domain::Role;

use super::browser::{Browser, leads_to, person, session, somebody, tenant};
use crate::support::on_both;

/// The link that a page shows.
fn link_on(page: &str) -> &str {
    let from = page.find("https://relay.example/set-password").expect("a link");
    page[from..].split('<').next().unwrap()
}

on_both! {
    async fn an_owner_invites_somebody_who_then_comes_in_with_that_role(relay: TestRelay) {
        let gold = tenant(&relay.relay, "Gold").await;
        let served = relay.serve().await;
        let mut owner = somebody(&relay.relay, &served, gold, "ann@example.test", Role::Owner).await;
        let invitation = [("email", " Ben@Example.test"), ("role", "manager")];
        let made = owner.submit("/settings/people", &invitation).await;
        assert_eq!(made.status, 200);
        let link = link_on(&made.body).to_owned();
        assert!(made.body.contains("Invited"), "{}", made.body);
        assert!(!owner.open("/settings/people").await.body.contains("nxl_"), "it is shown once");
        let again = owner.submit("/settings/people", &invitation).await;
        assert_eq!(leads_to(&again), "/settings/people");
        let told = owner.open("/settings/people").await.body;
        assert!(told.contains("ben@example.test already has an account here"), "{told}");

        let token = link.split_once("link=").unwrap().1;
        let mut ben = Browser::new(&served);
        ben.submit("/set-password", &[("link", token), ("password", "rings of ben")]).await;
        assert_eq!(ben.open("/settings/activity").await.status, 200);
        assert_eq!(ben.open("/settings/people").await.status, 403);
        let log = owner.open("/settings/activity").await.body;
        for said in ["Invited somebody", "ben@example.test as manager", "Set their password"] {
            assert!(log.contains(said), "{said}: {log}");
        }
    }
}

on_both! {
    async fn a_role_counts_from_the_next_page_and_who_is_removed_is_out(relay: TestRelay) {
        let gold = tenant(&relay.relay, "Gold").await;
        let served = relay.serve().await;
        let mut owner = somebody(&relay.relay, &served, gold, "ann@example.test", Role::Owner).await;
        let id = person(&relay.relay, gold, "ben@example.test", Role::Staff).await;
        let ben = Browser::new(&served).holding(&session(&relay.relay, gold, id).await);
        assert_eq!(ben.open("/settings/activity").await.status, 403);
        let here = format!("/settings/people/{id}");
        owner.submit(&format!("{here}/role"), &[("role", "manager")]).await;
        assert_eq!(ben.open("/settings/activity").await.status, 200);
        assert_eq!(owner.submit(&format!("{here}/role"), &[("role", "king")]).await.status, 400);
        let link = owner.submit(&format!("{here}/link"), &[]).await;
        let link = link_on(&link.body).strip_prefix("https://relay.example").unwrap().to_owned();
        assert_eq!(ben.open(&link).await.status, 200);
        let people = owner.open("/settings/people").await.body;
        assert!(people.contains(&format!("href=\"{here}/remove\"")), "{people}");
        assert!(!people.contains(&format!("action=\"{here}/remove\"")), "it is asked first: {people}");
        let asked = owner.open(&format!("{here}/remove")).await.body;
        for said in ["Remove ben@example.test?", "can no longer log in", &format!("action=\"{here}/remove\"")] {
            assert!(asked.contains(said), "{said}: {asked}");
        }
        assert_eq!(ben.open("/").await.status, 200, "nothing is done by looking");
        owner.submit(&format!("{here}/remove"), &[]).await;
        assert_eq!(owner.open(&format!("{here}/remove")).await.status, 404);
        assert!(owner.open("/settings/people").await.body.contains("ben@example.test can no longer log in"));
        assert_eq!(leads_to(&ben.open("/").await), "/login");
        assert_eq!(ben.open(&link).await.status, 410);
        assert!(!owner.open("/settings/people").await.body.contains("ben@example.test"));
        assert_eq!(owner.submit(&format!("{here}/remove"), &[]).await.status, 404);
        // Whoever went may come back: the same row, as if new.
        let back = [("email", "ben@example.test"), ("role", "staff")];
        assert_eq!(owner.submit("/settings/people", &back).await.status, 200);
        assert_eq!(relay.number("SELECT COUNT(*) FROM users").await, 2);
    }
}

on_both! {
    async fn the_last_owner_stays(relay: TestRelay) {
        let gold = tenant(&relay.relay, "Gold").await;
        let served = relay.serve().await;
        let id = person(&relay.relay, gold, "ann@example.test", Role::Owner).await;
        let mut owner = Browser::new(&served).holding(&session(&relay.relay, gold, id).await);
        let here = format!("/settings/people/{id}");
        for (path, fields) in [("role", &[("role", "staff")][..]), ("remove", &[])] {
            let refused = owner.submit(&format!("{here}/{path}"), fields).await;
            assert_eq!(leads_to(&refused), "/settings/people");
            let told = owner.open("/settings/people").await.body;
            assert!(told.contains("At least one owner has to stay"), "{told}");
        }
        person(&relay.relay, gold, "eve@example.test", Role::Owner).await;
        owner.submit(&format!("{here}/role"), &[("role", "staff")]).await;
        assert_eq!(owner.open("/settings/people").await.status, 403);
    }
}
