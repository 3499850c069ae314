//! A store in this process that answers what a test wants and remembers what it was asked.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use uuid::Uuid;

use crate::channel::{
    Outbound, Pace,
    outbound::{Deadlines, SystemResolver},
    pace::{Lane, Paced},
    woocommerce::{Client, Credentials, StoreUrl},
};

pub(super) const KEY: &str = "ck_0123456789abcdef0123456789abcdef01234567";
pub(super) const SECRET: &str = "cs_fedcba9876543210fedcba9876543210fedcba98";

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) query: HashMap<String, String>,
    pub(super) headers: axum::http::HeaderMap,
}

type Answerer = dyn Fn(&Asked) -> Response + Send + Sync;

struct Inner {
    answer: Box<Answerer>,
    asked: Mutex<Vec<Asked>>,
}

pub(super) struct Store {
    pub(super) port: u16,
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

impl Store {
    /// A store on a free port that answers every request with `answer`.
    pub(super) async fn answering(
        answer: impl Fn(&Asked) -> Response + Send + Sync + 'static,
    ) -> Self {
        let inner = Arc::new(Inner { answer: Box::new(answer), asked: Mutex::default() });
        let router = Router::new().fallback(handle).with_state(Arc::clone(&inner));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { port, inner, server }
    }

    /// A store with one answer for everything.
    pub(super) async fn saying(status: u16, body: &'static str) -> Self {
        Self::answering(move |_| reply(status, &[], body)).await
    }

    /// A client with more time than any test needs.
    pub(super) fn client(&self) -> Client {
        client(self.url(""), Duration::from_secs(30))
    }

    /// This store's address, in a sub-directory of its host.
    pub(super) fn url(&self, directory: &str) -> StoreUrl {
        StoreUrl::parse(&format!("http://127.0.0.1:{}/{directory}", self.port), true).unwrap()
    }

    /// Everything that was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().unwrap().clone()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn handle(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let asked = Asked {
        path: request.uri().path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: request.headers().clone(),
    };
    inner.asked.lock().unwrap().push(asked.clone());
    (inner.answer)(&asked)
}

/// A client that gives each answer so much time.
pub(super) fn client(store: StoreUrl, total: Duration) -> Client {
    let deadlines = Deadlines { connect: Duration::from_secs(10), total };
    let allow = ["127.0.0.0/8".parse().unwrap()];
    let outbound = Outbound::with(&allow, deadlines, Arc::new(SystemResolver)).unwrap();
    let credentials = Credentials::parse(KEY, SECRET).unwrap();
    let lane = Lane::Store { tenant: Uuid::nil(), store: Uuid::new_v4() };
    let pace = Paced::new(&Arc::new(Pace::new()), lane);
    Client::new(Arc::new(outbound), pace, store, credentials)
}

pub(super) fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let mut response = body.to_owned().into_response();
    *response.status_mut() = status.try_into().unwrap();
    let at = response.headers_mut();
    at.insert("content-type", "application/json; charset=UTF-8".parse().unwrap());
    for (name, value) in headers {
        at.insert(axum::http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    response
}

pub(super) fn json(value: &Value) -> Response {
    reply(200, &[], &value.to_string())
}

/// One page of a listing as WooCommerce sends it.
pub(super) fn page(items: &Value, total: u64, pages: u64) -> Response {
    let (total, pages) = (total.to_string(), pages.to_string());
    reply(200, &[("x-wp-total", &total), ("x-wp-totalpages", &pages)], &items.to_string())
}
