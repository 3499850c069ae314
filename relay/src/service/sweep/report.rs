//! What a sweep could not bring over is shown like an event that could not be applied.

use chrono::{DateTime, Utc};
use nexpura_protocol::Verdict;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::store::{StoreError, Tx, inbox, resources::Key, runs};

/// Notes in a run's report what it did not bring over as a matter of course.
pub(super) async fn found(
    tx: &mut Tx,
    run: Uuid,
    key: Key<'_>,
    outcome: &str,
    label: &str,
    reason: &str,
) -> Result<(), StoreError> {
    let finding = runs::Finding {
        resource: key.resource.to_owned(),
        remote_id: key.remote_id,
        outcome: outcome.to_owned(),
        label: label.to_owned(),
        reason: reason.to_owned(),
    };
    runs::find(tx, key.tenant, run, &finding).await
}

/// Keeps one entry a thing, under an id of its own that is the same at every sweep.
pub(super) async fn failed(
    tx: &mut Tx,
    key: Key<'_>,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let topic = format!("{}.updated", key.resource);
    let event_id = id_of(key);
    let arrival = inbox::Arrival {
        event_id,
        spool: "sweep",
        seq: 0,
        topic: &topic,
        resource: key.resource,
        resource_id: key.remote_id,
        rev: None,
        occurred_at: now,
        payload: None,
        facts: None,
    };
    inbox::insert(tx, key.tenant, key.integration, &arrival, now).await?;
    let status = Verdict::Failed;
    inbox::settle(tx, key.tenant, key.integration, event_id, status, Some(reason)).await
}

fn id_of(key: Key<'_>) -> Uuid {
    let name = format!("{}/{}/{}/{}", key.tenant, key.integration, key.resource, key.remote_id);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(name)[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// What people call a thing: its SKU, number or name. No personal data.
pub(super) fn label(item: &Value) -> String {
    let text = |key| item.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let id = item.get("id").and_then(Value::as_i64).unwrap_or_default();
    let told = text("sku").or_else(|| text("number"));
    let named = told.or_else(|| text("name"));
    named.map_or_else(|| format!("#{id}"), |text| text.chars().take(200).collect())
}
