//! What each spool has sent, and what it said is still to come.

use chrono::{DateTime, Utc};
use nexpura_protocol::SpoolState;
use uuid::Uuid;

use super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch};

/// What a push says of its spool.
#[derive(Debug)]
pub struct Report<'a> {
    /// The connection it came by.
    pub connection: Uuid,
    /// The spool's own id.
    pub spool: &'a str,
    /// The first and the last `seq` of the push, if it had events.
    pub span: Option<(i64, i64)>,
    /// What is still to come.
    pub state: SpoolState,
}

/// Keeps the report; `true` when something of the shop's may be missing: a push that did not begin
/// where the last one ended, or a spool that was never seen, after others were.
///
/// # Errors
/// When the database does not answer.
pub async fn report(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    report: &Report<'_>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let (first, last) = report.span.unwrap_or((0, 0));
    let (others, known) = fetch!(
        fetch_one,
        tx,
        (i64, Option<i64>),
        "SELECT COUNT(*), MAX(CASE WHEN connection_id = $3 AND id = $4 THEN last_seq END)
         FROM spools WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
        report.connection,
        report.spool,
    )?;
    // A shop's clock may be wrong; what lies ahead says nothing of how long something waits.
    let oldest = report.state.oldest_unsent_at.filter(|at| *at > 0);
    let oldest = oldest.and_then(|at| DateTime::from_timestamp(at, 0)).filter(|at| *at <= now);
    let gap = first > known.unwrap_or(0).saturating_add(1);
    execute!(
        tx,
        "INSERT INTO spools (tenant_id, connection_id, id, integration_id, last_seq, gaps, unsent,
            open_intents, oldest_unsent_at, reported_at, created_at)
         VALUES ($1, $2, $3, $4, $6, CASE WHEN $5 > 1 THEN 1 ELSE 0 END, $7, $8, $10, $9, $9)
         ON CONFLICT (tenant_id, connection_id, id) DO UPDATE SET
            integration_id = $4,
            gaps = spools.gaps + CASE WHEN $5 - 1 > spools.last_seq THEN 1 ELSE 0 END,
            last_seq = CASE WHEN $6 > spools.last_seq THEN $6 ELSE spools.last_seq END,
            unsent = $7, open_intents = $8, oldest_unsent_at = $10, reported_at = $9",
        tenant,
        report.connection,
        report.spool,
        integration,
        first,
        last,
        i64::try_from(report.state.unsent).unwrap_or(i64::MAX),
        i64::try_from(report.state.open_intents).unwrap_or(i64::MAX),
        now,
        oldest,
    )?;
    Ok(gap || (known.is_none() && others > 0))
}

/// How many spools, heard of since `live`, have not said since `quiet` that nothing is to come.
///
/// # Errors
/// When the database does not answer.
pub async fn restless(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    live: DateTime<Utc>,
    quiet: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let (count,) = fetch!(
        fetch_one,
        tx,
        (i64,),
        "SELECT COUNT(*) FROM spools
         WHERE tenant_id = $1 AND integration_id = $2 AND reported_at >= $3
           AND (reported_at <= $4 OR unsent > 0 OR open_intents > 0)",
        tenant,
        integration,
        live,
        quiet,
    )?;
    Ok(count)
}

/// What a store's spools have still to send, by their own last word.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Waiting {
    /// Events that are not sent.
    pub unsent: i64,
    /// When the oldest of them happened, where the shop says so.
    pub oldest_unsent_at: Option<DateTime<Utc>>,
    /// Requests in the shop that have not ended.
    pub open_intents: i64,
    /// When the last of them was heard of.
    pub reported_at: DateTime<Utc>,
}

/// What a store's spools have still to send; those that are silent since `live` count no longer. Nothing
/// where none was ever heard of.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    live: DateTime<Utc>,
) -> Result<Option<Waiting>, StoreError> {
    fetch!(
        fetch_optional,
        tx,
        Waiting,
        "SELECT CAST(SUM(CASE WHEN reported_at >= $3 THEN unsent ELSE 0 END) AS BIGINT) AS unsent,
            CAST(SUM(CASE WHEN reported_at >= $3 THEN open_intents ELSE 0 END) AS BIGINT)
                AS open_intents,
            MIN(CASE WHEN reported_at >= $3 AND unsent > 0 THEN oldest_unsent_at END)
                AS oldest_unsent_at,
            MAX(reported_at) AS reported_at
         FROM spools WHERE tenant_id = $1 AND integration_id = $2 HAVING COUNT(*) > 0",
        tenant,
        integration,
        live,
    )
}
