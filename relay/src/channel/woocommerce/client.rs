//! One request to one store: paced, authenticated, bounded and logged without secrets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chrono::{DateTime, Utc};
use reqwest::{
    Method, Request, Response,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, HeaderMap, HeaderValue, LOCATION,
        RETRY_AFTER,
    },
};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::{
    Credentials, StoreUrl,
    auth::{self, Stamp, append},
    shape,
};
use crate::channel::{ChannelError, Outbound, Pace, outbound::read_bounded};

/// Largest body of one object.
pub const MAX_OBJECT_BYTES: usize = 2 * 1024 * 1024;
/// Largest body of one page of a listing.
pub const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;
/// Of a refusal only the error code is read.
const MAX_ERROR_BYTES: usize = 64 * 1024;
/// Longest that one request waits for its place; beyond it the caller had better do something else.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a store is left alone that answers 429 without saying how long.
const DEFAULT_PAUSE: Duration = Duration::from_secs(10);
/// A longer `Retry-After` is cut to this, so that a store cannot put itself to sleep for ever.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// A client for one store under one key.
#[derive(Debug)]
pub struct Client {
    outbound: Arc<Outbound>,
    pace: Arc<Pace>,
    store: StoreUrl,
    credentials: Credentials,
    scheme: AtomicU8,
}

/// A whole answer with a status of 2xx.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

/// A refusal, as much of it as tells what to do next.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: ChannelError,
    /// WooCommerce's own error code, where the answer was its JSON.
    pub(super) code: Option<String>,
}

impl From<ChannelError> for Refusal {
    fn from(error: ChannelError) -> Self {
        Self { error, code: None }
    }
}

impl From<Refusal> for ChannelError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

/// How a request shows the key. Over https WooCommerce takes Basic or OAuth, else only OAuth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Scheme {
    Basic = 0,
    OAuth = 1,
}

impl Client {
    /// A client for `store`. It keeps no connection by itself: `outbound` pools them for all.
    #[must_use]
    pub fn new(
        outbound: Arc<Outbound>,
        pace: Arc<Pace>,
        store: StoreUrl,
        credentials: Credentials,
    ) -> Self {
        let scheme = if store.is_https() { Scheme::Basic } else { Scheme::OAuth };
        Self { outbound, pace, store, credentials, scheme: AtomicU8::new(scheme as u8) }
    }

    /// The store that is asked.
    #[must_use]
    pub fn store(&self) -> &StoreUrl {
        &self.store
    }

    /// GET on a REST route. Every read carries `nexpura=1`, which makes our plugin add its facts.
    pub(super) async fn get(
        &self,
        route: &str,
        parameters: &[(&str, String)],
        max_bytes: usize,
    ) -> Result<Answer, Refusal> {
        let mut url = self.store.rest(route);
        let mut query = url.query().unwrap_or_default().to_owned();
        for (name, value) in parameters {
            append(&mut query, name, value);
        }
        append(&mut query, "nexpura", "1");
        url.set_query(Some(&query));

        let scheme = self.scheme();
        let first = self.attempt(route, url.clone(), scheme, max_bytes).await;
        match first {
            Err(refusal) if scheme == Scheme::Basic && key_went_missing(&refusal) => {
                let second = self.attempt(route, url, Scheme::OAuth, max_bytes).await;
                if !matches!(&second, Err(Refusal { error: ChannelError::Unauthorized, .. })) {
                    self.scheme.store(Scheme::OAuth as u8, Ordering::Relaxed);
                }
                second
            }
            other => other,
        }
    }

