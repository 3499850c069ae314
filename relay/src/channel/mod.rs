//! Storefronts: how the relay speaks to each, and what can go wrong on the way.

use std::time::Duration;

pub mod address;
pub mod outbound;
pub mod pace;
pub mod woocommerce;

pub use outbound::Outbound;
pub use pace::Pace;

/// A kind of storefront. A new one is one more variant and one more folder beside `woocommerce`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// WooCommerce on WordPress, through its REST API v3.
    WooCommerce,
}

impl Channel {
    /// The word that stands for it in `integrations.type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WooCommerce => "woocommerce",
        }
    }

    /// The channel of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "woocommerce" => Some(Self::WooCommerce),
            _ => None,
        }
    }
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a store could not be asked, or what was wrong with its answer.
///
/// The messages are for the person who runs the store: they name the likely cause and what to do. None
/// holds a key, a query string or anything out of an answer's body but WooCommerce's own error code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// 401: the key is unknown, or its secret is wrong, or it may not read; all ways to show it were tried.
    #[error(
        "the store does not accept the API key (401): it was deleted, its secret is wrong, or it lacks read permission; connect the store again with a read/write key"
    )]
    Unauthorized,
    /// 403: the key's user may not read this, or a firewall stands before the shop.
    #[error(
        "the store refuses the request (403): the key's user must be an administrator or shop manager, and a firewall or security plugin must let the relay through"
    )]
    Forbidden,
    /// 404 that is not about the thing asked for, but about the address: no such REST API there.
    #[error(
        "there is no WooCommerce REST API at this address (404): check the address and its sub-directory, that WooCommerce is active, and that Settings > Permalinks is not \"Plain\""
    )]
    NotFound,
    /// 404 for an address of our own plugin's, where WooCommerce's REST API answers.
    #[error(
        "the Nexpura plugin is not active in the shop (404): activate it under Plugins, or connect the store by its key to push stock without it"
    )]
    NoPlugin,
    /// Our plugin cannot add to a stock and count it at once.
    #[error(
        "the shop's database tables do not use InnoDB (501), without which no stock change is made exactly once: convert them, or ask the shop's host to"
    )]
    NoInnoDb,
    /// 429, or this process's own wait for one: try again after that time.
    #[error("the store asks for fewer requests (429): it is asked again later by itself")]
    RateLimited {
        /// How long the store wants to be left alone, where it says so.
        retry_after: Option<Duration>,
    },
    /// The timetable that all relays share does not answer, so that nobody knows whether it is this one's turn.
    #[error(
        "the relay's own database does not say when the store may be asked: it is asked again later by itself"
    )]
    NoTurn,
    /// 5xx.
    #[error(
        "the store failed with status {status}: it may be overloaded or in maintenance; if it lasts, its PHP error log tells why"
    )]
    Server {
        /// The HTTP status.
        status: u16,
    },
    /// Any other status that refuses what was asked (a 4xx not told apart above).
    #[error(
        "the store rejects the request with status {status} ({code}): a security plugin or an unusual WooCommerce version may be the cause"
    )]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// WooCommerce's error code, or `no code`.
        code: String,
    },
    /// No connection, or one that broke off.
    #[error("the store cannot be reached ({0}): check its address and that the site is up")]
    Unreachable(String),
    /// The host is, or resolves to, an address that is not public and not allowed by the operator.
    #[error(
        "{0} is not a public internet address, so it is not called: use the store's public address, or have the operator allow its network in NEXPURA_ALLOW_PRIVATE_STORES"
    )]
    BlockedAddress(String),
    /// Plain http to an address outside the networks that the operator has allowed.
    #[error(
        "{0} is only asked over https: over http, orders and customers would travel readable for everybody; use an https:// address"
    )]
    PlainHttp(String),
    /// 3xx: redirects are never followed, since they would carry the key elsewhere.
    #[error("the store sends requests on to {location}: use that address as the store's address")]
    Redirected {
        /// Where to, without query.
        location: String,
    },
    /// The answer is larger than anything WooCommerce sends for this.
    #[error(
        "the store's answer is too large: something else than the REST API may answer at this address"
    )]
    TooLarge,
    /// The answer is no JSON: a web page, or PHP messages before the JSON.
    #[error(
        "the store answers with something else than JSON: a login, maintenance or firewall page, or PHP warnings shown before it (set display_errors off)"
    )]
    NotJson,
    /// JSON, but not what WooCommerce sends.
    #[error(
        "the store's answer has the wrong shape ({0}): another plugin may change the REST API, or a cache mixes answers up"
    )]
    WrongShape(String),
    /// No whole answer within the deadline.
    #[error(
        "the store did not answer in time: it may be overloaded, or a firewall swallows the requests"
    )]
    Timeout,
    /// The secure connection could not be made.
    #[error("no secure connection to the store ({0}): have its certificate put right")]
    Tls(String),
}

impl ChannelError {
    /// Whether the same request may well succeed later without anybody doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::NoTurn
                | Self::Server { .. }
                | Self::Unreachable(_)
                | Self::Timeout
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_read_as_it_is_written() {
        assert_eq!(Channel::WooCommerce.to_string(), "woocommerce");
        assert_eq!(Channel::parse("woocommerce"), Some(Channel::WooCommerce));
        assert_eq!(Channel::parse("WooCommerce"), None);
    }

    #[test]
    fn only_what_may_pass_by_itself_is_transient() {
        let passing = [
            ChannelError::RateLimited { retry_after: None },
            ChannelError::NoTurn,
            ChannelError::Server { status: 503 },
            ChannelError::Unreachable("connection refused".into()),
            ChannelError::Timeout,
        ];
        let lasting = [
            ChannelError::Unauthorized,
            ChannelError::Forbidden,
            ChannelError::NotFound,
            ChannelError::NoPlugin,
            ChannelError::NoInnoDb,
            ChannelError::Rejected { status: 400, code: "rest_invalid_param".into() },
            ChannelError::BlockedAddress("localhost".into()),
            ChannelError::PlainHttp("shop.example".into()),
            ChannelError::Redirected { location: "https://www.shop.example/".into() },
            ChannelError::TooLarge,
            ChannelError::NotJson,
            ChannelError::WrongShape("no id".into()),
            ChannelError::Tls("certificate expired".into()),
        ];
        assert!(passing.iter().all(ChannelError::is_transient));
        assert!(!lasting.iter().any(ChannelError::is_transient));
    }
}
