//! What became of a push that was sent.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    super::{IntegrationId, StoreError, TenantId, Tx, execute, fetch, fetch_many, inventory},
    Attempt, Push,
};

/// Those pushes that are still in hand under the claim that they were sent under. What the shop answers of another
/// counts for nothing: whoever has claimed it since asks for itself. The caller holds the store's lock.
///
/// # Errors
/// When the database does not answer.
pub async fn held(
    tx: &mut Tx,
    tenant: TenantId,
    claimed: &[Push],
) -> Result<HashSet<Uuid>, StoreError> {
    let rows = fetch_many!(
        tx,
        (Uuid,),
        "WITH sent (tenant, push, claim) AS (VALUES ($1, $2, $3))
         SELECT p.id FROM sent JOIN stock_pushes p ON p.tenant_id = sent.tenant AND p.id = sent.push
         WHERE p.claims = sent.claim AND p.status = 'open'",
        claimed,
        push => [tenant, push.id, push.claim]
    );
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Remembers what is about to be written without the plugin.
///
/// # Errors
/// When the database does not answer.
pub async fn remember(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    attempt: Attempt,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE stock_pushes SET reading = $3, target = $4
         WHERE tenant_id = $1 AND id = $2 AND status = 'open'",
        tenant,
        id,
        attempt.reading,
        attempt.target,
    )
    .map(drop)
}

/// Why a listing is pushed nothing more for now.
const DOUBT: &str = "the shop's stock moved while it was written: it is read until it is sure, nothing is pushed before";

/// Ends a push of which nobody can say whether it was written. Its listing is pushed nothing more until
/// a settled reading says what the shop has.
///
/// # Errors
/// When the database does not answer.
pub async fn doubt(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    listing: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    finish(tx, tenant, id, "void", Some(DOUBT), now).await?;
    execute!(
        tx,
        "UPDATE listings SET doubted_at = $3, reason = $4, reading = NULL, reading_at = NULL,
            reading_changes = NULL, changes = changes + 1
         WHERE tenant_id = $1 AND id = $2 AND state = 'open'",
        tenant,
        listing,
        now,
        DOUBT,
    )
    .map(drop)
}

/// Doubts every push that only the plugin could have spoken of, now that it is gone. Numbers begin anew when it
/// comes back: it may never have heard of the last.
///
/// # Errors
/// When the database does not answer.
pub async fn doubt_numbered(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let numbered = fetch!(
        fetch_all,
        tx,
        (Uuid, Uuid),
        "SELECT id, listing_id FROM stock_pushes
         WHERE tenant_id = $1 AND integration_id = $2 AND status = 'open' AND push_no IS NOT NULL",
        tenant,
        integration,
    )?;
    for (id, listing) in numbered {
        doubt(tx, tenant, id, listing, now).await?;
    }
    count(tx, tenant, integration, None).await
}

/// What the numbers of a store's pushes count, as the plugin keeps them; nothing where it has not heard of them.
///
/// # Errors
/// When the database does not answer.
pub async fn counted(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
) -> Result<Option<String>, StoreError> {
    let row = fetch!(
        fetch_optional,
        tx,
        (Option<String>,),
        "SELECT push_count FROM integrations WHERE tenant_id = $1 AND id = $2",
        tenant,
        integration,
    )?;
    Ok(row.and_then(|(count,)| count))
}

/// Begins the numbers of a store's pushes anew, under another name; the plugin has to be told of it. What had a
/// number is doubted.
///
/// # Errors
/// When the database does not answer.
pub async fn begin_count(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    doubt_numbered(tx, tenant, integration, now).await?;
    execute!(
        tx,
        "UPDATE listings SET push_no = 0 WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        integration,
    )?;
    count(tx, tenant, integration, Some(name)).await
}

async fn count(
    tx: &mut Tx,
    tenant: TenantId,
    integration: IntegrationId,
    name: Option<&str>,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE integrations SET push_count = $3 WHERE tenant_id = $1 AND id = $2",
        tenant,
        integration,
        name,
    )
    .map(drop)
}

/// Ends a push that the shop has refused for good; its number goes to the next.
///
/// # Errors
/// When the database does not answer.
pub async fn refused(
    tx: &mut Tx,
    tenant: TenantId,
    push: &Push,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if finish(tx, tenant, push.id, "void", Some(reason), now).await? {
        execute!(
            tx,
            "UPDATE listings SET push_no = push_no - 1
             WHERE tenant_id = $1 AND id = $2 AND push_no = $3",
            tenant,
            push.listing_id,
            push.push_no,
        )?;
    }
    Ok(())
}

/// The shop has it: the mirror follows.
///
/// The piece is held before the push ends. Somebody who moves it meanwhile has compared its quantity with
/// the mirror of before and found nothing to ask for, or found this push still open.
///
/// # Errors
/// When the database does not answer.
pub async fn acknowledge(
    tx: &mut Tx,
    tenant: TenantId,
    push: &Push,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, StoreError> {
    inventory::hold_listed(tx, tenant, push.listing_id).await?;
    if !finish(tx, tenant, push.id, "done", None, now).await? {
        return Ok(None);
    }
    let row = fetch!(
        fetch_optional,
        tx,
        (Option<Uuid>,),
        "UPDATE listings SET mirror = mirror + $3, changes = changes + 1
         WHERE tenant_id = $1 AND id = $2 RETURNING inventory_id",
        tenant,
        push.listing_id,
        push.delta,
    )?;
    Ok(row.and_then(|(inventory,)| inventory))
}

/// Ends a push; `false` when it had ended before.
///
/// # Errors
/// When the database does not answer.
pub async fn finish(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    status: &str,
    detail: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let ended = execute!(
        tx,
        "UPDATE stock_pushes SET status = $3, detail = $4, finished_at = $5, leased_until = NULL
         WHERE tenant_id = $1 AND id = $2 AND status = 'open'",
        tenant,
        id,
        status,
        detail,
        now,
    )?;
    Ok(ended == 1)
}

/// Puts a push back, frozen as it is, to be sent again at `at`.
///
/// # Errors
/// When the database does not answer.
pub async fn put_back(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    at: DateTime<Utc>,
    detail: &str,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "UPDATE stock_pushes SET due_at = $3, leased_until = NULL, attempts = attempts + 1,
            detail = $4
         WHERE tenant_id = $1 AND id = $2 AND status = 'open'",
        tenant,
        id,
        at,
        detail,
    )
    .map(drop)
}
