//! What is left over of a long trade: decisions that wait for a person, those that were made, and who did what.

use anyhow::Result;

use super::Trade;

impl Trade<'_> {
    /// Leaves so many of each kind waiting for a person, and as many pushes; ten times as many drifts and conflicts that
    /// are decided, and a hundred times as many entries about who did what. The pieces must be listed and sold, and be
    /// as many.
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
        let conflict = "CASE WHEN n % 2 = 0 THEN 'oversale' ELSE 'never_reduced' END";
        self.run_on_pieces(&format!(
            "INSERT INTO drifts (tenant_id, id, integration_id, listing_id, mirror, reading, status, created_at,
                 resolved_at)
               SELECT {tenant}, {settled}, {store}, l.id, 5000, 4000, CASE n % 3 WHEN 0 THEN 'adopted' WHEN 1 THEN
                 'pushed' ELSE 'void' END, {moment}, {moment} FROM {done} {of_piece};
             INSERT INTO drifts (tenant_id, id, integration_id, listing_id, mirror, reading, status, created_at)
               SELECT {tenant}, {held}, {store}, l.id, 5000, 4000, 'held', {moment} FROM {waiting} {of_piece};
             UPDATE listings SET mirror = mirror - 1000
               WHERE tenant_id = {tenant} AND integration_id = {store} AND stock_id <= 1000000 + {each};
             INSERT INTO stock_pushes (tenant_id, id, integration_id, listing_id, status, attempts, due_at, created_at)
               SELECT {tenant}, {push}, {store}, l.id, 'open', 0, {moment}, {moment} FROM {waiting}
               JOIN listings l ON l.tenant_id = {tenant} AND l.integration_id = {store} AND l.stock_id = 1000000 + n;
             INSERT INTO conflicts (tenant_id, id, kind, inventory_id, sale_id, line_id, quantity, created_at)
               SELECT {tenant}, {open}, {conflict}, v.id, {sale}, 1, 1000, {moment} FROM {waiting} {of};
             INSERT INTO conflicts (tenant_id, id, kind, inventory_id, sale_id, line_id, quantity, created_at,
                 resolved_at, decision)
               SELECT {tenant}, {over}, {conflict}, v.id, {sale}, 1, 1000, {moment}, {moment}, 'acknowledge'
               FROM {done} {of};",
            settled = d.key(&early, '7', "n"),
            held = d.key(&early, '8', "n"),
            open = d.key(&early, '9', "n"),
            over = d.key(&early, 'e', "n"),
            push = d.key(&early, 'd', "n"),
            sale = self.sale("n"),
            of = format!("JOIN numbered AS v ON v.at = 1 + n % {}", self.size.pieces),
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
            "INSERT INTO audit_log (tenant_id, id, actor, action, subject, created_at)
               SELECT {tenant}, {entry}, 'person-' || n % 7 || '@aurelia.example', 'stock.adjusted', 'SKU-' || n, {moment}
               FROM {entries};",
            entry = d.key(&early, 'c', "n"),
            entries = d.numbers(each * 100),
        ))
    }
}
