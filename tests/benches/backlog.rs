//! What a relay has to catch up with: how fast, with how much memory, and whether others wait meanwhile.
//!
//! Run with `make bench`. `NEXPURA_BENCH_EVENTS` says how many events the backlog has (20,000), and
//! `NEXPURA_BENCH_MOVEMENTS` how many movements a large ledger has (1,000,000) that is compared with a small one.

#[path = "backlog/by_hand.rs"]
mod by_hand;

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use chrono::Utc;
use futures::future::try_join_all;
use nexpura_tests::{
    budgets::Budgets,
    large::{Size, Trade},
    push::Sender,
    relay::{Database, Relay},
    shop::Shop,
    times::Times,
    town::Town,
    wait::until,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

/// Stocks that the backlog sells from.
const STOCKS: usize = 60;
/// People who buy.
const BUYERS: u64 = 500;
/// Spools that send at once, as of several web servers.
const SPOOLS: u64 = 4;
/// The pause between two events that happen meanwhile.
const LIVE_EVERY: Duration = Duration::from_millis(100);
/// Events whose cost is compared between a small and a large ledger.
const COMPARED: u64 = 4_000;
/// Events of one push.
const EVENTS: u64 = 100;
/// A backlog of so many events…
const BACKLOG: f64 = 100_000.0;
/// …must be in within so many seconds…
const WITHIN: f64 = 30.0;
/// …and an event that happens meanwhile within so many milliseconds.
const LIVE_WITHIN: f64 = 1000.0;
/// What an event of a large ledger may cost of one of a small one.
const GROWTH: f64 = 1.2;
/// Of what the same statements reach by hand.
const BY_HAND: f64 = 0.5;

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// An order as the shop's own representation shows it, and the stocks that it may be of.
struct Pattern {
    order: Value,
    stocks: Vec<u64>,
}

impl Pattern {
    /// The event of order `id`, sold for the first time.
    fn event(&self, id: u64) -> Value {
        let mut order = self.order.clone();
        let key = format!("wc_order_{id}");
        order["id"] = json!(id);
        order["number"] = json!(id.to_string());
        order["order_key"] = json!(key);
        order["customer_id"] = json!(0);
        order["billing"]["email"] = json!(format!("guest-{}@buyers.example", id % BUYERS));
        let mut facts = Vec::new();
        for (at, line) in order["line_items"].as_array_mut().into_iter().flatten().enumerate() {
            let (line_id, place) = (id * 10 + at as u64, id as usize * 7 + at * 31);
            let stock = self.stocks[place % self.stocks.len()];
            line["id"] = json!(line_id);
            line["product_id"] = json!(stock);
            line["variation_id"] = json!(0);
            facts.push(json!({
                "line_id": line_id, "stock_id": stock, "managed": true, "backorders": "no",
            }));
        }
        json!({
            "id": Uuid::new_v4(), "topic": "order.created", "resource_id": id,
            "occurred_at": Utc::now(), "payload": order,
            "facts": { "rev": 1, "order_key": key, "stock_reduced": true, "lines": facts },
        })
    }
}

/// A shop that is connected and counted, and who sends.
struct Counted {
    town: Town,
    pattern: Pattern,
    spools: Vec<Spool>,
}

/// A shop whose stocks are counted, large enough for all that will be sold.
async fn counted(database: Database) -> Result<Counted> {
    let shop = Shop::builder().quiet().start().await?;
    let wish = json!({ "simple": STOCKS, "variable": 0, "customers": 1, "orders": 3 });
    shop.call_cli("seed", wish)?;
    shop.sql(
        "UPDATE wp_postmeta SET meta_value = '100000000' WHERE meta_key = '_stock'; \
         UPDATE wp_wc_product_meta_lookup SET stock_quantity = 100000000",
    )?;
    let stocks = shop.sql("SELECT product_id FROM wp_wc_product_meta_lookup")?;
    let stocks = stocks.lines().map(str::parse).collect::<Result<_, _>>()?;
    // One of three lines.
    let order = shop.sql("SELECT MAX(id) FROM wp_wc_orders WHERE type = 'shop_order'")?;
    let read = format!(
        "return rest_do_request( new WP_REST_Request( 'GET', '/wc/v3/orders/{order}' ) )->get_data();"
    );
    let order = shop.php(&read).await?;
    let relay = Relay::start_with(database, &[("NEXPURA_SWEEP_SECONDS", "86400")]).await?;
    let town = Town::of(relay, shop).await?;
    swept(&town, 0).await?;
    let spools = (0..=SPOOLS)
        .map(|_| Ok(Spool { sender: Sender::new(&town.relay.http, &town.connection)?, seq: 1 }))
        .collect::<Result<Vec<_>>>()?;
    // After one that was never seen everything is read once more: not while it is timed.
    let before = sweeps(&town).await?;
    for spool in &spools {
        let nothing = serde_json::to_vec(&spool.sender.batch(1, &[]))?;
        spool.sender.send(nothing).await?.error_for_status()?;
    }
    swept(&town, before).await?;
    let open = town.relay.stock_rows().await?.iter().filter(|row| row.is_open()).count();
    ensure!(open == STOCKS, "{open} of {STOCKS} stocks are open");
    Ok(Counted { town, pattern: Pattern { order, stocks }, spools })
}

/// How many sweeps have ended.
async fn sweeps(town: &Town) -> Result<usize> {
    let runs = town.relay.list("/api/runs").await?;
    Ok(runs.iter().filter(|run| !run["finished_at"].is_null()).count())
}

/// Waits until more sweeps have ended than `before`.
async fn swept(town: &Town, before: usize) -> Result<()> {
    until("the shop has been swept", Duration::from_secs(300), async || {
        Ok((sweeps(town).await? > before).then_some(()))
    })
    .await
    .with_context(|| town.relay.log().unwrap_or_default())
}

/// A spool, and the place of its next event.
struct Spool {
    sender: Sender,
    seq: u64,
}

impl Spool {
    /// A push of orders that were never sold before.
    fn push(&mut self, pattern: &Pattern, first: u64, events: u64) -> Result<Vec<u8>> {
        let events: Vec<Value> = (first..first + events).map(|id| pattern.event(id)).collect();
        let push = self.sender.batch(self.seq, &events);
        self.seq += events.len() as u64;
        Ok(serde_json::to_vec(&push)?)
    }

    /// Sends a push until it is taken.
    async fn deliver(&self, body: &[u8]) -> Result<()> {
        loop {
            let answer = self.sender.send(body).await?;
            if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            let answer: Value = answer.error_for_status()?.json().await?;
            let results = answer["results"].as_array().context("no results")?;
            for result in results {
                ensure!(result["status"] == "applied", "{result}");
            }
            return Ok(());
        }
    }
}

/// Sends that many events, orders from `first` on, from all these spools at once; gives events a second.
async fn drain(spools: &mut [Spool], pattern: &Pattern, first: u64, events: u64) -> Result<f64> {
    let pushes = events / EVENTS / spools.len() as u64;
    let mut ids = (first..).step_by(EVENTS as usize);
    let mut backlogs = Vec::new();
    for spool in spools {
        let bodies = ids.by_ref().take(pushes as usize).map(|id| spool.push(pattern, id, EVENTS));
        let bodies = bodies.collect::<Result<Vec<_>>>()?;
        backlogs.push((spool, bodies));
    }
    let sent: usize = backlogs.iter().map(|(_, bodies)| bodies.len() * EVENTS as usize).sum();
    let began = Instant::now();
    try_join_all(backlogs.iter().map(async |(spool, bodies)| {
        for body in bodies {
            spool.deliver(body).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    Ok(sent as f64 / began.elapsed().as_secs_f64())
}

/// One event after the other, until it is said to stop.
async fn live(spool: &mut Spool, pattern: &Pattern, stop: &AtomicBool) -> Result<Times> {
    let mut times = Times::default();
    for id in 900_000_000.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let body = spool.push(pattern, id, 1)?;
        let began = Instant::now();
        spool.deliver(&body).await?;
        times.add(began.elapsed());
        tokio::time::sleep(LIVE_EVERY).await;
    }
    Ok(times)
}

async fn caught_up(what: &str, counted: &mut Counted, budgets: &mut Budgets) -> Result<f64> {
    let events = setting("NEXPURA_BENCH_EVENTS", 20_000);
    let Counted { town, pattern, spools } = counted;
    let (one, many) = spools.split_first_mut().context("no spools")?;
    let stop = AtomicBool::new(false);
    let all = async {
        let rate = drain(many, pattern, 1_000_000, events).await;
        stop.store(true, Ordering::Relaxed);
        rate
    };
    let (rate, times) = futures::join!(all, live(one, pattern, &stop));
    let (rate, mut times) = (rate?, times?);
    let name = format!("a backlog of {events} orders, {what}");
    let seconds = BACKLOG / rate;
    let verdict = budgets.at_most(&name, seconds, WITHIN, "s");
    println!("{name:<44} {rate:7.0} events a second: 100,000 in {seconds:.0} s   {verdict}");
    let meanwhile = "  an event that happens meanwhile";
    times.show(meanwhile);
    let most = times.at(0.95);
    let verdict = budgets.at_most(&format!("{name},{meanwhile}"), most, LIVE_WITHIN, "ms");
    println!("{:<44} p95 {most:7.1} ms   {verdict}", "");
    budgets.memory(&town.relay, &name)?;
    Ok(rate)
}

/// Gives a ledger the trade of years.
async fn grow(relay: &mut Relay, movements: u64) -> Result<()> {
    relay.stop();
    let pieces = (movements / 20).max(STOCKS as u64);
    let size = Size { movements, to_a_sale: 4, pieces, customers: (movements / 10).max(1) };
    let trade = Trade::new(relay, size)?;
    trade.list_pieces()?;
    trade.sell()?;
    trade.move_pieces()?;
    trade.settle()?;
    relay.start_again().await
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut counted = self::counted(Database::Sqlite).await?;
    println!("{}", counted.town.shop.sources.description);
    let mut budgets = Budgets::default();
    caught_up("SQLite", &mut counted, &mut budgets).await?;
    drop(counted);

    let mut counted = self::counted(Database::Postgres).await?;
    let rate = caught_up("PostgreSQL", &mut counted, &mut budgets).await?;
    let Counted { town, pattern, spools } = &mut counted;
    let by_hand = by_hand::rate(&town.relay, &pattern.order)?;
    let (name, share) = ("  the same statements by hand (pgbench)", rate / by_hand);
    let verdict = budgets.at_least(name, share, BY_HAND, "×");
    println!("{name:<44} {by_hand:7.0} events a second: {share:5.2} ×   {verdict}");
    let few = drain(&mut spools[..1], pattern, 100_000_000, COMPARED).await?;
    let movements = setting("NEXPURA_BENCH_MOVEMENTS", 1_000_000);
    grow(&mut town.relay, movements).await?;
    // It has to open its database first.
    drain(&mut spools[..1], pattern, 150_000_000, COMPARED / 10).await?;
    let many = drain(&mut spools[..1], pattern, 200_000_000, COMPARED).await?;
    let (name, grown) = (format!("an event among {movements} movements"), few / many);
    let verdict = budgets.at_most(&name, grown, GROWTH, "×");
    println!("{name:<44} {grown:7.2} × what it costs among few   {verdict}");
    budgets.end()
}
