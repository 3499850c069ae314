//! A person connects a store by its address and a WooCommerce key, with or without our plugin.

use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{Relay, Work, credential::ConnectionId, store_client, store_client::address, stores},
    kin, seal, welcome,
};
use crate::{
    channel::{
        ChannelError,
        woocommerce::{Credentials, CredentialsError, Doubt, StoreUrl, StoreUrlError, Verified},
    },
    store::{
        StoreError, TenantId, Tx, connections,
        integrations::{self, Integration},
        keys::{self, ByKey},
        new_id, pushes,
    },
};

/// How long a store may take to show itself: a person waits for the answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a person gives.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// The store's address, in whatever shape.
    pub store_url: String,
    /// `ck_…`.
    pub consumer_key: String,
    /// `cs_…`.
    pub consumer_secret: SecretString,
}

/// What the person is told.
#[derive(Debug, Serialize)]
pub struct Connected {
    /// Always `connected`.
    pub status: &'static str,
    /// The store's key within the tenant.
    pub id: Uuid,
    /// Its address, as the ledger has it.
    pub store: String,
    /// How it reaches us: `extension`, `webhooks` or `sweep`.
    pub mode: String,
    /// Whether the key may write.
    pub writable: bool,
    /// How stock goes back to it, and what that way can and cannot do.
    pub stock_push: stores::StockPush,
    /// The same for people.
    pub message: String,
}

/// Why a store was not connected. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key is not one, or the store refuses it.
    #[error("Invalid API credentials: {0}")]
    Credentials(String),
    /// Nothing that is this store answers at the address.
    #[error("Cannot reach store URL: {0}")]
    Unreachable(String),
    /// Another WooCommerce than the one that is connected.
    #[error(
        "another WooCommerce than before answers at this address: if the shop was built anew, disconnect the store in Nexpura (Integrations), then connect it again and say whose counts hold; its history stays"
    )]
    Another,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret could not be sealed.
    #[error(transparent)]
    Seal(#[from] anyhow::Error),
}

