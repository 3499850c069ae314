//! Which piece a product of the shop is, and whether its stock is known at all.

use serde_json::json;

use super::{counted, movements, report_and_sweep, with_a_ring};
use crate::{
    shop::{Shop, Stock, server::Town},
    support::{connected::Connected, database::Backend, on_both, relay::TestRelay},
};

on_both! {
    async fn a_piece_that_exists_already_waits_for_a_person(relay: TestRelay) {
        let town = Town::open().await;
        let tenant = "Two shops";
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 3);
        let first = Connected::of(&relay.relay, &town, shop.clone(), tenant).await;
        first.open().await;
        let second = Connected::of(&relay.relay, &town, shop, tenant).await;
        second.unnoticed(|shop| shop.set_stock(ring, 8));
        second.open().await;
        assert_eq!(second.listing(ring).await, ("waiting".to_owned(), None, None));
        second.request(|shop| shop.paid_order(&[(ring, 2)]));
        second.push().await;
        assert_eq!(first.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
        assert_eq!(movements(&first).await, counted(3));
        let served = relay.serve().await;
        let list = served.api.get("/api/inventory", &first.token).await.ok();
        let listings = list["items"][0]["listings"].as_array().unwrap();
        assert_eq!(listings.len(), 1, "the other shop's listing is not linked: {list}");
    }
}

on_both! {
    async fn of_two_products_with_one_sku_the_first_is_kept(relay: TestRelay) {
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 3);
        let again = shop.simple("RING", 7);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
        assert_eq!(shop.listing(again).await, ("skipped".to_owned(), None, None));
        let sql = format!("SELECT reason FROM listings WHERE state = 'skipped' AND {}", shop.mine());
        assert!(relay.texts(&sql).await[0][0].contains("same SKU"));
    }
}

on_both! {
    async fn without_a_sku_a_product_is_skipped_until_it_has_one(relay: TestRelay) {
        let mut shop = Shop::new();
        let ring = shop.product(None, "simple", None, Stock::Own(4));
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        assert_eq!(shop.listing(ring).await, ("skipped".to_owned(), None, None));
        shop.act(|shop| shop.name_sku(ring, "RING"));
        shop.push().await;
        shop.let_time_pass().await;
        shop.open().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(4), Some(4)));
    }
}

on_both! {
    async fn unmanaged_stock_is_unknown_and_not_zero(relay: TestRelay) {
        let mut shop = Shop::new();
        let gift = shop.product(None, "simple", Some("GIFT"), Stock::Unmanaged);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        shop.request(|shop| shop.paid_order(&[(gift, 2)]));
        shop.push().await;
        assert_eq!(shop.listing(gift).await, ("unmanaged".to_owned(), None, Some(0)));
        assert_eq!(movements(&shop).await, []);
        let served = relay.serve().await;
        let list = served.api.get("/api/inventory?sku=GIFT", &shop.token).await.ok();
        assert_eq!(list["items"][0]["quantity"], json!(null));
        assert_eq!(list["items"][0]["listings"][0]["mirror"], json!(null));
        assert_eq!(list["items"][0]["listings"][0]["state"], "unmanaged");
    }
}

on_both! {
    async fn variations_have_their_own_stock_or_their_parents(relay: TestRelay) {
        let mut shop = Shop::new();
        let band = shop.product(None, "variable", Some("BAND"), Stock::Unmanaged);
        let gold = shop.product(Some(band), "variation", Some("BAND-AU"), Stock::Own(4));
        let silver = shop.product(Some(band), "variation", Some("BAND-AG"), Stock::Own(6));
        let stud = shop.product(None, "variable", Some("STUD"), Stock::Own(10));
        let left = shop.product(Some(stud), "variation", Some("STUD-L"), Stock::Parent);
        let right = shop.product(Some(stud), "variation", Some("STUD-R"), Stock::Parent);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        let order = shop.request(|shop| {
            shop.paid_order(&[(gold, 1), (silver, 2), (left, 3), (right, 4)])
        });
        shop.push().await;
        for (stock, units) in [(gold, 3), (silver, 4), (stud, 3)] {
            assert_eq!(shop.listing(stock).await, ("open".to_owned(), Some(units), Some(units)));
        }
        let listed: Vec<i64> = shop.listings().await.into_iter().map(|(id, ..)| id).collect();
        assert_eq!(listed, [gold, silver, stud].map(|id| i64::try_from(id).unwrap()));
        shop.act(|shop| shop.enter(order, "cancelled"));
        shop.push().await;
        assert_eq!([shop.quantity(gold).await, shop.quantity(stud).await], [4, 10]);
    }
}

