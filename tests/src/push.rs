//! Speaks to the relay as a shop's sender does, honestly or not.

use anyhow::{Context, Result};
use chrono::Utc;
use nexpura_protocol::{
    ConnectionString, Signer,
    signature::{HEADER_CONNECTION, HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP},
};
use reqwest::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::relay::Connection;

/// A sender with a connection of its own making, and what it does to its deliveries.
#[derive(Debug, Clone)]
pub struct Sender {
    http: reqwest::Client,
    signer: Signer,
    url: String,
    connection: String,
    /// The spool that it claims to send from.
    pub spool: Uuid,
    /// Seconds that its clock is ahead.
    pub clock_ahead: i64,
}

impl Sender {
    /// A sender that knows a connection's secret.
    ///
    /// # Errors
    /// When the connection string is none.
    pub fn new(http: &reqwest::Client, connection: &Connection) -> Result<Self> {
        let string = ConnectionString::parse(&connection.string)?;
        Ok(Self {
            http: http.clone(),
            signer: Signer::new([string.secret()])?,
            url: string.endpoint("v1/push"),
            connection: string.id().to_owned(),
            spool: Uuid::new_v4(),
            clock_ahead: 0,
        })
    }

    /// The same, claiming to be another connection.
    #[must_use]
    pub fn claiming(mut self, connection: &str) -> Self {
        connection.clone_into(&mut self.connection);
        self
    }

    /// A push of these events, the first with that `seq`.
    #[must_use]
    pub fn batch(&self, first_seq: u64, events: &[Value]) -> Value {
        let events: Vec<Value> = events
            .iter()
            .zip(first_seq..)
            .map(|(event, seq)| {
                let mut event = event.clone();
                event["seq"] = json!(seq);
                event
            })
            .collect();
        json!({ "spool": self.spool, "events": events, "state": { "unsent": 0, "open_intents": 0 } })
    }

    /// Signs a body and sends it.
    ///
    /// # Errors
    /// When the relay cannot be reached.
    pub async fn send(&self, body: impl Into<Vec<u8>>) -> Result<Response> {
        let body = body.into();
        let signed = body.clone();
        self.send_as(&signed, body).await
    }

    /// Signs one body and sends another.
    ///
    /// # Errors
    /// When the relay cannot be reached.
    pub async fn send_as(&self, signed: &[u8], sent: Vec<u8>) -> Result<Response> {
        let id = Uuid::new_v4().to_string();
        let headers = self.signer.sign(&id, Utc::now().timestamp() + self.clock_ahead, signed);
        self.http
            .post(&self.url)
            .header(HEADER_CONNECTION, &self.connection)
            .header(HEADER_ID, headers.id)
            .header(HEADER_TIMESTAMP, headers.timestamp)
            .header(HEADER_SIGNATURE, headers.signature)
            .header("content-type", "application/json")
            .body(sent)
            .send()
            .await
            .context("pushing to the relay")
    }
}

/// An event about a thing, with its representation and a counter above any that the shop has used.
#[must_use]
pub fn event(topic: &str, resource_id: u64, payload: &Value, rev: u64) -> Value {
    json!({
        "id": Uuid::new_v4(),
        "topic": topic,
        "resource_id": resource_id,
        "occurred_at": Utc::now(),
        "payload": payload,
        "facts": { "rev": rev, "order_key": payload["order_key"] },
    })
}
