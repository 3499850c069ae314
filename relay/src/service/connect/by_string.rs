//! A connection string for a shop: made, shown once, and looked after until the shop has used it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{Stream, stream};
use nexpura_protocol::{ConnectionString, signature::encode_secret};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::super::{
    Relay,
    credential::{ConnectionId, random},
    store_client::address,
    vault::Place,
};
use crate::store::{StoreError, TenantId, audit, connections, integrations};

/// How often a connection is looked at while somebody waits for its shop.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A new connection of a tenant. Only the shop at `store_url` may use it, if one is named.
///
/// # Errors
/// When the store's address has no meaning, the relay's own cannot be put into it, or the database does
/// not answer.
pub async fn create(
    relay: &Relay,
    tenant: TenantId,
    store_url: Option<&str>,
    actor: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<(ConnectionId, ConnectionString)> {
    let store_url = store_url.map(|url| address(relay, url, "")).transpose()?;
    let public_url = relay.config.reachable_at()?;
    let secret = encode_secret(&random::<{ nexpura_protocol::connection::SECRET_BYTES }>()?);
    let mut tx = relay.db.write().await?;
    // Random, not by time: it is half of what names the connection to the world.
    let id = ConnectionId { tenant, id: Uuid::new_v4() };
    let place = Place { tenant, table: "connections", row: id.id, field: "secret" };
    let sealed = relay.vault.seal(place, secret.expose_secret())?;
    let pinned = store_url.as_ref().map(|url| url.normalised());
    connections::insert(&mut tx, tenant, id.id, pinned, &sealed, now).await?;
    audit::record(&mut tx, tenant, actor, "connection.created", &id.to_string(), now).await?;
    tx.commit().await?;
    Ok((id, ConnectionString::new(id.to_string(), secret, public_url)))
}

/// How far a connection has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Its shop has not registered yet.
    Waiting,
    /// The shop at this address has.
    Connected(String),
}

/// How far a connection has come; nothing for one that is not there or counts no longer.
///
/// # Errors
/// When the database does not answer.
pub async fn progress(
    relay: &Relay,
    tenant: TenantId,
    connection: Uuid,
) -> Result<Option<Progress>, StoreError> {
    let mut tx = relay.db.read().await?;
    let Some(held) = connections::live(&mut tx, tenant, connection).await? else {
        return Ok(None);
    };
    let store = match held.integration_id {
        Some(id) => integrations::get(&mut tx, tenant, id).await?,
        None => None,
    };
    tx.commit().await?;
    Ok(Some(store.map_or(Progress::Waiting, |store| Progress::Connected(store.store_url))))
}

/// Ends with the shop's address, once it has registered; without one, when the connection is gone or the
/// relay stops.
pub fn wait(relay: Relay, tenant: TenantId, connection: Uuid) -> impl Stream<Item = String> {
    stream::unfold(Some(relay), move |relay| async move {
        let relay = relay?;
        loop {
            match progress(&relay, tenant, connection).await.ok().flatten()? {
                Progress::Connected(store) => return Some((store, None)),
                Progress::Waiting if relay.wake.is_stopping() => return None,
                Progress::Waiting => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    })
}
