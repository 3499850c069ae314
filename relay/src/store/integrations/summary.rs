//! Every store, for the operator's own command line.

use chrono::{DateTime, Utc};

use crate::store::{StoreError, Tx, fetch};

/// A store as `doctor` shows it.
#[derive(Debug, sqlx::FromRow)]
pub struct Summary {
    /// The tenant's name.
    pub tenant: String,
    /// The home address.
    pub store_url: String,
    /// `connected`, `disconnected` or `error`.
    pub status: String,
    /// Why, for people.
    pub status_reason: Option<String>,
    /// How it reaches us.
    pub mode: String,
    /// Why it is halted, if it is.
    pub forked_reason: Option<String>,
    /// Why stock does not go back to it.
    pub push_trouble: Option<String>,
    /// When it was last joined with the ledger.
    pub last_sync_at: Option<DateTime<Utc>>,
}

/// Every store of every tenant, for the operator's own command line.
///
/// # Errors
/// When the database does not answer.
pub async fn summaries(tx: &mut Tx) -> Result<Vec<Summary>, StoreError> {
    fetch!(
        fetch_all,
        tx,
        Summary,
        "SELECT t.name AS tenant, i.store_url, i.status, i.status_reason, i.mode, i.forked_reason,
            i.push_trouble, i.last_sync_at
         FROM integrations i JOIN tenants t ON t.id = i.tenant_id ORDER BY t.name, i.store_url",
    )
}
