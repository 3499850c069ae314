//! A piece that the ledger has already and a shop brings: nothing is linked until a person says whose count
//! holds, and nothing is counted until the shop's stock is settled.

mod counted;

use nexpura_protocol::{Resource, Verb};
use nexpura_relay::service::push_stock;
use serde_json::{Value, json};

use crate::{
    shop::{Mark, Shop, Stock, server::Town},
    support::{
        api::Api,
        connected::Connected,
        database::{self, Backend},
        on_both,
        program::Program,
        relay::{Served, TestRelay},
    },
};

const TENANT: &str = "Two shops";

/// Two shops of one jeweller: the first has brought these pieces, the second has them too.
struct Two {
    first: Connected,
    second: Connected,
    served: Served,
}

impl Two {
    /// With the units that each shop has of each SKU.
    async fn with(relay: &TestRelay, pieces: &[(&str, i64, i64)]) -> Self {
        let (mut first, mut second) = (Shop::new(), Shop::new());
        (first.bare, second.bare) = (true, true);
        for (sku, one, other) in pieces {
            first.simple(sku, *one);
            second.simple(sku, *other);
        }
        Self::of(relay, first, second).await
    }

    async fn of(relay: &TestRelay, first: Shop, second: Shop) -> Self {
        Self::named(relay, first, second, TENANT).await
    }

    /// Of a tenant that is called as the one piece that both shops have.
    async fn of_tenant(relay: &TestRelay, sku: &str, one: i64, other: i64) -> Self {
        Self::named(relay, with((sku, one)), with((sku, other)), sku).await
    }

    /// The same for a tenant of this name.
    async fn named(relay: &TestRelay, first: Shop, second: Shop, tenant: &str) -> Self {
        let town = Town::open().await;
        let first = Connected::of(&relay.relay, &town, first, tenant).await;
        first.open().await;
        let second = Connected::of(&relay.relay, &town, second, tenant).await;
        second.open().await;
        Self { first, second, served: relay.serve().await }
    }

    fn api(&self) -> &Api {
        &self.served.api
    }

    async fn waiting(&self) -> Vec<Value> {
        let list = self.api().get("/api/links", &self.first.token).await.ok();
        list["items"].as_array().unwrap().clone()
    }

    /// Says of the one piece of this SKU whose count holds.
    async fn choose(&self, sku: &str, holds: &str) -> crate::support::api::Reply {
        let waiting = self.waiting().await;
        let link = waiting.iter().find(|link| link["sku"] == sku).expect("it waits");
        let path = format!("/api/links/{}", link["id"].as_str().unwrap());
        self.api().post(&path, &self.first.token, &json!({ "holds": holds })).await
    }

    async fn choose_all(&self, holds: &str) -> Value {
        let body = json!({ "holds": holds });
        self.api().post("/api/links", &self.first.token, &body).await.ok()
    }

    /// Pushes what either shop has still to be told, as to shops without the plugin.
    async fn push(&self) {
        database::run(&self.first.relay.db, "UPDATE connections SET revoked_at = created_at").await;
        for shop in [&self.first, &self.second] {
            push_stock::push_due(&shop.relay, shop.tenant, shop.integration).await.unwrap();
        }
    }
}

fn units(shop: &Connected, sku: &str) -> i64 {
    let shop = shop.fake.shop();
    let product = shop.products.values().find(|product| product.sku.as_deref() == Some(sku));
    shop.units(product.expect("the product").id).unwrap()
}

fn stock(shop: &Connected, sku: &str) -> u64 {
    let shop = shop.fake.shop();
    shop.products.values().find(|one| one.sku.as_deref() == Some(sku)).expect("the product").id
}

/// Type and change in units of every movement, in the order in which they were posted.
async fn movements(relay: &TestRelay) -> Vec<(String, i64)> {
    let sql = "SELECT movement_type, CAST(quantity_change / 1000 AS TEXT) FROM stock_movements ORDER BY id";
    let rows = relay.texts(sql).await;
    rows.into_iter().map(|row| (row[0].clone(), row[1].parse().unwrap())).collect()
}

fn opened(units: i64) -> (String, i64) {
    ("stocktake".to_owned(), units)
}

/// One reading of what a shop waits to have read.
async fn read(shop: &Connected) {
    shop.want_sweep(false).await;
    shop.run_sweep().await;
    shop.push().await;
    shop.fetch().await;
}

