//! The runs of a long trade, and what each of them did not take over.

use anyhow::Result;

use super::Trade;

/// Of the checks that a shop gets by itself, one of so many found something.
const FOUND: u64 = 20;
/// So many of the newest runs have a report still.
const KEPT: u64 = 1_000;
/// What each of them did not take over.
const EACH: u64 = 20;

impl Trade<'_> {
    /// So many runs that have ended: imports, comparisons, and every second one a check of the shop, most of which found
    /// nothing. The newest thousand have reports, and that of the newest import of products has so many findings. One of
    /// ten of them failed, the others were skipped.
    ///
    /// # Errors
    /// With the database's message.
    pub fn report(&self, runs: u64, findings: u64) -> Result<()> {
        let (tenant, store, d) = (&self.tenant, &self.store, self.database);
        // The last one is an import of products.
        let last = (runs - runs % 8).max(8);
        let at = self.at(&format!("(n * {} / {last})", self.size.movements));
        let (run, moment) = (d.key(&at, 'b', "n"), d.moment(&at));
        let told = format!("(n % 2 = 0 OR n % {FOUND} = 1)");
        let left =
            format!("CASE WHEN n = {last} THEN {findings} WHEN {told} THEN {EACH} ELSE 0 END");
        let finding = |of: &str, each: u64| {
            format!(
                "INSERT INTO run_findings (tenant_id, run_id, resource, remote_id, outcome, label, reason)
                   SELECT {tenant}, {run}, 'product', 1000000 + m,
                     CASE WHEN m % 10 = 0 THEN 'failed' ELSE 'skipped' END, 'SKU-' || m, 'it has no price'
                   FROM {numbers} CROSS JOIN (SELECT n AS m FROM {each}) AS found WHERE {of};",
                numbers = d.numbers(last),
                each = d.numbers(each),
            )
        };
        self.run(&format!(
            "INSERT INTO sync_runs (tenant_id, id, integration_id, kind, cursor, due_at, attempts, seen, total, synced,
                 unchanged, skipped, failed, created_at, finished_at)
               SELECT {tenant}, {run}, {store}, CASE n % 8 WHEN 0 THEN 'products' WHEN 2 THEN 'customers' WHEN 4 THEN
                 'orders' WHEN 6 THEN 'reconcile' ELSE 'sweep' END, '{{}}', {moment}, 0, runs.found + 100,
                 runs.found + 100, 0, 100, runs.found - runs.found / 10, runs.found / 10, {moment}, {moment}
               FROM (SELECT n, {left} AS found FROM {numbers}) AS runs;
             {of_most} {of_last}",
            numbers = d.numbers(last),
            of_most = finding(&format!("n > {last} - {KEPT} AND n < {last} AND {told}"), EACH),
            of_last = finding(&format!("n = {last}"), findings),
        ))
    }
}
