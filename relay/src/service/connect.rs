//! A shop registers with its connection: its key is verified before anything is stored.

pub mod by_key;
pub mod by_string;
pub mod farewell;
mod kin;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Relay, Work,
    store_client::{self, address},
    vault::Place,
    webhooks,
};
use crate::{
    channel::woocommerce::{Credentials, StoreUrl},
    store::{
        StoreError, TenantId, Tx, audit, connections,
        integrations::{self, Integration, Registration},
        new_id, pushes, runs, webhooks as hooks,
    },
};

/// What the plugin sends to register.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// The plugin's own id of the shop, made once.
    pub store_id: Uuid,
    /// The shop's home address.
    pub home_url: String,
    /// Where its REST API answers.
    #[serde(default)]
    pub rest_url: String,
    /// Our own WooCommerce key, made by the plugin.
    pub key: Key,
    /// Versions, for people.
    #[serde(default)]
    pub versions: Versions,
    /// `hpos` or `legacy`.
    #[serde(default)]
    pub order_storage: String,
    /// What its table of pushes counts, empty before the first; absent where the plugin is too old to say.
    #[serde(default)]
    pub pushes: Option<String>,
}

/// A WooCommerce REST key.
#[derive(Debug, Deserialize)]
pub struct Key {
    /// `ck_…`.
    pub consumer_key: String,
    /// `cs_…`.
    pub consumer_secret: SecretString,
}

/// What runs in the shop.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Versions {
    /// Of the plugin.
    pub plugin: String,
    /// Of the extension; absent without it.
    pub extension: Option<String>,
    /// Of WordPress.
    pub wordpress: String,
    /// Of WooCommerce.
    pub woocommerce: String,
    /// Of PHP.
    pub php: String,
}

/// What the shop is told.
#[derive(Debug, Serialize)]
pub struct Connected {
    /// Always `connected`.
    pub status: &'static str,
    /// The store's address, as the ledger has it.
    pub store: String,
    /// `extension`, or `sweep` where there is none.
    pub mode: &'static str,
    /// What the numbers of pushes count from now on. Where the plugin counts something else, it begins anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushes: Option<String>,
}

/// Why a shop could not register.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Something did not hold; a stranger with a connection string learns no more than that.
    #[error(
        "the store could not be verified: its address must be reachable from the relay, and its REST API must answer with the key that was sent"
    )]
    Unverified,
    /// The connection or the store is pinned to another address.
    #[error(
        "this connection belongs to {0}: if the shop has moved, or this is not a copy of it, make a new connection string in Nexpura"
    )]
    Pinned(String),
    /// Another shop is registered at this address.
    #[error(
        "another installation of the plugin, or another WooCommerce, is connected at this address: if the plugin was deleted and installed again, or the shop was built anew, disconnect the store in Nexpura (Integrations), then connect again and say whose counts hold; its history stays"
    )]
    Taken,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret could not be sealed.
    #[error(transparent)]
    Seal(#[from] anyhow::Error),
}

