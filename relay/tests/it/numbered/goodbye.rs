//! A store is disconnected, by a person or by its plugin: nothing more is read there, nothing secret is kept, and no
//! shop holds it up. Its plugin may come back as another installation.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use nexpura_relay::{
    service::{admin, credential::ConnectionId, links, runs, vault::Place},
    store,
};
use uuid::Uuid;

use super::{
    by_a_person, by_the_plugin, halted, one_ring, register, register_again, settle, store_row,
    want, with_plugin,
};
use crate::{
    shop::{Shop, plugin::Pushes},
    support::{
        connected::Connected,
        database, on_both,
        pushing::{adjust, push, units},
    },
};

on_both! {
    async fn no_secret_of_a_connection_that_has_ended_is_kept(relay: TestRelay) {
        for person in [true, false] {
            let (shop, _) = one_ring(&relay).await;
            let id = ConnectionId {
                tenant: shop.tenant, id: shop.connection,
            };
            admin::rotate_connection(&shop.relay, id, store::now()).await.unwrap();
            let held = sealed(&shop).await;
            assert_eq!(held.iter().filter(|sealed| opens(&shop, sealed)).count(), 2);
            if person {
                by_a_person(&shop).await;
            } else {
                by_the_plugin(&shop).await;
            }
            let held = sealed(&shop).await;
            assert!(held.iter().all(|sealed| !opens(&shop, sealed)), "by a person: {person}");
        }
        // Nothing of them is left that another master key would have to open.
        admin::rotate_vault(&relay.relay).await.unwrap();
        assert_eq!(
            admin::rotate_vault(&relay.relay).await.unwrap().current, 0
        );
    }
}

/// The sealed secrets of a shop's connection, each with its column.
async fn sealed(shop: &Connected) -> Vec<(&'static str, Vec<u8>)> {
    let mut held = Vec::new();
    for field in ["secret", "previous_secret"] {
        let key = database::key(&shop.relay.db, shop.connection);
        let sql = match &shop.relay.db {
            store::Db::Sqlite { .. } => {
                format!("SELECT hex({field}) FROM connections WHERE id = {key}")
            }
            store::Db::Postgres(_) => {
                format!("SELECT encode({field}, 'hex') FROM connections WHERE id = {key}")
            }
        };
        let hex = database::texts(&shop.relay.db, &sql).await[0][0].clone();
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        held.push((field, (0..hex.len()).step_by(2).map(byte).collect()));
    }
    held
}

fn opens(shop: &Connected, (field, sealed): &(&'static str, Vec<u8>)) -> bool {
    let place = Place { tenant: shop.tenant, table: "connections", row: shop.connection, field };
    shop.relay.vault.open(place, sealed).is_ok()
}

on_both! {
    async fn a_person_who_disconnects_waits_for_no_shop(relay: TestRelay) {
        let (shop, _) = one_ring(&relay).await;
        let status = "SELECT COUNT(*) FROM integrations WHERE status = 'disconnected' AND consumer_key IS NULL";
        let (other, already) = (shop.clone(), Arc::new(AtomicI64::new(0)));
        let seen = Arc::clone(&already);
        shop.fake.interrupt("wc-nexpura/v1/disconnect", move || async move {
            seen.store(database::number(&other.relay.db, status).await, Ordering::Relaxed);
        });
        by_a_person(&shop).await;
        assert_eq!(shop.fake.interruptions_left(), 0, "the shop was not asked to remove its key");
        let already = already.load(Ordering::Relaxed);
        assert_eq!(already, 1, "the shop is asked first, and may never answer");
        assert_eq!(relay.number(status).await, 1);
        let asked = shop.fake.asked();
        let removed = asked.iter().filter(|asked| asked.route.ends_with("v1/disconnect")).count();
        assert_eq!(removed, 1);
    }
}

on_both! {
    async fn an_import_ends_with_the_key(relay: TestRelay) {
        let mut shop = Shop::new();
        let ring = shop.simple("RING", 1_000);
        let shop = with_plugin(&relay, shop).await;
        for _ in 0..350 {
            shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)]));
        }
        let row = store_row(&shop).await;
        let kind = runs::Kind::Orders;
        relay.run("DELETE FROM sync_runs").await;
        runs::start(&shop.relay, shop.tenant, &row, kind, "Ann", store::now()).await.unwrap();
        let asked = || shop.fake.times_asked("wc/v3/orders");
        let before = asked();
        let other = shop.clone();
        shop.fake.interrupt("wc/v3/orders", move || async move { by_a_person(&other).await });
        shop.run_sweep().await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 0, "it went on");
        // One page is asked for ahead.
        assert!(asked() - before <= 2, "{} pages were read after the goodbye", asked() - before);
        let held = "SELECT COUNT(*) FROM sync_runs WHERE leased_until IS NOT NULL";
        assert_eq!(relay.number(held).await, 0, "it is held by nobody");
    }
}

