//! A stock whose count began before an order could be read.

use nexpura_protocol::{Event, Resource};
use serde_json::json;

use super::{counted, movements, report_and_sweep, with_a_ring};
use crate::{
    shop::{Mark, Shop, Stock},
    support::{connected::Connected, on_both},
};

/// Something happens to an order, and is told in words that nobody understands; nor can the order be read.
async fn unreadable(shop: &Connected, act: impl FnOnce(&mut Shop) -> (u64, Vec<Mark>)) -> u64 {
    let order = shop.request(act);
    let mut events: Vec<Event> = shop.spool.lock().unwrap().take();
    for event in &mut events {
        if event.topic.resource == Resource::Order {
            event.payload.as_mut().unwrap()["currency"] = json!(7);
        }
    }
    shop.push_events(events).await;
    shop.fake.damage_order(order);
    shop.let_time_pass().await;
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
