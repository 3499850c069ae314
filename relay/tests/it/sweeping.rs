//! The sweep: every page of a store, what nobody told, and what cannot be brought over.

mod clocks;
mod deep;
mod pages;
mod untold;

use chrono::{NaiveDateTime, TimeDelta, Utc};
use nexpura_protocol::{Resource, Verb};
use nexpura_relay::store::{self, keys, runs};
use serde_json::json;

use crate::{
    shop::{
        Mark, Shop, Stock,
        server::{Behaviour, Town},
    },
    support::{connected::Connected, database, on_both, relay::TestRelay},
};

async fn counted(relay: &TestRelay) -> (Connected, u64) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 10);
    let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
    shop.open().await;
    shop.let_time_pass().await;
    (shop, ring)
}

/// Sweeps once, as an hour after everything that happened so far.
async fn sweep(shop: &Connected, everything: bool) {
    shop.let_time_pass().await;
    shop.want_sweep(everything).await;
    assert!(shop.run_sweep().await);
}

on_both! {
    async fn every_page_is_brought_over(relay: TestRelay) {
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 1_000);
        for n in 0..120 {
            shop.customer(&format!("c{n}@example.test"), "Ana");
        }
        for n in 0..230 {
            let (order, _) = shop.paid_order(&[(ring, 1)]);
            if n % 2 == 0 {
                shop.trash(order);
            }
        }
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 230);
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales WHERE gone").await, 115);
        assert_eq!(relay.number("SELECT COUNT(*) FROM sale_items WHERE posted = 1000").await, 230);
        assert_eq!(relay.number("SELECT COUNT(*) FROM customer_accounts").await, 120);
        assert_eq!(shop.quantity(ring).await, 770);
    }
}

on_both! {
    async fn variations_are_read_of_whatever_kind_their_parent_is(relay: TestRelay) {
        let mut shop = Shop::new();
        let small = ["variable", "variable-subscription"].map(|kind| {
            let band = shop.product(None, kind, None, Stock::Unmanaged);
            shop.product(Some(band), "variation", Some(&format!("{kind}-52")), Stock::Own(4))
        });
        let lone = shop.simple("RING", 1);
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        shop.open().await;
        for size in small {
            assert_eq!(shop.listing(size).await, ("open".to_owned(), Some(4), Some(4)));
        }
        let asked = format!("wc/v3/products/{lone}/variations");
        assert_eq!(shop.fake.times_asked(&asked), 0, "of a product that has none");
    }
}

on_both! {
    async fn what_nobody_told_is_found(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.push().await;
        // No hook noticed any of this, so no revision rose.
        shop.unnoticed(|shop| shop.edit(order, 0, 3));
        shop.unnoticed(|shop| shop.paid_order(&[(ring, 2)]));
        sweep(&shop, false).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(5), Some(5)));
        sweep(&shop, true).await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(5), Some(5)));
    }
}

on_both! {
    async fn an_ordinary_sweep_asks_for_what_is_new_with_some_overlap(relay: TestRelay) {
        let (shop, _) = counted(&relay).await;
        sweep(&shop, false).await;
        let from = Utc::now().naive_utc();
        let before = shop.fake.asked().len();
        sweep(&shop, false).await;
        let asked = shop.fake.asked().split_off(before);
        let listings: Vec<_> = asked
            .iter()
            .filter(|asked| matches!(&*asked.route, "wc/v3/orders" | "wc/v3/products"))
            .collect();
        assert_eq!(listings.len(), 3, "products, orders and the trash: {listings:?}");
        for asked in listings {
            assert_eq!(asked.query["dates_are_gmt"], "true");
            let after = &asked.query["modified_after"];
            let after = NaiveDateTime::parse_from_str(after, "%Y-%m-%dT%H:%M:%S").unwrap();
            let back = from - after;
            // An hour more on days on which clocks may be set.
            assert!(back >= TimeDelta::minutes(4), "{back}");
            assert!(back <= TimeDelta::minutes(70), "{back}");
        }
        let before = shop.fake.asked().len();
        sweep(&shop, true).await;
        let asked = shop.fake.asked().split_off(before);
        assert!(asked.iter().all(|asked| !asked.query.contains_key("modified_after")));
    }
}

