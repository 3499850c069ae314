//! A shop has a person forgotten: what came from its own orders, and nothing else.

use serde_json::{Value, json};

use crate::{
    shop::{Shop, server::Town},
    support::{api::Api, connected::Connected, on_both, relay::TestRelay},
};

const ANA: &str = "ana@example.test";

async fn say(shop: &Connected, api: &Api, path: &str, person: &Value) -> Value {
    shop.post(api, path, person.to_string().into_bytes()).await.ok()
}

/// Every order of the shop's from now on is Ana's.
fn anas(shop: &mut Shop, id: u64) {
    shop.orders.get_mut(&id).unwrap().email = ANA.to_uppercase();
}

/// A shop of this tenant in which Ana has bought a ring and Buyer0 another.
async fn shop_of(relay: &TestRelay, town: &Town, tenant: &str) -> (Connected, u64, u64) {
    let mut shop = Shop::new();
    let ring = shop.simple("RING", 20);
    let shop = Connected::of(&relay.relay, town, shop, tenant).await;
    shop.open().await;
    shop.request(|shop| shop.paid_order(&[(ring, 1)]));
    let order = buy(&shop, ring).await;
    (shop, ring, order)
}

/// Ana buys another ring.
async fn buy(shop: &Connected, ring: u64) -> u64 {
    let order = shop.request(|shop| {
        let (id, marks) = shop.paid_order(&[(ring, 1)]);
        anas(shop, id);
        (id, marks)
    });
    shop.push().await;
    order
}

/// How often Ana's name or e-mail stands anywhere in a shop's rows.
async fn traces(relay: &TestRelay, shop: &Connected) -> usize {
    let (mine, tenant) = (shop.mine(), shop.of_tenant());
    let mut found = 0;
    for sql in [
        format!("SELECT email, CAST(details AS TEXT), transaction_id FROM sales WHERE {mine}"),
        format!("SELECT payload, facts, detail FROM inbox WHERE {mine}"),
        format!("SELECT email, first_name, CAST(address AS TEXT) FROM customers WHERE {tenant}"),
        format!("SELECT subject, actor, action FROM audit_log WHERE {tenant}"),
    ] {
        for text in relay.texts(&sql).await.into_iter().flatten() {
            found += usize::from(text.to_lowercase().contains(ANA));
        }
    }
    found
}

on_both! {
    async fn a_person_is_forgotten_and_stays_so_while_the_figures_stay(relay: TestRelay) {
        let town = Town::open().await;
        let (shop, ring, order) = shop_of(&relay, &town, "Aurelia").await;
        let (stranger, ..) = shop_of(&relay, &town, "Somebody else").await;
        let served = relay.serve().await;
        let api = &served.api;
        let ana = json!({ "email": " Ana@Example.TEST ", "orders": [order] });
        let held = say(&shop, api, "/v1/person", &ana).await;
        assert_eq!(held["customer"]["email"], ANA);
        assert_eq!(held["sales"].as_array().unwrap().len(), 1);
        assert_eq!(held["sales"][0]["email"], ANA);
        let figures = "SELECT CAST(total AS TEXT), CAST(tax AS TEXT), number, status FROM sales";
        let figures = format!("{figures} WHERE {} ORDER BY external_id", shop.mine());
        let before = relay.texts(&figures).await;
        assert!(traces(&relay, &shop).await > 3);
        let others = traces(&relay, &stranger).await;

        let erased = say(&shop, api, "/v1/erase", &ana).await;
        assert_eq!((&erased["sales"], &erased["customers"]), (&json!(1), &json!(1)));
        assert_eq!((&erased["retained"], &erased["more"]), (&json!(false), &json!(false)));
        assert_eq!(traces(&relay, &shop).await, 0);
        assert_eq!(relay.texts(&figures).await, before);
        assert_eq!(shop.quantity(ring).await, 18);
        assert_eq!(traces(&relay, &stranger).await, others, "another jeweller's rows");
        let again = say(&shop, api, "/v1/erase", &ana).await;
        assert_eq!((&again["sales"], &again["customers"]), (&json!(0), &json!(0)));

        // The shop itself goes on to name her, in an event, to a fetch and to a sweep.
        shop.act(|shop| shop.enter(order, "completed"));
        shop.push().await;
        assert_eq!(traces(&relay, &shop).await, 0);
        let marks = shop.unnoticed(|shop| shop.enter(order, "cancelled"));
        shop.spool.lock().unwrap().touch(marks[0]);
        shop.push().await;
        shop.fetch().await;
        shop.want_sweep(true).await;
        shop.run_sweep().await;
        shop.fetch().await;
        assert_eq!(traces(&relay, &shop).await, 0);
        assert_eq!(shop.quantity(ring).await, 19, "the cancelled ring is back");

        // She comes back: what she buys from now on is hers.
        buy(&shop, ring).await;
        let held = say(&shop, api, "/v1/person", &ana).await;
        assert_eq!(held["sales"].as_array().unwrap().len(), 1);
        assert_eq!(held["customer"]["email"], ANA);
    }
}

