//! Standard Webhooks signatures: `v1,<base64 HMAC-SHA256 of "id.timestamp.body">`.
//!
//! Source: the Standard Webhooks specification, its header names and its test vectors
//! (<https://www.standardwebhooks.com>). Verifying works on the raw bytes, before anything is parsed.

use std::fmt;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Header with the id of this delivery attempt.
pub const HEADER_ID: &str = "webhook-id";
/// Header with the seconds since 1970 at which the attempt was signed.
pub const HEADER_TIMESTAMP: &str = "webhook-timestamp";
/// Header with one or more signatures, separated by spaces.
pub const HEADER_SIGNATURE: &str = "webhook-signature";
/// Header that names the connection.
pub const HEADER_CONNECTION: &str = "nexpura-connection";
/// How far a timestamp may be off, in seconds, either way.
pub const TOLERANCE_SECONDS: i64 = 300;

const VERSION: &str = "v1";

/// The three headers of a signed delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`, seconds since 1970.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
}

/// Why a delivery is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header is missing or has no meaning.
    #[error("the {0} header is missing or malformed")]
    Header(&'static str),
    /// No signature fits.
    #[error("the signature does not fit")]
    Signature,
    /// A signature fits, but the timestamp is too far off: the sender's clock is wrong.
    #[error("the signature fits, but its timestamp is {0} seconds off")]
    Stale(i64),
}

/// A secret that cannot sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signing secret is not whsec_ followed by base64")]
pub struct SignError;

/// The key bytes of `whsec_<base64>`, or nothing.
///
/// The prefix may be absent. Both alphabets of base64 are read, padded or not: a connection string
/// holds the URL-safe one, Standard Webhooks' own secrets the other.
#[must_use]
pub fn decode_secret(secret: &str) -> Option<Vec<u8>> {
    let text = secret.strip_prefix(crate::connection::SECRET_PREFIX).unwrap_or(secret);
    let url_safe = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    URL_SAFE_NO_PAD.decode(url_safe).ok().filter(|key| !key.is_empty())
}

/// `whsec_<base64>` in the URL-safe alphabet, fit for a connection string.
#[must_use]
pub fn encode_secret(key: &[u8]) -> SecretString {
    let prefix = crate::connection::SECRET_PREFIX;
    SecretString::from(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(key)))
}

/// Signs deliveries under one or, during a rotation, several secrets.
#[derive(Clone)]
pub struct Signer {
    macs: Vec<Hmac<Sha256>>,
}

/// Verifies deliveries against one or, during a rotation, several secrets.
#[derive(Clone)]
pub struct Verifier(Signer);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} secrets)", self.macs.len())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({} secrets)", self.0.macs.len())
    }
}

impl Signer {
    /// A signer for these secrets.
    ///
    /// # Errors
    /// When a secret is not base64.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Result<Self, SignError> {
        let macs = secrets
            .into_iter()
            .map(|secret| {
                let key = decode_secret(secret.expose_secret()).ok_or(SignError)?;
                Hmac::new_from_slice(&key).map_err(|_| SignError)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { macs })
    }

    /// The headers for one delivery attempt of `body` at `timestamp` (seconds since 1970).
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Headers {
        let signature = self
            .macs
            .iter()
            .map(|mac| {
                let code = feed(mac.clone(), id, &timestamp.to_string(), body).finalize();
                format!("{VERSION},{}", STANDARD.encode(code.into_bytes()))
            })
            .collect::<Vec<_>>()
            .join(" ");
        Headers { id: id.to_owned(), timestamp, signature }
    }
}

impl Verifier {
    /// A verifier that accepts any of these secrets.
    ///
    /// # Errors
    /// When a secret is not base64.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Result<Self, SignError> {
        Signer::new(secrets).map(Self)
    }

    /// Checks one delivery at the time `now` (seconds since 1970), in constant time for any signature.
    ///
    /// # Errors
    /// [`VerifyError::Stale`] only where a signature fits, so that a stranger learns nothing from it.
    pub fn verify(
        &self,
        id: Option<&str>,
        timestamp: Option<&str>,
        signature: Option<&str>,
        body: &[u8],
        now: i64,
    ) -> Result<(), VerifyError> {
        let id = id.filter(|id| !id.is_empty()).ok_or(VerifyError::Header(HEADER_ID))?;
        let stamp = timestamp.ok_or(VerifyError::Header(HEADER_TIMESTAMP))?;
        let seconds: i64 = stamp.parse().map_err(|_| VerifyError::Header(HEADER_TIMESTAMP))?;
        let signature = signature.ok_or(VerifyError::Header(HEADER_SIGNATURE))?;

        let mut fits = false;
        for mac in &self.0.macs {
            let mac = feed(mac.clone(), id, stamp, body);
            for candidate in signature.split(' ').take(8) {
                let Some((VERSION, code)) = candidate.split_once(',') else { continue };
                let Ok(code) = STANDARD.decode(code) else { continue };
                fits |= mac.clone().verify_slice(&code).is_ok();
            }
        }
        if !fits {
            return Err(VerifyError::Signature);
        }
        let off = now.saturating_sub(seconds);
        if off.abs() > TOLERANCE_SECONDS {
            return Err(VerifyError::Stale(off));
        }
        Ok(())
    }
}

fn feed(mut mac: Hmac<Sha256>, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}
