//! Buying, as a visitor does: through the Store API of the checkout block and through the classic form.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Response, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shop, cookies::Cookies};
use crate::http;

/// How a visitor pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    /// Cash on delivery: the order is processing at once, without payment_complete().
    Cash,
    /// A bank transfer: the order is on hold until the money comes.
    Transfer,
    /// A card: payment_complete() within the checkout.
    Card,
    /// A card that is declined: the order fails, and the visitor may try again.
    DeclinedCard,
}

impl Payment {
    fn gateway(self) -> &'static str {
        match self {
            Self::Cash => "cod",
            Self::Transfer => "bacs",
            Self::Card | Self::DeclinedCard => "nexpura_tests_card",
        }
    }

    /// What the card's form would send along.
    fn card(self) -> &'static str {
        if self == Self::DeclinedCard { "decline" } else { "" }
    }
}

/// What the Store API answers to a checkout.
#[derive(Debug, Clone, Deserialize)]
pub struct Receipt {
    /// The order's id.
    pub order_id: u64,
    /// Its status at the end of the checkout.
    pub status: String,
}

/// A visitor's cart, known to the shop by a token.
#[derive(Debug)]
pub struct Cart<'a> {
    shop: &'a Shop,
    token: String,
    /// Older versions want it as well.
    nonce: Option<String>,
    /// The buyer's e-mail address.
    pub email: String,
}

impl Shop {
    /// A new visitor's empty cart.
    ///
    /// # Errors
    /// When the Store API gives none.
    pub async fn cart(&self) -> Result<Cart<'_>> {
        let answer = self.http.get(format!("{}/wp-json/wc/store/v1/cart", self.url)).send().await?;
        let header = |name: &str| answer.headers().get(name)?.to_str().ok().map(str::to_owned);
        Ok(Cart {
            shop: self,
            token: header("cart-token").context("the Store API sent no Cart-Token")?,
            nonce: header("nonce"),
            email: "ada@buyers.example".to_owned(),
        })
    }

    /// Buys through the Store API, as a new visitor: quantities by product or variation id. Gives the order's id.
    ///
    /// # Errors
    /// With the shop's refusal.
    pub async fn checkout(&self, items: &[(u64, u32)], payment: Payment) -> Result<u64> {
        let cart = self.cart().await?;
        for (product, quantity) in items {
            cart.add(*product, *quantity).await?;
        }
        cart.check_out(payment).await
    }

    /// Buys through the classic form, as a new visitor with cookies. Gives the order's id.
    ///
    /// # Errors
    /// With the shop's refusal.
    pub async fn classic_checkout(
        &self,
        product: u64,
        quantity: u32,
        payment: Payment,
    ) -> Result<u64> {
        let mut cookies = Cookies::default();
        let added = self
            .http
            .post(format!("{}/?wc-ajax=add_to_cart", self.url))
            .header(header::CONTENT_TYPE, http::FORM)
            .body(http::form(&[
                ("product_id", &product.to_string()),
                ("quantity", &quantity.to_string()),
            ]))
            .send()
            .await?;
        cookies.keep(&added);
        let page = self
            .http
            .get(format!("{}/classic-checkout/", self.url))
            .header(header::COOKIE, cookies.to_string())
            .send()
            .await?;
        cookies.keep(&page);
        let page = page.text().await?;
        let nonce = page
            .split("name=\"woocommerce-process-checkout-nonce\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .with_context(|| format!("the checkout page has no nonce: {}", http::excerpt(&page)))?;
        let answer = self
            .http
            .post(format!("{}/?wc-ajax=checkout", self.url))
            .header(header::CONTENT_TYPE, http::FORM)
            .header(header::COOKIE, cookies.to_string())
            .body(http::form(&[
                ("billing_first_name", "Grace"),
                ("billing_last_name", "Buyer"),
                ("billing_country", "GB"),
                ("billing_address_1", "2 Ring Road"),
                ("billing_city", "London"),
                ("billing_postcode", "EC1N 8AA"),
                ("billing_phone", "02070000000"),
                ("billing_email", "grace@buyers.example"),
                ("payment_method", payment.gateway()),
                ("nexpura_tests_card", payment.card()),
                ("woocommerce-process-checkout-nonce", nonce),
            ]))
            .send()
            .await?;
        let text = answer.text().await?;
        let answer: Value = serde_json::from_str(&text).with_context(|| http::excerpt(&text))?;
        ensure!(answer["result"] == "success", "the classic checkout refused: {answer}");
        if let Some(order) = answer["order_id"].as_u64() {
            return Ok(order);
        }
        // Older versions tell the order only within the address of the thank-you page.
        let address = answer["redirect"].as_str().unwrap_or_default();
        let order = address.split("order-received/").nth(1).and_then(|rest| rest.split('/').next());
        Ok(order.with_context(|| format!("no order in {address}"))?.parse()?)
    }
}

