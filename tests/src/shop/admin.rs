//! The shop's admin pages, used with a browser's means: a login, cookies, forms and their nonces.

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Response, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::{PASSWORD, Shop, USER, cookies::Cookies};
use crate::http;

/// A logged-in administrator.
#[derive(Debug)]
pub struct Admin<'a> {
    shop: &'a Shop,
    cookies: Cookies,
}

impl Shop {
    /// Logs the administrator in.
    ///
    /// # Errors
    /// When the shop refuses it.
    pub async fn log_in(&self) -> Result<Admin<'_>> {
        self.log_in_as(USER).await
    }

    /// Logs somebody in whose password is the administrator's.
    ///
    /// # Errors
    /// When the shop refuses it.
    pub async fn log_in_as(&self, user: &str) -> Result<Admin<'_>> {
        let mut cookies = Cookies::default();
        let answer = self
            .http
            .post(format!("{}/wp-login.php", self.url))
            .header(header::CONTENT_TYPE, http::FORM)
            .header(header::COOKIE, "wordpress_test_cookie=WP%20Cookie%20check")
            .body(http::form(&[("log", user), ("pwd", PASSWORD), ("testcookie", "1")]))
            .send()
            .await?;
        cookies.keep(&answer);
        ensure!(cookies.has("wordpress_logged_in"), "the login failed: {}", answer.status());
        Ok(Admin { shop: self, cookies })
    }

    /// Connects our plugin to a relay by the functions that its settings page calls.
    ///
    /// # Errors
    /// With the message that the page would show.
    pub async fn connect(&self, connection_string: &str) -> Result<()> {
        /// What the plugin says of its attempt.
        #[derive(Deserialize)]
        struct Answer {
            problem: String,
            message: String,
        }
        let answer: Answer = self.call("connect", json!({ "string": connection_string })).await?;
        ensure!(answer.problem.is_empty(), "not connected, {}: {}", answer.problem, answer.message);
        Ok(())
    }
}

impl Admin<'_> {
    /// Reads a page under `wp-admin/`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn page(&self, path: &str) -> Result<String> {
        let answer = self
            .shop
            .http
            .get(format!("{}/wp-admin/{path}", self.shop.url))
            .header(header::COOKIE, self.cookies.to_string())
            .send()
            .await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await?;
        if status != StatusCode::OK {
            bail!(
                "wp-admin/{path} answered {status} {headers:?}: {}\n{}",
                http::excerpt(&text),
                self.shop.log_tail()
            );
        }
        Ok(text)
    }

    /// Pastes a connection string into our settings page, presses its button, and gives the page that follows.
    ///
    /// # Errors
    /// When a page cannot be read or lacks the form.
    pub async fn paste_connection(&self, connection_string: &str) -> Result<String> {
        self.press("nexpura_connect", &[("connection", connection_string)]).await?;
        self.page(SETTINGS).await
    }

    /// Follows one of our links of a page, the one whose address has this in it, and gives that page anew.
    ///
    /// # Errors
    /// When the page lacks the link or the shop does not take it.
    pub async fn follow(&self, path: &str, link: &str) -> Result<String> {
        let page = self.page(path).await?;
        let address = page
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .find(|address| address.contains(link))
            .with_context(|| format!("wp-admin/{path} has no link {link}"))?
            .replace("&#038;", "&")
            .replace("&amp;", "&");
        let answer = self
            .shop
            .http
            .get(address)
            .header(header::COOKIE, self.cookies.to_string())
            .header(header::REFERER, format!("{}/wp-admin/{path}", self.shop.url))
            .send()
            .await?;
        ensure!(answer.status() == StatusCode::FOUND, "{link} answered {}", answer.status());
        let to = answer.headers().get(header::LOCATION).context("it leads nowhere")?.to_str()?;
        let to = to.strip_prefix(&format!("{}/wp-admin/", self.shop.url));
        self.page(to.context("it leads out of the admin")?).await
    }

    /// What the variations' tab of a product's page loads by itself.
    ///
    /// # Errors
    /// When the shop refuses it.
    pub async fn variations(&self, product: u64) -> Result<String> {
        let page = self.page(&format!("post.php?post={product}&action=edit")).await?;
        let (_, rest) = page.split_once("load_variations_nonce\":\"").context("no nonce")?;
        let nonce = rest.split('"').next().unwrap_or_default();
        let product = product.to_string();
        let all = [
            ("action", "woocommerce_load_variations"),
            ("security", nonce),
            ("product_id", &product),
            ("attributes", ""),
            ("page", "1"),
            ("per_page", "10"),
        ];
        let answer = self
            .shop
            .http
            .post(format!("{}/wp-admin/admin-ajax.php", self.shop.url))
            .header(header::CONTENT_TYPE, http::FORM)
            .header(header::COOKIE, self.cookies.to_string())
            .body(http::form(&all))
            .send()
            .await?;
        ensure!(answer.status() == StatusCode::OK, "the variations answered {}", answer.status());
        Ok(answer.text().await?)
    }

    /// Sends what a form would, without having seen the form; gives the answer's status.
    ///
    /// # Errors
    /// When the shop cannot be reached.
    pub async fn forge(&self, action: &str) -> Result<StatusCode> {
        let all = [("action", action), ("_wpnonce", "0123456789")];
        let answer = self
            .shop
            .http
            .post(format!("{}/wp-admin/admin-post.php", self.shop.url))
            .header(header::CONTENT_TYPE, http::FORM)
            .header(header::COOKIE, self.cookies.to_string())
            .body(http::form(&all))
            .send()
            .await?;
        Ok(answer.status())
    }

    /// Presses a button of our settings page, whose form has this action.
    ///
    /// # Errors
    /// When the page lacks the form or the shop does not take it.
    pub async fn press(&self, action: &str, fields: &[(&str, &str)]) -> Result<Response> {
        let page = self.page(SETTINGS).await?;
        let form = page
            .split("<form")
            .find(|form| form.contains(&format!("value=\"{action}\"")))
            .with_context(|| format!("the settings page has no form {action}"))?;
        let nonce = form
            .split("name=\"_wpnonce\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .context("the form has no nonce")?;
        let mut all = vec![("action", action), ("_wpnonce", nonce)];
        all.extend_from_slice(fields);
        let answer = self
            .shop
            .http
            .post(format!("{}/wp-admin/admin-post.php", self.shop.url))
            .header(header::CONTENT_TYPE, http::FORM)
            .header(header::COOKIE, self.cookies.to_string())
            .body(http::form(&all))
            .send()
            .await?;
        ensure!(answer.status() == StatusCode::FOUND, "{action} answered {}", answer.status());
        Ok(answer)
    }
}

/// Our settings page.
const SETTINGS: &str = "admin.php?page=nexpura";
