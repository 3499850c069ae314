//! The relay's tables at PostgreSQL itself: the statements of an event by hand.

use std::fs;

use anyhow::{Context, Result};
use nexpura_tests::relay::Relay;
use serde_json::Value;

/// How long pgbench runs, in seconds.
const SECONDS: u32 = 10;

/// An event of three lines as somebody would write it who knows the tables: each change its statement, prepared.
/// `{payload}` is its representation. Other than the relay it looks nothing up, keeps no digest and takes no lock.
const EVENT: &str = r"
\set order random(1000000000, 100000000000)
\set one random(0, 59)
\set two random(0, 59)
\set three random(0, 59)
BEGIN;
INSERT INTO inbox (tenant_id, integration_id, event_id, spool, seq, topic, resource, resource_id, rev, occurred_at,
    received_at, status, payload, facts, attempts)
  SELECT tenant_id, id, gen_random_uuid(), 'by hand', 1, 'order.created', 'order', :order, 1, now(), now(), 'applied',
    '{payload}', NULL, 0 FROM integrations;
INSERT INTO resources (tenant_id, integration_id, resource, remote_id, rev, arrived, arrived_at, attempts)
  SELECT tenant_id, id, 'order', :order, 1, 1, now(), 0 FROM integrations
  ON CONFLICT (tenant_id, integration_id, resource, remote_id) DO UPDATE SET arrived = resources.arrived + 1;
INSERT INTO sales (tenant_id, id, integration_id, external_id, order_key, number, status, stock_flag, gone, currency,
    prices_include_tax, shipping, shipping_tax, fees, fees_tax, discount, discount_tax, tax, rounding, total, refunded,
    payment_method, payment_title, transaction_id, details, created_at, updated_at)
  SELECT tenant_id, gen_random_uuid(), id, :order, 'by hand', :order, 'processing', TRUE, FALSE, 'GBP', FALSE, 0, 0, 0,
    0, 0, 0, 0, 0, 1, 0, '', '', '', '{}', now(), now() FROM integrations
  RETURNING id AS sale \gset
INSERT INTO sale_items (tenant_id, sale_id, line_id, integration_id, product_id, variation_id, stock_id, name, quantity,
    subtotal, subtotal_tax, total, total_tax, desired, posted, gone)
  SELECT tenant_id, :sale, line, id, 1, 0, 1, 'a ring', 1000, 1, 0, 1, 0, 1000, 1000, FALSE
  FROM integrations, generate_series(1, 3) AS line;
UPDATE inventory SET quantity = quantity - 1000, changes = changes + 1, updated_at = now()
  WHERE tenant_id = (SELECT tenant_id FROM integrations) AND sku IN ('PIECE-' || :one, 'PIECE-' || :two, 'PIECE-' || :three);
INSERT INTO stock_movements (tenant_id, id, inventory_id, movement_type, quantity_change, notes, integration_id,
    sale_id, line_id, created_at)
  SELECT v.tenant_id, gen_random_uuid(), v.id, 'sale', -1000, '', i.id, :sale, 1, now()
  FROM integrations i JOIN inventory v ON v.tenant_id = i.tenant_id
  WHERE v.sku IN ('PIECE-' || :one, 'PIECE-' || :two, 'PIECE-' || :three);
UPDATE listings SET changes = changes + 1, mirror = mirror - 1000
  WHERE (tenant_id, inventory_id) IN (SELECT v.tenant_id, v.id FROM integrations i
    JOIN inventory v ON v.tenant_id = i.tenant_id
    WHERE v.sku IN ('PIECE-' || :one, 'PIECE-' || :two, 'PIECE-' || :three));
END;
";

/// How many events a second PostgreSQL takes when the statements come from pgbench.
pub(crate) fn rate(relay: &Relay, order: &Value) -> Result<f64> {
    let script = relay.folder().join("by-hand.sql");
    // A colon would begin one of pgbench's variables.
    let payload = order.to_string().replace('\'', "''").replace(':', ";");
    fs::write(&script, EVENT.replace("{payload}", &payload))?;
    let printed = relay.pgbench(&script, SECONDS)?;
    let rate = printed.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = rate.and_then(|rest| rest.split(' ').next()).context("pgbench told no tps")?;
    Ok(rate.parse()?)
}