on_both! {
    async fn where_the_ledgers_count_holds_the_shop_gets_the_difference(relay: TestRelay) {
        let two = Two::with(&relay, &[("RING", 3, 8)]).await;
        let waiting = two.waiting().await;
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        let link = &waiting[0];
        assert_eq!([&link["sku"], &link["store"]], ["RING", two.second.fake.home.as_str()]);
        assert_eq!([&link["ledger"], &link["shop"]], ["3", "8"]);
        let ring = stock(&two.second, "RING");
        two.choose("RING", "ledger").await.ok();
        assert!(two.waiting().await.is_empty());
        let before = two.second.listing(ring).await;
        assert_eq!(before, ("opening".to_owned(), None, Some(3)), "nothing is read yet");
        two.second.open().await;
        assert_eq!(two.second.listing(ring).await, ("open".to_owned(), Some(8), Some(3)));
        assert_eq!(movements(&relay).await, [opened(3)]);
        two.push().await;
        assert_eq!([units(&two.first, "RING"), units(&two.second, "RING")], [3, 3]);
        let audit = "SELECT action, subject FROM audit_log WHERE action LIKE 'links.%'";
        let audit = relay.texts(audit).await;
        assert_eq!(audit.len(), 1);
        assert_eq!(audit[0][0], "links.ledger_holds");
        assert!(audit[0][1].starts_with(&two.second.fake.home), "{audit:?}");
    }
}

on_both! {
    async fn where_the_shops_count_holds_the_ledger_counts_anew(relay: TestRelay) {
        let two = Two::with(&relay, &[("RING", 3, 8)]).await;
        let ring = stock(&two.second, "RING");
        two.choose("RING", "shop").await.ok();
        assert_eq!(two.second.listing(ring).await, ("opening".to_owned(), None, Some(3)));
        two.second.open().await;
        assert_eq!(two.second.listing(ring).await, ("open".to_owned(), Some(8), Some(8)));
        assert_eq!(movements(&relay).await, [opened(3), opened(5)]);
        // The other shop has it still to come, and this one nothing.
        two.push().await;
        assert_eq!([units(&two.first, "RING"), units(&two.second, "RING")], [8, 8]);
        // Chosen once, counted once: a later reading that differs is drift.
        two.second.unnoticed(|shop| shop.set_stock(ring, 6));
        two.second.let_time_pass().await;
        two.second.want_sweep(true).await;
        two.second.run_sweep().await;
        assert_eq!(movements(&relay).await.len(), 2);
    }
}

on_both! {
    async fn no_reading_counts_that_something_has_moved_meanwhile(relay: TestRelay) {
        let two = Two::with(&relay, &[("RING", 3, 8)]).await;
        let ring = stock(&two.second, "RING");
        two.choose("RING", "shop").await.ok();
        // The setting is such that one sweep gives one reading.
        let mut slow = two.second.clone();
        slow.relay.config = {
            let mut config = (*slow.relay.config).clone();
            config.settle_seconds = 3_600;
            config.into()
        };
        read(&slow).await;
        two.second.unnoticed(|shop| shop.set_stock(ring, 6));
        read(&slow).await;
        assert_eq!(two.second.quantity(ring).await, 3, "the readings were not equal");
        let sold = json!({ "type": "sale", "quantity_change": "-1", "notes": "at the till" });
        two.api().post("/api/inventory/RING/movements", &two.first.token, &sold).await.ok();
        read(&slow).await;
        let kept = two.second.listing(ring).await;
        assert_eq!(kept, ("opening".to_owned(), None, Some(2)), "they are not apart either");
        two.second.open().await;
        assert_eq!(two.second.listing(ring).await, ("open".to_owned(), Some(6), Some(6)));
        assert_eq!(movements(&relay).await, [opened(3), ("sale".to_owned(), -1), opened(4)]);
    }
}

on_both! {
    async fn what_is_sold_while_it_waits_is_sold_whosever_count_holds(relay: TestRelay) {
        for (sku, holds) in [("RING", "ledger"), ("BAND", "shop")] {
            let (mut first, mut second) = (Shop::new(), Shop::new());
            first.simple(sku, 2);
            // Of three one was sold before anybody counted, and is not among the ledger's two.
            let ring = second.simple(sku, 3);
            second.paid_order(&[(ring, 1)]);
            let two = Two::named(&relay, first, second, sku).await;
            two.second.request(|shop| shop.paid_order(&[(ring, 1)]));
            two.second.push().await;
            two.choose(sku, holds).await.ok();
            two.second.let_time_pass().await;
            two.second.open().await;
            let sold = ("open".to_owned(), Some(1), Some(1));
            assert_eq!(two.second.listing(ring).await, sold, "{holds}");
            two.push().await;
            assert_eq!([units(&two.first, sku), units(&two.second, sku)], [1, 1], "{holds}");
        }
    }
}

