//! What stands in the ledger, as the relay's API tells it.

use anyhow::{Context, Result};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::Relay;

/// A row of the inventory.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StockRow {
    /// Its SKU.
    pub sku: Option<String>,
    /// Its name.
    pub name: String,
    /// Units, as a decimal number; nothing while they are not known.
    pub quantity: Option<String>,
    /// Where it is sold.
    pub listings: Vec<Listing>,
}

impl StockRow {
    /// Its units as a number; nothing while they are not known.
    #[must_use]
    pub fn units(&self) -> Option<f64> {
        self.quantity.as_deref()?.parse().ok()
    }

    /// Whether it is counted in some shop.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.listings.iter().any(|listing| listing.state == "open")
    }
}

/// A place where a row of the inventory is sold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Listing {
    /// The product or variation that owns the stock there.
    pub stock_id: u64,
    /// `opening`, `open`, `unmanaged`, `waiting` or `missing`.
    pub state: String,
    /// The stock that it must have there, where that is known.
    pub mirror: Option<String>,
}

/// One movement of stock.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Movement {
    /// `sale`, `return`, `stocktake`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Units, with a sign.
    pub quantity_change: String,
    /// What it came from.
    pub source: Option<Value>,
}

/// A sale.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Sale {
    /// The ledger's own id.
    pub id: Value,
    /// The shop's order id.
    pub external_id: String,
    /// Its number, as people know it.
    pub number: String,
    /// Its status.
    pub status: String,
    /// Its currency's code.
    pub currency: String,
    /// Its total, as a decimal number.
    pub total: String,
}

/// One line of a sale.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SaleLine {
    /// Its product's SKU.
    pub sku: Option<String>,
    /// Units.
    pub quantity: String,
    /// How many units the shop says have left its stock for it.
    pub desired: String,
    /// How many the ledger has posted.
    pub posted: String,
}

/// An event as the inbox keeps it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// Its topic.
    pub topic: String,
    /// What it is about.
    pub resource_id: u64,
    /// What became of it.
    pub status: String,
    /// Why.
    pub detail: Option<String>,
}

impl Relay {
    /// The inventory's row of a SKU.
    ///
    /// # Errors
    /// When the API cannot be read.
    pub async fn stock_row(&self, sku: &str) -> Result<Option<StockRow>> {
        let sku: String = url::form_urlencoded::byte_serialize(sku.as_bytes()).collect();
        Ok(self.typed(&format!("/api/inventory?sku={sku}")).await?.into_iter().next())
    }

    /// The whole inventory.
    ///
    /// # Errors
    /// When the API cannot be read.
    pub async fn stock_rows(&self) -> Result<Vec<StockRow>> {
        self.typed("/api/inventory").await
    }

    /// Units of a SKU in the ledger.
    ///
    /// # Errors
    /// When the API cannot be read.
    pub async fn quantity(&self, sku: &str) -> Result<Option<f64>> {
        Ok(self.stock_row(sku).await?.and_then(|row| row.units()))
    }

    /// A SKU's movements, oldest first.
    ///
    /// # Errors
    /// When the API cannot be read.
    pub async fn movements(&self, sku: &str) -> Result<Vec<Movement>> {
        self.typed(&format!("/api/inventory/{sku}/movements")).await
    }

    /// The sale of a shop's order.
    ///
    /// # Errors
    /// When the API cannot be read.
    pub async fn sale(&self, order: u64) -> Result<Option<Sale>> {
        Ok(self.typed(&format!("/api/sales?external_id={order}")).await?.into_iter().next())
    }

    /// All sales.
    ///
    /// # Errors
    /// When the API cannot be read.
    pub async fn sales(&self) -> Result<Vec<Sale>> {
        self.typed("/api/sales").await
    }

    /// A sale with everything that belongs to it.
    ///
    /// # Errors
    /// When the API cannot be read.
    pub async fn sale_in_full(&self, sale: &Sale) -> Result<Value> {
        let id = sale.id.as_str().map_or_else(|| sale.id.to_string(), str::to_owned);
        self.get(&format!("/api/sales/{id}")).await
    }

    /// How the store at this address stands.
    ///
    /// # Errors
    /// When the API cannot be read or does not know it.
    pub async fn store(&self, url: &str) -> Result<Value> {
        let all = self.list("/api/integrations/woocommerce").await?;
        let found = all.iter().find(|store| store["store"] == url);
        found.cloned().with_context(|| format!("{url} is not among {all:?}"))
    }

    /// The events that have a status; all of them without one.
    ///
    /// # Errors
    /// When the API cannot be read.
    pub async fn events(&self, status: Option<&str>) -> Result<Vec<Event>> {
        match status {
            Some(status) => self.typed(&format!("/api/events?status={status}")).await,
            None => self.typed("/api/events").await,
        }
    }

    /// A list of the API with every item in its type.
    async fn typed<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>> {
        self.list(path)
            .await?
            .into_iter()
            .map(|item| {
                serde_json::from_value(item.clone()).with_context(|| format!("{path} has {item}"))
            })
            .collect()
    }
}
