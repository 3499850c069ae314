//! The stock push: signed, to our plugin's own route.

use nexpura_protocol::{
    Signer,
    signature::{HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP},
    stock::{StockPushes, StockVerdict},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Client, client::MAX_OBJECT_BYTES};
use crate::channel::ChannelError;

/// What became of one push.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StockOutcome {
    /// The push.
    pub push_id: Uuid,
    /// What became of it.
    pub status: StockVerdict,
}

#[derive(Debug, Deserialize)]
struct Answer {
    results: Vec<StockOutcome>,
}

impl Client {
    /// Has the shop forget the numbers of all pushes, so that they begin with 1 again.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn begin_pushes(&self, signer: &Signer) -> Result<(), ChannelError> {
        let body = b"{}".to_vec();
        let sign = |now: i64| headers(signer, now, &body);
        let route = "wc-nexpura/v1/stock/begin";
        self.post(route, body.clone(), &sign, MAX_OBJECT_BYTES).await?;
        Ok(())
    }

    /// Pushes stock changes. A push that the answer does not speak of is to be sent again as it is.
    ///
    /// # Errors
    /// See [`ChannelError`]; then nobody can say what of it was done, and all is to be sent again.
    pub async fn push_stock(
        &self,
        pushes: &StockPushes,
        signer: &Signer,
    ) -> Result<Vec<StockOutcome>, ChannelError> {
        let body = serde_json::to_vec(pushes)
            .map_err(|error| ChannelError::WrongShape(error.to_string()))?;
        let sign = |now: i64| headers(signer, now, &body);
        let answer =
            self.post("wc-nexpura/v1/stock", body.clone(), &sign, MAX_OBJECT_BYTES).await?;
        let answer: Answer = serde_json::from_value(answer.body)
            .map_err(|_| ChannelError::WrongShape("no results of a stock push".to_owned()))?;
        Ok(answer.results)
    }
}

fn headers(signer: &Signer, now: i64, body: &[u8]) -> Vec<(&'static str, String)> {
    let headers = signer.sign(&Uuid::new_v4().to_string(), now, body);
    vec![
        (HEADER_ID, headers.id),
        (HEADER_TIMESTAMP, headers.timestamp.to_string()),
        (HEADER_SIGNATURE, headers.signature),
    ]
}
