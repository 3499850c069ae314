//! Every other connector's way, to see that the account notices: a stock is read and written back changed.

use anyhow::{Context, Result, ensure};
use nexpura_tests::shop::{Shop, keys::Key};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::busy_day::{self, Deed, Goods};

/// As often as it may take until a unit is lost; usually once is enough.
const DAYS: u64 = 8;

/// A connector that knows WooCommerce's REST API and nothing else.
struct Connector<'a> {
    shop: &'a Shop,
    key: Key,
}

impl Connector<'_> {
    async fn ask(&self, request: RequestBuilder) -> Result<Value> {
        let key = &self.key;
        let request = request.basic_auth(&key.consumer_key, Some(&key.consumer_secret));
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    fn product(&self, id: u64) -> String {
        format!("{}/wp-json/wc/v3/products/{id}", self.shop.url)
    }

    async fn stock(&self, id: u64) -> Result<i64> {
        let product = self.ask(self.shop.http.get(self.product(id))).await?;
        product["stock_quantity"].as_i64().with_context(|| format!("no stock in {product}"))
    }

    async fn change(&self, id: u64, change: i64) -> Result<()> {
        let next = json!({ "stock_quantity": self.stock(id).await? + change });
        self.ask(self.shop.http.put(self.product(id)).json(&next)).await.map(drop)
    }
}

#[tokio::test]
async fn units_are_lost_where_stocks_are_written_as_values() -> Result<()> {
    on_woocommerce!();
    let shop = Shop::builder().plain().https().workers(busy_day::workers()).start().await?;
    let goods = Goods::lay_out(&shop).await?;
    let connector = Connector { shop: &shop, key: shop.make_key("read_write").await? };
    let mut total = vec![0_i64; busy_day::SKUS];
    for day in 0..DAYS {
        let count = async |which: usize| connector.stock(goods.ids[which]).await;
        let does =
            async |which: usize, deed: Deed| connector.change(goods.ids[which], deed.change).await;
        let passed = busy_day::pass(&shop, &goods, 6, day, count, does).await?;
        ensure!(passed.orders > 0, "nobody bought anything");
        total.iter_mut().zip(passed.moved).for_each(|(total, moved)| *total += moved);
        let accounted = goods.accounted(&shop, &total).await?;
        let found = goods.in_shop(&shop)?;
        let lost: i64 = accounted.iter().zip(&found).map(|(one, other)| (one - other).abs()).sum();
        println!("day {day}: {} orders, {lost} units lost by writing values", passed.orders);
        if lost > 0 {
            return Ok(());
        }
    }
    anyhow::bail!("no unit was lost in {DAYS} days: the account would not notice a lost update")
}