on_both! {
    async fn what_an_order_from_before_takes_later_is_sold_as_well(relay: TestRelay) {
        for (sku, holds) in [("RING", "ledger"), ("BAND", "shop")] {
            let (mut first, mut second) = (Shop::new(), Shop::new());
            first.simple(sku, 5);
            let ring = second.simple(sku, 7);
            let (paid, _) = second.paid_order(&[(ring, 1)]);
            let (unpaid, _) = second.order(&[(ring, 1)]);
            let two = Two::named(&relay, first, second, sku).await;
            // One more of the one, and the other is paid.
            two.second.act(|shop| shop.edit(paid, 0, 2));
            two.second.act(|shop| shop.enter(unpaid, "processing"));
            two.second.push().await;
            two.choose(sku, holds).await.ok();
            two.second.let_time_pass().await;
            two.second.open().await;
            let quantity = if holds == "ledger" { 5 - 2 } else { 7 - 1 - 2 };
            let sold = ("open".to_owned(), Some(7 - 1 - 2), Some(quantity));
            assert_eq!(two.second.listing(ring).await, sold, "{holds}");
        }
    }
}

on_both! {
    async fn a_stock_whose_sales_are_not_all_read_waits_with_its_opening(relay: TestRelay) {
        let two = Two::of(&relay, with(("RING", 5)), with(("RING", 7))).await;
        let ring = stock(&two.second, "RING");
        let order = two.second.unnoticed(|shop| shop.paid_order(&[(ring, 1)])).0;
        two.second.fake.damage_order(order);
        two.choose("RING", "ledger").await.ok();
        for _ in 0..3 {
            two.second.let_time_pass().await;
            read(&two.second).await;
        }
        let kept = two.second.listing(ring).await;
        assert_eq!(kept, ("opening".to_owned(), None, Some(5)), "it may be of this stock");
        two.second.fake.repair();
        two.second.make_due().await;
        two.second.fetch().await;
        two.second.open().await;
        assert_eq!(two.second.listing(ring).await, ("open".to_owned(), Some(6), Some(4)));
    }
}

on_both! {
    async fn a_product_that_comes_later_has_no_past_to_be_waited_for(relay: TestRelay) {
        let two = Two::of(&relay, with(("RING", 5)), with(("BAND", 1))).await;
        // Made, and one sold before any sweep has passed.
        let ring = two.second.request(|shop| {
            let ring = shop.simple("RING", 7);
            (ring, vec![Mark { resource: Resource::Product, id: ring, verb: Verb::Created }])
        });
        two.second.push().await;
        two.second.request(|shop| shop.paid_order(&[(ring, 1)]));
        two.second.push().await;
        two.choose("RING", "ledger").await.ok();
        two.second.let_time_pass().await;
        two.second.open().await;
        assert_eq!(two.second.listing(ring).await, ("open".to_owned(), Some(6), Some(4)));
    }
}

/// A shop that has this piece.
fn with((sku, units): (&str, i64)) -> Shop {
    let mut shop = Shop::new();
    shop.simple(sku, units);
    shop
}

on_both! {
    async fn of_all_at_once_only_what_cannot_be_linked_goes_on_waiting(relay: TestRelay) {
        let (mut first, mut second) = (Shop::new(), Shop::new());
        for (sku, one, other) in [("RING", 3, 8), ("BAND", 5, 5), ("STUD", 1, 0)] {
            first.simple(sku, one);
            second.simple(sku, other);
        }
        // Two products of the second shop are one piece.
        let again = second.simple("RING", 9);
        // The ledger has never had a count of this one.
        first.product(None, "simple", Some("GIFT"), Stock::Unmanaged);
        second.simple("GIFT", 4);
        let two = Two::of(&relay, first, second).await;
        assert_eq!(two.waiting().await.len(), 5);
        assert!(two.choose("GIFT", "ledger").await.problem(409).contains("no count"));
        assert_eq!(two.choose_all("ledger").await, json!({ "chosen": 3, "left": 2 }));
        let left = two.waiting().await;
        let left: Vec<_> = left.iter().map(|link| (link["sku"].clone(), link["stock_id"].clone())).collect();
        let gift = stock(&two.second, "GIFT");
        assert_eq!(left, [(json!("RING"), json!(again)), (json!("GIFT"), json!(gift))]);
        assert!(two.choose("RING", "shop").await.problem(409).contains("another product"));
        let unknown = format!("/api/links/{}", uuid::Uuid::new_v4());
        two.api().post(&unknown, &two.first.token, &json!({ "holds": "shop" })).await.problem(404);
        two.choose("GIFT", "shop").await.ok();
        two.second.open().await;
        for (sku, mirror, quantity) in [("RING", 8, 3), ("BAND", 5, 5), ("STUD", 0, 1), ("GIFT", 4, 4)] {
            let listing = two.second.listing(stock(&two.second, sku)).await;
            assert_eq!(listing, ("open".to_owned(), Some(mirror), Some(quantity)), "{sku}");
        }
        let once = "SELECT COUNT(*) FROM listings WHERE inventory_id IS NOT NULL";
        assert_eq!(relay.number(once).await, 4 + 4);
    }
}

