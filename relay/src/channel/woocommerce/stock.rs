//! The stock push: signed, to our plugin's own route; without the plugin, as values to WooCommerce's.

use nexpura_protocol::{
    Signer,
    stock::{StockPushes, StockVerdict},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Client, Listing, client::MAX_PAGE_BYTES};
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
        self.post_signed("wc-nexpura/v1/stock/begin", b"{}".to_vec(), signer).await?;
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
        let answer = self.post_signed("wc-nexpura/v1/stock", body, signer).await?;
        let answer: Answer = serde_json::from_value(answer.body)
            .map_err(|_| ChannelError::WrongShape("no results of a stock push".to_owned()))?;
        Ok(answer.results)
    }
    /// Sets stocks to values: of products, or of one product's variations, at most
    /// [`super::MAX_PER_PAGE`] in one request. What the shop makes of each shows at the next reading: of
    /// its answer only the form is looked at, since it repeats a value that it has not kept.
    ///
    /// # Errors
    /// See [`ChannelError`]; then nobody can say what of it was done.
    pub async fn write_stock(
        &self,
        listing: Listing,
        writes: &[StockWrite],
    ) -> Result<(), ChannelError> {
        let update: Vec<Value> = writes
            .iter()
            .map(|write| json!({ "id": write.stock_id, "stock_quantity": write.quantity() }))
            .collect();
        let body = serde_json::to_vec(&json!({ "update": update }))
            .map_err(|error| ChannelError::WrongShape(error.to_string()))?;
        let route = format!("{}/batch", listing.route());
        let answer = self.post(&route, body, &|_| Vec::new(), MAX_PAGE_BYTES).await?;
        match answer.body.get("update") {
            Some(Value::Array(done)) if done.len() == writes.len() => Ok(()),
            _ => Err(ChannelError::WrongShape("no results of a batch".to_owned())),
        }
    }
}

/// A stock and what it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockWrite {
    /// The product or variation.
    pub stock_id: u64,
    /// In thousandths of a unit.
    pub thousandths: i64,
}

impl StockWrite {
    /// Whole units as a number, which WooCommerce documents; others as text, which is exact.
    fn quantity(self) -> Value {
        if self.thousandths % 1000 == 0 {
            return json!(self.thousandths / 1000);
        }
        json!(crate::domain::Quantity::from_thousandths(self.thousandths).to_string())
    }
}
