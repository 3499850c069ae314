//! A shop that is connected to a relay: registered past the network, so that a test can begin there.

use std::sync::{Arc, Mutex};

use chrono::{TimeDelta, Utc};
use nexpura_protocol::{Answer, Batch, Event, Verdict, signature::encode_secret};
use nexpura_relay::{
    service::{
        Relay,
        credential::{ConnectionId, Token, random},
        fetch,
        ingest::{self, IngestError, Pusher},
        sweep,
        vault::Place,
    },
    store::{self, connections, integrations, runs, tenants, tokens},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use uuid::Uuid;

use super::{
    api::{Api, Reply, Signed},
    database,
};
use crate::shop::{
    Mark, Shop,
    server::{CONSUMER_KEY, CONSUMER_SECRET, FakeShop, Town},
    spool::Spool,
};

/// A tenant with one connected shop.
#[derive(Clone)]
pub(crate) struct Connected {
    pub(crate) relay: Relay,
    pub(crate) fake: FakeShop,
    pub(crate) spool: Arc<Mutex<Spool>>,
    pub(crate) tenant: Uuid,
    pub(crate) connection: Uuid,
    pub(crate) integration: Uuid,
    pub(crate) secret: SecretString,
    pub(crate) token: String,
}

impl Connected {
    /// A new tenant with a connected shop.
    pub(crate) async fn new(relay: &Relay, town: &Town, shop: Shop) -> Self {
        let tenant = format!("Jeweller {}", Uuid::new_v4());
        Self::of(relay, town, shop, &tenant).await
    }

    /// A connected shop of this tenant.
    pub(crate) async fn of(relay: &Relay, town: &Town, shop: Shop, tenant: &str) -> Self {
        let now = store::now();
        let mode = if shop.bare { "sweep" } else { "extension" };
        let fake = town.shop(shop);
        let secret = encode_secret(&random::<32>().unwrap());
        let (connection, integration) = (Uuid::new_v4(), store::new_id());
        let mut tx = relay.db.write().await.unwrap();
        let tenant = tenants::ensure(&mut tx, tenant, now).await.unwrap();
        let seal = |table, row, field, secret: &str| {
            relay.vault.seal(Place { tenant, table, row, field }, secret).unwrap()
        };
        let registration = integrations::Registration {
            store_id: &Uuid::new_v4().to_string(),
            store_url: &fake.home,
            rest_root: &fake.rest_url(),
            mode,
            config: &json!({}),
            consumer_key: &seal("integrations", integration, "consumer_key", CONSUMER_KEY),
            consumer_secret: &seal("integrations", integration, "consumer_secret", CONSUMER_SECRET),
        };
        integrations::insert(&mut tx, tenant, integration, &registration, now).await.unwrap();
        let sealed = seal("connections", connection, "secret", secret.expose_secret());
        connections::insert(&mut tx, tenant, connection, None, &sealed, now).await.unwrap();
        connections::bind(&mut tx, tenant, connection, integration, now).await.unwrap();
        let token = Token::create(tenant).unwrap();
        tokens::insert(&mut tx, tenant, &token.hash(), "test", now).await.unwrap();
        tx.commit().await.unwrap();
        Self {
            relay: relay.clone(),
            fake,
            spool: Arc::default(),
            tenant,
            connection,
            integration,
            secret,
            token: token.expose().to_owned(),
        }
    }

    pub(crate) fn connection_id(&self) -> String {
        ConnectionId { tenant: self.tenant, id: self.connection }.to_string()
    }

    fn pusher(&self) -> Pusher {
        Pusher { tenant: self.tenant, connection: self.connection, integration: self.integration }
    }

    /// One whole request in the shop: it touches things and captures them at its end.
    pub(crate) fn request<T>(&self, act: impl FnOnce(&mut Shop) -> (T, Vec<Mark>)) -> T {
        let mut shop = self.fake.shop();
        let (made, marks) = act(&mut shop);
        self.spool.lock().unwrap().capture_all(&mut shop, &marks);
        made
    }

    /// The same, where nothing comes out of it.
    pub(crate) fn act(&self, act: impl FnOnce(&mut Shop) -> Vec<Mark>) {
        self.request(|shop| ((), act(shop)));
    }

    /// Something that happens without any hook noticing.
    pub(crate) fn unnoticed<T>(&self, act: impl FnOnce(&mut Shop) -> T) -> T {
        act(&mut self.fake.shop())
    }

    /// Pushes these bytes past HTTP.
    pub(crate) async fn push_raw(&self, body: &[u8]) -> Result<Answer, IngestError> {
        ingest::push(&self.relay, self.pusher(), body, store::now()).await
    }

    pub(crate) async fn push_batch(&self, batch: &Batch) -> Answer {
        self.push_raw(&serde_json::to_vec(batch).unwrap()).await.unwrap()
    }

    /// Pushes these events, saying truly what is still to come.
    pub(crate) async fn push_events(&self, events: Vec<Event>) -> Vec<Verdict> {
        let batch = self.spool.lock().unwrap().batch(events);
        let answer = self.push_batch(&batch).await;
        answer.results.into_iter().map(|outcome| outcome.status).collect()
    }

    /// Pushes all that is unsent, a full push at a time; with nothing unsent a heartbeat.
    pub(crate) async fn push(&self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        loop {
            let events = {
                let mut spool = self.spool.lock().unwrap();
                let some = spool.unsent.len().min(nexpura_protocol::batch::MAX_EVENTS);
                spool.unsent.drain(..some).collect()
            };
            verdicts.extend(self.push_events(events).await);
            if self.spool.lock().unwrap().unsent.is_empty() {
                return verdicts;
            }
        }
    }

    /// Pushes these bytes over HTTP, signed as the sender signs them.
    pub(crate) async fn post(&self, api: &Api, path: &str, body: Vec<u8>) -> Reply {
        let signed = Signed::new(&self.connection_id(), &self.secret, &body);
        api.post_signed(path, &signed, body).await
    }

    /// Fetches until nothing is due now.
    pub(crate) async fn fetch(&self) {
        while fetch::fetch_due(&self.relay, self.tenant, self.integration).await.unwrap() > 0 {}
    }

    /// Asks for a sweep at once, of everything or of what is new.
    pub(crate) async fn want_sweep(&self, everything: bool) {
        let mut tx = self.relay.db.write().await.unwrap();
        let cursor = json!({ "everything": everything });
        let long_ago = store::now() - TimeDelta::seconds(1);
        runs::ask(&mut tx, self.tenant, self.integration, "sweep", &cursor, everything, long_ago)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Runs the sweep that was asked for, until it pauses or ends.
    pub(crate) async fn run_sweep(&self) -> bool {
        sweep::sweep_due(&self.relay, self.tenant, self.integration).await.unwrap()
    }

    /// Sweeps, fetches and reports as the workers and the sender do, until every stock is read.
    pub(crate) async fn open(&self) {
        self.want_sweep(true).await;
        for _ in 0..8 {
            self.run_sweep().await;
            self.push().await;
            self.fetch().await;
            if self.opening().await == 0 {
                return;
            }
            self.want_sweep(false).await;
        }
        panic!("stocks do not come to rest: {:?}", self.listings().await);
    }

    /// How many listings wait for their settled reading.
    pub(crate) async fn opening(&self) -> i64 {
        let sql = "SELECT COUNT(*) FROM listings WHERE state = 'opening' AND";
        database::number(&self.relay.db, &format!("{sql} {}", self.mine())).await
    }

    /// How many stocks a reading has to say something of that nothing else can tell.
    pub(crate) async fn unsure(&self) -> i64 {
        let sql = "SELECT COUNT(*) FROM listings WHERE unsure_at IS NOT NULL AND";
        database::number(&self.relay.db, &format!("{sql} {}", self.mine())).await
    }

    /// Stock owner, state, mirror and quantity of each listing; quantities in thousandths.
    pub(crate) async fn listings(&self) -> Vec<(i64, String, i64, i64)> {
        let sql = format!(
            "SELECT CAST(stock_id AS TEXT), state, CAST(mirror AS TEXT),
                CAST((SELECT quantity FROM inventory i WHERE i.tenant_id = listings.tenant_id
                    AND i.id = listings.inventory_id) AS TEXT)
             FROM listings WHERE {} ORDER BY stock_id",
            self.mine()
        );
        let number = |text: &str| text.parse().unwrap_or(database::NONE);
        let rows = database::texts(&self.relay.db, &sql).await;
        rows.iter()
            .map(|row| (number(&row[0]), row[1].clone(), number(&row[2]), number(&row[3])))
            .collect()
    }

    /// State, mirror and quantity of one listing, in units.
    pub(crate) async fn listing(&self, stock: u64) -> (String, Option<i64>, Option<i64>) {
        let stock = i64::try_from(stock).unwrap();
        let listings = self.listings().await;
        let (_, state, mirror, quantity) =
            listings.into_iter().find(|(id, ..)| *id == stock).expect("the listing");
        let units =
            |thousandths: i64| (thousandths != database::NONE).then_some(thousandths / 1000);
        (state, units(mirror), units(quantity))
    }

    /// Units in the ledger of what one stock owner sells.
    pub(crate) async fn quantity(&self, stock: u64) -> i64 {
        self.listing(stock).await.2.expect("a piece")
    }

    /// The condition that picks this shop's rows.
    pub(crate) fn mine(&self) -> String {
        let key = |id| database::key(&self.relay.db, id);
        format!("tenant_id = {} AND integration_id = {}", key(self.tenant), key(self.integration))
    }

    /// The condition that picks this tenant's rows.
    pub(crate) fn of_tenant(&self) -> String {
        format!("tenant_id = {}", database::key(&self.relay.db, self.tenant))
    }

    /// Lets the relay believe that everything arrived a while ago, so that a sweep need not ask again.
    pub(crate) async fn let_time_pass(&self) {
        let ago = database::moment(&self.relay.db, Utc::now() - TimeDelta::minutes(1));
        let sql = format!(
            "UPDATE resources SET arrived_at = {ago} WHERE {} AND arrived > 0",
            self.mine()
        );
        database::run(&self.relay.db, &sql).await;
    }

    /// Makes due at once whatever waits for its next try.
    pub(crate) async fn make_due(&self) -> u64 {
        let ago = database::moment(&self.relay.db, Utc::now() - TimeDelta::seconds(1));
        let sql = format!(
            "UPDATE resources SET fetch_at = {ago} WHERE {} AND fetch_at IS NOT NULL",
            self.mine()
        );
        database::run(&self.relay.db, &sql).await
    }
}
