//! WooCommerce's own webhooks, for stores without the extension: set up, looked after, received and
//! removed.
//!
//! A delivery is a touch and nothing more. What a store's webhooks miss, its sweep finds.

mod bring;
mod plan;
mod receive;
mod remove;
mod upkeep;

pub use bring::{Report, setup};
pub use receive::{Received, receive};
pub use remove::{give_up, switch_off, take_away};
pub use upkeep::{after_start, look_after_due, registered};

use nexpura_protocol::event::{Resource, Topic, Verb};
use url::Url;

use super::{credential::ConnectionId, store_client::ClientError};
use crate::{channel::ChannelError, config::Config, store::StoreError};

/// Where deliveries come to, below the relay's public address; the connection's id follows.
pub const DELIVERY_PATH: &str = "/api/integrations/woocommerce/webhook";
/// The same by the name that the integration's other addresses have; the connection is a parameter.
pub const HANDLE_PATH: &str = "/api/integrations/woocommerce/webhooks/handle";

/// What is listened to. WooCommerce has no hook for a customer that comes back.
pub const TOPICS: [Topic; 11] = [
    Topic { resource: Resource::Order, verb: Verb::Created },
    Topic { resource: Resource::Order, verb: Verb::Updated },
    Topic { resource: Resource::Order, verb: Verb::Deleted },
    Topic { resource: Resource::Order, verb: Verb::Restored },
    Topic { resource: Resource::Product, verb: Verb::Created },
    Topic { resource: Resource::Product, verb: Verb::Updated },
    Topic { resource: Resource::Product, verb: Verb::Deleted },
    Topic { resource: Resource::Product, verb: Verb::Restored },
    Topic { resource: Resource::Customer, verb: Verb::Created },
    Topic { resource: Resource::Customer, verb: Verb::Updated },
    Topic { resource: Resource::Customer, verb: Verb::Deleted },
];

/// Why a store's webhooks are not in place.
#[derive(Debug, thiserror::Error)]
pub enum WebhooksError {
    /// There is no such store.
    #[error("there is no such store")]
    Unknown,
    /// It is disconnected.
    #[error("the store is disconnected: connect it first")]
    Disconnected,
    /// Its extension tells of everything already.
    #[error("the store tells of everything by its PHP extension and needs no webhooks")]
    Extension,
    /// Two databases claim to be this store.
    #[error(
        "the store is halted, because two databases claim to be it: a person has to decide first"
    )]
    Halted,
    /// The relay has no address that a shop could deliver to.
    #[error("{0}")]
    NoAddress(String),
    /// Somebody else sets them up at this moment.
    #[error("the store's webhooks are being set up at this moment: look again in a minute")]
    Busy,
    /// The key may read only.
    #[error(
        "the store's key may not make webhooks: connect the store with a read/write key of an administrator or shop manager; until then it is checked every few minutes"
    )]
    ReadOnly,
    /// WooCommerce would not make one, with its code.
    #[error("WooCommerce did not make a webhook ({0})")]
    Refused(String),
    /// The store could not be asked.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// Its key could not be had.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret could not be made, sealed or opened.
    #[error(transparent)]
    Secret(#[from] anyhow::Error),
}

impl WebhooksError {
    /// Whether this is the relay's own failure, which nobody else needs to know of.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Secret(_))
    }
}

/// The address that a connection's webhooks deliver to.
///
/// # Errors
/// When the operator has not said where shops reach the relay, or not over https.
pub fn delivery_url(config: &Config, id: ConnectionId) -> Result<String, WebhooksError> {
    if config.public_url.is_none() {
        return Err(WebhooksError::NoAddress(
            "the relay does not know where shops reach it: set NEXPURA_PUBLIC_URL to its https:// address"
                .to_owned(),
        ));
    }
    let root =
        config.reachable_at().map_err(|error| WebhooksError::NoAddress(error.to_string()))?;
    Ok(format!("{}{DELIVERY_PATH}/{id}", root.as_str().trim_end_matches('/')))
}

/// What an address that a webhook delivers to says of whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Addressee {
    /// This connection of some relay.
    Connection(ConnectionId),
    /// Some relay, without saying which connection.
    Nobody,
}

/// Whose an address is, if it has the shape of one of ours.
fn addressee(url: &Url) -> Option<Addressee> {
    let path = url.path();
    let of = |text: &str| match ConnectionId::parse(text) {
        Some(id) => Some(Addressee::Connection(id)),
        None => text.is_empty().then_some(Addressee::Nobody),
    };
    if let Some((_, rest)) = path.split_once(HANDLE_PATH) {
        let named = url.query_pairs().find(|(name, _)| name == "connection");
        return if rest.is_empty() {
            of(&named.map_or_else(String::new, |(_, id)| id.into_owned()))
        } else {
            None
        };
    }
    let (_, rest) = path.split_once(DELIVERY_PATH)?;
    of(rest.strip_prefix('/').unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_address_of_ours_is_known_by_its_shape_wherever_the_relay_was() {
        let id = ConnectionId { tenant: Uuid::from_u128(7), id: Uuid::from_u128(8) };
        let whose = |text: &str| addressee(&Url::parse(text).unwrap());
        let path = "api/integrations/woocommerce/webhook";
        let mine = Some(Addressee::Connection(id));
        assert_eq!(whose(&format!("https://old.example/{path}/{id}")), mine);
        assert_eq!(whose(&format!("http://127.0.0.1:7787/relay/{path}/{id}")), mine);
        assert_eq!(whose(&format!("https://old.example/{path}s/handle?connection={id}")), mine);
        assert_eq!(whose(&format!("https://old.example/{path}")), Some(Addressee::Nobody));
        assert_eq!(whose(&format!("https://old.example/{path}s/handle")), Some(Addressee::Nobody));
        for other in [
            "https://other.example/".to_owned(),
            format!("https://other.example/{path}/12"),
            format!("https://other.example/{path}/{id}/more"),
            format!("https://other.example/{path}s/setup"),
            format!("https://other.example/?to=/{path}/{id}"),
        ] {
            assert_eq!(whose(&other), None, "{other}");
        }
    }
}