on_both! {
    async fn the_next_sweep_is_asked_for_when_one_ends_and_due_after_a_while(relay: TestRelay) {
        let (shop, _) = counted(&relay).await;
        let before = database::moment(&relay.relay.db, store::now());
        sweep(&shop, false).await;
        let after = database::moment(&relay.relay.db, store::now());
        let next = format!(
            "SELECT COUNT(*) FROM sync_runs WHERE kind = 'sweep' AND finished_at IS NULL
                AND created_at > {before} AND created_at <= {after} AND due_at > {after}"
        );
        assert_eq!(relay.number(&next).await, 1);
    }
}

on_both! {
    async fn what_arrives_while_a_page_is_read_is_not_overwritten(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let order = shop.request(|shop| shop.paid_order(&[(ring, 1)]));
        shop.push().await;
        shop.let_time_pass().await;
        let meanwhile = shop.clone();
        shop.fake.interrupt("wc/v3/orders", move || async move {
            meanwhile.act(|shop| shop.edit(order, 0, 4));
            meanwhile.push().await;
        });
        shop.want_sweep(true).await;
        shop.run_sweep().await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        assert_eq!(shop.quantity(ring).await, 6, "the page is older than the event");
        shop.fetch().await;
        assert_eq!(shop.quantity(ring).await, 6);
    }
}

on_both! {
    async fn a_row_that_cannot_be_brought_over_is_shown_and_tried_again(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        let bad = shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)])).0;
        shop.unnoticed(|shop| shop.paid_order(&[(ring, 2)]));
        shop.fake.damage_order(bad);
        for _ in 0..2 {
            sweep(&shop, true).await;
            assert_eq!(shop.quantity(ring).await, 8, "the other order is in");
        }
        let served = relay.serve().await;
        let failed = served.api.get("/api/events?status=failed", &shop.token).await.ok();
        assert_eq!(failed["items"].as_array().unwrap().len(), 1, "once: {failed}");
        assert_eq!(failed["items"][0]["resource_id"], bad);
        assert!(failed["items"][0]["detail"].as_str().unwrap().contains("order.currency"));
        shop.fake.repair();
        let id = failed["items"][0]["id"].as_str().unwrap();
        let retried = served.api.post(&format!("/api/events/{id}/retry"), &shop.token, &json!({})).await;
        assert_eq!(retried.status, 202);
        shop.fetch().await;
        assert_eq!(shop.quantity(ring).await, 7);
        let failed = served.api.get("/api/events?status=failed", &shop.token).await.ok();
        assert_eq!(failed["items"], json!([]));
    }
}

on_both! {
    async fn a_sweep_that_broke_off_goes_on_where_it_was(relay: TestRelay) {
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 1_000);
        for _ in 0..250 {
            shop.paid_order(&[(ring, 1)]);
        }
        let shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        let failing = shop.fake.clone();
        // The first page of orders is the last that comes through.
        shop.fake.interrupt("wc/v3/orders", move || async move {
            failing.behave(Behaviour::Status(502));
        });
        shop.want_sweep(true).await;
        shop.run_sweep().await;
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 100);
        assert_eq!(relay.number("SELECT attempts FROM sync_runs").await, 1);
        shop.fake.behave(Behaviour::Honest);
        let before = shop.fake.asked().len();
        shop.want_sweep(false).await;
        shop.run_sweep().await;
        let asked = shop.fake.asked().split_off(before);
        let pages: Vec<&str> = asked
            .iter()
            .filter(|asked| asked.route == "wc/v3/orders" && asked.query["status"] == "any")
            .map(|asked| &*asked.query["offset"])
            .collect();
        assert_eq!(pages, ["99", "198"]);
        assert_eq!(asked[0].route, "wc/v3/orders", "it begins where it broke off");
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 250);
        assert_eq!(relay.number("SELECT attempts FROM sync_runs").await, 0);
    }
}

