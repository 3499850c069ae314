//! Asking the relay's API.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Method, Response, StatusCode, header};
use serde_json::Value;

use super::Relay;

impl Relay {
    /// Reads one page or thing of the API.
    ///
    /// # Errors
    /// When the relay cannot be reached or answers with a problem.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let (status, answer) = self.ask(Method::GET, path, None).await?;
        if !status.is_success() {
            bail!("GET {path} answered {status}: {answer}\n{}", self.log_tail());
        }
        Ok(answer)
    }

    /// Sends to the API.
    ///
    /// # Errors
    /// When the relay cannot be reached or answers with a problem.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let (status, answer) = self.ask(Method::POST, path, Some(body)).await?;
        if !status.is_success() {
            bail!("POST {path} answered {status}: {answer}\n{}", self.log_tail());
        }
        Ok(answer)
    }

    /// Asks the API with the tenant's token, whatever it answers; as often as it says "later", later.
    ///
    /// # Errors
    /// When the relay cannot be reached.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value)> {
        loop {
            let request = self.http.request(method.clone(), format!("{}{path}", self.url));
            let mut request = request.bearer_auth(&self.token);
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = request.send().await?;
            if let Some(seconds) = told_to_wait(&answer) {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                continue;
            }
            let status = answer.status();
            let text = answer.text().await?;
            let json = serde_json::from_str(&text).unwrap_or(Value::String(text));
            return Ok((status, json));
        }
    }

    /// Every item of a list, all its pages.
    ///
    /// # Errors
    /// When a page cannot be read.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let mut page_path = format!("{path}{mark}limit=100");
            if let Some(after) = &after {
                let after: String =
                    url::form_urlencoded::byte_serialize(after.as_bytes()).collect();
                page_path.push_str(&format!("&after={after}"));
            }
            let page = self.get(&page_path).await?;
            let found = page["items"].as_array().with_context(|| format!("no items in {page}"))?;
            items.extend(found.iter().cloned());
            after = match &page["next"] {
                Value::Null => return Ok(items),
                Value::String(next) => Some(next.clone()),
                other => Some(other.to_string()),
            };
        }
    }
}

/// The seconds for which an answer wants to be left alone, if it does.
fn told_to_wait(answer: &Response) -> Option<u64> {
    if answer.status() != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()
}
