//! How long the panel's pages take in a ledger that has grown for years, on both databases.
//!
//! Run with `make bench`. `NEXPURA_BENCH_MOVEMENTS` says how many movements the ledger has (1,000,000); sales, pieces,
//! customers and events follow from it. Each page is asked for as a browser does that somebody has logged in with.

#[path = "pages/reader.rs"]
mod reader;
#[path = "pages/routes.rs"]
mod routes;

use std::{
    collections::BTreeSet,
    env,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    budgets::Budgets,
    large::{Size, Trade},
    relay::{Database, Relay, TENANT},
    times::Times,
};
use reqwest::Method;

use reader::Reader;
use routes::MEASURED;

/// How often each page is asked for.
const ASKED: usize = 100;
/// In which 95 of 100 of them must be there, in milliseconds.
const BUDGET: f64 = 50.0;
/// How often each list is asked for as a file.
const EXPORTED: usize = 5;
/// Rows of a file that are read at most.
const ROWS: usize = 20_000;
/// Decisions of each kind that wait for a person, where there are as many pieces.
const WAITING: u64 = 3_000;
/// Runs that have ended, and what the newest of them did not take over.
const RUNS: (u64, u64) = (10_000, 20_000);
/// Lists as files.
const EXPORTS: [&str; 8] = [
    "/sales.csv",
    "/inventory.csv",
    "/customers.csv",
    "/events.csv",
    "/drift.csv",
    "/conflicts.csv",
    "/links.csv",
    "/settings/activity.csv",
];

/// What is asked for under one name, in turn.
struct Page {
    name: &'static str,
    paths: Vec<String>,
}

fn page(name: &'static str, path: &str) -> Page {
    Page { name, paths: vec![path.to_owned()] }
}

/// The same page for many different things.
fn each(name: &'static str, path: impl Fn(u64) -> String, last: u64) -> Page {
    // Far apart, and in no order.
    let some = |at: u64| 1 + (at + 1) * 2_654_435_761 % last;
    Page { name, paths: (0..ASKED as u64).map(|at| path(some(at))).collect() }
}

/// A ledger as it is after years.
async fn grown(database: Database, size: Size) -> Result<Relay> {
    let mut relay = Relay::start_with(database, &[("NEXPURA_SWEEP_SECONDS", "86400")]).await?;
    relay.stop();
    let began = Instant::now();
    let trade = Trade::in_three_stores(&relay, size)?;
    trade.list_pieces()?;
    trade.sell()?;
    trade.move_pieces()?;
    trade.leave_waiting(WAITING.min(size.pieces))?;
    trade.report(RUNS.0, RUNS.1)?;
    trade.settle()?;
    let count = |table: &str| relay.number(&format!("SELECT COUNT(*) FROM {table}"));
    println!(
        "{database:?}: {} movements, {} sales, {} pieces, {} customers, {} events, {} runs, {} findings, {} drifts, \
         written in {:.0?}",
        count("stock_movements")?,
        count("sales")?,
        count("inventory")?,
        count("customers")?,
        count("inbox")?,
        count("sync_runs")?,
        count("run_findings")?,
        count("drifts")?,
        began.elapsed()
    );
    relay.start_again().await?;
    Ok(relay)
}