/// Registers the shop that holds this connection.
///
/// # Errors
/// See [`ConnectError`].
pub async fn connect(
    relay: &Relay,
    tenant: TenantId,
    connection: Uuid,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<Connected, ConnectError> {
    let (url, credentials, woocommerce_id) = verify(relay, tenant, request).await?;
    let mode = if request.versions.extension.is_some() { "extension" } else { "sweep" };
    let mut tx = relay.db.write().await?;
    let told = Told { request, url: &url, credentials: &credentials, woocommerce_id, mode };
    let id = register(relay, &mut tx, tenant, connection, &told, now).await?;
    let pushes = one_count(&mut tx, tenant, id, request, now).await?;
    connections::bind(&mut tx, tenant, connection, id, now).await?;
    let actor = format!("connection {connection}");
    welcome(&mut tx, tenant, id, url.normalised(), &actor, now).await?;
    tx.commit().await?;
    relay.wake.of(Work::Sweep).notify_one();
    relay.wake.of(Work::Webhooks).notify_one();
    Ok(Connected { status: "connected", store: url.normalised().to_owned(), mode, pushes })
}

/// Brings both sides to count the same pushes; gives what they count. Where the plugin counts others, or was away
/// while stock went back without it, numbers begin anew: going on from the last that is known here, the next would be
/// one that the shop does not expect, and a shop whose numbers are not those is taken for a restored one. Should this
/// answer be lost, the plugin tells the old count again and gets another.
async fn one_count(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let Some(told) = &request.pushes else { return Ok(None) };
    let ours = pushes::counted(tx, tenant, id).await?;
    if ours.as_ref() == Some(told) {
        return Ok(ours);
    }
    let count = Uuid::new_v4().simple().to_string();
    pushes::begin_count(tx, tenant, id, &count, now).await?;
    Ok(Some(count))
}

/// What follows every connection: all of the store is read, it gets webhooks where it needs them, and the
/// log says who connected it.
async fn welcome(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    home: &str,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let everything = json!({ "everything": true });
    runs::ask(tx, tenant, id, "sweep", &everything, true, now).await?;
    webhooks::registered(tx, tenant, id, now).await?;
    audit::record(tx, tenant, actor, "store.connected", home, now).await
}

/// Seals a store's key for its row: the consumer key, then the secret.
fn seal(
    relay: &Relay,
    tenant: TenantId,
    id: Uuid,
    credentials: &Credentials,
) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let place = |field| Place { tenant, table: "integrations", row: id, field };
    let secret = secrecy::ExposeSecret::expose_secret(&credentials.consumer_secret);
    Ok((
        relay.vault.seal(place("consumer_key"), &credentials.consumer_key)?,
        relay.vault.seal(place("consumer_secret"), secret)?,
    ))
}

/// Whether a REST root lies in the shop's own directory: on one host there may be several shops, and one
/// must not answer for another.
fn lies_within(rest_root: &str, home: &str) -> bool {
    let directory = |text: &str| {
        let path = url::Url::parse(text.trim()).ok()?.path().to_owned();
        Some(if path.ends_with('/') { path } else { format!("{path}/") })
    };
    rest_root.is_empty()
        || directory(rest_root)
            .zip(directory(home))
            .is_some_and(|(rest, home)| rest.starts_with(&home))
}

/// Asks the store itself, with the very key that it sent, whether it is the shop that it says it is.
async fn verify(
    relay: &Relay,
    tenant: TenantId,
    request: &Request,
) -> Result<(StoreUrl, Credentials, Option<String>), ConnectError> {
    let doubt = |why: String| {
        tracing::info!(reason = %why, "a store could not be verified");
        ConnectError::Unverified
    };
    let url = address(relay, &request.home_url, &request.rest_url)
        .map_err(|error| doubt(error.to_string()))?;
    if !lies_within(&request.rest_url, url.normalised()) {
        return Err(doubt("its REST API lies outside its own directory".to_owned()));
    }
    let credentials = Credentials::parse(
        &request.key.consumer_key,
        secrecy::ExposeSecret::expose_secret(&request.key.consumer_secret),
    )
    .map_err(|error| doubt(error.to_string()))?;
    let (at, key) = (url.clone(), credentials.clone());
    let client = store_client::stranger(relay, tenant, at, key).await?;
    let status = client.system_status().await.map_err(|error| doubt(error.to_string()))?;
    let told = address(relay, &status.home_url, "").map_err(|error| doubt(error.to_string()))?;
    if told.normalised() != url.normalised() {
        return Err(doubt("the store has another address for itself".to_owned()));
    }
    Ok((url, credentials, status.store_id))
}

/// What a shop told of itself, verified.
struct Told<'a> {
    request: &'a Request,
    url: &'a StoreUrl,
    credentials: &'a Credentials,
    /// WooCommerce's own id of the shop.
    woocommerce_id: Option<String>,
    mode: &'a str,
}

