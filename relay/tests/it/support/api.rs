//! Asking a relay over HTTP, signed or with a bearer token.

use std::net::SocketAddr;

use chrono::Utc;
use nexpura_protocol::{
    Signer,
    signature::{HEADER_CONNECTION, HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP},
};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use secrecy::SecretString;
use serde_json::Value;
use uuid::Uuid;

/// One relay's address and a client.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: reqwest::Client,
    root: String,
}

/// What a relay answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{}: no JSON: {}", self.status, self.body))
    }

    /// The body of an answer that must be a success.
    pub(crate) fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.body);
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The detail of an answer that must be a problem with this status.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let body = self.json();
        assert_eq!(body["status"], status);
        assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{body}");
        body["detail"].as_str().expect("a detail").to_owned()
    }
}

/// The headers of one signed delivery; tests change what they want to be wrong.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) connection: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) timestamp: Option<String>,
    pub(crate) signature: Option<String>,
}

impl Signed {
    pub(crate) fn new(connection: &str, secret: &SecretString, body: &[u8]) -> Self {
        Self::at(connection, &[secret], body, Utc::now().timestamp())
    }

    pub(crate) fn at(
        connection: &str,
        secrets: &[&SecretString],
        body: &[u8],
        timestamp: i64,
    ) -> Self {
        let signer = Signer::new(secrets.iter().copied()).unwrap();
        let headers = signer.sign(&Uuid::new_v4().to_string(), timestamp, body);
        Self {
            connection: Some(connection.to_owned()),
            id: Some(headers.id),
            timestamp: Some(headers.timestamp.to_string()),
            signature: Some(headers.signature),
        }
    }
}

impl Api {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        Self { client, root: format!("http://{address}") }
    }

    /// Where the relay is.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    pub(crate) async fn post_signed(&self, path: &str, signed: &Signed, body: Vec<u8>) -> Reply {
        let mut request = self.request(Method::POST, path);
        for (name, value) in [
            (HEADER_CONNECTION, &signed.connection),
            (HEADER_ID, &signed.id),
            (HEADER_TIMESTAMP, &signed.timestamp),
            (HEADER_SIGNATURE, &signed.signature),
        ] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        send(request.header("content-type", "application/json").body(body)).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        send(self.request(Method::GET, path).bearer_auth(token)).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Reply {
        let request = self.request(Method::POST, path).bearer_auth(token);
        send(request.header("content-type", "application/json").body(body.to_string())).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.root))
    }
}

/// Sends it and takes the whole answer.
pub(crate) async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.text().await.expect("a whole answer");
    Reply { status, headers, body }
}
