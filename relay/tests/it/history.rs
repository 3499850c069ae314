//! Whatever happens in a shop, and however its events arrive, the ledger ends where the shop stands.

mod deeds;
mod verdict;
mod world;

use std::time::Instant;

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestError, TestRunner},
};
use tokio::runtime::Runtime;

use crate::{
    shop::server::Town,
    support::{database::Backend, relay::TestRelay},
};
use deeds::History;
use world::World;

/// Plays so many random histories, each in a shop of a new tenant of one database.
fn play(backend: Backend, cases: u32, histories: impl Strategy<Value = History>) {
    let runtime = Runtime::new().unwrap();
    let (relay, town) =
        runtime.block_on(async { (TestRelay::new(backend).await, Town::open().await) });
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let begun = Instant::now();
    let outcome = TestRunner::new(config).run(&histories, |history| {
        runtime.block_on(async {
            let world = World::new(&relay.relay, &town, &history).await;
            world.play(&history).await;
            let differences = verdict::differences(&world).await;
            world.close(&town);
            if differences.is_empty() {
                Ok(())
            } else {
                Err(TestCaseError::fail(differences.join("\n")))
            }
        })
    });
    println!("{cases} histories in {:?}", begun.elapsed());
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(differences, history)) => panic!("{differences}\nafter {history:?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

#[test]
fn a_shop_with_the_plugin_on_sqlite() {
    play(Backend::Sqlite, 1_000, deeds::history(false));
}

#[test]
fn a_shop_with_the_plugin_on_sqlite_too() {
    play(Backend::Sqlite, 1_000, deeds::history(false));
}

#[test]
fn a_shop_without_the_plugin_on_sqlite() {
    play(Backend::Sqlite, 200, deeds::history(true));
}

#[test]
fn a_shop_with_the_plugin_on_postgres() {
    play(Backend::Postgres, 100, deeds::history(false));
}
