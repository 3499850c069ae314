//! One push over the wire, and what its answer means.

use std::{cell::OnceCell, time::Duration};

use nexpura_protocol::{
    Answer, ConnectionString, Signer,
    signature::{HEADER_CONNECTION, HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP},
};
use reqwest::{Client, Response, StatusCode, header, redirect::Policy};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::clock::http_date;

/// The most that is read of an answer: 1 MiB, many times what a hundred results need.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Where `type` of a problem points when only the timestamp was wrong.
const STALE_TIMESTAMP: &str = "/stale-timestamp";

/// How long the parts of a push may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Until connected, TLS included.
    pub connect: Duration,
    /// For all of it.
    pub total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(30) }
    }
}

/// What the relay made of a push.
#[derive(Debug)]
pub enum Reply {
    /// 200 with an answer in the right form.
    Answered(Answer),
    /// The push itself is refused (400, 413, 422): the same again would be, too.
    Refused(String),
    /// The signature is right and the timestamp is not; the relay's `Date` header, if it sent one.
    Stale(Option<String>),
    /// No answer in time; everything is kept and tried again.
    Slow(String),
    /// Anything else: everything is kept and tried again, after what `Retry-After` asked for.
    Failed {
        /// What the shop's admin should know and do.
        message: String,
        /// Seconds the relay asked for.
        retry_after: Option<Duration>,
    },
}

/// Clients that keep their connection to the relay open between pushes.
#[derive(Debug)]
pub struct Courier {
    deadlines: Deadlines,
    /// For a relay on this machine: it asks for no certificates, which are large and may be missing.
    plain: OnceCell<Client>,
    secure: OnceCell<Client>,
}

#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

impl Courier {
    /// Clients with these deadlines, made when they are first needed. They follow no redirect and ask no
    /// proxy.
    #[must_use]
    pub fn new(deadlines: Deadlines) -> Self {
        Self { deadlines, plain: OnceCell::new(), secure: OnceCell::new() }
    }

    fn client(&self, relay: &Url) -> Result<&Client, reqwest::Error> {
        let secure = relay.scheme() == "https";
        let kept = if secure { &self.secure } else { &self.plain };
        if let Some(client) = kept.get() {
            return Ok(client);
        }
        // The only provider of cryptography in this library; a second installation is refused, and that
        // is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(self.deadlines.connect)
            .timeout(self.deadlines.total)
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(Duration::from_secs(90))
            .tcp_nodelay(true)
            .user_agent(concat!("nexpura-agent/", env!("CARGO_PKG_VERSION")));
        if !secure {
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build()?;
        Ok(kept.get_or_init(|| client))
    }

    /// Signs `body` for this attempt, sends it to the relay and reads the answer.
    pub async fn push(
        &self,
        connection: &ConnectionString,
        body: Vec<u8>,
        timestamp: i64,
        now_ms: i64,
    ) -> Reply {
        let failed = |message: String| Reply::Failed { message, retry_after: None };
        let signer = match Signer::new([connection.secret()]) {
            Ok(signer) => signer,
            Err(error) => return failed(error.to_string()),
        };
        let client = match self.client(connection.relay()) {
            Ok(client) => client,
            Err(error) => {
                return failed(format!(
                    "this server's list of certificates cannot be read ({}): install the package ca-certificates",
                    root_cause(&error)
                ));
            }
        };
        // A new id each time: the signature is over the attempt, the events carry their own identity.
        let signed = signer.sign(&format!("msg_{}", Uuid::new_v4().simple()), timestamp, &body);
        let sent = client
            .post(connection.endpoint("v1/push"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(HEADER_ID, signed.id)
            .header(HEADER_TIMESTAMP, signed.timestamp)
            .header(HEADER_SIGNATURE, signed.signature)
            .header(HEADER_CONNECTION, connection.id())
            .body(body)
            .send()
            .await;
        match sent {
            Ok(response) => read(response, connection, now_ms).await,
            Err(error) => unreachable(connection, &error, None),
        }
    }
}

async fn read(mut response: Response, connection: &ConnectionString, now_ms: i64) -> Reply {
    let status = response.status();
    let text = |name| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let date = text(header::DATE);
    let retry_after = text(header::RETRY_AFTER).and_then(|value| wait_asked(&value, now_ms));
    let relay = connection.relay();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER_BYTES => {
                body.extend_from_slice(&chunk);
            }
            Ok(None) => break,
            Ok(Some(_)) => {
                let message = format!(
                    "what answers at {relay} is not a Nexpura relay: its answer is too long"
                );
                return Reply::Failed { message, retry_after };
            }
            Err(error) => return unreachable(connection, &error, retry_after),
        }
    }
    if status == StatusCode::OK {
        return match serde_json::from_slice(&body) {
            Ok(answer) => Reply::Answered(answer),
            Err(_) => Reply::Failed {
                message: format!(
                    "what answers at {relay} is not a Nexpura relay: check the address in the connection string"
                ),
                retry_after,
            },
        };
    }
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    if status == StatusCode::UNAUTHORIZED && problem.kind.ends_with(STALE_TIMESTAMP) {
        return Reply::Stale(date);
    }
    let said = match (problem.title.is_empty(), problem.detail.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!(" ({})", shortened(&problem.title)),
        (_, false) => format!(" ({})", shortened(&problem.detail)),
    };
    match status {
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNPROCESSABLE_ENTITY => {
            Reply::Refused(format!("the relay refuses what was sent with {status}{said}"))
        }
        _ => Reply::Failed { message: explain(status, relay.as_str(), &said), retry_after },
    }
}

/// What an unexpected status means for the person who runs the shop.
fn explain(status: StatusCode, relay: &str, said: &str) -> String {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => format!(
            "the relay does not accept this connection{said}: make a new connection in Nexpura and paste its string"
        ),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => format!(
            "there is no Nexpura relay at {relay} ({status}): check the address in the connection string"
        ),
        StatusCode::TOO_MANY_REQUESTS => {
            format!("the relay asks to send more slowly{said}; sending goes on by itself")
        }
        _ if status.is_redirection() => format!(
            "{relay} redirects elsewhere ({status}), which is not followed: put the relay's own address into the connection string"
        ),
        _ => format!("the relay has a problem ({status}{said}); sending goes on by itself"),
    }
}

