//! Three relays on one PostgreSQL import, push and ingest at once while one after the other is killed.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use nexpura_tests::{
    relay::{Database, Relay},
    road::Road,
    shop::{Shop, checkout::Payment, requests::most_within},
    stack::fpm::Workers,
    town::Town,
    wait::until,
};
use serde_json::{Value, json};

use super::{
    campaigns::duration,
    imports::{pairs, same, stocks_in_ledger, stocks_in_shop},
};

/// From one blow to the next.
const PACE: Duration = Duration::from_millis(2_500);
/// How long a killed relay's claims hold, and a little more.
const PATIENCE: Duration = Duration::from_secs(300);
/// Requests a second that a store is asked at most, by all relays together.
const RATE: usize = 5;
/// Simple products; there are variable ones besides.
const PIECES: usize = 240;

/// Whoever asks the API of some relay, not knowing which of them is alive.
struct Desk {
    http: reqwest::Client,
    token: String,
    relays: Vec<String>,
}

impl Desk {
    /// Posts to one relay; whether it said yes. One that is dead or being killed says nothing.
    async fn post(&self, which: usize, path: &str, body: &Value) -> bool {
        let url = format!("{}{path}", self.relays[which % self.relays.len()]);
        let answer = self.http.post(url).bearer_auth(&self.token).json(body).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}

/// Moves stocks by hand until the time is up. Gives the notes of those movements that were confirmed.
async fn write(desk: &Desk, end: Instant) -> Result<Vec<String>> {
    let mut confirmed = Vec::new();
    for turn in 0_usize.. {
        if Instant::now() > end {
            break;
        }
        let sku = format!("PIECE-{}", turn * 17 % PIECES);
        let note = format!("three relays, {turn}");
        let change = if turn.is_multiple_of(2) { "-1" } else { "2" };
        let body = json!({ "type": "adjustment", "quantity_change": change, "notes": note });
        if desk.post(turn, &format!("/api/inventory/{sku}/movements"), &body).await {
            confirmed.push(note);
        }
        // The pace of a person, not a wait for something.
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    Ok(confirmed)
}

/// Has everything brought over again and again.
async fn import(desk: &Desk, shop: &Shop, end: Instant) -> Result<()> {
    let store = json!({ "store": shop.url });
    for turn in 0.. {
        if Instant::now() > end {
            break;
        }
        let what = ["sync/products", "sync/orders", "reconcile", "sync/customers"][turn % 4];
        desk.post(turn, &format!("/api/integrations/woocommerce/{what}"), &store).await;
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
    Ok(())
}

async fn buy(shop: &Shop, pieces: &[u64], visitor: usize, end: Instant) -> Result<()> {
    let payments = [Payment::Card, Payment::Cash, Payment::Transfer];
    let mut visit = visitor;
    while Instant::now() < end {
        shop.checkout(&[(pieces[visit * 13 % pieces.len()], 1)], payments[visit % 3]).await?;
        visit += 3;
    }
    Ok(())
}

/// Kills one relay after the other and starts it again at once.
async fn kill(relays: &mut [&mut Relay], end: Instant) -> Result<usize> {
    let mut blows = 0;
    while Instant::now() < end {
        tokio::time::sleep(PACE).await;
        let count = relays.len();
        let relay = &mut relays[blows % count];
        relay.kill();
        relay.start_again().await?;
        blows += 1;
    }
    Ok(blows)
}

/// Units by SKU that the shop's orders from this id on hold.
async fn sold(shop: &Shop, first: u64) -> Result<BTreeMap<String, i64>> {
    let held = shop
        .php(&format!(
            "$held = array(); foreach ( wc_get_orders( array( 'limit' => -1, 'type' => 'shop_order' ) ) as $o ) {{ \
             if ( $o->get_id() < {first} ) {{ continue; }} \
             foreach ( $o->get_items() as $line ) {{ $sku = $line->get_product()->get_sku(); \
             $held[ $sku ] = ( $held[ $sku ] ?? 0 ) + (int) $line->get_meta( '_reduced_stock' ); }} }} \
             return (object) $held;"
        ))
        .await?;
    Ok(serde_json::from_value(held)?)
}

/// Units by SKU that were moved by hand, as the ledger has them; each note once, and each confirmed one.
async fn moved(relay: &Relay, confirmed: &[String]) -> Result<BTreeMap<String, i64>> {
    let mut moved = BTreeMap::new();
    let mut notes = Vec::new();
    for at in 0..PIECES {
        let sku = format!("PIECE-{at}");
        for movement in relay.list(&format!("/api/inventory/{sku}/movements")).await? {
            let note = movement["notes"].as_str().unwrap_or_default();
            if note.starts_with("three relays") {
                notes.push(note.to_owned());
                let change = movement["quantity_change"].as_str().context("no change")?;
                *moved.entry(sku.clone()).or_default() += change.parse::<i64>()?;
            }
        }
        // As fast as the API lets one ask.
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let count = notes.len();
    notes.sort_unstable();
    notes.dedup();
    ensure!(notes.len() == count, "a movement was posted twice");
    for note in confirmed {
        ensure!(notes.binary_search(note).is_ok(), "{note} was confirmed and is not there");
    }
    println!("{count} movements by hand, {} of them confirmed", confirmed.len());
    Ok(moved)
}

#[tokio::test]
#[ignore = "a campaign: make soak"]
async fn three_relays_are_killed_while_they_import_push_and_ingest() -> Result<()> {
    on_woocommerce!();
    let shop = Shop::builder().quiet().workers(Workers::Static(6)).start().await?;
    let wish = json!({ "simple": PIECES, "variable": 20, "customers": 60, "orders": 220 });
    shop.call_cli("seed", wish)?;
    let before = stocks_in_shop(&shop)?;
    let newest = shop.sql("SELECT MAX(id) FROM wp_wc_orders")?.trim().parse::<u64>()?;
    let pieces = shop.sql(
        "SELECT product_id FROM wp_wc_product_meta_lookup WHERE sku LIKE 'PIECE-%' ORDER BY product_id",
    )?;
    let pieces: Vec<u64> = pieces.lines().map(str::parse).collect::<Result<_, _>>()?;

    let road = Road::open("/v1/push").await?;
    let first =
        Relay::start_behind(&road, Database::Postgres, &[("NEXPURA_SWEEP_SECONDS", "5")]).await?;
    let (mut second, mut third) = (first.sibling().await?, first.sibling().await?);
    road.lead_to(second.address());
    road.lead_to(third.address());
    let mut town = Town::of(first, shop).await?;
    let connected = town.shop.asked_by_relays()?.len();
    let desk = Desk {
        http: town.relay.http.clone(),
        token: town.relay.token().to_owned(),
        relays: vec![town.relay.url.clone(), second.url.clone(), third.url.clone()],
    };

    // First they bring a shop over that nobody knows yet; a killed relay's claim ends by and by.
    let (shop, relay) = (&town.shop, &mut town.relay);
    let end = Instant::now() + duration() / 2;
    let mut victims = [relay, &mut second, &mut third];
    let killing = kill(&mut victims, end);
    let buying = try_join_all((0..3).map(|visitor| buy(shop, &pieces, visitor, end)));
    let importing = import(&desk, shop, end);
    let (blows, ..) = futures::try_join!(killing, buying, importing)?;
    println!("{blows} blows while it was brought over");
    until("every stock is counted", PATIENCE, async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok((stocks_in_ledger(&town.relay).await?.len() == before.len()).then_some(()))
    })
    .await
    .with_context(|| town.relay.log().unwrap_or_default())?;

    // Then everything happens at once.
    let (shop, relay) = (&town.shop, &mut town.relay);
    let end = Instant::now() + duration() / 2;
    let mut victims = [relay, &mut second, &mut third];
    let killing = kill(&mut victims, end);
    let buying = try_join_all((3..6).map(|visitor| buy(shop, &pieces, visitor, end)));
    let (writing, importing) = (write(&desk, end), import(&desk, shop, end));
    let (confirmed, blows, ..) = futures::try_join!(writing, killing, buying, importing)?;
    println!("{blows} blows while stock was pushed");
    ensure!(!confirmed.is_empty(), "nothing was moved by hand");

    let sold = sold(&town.shop, newest + 1).await?;
    println!("{} units sold", sold.values().sum::<i64>());
    ensure!(!sold.is_empty(), "nobody bought anything");
    until("everything that the shop noticed is dealt with", PATIENCE, async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(town.quiet().await.ok())
    })
    .await?;
    let moved = moved(&town.relay, &confirmed).await?;
    let due: BTreeMap<String, String> = before
        .iter()
        .map(|(sku, stock)| {
            let by_hand = moved.get(sku).unwrap_or(&0);
            let left = stock.parse::<i64>()? + by_hand - sold.get(sku).unwrap_or(&0);
            Ok((sku.clone(), left.to_string()))
        })
        .collect::<Result<_>>()?;
    let mut last = None;
    let agreed = until("shop and ledger account for every unit", PATIENCE, async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let in_shop = same(&due, &stocks_in_shop(&town.shop)?).context("in the shop");
        let both = match in_shop {
            Ok(()) => same(&due, &stocks_in_ledger(&town.relay).await?).context("in the ledger"),
            wrong => wrong,
        };
        last = both.err();
        Ok(last.is_none().then_some(()))
    })
    .await;
    agreed.with_context(|| format!("{last:?}\n{}", town.relay.log().unwrap_or_default()))?;

    let orders = town.shop.sql(
        "SELECT id, total_amount FROM wp_wc_orders WHERE type = 'shop_order' AND status <> 'wc-checkout-draft'",
    )?;
    let sales = town.relay.sales().await?;
    let count = sales.len();
    let sales: BTreeMap<_, _> =
        sales.into_iter().map(|sale| (sale.external_id, sale.total)).collect();
    ensure!(sales.len() == count, "an order has two sales");
    same(&pairs(&orders), &sales).context("orders")?;
    let drifts = town.relay.list("/api/drift").await?;
    ensure!(drifts.is_empty(), "nobody edited a stock: {drifts:?}");

    let asked = &town.shop.asked_by_relays()?[connected..];
    let most = most_within(asked, 1.0);
    println!(
        "{count} orders, {} requests to the shop, at most {most} within a second",
        asked.len()
    );
    ensure!(most <= RATE, "{most} requests within a second");
    Ok(())
}
