//! The client of one store, with its key out of the vault.

use std::sync::Arc;

use super::{
    Relay,
    vault::{OpenError, Place},
};
use crate::{
    channel::{
        pace::{Lane, Paced},
        woocommerce::{Client, Credentials, CredentialsError, StoreUrl, StoreUrlError},
    },
    store::{
        StoreError, TenantId,
        connections::Newest,
        integrations::{self, Integration},
    },
};
use nexpura_protocol::{Signer, signature::SignError};
use secrecy::ExposeSecret;

/// Why a store cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It is disconnected.
    #[error("the store has no key: connect it again")]
    NoKey,
    /// Its key is sealed under another master key, or damaged.
    #[error(transparent)]
    Vault(#[from] OpenError),
    /// Its stored address has no meaning any more.
    #[error(transparent)]
    Url(#[from] StoreUrlError),
    /// Its stored key has no meaning any more.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// Its connection's secret has no meaning any more.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// The client of a connected store.
///
/// # Errors
/// See [`ClientError`].
pub fn client(relay: &Relay, tenant: TenantId, store: &Integration) -> Result<Client, ClientError> {
    let sealed = |field: &'static str, value: &Option<Vec<u8>>| {
        let place = Place { tenant, table: "integrations", row: store.id, field };
        let value = value.as_deref().ok_or(ClientError::NoKey)?;
        Ok::<_, ClientError>(relay.vault.open(place, value)?)
    };
    let key = sealed("consumer_key", &store.consumer_key)?;
    let secret = sealed("consumer_secret", &store.consumer_secret)?;
    let credentials = Credentials::parse(key.expose_secret(), secret.expose_secret())?;
    let url = address(relay, &store.store_url, &store.rest_root)?;
    let pace = Paced::new(&relay.pace, Lane::Store { tenant, store: store.id });
    Ok(Client::new(Arc::clone(&relay.outbound), pace, url, credentials))
}

/// What signs requests to a shop's plugin: during a rotation under both secrets, since the shop may know
/// only one of them.
///
/// # Errors
/// See [`ClientError`].
pub fn signer(relay: &Relay, tenant: TenantId, connection: &Newest) -> Result<Signer, ClientError> {
    let open = |field, sealed: &[u8]| {
        let place = Place { tenant, table: "connections", row: connection.id, field };
        relay.vault.open(place, sealed)
    };
    let mut secrets = vec![open("secret", &connection.secret)?];
    if let Some(previous) = &connection.previous_secret {
        secrets.push(open("previous_secret", previous)?);
    }
    Ok(Signer::new(&secrets)?)
}

/// A client for a store that is to be connected: at the pace of the tenant's store at this address, or, where
/// it has none there, at the pace of those who only try.
///
/// # Errors
/// When the database does not answer.
pub async fn stranger(
    relay: &Relay,
    tenant: TenantId,
    url: StoreUrl,
    credentials: Credentials,
) -> Result<Client, StoreError> {
    let mut tx = relay.db.read().await?;
    let known = integrations::at_address(&mut tx, tenant, url.normalised()).await?;
    tx.commit().await?;
    let lane = match known {
        Some(store) => Lane::Store { tenant, store },
        None => Lane::Probe { tenant, host: url.host() },
    };
    let pace = Paced::new(&relay.pace, lane);
    Ok(Client::new(Arc::clone(&relay.outbound), pace, url, credentials))
}

/// A store's address. Plain http is for stores in networks that the operator has allowed; whether this
/// one is in such a network is decided at every call, when its name is resolved.
///
/// # Errors
/// When it is none, or http without any allowed network.
pub fn address(relay: &Relay, url: &str, rest_root: &str) -> Result<StoreUrl, StoreUrlError> {
    let allow_http = !relay.config.allow_private_stores.is_empty();
    let url = StoreUrl::parse(url, allow_http)?;
    if rest_root.is_empty() { Ok(url) } else { url.with_rest_root(rest_root) }
}