fn unreachable(
    connection: &ConnectionString,
    error: &reqwest::Error,
    retry_after: Option<Duration>,
) -> Reply {
    let cause = root_cause(error);
    let relay = connection.relay();
    if error.is_timeout() && !error.is_connect() {
        return Reply::Slow(format!(
            "the relay at {relay} does not answer in time; sending goes on by itself"
        ));
    }
    let message = format!(
        "the relay at {relay} cannot be reached ({cause}): check that it runs and that this server may connect to it"
    );
    Reply::Failed { message, retry_after }
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// What a `Retry-After` header asks for: seconds, or a date.
fn wait_asked(value: &str, now_ms: i64) -> Option<Duration> {
    let seconds = match value.trim().parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => http_date(value)? - now_ms.div_euclid(1000),
    };
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// A stranger's words, short enough to show.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now_ms = 784_111_777_000;
        assert_eq!(wait_asked("120", now_ms), Some(Duration::from_secs(120)));
        assert_eq!(
            wait_asked("Sun, 06 Nov 1994 08:50:37 GMT", now_ms),
            Some(Duration::from_secs(60))
        );
        assert_eq!(wait_asked("Sun, 06 Nov 1994 08:00:00 GMT", now_ms), None);
        assert_eq!(wait_asked("-5", now_ms), None);
        assert_eq!(wait_asked("soon", now_ms), None);
    }

    #[test]
    fn each_status_tells_the_admin_what_to_do() {
        let told = |status| explain(status, "https://relay.example/", " (detail)");
        assert!(told(StatusCode::UNAUTHORIZED).contains("paste its string"));
        assert!(told(StatusCode::FORBIDDEN).contains("paste its string"));
        assert!(told(StatusCode::NOT_FOUND).contains("check the address"));
        assert!(told(StatusCode::FOUND).contains("the relay's own address"));
        assert!(told(StatusCode::TOO_MANY_REQUESTS).contains("by itself"));
        assert!(told(StatusCode::BAD_GATEWAY).contains("by itself"));
    }
}
