//! What the operator does on the command line.

use chrono::{DateTime, Utc};
use nexpura_protocol::{ConnectionString, signature::encode_secret};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{
    Relay,
    credential::{ConnectionId, Token, random},
    store_client::address,
    vault::Place,
};
use crate::{
    domain::Email,
    store::{audit, connections, tenants, tokens},
};

const ACTOR: &str = "command line";

/// A new connection of a tenant, which is made if it is new.
///
/// # Errors
/// When the store's address has no meaning, or the database does not answer.
pub async fn create_connection(
    relay: &Relay,
    tenant: &str,
    store_url: Option<&str>,
    now: DateTime<Utc>,
) -> anyhow::Result<(ConnectionId, ConnectionString)> {
    let store_url = store_url.map(|url| address(relay, url, "")).transpose()?;
    let public_url = relay.config.reachable_at()?;
    let secret = encode_secret(&random::<{ nexpura_protocol::connection::SECRET_BYTES }>()?);
    let mut tx = relay.db.write().await?;
    let tenant = tenants::ensure(&mut tx, tenant, now).await?;
    // Random, not by time: it is half of what names the connection to the world.
    let id = ConnectionId { tenant, id: Uuid::new_v4() };
    let place = Place { tenant, table: "connections", row: id.id, field: "secret" };
    let sealed = relay.vault.seal(place, secret.expose_secret())?;
    let pinned = store_url.as_ref().map(|url| url.normalised());
    connections::insert(&mut tx, tenant, id.id, pinned, &sealed, now).await?;
    audit::record(&mut tx, tenant, ACTOR, "connection.created", &id.to_string(), now).await?;
    tx.commit().await?;
    Ok((id, ConnectionString::new(id.to_string(), secret, public_url)))
}

/// A new API token of a tenant, which is made if it is new.
///
/// # Errors
/// When the database does not answer.
pub async fn create_token(
    relay: &Relay,
    tenant: &str,
    label: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<Token> {
    let mut tx = relay.db.write().await?;
    let tenant = tenants::ensure(&mut tx, tenant, now).await?;
    let token = Token::create(tenant)?;
    tokens::insert(&mut tx, tenant, &token.hash(), label, now).await?;
    audit::record(&mut tx, tenant, ACTOR, "token.created", label, now).await?;
    tx.commit().await?;
    Ok(token)
}

/// A person's account.
///
/// # Errors
/// When the e-mail is none or taken, or the database does not answer.
pub async fn add_user(
    relay: &Relay,
    tenant: &str,
    email: &Email,
    role: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut tx = relay.db.write().await?;
    let tenant = tenants::ensure(&mut tx, tenant, now).await?;
    let added = tenants::add_user(&mut tx, tenant, email.as_str(), role, now).await?;
    anyhow::ensure!(added, "{} has an account with this tenant already", email.as_str());
    audit::record(&mut tx, tenant, ACTOR, "user.added", email.as_str(), now).await?;
    tx.commit().await?;
    Ok(())
}
