//! Shops on a port of this machine, answering what the relay asks as WooCommerce does.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
};
use chrono::{TimeDelta, Utc};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    Shop,
    rest::{json_with, plain, refusal, with},
};

/// The key that these shops accept.
pub(crate) const CONSUMER_KEY: &str = "ck_0123456789abcdef0123456789abcdef01234567";
/// Its secret.
pub(crate) const CONSUMER_SECRET: &str = "cs_fedcba9876543210fedcba9876543210fedcba98";

/// How a shop answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Behaviour {
    /// As WooCommerce does.
    #[default]
    Honest,
    /// Everything with this status.
    Status(u16),
    /// 429, wanting to be left alone for so many seconds.
    LeaveMeAlone(u64),
    /// A page for people.
    Page,
    /// On to another address.
    Redirect(String),
    /// As another shop.
    Calling(String),
}

/// One request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// When it came in.
    pub(crate) at: Instant,
    /// Below `wp-json/`.
    pub(crate) route: String,
    pub(crate) query: HashMap<String, String>,
    /// What was sent; null for a reading.
    pub(crate) body: Value,
}

/// All shops of a town, by name.
type Shops = Arc<Mutex<BTreeMap<String, Arc<Premises>>>>;
type Doing = Pin<Box<dyn Future<Output = ()> + Send>>;
type Interruption = Box<dyn FnOnce() -> Doing + Send>;

/// What one shop is and does.
#[derive(Default)]
struct Premises {
    shop: Mutex<Shop>,
    behaviour: Mutex<Behaviour>,
    /// Answers that are given to one route, whatever the shop holds.
    special: Mutex<HashMap<String, (u16, Value)>>,
    asked: Mutex<Vec<Asked>>,
    /// By how much its clock is slow.
    behind: Mutex<TimeDelta>,
    /// What happens between the reading and the answer of the next request to a route that begins so.
    interruptions: Mutex<Vec<(String, Interruption)>>,
}

/// A port with any number of shops, each in a directory of its own.
#[derive(Clone)]
pub(crate) struct Town {
    address: SocketAddr,
    shops: Shops,
    made: Arc<AtomicU64>,
    server: Arc<Stopped>,
}

struct Stopped(JoinHandle<()>);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One shop there.
#[derive(Clone)]
pub(crate) struct FakeShop {
    pub(crate) home: String,
    premises: Arc<Premises>,
    _server: Arc<Stopped>,
}

impl Town {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shops = Shops::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shops));
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { address, shops, made: Arc::default(), server: Arc::new(Stopped(server)) }
    }

    pub(crate) fn shop(&self, shop: Shop) -> FakeShop {
        let name = format!("shop{}", self.made.fetch_add(1, Ordering::Relaxed));
        let premises = Arc::new(Premises { shop: Mutex::new(shop), ..Premises::default() });
        self.shops.lock().unwrap().insert(name.clone(), Arc::clone(&premises));
        let server = Arc::clone(&self.server);
        FakeShop { home: format!("http://{}/{name}", self.address), premises, _server: server }
    }

    pub(crate) fn close(&self, shop: &FakeShop) {
        let name = shop.home.rsplit('/').next().unwrap_or_default();
        self.shops.lock().unwrap().remove(name);
    }
}

impl FakeShop {
    pub(crate) fn shop(&self) -> MutexGuard<'_, Shop> {
        self.premises.shop.lock().unwrap()
    }

    pub(crate) fn rest_url(&self) -> String {
        format!("{}/wp-json/", self.home)
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.premises.behaviour.lock().unwrap() = behaviour;
    }

    /// Gives this answer to one route, or the shop's own again.
    pub(crate) fn answer_with(&self, route: &str, answer: Option<(u16, Value)>) {
        let mut special = self.premises.special.lock().unwrap();
        match answer {
            Some(answer) => drop(special.insert(route.to_owned(), answer)),
            None => drop(special.remove(route)),
        }
    }

    /// From now on this order cannot be read by anybody who asks for it.
    pub(crate) fn damage_order(&self, order: u64) {
        self.shop().damaged.insert(order);
    }

    /// Every order can be read again.
    pub(crate) fn repair(&self) {
        self.shop().damaged.clear();
    }

    /// From now on its clock is slow by so much.
    pub(crate) fn clock_behind(&self, behind: TimeDelta) {
        *self.premises.behind.lock().unwrap() = behind;
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.premises.asked.lock().unwrap().clone()
    }

    /// How many requests there were so far to this very route.
    pub(crate) fn times_asked(&self, route: &str) -> usize {
        self.asked().iter().filter(|asked| asked.route == route).count()
    }

    /// Does something once, after the next answer to a route that begins so has been read and before it
    /// is given.
    pub(crate) fn interrupt<F: Future<Output = ()> + Send + 'static>(
        &self,
        route: &str,
        doing: impl FnOnce() -> F + Send + 'static,
    ) {
        let interruption: Interruption = Box::new(move || Box::pin(doing()));
        self.premises.interruptions.lock().unwrap().push((route.to_owned(), interruption));
    }

    pub(crate) fn interruptions_left(&self) -> usize {
        self.premises.interruptions.lock().unwrap().len()
    }

    /// Forgets what was to happen during requests that never came.
    pub(crate) fn calm(&self) {
        self.premises.interruptions.lock().unwrap().clear();
    }
}

async fn answer(State(shops): State<Shops>, request: Request) -> Response {
    let at = Instant::now();
    let path = request.uri().path().to_owned();
    let Some((name, rest)) = path.trim_start_matches('/').split_once('/') else {
        return plain(404, "nothing here");
    };
    let Some(premises) = shops.lock().unwrap().get(name).cloned() else {
        return plain(404, "no such shop");
    };
    let query = request.uri().query().unwrap_or_default();
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let host = request.headers().get("host").and_then(|host| host.to_str().ok());
    let home = format!("http://{}/{name}", host.unwrap_or_default());
    let route = rest.trim_start_matches("wp-json/").to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1024 * 1024).await.unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let asked = Asked { at, route, query, body };
    premises.asked.lock().unwrap().push(asked.clone());
    let date = Utc::now() - *premises.behind.lock().unwrap();
    let response = premises.answer(&asked, &home);
    let response = with(response, "date", &date.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    let interruption = {
        let mut waiting = premises.interruptions.lock().unwrap();
        let at = waiting.iter().position(|(route, _)| asked.route.starts_with(route.as_str()));
        at.map(|at| waiting.remove(at).1)
    };
    if let Some(interruption) = interruption {
        interruption().await;
    }
    response
}

impl Premises {
    fn answer(&self, asked: &Asked, home: &str) -> Response {
        let behaviour = self.behaviour.lock().unwrap().clone();
        let home = match behaviour {
            Behaviour::Honest => home.to_owned(),
            Behaviour::Calling(other) => other,
            Behaviour::Status(status) => return refusal(status, "nexpura_test"),
            Behaviour::Page => return plain(200, "<html><body>Soon</body></html>"),
            Behaviour::LeaveMeAlone(seconds) => {
                return with(refusal(429, "too_many"), "retry-after", &seconds.to_string());
            }
            Behaviour::Redirect(to) => return with(plain(301, ""), "location", &to),
        };
        if asked.query.get("oauth_consumer_key").map(String::as_str) != Some(CONSUMER_KEY) {
            return refusal(401, "woocommerce_rest_authentication_error");
        }
        if let Some((status, body)) = self.special.lock().unwrap().get(&asked.route) {
            return json_with(*status, body);
        }
        self.shop.lock().unwrap().rest(asked, &home)
    }
}
