//! A relay in this process, on a database of its own, with its real router and its real workers.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusBuilder;
use nexpura_relay::{
    channel::Pace,
    config::Config,
    http::{self, App, Limits},
    panel::{self, Panel},
    service::Relay,
    worker,
};
use secrecy::SecretString;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{
    api::Api,
    database::{self, Backend, Database},
};

/// 32 bytes in base64.
pub(crate) const MASTER_KEY: &str = "bmV4cHVyYSB0ZXN0IG1hc3RlciBrZXksIDMyIGJ5dGU=";

/// A relay without server and workers; tests start what they need.
pub(crate) struct TestRelay {
    pub(crate) relay: Relay,
    pub(crate) database: Database,
}

impl TestRelay {
    /// A relay that settles at once and may call this machine.
    pub(crate) async fn new(backend: Backend) -> Self {
        let database = Database::create(backend).await;
        let mut relay = Relay::open(config(&database.url)).await.unwrap();
        relay.db.migrate().await.unwrap();
        relay.pace = Arc::new(Pace::spaced_by(Duration::ZERO));
        Self { relay, database }
    }

    /// The same relay with other settings.
    pub(crate) fn set(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = (*self.relay.config).clone();
        change(&mut config);
        self.relay.config = Arc::new(config);
    }

    /// Another relay process on the same database.
    pub(crate) async fn sibling(&self) -> Relay {
        let mut relay = Relay::open((*self.relay.config).clone()).await.unwrap();
        relay.pace = Arc::new(Pace::spaced_by(Duration::ZERO));
        relay
    }

    /// The real router on a port of this machine.
    pub(crate) async fn serve(&self) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = App {
            relay: self.relay.clone(),
            limits: Limits::of_the_api(),
            screens: Limits::of_screens(),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
        };
        let panel = Panel::new(self.relay.clone()).unwrap();
        let served = http::router(app, panel::router(panel.clone()));
        let service =
            panel::for_people(served, panel).into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move {
            axum::serve(listener, service).await.unwrap();
        });
        Served { api: Api::new(address), server }
    }

    /// The real workers.
    pub(crate) fn work(&self) -> Working {
        Working::begin(self.relay.clone())
    }

    pub(crate) async fn run(&self, sql: &str) -> u64 {
        database::run(&self.relay.db, sql).await
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        database::number(&self.relay.db, sql).await
    }

    pub(crate) async fn numbers(&self, sql: &str) -> Vec<Vec<i64>> {
        database::numbers(&self.relay.db, sql).await
    }

    pub(crate) async fn texts(&self, sql: &str) -> Vec<Vec<String>> {
        database::texts(&self.relay.db, sql).await
    }
}

/// What `nexpura-relay serve` would have been given.
pub(crate) fn config(database_url: &str) -> Config {
    Config {
        database_url: database_url.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        public_url: Some("https://relay.example".parse().unwrap()),
        master_key: Some(SecretString::from(MASTER_KEY)),
        allow_private_stores: vec!["127.0.0.0/8".parse().unwrap()],
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        settle_seconds: 0,
        sweep_seconds: 300,
        json: false,
    }
}

/// A relay's router, served.
pub(crate) struct Served {
    pub(crate) api: Api,
    server: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Workers that run until they are told to stop, or dropped.
pub(crate) struct Working {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Working {
    pub(crate) fn begin(relay: Relay) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self { stop, task: tokio::spawn(worker::run(relay, stopped)) }
    }

    /// Lets them end what they have in hand.
    pub(crate) async fn stop(mut self) {
        let _ = self.stop.send(true);
        (&mut self.task).await.unwrap();
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.task.abort();
    }
}
