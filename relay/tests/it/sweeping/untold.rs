//! What a shop does to its products that no hook and no webhook tells of.

use chrono::{TimeDelta, Utc};

use super::sweep;
use crate::{
    shop::{Shop, Stock, server::Town},
    support::{connected::Connected, database, on_both, relay::TestRelay},
};

/// A plain shop with a ring and a band of two sizes, counted.
async fn plain(relay: &TestRelay) -> (Connected, u64, [u64; 2], u64) {
    let mut shop = Shop::new();
    shop.bare = true;
    let ring = shop.simple("RING", 3);
    let band = shop.product(None, "variable", Some("BAND"), Stock::Unmanaged);
    let sizes = ["BAND-52", "BAND-54"]
        .map(|sku| shop.product(Some(band), "variation", Some(sku), Stock::Own(4)));
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    shop.let_time_pass().await;
    (shop, ring, sizes, band)
}

async fn fetched(shop: &Connected) {
    shop.make_due().await;
    shop.fetch().await;
}

on_both! {
    async fn a_piece_made_again_under_its_sku_is_found_within_a_day(relay: TestRelay) {
        for trashed in [true, false] {
            let (shop, old, ..) = plain(&relay).await;
            let new = shop.unnoticed(|shop| {
                if trashed { shop.trash_product(old) } else { shop.delete_product(old) };
                shop.simple("RING", 5)
            });
            sweep(&shop, false).await;
            fetched(&shop).await;
            assert_eq!(shop.listing(new).await.0, "skipped", "nothing tells that the old one is gone");
            sweep(&shop, true).await;
            fetched(&shop).await;
            shop.open().await;
            // Whose count holds, a person says: the ledger has this piece already.
            assert_eq!(shop.listing(new).await.0, "waiting");
        }
    }
}

on_both! {
    async fn what_the_shop_still_shows_is_not_asked_for_by_itself(relay: TestRelay) {
        let (shop, ..) = plain(&relay).await;
        let before = shop.fake.asked().len();
        sweep(&shop, true).await;
        fetched(&shop).await;
        let asked = shop.fake.asked().split_off(before);
        let single = |route: &str| {
            route.strip_prefix("wc/v3/products/").is_some_and(|id| id.parse::<u64>().is_ok())
        };
        assert!(!asked.iter().any(|asked| single(&asked.route)), "{asked:?}");
    }
}

on_both! {
    async fn variations_of_a_product_that_was_saved_are_read_at_the_next_sweep(relay: TestRelay) {
        let (shop, _, sizes, band) = plain(&relay).await;
        let listed = format!("wc/v3/products/{band}/variations");
        let before = shop.fake.times_asked(&listed);
        shop.unnoticed(|shop| {
            let long_ago = Utc::now() - TimeDelta::hours(3);
            shop.products.values_mut().for_each(|product| product.modified = long_ago);
        });
        let ago = database::moment(&relay.relay.db, Utc::now() - TimeDelta::minutes(1));
        relay.run(&format!("UPDATE resources SET seen_at = {ago}")).await;
        sweep(&shop, false).await;
        assert_eq!(shop.fake.times_asked(&listed), before, "nothing of it has changed");
        shop.unnoticed(|shop| {
            shop.name_sku(sizes[0], "BAND-53");
            // WooCommerce saves the parent with its variations.
            shop.products.get_mut(&band).unwrap().modified = Utc::now();
        });
        sweep(&shop, false).await;
        assert_eq!(shop.fake.times_asked(&listed), before + 1);
        let sql = "SELECT COUNT(*) FROM products WHERE sku = 'BAND-53'";
        assert_eq!(relay.number(sql).await, 1);
    }
}

on_both! {
    async fn a_store_that_is_halted_meanwhile_has_nothing_asked_for(relay: TestRelay) {
        let (shop, ..) = plain(&relay).await;
        let other = shop.clone();
        shop.fake.interrupt("wc/v3/products", move || async move {
            let now = database::moment(&other.relay.db, Utc::now());
            let sql = format!("UPDATE integrations SET forked_at = {now}, forked_reason = 'two of them'");
            database::run(&other.relay.db, &sql).await;
        });
        shop.want_sweep(true).await;
        shop.run_sweep().await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        let wanted = "SELECT COUNT(*) FROM resources WHERE fetch_at IS NOT NULL";
        assert_eq!(relay.number(wanted).await, 0);
    }
}
