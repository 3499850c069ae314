//! Work is done for the jeweller whose it is; two shops of one jeweller share what belongs to both.

use crate::{
    shop::{Shop, server::Town},
    support::{connected::Connected, on_both},
};

on_both! {
    async fn the_work_of_one_tenant_is_not_done_for_another(relay: TestRelay) {
        let town = Town::open().await;
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 9);
        let one = Connected::new(&relay.relay, &town, shop.clone()).await;
        let other = Connected::new(&relay.relay, &town, shop).await;
        for shop in [&one, &other] {
            shop.open().await;
            let (_, marks) = shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)]));
            shop.spool.lock().unwrap().touch(marks[0]);
            shop.push().await;
        }
        one.fetch().await;
        assert_eq!([one.quantity(ring).await, other.quantity(ring).await], [8, 9]);
        assert_eq!(other.fake.times_asked("wc/v3/orders/12"), 0);
        other.fetch().await;
        assert_eq!([one.quantity(ring).await, other.quantity(ring).await], [8, 8]);
    }
}

/// Two shops of one jeweller share customers by e-mail, and pieces only where a person says so; what
/// one says of a person overwrites nothing that the other brought.
mod one_jeweller_with_two_shops {
    use super::*;

    on_both! {
        async fn share_a_customer_by_email_and_overwrite_nothing(relay: TestRelay) {
            let town = Town::open().await;
            let (mut first, mut second) = (Shop::new(), Shop::new());
            first.customer("Ana@Example.test", "Ana");
            second.customer("ana@example.TEST", "Impostor");
            let first = Connected::of(&relay.relay, &town, first, "Two shops").await;
            let second = Connected::of(&relay.relay, &town, second, "Two shops").await;
            first.open().await;
            second.open().await;
            let customers = relay.texts("SELECT email, first_name FROM customers").await;
            assert_eq!(customers, [["ana@example.test", "Ana"]]);
            assert_eq!(relay.number("SELECT COUNT(*) FROM customer_accounts").await, 2);
        }
    }
}
