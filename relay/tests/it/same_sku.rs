//! One SKU, several products: of those that are there one sells the piece, and one that has let go of it keeps
//! nobody from it.

use serde_json::json;

use crate::{
    shop::{Mark, Shop, Stock, server::Town},
    support::{connected::Connected, database, on_both, relay::TestRelay},
};
use nexpura_protocol::{Resource, Verb};

async fn with_a_ring(relay: &TestRelay) -> (Connected, u64) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 3);
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    (shop, ring)
}

/// A product of that SKU is made, and the relay hears of it.
async fn again(shop: &Connected, units: i64) -> u64 {
    let made = shop.request(|shop| {
        let id = shop.simple("RING", units);
        (id, vec![Mark { resource: Resource::Product, id, verb: Verb::Created }])
    });
    heard(shop).await;
    made
}

async fn heard(shop: &Connected) {
    shop.push().await;
    shop.fetch().await;
    shop.let_time_pass().await;
}

/// The shop's counts hold for all that waits.
async fn choose(relay: &TestRelay, shop: &Connected, chosen: i64) {
    let served = relay.serve().await;
    let answer = served.api.post("/api/links", &shop.token, &json!({ "holds": "shop" })).await;
    assert_eq!(answer.ok()["chosen"], chosen);
    shop.open().await;
}

async fn state(shop: &Connected, stock: u64) -> String {
    shop.listing(stock).await.0
}

/// What the second product sells is the piece's, and what becomes of the first moves nothing.
async fn sells(shop: &Connected, stock: u64, units: i64) {
    assert_eq!(shop.listing(stock).await, ("open".to_owned(), Some(units), Some(units)));
    shop.request(|shop| shop.paid_order(&[(stock, 1)]));
    heard(shop).await;
    let left = units - 1;
    assert_eq!(shop.listing(stock).await, ("open".to_owned(), Some(left), Some(left)));
}

on_both! {
    async fn a_product_that_is_made_anew_is_counted_again(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        shop.act(|shop| shop.delete_product(ring));
        heard(&shop).await;
        let second = again(&shop, 2).await;
        assert_eq!(state(&shop, second).await, "waiting", "a person chooses");
        choose(&relay, &shop, 1).await;
        sells(&shop, second, 2).await;
        assert_eq!(shop.listing(ring).await, ("missing".to_owned(), None, None));
    }
}

on_both! {
    async fn a_product_in_the_trash_gives_its_sku_away(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        shop.act(|shop| shop.trash_product(ring));
        heard(&shop).await;
        assert_eq!(state(&shop, ring).await, "open", "until somebody else sells the piece");
        let second = again(&shop, 2).await;
        assert_eq!(state(&shop, second).await, "waiting");
        choose(&relay, &shop, 1).await;
        assert_eq!(shop.listing(ring).await, ("skipped".to_owned(), None, None));
        sells(&shop, second, 2).await;
        // Out of the trash again it is one too many.
        shop.act(|shop| {
            shop.products.get_mut(&ring).unwrap().trashed = false;
            vec![Mark { resource: Resource::Product, id: ring, verb: Verb::Restored }]
        });
        heard(&shop).await;
        assert_eq!(shop.listing(ring).await, ("skipped".to_owned(), None, None));
    }
}

on_both! {
    async fn a_sku_that_moves_to_a_variation_is_counted_there(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        let large = shop.request(|shop| {
            let product = shop.products.get_mut(&ring).unwrap();
            (product.kind, product.sku, product.stock) = ("variable", None, Stock::Unmanaged);
            let large = shop.product(Some(ring), "variation", Some("RING"), Stock::Own(2));
            let mark = |id, verb| Mark { resource: Resource::Product, id, verb };
            (large, vec![mark(ring, Verb::Updated), mark(large, Verb::Created)])
        });
        heard(&shop).await;
        assert_eq!(state(&shop, large).await, "waiting");
        choose(&relay, &shop, 1).await;
        sells(&shop, large, 2).await;
    }
}

on_both! {
    async fn what_was_one_too_many_waits_once_the_other_is_gone(relay: TestRelay) {
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 3);
        let second = shop.simple("RING", 2);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        assert_eq!(state(&shop, second).await, "skipped");
        shop.act(|shop| shop.delete_product(ring));
        heard(&shop).await;
        assert_eq!(state(&shop, second).await, "waiting", "nothing of it has changed, and yet");
        choose(&relay, &shop, 1).await;
        sells(&shop, second, 2).await;
    }
}

on_both! {
    async fn a_product_that_is_only_called_otherwise_sells_the_same_piece(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        shop.act(|shop| shop.name_sku(ring, "RING-2"));
        heard(&shop).await;
        sells(&shop, ring, 3).await;
        // Another product is called what it was called: a person says that this one sells the piece now.
        let second = again(&shop, 7).await;
        assert_eq!(state(&shop, second).await, "waiting");
        choose(&relay, &shop, 1).await;
        sells(&shop, second, 7).await;
        shop.fetch().await;
        shop.open().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
        let skus = format!("SELECT sku FROM inventory WHERE {} ORDER BY sku", shop.of_tenant());
        assert_eq!(database::texts(&shop.relay.db, &skus).await, [["RING"], ["RING-2"]]);
    }
}