async fn register(
    relay: &Relay,
    tx: &mut Tx,
    tenant: TenantId,
    connection: Uuid,
    told: &Told<'_>,
    now: DateTime<Utc>,
) -> Result<Uuid, ConnectError> {
    let Told { request, url, credentials, woocommerce_id, mode } = told;
    let (home, told_id) = (url.normalised(), woocommerce_id.as_deref());
    let held = connections::live(tx, tenant, connection).await?.ok_or(ConnectError::Unverified)?;
    if let Some(pinned) = held.store_url.filter(|pinned| pinned != home) {
        return Err(ConnectError::Pinned(pinned));
    }
    let store_id = request.store_id.to_string();
    let known = integrations::find(tx, tenant, &store_id, home).await?;
    if let Some(known) = &known
        && known.store_url != home
    {
        return Err(ConnectError::Pinned(known.store_url.clone()));
    }
    if let Some(bound) = held.integration_id
        && known.as_ref().is_none_or(|known| known.id != bound)
    {
        let pinned = integrations::get(tx, tenant, bound).await?;
        return Err(ConnectError::Pinned(pinned.map_or_else(String::new, |store| store.store_url)));
    }
    let known = match known {
        // Connected by key so far: only WooCommerce tells whether it is that shop.
        Some(known) if known.store_id.is_none() => {
            if !kin::goes_on(tx, tenant, &known, told_id, now).await? {
                return Err(ConnectError::Taken);
            }
            Some(known)
        }
        Some(known) => Some(known),
        None => successor(tx, tenant, home, told_id, now).await?,
    };
    let id = known.as_ref().map_or_else(new_id, |known| known.id);
    let woocommerce_id = kin::kept_id(tx, tenant, id, told_id).await?;
    let (key, secret) = seal(relay, tenant, id, credentials)?;
    let registration = Registration {
        store_id: &store_id,
        store_url: home,
        rest_root: &request.rest_url,
        mode,
        config: &json!({
            "versions": request.versions,
            "order_storage": request.order_storage,
            "woocommerce_id": woocommerce_id,
        }),
        consumer_key: &key,
        consumer_secret: &secret,
    };
    if known.is_some() {
        integrations::renew(tx, tenant, id, &registration, now).await?;
    } else {
        integrations::insert(tx, tenant, id, &registration, now).await?;
    }
    Ok(id)
}

/// The disconnected store at this address, which a new installation goes on with: the plugin was deleted, and its
/// id with it, or the shop was built anew. Nobody can tell which: its products may be others under the same ids, and its
/// orders others or brought over. So it is read as a new shop is: whose count holds of what Nexpura has, a person says.
async fn successor(
    tx: &mut Tx,
    tenant: TenantId,
    home: &str,
    told: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<Integration>, ConnectError> {
    let Some(id) = integrations::at_address(tx, tenant, home).await? else { return Ok(None) };
    let there = integrations::lock(tx, tenant, id).await?;
    let there = there.filter(|store| store.status == "disconnected").ok_or(ConnectError::Taken)?;
    let kin = kin::compare(tx, tenant, id, told).await?;
    kin::read_as_new(tx, tenant, id, kin, now).await?;
    Ok(Some(there))
}

/// What a shop says when it goes: a signed push is no goodbye.
#[derive(Debug, Deserialize)]
pub struct Farewell {
    /// The plugin's own id of the shop.
    pub store_id: Uuid,
}

/// The shop says goodbye: its connection ends, its key is forgotten, all else stays. `false` when it
/// names another shop.
///
/// # Errors
/// When the database does not answer.
pub async fn disconnect(
    relay: &Relay,
    tenant: TenantId,
    connection: Uuid,
    farewell: &Farewell,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let mut tx = relay.db.write().await?;
    let held = connections::live(&mut tx, tenant, connection).await?;
    if let Some(integration) = held.as_ref().and_then(|held| held.integration_id) {
        let store = integrations::get(&mut tx, tenant, integration).await?;
        let named = farewell.store_id.to_string();
        if store.and_then(|store| store.store_id).is_some_and(|store_id| store_id != named) {
            return Ok(false);
        }
    }
    connections::revoke(&mut tx, tenant, connection, now).await?;
    if let Some(integration) = held.and_then(|held| held.integration_id)
        && !connections::has_other(&mut tx, tenant, integration, connection).await?
    {
        // The plugin has removed them in the shop.
        hooks::forget(&mut tx, tenant, integration).await?;
        integrations::disconnect(&mut tx, tenant, integration, now).await?;
    }
    let actor = format!("connection {connection}");
    audit::record(&mut tx, tenant, &actor, "store.disconnected", "", now).await?;
    tx.commit().await?;
    Ok(true)
}
