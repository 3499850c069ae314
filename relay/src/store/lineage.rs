//! The chain of nonces that tells one shop's database from its copies.

use chrono::{DateTime, Utc};

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// What a nonce says about the database it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It follows what was known, or begins the chain.
    Fits,
    /// Nothing known precedes it: another database, or one restored from before.
    UnknownPrevious,
    /// The same nonce has another successor already: two databases go on from one.
    SecondNext,
}

/// Adds a link to the chain and says whether it fits.
///
/// # Errors
/// When the database does not answer.
pub async fn link(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    previous: &str,
    next: &str,
    now: DateTime<Utc>,
) -> Result<Link, StoreError> {
    let known = fetch!(
        fetch_optional,
        tx,
        (String,),
        "SELECT next FROM lineage WHERE tenant_id = $1 AND integration_id = $2 AND previous = $3",
        tenant,
        integration,
        previous,
    )?;
    if let Some((known,)) = known {
        return Ok(if known == next { Link::Fits } else { Link::SecondNext });
    }
    let (links, preceded) = fetch!(
        fetch_one,
        tx,
        (i64, i64),
        "SELECT COUNT(*), COUNT(CASE WHEN next = $3 THEN 1 END) FROM lineage
         WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
        previous,
    )?;
    if links > 0 && preceded == 0 {
        return Ok(Link::UnknownPrevious);
    }
    execute!(
        tx,
        "INSERT INTO lineage (tenant_id, integration_id, previous, next, received_at)
         VALUES ($1, $2, $3, $4, $5)",
        tenant,
        integration,
        previous,
        next,
        now,
    )?;
    Ok(Link::Fits)
}

/// Forgets the chain: the next nonce begins another.
///
/// # Errors
/// When the database does not answer.
pub async fn begin_anew(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "DELETE FROM lineage WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
    )
    .map(drop)
}
