//! One request to one store: paced, authenticated, bounded and logged without secrets.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::{
    Method, Request, Response,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, DATE, HeaderMap,
        HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
    },
};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::{
    Credentials, StoreUrl,
    auth::{self, Stamp, append},
    manner::{MEMORY, Manner, Refusal, Scheme, Search},
    shape,
};
use crate::channel::{
    ChannelError, Outbound,
    outbound::read_bounded,
    pace::{LONGEST_PAUSE, Paced},
};

/// Largest body of one object.
pub const MAX_OBJECT_BYTES: usize = 2 * 1024 * 1024;
/// Largest body of one page of a listing.
pub const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;
/// Of a refusal only the error code is read.
const MAX_ERROR_BYTES: usize = 64 * 1024;
/// Longest that one request waits for its place; beyond it the caller had better do something else.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a store is left alone that answers 429 without saying how long, or not at all.
const DEFAULT_PAUSE: Duration = Duration::from_secs(10);

/// A client for one store under one key.
#[derive(Debug)]
pub struct Client {
    outbound: Arc<Outbound>,
    pace: Paced,
    store: StoreUrl,
    credentials: Credentials,
}

/// Makes the headers of a delivery that is signed at this time, in seconds since 1970.
pub(super) type SignAt<'a> = dyn Fn(i64) -> Vec<(&'static str, String)> + Sync + 'a;

/// What is asked, however the key is shown.
struct Call<'a> {
    url: Url,
    body: Option<Vec<u8>>,
    sign: &'a SignAt<'a>,
}

/// A whole answer with a status of 2xx.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    /// By how many seconds the store's clock was ahead of ours when it answered, if it said so.
    pub(super) clock_ahead: Option<i64>,
    pub(super) body: Value,
}

impl Client {
    /// A client for `store`. It keeps no connection by itself: `outbound` pools them for all.
    #[must_use]
    pub fn new(
        outbound: Arc<Outbound>,
        pace: Paced,
        store: StoreUrl,
        credentials: Credentials,
    ) -> Self {
        Self { outbound, pace, store, credentials }
    }

    /// The same for a long listing, which lets other work at the store go first.
    #[must_use]
    pub fn in_bulk(self) -> Self {
        Self { pace: self.pace.in_bulk(), ..self }
    }

    /// The store that is asked.
    #[must_use]
    pub fn store(&self) -> &StoreUrl {
        &self.store
    }

    /// The last seven characters of the consumer key, by which WooCommerce shows a key to people.
    #[must_use]
    pub fn key_ending(&self) -> &str {
        let key = self.consumer_key();
        &key[key.len().saturating_sub(7)..]
    }

    pub(super) fn consumer_key(&self) -> &str {
        &self.credentials.consumer_key
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
        self.persist(route, &Call { url, body: None, sign: &|_| Vec::new() }, max_bytes).await
    }

    /// POST of JSON to a REST route, with the headers that `sign` makes for the shop's own time.
    pub(super) async fn post(
        &self,
        route: &str,
        body: Vec<u8>,
        sign: &SignAt<'_>,
        max_bytes: usize,
    ) -> Result<Answer, Refusal> {
        let call = Call { url: self.store.rest(route), body: Some(body), sign };
        self.persist(route, &call, max_bytes).await
    }

    /// Makes a call, in another manner where the store did not see the key.
    async fn persist(
        &self,
        route: &str,
        call: &Call<'_>,
        max_bytes: usize,
    ) -> Result<Answer, Refusal> {
        let (store, key) = (self.store.normalised(), self.credentials.consumer_key.as_str());
        let remembered = MEMORY.recall(store, key);
        let mut search = Search::from(remembered, self.store.is_https());
        loop {
            let outcome = self.attempt(route, call, search.current(), max_bytes).await;
            match &outcome {
                Ok(_) => {
                    let worked = search.is_unusual().then(|| search.current());
                    if worked != remembered {
                        MEMORY.remember(store, key, worked);
                    }
                }
                Err(refusal) if search.goes_on_after(refusal) => continue,
                Err(_) => {}
            }
            return outcome;
        }
    }

