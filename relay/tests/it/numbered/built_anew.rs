//! A shop that was built anew under its old address has other things and other people under the same ids.

use nexpura_relay::{
    service::connect::{self, by_key},
    store,
};

use super::{
    CONSUMER_KEY, CONSUMER_SECRET, by_a_person, connect_by_key, hello, register, register_again,
    settle, store_row,
};
use crate::{
    shop::{Shop, plugin::Pushes, server::Town},
    support::{connected::Connected, database, on_both, relay::TestRelay},
};

const ANOTHER: &str = "0d9eb3f0-2a0f-4b52-9d8b-0a5f2f3f6a11";

/// A shop that is connected by its key, its ring counted and its buyer known, and what it calls itself.
async fn by_its_key(relay: &TestRelay) -> (Connected, u64, u64) {
    let mut shop = Shop::new();
    let (ring, ada) = (shop.simple("RING", 10), shop.customer("ada@example.org", "Ada"));
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    relay.run("UPDATE integrations SET store_id = NULL").await;
    connect_by_key(&shop).await;
    shop.open().await;
    (shop, ring, ada)
}

/// The shop is built anew; others have its ids.
fn build_anew(shop: &Connected, ring: u64, ada: u64) {
    shop.unnoticed(|shop| {
        ANOTHER.clone_into(&mut shop.woocommerce_id);
        shop.pushes = Pushes::default();
        shop.name_sku(ring, "NECK");
        shop.set_stock(ring, 3);
        let bob = shop.customers.get_mut(&ada).unwrap();
        (bob.email, bob.first_name) = ("bob@example.org".to_owned(), "Bob".to_owned());
    });
}

async fn read_everything(shop: &Connected) {
    shop.let_time_pass().await;
    shop.want_sweep(true).await;
    settle(shop).await;
}

async fn people(relay: &TestRelay) -> Vec<Vec<String>> {
    let sql = "SELECT email, first_name FROM customers ORDER BY email";
    database::texts(&relay.relay.db, sql).await
}

async fn erased(relay: &TestRelay) -> i64 {
    relay.number("SELECT COUNT(*) FROM resources WHERE erased_at IS NOT NULL").await
}

/// Somebody was erased who had this account.
async fn erase(relay: &TestRelay, account: u64) {
    let now = database::moment(&relay.relay.db, store::now());
    let sql = format!(
        "UPDATE resources SET erased_at = {now} WHERE resource = 'customer' AND remote_id = {account}"
    );
    assert_eq!(relay.run(&sql).await, 1);
}

on_both! {
    async fn other_people_under_the_same_ids_are_other_people(relay: TestRelay) {
        let (shop, ring, ada) = by_its_key(&relay).await;
        assert_eq!(people(&relay).await, [["ada@example.org", "Ada"]]);
        erase(&relay, ada).await;
        by_a_person(&shop).await;
        build_anew(&shop, ring, ada);
        connect_by_key(&shop).await;
        assert_eq!(erased(&relay).await, 0, "it was somebody else");
        read_everything(&shop).await;
        assert_eq!(people(&relay).await, [["ada@example.org", "Ada"], ["bob@example.org", "Bob"]]);
    }
}

on_both! {
    async fn whoever_was_erased_does_not_come_back_with_the_same_shop(relay: TestRelay) {
        let (shop, _, ada) = by_its_key(&relay).await;
        erase(&relay, ada).await;
        by_a_person(&shop).await;
        connect_by_key(&shop).await;
        assert_eq!(erased(&relay).await, 1);
        // Its plugin is installed, for the first time or again.
        let back = register(&shop, &uuid::Uuid::new_v4().to_string()).await;
        assert_eq!(erased(&relay).await, 1);
        by_a_person(&back).await;
        register(&back, &uuid::Uuid::new_v4().to_string()).await;
        assert_eq!(erased(&relay).await, 1);
    }
}

on_both! {
    async fn a_plugin_in_another_shop_at_the_address_is_not_taken_for_the_one_before(relay: TestRelay) {
        let (shop, ring, ada) = by_its_key(&relay).await;
        build_anew(&shop, ring, ada);
        let plugin = uuid::Uuid::new_v4().to_string();
        let (id, request) = hello(&shop, &plugin).await;
        let now = store::now();
        let refused = connect::connect(&shop.relay, shop.tenant, id, &request, now).await;
        assert!(matches!(refused, Err(connect::ConnectError::Taken)), "{refused:?}");
        let shown = by_key::verify(&shop.relay, shop.tenant, &key(&shop)).await.unwrap();
        let refused = by_key::keep(&shop.relay, shop.tenant, &shown, "Ann", now).await;
        assert!(matches!(refused, Err(by_key::KeyError::Another)), "the first has hidden it: {refused:?}");
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(10), Some(10)));

        by_a_person(&shop).await;
        let back = register(&shop, &plugin).await;
        assert_eq!(back.listing(ring).await, ("missing".to_owned(), None, None));
        read_everything(&back).await;
        assert_eq!(back.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
        let pieces = "SELECT sku, CAST(quantity AS TEXT) FROM inventory ORDER BY sku";
        let pieces = database::texts(&relay.relay.db, pieces).await;
        assert_eq!(pieces, [["NECK", "3000"], ["RING", "10000"]]);
    }
}

fn key(shop: &Connected) -> by_key::Request {
    by_key::Request {
        store_url: shop.fake.home.clone(),
        consumer_key: CONSUMER_KEY.to_owned(),
        consumer_secret: CONSUMER_SECRET.into(),
    }
}

on_both! {
    async fn an_answer_without_the_id_forgets_nothing_and_a_test_learns_it(relay: TestRelay) {
        let (shop, ring, ada) = by_its_key(&relay).await;
        let named = shop.unnoticed(|shop| std::mem::take(&mut shop.woocommerce_id));
        connect_by_key(&shop).await;
        shop.unnoticed(|shop| shop.woocommerce_id = named);
        connect_by_key(&shop).await;
        build_anew(&shop, ring, ada);
        let keep = async || {
            let shown = by_key::verify(&shop.relay, shop.tenant, &key(&shop)).await.unwrap();
            by_key::keep(&shop.relay, shop.tenant, &shown, "Ann", store::now()).await
        };
        assert!(matches!(keep().await, Err(by_key::KeyError::Another)));

        // A store from before its id was kept.
        relay.run("UPDATE integrations SET config = '{}'").await;
        let row = store_row(&shop).await;
        by_key::test(&shop.relay, shop.tenant, &row, store::now()).await.unwrap();
        shop.unnoticed(|shop| shop.woocommerce_id = uuid::Uuid::new_v4().to_string());
        assert!(matches!(keep().await, Err(by_key::KeyError::Another)));
    }
}

on_both! {
    async fn its_new_plugin_is_taken_where_it_was_connected_by_key_first(relay: TestRelay) {
        let mut shop = Shop::new();
        let (ring, ada) = (shop.simple("RING", 10), shop.customer("ada@example.org", "Ada"));
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        let shop = register_again(&shop).await;
        shop.open().await;
        by_a_person(&shop).await;
        build_anew(&shop, ring, ada);
        connect_by_key(&shop).await;
        read_everything(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
        let back = register(&shop, &uuid::Uuid::new_v4().to_string()).await;
        assert_eq!(back.listing(ring).await.0, "open", "nobody is asked once more");
    }
}
