//! Drift: somebody edited a stock in the shop. Whose number counts is the store's policy, unless it would
//! empty too much at once: then a person decides.

use super::{Cursor, Sweep, report};
use crate::{
    service::drift::{TOGETHER, Verdict, carry_out, empties_too_much},
    store::{self, StoreError, Tx, drifts, integrations, listings, resources, resources::Key},
};

impl Sweep<'_> {
    /// Decides the drifts that this run has found.
    pub(super) async fn decide(&self, cursor: &Cursor) -> Result<(), StoreError> {
        let now = store::now();
        let began = cursor.began.unwrap_or(now);
        let (tenant, id) = (self.tenant, self.store.id);
        let mut tx = self.relay.db.write().await?;
        integrations::lock(&mut tx, tenant, id).await?;
        let found = drifts::fresh(&mut tx, tenant, id, began).await?;
        if found.is_empty() {
            return tx.commit().await;
        }
        let verdict = self.policy(&mut tx).await?;
        let empties = found.iter().any(|drift| empties(drift, verdict));
        // What comes little by little counts together: with what waits already, and with what was adopted.
        let adopting = verdict == Verdict::Adopt;
        let emptied = drifts::held_emptying(&mut tx, tenant, id, adopting).await?;
        let before = drifts::emptied_since(&mut tx, tenant, id, now - TOGETHER).await?;
        let open = listings::count_open(&mut tx, tenant, id).await?;
        let too_much = empties && empties_too_much(emptied + before, open);
        // The difference may be an order that is known of and could not be read: nobody may push that back.
        let unread = resources::orders_unread(&mut tx, tenant, id).await?;
        // While a person is asked to look, nothing is decided without that person's word.
        let asked = integrations::held_reason(&mut tx, tenant, id).await?.is_some();
        let hold = too_much || asked || unread > 0;
        for drift in &found {
            self.report(&mut tx, drift).await?;
            // What moved it since it was read has it read again.
            if !hold && !drift.overtaken {
                carry_out(&mut tx, tenant, drift, verdict, None, now).await?;
            }
        }
        if too_much {
            let reason = format!(
                "{emptied} of {open} products would become 0 at once: look at the differences and decide"
            );
            integrations::hold(&mut tx, tenant, id, &reason, now).await?;
        }
        tx.commit().await
    }

    /// Adopting needs an exact account of the shop's sales, which only the plugin gives.
    async fn policy(&self, tx: &mut Tx) -> Result<Verdict, StoreError> {
        let chosen = integrations::policies(tx, self.tenant, self.store.id).await?;
        let adopts = chosen.drift_policy == "adopt" && chosen.mode == "extension";
        Ok(if adopts { Verdict::Adopt } else { Verdict::Push })
    }

    async fn report(&self, tx: &mut Tx, drift: &drifts::Held) -> Result<(), StoreError> {
        let key = Key {
            tenant: self.tenant,
            integration: self.store.id,
            resource: "product",
            remote_id: drift.stock_id,
        };
        let text = |thousandths| crate::domain::Quantity::from_thousandths(thousandths).to_string();
        let (had, should) = (text(drift.reading), text(drift.mirror));
        let reason = format!("the shop had {had} where the ledger expected {should}");
        report::found(tx, self.run.id, key, "drift", &drift.sku, &reason).await
    }
}

/// Whether carrying a verdict out brings a stock that has something to nothing.
fn empties(drift: &drifts::Held, verdict: Verdict) -> bool {
    match verdict {
        Verdict::Push => drift.reading > 0 && drift.quantity <= 0,
        Verdict::Adopt => drift.mirror > 0 && drift.reading <= 0,
    }
}
