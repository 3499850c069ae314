//! Stock goes back without the plugin: read, remembered, written, read again; and nothing is guessed.

use serde_json::json;

use crate::{
    shop::{Shop, Stock, server::Town},
    support::{
        connected::Connected,
        database, on_both,
        pushing::{adjust, push, units},
        relay::TestRelay,
    },
};

const BATCH: &str = "wc/v3/products/batch";

/// A shop without our plugin whose stocks are open.
async fn plain(relay: &TestRelay, mut shop: Shop) -> Connected {
    shop.bare = true;
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    shop.let_time_pass().await;
    // It never had the plugin.
    relay.run("UPDATE connections SET revoked_at = created_at").await;
    relay.run("DELETE FROM spools").await;
    shop
}

async fn one_ring(relay: &TestRelay) -> (Connected, u64) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 10);
    (plain(relay, shop).await, ring)
}

/// Sweeps and pushes until nothing is to do.
async fn settle(shop: &Connected) {
    for _ in 0..8 {
        shop.let_time_pass().await;
        shop.want_sweep(false).await;
        shop.run_sweep().await;
        shop.fetch().await;
        push(shop).await;
    }
}

/// Units written in each request to the batch route.
fn written(shop: &Connected) -> Vec<usize> {
    let asked = shop.fake.asked();
    let writes = asked.iter().filter(|asked| asked.route.ends_with("batch"));
    writes.filter_map(|asked| asked.body["update"].as_array().map(Vec::len)).collect()
}

on_both! {
    async fn every_kind_of_stock_is_written_at_its_own_address_many_at_a_time(relay: TestRelay) {
        let mut shop = Shop::new();
        let rings: Vec<u64> = (0..120).map(|n| shop.simple(&format!("RING-{n}"), 10)).collect();
        let band = shop.product(None, "variable", None, Stock::Unmanaged);
        let large = shop.product(Some(band), "variation", Some("BAND-L"), Stock::Own(4));
        let free = shop.product(Some(band), "variation", Some("BAND-X"), Stock::Unmanaged);
        let shop = plain(&relay, shop).await;
        for n in 0..120 {
            adjust(&shop, &format!("RING-{n}"), "-1").await;
        }
        adjust(&shop, "BAND-L", "2").await;
        adjust(&shop, "BAND-X", "5").await;
        while push(&shop).await > 0 {}
        assert!(rings.iter().all(|ring| units(&shop, *ring) == 9));
        assert_eq!(units(&shop, large), 6);
        assert_eq!(shop.fake.shop().units(free), None);
        let requests = written(&shop);
        assert_eq!(requests.iter().sum::<usize>(), 121);
        assert!(requests.len() <= 4, "{requests:?}");
        assert_eq!(shop.listing(large).await, ("open".to_owned(), Some(6), Some(6)));
    }
}

on_both! {
    async fn a_retry_after_a_lost_answer_knows_its_own_work(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        adjust(&shop, "RING", "-3").await;
        shop.fake.answer_with(BATCH, Some((500, json!({}))));
        assert_eq!(push(&shop).await, 1);
        assert_eq!(shop.listing(ring).await.1, Some(10));
        // It had arrived: only the answer was lost.
        shop.unnoticed(|shop| shop.set_stock(ring, 7));
        shop.fake.answer_with(BATCH, None);
        push(&shop).await;
        assert_eq!(units(&shop, ring), 7, "the same change was written twice");
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(7), Some(7)));
        assert_eq!(push(&shop).await, 0);
    }
}

on_both! {
    async fn a_write_that_never_arrived_is_written_again(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        adjust(&shop, "RING", "-3").await;
        shop.fake.answer_with(BATCH, Some((500, json!({}))));
        push(&shop).await;
        // More of the same piece waits until it is known what became of the first.
        adjust(&shop, "RING", "-1").await;
        shop.fake.answer_with(BATCH, None);
        push(&shop).await;
        assert_eq!(units(&shop, ring), 7);
        push(&shop).await;
        assert_eq!(units(&shop, ring), 6);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(6), Some(6)));
    }
}

on_both! {
    async fn a_value_that_the_shop_took_and_did_not_keep_is_not_believed(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        adjust(&shop, "RING", "-3").await;
        let kept = json!({ "update": [{ "id": ring, "stock_quantity": 7 }] });
        shop.fake.answer_with(BATCH, Some((200, kept)));
        push(&shop).await;
        assert_eq!(shop.listing(ring).await.1, Some(10), "the mirror believed the answer");
        shop.fake.answer_with(BATCH, None);
        push(&shop).await;
        assert_eq!(units(&shop, ring), 7);
        assert_eq!(shop.listing(ring).await.1, Some(7));
    }
}

