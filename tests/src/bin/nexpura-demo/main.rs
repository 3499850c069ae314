//! The demo: a sale travels from a real WooCommerce checkout into the Nexpura ledger, before one's eyes.

mod catalogue;
mod progress;
mod sales;

use std::{env, process::ExitCode, thread};

use anyhow::{Context, Result, ensure};
use nexpura_tests::{
    relay::{Database, Relay, TENANT},
    shop::{PASSWORD, Shop, USER, pictures},
    stack::sources::{DOUBLE, Sources, Store, Wish},
};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use self::progress::Progress;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (stop, stopped) = oneshot::channel::<()>();
    let (end, mut ended) = oneshot::channel();
    // On a thread of its own, since its steps may block: Ctrl-C is answered at once, whatever it is doing.
    let demo = thread::spawn(move || {
        let outcome = Runtime::new().context("starting the demo").and_then(|runtime| {
            runtime.block_on(async {
                tokio::select! {
                    // Where it is stopped it is dropped, and its guards stop what they started.
                    _ = stopped => Ok(()),
                    outcome = demo() => outcome,
                }
            })
        });
        let _main_waits = end.send(outcome);
    });
    let outcome = tokio::select! {
        outcome = &mut ended => outcome,
        () = interrupted() => {
            println!("\n  Stopping everything …");
            drop(stop);
            ended.await
        }
    };
    let _panicked = demo.join();
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(problem)) => {
            eprintln!("\n  The demo failed: {problem:#}");
            ExitCode::FAILURE
        }
        // It panicked, and has said so.
        Err(_) => ExitCode::FAILURE,
    }
}

/// Ends when Ctrl-C is pressed or the process is asked to end.
async fn interrupted() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _pressed = tokio::signal::ctrl_c().await;
        }
    }
}

/// The whole demo; stays up afterwards unless `DEMO_ONCE` is set.
async fn demo() -> Result<()> {
    let once = env::var_os("DEMO_ONCE").is_some_and(|value| !value.is_empty() && value != "0");
    let progress = Progress::new();
    println!("\n  Nexpura: a sale travels from a WooCommerce checkout into the ledger\n");

    let wish = Wish {
        wordpress: env::var("DEMO_WORDPRESS").ok(),
        woocommerce: env::var("DEMO_WOOCOMMERCE").ok(),
    };
    let sources = progress
        .step("looking for WordPress and WooCommerce", async { Sources::find(&wish) }, |found| {
            format!("the shop runs on {}", found.description)
        })
        .await?;
    // Where WooCommerce cannot be had, the double takes its place.
    let wish = if sources.store == Store::Double {
        Wish { woocommerce: Some(DOUBLE.to_owned()), ..wish }
    } else {
        wish
    };
    let pictures = progress
        .step("drawing the jewellery", async { pictures::drawn() }, |_| {
            "pictures of the jewellery".to_owned()
        })
        .await?;
    let relay = progress
        .step("starting the relay", Relay::start(Database::Sqlite), |relay| {
            format!("relay and ledger (SQLite) at {}", relay.url)
        })
        .await?;
    let shop = progress
        .step(
            "starting the shop (the first time WordPress is installed, which takes a while)",
            Shop::builder().on(wish).quiet().start(),
            |shop| format!("shop at {}", shop.url),
        )
        .await?;
    let connection = relay.connection()?;
    progress
        .step("pasting the connection string", connect(&shop, &connection.string), |()| {
            format!("shop connected as {}", connection.id.chars().take(8).collect::<String>())
        })
        .await?;
    let ids = progress
        .step("filling the shop", catalogue::fill(&shop, &pictures), |ids| {
            format!("{} things to buy in the shop", ids.len())
        })
        .await?;
    let counted = catalogue::counted();
    progress
        .step(
            "the ledger takes the opening counts",
            sales::opening_counts(&relay, &counted),
            |()| format!("{} opening counts taken into the ledger", counted.len()),
        )
        .await?;

    let mut orders = Vec::new();
    for visit in sales::VISITS {
        orders.push(sales::visit(&shop, &relay, &ids, visit).await?);
    }
    sales::each_once(&relay, &orders).await?;
    println!("\n  Every checkout's sale stands in the ledger, once, with its stock.\n");
    if once {
        return Ok(());
    }
    invite(&shop, &relay, &owner(&relay)?, &sources);
    // Until Ctrl-C: this future is dropped then, and with it the guards of everything that runs.
    sales::watch(&relay).await
}

/// Who looks at the panel.
const OWNER: &str = "owner@aurelia.example";

/// Pastes the connection string into the plugin's settings page, as a merchant does.
async fn connect(shop: &Shop, connection_string: &str) -> Result<()> {
    let page = shop.log_in().await?.paste_connection(connection_string).await?;
    let outcome = page
        .split("notice-error inline\"><p>")
        .nth(1)
        .and_then(|rest| rest.split("</p>").next())
        .unwrap_or("see its settings page");
    ensure!(page.contains("notice-success inline"), "the plugin says: {outcome}");
    Ok(())
}

/// Lets somebody into the panel; gives the link by which they choose their password.
fn owner(relay: &Relay) -> Result<String> {
    let made = relay.run(&["user", "add", OWNER, "--tenant", TENANT, "--role", "owner"])?;
    made["set_password"].as_str().map(str::to_owned).context("no link for the owner")
}

/// Where to look on.
fn invite(shop: &Shop, relay: &Relay, panel: &str, sources: &Sources) {
    let (url, relay_url, token) = (&shop.url, &relay.url, relay.token());
    println!("  Look on, buy something, watch it arrive ({}):\n", sources.description);
    println!("    shop         {url}/shop/");
    println!("    shop admin   {url}/wp-admin/   user {USER}, password {PASSWORD}");
    println!("    settings     {url}/wp-admin/admin.php?page=nexpura");
    println!(
        "    panel        {panel}\n                 the first time, to choose a password; then {relay_url}/ as {OWNER}"
    );
    println!("    ledger       {relay_url}/api/sales, /api/inventory, … of the tenant {TENANT}:\n");
    println!("      token={token}");
    println!("      curl -H \"authorization: Bearer $token\" {relay_url}/api/sales");
    println!("\n  Ctrl-C stops everything. New sales show below.\n");
}