on_both! {
    async fn an_answer_that_comes_after_the_goodbye_is_not_taken_in(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        let order = shop.unnoticed(|shop| shop.paid_order(&[(ring, 1)])).0;
        want(&shop, order).await;
        let other = shop.clone();
        shop.fake.interrupt("wc/v3/orders/", move || async move { by_a_person(&other).await });
        shop.fetch().await;
        assert_eq!(shop.fake.interruptions_left(), 0);
        assert_eq!(relay.number("SELECT COUNT(*) FROM sales").await, 0);
        assert_eq!(shop.quantity(ring).await, 10);
    }
}

on_both! {
    async fn a_plugin_that_was_deleted_and_installed_again_is_taken_back(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        let shop = register_again(&shop).await;
        for _ in 0..2 {
            adjust(&shop, "RING", "-1").await;
            push(&shop).await;
        }
        let stores = "SELECT COUNT(*) FROM integrations";
        // What the shop's plugin has forgotten.
        let anew = Uuid::new_v4().to_string();
        shop.fake.shop().pushes = Pushes::default();
        by_a_person(&shop).await;
        let back = register(&shop, &anew).await;
        assert_eq!(relay.number(stores).await, 1);
        assert_eq!(store_row(&back).await.store_id, Some(anew));
        assert_eq!(relay.number("SELECT COUNT(*) FROM lineage").await, 0);
        assert_eq!(back.listing(ring).await, ("missing".to_owned(), None, None), "its stock is believed");
        settle(&back).await;
        assert_eq!(back.listing(ring).await, ("waiting".to_owned(), None, None));
        ledgers_counts_hold(&back).await;
        adjust(&back, "RING", "-1").await;
        settle(&back).await;
        assert_eq!(halted(&relay).await, 0);
        assert_eq!(units(&back, ring), 7);
        assert_eq!(back.listing(ring).await, ("open".to_owned(), Some(7), Some(7)));
    }
}

/// A person says so of all that waits.
async fn ledgers_counts_hold(shop: &Connected) {
    let (tenant, holds) = (shop.tenant, links::Holds::Ledger);
    let done = links::choose(&shop.relay, tenant, links::Which::All, holds, "Ann", store::now());
    assert_eq!(done.await.unwrap(), links::Chosen { chosen: 1, left: 0 });
}

on_both! {
    async fn a_shop_that_was_built_anew_sells_what_it_says_and_sells_nothing_twice(relay: TestRelay) {
        let (shop, old) = one_ring(&relay).await;
        let order = shop.request(|shop| shop.paid_order(&[(old, 1)]));
        shop.push().await;
        assert_eq!(shop.quantity(old).await, 9);
        by_a_person(&shop).await;
        // Its products have other ids, and one has that of another; its orders were brought over.
        let ring = shop.unnoticed(|shop| {
            shop.pushes = Pushes::default();
            shop.name_sku(old, "NECK");
            shop.set_stock(old, 5);
            shop.delete(order);
            let ring = shop.simple("RING", 10);
            shop.paid_order(&[(ring, 1)]);
            ring
        });
        let back = register(&shop, &Uuid::new_v4().to_string()).await;
        settle(&back).await;
        assert_eq!(back.listing(old).await, ("open".to_owned(), Some(5), Some(5)));
        assert_eq!(back.listing(ring).await, ("waiting".to_owned(), None, None));
        ledgers_counts_hold(&back).await;
        settle(&back).await;
        assert_eq!(back.listing(ring).await, ("open".to_owned(), Some(9), Some(9)));
        assert_eq!([units(&back, old), units(&back, ring)], [5, 9]);
        // From here on it sells as any shop does.
        for (stock, left) in [(old, 4), (ring, 8)] {
            back.request(|shop| shop.paid_order(&[(stock, 1)]));
            back.push().await;
            assert_eq!(back.listing(stock).await, ("open".to_owned(), Some(left), Some(left)));
        }
    }
}

on_both! {
    async fn what_has_not_changed_since_is_brought_over_all_the_same(relay: TestRelay) {
        let (shop, ring) = one_ring(&relay).await;
        by_a_person(&shop).await;
        shop.fake.shop().pushes = Pushes::default();
        let back = register(&shop, &Uuid::new_v4().to_string()).await;
        settle(&back).await;
        assert_eq!(back.listing(ring).await, ("waiting".to_owned(), None, None));
    }
}