/// The pages that people open.
async fn pages(reader: &Reader, size: Size) -> Result<Vec<Page>> {
    let stores = reader.links("/integrations", "/integrations/").await?;
    let leave =
        stores.iter().filter_map(|link| link.strip_suffix("/disconnect")?.rsplit('/').next());
    let ids: Vec<&str> = leave.collect();
    let [aurelia, closed, market] = ids[..] else { anyhow::bail!("not three stores: {stores:?}") };
    let (sales, people, pieces) = (size.sales(), size.customers, size.pieces);
    let of_store = |path: &str, rest: &str, id: &str| format!("{path}{id}{rest}");
    let runs = of_store("/integrations/", "/runs", aurelia);
    let changes = of_store("/integrations/", "/changes", aurelia);
    let checks = format!("{runs}?kind=sweep");
    let report = newest_import(reader, &runs).await?;
    let mut all = vec![
        page("home", "/"),
        page("sales", "/sales"),
        page("sales, the oldest first", "/sales?sort=oldest"),
        page("sales that nobody has sent yet", "/sales?status=processing"),
        page("sales of a status that is rare", "/sales?status=on-hold&sort=oldest"),
        page("sales of a status that none has", "/sales?status=failed"),
        page("sales of a store", &of_store("/sales?store=", "", market)),
        page("sales of a store that closed long ago", &of_store("/sales?store=", "", closed)),
        page("the same of one status", &of_store("/sales?status=completed&store=", "", closed)),
        page(
            "the same of a status that none has",
            &of_store("/sales?status=on-hold&store=", "", closed),
        ),
        each("a sale by its number", |n| format!("/sales?q=M{n}"), sales),
        each("sales by an e-mail", |n| format!("/sales?q=buyer-{n}%40buyers.example"), people),
        page("sales of one day", &one_day()),
        each(
            "pieces by the beginning of an SKU",
            |n| format!("/inventory?q=SKU-{:04}", n / 1_000),
            pieces,
        ),
        each("a piece by its SKU", |n| format!("/inventory?q=sku-{n:07}"), pieces),
        page("pieces by the beginning of a name", "/inventory?q=ring"),
        page("those of them that are sold too often", "/inventory?q=ring&stock=below"),
        page("those of all that are sold too often", "/inventory?q=SKU&stock=below"),
        page("pieces that there are none of", "/inventory?q=nothing"),
        page("pieces", "/inventory"),
        page("pieces by name", "/inventory?sort=name"),
        page("pieces, the fewest first", "/inventory?sort=fewest"),
        page("pieces, the most first", "/inventory?sort=most"),
        page("pieces that are left", "/inventory?stock=some"),
        page("pieces that are sold out", "/inventory?stock=none"),
        page("pieces that are sold too often", "/inventory?stock=below"),
        each("a piece with its movements", |n| format!("/inventory/SKU-{n:07}"), pieces),
        page("the piece that moves most", "/inventory/SKU-0000001"),
        page("customers", "/customers"),
        page("customers by name", "/customers?sort=name"),
        each("a customer by e-mail", |n| format!("/customers?q=buyer-{n}"), people),
        page("customers of one name", "/customers?q=mason"),
        page("customers who agreed to be written to", "/customers?marketing=yes"),
        page("customers who did not, by name", "/customers?marketing=no&sort=name"),
        page("those of them of one name", "/customers?marketing=yes&q=mason"),
        page("those of many e-mails", "/customers?marketing=yes&q=buyer"),
        page("customers that there are none of", "/customers?q=zzz"),
        page("events", "/events"),
        page("events that failed", "/events?status=failed"),
        page("events of a store", &of_store("/events?store=", "", market)),
        page("events of a store that closed long ago", &of_store("/events?store=", "", closed)),
        page("its failures among them", &of_store("/events?status=failed&store=", "", closed)),
        page("events that waited for another", "/events?status=superseded"),
        page("events that wait", "/events?status=queued"),
        each("events of an order's number", |n| format!("/events?q=M{n}"), sales),
        each("events of an order's id", |n| format!("/events?q={}", 10_000_000_000 + n), sales),
        each("its failures", |n| format!("/events?status=failed&q=M{n}"), sales),
        page("differences", "/drift"),
        page("differences of a store", &of_store("/drift?store=", "", aurelia)),
        page("differences of a store that has none", &of_store("/drift?store=", "", closed)),
        each("differences of a piece", |n| format!("/drift?q=SKU-{n:07}"), pieces),
        page("differences of some pieces", "/drift?q=SKU-0000"),
        page("differences of a name", "/drift?q=ring"),
        page("differences that are decided", "/drift?state=decided"),
        page("those of a store", &of_store("/drift?state=decided&store=", "", aurelia)),
        page(
            "those of a store that has none",
            &of_store("/drift?state=decided&store=", "", closed),
        ),
        each("those of a piece", |n| format!("/drift?state=decided&q=SKU-{n:07}"), pieces),
        page("those of some pieces", "/drift?state=decided&q=SKU-0000"),
        page("those of a name", "/drift?state=decided&q=ring"),
        page("what adopting all differences does", "/drift/adopt"),
        page("what keeping those of a name does", "/drift/push?q=ring"),
        page("sales that do not match the stock", "/conflicts"),
        page("counts to choose from", "/links"),
        page("what keeping all of ours does", "/links/ledger"),
        page("what taking all of the shops' does", "/links/shop"),
        page("integrations", "/integrations"),
        page("runs of a store", &runs),
        page("runs of a kind", &format!("{runs}?kind=orders")),
        page("runs of a kind that there are none of", &format!("{runs}?kind=inventory")),
        page("runs of a store that has none", &of_store("/integrations/", "/runs", market)),
        page("what a push would change", &changes),
        page("the same where nothing would", &of_store("/integrations/", "/changes", market)),
        page("what disconnecting removes", &of_store("/integrations/", "/disconnect", aurelia)),
        page("policies", "/settings/integrations"),
        page("connect", "/website/connect"),
        page("activity", "/settings/activity"),
        each(
            "activity of one person",
            |n| format!("/settings/activity?actor=person-{}%40aurelia.example", n % 7),
            700,
        ),
        page("activity of nobody", "/settings/activity?actor=nobody"),
        page("people", "/settings/people"),
        page("account", "/settings"),
    ];
    for (name, list, thing) in [
        ("a sale", "/sales", "/sales/"),
        ("an event with what it brought", "/events", "/events/"),
        ("what removing somebody does", "/settings/people", "/settings/people/"),
        ("sales of a customer", "/customers", "/sales?customer="),
        ("a run with its report", runs.as_str(), "/integrations/runs/"),
    ] {
        all.push(Page { name, paths: reader.links(list, thing).await? });
    }
    let string = reader.made("/website/connect/string", "/website/connect/string/").await?;
    all.push(page("a connection string that waits", &string));
    for (name, list) in [
        ("sales, page by page", "/sales"),
        ("sales of a status, page by page", "/sales?status=refunded"),
        ("sales of an order of time, page by page", "/sales?sort=oldest"),
        ("pieces, page by page", "/inventory"),
        ("pieces that are left, page by page", "/inventory?stock=some"),
        ("pieces of a name, page by page", "/inventory?q=watch"),
        ("its movements, page by page", "/inventory/SKU-0000001"),
        ("customers, page by page", "/customers"),
        ("customers by name, page by page", "/customers?sort=name"),
        ("events, page by page", "/events"),
        ("differences, page by page", "/drift"),
        ("differences that are decided, page by page", "/drift?state=decided"),
        ("those of a name, page by page", "/drift?state=decided&q=ring"),
        ("sales that do not match, page by page", "/conflicts"),
        ("counts to choose from, page by page", "/links"),
        ("what a push would change, page by page", changes.as_str()),
        ("runs, page by page", runs.as_str()),
        ("checks of a store, page by page", checks.as_str()),
        ("a long report, page by page", report.as_str()),
        ("activity, page by page", "/settings/activity"),
    ] {
        all.push(Page { name, paths: reader.walk(list, ASKED).await? });
    }
    Ok(all)
}