on_both! {
    async fn what_the_shop_shows_of_a_piece_that_waits_is_kept_up_to_date(relay: TestRelay) {
        let two = Two::with(&relay, &[("RING", 3, 8)]).await;
        let ring = stock(&two.second, "RING");
        two.second.act(|shop| shop.set_stock(ring, 2));
        two.second.push().await;
        assert_eq!(two.waiting().await[0]["shop"], "2");
        two.second.unnoticed(|shop| shop.set_stock(ring, 1));
        two.second.let_time_pass().await;
        two.second.want_sweep(true).await;
        two.second.run_sweep().await;
        assert_eq!(two.waiting().await[0]["shop"], "1");
        assert_eq!(two.second.listing(ring).await, ("waiting".to_owned(), None, None));
    }
}

on_both! {
    async fn a_choice_is_about_the_stock_as_it_was_kept_then(relay: TestRelay) {
        let two = Two::with(&relay, &[("RING", 3, 8)]).await;
        let ring = stock(&two.second, "RING");
        two.choose("RING", "shop").await.ok();
        // Nobody counts it there any more; later somebody begins with a count that nobody was asked about.
        for kept in [Stock::Unmanaged, Stock::Own(20)] {
            two.second.act(|shop| shop.keep_stock(ring, kept));
            two.second.push().await;
            two.second.fetch().await;
        }
        two.second.open().await;
        assert_eq!(two.second.listing(ring).await, ("open".to_owned(), Some(20), Some(3)));
        assert_eq!(movements(&relay).await, [opened(3)], "the shop's count was not chosen for this");
    }
}

/// The command line lists the same, and the choice is the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_lists_what_waits_and_takes_the_choice() {
    let relay = TestRelay::new(Backend::Sqlite).await;
    let two = Two::with(&relay, &[("RING", 3, 8), ("BAND", 1, 2)]).await;
    let program = Program { relay: &relay, tenant: TENANT };
    let json = |words: &[&str]| program.json(&[&["link"], words].concat());
    let waiting = json(&["list"]);
    assert_eq!(waiting["items"], json!(two.waiting().await));
    let text = program.text(&["link", "list"]);
    assert!(text.contains("RING  ledger 3") && text.contains(" 8"), "{text}");
    let none = program.refused(&["link", "choose", "--holds", "shop"]);
    assert!(none.contains("required"), "neither one nor all: {none}");
    let id = waiting["items"][0]["id"].as_str().unwrap();
    assert_eq!(json(&["choose", "--holds", "shop", id]), json!({ "chosen": 1, "left": 0 }));
    let home = two.second.fake.home.as_str();
    let all = json(&["choose", "--holds", "ledger", "--all", "--store", home]);
    assert_eq!(all, json!({ "chosen": 1, "left": 0 }));
    two.second.open().await;
    let listing = |sku| two.second.listing(stock(&two.second, sku));
    assert_eq!(listing("RING").await, ("open".to_owned(), Some(8), Some(8)));
    assert_eq!(listing("BAND").await, ("open".to_owned(), Some(2), Some(1)));
}

on_both! {
    async fn where_the_shops_count_holds_no_order_that_cannot_be_read_is_waited_for(relay: TestRelay) {
        let two = Two::with(&relay, &[("RING", 3, 8)]).await;
        let ring = stock(&two.second, "RING");
        let order = two.second.unnoticed(|shop| shop.paid_order(&[(ring, 1)])).0;
        two.second.fake.damage_order(order);
        read(&two.second).await;
        let apart = "SELECT COUNT(*) FROM listings WHERE told_apart_at IS NOT NULL";
        assert_eq!(relay.number(apart).await, 1, "what it sells is to be posted");
        assert!(two.choose("RING", "shop").await.status < 300);
        for _ in 0..3 {
            two.second.let_time_pass().await;
            read(&two.second).await;
        }
        let unread = "SELECT COUNT(*) FROM resources WHERE resource = 'order' AND fetch_at IS NOT NULL";
        assert_eq!(relay.number(unread).await, 1);
        assert_eq!(two.second.listing(ring).await, ("open".to_owned(), Some(7), Some(7)));
    }
}
