//! Somebody counts a piece that a shop has sold from while nothing of it could be posted: what was sold before the
//! count is no part of it any more, and comes off no second time.

use nexpura_relay::{
    domain::{Quantity, Role, Sku},
    service::adjust::{self, AdjustError, Adjusted, Amount, By, Entry, Kind},
    store,
};

use super::{Two, stock, units};
use crate::{
    panel::browser::somebody,
    shop::Stock,
    support::{connected::Connected, on_both},
};

async fn count(shop: &Connected, sku: &str, units: &str) -> Result<Adjusted, AdjustError> {
    let entry = Entry {
        by: By::Token(uuid::Uuid::nil()),
        sku: &Sku::parse(sku).unwrap(),
        kind: Kind::Stocktake,
        amount: Amount::Count(Quantity::parse(units).unwrap()),
        notes: "",
    };
    adjust::enter(&shop.relay, shop.tenant, entry, store::now()).await
}

/// The shop sells so many, and the relay has heard of it.
async fn sell(shop: &Connected, ring: u64, units: i64) {
    shop.request(|shop| shop.paid_order(&[(ring, units)]));
    shop.push().await;
    shop.fetch().await;
    shop.let_time_pass().await;
}

on_both! {
    async fn what_is_sold_before_a_count_is_no_part_of_it(relay: TestRelay) {
        for (sku, chosen_first, counted, left) in
            [("RING", false, "3", 3), ("BAND", true, "3", 3), ("STUD", false, "5", 5)]
        {
            let two = Two::of_tenant(&relay, sku, 5, 5).await;
            let ring = stock(&two.second, sku);
            if chosen_first {
                two.choose(sku, "ledger").await.ok();
            }
            sell(&two.second, ring, 2).await;
            count(&two.second, sku, counted).await.unwrap();
            let again = count(&two.second, sku, counted).await;
            assert!(matches!(again, Err(AdjustError::Same)), "nothing comes off it any more");
            sell(&two.second, ring, 1).await;
            if !chosen_first {
                two.choose(sku, "ledger").await.ok();
            }
            two.second.let_time_pass().await;
            two.second.open().await;
            let open = ("open".to_owned(), Some(2), Some(left - 1));
            assert_eq!(two.second.listing(ring).await, open, "{sku}");
            two.push().await;
            assert_eq!([units(&two.first, sku), units(&two.second, sku)], [left - 1; 2], "{sku}");
        }
    }
}

on_both! {
    async fn what_waits_says_what_the_ledger_would_end_at(relay: TestRelay) {
        let two = Two::with(&relay, &[("RING", 5, 5)]).await;
        let ring = stock(&two.second, "RING");
        let said = async || {
            let link = two.waiting().await.remove(0);
            ["ledger", "sold_since", "ledger_ends_at"].map(|key| link[key].as_str().unwrap().to_owned())
        };
        assert_eq!(said().await, ["5", "0", "5"]);
        sell(&two.second, ring, 2).await;
        assert_eq!(said().await, ["5", "2", "3"]);
        let tenant = two.first.tenant;
        let manager = somebody(&relay.relay, &two.served, tenant, "m@example.test", Role::Manager).await;
        let page = manager.open("/drift").await.body;
        for words in ["Keep Nexpura’s 3<", "3 with the 2 sold in this shop since"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        count(&two.second, "RING", "4").await.unwrap();
        assert_eq!(said().await, ["4", "0", "4"]);
        let page = manager.open("/drift").await.body;
        assert!(page.contains("Keep Nexpura’s 4<") && !page.contains("sold in this shop"), "{page}");
    }
}

on_both! {
    async fn a_stock_that_opens_again_is_counted_in_between(relay: TestRelay) {
        let two = Two::with(&relay, &[("RING", 5, 5)]).await;
        two.choose("RING", "ledger").await.ok();
        two.second.open().await;
        let ring = stock(&two.second, "RING");
        for kept in [Stock::Unmanaged, Stock::Own(5)] {
            two.second.act(|shop| shop.keep_stock(ring, kept));
            two.second.push().await;
        }
        sell(&two.second, ring, 2).await;
        assert_eq!(two.second.listing(ring).await, ("opening".to_owned(), None, Some(5)));
        count(&two.second, "RING", "3").await.unwrap();
        two.second.open().await;
        assert_eq!(two.second.listing(ring).await, ("open".to_owned(), Some(3), Some(3)));
    }
}
