//! Whatever somebody types, a page shows it as text.

use nexpura_relay::{
    domain::Role,
    store::{self, audit},
};

use super::browser::{Browser, somebody, tenant};
use crate::support::{database::Backend, relay::TestRelay};

const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

/// Nothing of it became an element or an attribute.
pub(super) fn is_inert(page: &str, place: &str) {
    assert!(
        page.contains("script&#62;") || page.contains("script&gt;"),
        "{place} shows it: {page}"
    );
    for alive in ["<script>", "<img src=x", "onerror=alert(1)>", "\"'>"] {
        assert!(!page.contains(alive), "{place}: {alive}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_type_stays_text() {
    let relay = TestRelay::new(Backend::Sqlite).await;
    let evil = tenant(&relay.relay, EVIL).await;
    let served = relay.serve().await;
    let email = "<script>alert(1)</script>\"'><img/src=x>@x.test";
    let mut owner = somebody(&relay.relay, &served, evil, email, Role::Owner).await;
    let mut tx = relay.relay.db.write().await.unwrap();
    audit::record(&mut tx, evil, EVIL, EVIL, EVIL, store::now()).await.unwrap();
    tx.commit().await.unwrap();
    for page in ["/", "/settings", "/settings/people", "/settings/activity"] {
        is_inert(&owner.open(page).await.body, page);
    }
    let invited = owner
        .submit(
            "/settings/people",
            &[("email", &email.replace("x.test", "y.test")), ("role", "staff")],
        )
        .await;
    is_inert(&invited.body, "an invitation");
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("next", EVIL)
        .append_pair("actor", EVIL)
        .finish();
    is_inert(&owner.open(&format!("/settings/activity?{query}")).await.body, "a filter");
    let mut nobody = Browser::new(&served);
    is_inert(&nobody.open(&format!("/login?{query}")).await.body, "where to go on to");
    is_inert(&nobody.log_in(EVIL, EVIL).await.body, "a login that failed");
}
