//! What a merchant does in the shop, one method a deed.

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shop;

/// How an order stands in the shop.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: u64,
    /// Its number, as people know it.
    pub number: String,
    /// Without the `wc-` in front.
    pub status: String,
    /// What is to be paid, as WooCommerce keeps it.
    pub total: String,
    /// Its currency's code.
    pub currency: String,
    /// Its key, part of its identity.
    pub key: String,
    /// Its product lines.
    pub lines: Vec<Line>,
}

/// One product line of an order.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Line {
    /// Its id.
    pub id: u64,
    /// Its product's SKU; nothing once the product is gone.
    pub sku: Option<String>,
    /// How many were bought.
    pub quantity: f64,
    /// WooCommerce's own note of how many left the stock.
    pub reduced: Value,
}

impl Line {
    /// How many units WooCommerce has noted as taken from the stock.
    #[must_use]
    pub fn reduced_units(&self) -> f64 {
        let text = self.reduced.as_str().map_or_else(|| self.reduced.to_string(), str::to_owned);
        text.parse().unwrap_or(0.0)
    }
}

impl Shop {
    /// Adds a simple product whose stock is its own; no stock means unmanaged. Gives its id.
    ///
    /// # Errors
    /// When the shop refuses it.
    pub async fn add_product(&self, sku: &str, price: &str, stock: Option<i64>) -> Result<u64> {
        self.call("add_product", json!({ "sku": sku, "price": price, "stock": stock })).await
    }

    /// Adds a simple product that may be sold below nothing.
    ///
    /// # Errors
    /// When the shop refuses it.
    pub async fn add_backordered(&self, sku: &str, price: &str, stock: i64) -> Result<u64> {
        self.call(
            "add_product",
            json!({ "sku": sku, "price": price, "stock": stock, "backorders": "notify" }),
        )
        .await
    }

    /// Adds a variable product with one variation for each `(sku, size, stock)`; `stock` is the parent's, for those
    /// variations that have none. Gives the variations' ids.
    ///
    /// # Errors
    /// When the shop refuses it.
    pub async fn add_variable(
        &self,
        sku: &str,
        price: &str,
        stock: Option<i64>,
        variations: &[(&str, &str, Option<i64>)],
    ) -> Result<Vec<u64>> {
        let variations: Vec<Value> = variations
            .iter()
            .map(|(sku, size, stock)| json!({ "sku": sku, "size": size, "stock": stock }))
            .collect();
        let made: Value = self
            .call(
                "add_variable_product",
                json!({ "sku": sku, "price": price, "stock": stock, "variations": variations }),
            )
            .await?;
        Ok(serde_json::from_value(made["variations"].clone())?)
    }

    /// What the shop has of a SKU; nothing where it is unmanaged.
    ///
    /// # Errors
    /// When there is no such SKU.
    pub async fn stock(&self, sku: &str) -> Result<Option<f64>> {
        self.call("stock", json!({ "sku": sku })).await
    }

    /// Sets a stock by hand.
    ///
    /// # Errors
    /// When there is no such SKU.
    pub async fn set_stock(&self, sku: &str, stock: i64) -> Result<()> {
        self.call("set_stock", json!({ "sku": sku, "stock": stock })).await.map(|_: bool| ())
    }

    /// How an order stands.
    ///
    /// # Errors
    /// When there is no such order.
    pub async fn order(&self, order: u64) -> Result<Order> {
        self.call("order", json!({ "order": order })).await
    }

    /// Types in an order, quantities by SKU, still to be paid.
    ///
    /// # Errors
    /// When there is no such SKU.
    pub async fn create_order(&self, lines: &[(&str, u32)]) -> Result<u64> {
        let lines: serde_json::Map<String, Value> =
            lines.iter().map(|(sku, quantity)| ((*sku).to_owned(), json!(quantity))).collect();
        self.call("create_order", json!({ "lines": lines })).await
    }

    /// The money for an order came.
    ///
    /// # Errors
    /// When there is no such order.
    pub async fn pay(&self, order: u64) -> Result<()> {
        self.call("pay", json!({ "order": order })).await.map(|_: bool| ())
    }

    /// Sets an order's status, without the `wc-` in front.
    ///
    /// # Errors
    /// When there is no such order.
    pub async fn set_status(&self, order: u64, status: &str) -> Result<()> {
        self.call("set_status", json!({ "order": order, "status": status })).await.map(|_: bool| ())
    }

    /// Changes how many units a line has, as the order's edit page does.
    ///
    /// # Errors
    /// When there is no such line.
    pub async fn edit_line(&self, order: u64, sku: &str, quantity: u32) -> Result<()> {
        self.call("edit_line", json!({ "order": order, "sku": sku, "quantity": quantity }))
            .await
            .map(|_: bool| ())
    }

    /// Takes a line off an order, as the order's edit page does.
    ///
    /// # Errors
    /// When there is no such line.
    pub async fn remove_line(&self, order: u64, sku: &str) -> Result<()> {
        self.call("remove_line", json!({ "order": order, "sku": sku })).await.map(|_: bool| ())
    }

    /// Gives units back with their money; with `restock` they return to the stock. Gives the refund's id.
    ///
    /// # Errors
    /// When there is no such line or the refund is refused.
    pub async fn refund(&self, order: u64, sku: &str, quantity: u32, restock: bool) -> Result<u64> {
        self.call(
            "refund",
            json!({ "order": order, "sku": sku, "quantity": quantity, "restock": restock }),
        )
        .await
    }

    /// Puts an order into the trash.
    ///
    /// # Errors
    /// When there is no such order.
    pub async fn trash(&self, order: u64) -> Result<()> {
        self.call("trash", json!({ "order": order })).await.map(|_: bool| ())
    }

    /// Takes an order out of the trash.
    ///
    /// # Errors
    /// When there is no such order.
    pub async fn untrash(&self, order: u64) -> Result<()> {
        self.call("untrash", json!({ "order": order })).await.map(|_: bool| ())
    }

    /// Removes an order for good.
    ///
    /// # Errors
    /// When there is no such order.
    pub async fn delete(&self, order: u64) -> Result<()> {
        self.call("delete", json!({ "order": order })).await.map(|_: bool| ())
    }
}
