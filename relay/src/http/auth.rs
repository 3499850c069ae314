//! Who asks. The tenant comes from the credential alone.

use std::time::Instant;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use nexpura_protocol::{
    Verifier, VerifyError,
    signature::{HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, encode_secret},
};
use secrecy::SecretString;
use uuid::Uuid;

use super::{App, CONNECTION, error::ApiError};
use crate::{
    channel::woocommerce::delivery,
    service::{
        credential::{ConnectionId, Token},
        ingest::IngestError,
        vault::Place,
    },
    store::{TenantId, connections, tokens, webhooks},
};

/// A shop whose signature fits.
#[derive(Debug)]
pub(super) struct Shop {
    /// The tenant.
    pub(super) tenant: TenantId,
    /// The connection.
    pub(super) connection: Uuid,
    /// The store that registered with it, if one has.
    pub(super) integration: Option<Uuid>,
}

/// Checks a signed body. An unknown or revoked connection costs the same and answers the same as a
/// signature that does not fit.
pub(super) async fn shop(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Shop, ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let named = text(CONNECTION.as_str()).and_then(ConnectionId::parse);
    let id = named.unwrap_or(ConnectionId { tenant: Uuid::nil(), id: Uuid::nil() });
    let mut tx = app.relay.db.read().await?;
    let held = connections::live(&mut tx, id.tenant, id.id).await?;
    tx.commit().await?;
    let open = |field, sealed: &[u8]| {
        let place = Place { tenant: id.tenant, table: "connections", row: id.id, field };
        app.relay.vault.open(place, sealed).map_err(|error| ApiError::Internal(error.into()))
    };
    let current = match &held {
        Some(held) => open("secret", &held.secret)?,
        // As much work as with a connection that exists, and no secret that could ever fit.
        None => {
            encode_secret(&crate::service::credential::random::<32>().map_err(ApiError::Internal)?)
        }
    };
    let now = crate::store::now().timestamp();
    let verify = |secret: &SecretString| {
        let verifier = Verifier::new([secret]).map_err(|error| ApiError::Internal(error.into()))?;
        let (id, stamp, signature) =
            (text(HEADER_ID), text(HEADER_TIMESTAMP), text(HEADER_SIGNATURE));
        Ok::<_, ApiError>(verifier.verify(id, stamp, signature, body, now))
    };
    let mut verified = verify(&current)?;
    if let Some(held) = &held
        && let Some(previous) = held.previous_secret.as_deref()
    {
        if verified.is_ok() {
            // The shop has its new secret: the one before counts no longer.
            let mut tx = app.relay.db.write().await?;
            connections::forget_previous(&mut tx, id.tenant, id.id).await?;
            tx.commit().await?;
        } else if verified == Err(VerifyError::Signature) {
            verified = verify(&open("previous_secret", previous)?)?;
        }
    }
    let held = match (verified, held) {
        (Ok(()), Some(held)) => held,
        (Err(VerifyError::Stale(_)), Some(_)) => return Err(ApiError::StaleTimestamp),
        _ => return Err(ApiError::Unauthorized),
    };
    app.limits.take(id.id, Instant::now()).map_err(ApiError::TooFast)?;
    Ok(Shop { tenant: id.tenant, connection: id.id, integration: held.integration_id })
}

/// The same for what a shop's own screens ask: a connected store, at people's pace.
pub(super) async fn screen(
    app: &App,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Shop, Uuid), ApiError> {
    let shop = shop(app, headers, body).await?;
    app.screens.take(shop.connection, Instant::now()).map_err(ApiError::TooFast)?;
    let integration = shop.integration.ok_or(IngestError::Unregistered)?;
    Ok((shop, integration))
}

/// A shop whose webhook's delivery is signed.
#[derive(Debug)]
pub(super) struct Deliverer {
    /// The tenant.
    pub(super) tenant: TenantId,
    /// The store.
    pub(super) integration: Uuid,
}

/// Checks the signature of a webhook's delivery to a connection's address. An unknown
/// connection costs the same and answers the same as a signature that does not fit.
pub(super) async fn webhook(
    app: &App,
    connection: &str,
    signature: Option<&str>,
    body: &[u8],
) -> Result<Deliverer, ApiError> {
    let named = ConnectionId::parse(connection);
    let id = named.unwrap_or(ConnectionId { tenant: Uuid::nil(), id: Uuid::nil() });
    let now = crate::store::now();
    let mut tx = app.relay.db.read().await?;
    let held = webhooks::secrets(&mut tx, id.tenant, id.id).await?;
    tx.commit().await?;
    let mut secrets = Vec::with_capacity(2);
    if let Some(held) = &held {
        let row = held.integration_id;
        let open = |field, sealed: &[u8]| {
            let place = Place { tenant: id.tenant, table: "webhook_setups", row, field };
            app.relay.vault.open(place, sealed).map_err(|error| ApiError::Internal(error.into()))
        };
        secrets.push(open("secret", &held.secret)?);
        let counts = held.previous_until.is_none_or(|until| now < until);
        if let Some(previous) = held.previous_secret.as_deref().filter(|_| counts) {
            secrets.push(open("previous_secret", previous)?);
        }
    }
    // Always two, so that nobody can tell how many there are.
    while secrets.len() < 2 {
        let none = crate::service::credential::random::<32>().map_err(ApiError::Internal)?;
        secrets.push(encode_secret(&none));
    }
    let signed = delivery::is_signed(&secrets, signature, body);
    let Some(held) = held.filter(|_| signed) else { return Err(ApiError::Unauthorized) };
    app.limits.take(id.id, Instant::now()).map_err(ApiError::TooFast)?;
    Ok(Deliverer { tenant: id.tenant, integration: held.integration_id })
}

/// The holder of a bearer token.
#[derive(Debug)]
pub(super) struct Bearer {
    /// The tenant.
    pub(super) tenant: TenantId,
    /// The token.
    pub(super) token: Uuid,
}

impl Bearer {
    /// How the audit log names them.
    pub(super) fn actor(&self) -> String {
        format!("token {}", self.token)
    }
}

impl FromRequestParts<App> for Bearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .and_then(Token::parse)
            .ok_or(ApiError::Unauthorized)?;
        let mut tx = app.relay.db.read().await?;
        let live = tokens::live(&mut tx, token.tenant).await?;
        tx.commit().await?;
        let mut fitting = None;
        for (id, hash) in live {
            if token.fits(&hash) {
                fitting = Some(id);
            }
        }
        let id = fitting.ok_or(ApiError::Unauthorized)?;
        app.limits.take(id, Instant::now()).map_err(ApiError::TooFast)?;
        Ok(Self { tenant: token.tenant, token: id })
    }
}
