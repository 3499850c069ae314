//! Every sealed secret that there is, for sealing it anew. A new column with one is a new line in
//! [`Field::ALL`].

use uuid::Uuid;

use super::{StoreError, TenantId, Tx, execute, fetch};

/// A column that holds sealed secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `integrations.consumer_key`.
    ConsumerKey,
    /// `integrations.consumer_secret`.
    ConsumerSecret,
    /// `connections.secret`.
    Secret,
    /// `connections.previous_secret`.
    PreviousSecret,
    /// `webhook_setups.secret`.
    Webhooks,
    /// `webhook_setups.previous_secret`.
    WebhooksBefore,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::ConsumerKey,
        Self::ConsumerSecret,
        Self::Secret,
        Self::PreviousSecret,
        Self::Webhooks,
        Self::WebhooksBefore,
    ];

    /// Its table and column, as secrets are bound to them.
    #[must_use]
    pub fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::ConsumerKey => ("integrations", "consumer_key"),
            Self::ConsumerSecret => ("integrations", "consumer_secret"),
            Self::Secret => ("connections", "secret"),
            Self::PreviousSecret => ("connections", "previous_secret"),
            Self::Webhooks => ("webhook_setups", "secret"),
            Self::WebhooksBefore => ("webhook_setups", "previous_secret"),
        }
    }
}

/// The secrets in one column of a tenant, each with its row's key.
///
/// # Errors
/// When the database does not answer.
pub async fn all(
    tx: &mut Tx,
    tenant: TenantId,
    field: Field,
) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    let sql = match field {
        Field::ConsumerKey => {
            "SELECT id, consumer_key FROM integrations
             WHERE tenant_id = $1 AND consumer_key IS NOT NULL"
        }
        Field::ConsumerSecret => {
            "SELECT id, consumer_secret FROM integrations
             WHERE tenant_id = $1 AND consumer_secret IS NOT NULL"
        }
        Field::Secret => {
            "SELECT id, secret FROM connections WHERE tenant_id = $1 AND revoked_at IS NULL"
        }
        Field::PreviousSecret => {
            "SELECT id, previous_secret FROM connections
             WHERE tenant_id = $1 AND previous_secret IS NOT NULL AND revoked_at IS NULL"
        }
        Field::Webhooks => {
            "SELECT integration_id, secret FROM webhook_setups
             WHERE tenant_id = $1 AND secret IS NOT NULL"
        }
        Field::WebhooksBefore => {
            "SELECT integration_id, previous_secret FROM webhook_setups
             WHERE tenant_id = $1 AND previous_secret IS NOT NULL"
        }
    };
    fetch!(fetch_all, tx, (Uuid, Vec<u8>), sql, tenant)
}

/// Puts a secret that was sealed anew in the place of the one that was read; `false` when another has
/// taken its place meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn replace(
    tx: &mut Tx,
    tenant: TenantId,
    field: Field,
    row: Uuid,
    (before, after): (&[u8], &[u8]),
) -> Result<bool, StoreError> {
    let sql = match field {
        Field::ConsumerKey => {
            "UPDATE integrations SET consumer_key = $4
             WHERE tenant_id = $1 AND id = $2 AND consumer_key = $3"
        }
        Field::ConsumerSecret => {
            "UPDATE integrations SET consumer_secret = $4
             WHERE tenant_id = $1 AND id = $2 AND consumer_secret = $3"
        }
        Field::Secret => {
            "UPDATE connections SET secret = $4
             WHERE tenant_id = $1 AND id = $2 AND secret = $3"
        }
        Field::PreviousSecret => {
            "UPDATE connections SET previous_secret = $4
             WHERE tenant_id = $1 AND id = $2 AND previous_secret = $3"
        }
        Field::Webhooks => {
            "UPDATE webhook_setups SET secret = $4
             WHERE tenant_id = $1 AND integration_id = $2 AND secret = $3"
        }
        Field::WebhooksBefore => {
            "UPDATE webhook_setups SET previous_secret = $4
             WHERE tenant_id = $1 AND integration_id = $2 AND previous_secret = $3"
        }
    };
    Ok(execute!(tx, sql, tenant, row, before, after)? == 1)
}
