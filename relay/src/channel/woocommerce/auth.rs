//! A WooCommerce API key, and how a request shows it: Basic over https, OAuth 1.0a where that is not.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::utf8_percent_encode;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use url::Url;

use super::url::UNRESERVED;

/// A consumer key and its secret.
#[derive(Clone)]
pub struct Credentials {
    /// `ck_` and 40 hexadecimal digits: names the key, and is no secret by itself.
    pub consumer_key: String,
    /// `cs_` and 40 hexadecimal digits.
    pub consumer_secret: SecretString,
}

/// Why a key was refused. No message holds any part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// One of them is empty.
    #[error("the {0} is empty: WooCommerce shows both once, when the key is made")]
    Missing(&'static str),
    /// The secret was pasted as the key or the other way round.
    #[error(
        "consumer key and consumer secret are swapped: the key begins with ck_, the secret with cs_"
    )]
    Swapped,
    /// Not the form that WooCommerce makes, usually because a part was lost while copying.
    #[error(
        "the {0} is damaged: it is {1} followed by 40 letters and digits; copy it again, whole"
    )]
    Damaged(&'static str, &'static str),
}

impl Credentials {
    /// Reads a key and its secret as pasted; white space around them does not matter.
    ///
    /// # Errors
    /// See [`CredentialsError`].
    pub fn parse(consumer_key: &str, consumer_secret: &str) -> Result<Self, CredentialsError> {
        use CredentialsError as E;
        let (key, secret) = (consumer_key.trim(), consumer_secret.trim());
        if key.is_empty() {
            return Err(E::Missing("consumer key"));
        }
        if secret.is_empty() {
            return Err(E::Missing("consumer secret"));
        }
        if key.starts_with("cs_") && secret.starts_with("ck_") {
            return Err(E::Swapped);
        }
        if !has_form(key, "ck_") {
            return Err(E::Damaged("consumer key", "ck_"));
        }
        if !has_form(secret, "cs_") {
            return Err(E::Damaged("consumer secret", "cs_"));
        }
        Ok(Self { consumer_key: key.to_owned(), consumer_secret: SecretString::from(secret) })
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tail: String = self.consumer_key.chars().rev().take(7).collect();
        write!(f, "Credentials(…{})", tail.chars().rev().collect::<String>())
    }
}

/// WooCommerce makes 40 hexadecimal digits (`wc_rand_hash`); some importers make other letters.
fn has_form(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == 40 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// What makes one OAuth request unlike every other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Unix seconds; WooCommerce takes 15 minutes either way.
    pub timestamp: i64,
    /// Never used twice with one key; letters and digits.
    pub nonce: String,
}

/// The value of the `Authorization` header for Basic authentication: a secret.
#[must_use]
pub(super) fn basic(credentials: &Credentials) -> SecretString {
    let pair =
        format!("{}:{}", credentials.consumer_key, credentials.consumer_secret.expose_secret());
    SecretString::from(format!("Basic {}", STANDARD.encode(pair)))
}

/// Appends OAuth 1.0a one-legged parameters (RFC 5849, HMAC-SHA256) to a URL's query.
///
/// `signed_scheme` is the scheme the shop believes in: behind a proxy that ends TLS without telling
/// PHP, WooCommerce checks the signature over `http` although the request came by https.
///
/// WooCommerce checks it in `WC_REST_Authentication::check_oauth_signature`: over the method, the
/// address without query, and all parameters sorted by name, each name and value percent-encoded, then
/// each `name=value` once more; the key is the consumer secret and an `&`.
///
/// # Errors
/// `Damaged` when the secret cannot key an HMAC; that of a parsed [`Credentials`] always can.
pub fn sign(
    method: &str,
    url: &mut Url,
    signed_scheme: &str,
    credentials: &Credentials,
    stamp: &Stamp,
) -> Result<(), CredentialsError> {
    let oauth = [
        ("oauth_consumer_key", credentials.consumer_key.clone()),
        ("oauth_nonce", stamp.nonce.clone()),
        ("oauth_signature_method", "HMAC-SHA256".to_owned()),
        ("oauth_timestamp", stamp.timestamp.to_string()),
    ];
    let mut parameters: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    parameters.extend(oauth.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let base = signature_base(method, url, signed_scheme, parameters);
    let key = format!("{}&", credentials.consumer_secret.expose_secret());
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map_err(|_| CredentialsError::Damaged("consumer secret", "cs_"))?;
    mac.update(base.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());

    let mut query = url.query().unwrap_or_default().to_owned();
    let signature = ("oauth_signature", signature);
    for (name, value) in oauth.iter().chain([&signature]) {
        append(&mut query, name, value);
    }
    url.set_query(Some(&query));
    Ok(())
}

/// Appends one parameter to a query, encoded as RFC 3986 has it (a space is `%20`, never `+`).
pub(super) fn append(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.extend(utf8_percent_encode(name, UNRESERVED));
    query.push('=');
    query.extend(utf8_percent_encode(value, UNRESERVED));
}

/// The text that is signed (RFC 5849, section 3.4.1). Parameters are sorted before they are encoded, as
/// WooCommerce does; that is the RFC's order for names of unreserved characters, and we send no other.
fn signature_base(
    method: &str,
    url: &Url,
    signed_scheme: &str,
    mut parameters: Vec<(String, String)>,
) -> String {
    parameters.sort();
    let mut query = String::new();
    for (name, value) in &parameters {
        append(&mut query, name, value);
    }
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let address = format!("{signed_scheme}://{host}{port}{}", url.path());
    format!(
        "{}&{}&{}",
        method.to_ascii_uppercase(),
        utf8_percent_encode(&address, UNRESERVED),
        utf8_percent_encode(&query, UNRESERVED),
    )
}

#[cfg(test)]
mod tests;