    async fn attempt(
        &self,
        route: &str,
        call: &Call<'_>,
        manner: Manner,
        max_bytes: usize,
    ) -> Result<Answer, Refusal> {
        self.pace.acquire(PATIENCE).await.map_err(ChannelError::from)?;
        let request = self.request(call, manner, Utc::now())?;
        let begun = Instant::now();
        let sent = self.outbound.send(request).await;
        let status = sent.as_ref().map_or(0, |response| response.status().as_u16());
        let outcome = match sent {
            Ok(response) => self.answer(response, max_bytes).await,
            Err(error) => Err(error.into()),
        };
        if matches!(&outcome, Err(refusal) if refusal.error == ChannelError::Timeout) {
            // It has more to do than it can: asking on would only add to that.
            self.pace.pause(DEFAULT_PAUSE).await;
        }
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let store = self.store.host();
        let failed = outcome.as_ref().err().map(|refusal| tracing::field::debug(&refusal.error));
        tracing::debug!(store, route, status, ms, failed, "asked the store");
        outcome
    }

    fn request(
        &self,
        call: &Call<'_>,
        manner: Manner,
        now: DateTime<Utc>,
    ) -> Result<Request, ChannelError> {
        let method = if call.body.is_some() { Method::POST } else { Method::GET };
        let mut url = call.url.clone();
        let signed_scheme = match manner.scheme {
            Scheme::Basic => None,
            Scheme::OAuth => Some(self.store.scheme()),
            Scheme::OAuthAsHttp => Some("http"),
        };
        if let Some(scheme) = signed_scheme {
            let stamp = Stamp {
                timestamp: now.timestamp() + manner.clock_offset,
                nonce: uuid::Uuid::new_v4().simple().to_string(),
            };
            auth::sign(method.as_str(), &mut url, scheme, &self.credentials, &stamp)
                .map_err(|_| ChannelError::Unauthorized)?;
        }
        let mut request = Request::new(method, url);
        if let Some(body) = &call.body {
            *request.body_mut() = Some(body.clone().into());
        }
        let headers = request.headers_mut();
        if call.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in (call.sign)(now.timestamp() + manner.clock_offset) {
            let value = HeaderValue::from_str(&value).map_err(|_| ChannelError::Unauthorized)?;
            headers.insert(HeaderName::from_static(name), value);
        }
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if manner.scheme == Scheme::Basic {
            let basic = auth::basic(&self.credentials);
            let mut value = HeaderValue::from_str(basic.expose_secret())
                .map_err(|_| ChannelError::Unauthorized)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    async fn answer(&self, response: Response, max_bytes: usize) -> Result<Answer, Refusal> {
        let (status, now) = (response.status(), Utc::now());
        let clock_ahead = date(response.headers()).map(|shop| (shop - now).num_seconds());
        if status.is_success() {
            let headers = response.headers().clone();
            let body = shape::parse(&read_bounded(response, max_bytes).await?)?;
            return Ok(Answer { headers, clock_ahead, body });
        }
        if status.is_redirection() {
            return Err(ChannelError::Redirected { location: location(&response) }.into());
        }
        let retry_after = retry_after(response.headers(), now);
        if status == 429 || (status == 503 && retry_after.is_some()) {
            let pause = retry_after.unwrap_or(DEFAULT_PAUSE);
            self.pace.pause(pause).await;
        }
        // A refusal is one whatever follows it: a body that cannot be read only loses the code.
        let body = read_bounded(response, MAX_ERROR_BYTES).await.unwrap_or_default();
        let code = shape::error_code(&body);
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
        Err(Refusal { error, code, clock_ahead })
    }
}

/// How long the store wants to be left alone: seconds or an HTTP date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wanted = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(text).ok()?;
            (until.to_utc() - now).to_std().unwrap_or_default()
        }
    };
    Some(wanted.min(LONGEST_PAUSE))
}

fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let text = headers.get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|date| date.to_utc())
}

/// Where a redirect leads, fit for a message: no query, no credentials, not long.
fn location(response: &Response) -> String {
    const UNKNOWN: &str = "an unknown address";
    let text = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = text.and_then(|text| response.url().join(text).ok());
    let Some(mut target) = target.filter(|url| matches!(url.scheme(), "http" | "https")) else {
        return UNKNOWN.to_owned();
    };
    target.set_query(None);
    target.set_fragment(None);
    if target.set_username("").and_then(|()| target.set_password(None)).is_err() {
        return UNKNOWN.to_owned();
    }
    target.as_str().chars().take(200).collect()
}