impl From<StoreUrlError> for KeyError {
    fn from(error: StoreUrlError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

impl From<CredentialsError> for KeyError {
    fn from(error: CredentialsError) -> Self {
        Self::Credentials(error.to_string())
    }
}

impl From<Doubt> for KeyError {
    fn from(doubt: Doubt) -> Self {
        match doubt {
            Doubt::Key(why) => Self::Credentials(why.to_owned()),
            Doubt::Store(error) => Self::Unreachable(error.to_string()),
            Doubt::Password => Self::Unreachable(
                "the site asks for a password of its own (401): a staging site's or a security plugin's; let the relay through to /wp-json/".to_owned(),
            ),
        }
    }
}

/// A store that has shown itself, and the key that it takes.
#[derive(Debug)]
pub struct Shown {
    url: StoreUrl,
    rest_root: String,
    credentials: Credentials,
    verified: Verified,
    /// The connection that the plugin there says it has.
    connection: Option<ConnectionId>,
}

/// Asks the store itself whether it is there and takes the key. Nothing is stored. It is asked
/// at this tenant's pace.
///
/// # Errors
/// See [`KeyError`].
pub async fn verify(relay: &Relay, tenant: TenantId, request: &Request) -> Result<Shown, KeyError> {
    let url = address(relay, &request.store_url, "")?;
    let credentials =
        Credentials::parse(&request.consumer_key, request.consumer_secret.expose_secret())?;
    let asking = ask(relay, tenant, &url, &credentials);
    let shown = tokio::time::timeout(PATIENCE, asking).await;
    shown.map_err(|_| KeyError::from(Doubt::Store(ChannelError::Timeout)))?
}

async fn ask(
    relay: &Relay,
    tenant: TenantId,
    url: &StoreUrl,
    credentials: &Credentials,
) -> Result<Shown, KeyError> {
    // Plain permalinks have their REST API elsewhere: such a site answers 404 or its home page here.
    let elsewhere = format!("{}/index.php?rest_route=/", url.normalised());
    let mut refused = None;
    for rest_root in [String::new(), elsewhere] {
        let at = address(relay, url.normalised(), &rest_root)?;
        let client = store_client::stranger(relay, tenant, at, credentials.clone()).await?;
        match client.verify().await {
            Ok(verified) => {
                same_shop(relay, url, &verified.status.home_url)?;
                let told = client.status().await.map_err(Doubt::Store)?;
                let connection = told
                    .filter(|told| told["connected"] == Value::Bool(true))
                    .and_then(|told| ConnectionId::parse(told["connection_id"].as_str()?));
                let (url, credentials) = (url.clone(), credentials.clone());
                return Ok(Shown { url, rest_root, credentials, verified, connection });
            }
            Err(doubt) => {
                let elsewhere =
                    matches!(doubt, Doubt::Store(ChannelError::NotFound | ChannelError::NotJson));
                let first = refused.get_or_insert(doubt);
                if !elsewhere {
                    return Err(first.clone().into());
                }
            }
        }
    }
    Err(refused.unwrap_or(Doubt::Store(ChannelError::NotFound)).into())
}

/// A shop is what it calls itself: a key of one must not stand for another. A shop behind a proxy may
/// not know that it is reached over https.
fn same_shop(relay: &Relay, url: &StoreUrl, home: &str) -> Result<(), KeyError> {
    let bare = |text: &str| {
        text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/').to_owned()
    };
    let told = address(relay, home, "")
        .map_or_else(|_| bare(&home.trim().to_lowercase()), |told| bare(told.normalised()));
    if told == bare(url.normalised()) {
        return Ok(());
    }
    let shown: String = home.chars().filter(|c| !c.is_control()).take(200).collect();
    Err(KeyError::Unreachable(format!(
        "the shop at this address calls itself {shown}: connect it by that address, or put Settings > General right"
    )))
}

/// Keeps a store that has shown itself: a new one, or the one of this address with its history.
///
/// # Errors
/// See [`KeyError`].
pub async fn keep(
    relay: &Relay,
    tenant: TenantId,
    shown: &Shown,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Connected, KeyError> {
    let home = shown.url.normalised();
    let mut tx = relay.db.write().await?;
    let known = match integrations::at_address(&mut tx, tenant, home).await? {
        Some(id) => integrations::lock(&mut tx, tenant, id).await?,
        None => None,
    };
    let id = known.as_ref().map_or_else(new_id, |known| known.id);
    let told_id = shown.verified.status.store_id.as_deref();
    if let Some(known) = &known
        && !kin::goes_on(&mut tx, tenant, known, told_id, now).await?
    {
        return Err(KeyError::Another);
    }
    let woocommerce_id = kin::kept_id(&mut tx, tenant, id, told_id).await?;
    let by_plugin = has_plugin(&mut tx, tenant, id, shown).await?;
    if !by_plugin {
        // The plugin is gone, now or since it said goodbye, and with it the only one who knew what became of its
        // last pushes.
        keys::revoke_connections(&mut tx, tenant, id, now).await?;
        pushes::doubt_numbered(&mut tx, tenant, id, now).await?;
    }
    let mode = mode(known.as_ref(), by_plugin);
    let (key, secret) = seal(relay, tenant, id, &shown.credentials)?;
    let store = ByKey {
        store_url: home,
        rest_root: &shown.rest_root,
        mode,
        config: &config(shown, woocommerce_id.as_deref()),
        consumer_key: &key,
        consumer_secret: &secret,
        writable: shown.verified.writable,
    };
    if known.is_some() {
        keys::renew(&mut tx, tenant, id, &store, now).await?;
    } else {
        keys::insert(&mut tx, tenant, id, &store, now).await?;
    }
    welcome(&mut tx, tenant, id, home, actor, now).await?;
    tx.commit().await?;
    relay.wake.of(Work::Sweep).notify_one();
    relay.wake.of(Work::Webhooks).notify_one();
    relay.wake.of(Work::Push).notify_one();
    let stock_push = stores::StockPush::of(store.writable, by_plugin);
    let message = format!("Connected to {home}. {}", stock_push.for_people());
    let (mode, writable) = (mode.to_owned(), store.writable);
    Ok(Connected {
        status: "connected",
        id,
        store: home.to_owned(),
        mode,
        writable,
        stock_push,
        message,
    })
}

/// Whether the plugin in the shop holds a connection to this very store: else stock goes back without it.
async fn has_plugin(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    shown: &Shown,
) -> Result<bool, StoreError> {
    let Some(told) = shown.connection.filter(|told| told.tenant == tenant) else {
        return Ok(false);
    };
    let held = connections::live(tx, tenant, told.id).await?;
    Ok(held.is_some_and(|held| held.integration_id == Some(id)))
}

/// Webhooks that are set up stay; only the plugin brings the extension.
fn mode(known: Option<&Integration>, by_plugin: bool) -> &'static str {
    match known.map(|known| known.mode.as_str()) {
        Some("extension") if by_plugin => "extension",
        Some("webhooks") => "webhooks",
        _ => "sweep",
    }
}

fn config(shown: &Shown, woocommerce_id: Option<&str>) -> Value {
    let status = &shown.verified.status;
    json!({
        "versions": { "wordpress": status.wordpress, "woocommerce": status.woocommerce },
        "order_storage": status.hpos.map(|hpos| if hpos { "hpos" } else { "legacy" }),
        "currency": status.currency,
        "woocommerce_id": woocommerce_id,
    })
}

/// Asks a connected store anew whether its key still works and what it may do, and notes the answer.
///
/// # Errors
/// See [`KeyError`].
pub async fn test(
    relay: &Relay,
    tenant: TenantId,
    store: &Integration,
    now: DateTime<Utc>,
) -> Result<Connected, KeyError> {
    let client = store_client::client(relay, tenant, store)
        .map_err(|error| KeyError::Credentials(error.to_string()))?;
    let asked = match tokio::time::timeout(PATIENCE, client.verify()).await {
        Ok(asked) => asked.map_err(KeyError::from),
        Err(_) => Err(Doubt::Store(ChannelError::Timeout).into()),
    };
    let asked = match asked {
        Ok(verified) => {
            same_shop(relay, client.store(), &verified.status.home_url).map(|()| verified)
        }
        Err(error) => Err(error),
    };
    let mut tx = relay.db.write().await?;
    let (status, reason) = match &asked {
        Ok(_) => ("connected", None),
        Err(error) => ("error", Some(error.to_string())),
    };
    integrations::set_status(&mut tx, tenant, store.id, status, reason.as_deref(), now).await?;
    if let Ok(verified) = &asked {
        keys::set_writable(&mut tx, tenant, store.id, verified.writable, now).await?;
        if let Some(told) = &verified.status.store_id {
            integrations::learn_woocommerce_id(&mut tx, tenant, store.id, told).await?;
        }
    }
    let by_plugin = connections::newest_secret(&mut tx, tenant, store.id).await?.is_some();
    tx.commit().await?;
    let writable = asked?.writable;
    let stock_push = stores::StockPush::of(writable, by_plugin);
    let message =
        format!("{} answers and takes the key. {}", store.store_url, stock_push.for_people());
    let (url, mode) = (store.store_url.clone(), store.mode.clone());
    Ok(Connected {
        status: "connected",
        id: store.id,
        store: url,
        mode,
        writable,
        stock_push,
        message,
    })
}