/// The report of the newest import of products.
async fn newest_import(reader: &Reader, runs: &str) -> Result<String> {
    let reports = reader.links(&format!("{runs}?kind=products"), "/integrations/runs/").await?;
    reports.into_iter().next().context("no report")
}

/// The lists as files, the longest report and the changes of the store that sells among them.
async fn files(reader: &Reader) -> Result<Vec<String>> {
    let stores = reader.links("/integrations", "/integrations/").await?;
    let runs = stores.iter().find(|link| link.ends_with("/runs")).context("no store")?;
    let report = format!("{}/findings.csv", newest_import(reader, runs).await?);
    let changes = format!("{}.csv", runs.replace("/runs", "/changes"));
    Ok(EXPORTS.iter().map(|path| (*path).to_owned()).chain([report, changes]).collect())
}

/// That every route which is to be measured is asked for.
fn all_are_asked<'a>(paths: impl Iterator<Item = &'a str>) -> Result<()> {
    let asked: BTreeSet<_> = paths.filter_map(route).collect();
    let forgotten: Vec<_> = MEASURED.iter().filter(|route| !asked.contains(*route)).collect();
    ensure!(forgotten.is_empty(), "nothing asks for {forgotten:?}");
    Ok(())
}

/// The route that a path is of: where two would do, the one that names more of it.
fn route(path: &str) -> Option<&'static str> {
    let path = path.split('?').next().unwrap_or(path);
    let fits = |route: &&str| {
        let parts = || route.split('/');
        let same = |(part, word): (&str, &str)| part.starts_with('{') || part == word;
        parts().count() == path.split('/').count() && parts().zip(path.split('/')).all(same)
    };
    let found = MEASURED.iter().copied().filter(fits);
    found.min_by_key(|route| route.matches('{').count())
}

