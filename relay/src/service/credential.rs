//! Connection ids, API tokens, sessions and one-time links: each begins with its tenant, so that a look-up
//! never crosses tenants.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::store::TenantId;

const TOKEN_BYTES: usize = 32;

/// A connection id: the tenant and the connection, 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionId {
    /// The tenant.
    pub tenant: TenantId,
    /// The connection's key within it.
    pub id: Uuid,
}

impl ConnectionId {
    /// Reads a connection id; nothing for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (tenant, id) = text.split_at_checked(32)?;
        let lower = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if text.len() != 64 || !lower {
            return None;
        }
        Some(Self { tenant: Uuid::try_parse(tenant).ok()?, id: Uuid::try_parse(id).ok()? })
    }
}

impl std::fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.tenant.simple(), self.id.simple())
    }
}

/// What a token opens. One kind is never taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// The machine API, as a bearer token.
    Api,
    /// The panel, as a cookie.
    Session,
    /// Setting one person's password, as a link.
    Link,
}

impl Use {
    fn prefix(self) -> &'static str {
        match self {
            Self::Api => "nxt_",
            Self::Session => "nxs_",
            Self::Link => "nxl_",
        }
    }
}

/// A secret that names its tenant: `nxt_<tenant>_<secret>`.
#[derive(Debug)]
pub struct Token {
    /// The tenant.
    pub tenant: TenantId,
    text: SecretString,
}

impl Token {
    /// A new token of a tenant for the API.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn create(tenant: TenantId) -> anyhow::Result<Self> {
        Self::create_for(Use::Api, tenant)
    }

    /// Reads a token for the API; nothing for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_for(Use::Api, text)
    }

    /// A new token of a tenant for this use.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn create_for(to: Use, tenant: TenantId) -> anyhow::Result<Self> {
        let secret = URL_SAFE_NO_PAD.encode(random::<TOKEN_BYTES>()?);
        let text = format!("{}{}_{secret}", to.prefix(), tenant.simple());
        Ok(Self { tenant, text: SecretString::from(text) })
    }

    /// Reads a token for this use; nothing for any other text.
    #[must_use]
    pub fn parse_for(to: Use, text: &str) -> Option<Self> {
        let (tenant, secret) = text.strip_prefix(to.prefix())?.split_once('_')?;
        let whole = URL_SAFE_NO_PAD.decode(secret).ok()?.len() == TOKEN_BYTES;
        let tenant = Uuid::try_parse(tenant).ok()?;
        whole.then(|| Self { tenant, text: SecretString::from(text) })
    }

    /// What is kept of it. The secret has 256 random bits, so a plain hash is enough.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.text.expose_secret()).to_vec()
    }

    /// Whether this is the token of which `hash` was kept, compared in constant time.
    #[must_use]
    pub fn fits(&self, hash: &[u8]) -> bool {
        self.hash().ct_eq(hash).into()
    }

    /// The token itself, for showing it once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }
}

/// Bytes from the system's random numbers.
///
/// # Errors
/// When it gives none.
pub fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_id_is_read_as_it_is_written_and_nothing_else_is() {
        let id = ConnectionId { tenant: Uuid::now_v7(), id: Uuid::now_v7() };
        assert_eq!(ConnectionId::parse(&id.to_string()), Some(id));
        for text in
            ["", "abc", &id.to_string()[1..], &id.to_string().to_uppercase(), &"é".repeat(32)]
        {
            assert_eq!(ConnectionId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_fits_its_own_hash_only() {
        let tenant = Uuid::now_v7();
        let token = Token::create(tenant).unwrap();
        let read = Token::parse(token.expose()).unwrap();
        assert_eq!(read.tenant, tenant);
        assert!(read.fits(&token.hash()));
        assert!(!read.fits(&Token::create(tenant).unwrap().hash()));
        assert!(!read.fits(b""));
        for text in ["", "nxt_", "nxt_x_y", "Bearer", &token.expose()[..50]] {
            assert!(Token::parse(text).is_none(), "{text}");
        }
        let session = Token::create_for(Use::Session, tenant).unwrap();
        assert!(Token::parse_for(Use::Session, session.expose()).is_some());
        for other in [Use::Api, Use::Link] {
            assert!(Token::parse_for(other, session.expose()).is_none(), "{other:?}");
        }
    }
}
