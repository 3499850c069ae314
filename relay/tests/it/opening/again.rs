//! A stock whose count began before an order could be read.

use nexpura_protocol::{Event, Resource};
use serde_json::json;

use super::{counted, movements, report_and_sweep, with_a_ring};
use crate::{
    shop::{Mark, Shop, Stock, server::Town},
    support::{connected::Connected, on_both},
};

/// Something happens to an order a while ago, and is told in words that nobody understands; nor can it be read.
async fn unreadable(shop: &Connected, act: impl FnOnce(&mut Shop) -> (u64, Vec<Mark>)) -> u64 {
    let order = unreadable_now(shop, act).await;
    shop.let_time_pass().await;
    order
}

async fn unreadable_now(shop: &Connected, act: impl FnOnce(&mut Shop) -> (u64, Vec<Mark>)) -> u64 {
    let order = shop.request(act);
    let mut events: Vec<Event> = shop.spool.lock().unwrap().take();
    for event in &mut events {
        if event.topic.resource == Resource::Order {
            event.payload.as_mut().unwrap()["currency"] = json!(7);
        }
    }
    shop.push_events(events).await;
    shop.fake.damage_order(order);
    order
}

async fn becomes_readable(shop: &Connected) {
    shop.fake.repair();
    shop.make_due().await;
    shop.fetch().await;
    shop.let_time_pass().await;
}

async fn read(shop: &Connected) {
    for _ in 0..4 {
        report_and_sweep(shop).await;
    }
}