on_both! {
    async fn what_nobody_can_know_waits_for_a_settled_reading(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        adjust(&shop, "RING", "-3").await;
        shop.fake.answer_with(BATCH, Some((500, json!({}))));
        push(&shop).await;
        // Did the write arrive before the sale, or not at all?
        shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)]));
        shop.fake.answer_with(BATCH, None);
        push(&shop).await;
        assert_eq!(units(&shop, ring), 9, "something was guessed");
        adjust(&shop, "RING", "-1").await;
        assert_eq!(push(&shop).await, 0, "a doubtful stock was pushed");
        let doubted = format!("SELECT reason FROM listings WHERE {}", shop.mine());
        assert!(relay.texts(&doubted).await[0][0].contains("read until it is sure"));
        settle(&shop).await;
        // Ten, less what was taken by hand and what was sold.
        assert_eq!(units(&shop, ring), 10 - 3 - 1 - 1);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(5), Some(5)));
        assert_eq!(relay.texts(&doubted).await[0][0], "");
        assert_eq!(relay.number("SELECT COUNT(*) FROM drifts").await, 0, "nobody edited anything");
    }
}

on_both! {
    async fn a_doubtful_stock_is_not_believed_while_an_order_cannot_be_read(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        adjust(&shop, "RING", "-3").await;
        shop.fake.answer_with(BATCH, Some((500, json!({}))));
        push(&shop).await;
        let order = shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)])).0;
        shop.fake.damage_order(order);
        shop.fake.answer_with(BATCH, None);
        push(&shop).await;
        settle(&shop).await;
        // Nine, of which nobody knows that one was sold: believed, it would be given back.
        assert_eq!(units(&shop, ring), 9, "something was pushed on a guess");
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(10), Some(7)));
        shop.fake.repair();
        shop.make_due().await;
        settle(&shop).await;
        assert_eq!(units(&shop, ring), 10 - 3 - 1);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(6), Some(6)));
    }
}

on_both! {
    async fn a_sale_that_was_overwritten_is_put_right(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        adjust(&shop, "RING", "-3").await;
        // Between the reading and the writing, which is what this mode cannot rule out.
        let fake = shop.fake.clone();
        shop.fake.interrupt("wc/v3/products", move || async move {
            let _sold = fake.shop().paid_order(&[(ring, 1)]);
        });
        push(&shop).await;
        assert_eq!(units(&shop, ring), 7, "the sale was not overwritten: nothing is tested here");
        settle(&shop).await;
        assert_eq!(units(&shop, ring), 6);
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(6), Some(6)));
    }
}

on_both! {
    async fn a_key_that_may_only_read_is_left_alone_until_it_may_write(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        let refused = json!({ "code": "woocommerce_rest_authentication_error" });
        shop.fake.answer_with(BATCH, Some((401, refused)));
        adjust(&shop, "RING", "-3").await;
        push(&shop).await;
        let stands = format!("SELECT status FROM integrations WHERE NOT writable AND id IN
            (SELECT integration_id FROM listings WHERE {})", shop.mine());
        assert_eq!(relay.texts(&stands).await, [["connected"]]);
        assert_eq!(push(&shop).await, 0);
        settle(&shop).await;
        assert_eq!(units(&shop, ring), 10);
        shop.fake.answer_with(BATCH, None);
        settle(&shop).await;
        assert_eq!(units(&shop, ring), 7, "nobody noticed that the key may write");
    }
}

on_both! {
    async fn what_is_gone_or_not_managed_any_more_is_pushed_nothing(relay: TestRelay) {
        let mut shop = Shop::new();
        let gone = shop.simple("GONE", 10);
        let free = shop.simple("FREE", 10);
        let shop = plain(&relay, shop).await;
        adjust(&shop, "GONE", "-1").await;
        adjust(&shop, "FREE", "-1").await;
        shop.unnoticed(|shop| shop.delete_product(gone));
        shop.unnoticed(|shop| shop.products.get_mut(&free).unwrap().stock = Stock::Unmanaged);
        push(&shop).await;
        assert_eq!(shop.listing(gone).await.0, "missing");
        assert_eq!(shop.listing(free).await.0, "unmanaged");
        assert_eq!(written(&shop), Vec::<usize>::new());
        assert_eq!(push(&shop).await, 0);
    }
}

on_both! {
    async fn what_another_relay_has_taken_up_says_nothing_of_the_store(relay: TestRelay) {
        let mut shop = Shop::new();
        let rings = [shop.simple("RING", 10), shop.simple("BAND", 10)];
        let shop = plain(&relay, shop).await;
        adjust(&shop, "RING", "-1").await;
        adjust(&shop, "BAND", "-1").await;
        relay.run("UPDATE integrations SET status = 'error', push_trouble = 'the key may only read'").await;
        let other = shop.clone();
        shop.fake.interrupt("wc/v3/products", move || async move {
            // Reading took longer than the claim holds.
            let one = "UPDATE stock_pushes SET claims = claims + 1 WHERE id = (SELECT id FROM stock_pushes
                ORDER BY id LIMIT 1)";
            database::run(&other.relay.db, one).await;
        });
        assert_eq!(push(&shop).await, 2);
        assert_eq!(shop.fake.interruptions_left(), 0);
        assert_eq!(rings.map(|ring| units(&shop, ring)), [10, 10]);
        let said = relay.texts("SELECT status, push_trouble FROM integrations").await;
        assert_eq!(said, [["error", "the key may only read"]], "a trouble was taken away");
        let put_back = relay.texts("SELECT detail FROM stock_pushes WHERE attempts = 1").await;
        assert_eq!(put_back.len(), 1);
        assert!(put_back[0][0].contains("another relay"), "{put_back:?}");
    }
}