    async fn attempt(
        &self,
        route: &str,
        url: Url,
        scheme: Scheme,
        max_bytes: usize,
    ) -> Result<Answer, Refusal> {
        let key = self.store.normalised();
        self.pace
            .acquire_within(key, PATIENCE)
            .await
            .map_err(|busy| ChannelError::RateLimited { retry_after: Some(busy.0) })?;
        let request = self.request(url, scheme)?;
        let begun = Instant::now();
        let sent = self.outbound.send(request).await;
        let status = sent.as_ref().map_or(0, |response| response.status().as_u16());
        let outcome = match sent {
            Ok(response) => self.answer(response, max_bytes).await,
            Err(error) => Err(error.into()),
        };
        let ms = begun.elapsed().as_millis();
        let store = self.store.host();
        let failed = outcome.as_ref().err().map(|refusal| &refusal.error);
        tracing::debug!(%store, route, status, ms, failed = ?failed, "asked the store");
        outcome
    }

    fn request(&self, mut url: Url, scheme: Scheme) -> Result<Request, ChannelError> {
        if scheme == Scheme::OAuth {
            auth::sign("GET", &mut url, self.store.scheme(), &self.credentials, &fresh_stamp());
        }
        let mut request = Request::new(Method::GET, url);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if scheme == Scheme::Basic {
            let basic = auth::basic(&self.credentials);
            let mut value = HeaderValue::from_str(basic.expose_secret())
                .map_err(|_| ChannelError::Unauthorized)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    async fn answer(&self, response: Response, max_bytes: usize) -> Result<Answer, Refusal> {
        let status = response.status();
        if status.is_success() {
            let headers = response.headers().clone();
            let body = shape::parse(&read_bounded(response, max_bytes).await?)?;
            return Ok(Answer { headers, body });
        }
        if status.is_redirection() {
            return Err(ChannelError::Redirected { location: location(&response) }.into());
        }
        let retry_after = retry_after(response.headers(), SystemTime::now().into());
        if status == 429 || (status == 503 && retry_after.is_some()) {
            let pause = retry_after.unwrap_or(DEFAULT_PAUSE);
            self.pace.pause_until(self.store.normalised(), Instant::now() + pause);
        }
        let error_body = read_bounded(response, MAX_ERROR_BYTES).await.unwrap_or_default();
        let code = shape::error_code(&error_body);
        let error = match status.as_u16() {
            401 => ChannelError::Unauthorized,
            403 => ChannelError::Forbidden,
            404 => ChannelError::NotFound,
            429 => ChannelError::RateLimited { retry_after },
            status @ 500.. => ChannelError::Server { status },
            status => ChannelError::Rejected {
                status,
                code: code.clone().unwrap_or_else(|| "no code".to_owned()),
            },
        };
        Err(Refusal { error, code })
    }

    fn scheme(&self) -> Scheme {
        if self.scheme.load(Ordering::Relaxed) == Scheme::Basic as u8 {
            Scheme::Basic
        } else {
            Scheme::OAuth
        }
    }
}

/// A 401 that says nothing of the key: the web server dropped the `Authorization` header on the way to
/// PHP, as many do. OAuth in the query gets past that, and unlike the bare key it stays out of the
/// shop's access log as a secret.
fn key_went_missing(refusal: &Refusal) -> bool {
    refusal.error == ChannelError::Unauthorized
        && refusal.code.as_deref() != Some("woocommerce_rest_authentication_error")
}

fn fresh_stamp() -> Stamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Stamp {
        timestamp: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        nonce: uuid::Uuid::new_v4().simple().to_string(),
    }
}

/// How long the store wants to be left alone: seconds or an HTTP date.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wanted = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(text).ok()?;
            (until.to_utc() - now).to_std().unwrap_or_default()
        }
    };
    Some(wanted.min(LONGEST_RETRY_AFTER))
}

/// Where a redirect leads, fit for a message: no query, no credentials, not long.
fn location(response: &Response) -> String {
    let text = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = text.and_then(|text| response.url().join(text).ok());
    let Some(mut target) = target.filter(|url| url.host().is_some()) else {
        return "an unknown address".to_owned();
    };
    target.set_query(None);
    target.set_fragment(None);
    let bare = target.set_username("").and_then(|()| target.set_password(None));
    if bare.is_err() {
        return "an unknown address".to_owned();
    }
    target.as_str().chars().take(200).collect()
}