on_both! {
    async fn a_stock_that_was_open_opens_again_only_with_every_order_read(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        shop.open().await;
        for stock in [Stock::Unmanaged, Stock::Own(3)] {
            shop.act(|shop| shop.keep_stock(ring, stock));
            shop.push().await;
        }
        unreadable(&shop, |shop| shop.paid_order(&[(ring, 1)])).await;
        read(&shop).await;
        assert_eq!(shop.listing(ring).await, ("opening".to_owned(), None, Some(3)));
        becomes_readable(&shop).await;
        read(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
    }
}

on_both! {
    async fn an_order_that_was_paid_before_the_count_is_none(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        let order = unreadable(&shop, |shop| shop.paid_order(&[(ring, 1)])).await;
        read(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
        shop.act(|shop| shop.enter(order, "completed"));
        shop.push().await;
        becomes_readable(&shop).await;
        read(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
        assert_eq!(movements(&shop).await, counted(2));
    }
}

on_both! {
    async fn an_order_that_was_paid_after_the_count_is_a_sale(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        // It waits for its payment: nothing has left the stock.
        let order = unreadable(&shop, |shop| shop.order(&[(ring, 1)])).await;
        read(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
        shop.act(|shop| shop.enter(order, "processing"));
        shop.push().await;
        // The same again says no more of when it was.
        shop.act(|shop| shop.enter(order, "completed"));
        shop.push().await;
        becomes_readable(&shop).await;
        read(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
        assert_eq!(movements(&shop).await, [counted(3), vec![("sale".to_owned(), -1)]].concat());
        assert_eq!(relay.number("SELECT COUNT(*) FROM drifts").await, 0, "nobody edited anything");
    }
}

on_both! {
    async fn an_order_that_was_paid_after_the_count_and_is_off_by_now_is_both(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        let order = unreadable(&shop, |shop| shop.order(&[(ring, 1)])).await;
        read(&shop).await;
        for status in ["processing", "cancelled"] {
            shop.act(|shop| shop.enter(order, status));
            shop.push().await;
        }
        becomes_readable(&shop).await;
        read(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
        assert_eq!(relay.number("SELECT COUNT(*) FROM drifts").await, 0, "nobody edited anything");
    }
}

on_both! {
    async fn of_several_orders_just_those_that_left_after_the_count_are_sales(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        for _ in 0..2 {
            unreadable(&shop, |shop| shop.paid_order(&[(ring, 1)])).await;
        }
        let later = unreadable(&shop, |shop| shop.order(&[(ring, 1)])).await;
        read(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(1), Some(1)));
        shop.act(|shop| shop.enter(later, "processing"));
        shop.push().await;
        becomes_readable(&shop).await;
        read(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(0), Some(0)));
        assert_eq!(movements(&shop).await, [counted(1), vec![("sale".to_owned(), -1)]].concat());
        assert_eq!(relay.number("SELECT COUNT(*) FROM drifts").await, 0, "nobody edited anything");
    }
}

on_both! {
    async fn what_may_have_left_one_piece_has_not_left_another(relay: TestRelay) {
        let mut shop = Shop::new();
        let (gold, silver) = (shop.simple("GOLD", 3), shop.simple("SILVER", 5));
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        let order = unreadable(&shop, |shop| shop.order(&[(gold, 1)])).await;
        read(&shop).await;
        shop.act(|shop| shop.enter(order, "processing"));
        shop.push().await;
        becomes_readable(&shop).await;
        assert_eq!(shop.unsure().await, 1);
        // It gets the other's SKU, and nobody can say any more of which piece that unit was.
        for (product, sku) in [(silver, "OTHER"), (gold, "SILVER")] {
            shop.act(|shop| shop.name_sku(product, sku));
            shop.push().await;
            shop.fetch().await;
        }
        assert_eq!(shop.listing(gold).await, ("waiting".to_owned(), None, None));
        let lines = "SELECT COUNT(*) FROM sale_items WHERE unsure <> 0";
        assert_eq!([shop.unsure().await, relay.number(lines).await], [0, 0]);
    }
}

on_both! {
    async fn what_is_edited_besides_is_a_difference(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        let order = unreadable(&shop, |shop| shop.order(&[(ring, 1)])).await;
        read(&shop).await;
        shop.act(|shop| shop.enter(order, "processing"));
        shop.push().await;
        shop.unnoticed(|shop| shop.set_stock(ring, 1));
        becomes_readable(&shop).await;
        read(&shop).await;
        read(&shop).await;
        let seen = "SELECT CAST(mirror AS TEXT), CAST(reading AS TEXT) FROM drifts";
        assert_eq!(relay.texts(seen).await, [["2000", "1000"]], "the sale, and one more");
        assert_eq!(shop.quantity(ring).await, 2);
    }
}

on_both! {
    async fn a_number_that_an_order_overtakes_is_read_again(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        report_and_sweep(&shop).await;
        // The shop has answered three; before anybody counts by it one is sold, told in vain.
        let (meanwhile, there) = (shop.clone(), shop.clone());
        shop.fake.interrupt("wc/v3/orders", move || async move {
            there.fake.interrupt("wc/v3/products", move || async move {
                unreadable_now(&meanwhile, |shop| shop.paid_order(&[(ring, 1)])).await;
            });
        });
        report_and_sweep(&shop).await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        assert_eq!(shop.listing(ring).await, ("opening".to_owned(), None, Some(0)));
        read(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
        becomes_readable(&shop).await;
        read(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
        assert_eq!(movements(&shop).await, counted(2));
    }
}

on_both! {
    async fn what_may_be_sold_is_not_offered_again_where_the_stock_begins_anew(relay: TestRelay) {
        let (shop, ring) = with_a_ring(&relay).await;
        let order = unreadable(&shop, |shop| shop.order(&[(ring, 1)])).await;
        read(&shop).await;
        shop.act(|shop| shop.enter(order, "processing"));
        for stock in [Stock::Unmanaged, Stock::Own(2)] {
            shop.act(|shop| shop.keep_stock(ring, stock));
            shop.push().await;
        }
        becomes_readable(&shop).await;
        read(&shop).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(2), Some(2)));
        assert_eq!(movements(&shop).await, [counted(3), vec![("sale".to_owned(), -1)]].concat());
    }
}