/// The sales of a day some months ago.
fn one_day() -> String {
    let day = (chrono::Utc::now() - chrono::TimeDelta::days(200)).date_naive();
    format!("/sales?from={day}&until={day}")
}

/// What other systems ask for by the API, with a pause that keeps within its rate.
async fn by_api(relay: &Relay, size: Size) -> Result<Vec<(&'static str, Times)>> {
    let order = |n: u64| format!("/api/sales?external_id={}", 10_000_000_000 + n);
    let all = [
        each("API: a sale by its order", order, size.sales()),
        page("API: events that failed", "/api/events?status=failed"),
        page("API: events that wait", "/api/events?status=queued"),
        page("API: inventory", "/api/inventory?limit=100"),
        each("API: a piece", |n| format!("/api/inventory?sku=SKU-{n:07}"), size.pieces),
    ];
    let mut measured = Vec::new();
    for page in all {
        let mut times = Times::default();
        for path in page.paths.iter().cycle().take(ASKED) {
            let began = Instant::now();
            let (status, answer) = relay.ask(Method::GET, path, None).await?;
            times.add(began.elapsed());
            ensure!(status.is_success(), "{path} answered {status}: {answer}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        measured.push((page.name, times));
    }
    Ok(measured)
}

/// Lists as files: the first row of half of them as soon as a page. A file is as long as its list; what is read of it
/// here is bounded.
async fn exports(
    reader: &Reader,
    paths: &[String],
    database: Database,
    budgets: &mut Budgets,
) -> Result<()> {
    for path in paths {
        let (mut first, mut rates, mut rows) = (Times::default(), Vec::new(), 0);
        for _ in 0..EXPORTED {
            let export = reader.export(path, ROWS).await?;
            first.add(export.first_row);
            rates.push(export.rows as f64 / export.whole.as_secs_f64());
            rows = export.rows;
        }
        rates.sort_unstable_by(f64::total_cmp);
        let path = route(path).unwrap_or(path);
        let (half, worst, rate) = (first.at(0.5), first.at(1.0), rates[EXPORTED / 2]);
        let verdict =
            budgets.at_most(&format!("{path}, its first row, {database:?}"), half, BUDGET, "ms");
        println!(
            "  {path:<42} first row {half:5.1} ms   max {worst:5.1} ms   {rate:7.0} rows a second of {rows}   {verdict}"
        );
    }
    Ok(())
}

async fn measure(database: Database, size: Size, budgets: &mut Budgets) -> Result<()> {
    let relay = grown(database, size).await?;
    let made = relay.run(&[
        "user",
        "add",
        "ann@aurelia.example",
        "--tenant",
        TENANT,
        "--role",
        "owner",
    ])?;
    let reader = Reader::come_in(&relay, made["set_password"].as_str().context("no link")?).await?;
    let mut judge = |name: &str, mut times: Times| {
        let (half, most, worst) = (times.at(0.5), times.at(0.95), times.at(1.0));
        let verdict = budgets.at_most(&format!("{name}, {database:?}, p95"), most, BUDGET, "ms");
        println!(
            "  {name:<42} p50 {half:7.1} ms   p95 {most:7.1} ms   max {worst:7.1} ms   {verdict}"
        );
    };
    let (pages, files) = (pages(&reader, size).await?, files(&reader).await?);
    all_are_asked(pages.iter().flat_map(|page| &page.paths).chain(&files).map(String::as_str))?;
    for page in pages {
        let mut times = Times::default();
        for path in page.paths.iter().cycle().take(ASKED) {
            let began = Instant::now();
            reader.open(path).await?;
            times.add(began.elapsed());
        }
        judge(page.name, times);
    }
    for (name, times) in by_api(&relay, size).await? {
        judge(name, times);
    }
    exports(&reader, &files, database, budgets).await?;
    budgets.memory(&relay, &format!("{database:?}"))
}

#[tokio::main]
async fn main() -> Result<()> {
    let movements = env::var("NEXPURA_BENCH_MOVEMENTS").ok().and_then(|text| text.parse().ok());
    let movements: u64 = movements.unwrap_or(1_000_000);
    let size = Size {
        movements,
        to_a_sale: 4,
        pieces: (movements / 20).max(100),
        customers: (movements / 10).max(100),
    };
    let mut budgets = Budgets::default();
    measure(Database::Sqlite, size, &mut budgets).await?;
    measure(Database::Postgres, size, &mut budgets).await?;
    budgets.end()
}
