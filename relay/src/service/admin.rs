//! What the operator does on the command line.

use anyhow::Context;
use chrono::{DateTime, Utc};
use nexpura_protocol::{ConnectionString, signature::encode_secret};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::{
    Relay,
    accounts::people::{self, Link},
    adjust::OPERATOR,
    connect::by_string,
    credential::{ConnectionId, Token, random},
    vault::Place,
};
use crate::{
    domain::{Email, Role},
    store::{TenantId, audit, connections, secrets, tenants, tokens},
};

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
    let tenant = self::tenant(relay, tenant, now).await?;
    by_string::create(relay, tenant, store_url, OPERATOR, now).await
}

/// Gives a connection another secret. The one before counts on until the shop uses the new one, so that
/// nothing is lost before the new connection string is pasted.
///
/// # Errors
/// When there is no such connection, or the database does not answer.
pub async fn rotate_connection(
    relay: &Relay,
    id: ConnectionId,
    now: DateTime<Utc>,
) -> anyhow::Result<ConnectionString> {
    let public_url = relay.config.reachable_at()?;
    let secret = encode_secret(&random::<{ nexpura_protocol::connection::SECRET_BYTES }>()?);
    let mut tx = relay.db.write().await?;
    let held = connections::live(&mut tx, id.tenant, id.id).await?;
    let held = held.context("there is no connection of this id, or it is revoked")?;
    let place = |field| Place { tenant: id.tenant, table: "connections", row: id.id, field };
    let previous = relay.vault.open(place("secret"), &held.secret)?;
    let previous = relay.vault.seal(place("previous_secret"), previous.expose_secret())?;
    let sealed = relay.vault.seal(place("secret"), secret.expose_secret())?;
    connections::rotate(&mut tx, id.tenant, id.id, &sealed, &previous).await?;
    audit::record(&mut tx, id.tenant, OPERATOR, "connection.rotated", &id.to_string(), now).await?;
    tx.commit().await?;
    Ok(ConnectionString::new(id.to_string(), secret, public_url))
}

/// What sealing everything anew came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Resealed {
    /// Secrets that were sealed anew.
    pub resealed: u64,
    /// Secrets that stood under the first key already.
    pub current: u64,
}

/// Seals every secret under the first master key, a tenant at a time: what is done stays done when it is
/// interrupted.
///
/// # Errors
/// When a secret stands under a key that was not given, or the database does not answer.
pub async fn rotate_vault(relay: &Relay) -> anyhow::Result<Resealed> {
    let mut tx = relay.db.read().await?;
    let tenants = tenants::all(&mut tx).await?;
    tx.commit().await?;
    let mut counts = Resealed::default();
    for tenant in tenants {
        let mut tx = relay.db.write().await?;
        let mut done = Resealed::default();
        for field in secrets::Field::ALL {
            let (table, name) = field.place();
            for (row, sealed) in secrets::all(&mut tx, tenant, field).await? {
                if relay.vault.is_current(&sealed) {
                    done.current += 1;
                    continue;
                }
                let place = Place { tenant, table, row, field: name };
                let secret = relay.vault.open(place, &sealed).with_context(|| {
                    format!("{table}.{name} of row {row} of tenant {tenant} cannot be opened")
                })?;
                let anew = relay.vault.seal(place, secret.expose_secret())?;
                let change = (sealed.as_slice(), anew.as_slice());
                // One that has changed meanwhile was sealed by a running relay, under its own first key.
                done.resealed +=
                    u64::from(secrets::replace(&mut tx, tenant, field, row, change).await?);
            }
        }
        tx.commit().await?;
        counts.resealed += done.resealed;
        counts.current += done.current;
    }
    Ok(counts)
}

/// The tenant of this name, which is made if it is new.
///
/// # Errors
/// When the database does not answer.
pub async fn tenant(relay: &Relay, name: &str, now: DateTime<Utc>) -> anyhow::Result<TenantId> {
    let mut tx = relay.db.write().await?;
    let tenant = tenants::ensure(&mut tx, name, now).await?;
    tx.commit().await?;
    Ok(tenant)
}

/// The tenant of this name, who must be there.
///
/// # Errors
/// When there is none, or the database does not answer.
pub async fn known_tenant(relay: &Relay, name: &str) -> anyhow::Result<TenantId> {
    let mut tx = relay.db.read().await?;
    let tenant = tenants::find(&mut tx, name).await?;
    tx.commit().await?;
    tenant.with_context(|| format!("there is no tenant named {name}"))
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
    audit::record(&mut tx, tenant, OPERATOR, "token.created", label, now).await?;
    tx.commit().await?;
    Ok(token)
}

/// A person's account with a tenant, which is made if it is new: with this password, or else with the
/// link by which they set one.
///
/// # Errors
/// When the e-mail is taken, the password is not good enough, the relay's address cannot be put into a
/// link, or the database does not answer.
pub async fn add_user(
    relay: &Relay,
    tenant_name: &str,
    email: &Email,
    role: Role,
    password: Option<&SecretString>,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<Link>> {
    let tenant = tenant(relay, tenant_name, now).await?;
    Ok(match password {
        Some(password) => {
            people::add_with_password(relay, tenant, email, role, password, OPERATOR, now).await?;
            None
        }
        None => Some(people::invite(relay, tenant, email.as_str(), role, OPERATOR, now).await?),
    })
}

/// A new link for a person to set a password by.
///
/// # Errors
/// When there is no such person, or the database does not answer.
pub async fn renew_link(
    relay: &Relay,
    tenant: &str,
    email: &Email,
    now: DateTime<Utc>,
) -> anyhow::Result<Link> {
    Ok(people::renew_link_of(relay, tenant, email, OPERATOR, now).await?)
}