impl Cart<'_> {
    /// Lays something into it.
    ///
    /// # Errors
    /// With the shop's refusal, such as too little stock.
    pub async fn add(&self, product: u64, quantity: u32) -> Result<()> {
        let answer =
            self.post("cart/add-item", &json!({ "id": product, "quantity": quantity })).await?;
        refused(answer).await.map(|_| ())
    }

    /// Buys what is in it. Gives the order's id.
    ///
    /// # Errors
    /// With the shop's refusal.
    pub async fn check_out(&self, payment: Payment) -> Result<u64> {
        Ok(self.buy(payment).await?.order_id)
    }

    /// Buys what is in it. Gives what the visitor's browser is told.
    ///
    /// # Errors
    /// With the shop's refusal.
    pub async fn buy(&self, payment: Payment) -> Result<Receipt> {
        let answer = refused(self.try_check_out(payment).await?).await?;
        serde_json::from_value(answer.clone()).with_context(|| format!("no order in {answer}"))
    }

    /// Tries once more after a failed payment, a second later at the earliest, as a person does.
    ///
    /// WooCommerce takes its own reservation of stock for missing when it is renewed within the second in which it was
    /// made: MySQL counts a row that stays the same as not written.
    ///
    /// # Errors
    /// With the shop's refusal.
    pub async fn check_out_again(&self, payment: Payment) -> Result<u64> {
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        self.check_out(payment).await
    }

    /// The same, whatever the shop answers.
    ///
    /// # Errors
    /// When the shop cannot be reached.
    pub async fn try_check_out(&self, payment: Payment) -> Result<Response> {
        let address = json!({
            "first_name": "Ada", "last_name": "Buyer", "address_1": "1 Ring Road", "address_2": "",
            "city": "London", "state": "", "postcode": "EC1N 8AA", "country": "GB", "company": "",
        });
        let mut billing = address.clone();
        billing["email"] = json!(self.email);
        billing["phone"] = json!("02070000000");
        self.post(
            "checkout",
            &json!({
                "billing_address": billing,
                "shipping_address": address,
                "payment_method": payment.gateway(),
                "payment_data": [{ "key": "nexpura_tests_card", "value": payment.card() }],
            }),
        )
        .await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Response> {
        let mut request = self
            .shop
            .http
            .post(format!("{}/wp-json/wc/store/v1/{path}", self.shop.url))
            .header("cart-token", &self.token)
            .json(body);
        if let Some(nonce) = &self.nonce {
            request = request.header("nonce", nonce);
        }
        Ok(request.send().await?)
    }
}

/// The answer's JSON, or its refusal as the error.
async fn refused(answer: Response) -> Result<Value> {
    let status = answer.status();
    let address = answer.url().clone();
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("{address} answered {status}: {}", http::excerpt(&text));
    }
    serde_json::from_str(&text).with_context(|| http::excerpt(&text))
}
