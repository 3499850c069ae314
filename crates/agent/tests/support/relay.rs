//! A relay that verifies what comes and answers as it is told to.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use nexpura_agent::now_ms;
use nexpura_protocol::{Answer, Batch, ConnectionString, Outcome, Verdict, Verifier, VerifyError};
use secrecy::SecretString;
use tokio::sync::watch;

use super::{ID, SECRET};

/// A push as the relay received it.
#[derive(Debug, Clone)]
pub struct Push {
    pub batch: Batch,
    pub bytes: usize,
    pub message_id: String,
    pub timestamp: i64,
    pub peer: SocketAddr,
    pub at: Instant,
    pub verified: Result<(), VerifyError>,
}

impl Push {
    pub fn ids(&self) -> Vec<String> {
        self.batch.events.iter().map(|event| event.id.clone()).collect()
    }
}

/// What to answer to one push.
pub enum Say {
    /// Every event is applied.
    Applied,
    /// This status with these headers and body.
    Raw(StatusCode, Vec<(&'static str, String)>, String),
    /// Nothing at all, for this long.
    Silence(Duration),
    /// An answer made from the push.
    Computed(Box<dyn Fn(&Batch) -> Answer + Send>),
}

type Rule = Box<dyn Fn(&Push) -> Say + Send>;

struct Shared {
    pushes: Mutex<Vec<Push>>,
    script: Mutex<VecDeque<Say>>,
    /// What is said when the script is at its end.
    rule: Mutex<Rule>,
    /// Seconds by which the relay's clock is ahead of this machine's.
    ahead: AtomicU64,
}

pub struct Relay {
    shared: Arc<Shared>,
    pub port: u16,
    stop: watch::Sender<bool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Relay {
    pub fn start() -> Self {
        Self::start_on(0)
    }

    /// On this port, or on a free one for 0.
    pub fn start_on(port: u16) -> Self {
        let shared = Arc::new(Shared {
            pushes: Mutex::default(),
            script: Mutex::default(),
            rule: Mutex::new(Box::new(|_| Say::Applied)),
            ahead: AtomicU64::new(0),
        });
        let (stop, mut stopped) = watch::channel(false);
        let (ready, port) = {
            let (ready, wait) = std::sync::mpsc::channel();
            let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
            listener.set_nonblocking(true).unwrap();
            let port = listener.local_addr().unwrap().port();
            let state = Arc::clone(&shared);
            let thread = thread::spawn(move || {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async move {
                    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                    let app = Router::new().route("/v1/push", post(receive)).with_state(state);
                    let app = app.layer(axum::extract::DefaultBodyLimit::disable());
                    let serve = axum::serve(
                        listener,
                        app.into_make_service_with_connect_info::<SocketAddr>(),
                    );
                    ready.send(()).unwrap();
                    tokio::select! {
                        done = serve => done.unwrap(),
                        _ = stopped.changed() => {}
                    }
                });
                // Dropping the runtime closes every connection, as a killed relay's would be.
            });
            wait.recv().unwrap();
            (thread, port)
        };
        Self { shared, port, stop, thread: Some(ready) }
    }

    pub fn connection(&self) -> ConnectionString {
        super::connection(self.port)
    }

    /// Answers the next pushes with these, in order; then the rule holds.
    pub fn say(&self, script: impl IntoIterator<Item = Say>) {
        self.shared.script.lock().unwrap().extend(script);
    }

    /// Answers every push outside the script with what `rule` makes of it.
    pub fn always(&self, rule: impl Fn(&Push) -> Say + Send + 'static) {
        *self.shared.rule.lock().unwrap() = Box::new(rule);
    }

    pub fn run_ahead(&self, seconds: u64) {
        self.shared.ahead.store(seconds, Ordering::SeqCst);
    }

    pub fn pushes(&self) -> Vec<Push> {
        self.shared.pushes.lock().unwrap().clone()
    }

    /// Pushes that carried events.
    pub fn loaded(&self) -> Vec<Push> {
        self.pushes().into_iter().filter(|push| !push.batch.events.is_empty()).collect()
    }

    /// The `seq` of every event received, in order of arrival.
    pub fn seqs(&self) -> Vec<u64> {
        self.pushes()
            .iter()
            .flat_map(|push| push.batch.events.iter().map(|event| event.seq))
            .collect()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An answer that applies everything.
pub fn applied(batch: &Batch) -> Answer {
    let result = |id: &String| Outcome { id: id.clone(), status: Verdict::Applied, detail: None };
    Answer {
        results: batch.events.iter().map(|event| result(&event.id)).collect(),
        ack: batch.events.last().map_or(0, |event| event.seq),
        report_in: None,
    }
}

/// A problem as RFC 9457 has it.
pub fn problem(status: StatusCode, kind: &str, detail: &str) -> Say {
    let body = serde_json::json!({
        "type": format!("https://nexpura.example/problems/{kind}"),
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    });
    Say::Raw(status, vec![("content-type", "application/problem+json".into())], body.to_string())
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("nexpura-connection"), Some(ID));
    assert_eq!(header("content-type"), Some("application/json"));
    let now = now_ms() / 1000 + shared.ahead.load(Ordering::SeqCst) as i64;
    let verifier = Verifier::new([&SecretString::from(SECRET)]).unwrap();
    let verified = verifier.verify(
        header("webhook-id"),
        header("webhook-timestamp"),
        header("webhook-signature"),
        &body,
        now,
    );
    let push = Push {
        batch: serde_json::from_slice(&body).expect("a push that the protocol can read"),
        bytes: body.len(),
        message_id: header("webhook-id").unwrap_or_default().to_owned(),
        timestamp: header("webhook-timestamp").unwrap_or_default().parse().unwrap_or(0),
        peer,
        at: Instant::now(),
        verified,
    };
    shared.pushes.lock().unwrap().push(push.clone());
    let said = match push.verified {
        Err(VerifyError::Stale(_)) => {
            let date = chrono::DateTime::from_timestamp(now, 0).unwrap();
            let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            match problem(StatusCode::UNAUTHORIZED, "stale-timestamp", "the timestamp is off") {
                Say::Raw(status, mut headers, body) => {
                    headers.push(("date", date));
                    Say::Raw(status, headers, body)
                }
                other => other,
            }
        }
        Err(_) => problem(StatusCode::UNAUTHORIZED, "unauthorized", "unknown connection"),
        Ok(()) => {
            let scripted = shared.script.lock().unwrap().pop_front();
            scripted.unwrap_or_else(|| (shared.rule.lock().unwrap())(&push))
        }
    };
    let answer = match said {
        Say::Applied => applied(&push.batch),
        Say::Computed(make) => make(&push.batch),
        Say::Silence(pause) => {
            tokio::time::sleep(pause).await;
            return StatusCode::NO_CONTENT.into_response();
        }
        Say::Raw(status, extra, body) => {
            let mut response = (status, body).into_response();
            for (name, value) in extra {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            return response;
        }
    };
    axum::Json(answer).into_response()
}