on_both! {
    async fn a_manual_count_in_the_shop_moves_nothing_here(relay: TestRelay) {
        let (shop, ring) = counted(&relay).await;
        shop.act(|shop| shop.set_stock(ring, 99));
        shop.push().await;
        sweep(&shop, true).await;
        shop.fetch().await;
        assert_eq!(shop.listing(ring).await, ("open".to_owned(), Some(10), Some(10)));
    }
}

/// Runs of the sweep that are due within a minute and not at the next regular time.
async fn due_soon(relay: &TestRelay, shop: &Connected) -> i64 {
    let soon = database::moment(&relay.relay.db, Utc::now() + TimeDelta::minutes(1));
    let sql = "SELECT COUNT(*) FROM sync_runs WHERE kind = 'sweep' AND finished_at IS NULL";
    relay.number(&format!("{sql} AND due_at <= {soon} AND {}", shop.mine())).await
}

on_both! {
    async fn a_stock_that_appears_while_a_sweep_ends_is_read_by_it(relay: TestRelay) {
        let (shop, _) = counted(&relay).await;
        let chain = shop.request(|shop| {
            let chain = shop.product(None, "simple", Some("CHAIN"), Stock::Unmanaged);
            (chain, vec![Mark { resource: Resource::Product, id: chain, verb: Verb::Created }])
        });
        shop.push().await;
        sweep(&shop, false).await;
        assert_eq!(due_soon(&relay, &shop).await, 0, "nothing is to be read");
        // A key that may only read is asked about last of all.
        let mut tx = relay.relay.db.write().await.unwrap();
        keys::set_writable(&mut tx, shop.tenant, shop.integration, false, Utc::now()).await.unwrap();
        tx.commit().await.unwrap();
        let meanwhile = shop.clone();
        shop.fake.interrupt("wc/v3/products/batch", move || async move {
            meanwhile.act(|shop| shop.keep_stock(chain, Stock::Own(7)));
            meanwhile.push().await;
        });
        sweep(&shop, false).await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        assert_eq!(shop.opening().await, 1);
        assert_eq!(due_soon(&relay, &shop).await, 1, "the new stock is not forgotten");
        shop.open().await;
        assert_eq!(shop.listing(chain).await, ("open".to_owned(), Some(7), Some(7)));
    }
}

/// A gap shows while an ordinary sweep reads the orders; an old order of this product is still unknown.
async fn a_gap_meanwhile(relay: &TestRelay, shop: &Connected, product: u64) {
    let order = shop.unnoticed(|shop| shop.paid_order(&[(product, 1)])).0;
    let old = Utc::now() - TimeDelta::days(2);
    shop.unnoticed(|shop| shop.orders.get_mut(&order).unwrap().modified = old);
    let meanwhile = shop.clone();
    shop.fake.interrupt("wc/v3/orders", move || async move {
        meanwhile.request(|shop| shop.paid_order(&[(product, 2)]));
        meanwhile.spool.lock().unwrap().unsent.clear();
        meanwhile.request(|shop| shop.paid_order(&[(product, 3)]));
        meanwhile.push().await;
    });
    sweep(shop, false).await;
    assert_eq!(shop.fake.interruptions_left(), 0);
    assert_eq!(due_soon(relay, shop).await, 1, "the gap is not forgotten");
    shop.let_time_pass().await;
    assert!(shop.run_sweep().await, "without anybody asking again");
    let known =
        format!("SELECT COUNT(*) FROM sales WHERE external_id = '{order}' AND {}", shop.mine());
    assert_eq!(relay.number(&known).await, 1, "the order that no page of new ones shows is in");
}

on_both! {
    async fn a_gap_that_shows_while_a_sweep_ends_has_everything_read_after_it(relay: TestRelay) {
        let (shop, _) = counted(&relay).await;
        let chain = shop.request(|shop| {
            let chain = shop.product(None, "simple", Some("CHAIN"), Stock::Unmanaged);
            (chain, vec![Mark { resource: Resource::Product, id: chain, verb: Verb::Created }])
        });
        shop.push().await;
        a_gap_meanwhile(&relay, &shop, chain).await;
    }
}

