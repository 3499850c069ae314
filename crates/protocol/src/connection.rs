//! The connection string: one line that a merchant pastes once.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

/// `https://<connection id>:<secret>@relay.example`, as printed by `nexpura-relay connection create`.
///
/// The id is 64 hexadecimal digits, the secret `whsec_` and 32 bytes in URL-safe base64 without
/// padding, so that nothing in it has to be escaped. `http` is accepted for a loopback relay only: the secret itself never travels, but the events do.
#[derive(Clone)]
pub struct ConnectionString {
    id: String,
    secret: SecretString,
    relay: Url,
}

/// Why a connection string was refused. Each message says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionStringError {
    /// Nothing but white space was given.
    #[error(
        "the connection string is empty: paste the one that Nexpura showed when the connection was made"
    )]
    Empty,
    /// It is no URL at all.
    #[error(
        "this is not a connection string: it must look like https://ID:SECRET@relay.example, copied whole"
    )]
    Malformed,
    /// A scheme other than `https`, or `http` to another machine.
    #[error(
        "the connection string must begin with https:// (http:// only for a relay on this machine)"
    )]
    Insecure,
    /// The id or the secret is missing.
    #[error(
        "the connection string lacks its {0}: copy it again, whole, from where Nexpura showed it"
    )]
    Missing(&'static str),
    /// The id or the secret has the wrong form, usually because a part was lost while copying.
    #[error(
        "the {0} in the connection string is damaged: copy it again, whole, from where Nexpura showed it"
    )]
    Damaged(&'static str),
}

/// Bytes of a connection secret: 256 bits, as many as the HMAC-SHA256 that it keys.
pub const SECRET_BYTES: usize = 32;
/// What a secret begins with (the Standard Webhooks prefix for symmetric secrets).
pub const SECRET_PREFIX: &str = "whsec_";

impl ConnectionString {
    /// Puts a connection string together from its parts.
    #[must_use]
    pub fn new(id: String, secret: SecretString, relay: Url) -> Self {
        Self { id, secret, relay }
    }

    /// Reads a connection string as a person pasted it: white space around it does not matter.
    ///
    /// # Errors
    /// See [`ConnectionStringError`]; the text never contains any part of what was pasted.
    pub fn parse(text: &str) -> Result<Self, ConnectionStringError> {
        use ConnectionStringError as E;
        let text = text.trim();
        if text.is_empty() {
            return Err(E::Empty);
        }
        let mut relay = Url::parse(text).map_err(|_| E::Malformed)?;
        let loopback = match relay.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => return Err(E::Malformed),
        };
        match relay.scheme() {
            "https" => {}
            "http" if loopback => {}
            _ => return Err(E::Insecure),
        }
        let id = relay.username().to_owned();
        if id.is_empty() {
            return Err(E::Missing("connection id"));
        }
        if id.len() != 64 || !id.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()) {
            return Err(E::Damaged("connection id"));
        }
        let secret = relay.password().unwrap_or_default().to_owned();
        if secret.is_empty() {
            return Err(E::Missing("secret"));
        }
        if crate::signature::decode_secret(&secret).is_none_or(|key| key.len() != SECRET_BYTES) {
            return Err(E::Damaged("secret"));
        }
        let cleared = relay.set_username("").and_then(|()| relay.set_password(None));
        if cleared.is_err() {
            return Err(E::Malformed);
        }
        relay.set_query(None);
        relay.set_fragment(None);
        Ok(Self { id, secret: SecretString::from(secret), relay })
    }

    /// The connection id: 64 lower-case hexadecimal digits, no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The shared secret, `whsec_…`, that signs in both directions.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// The relay's address without any credential.
    #[must_use]
    pub fn relay(&self) -> &Url {
        &self.relay
    }

    /// An address on the relay, for example `endpoint("v1/push")`.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}/{path}", self.relay.as_str().trim_end_matches('/'))
    }

    /// The whole string, secret included: for showing it once, never for a log.
    #[must_use]
    pub fn expose(&self) -> String {
        let bare = self.relay.as_str().trim_end_matches('/');
        let (scheme, rest) = bare.split_once("://").unwrap_or(("https", bare));
        format!("{scheme}://{}:{}@{rest}", self.id, self.secret.expose_secret())
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionString({} at {})", self.id, self.relay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0190000000007000800000000000000101900000000070008000000000000002";
    const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    #[test]
    fn a_pasted_string_with_white_space_is_read_and_written_back() {
        let pasted = format!("  https://{ID}:{SECRET}@relay.example \n");
        let read = ConnectionString::parse(&pasted).unwrap();
        assert_eq!(read.id(), ID);
        assert_eq!(read.relay().as_str(), "https://relay.example/");
        assert_eq!(read.endpoint("v1/push"), "https://relay.example/v1/push");
        assert_eq!(ConnectionString::parse(&read.expose()).unwrap().expose(), read.expose());
        assert!(!format!("{read:?}").contains("whsec"));
    }

    #[test]
    fn each_damage_is_told_apart() {
        use ConnectionStringError as E;
        let refused = |text: &str| ConnectionString::parse(text).unwrap_err();
        assert_eq!(refused(" "), E::Empty);
        assert_eq!(refused("hello"), E::Malformed);
        assert_eq!(refused(&format!("http://{ID}:{SECRET}@relay.example")), E::Insecure);
        assert_eq!(refused(&format!("ftp://{ID}:{SECRET}@relay.example")), E::Insecure);
        assert_eq!(refused("https://relay.example"), E::Missing("connection id"));
        assert_eq!(refused(&format!("https://{ID}@relay.example")), E::Missing("secret"));
        assert_eq!(
            refused(&format!("https://abc:{SECRET}@relay.example")),
            E::Damaged("connection id")
        );
        assert_eq!(
            refused(&format!("https://{ID}:whsec_AAEC@relay.example")),
            E::Damaged("secret")
        );
        assert!(ConnectionString::parse(&format!("http://{ID}:{SECRET}@127.0.0.1:7787")).is_ok());
        assert!(ConnectionString::parse(&format!("http://{ID}:{SECRET}@[::1]:7787")).is_ok());
    }
}
