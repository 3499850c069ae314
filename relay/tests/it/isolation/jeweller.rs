//! Jewellers who differ in nothing but a word: the same SKUs, customers, order ids, even event ids.

use nexpura_protocol::Event;
use nexpura_relay::store::{drifts, listings};
use serde_json::json;
use uuid::Uuid;

use crate::{
    shop::{Shop, server::Town},
    support::{connected::Connected, database, relay::TestRelay},
};

/// One jeweller of two, and what only their rows hold.
pub(crate) struct Jeweller {
    pub(crate) shop: Connected,
    /// A word that only their rows hold.
    pub(super) mark: String,
    /// The event of an order, with an id that the other's has too.
    pub(super) event: Event,
    /// The id of an event that nobody else has.
    pub(crate) own_event: String,
    pub(crate) sale: String,
    /// A drift that waits for a decision.
    pub(crate) drift: String,
    /// A listing that waits for somebody to say whose count holds.
    pub(crate) link: String,
    /// A sweep that has ended.
    pub(crate) run: String,
}

/// A jeweller whose shop has the same ids, SKUs and e-mails as the other's.
pub(crate) async fn jeweller(
    relay: &TestRelay,
    town: &Town,
    shop: &Shop,
    mark: &str,
    event: &str,
) -> Jeweller {
    let mut shop = shop.clone();
    shop.products.values_mut().for_each(|product| product.name = format!("{mark} ring"));
    shop.customers.values_mut().for_each(|customer| customer.first_name = mark.to_owned());
    let shop = Connected::new(&relay.relay, town, shop).await;
    shop.open().await;
    let ring = *shop.fake.shop().products.keys().next().unwrap();
    shop.request(|shop| shop.paid_order(&[(ring, 2)]));
    let mut events = shop.spool.lock().unwrap().take();
    let own_event = events.iter().rfind(|event| event.topic.to_string().starts_with("product"));
    let own_event = own_event.unwrap().clone();
    shop.push_events(vec![own_event.clone()]).await;
    let order =
        events.iter_mut().rfind(|event| event.topic.to_string().starts_with("order")).unwrap();
    // Even the event's id is the same in both shops; only its words differ.
    order.id = event.to_owned();
    order.payload.as_mut().unwrap()["number"] = json!(mark);
    order.payload.as_mut().unwrap()["line_items"][0]["name"] = json!(mark);
    let event = order.clone();
    let verdicts = shop.push_events(vec![event.clone()]).await;
    assert_eq!(verdicts, [nexpura_protocol::Verdict::Applied]);
    let key = database::key(&relay.relay.db, shop.tenant);
    let sale = format!("SELECT {} FROM sales WHERE tenant_id = {key}", text_of_key(relay));
    let sale = relay.texts(&sale).await[0][0].clone();
    let drift = hold_a_drift(relay, &shop).await;
    let links =
        [wait_for_a_choice(relay, &shop, 1).await, wait_for_a_choice(relay, &shop, 2).await];
    let link = links[0].to_string();
    let conflict = format!(
        "INSERT INTO conflicts (tenant_id, id, kind, sale_id, quantity, created_at)
         SELECT tenant_id, id, 'oversale', id, -1000, created_at FROM sales WHERE tenant_id = {key}"
    );
    relay.run(&conflict).await;
    let run = format!("SELECT {} FROM sync_runs WHERE tenant_id = {key}", text_of_key(relay));
    let run = relay.texts(&run).await[0][0].clone();
    // Nothing is under way that watching it would wait for.
    let ended = "UPDATE sync_runs SET finished_at = created_at WHERE tenant_id =";
    relay.run(&format!("{ended} {key}")).await;
    Jeweller { shop, mark: mark.to_owned(), event, own_event: own_event.id, sale, drift, link, run }
}

/// One unit that somebody has put into the shop's stock, held for a person.
async fn hold_a_drift(relay: &TestRelay, shop: &Connected) -> String {
    let mut tx = relay.relay.db.write().await.unwrap();
    let now = nexpura_relay::store::now();
    let ring = i64::try_from(*shop.fake.shop().products.keys().next().unwrap()).unwrap();
    let (tenant, store) = (shop.tenant, shop.integration);
    let listing = listings::lock(&mut tx, tenant, store, ring).await.unwrap().unwrap();
    let (mirror, listing_changes) = (listing.mirror.unwrap(), listing.changes);
    let seen = drifts::Seen { mirror, reading: mirror + 1_000, listing_changes };
    drifts::hold(&mut tx, tenant, store, listing.id, seen, now).await.unwrap();
    tx.commit().await.unwrap();
    let key = database::key(&relay.relay.db, tenant);
    let drift = format!("SELECT {} FROM drifts WHERE tenant_id = {key}", text_of_key(relay));
    relay.texts(&drift).await[0][0].clone()
}

/// One more piece that the ledger has, and a product of the shop with its SKU.
pub(crate) async fn wait_for_a_choice(relay: &TestRelay, shop: &Connected, number: u32) -> Uuid {
    let db = &relay.relay.db;
    let (piece, listing) = (Uuid::new_v4(), Uuid::new_v4());
    let (sku, stock) = (format!("LINK-{number}"), 9_000 + number);
    let (piece, key) = (database::key(db, piece), database::key(db, listing));
    let of_ring = format!("FROM inventory WHERE {} AND sku = 'RING'", shop.of_tenant());
    let inventory = format!(
        "INSERT INTO inventory (tenant_id, id, sku, name, quantity, counted, backorders, details,
            created_at, updated_at)
         SELECT tenant_id, {piece}, '{sku}', name, 0, counted, backorders, details, created_at,
            updated_at {of_ring}"
    );
    let product = format!(
        "INSERT INTO products (tenant_id, integration_id, remote_id, stock_id, kind, sku, name, status,
            gone, updated_at)
         SELECT tenant_id, {}, {stock}, {stock}, 'simple', '{sku}', name, 'publish', FALSE, updated_at
         {of_ring}",
        database::key(db, shop.integration)
    );
    let listing_row = format!(
        "INSERT INTO listings (tenant_id, id, integration_id, stock_id, state, backorders, changes,
            created_at, updated_at)
         SELECT tenant_id, {key}, {}, {stock}, 'waiting', backorders, 0, created_at, updated_at {of_ring}",
        database::key(db, shop.integration)
    );
    for statement in [inventory, product, listing_row] {
        assert_eq!(relay.run(&statement).await, 1, "{statement}");
    }
    listing
}

fn text_of_key(relay: &TestRelay) -> &'static str {
    match relay.relay.db {
        nexpura_relay::store::Db::Sqlite { .. } => "lower(hex(id))",
        nexpura_relay::store::Db::Postgres(_) => "id::text",
    }
}
