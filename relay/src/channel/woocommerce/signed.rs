//! Requests to our plugin's own routes, signed under the connection's secret beside the key.

use nexpura_protocol::{
    Signer,
    signature::{HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    Client,
    client::{Answer, MAX_OBJECT_BYTES},
    manner::Refusal,
};
use crate::channel::ChannelError;

impl Client {
    /// POST to one of our plugin's routes.
    pub(super) async fn post_signed(
        &self,
        route: &str,
        body: Vec<u8>,
        signer: &Signer,
    ) -> Result<Answer, Refusal> {
        let sign = |now: i64| {
            let headers = signer.sign(&Uuid::new_v4().to_string(), now, &body);
            vec![
                (HEADER_ID, headers.id),
                (HEADER_TIMESTAMP, headers.timestamp.to_string()),
                (HEADER_SIGNATURE, headers.signature),
            ]
        };
        let answer = self.post(route, body.clone(), &sign, MAX_OBJECT_BYTES).await;
        answer.map_err(|refusal| match refusal.code.as_deref() {
            Some("rest_no_route") => ChannelError::NoPlugin.into(),
            Some("nexpura_engine") => ChannelError::NoInnoDb.into(),
            _ => refusal,
        })
    }

    /// Asks our plugin to remove the key with which this request is made, and its own.
    ///
    /// # Errors
    /// See [`ChannelError`]; then the key is still there.
    pub async fn farewell(&self, signer: &Signer) -> Result<(), ChannelError> {
        let body = json!({ "consumer_key": self.consumer_key() });
        let body = serde_json::to_vec(&body)
            .map_err(|error| ChannelError::WrongShape(error.to_string()))?;
        let answer = self.post_signed("wc-nexpura/v1/disconnect", body, signer).await?;
        match answer.body["status"].as_str() {
            Some("disconnected") => Ok(()),
            _ => Err(ChannelError::WrongShape("no answer of our plugin's".to_owned())),
        }
    }
}
