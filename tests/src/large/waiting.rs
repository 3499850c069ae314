//! What is left over of a long trade: decisions that wait for a person, runs, and who did what.

use anyhow::Result;

use super::Trade;

impl Trade<'_> {
    /// Leaves so many of each kind waiting for a person, as many pushes, ten times as many drifts and runs that are done with, and a
    /// hundred times as many entries about who did what. The pieces must be listed and sold.
    ///
    /// # Errors
    /// With the database's message.
    pub fn leave_waiting(&self, each: u64) -> Result<()> {
        let (tenant, store, d) = (&self.tenant, &self.store, self.database);
        let at = |number: &str| {
            self.at(&format!("({number} * {})", self.size.movements / (each * 100).max(1)))
        };
        let (early, moment) = (at("n"), d.moment(&at("n")));
        let (done, waiting) = (d.numbers(each * 10), d.numbers(each));
        let of_piece = format!(
            "JOIN numbered AS v ON v.at = 1 + n % {} \
             JOIN listings l ON l.tenant_id = {tenant} AND l.integration_id = {store} AND l.stock_id = v.stock_id",
            self.size.pieces
        );
        self.run_on_pieces(&format!(
            "INSERT INTO drifts (tenant_id, id, integration_id, listing_id, mirror, reading, status, created_at,
                 resolved_at)
               SELECT {tenant}, {settled}, {store}, l.id, 5000, 4000, 'pushed', {moment}, {moment} FROM {done} {of_piece};
             INSERT INTO drifts (tenant_id, id, integration_id, listing_id, mirror, reading, status, created_at)
               SELECT {tenant}, {held}, {store}, l.id, 5000, 4000, 'held', {moment} FROM {waiting} {of_piece};
             UPDATE listings SET mirror = mirror - 1000
               WHERE tenant_id = {tenant} AND integration_id = {store} AND stock_id <= 1000000 + {each};
             INSERT INTO stock_pushes (tenant_id, id, integration_id, listing_id, status, attempts, due_at, created_at)
               SELECT {tenant}, {push}, {store}, l.id, 'open', 0, {moment}, {moment} FROM {waiting}
               JOIN listings l ON l.tenant_id = {tenant} AND l.integration_id = {store} AND l.stock_id = 1000000 + n;
             INSERT INTO conflicts (tenant_id, id, kind, inventory_id, sale_id, line_id, quantity, created_at)
               SELECT {tenant}, {conflict}, CASE WHEN n % 2 = 0 THEN 'oversale' ELSE 'never_reduced' END, v.id, {sale}, 1,
                 1000, {moment} FROM {waiting} JOIN numbered AS v ON v.at = 1 + n % {of};",
            settled = d.key(&early, '7', "n"),
            held = d.key(&early, '8', "n"),
            conflict = d.key(&early, '9', "n"),
            push = d.key(&early, 'd', "n"),
            sale = self.sale("n"),
            of = self.size.pieces,
        ))?;
        if let Some([_, market]) = &self.others {
            self.run_on_pieces(&format!(
                "INSERT INTO products (tenant_id, integration_id, remote_id, stock_id, kind, sku, name, status, gone,
                     updated_at)
                   SELECT {tenant}, {market}, n, n, 'simple', v.sku, v.name, 'publish', FALSE, {moment}
                   FROM {waiting} JOIN numbered AS v ON v.at = 1 + n % {of};
                 INSERT INTO listings (tenant_id, id, integration_id, stock_id, state, reason, backorders, changes,
                     created_at, updated_at)
                   SELECT {tenant}, {listing}, {market}, n, 'waiting', 'whose count holds?', FALSE, 0, {moment}, {moment}
                   FROM {waiting};",
                of = self.size.pieces,
                listing = d.key(&early, 'a', "n"),
            ))?;
        }
        self.run(&format!(
            "INSERT INTO sync_runs (tenant_id, id, integration_id, kind, cursor, due_at, attempts, seen, synced, unchanged,
                 skipped, failed, created_at, finished_at)
               SELECT {tenant}, {run}, {store}, CASE n % 4 WHEN 0 THEN 'products' WHEN 1 THEN 'orders' WHEN 2 THEN
                 'reconcile' ELSE 'sweep' END, '{{}}', {moment}, 0, 100, 0, 100, 0, 0, {moment}, {moment} FROM {done};
             INSERT INTO audit_log (tenant_id, id, actor, action, subject, created_at)
               SELECT {tenant}, {entry}, 'person-' || n % 7 || '@aurelia.example', 'stock.adjusted', 'SKU-' || n, {moment}
               FROM {entries};",
            run = d.key(&early, 'b', "n"),
            entry = d.key(&early, 'c', "n"),
            entries = d.numbers(each * 100),
        ))
    }
}