on_both! {
    async fn what_another_shop_brought_is_neither_told_nor_erased(relay: TestRelay) {
        let town = Town::open().await;
        let (first, ..) = shop_of(&relay, &town, "Two shops").await;
        let (second, ..) = shop_of(&relay, &town, "Two shops").await;
        let served = relay.serve().await;
        let api = &served.api;
        let ana = json!({ "email": ANA });
        // The first shop brought her, so that the second sees its own sale only.
        let held = say(&second, api, "/v1/person", &ana).await;
        assert_eq!((&held["customer"], held["sales"].as_array().unwrap().len()), (&Value::Null, 1));
        let erased = say(&second, api, "/v1/erase", &ana).await;
        assert_eq!((&erased["sales"], &erased["customers"]), (&json!(1), &json!(0)));
        assert_eq!(erased["retained"], true);
        let held = say(&first, api, "/v1/person", &ana).await;
        assert_eq!(held["customer"]["email"], ANA);
        assert_eq!(held["sales"][0]["email"], ANA);
        assert_eq!(say(&second, api, "/v1/person", &ana).await["sales"], json!([]));
        // Nobody else knows her now.
        let erased = say(&first, api, "/v1/erase", &ana).await;
        assert_eq!((&erased["customers"], &erased["retained"]), (&json!(1), &json!(false)));
        assert_eq!(traces(&relay, &first).await + traces(&relay, &second).await, 0);
    }
}

on_both! {
    async fn an_order_that_is_still_on_its_way_comes_without_the_person(relay: TestRelay) {
        let town = Town::open().await;
        let (shop, ring, _) = shop_of(&relay, &town, "Aurelia").await;
        let served = relay.serve().await;
        let account = shop.unnoticed(|shop| shop.customer(ANA, "Ana"));
        let (late, marks) = shop.unnoticed(|shop| {
            let (id, marks) = shop.paid_order(&[(ring, 2)]);
            anas(shop, id);
            (id, marks)
        });
        shop.spool.lock().unwrap().capture_all(&mut shop.fake.shop(), &marks);
        let ana = json!({ "email": ANA, "account": account, "orders": [late] });
        say(&shop, &served.api, "/v1/erase", &ana).await;
        shop.push().await;
        shop.want_sweep(true).await;
        shop.run_sweep().await;
        shop.fetch().await;
        assert_eq!(traces(&relay, &shop).await, 0);
        assert_eq!(shop.quantity(ring).await, 16, "its units have left the stock");
        let many = vec![1; 101];
        for person in [json!({ "email": "nobody" }), json!({ "email": ANA, "orders": many })] {
            let body = person.to_string().into_bytes();
            shop.post(&served.api, "/v1/erase", body).await.problem(400);
        }
    }
}