on_both! {
    async fn a_gap_that_shows_while_stocks_are_read_has_everything_read_at_once(relay: TestRelay) {
        // The product's page shows a stock that an order has moved of which nobody has told.
        let (shop, ring) = counted(&relay).await;
        a_gap_meanwhile(&relay, &shop, ring).await;
        assert_eq!(shop.quantity(ring).await, 4);
    }
}

on_both! {
    async fn a_run_that_another_relay_has_taken_up_is_left_to_it(relay: TestRelay) {
        let (shop, _) = counted(&relay).await;
        let other = shop.clone();
        shop.fake.interrupt("wc/v3/products", move || async move {
            // The lease has ended while this one waited for the shop.
            let ago = database::moment(&other.relay.db, Utc::now() - TimeDelta::seconds(1));
            let sql = format!("UPDATE sync_runs SET leased_until = {ago} WHERE finished_at IS NULL");
            database::run(&other.relay.db, &sql).await;
            let store = (other.tenant, other.integration);
            let now = Utc::now();
            let mut tx = other.relay.db.write().await.unwrap();
            let claimed = runs::claim(&mut tx, store, now, now + TimeDelta::minutes(2)).await;
            assert!(claimed.unwrap().is_some());
            tx.commit().await.unwrap();
        });
        let ended = relay.number("SELECT COUNT(*) FROM sync_runs WHERE finished_at IS NOT NULL").await;
        sweep(&shop, true).await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        let held = "SELECT COUNT(*) FROM sync_runs WHERE finished_at IS NULL AND seen = 0 AND leased_until IS NOT NULL";
        assert_eq!(relay.number(held).await, 1, "it was written to by who had lost it");
        let sql = "SELECT COUNT(*) FROM sync_runs WHERE finished_at IS NOT NULL";
        assert_eq!(relay.number(sql).await, ended);
    }
}

on_both! {
    async fn a_failure_from_before_a_new_beginning_holds_nothing_up(relay: TestRelay) {
        let (shop, _) = counted(&relay).await;
        shop.fake.behave(Behaviour::Status(401));
        let meanwhile = shop.clone();
        shop.fake.interrupt("wc/v3/products", move || async move {
            // As when the store is connected again with another key.
            meanwhile.want_sweep(true).await;
        });
        sweep(&shop, false).await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        shop.fake.behave(Behaviour::Honest);
        let status = relay.texts("SELECT status FROM integrations").await;
        assert_eq!(status, [["connected"]]);
        shop.let_time_pass().await;
        assert!(shop.run_sweep().await, "it begins anew at once");
    }
}

on_both! {
    async fn a_stock_that_never_settles_keeps_no_sweep_from_ending(relay: TestRelay) {
        let mut shop = Shop::new();
        shop.simple("RING", 10);
        let mut shop = Connected::new(&relay.relay, &Town::open().await, shop).await;
        // A process in the shop never finishes what it has marked.
        let mark = Mark { resource: Resource::Customer, id: 7, verb: Verb::Updated };
        shop.spool.lock().unwrap().open.push(mark);
        let ended = "SELECT COUNT(*) FROM sync_runs WHERE finished_at IS NOT NULL";
        for (every, runs) in [(3_600, 0), (0, 1)] {
            let mut config = (*shop.relay.config).clone();
            config.sweep_seconds = every;
            shop.relay.config = config.into();
            for _ in 0..2 {
                shop.push().await;
                shop.let_time_pass().await;
                shop.want_sweep(false).await;
                assert!(shop.run_sweep().await);
            }
            assert_eq!(shop.opening().await, 1);
            assert!(relay.number(ended).await >= runs, "every {every} s");
            assert!(runs > 0 || relay.number(ended).await == 0, "it is being read");
        }
        assert_eq!(due_soon(&relay, &shop).await, 1, "and is read again soon");
    }
}