on_both! {
    async fn a_product_of_any_kind_passes_through_and_has_the_stock_that_the_shop_keeps(relay: TestRelay) {
        let mut shop = Shop::new();
        let set = shop.product(None, "grouped", Some("SET"), Stock::Unmanaged);
        let elsewhere = shop.product(None, "external", Some("ELSEWHERE"), Stock::Unmanaged);
        let course = shop.product(None, "subscription", Some("COURSE"), Stock::Unmanaged);
        let boxed = shop.product(None, "bundle", Some("BOXED"), Stock::Own(5));
        let ring = shop.simple("RING", 3);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        shop.request(|shop| shop.paid_order(&[(boxed, 2), (elsewhere, 1), (course, 1), (ring, 1)]));
        shop.push().await;

        let sql = format!("SELECT kind, sku FROM products WHERE {} ORDER BY remote_id", shop.mine());
        let known: Vec<(String, String)> =
            relay.texts(&sql).await.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
        let known: Vec<(&str, &str)> = known.iter().map(|(kind, sku)| (&**kind, &**sku)).collect();
        assert_eq!(known, [
            ("grouped", "SET"), ("external", "ELSEWHERE"), ("subscription", "COURSE"),
            ("bundle", "BOXED"), ("simple", "RING"),
        ]);
        // A set is sold as what is in it, and is no piece itself.
        let listed: Vec<i64> = shop.listings().await.into_iter().map(|(id, ..)| id).collect();
        let expected = [elsewhere, course, boxed, ring].map(|id| i64::try_from(id).unwrap());
        assert_eq!(listed, expected, "{set} has no listing");
        for unknown in [elsewhere, course] {
            assert_eq!(shop.listing(unknown).await, ("unmanaged".to_owned(), None, Some(0)));
        }
        for (stock, units) in [(boxed, 3), (ring, 2)] {
            assert_eq!(shop.listing(stock).await, ("open".to_owned(), Some(units), Some(units)));
        }
        let served = relay.serve().await;
        let list = served.api.get("/api/inventory", &shop.token).await.ok();
        let mut shown: Vec<(&str, &serde_json::Value)> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (item["sku"].as_str().unwrap(), &item["quantity"]))
            .collect();
        shown.sort_by_key(|(sku, _)| *sku);
        let skus: Vec<&str> = shown.iter().map(|(sku, _)| *sku).collect();
        assert_eq!(skus, ["BOXED", "COURSE", "ELSEWHERE", "RING"], "{list}");
        assert_eq!((shown[1].1, shown[2].1), (&json!(null), &json!(null)), "unknown, not zero");
    }
}

on_both! {
    async fn a_container_is_a_piece_only_while_it_keeps_a_stock_of_its_own(relay: TestRelay) {
        let mut shop = Shop::new();
        let set = shop.product(None, "grouped", Some("SET"), Stock::Own(4));
        let band = shop.product(None, "variable", Some("BAND"), Stock::Unmanaged);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        assert_eq!(shop.listing(set).await, ("open".to_owned(), Some(4), Some(4)));
        assert_eq!(shop.listings().await.len(), 1, "{band} is only a shell");

        shop.act(|shop| shop.keep_stock(set, Stock::Unmanaged));
        shop.act(|shop| shop.keep_stock(band, Stock::Own(6)));
        shop.push().await;
        shop.let_time_pass().await;
        shop.open().await;
        assert_eq!(shop.listing(set).await.0, "unmanaged");
        assert_eq!(shop.listing(band).await, ("open".to_owned(), Some(6), Some(6)));
        let sql = format!("SELECT reason FROM listings WHERE state = 'unmanaged' AND {}", shop.mine());
        assert_eq!(relay.texts(&sql).await[0][0], "it is a container of other products");
    }
}

on_both! {
    async fn a_product_in_the_trash_is_counted_where_it_lies(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        shop.act(|shop| shop.trash_product(ring));
        shop.push().await;
        report_and_sweep(&shop).await;
        report_and_sweep(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
    }
}

on_both! {
    async fn a_product_that_goes_while_it_is_counted_is_missing(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        shop.unnoticed(|shop| shop.delete_product(ring));
        report_and_sweep(&shop).await;
        assert_eq!(shop.listing(ring).await, ("missing".to_owned(), None, Some(0)));
        assert_eq!(movements(&shop).await, []);
    }
}

/// A hundred listings are one request, and more are all read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_catalogue_is_counted_whole() {
    let relay = TestRelay::new(Backend::Sqlite).await;
    let mut shop = Shop::new();
    let rings: Vec<u64> = (0..230).map(|n| shop.simple(&format!("RING-{n:03}"), n)).collect();
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    for (units, ring) in rings.into_iter().enumerate().step_by(37) {
        assert_eq!(shop.quantity(ring).await, i64::try_from(units).unwrap());
    }
    assert_eq!(relay.number("SELECT COUNT(*) FROM listings WHERE state = 'open'").await, 230);
    let asked = shop.fake.asked().len();
    assert!(asked <= 25, "{asked} requests for 230 products");
}
