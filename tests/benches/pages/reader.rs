//! Somebody who is logged in and opens pages.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    http::{FORM, excerpt, form},
    relay::Relay,
};
use reqwest::{StatusCode, header};
use url::Url;

/// A file as far as it was read.
pub(crate) struct Export {
    /// Until its first row was there.
    pub(crate) first_row: Duration,
    /// Until all of it was.
    pub(crate) whole: Duration,
    /// How many rows it had.
    pub(crate) rows: usize,
}

/// Their browser: it holds a session.
pub(crate) struct Reader {
    http: reqwest::Client,
    url: String,
    cookie: String,
}

impl Reader {
    /// Sets a password by the link that a new person gets, and is in.
    pub(crate) async fn come_in(relay: &Relay, link: &str) -> Result<Self> {
        let link = Url::parse(link)?;
        let secret = link.query_pairs().find(|(name, _)| name == "link").context("no link")?.1;
        let fields = form(&[("link", &secret), ("password", "a long way to the river 7")]);
        let answer = relay
            .http
            .post(format!("{}/set-password", relay.url))
            .header(header::CONTENT_TYPE, FORM)
            .header("sec-fetch-site", "same-origin")
            .body(fields)
            .send()
            .await?;
        let set = answer.headers().get(header::SET_COOKIE).map(|set| set.to_str()).transpose()?;
        let cookie = set.and_then(|set| set.split(';').next()).context("no session")?.to_owned();
        Ok(Self { http: relay.http.clone(), url: relay.url.clone(), cookie })
    }

    /// Opens a page and reads all of it.
    pub(crate) async fn open(&self, path: &str) -> Result<String> {
        let request = self.http.get(format!("{}{path}", self.url));
        let answer = request.header(header::COOKIE, &self.cookie).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status == StatusCode::OK, "{path} answered {status}: {}", excerpt(&text));
        Ok(text)
    }

    /// Takes a list as a file, as far as so many rows of it, or its end.
    pub(crate) async fn export(&self, path: &str, rows: usize) -> Result<Export> {
        let began = Instant::now();
        let request = self.http.get(format!("{}{path}", self.url));
        let mut answer = request.header(header::COOKIE, &self.cookie).send().await?;
        ensure!(answer.status() == StatusCode::OK, "{path} answered {}", answer.status());
        let (mut lines, mut first_row) = (0, None);
        while let Some(part) = answer.chunk().await? {
            lines += part.iter().filter(|byte| **byte == b'\n').count();
            // The heads are a line as well, and are there before anything is read.
            if lines > 1 && first_row.is_none() {
                first_row = Some(began.elapsed());
            }
            if lines > rows {
                break;
            }
        }
        let first_row = first_row.with_context(|| format!("{path} has no row"))?;
        Ok(Export { first_row, whole: began.elapsed(), rows: lines - 1 })
    }

    /// The addresses that a page leads to and that begin so.
    pub(crate) async fn links(&self, path: &str, beginning: &str) -> Result<Vec<String>> {
        let page = self.open(path).await?;
        let found = addresses(&page, beginning);
        ensure!(!found.is_empty(), "{path} leads to no {beginning}: {}", excerpt(&page));
        Ok(found)
    }

    /// Presses a button; gives the first address that begins so on the page that answers.
    pub(crate) async fn made(&self, path: &str, beginning: &str) -> Result<String> {
        let request =
            self.http.post(format!("{}{path}", self.url)).header(header::COOKIE, &self.cookie);
        let request = request.header("sec-fetch-site", "same-origin");
        let answer = request.header(header::CONTENT_TYPE, FORM).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status == StatusCode::OK, "{path} answered {status}: {}", excerpt(&text));
        let found = addresses(&text, beginning).into_iter().next();
        found.with_context(|| format!("{path} leads to no {beginning}"))
    }

    /// A list page by page, as far as it goes.
    pub(crate) async fn walk(&self, list: &str, pages: usize) -> Result<Vec<String>> {
        let path = list.split('?').next().unwrap_or(list);
        let mut walked = vec![list.to_owned()];
        while walked.len() < pages {
            let last = walked.last().map(String::as_str).unwrap_or_default();
            let page = self.open(last).await?;
            let next = addresses(&page, path).into_iter().find(|link| link.contains("after="));
            let Some(next) = next else { break };
            walked.push(next);
        }
        ensure!(walked.len() > 1, "{list} has one page only");
        Ok(walked)
    }
}

/// The addresses in a page that begin so, each once.
fn addresses(page: &str, beginning: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for part in page.split("href=\"").skip(1) {
        let link =
            part.split('"').next().unwrap_or_default().replace("&#38;", "&").replace("&amp;", "&");
        if link.starts_with(beginning) && link.len() > beginning.len() && !found.contains(&link) {
            found.push(link);
        }
    }
    found
}
