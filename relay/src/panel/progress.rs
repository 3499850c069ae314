//! How a run gets on, and what it came to, in words; live over server-sent events.

use axum::response::sse::Event;
use futures::{Stream, StreamExt};
use serde::Serialize;

use super::show;
use crate::{
    service::{desk::Run, runs::Kind},
    store::runs::Shown,
};

/// What the page's script is told.
#[derive(Debug, Serialize)]
struct Told {
    text: String,
    seen: i64,
    total: Option<i64>,
}

/// How a run gets on.
pub(super) fn running(run: &Shown) -> String {
    let seen = show::count(&run.seen);
    let of = run.total.map_or_else(String::new, |total| format!(" of {}", show::count(&total)));
    match run.kind.as_str() {
        "inventory" => format!("Pushing inventory: {seen}{of}"),
        "reconcile" => format!("Comparing with the shop: {seen}{of}"),
        "sweep" => format!("Reading the shop: {seen}{of}"),
        kind => format!("Importing {kind}: {seen}{of}"),
    }
}

/// What a run came to: whether it is well, and the words of it.
pub(super) fn outcome(run: &Run) -> (bool, String) {
    let Shown { synced, skipped, failed, error, .. } = &run.run;
    if let Some(error) = error {
        return (false, format!("{}: {error}. It is tried again by itself.", name(&run.run)));
    }
    if let Some((label, reason)) = &run.failure {
        let more = match failed - 1 {
            0 => String::new(),
            more => format!(" ({} more)", show::count(&more)),
        };
        return (false, format!("{}: {label}: {reason}{more}", name(&run.run)));
    }
    let items = if *synced == 1 { "item" } else { "items" };
    let (synced, skipped) = (show::count(synced), show::count(skipped));
    (true, format!("✓ Synced {synced} {items}, {skipped} skipped"))
}

/// Every kind of run, and what it is called.
pub(super) const KINDS: [(&str, &str); 6] = [
    ("products", "Import products"),
    ("customers", "Import customers"),
    ("orders", "Import orders"),
    ("inventory", "Push inventory"),
    ("reconcile", "Compare with the shop"),
    ("sweep", "Check the shop"),
];

/// What a run is called.
pub(super) fn name(run: &Shown) -> &'static str {
    KINDS.iter().find(|(kind, _)| *kind == run.kind).map_or("Check the shop", |(_, name)| name)
}

/// How a run stands or ended: a tone, and a word or two.
pub(super) fn ending(run: &Shown) -> (&'static str, String) {
    match (&run.error, run.finished_at, run.failed) {
        (Some(_), None, _) => ("bad", "Waits".to_owned()),
        (_, None, _) => ("calm", "Under way".to_owned()),
        (_, Some(_), 0) => ("good", "Done".to_owned()),
        (_, Some(_), failed) => ("bad", format!("{} failed", show::count(&failed))),
    }
}

/// The kind that an address names.
pub(super) fn kind(word: &str) -> Option<Kind> {
    use Kind as K;
    let all = [K::Products, K::Customers, K::Orders, K::Inventory, K::Reconcile];
    all.into_iter().find(|kind| kind.as_str() == word)
}

/// A run's moves as events: `progress` while it is under way, `done` when it has ended or waits after a
/// failure.
pub(super) fn events(
    moves: impl Stream<Item = Shown> + Send + 'static,
) -> impl Stream<Item = Event> + Send + 'static {
    moves.map(|run| {
        let stands = run.finished_at.is_some() || run.error.is_some();
        let told = Told { text: running(&run), seen: run.seen, total: run.total };
        let name = if stands { "done" } else { "progress" };
        Event::default().event(name).json_data(told).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    fn run(synced: i64, skipped: i64, failed: i64) -> Run {
        let run = Shown {
            id: Uuid::nil(),
            integration_id: Uuid::nil(),
            store: String::new(),
            kind: "products".to_owned(),
            error: None,
            seen: 1_234,
            total: Some(5_000),
            synced,
            unchanged: 0,
            skipped,
            failed,
            created_at: DateTime::UNIX_EPOCH,
            finished_at: None,
        };
        let failure = (failed > 0).then(|| ("RING-1".to_owned(), "no price".to_owned()));
        Run { run, failure }
    }

    #[test]
    fn the_banner_has_the_numbers_or_the_first_error() {
        assert_eq!(outcome(&run(47, 3, 0)), (true, "✓ Synced 47 items, 3 skipped".to_owned()));
        assert_eq!(outcome(&run(1, 0, 0)), (true, "✓ Synced 1 item, 0 skipped".to_owned()));
        let (good, text) = outcome(&run(47, 3, 2));
        assert_eq!((good, text.as_str()), (false, "Import products: RING-1: no price (1 more)"));
        let mut waiting = run(0, 0, 0);
        waiting.run.error = Some("the store does not answer".to_owned());
        assert!(outcome(&waiting).1.contains("the store does not answer"));
        assert_eq!(running(&waiting.run), "Importing products: 1,234 of 5,000");
    }

    #[test]
    fn a_run_is_called_by_its_kind_and_ended_well_where_nothing_failed() {
        let mut shown = run(47, 3, 0).run;
        assert_eq!(name(&shown), "Import products");
        assert_eq!(ending(&shown), ("calm", "Under way".to_owned()));
        shown.error = Some("the store does not answer".to_owned());
        assert_eq!(ending(&shown), ("bad", "Waits".to_owned()));
        (shown.error, shown.finished_at) = (None, Some(DateTime::UNIX_EPOCH));
        assert_eq!(ending(&shown), ("good", "Done".to_owned()));
        shown.failed = 1_200;
        assert_eq!(ending(&shown), ("bad", "1,200 failed".to_owned()));
    }
}
