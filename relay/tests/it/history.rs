//! Whatever happens in a shop, and however its events arrive, the ledger ends where the shop stands.

mod counted;
mod deeds;
mod verdict;
mod world;

use std::time::Instant;

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestError, TestRunner},
};
use tokio::runtime::Builder;

use crate::{
    shop::server::Town,
    support::{database::Backend, relay::TestRelay},
};
use deeds::{Deed, End, History, Op, Opening, Step};
use world::World;

/// Plays so many random histories, each in a shop of a new tenant of one database; that many times more
/// where `NEXPURA_TEST_TIMES` says so, as a long campaign does.
fn play(backend: Backend, cases: u32, histories: impl Strategy<Value = History>) {
    let times = std::env::var("NEXPURA_TEST_TIMES").ok().and_then(|times| times.parse().ok());
    let cases = cases * times.unwrap_or(1);
    // One thread: waking another one costs more than there is to do at the same time.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (relay, town) =
        runtime.block_on(async { (TestRelay::new(backend).await, Town::open().await) });
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
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
fn a_shop_from_its_connection_on() {
    play(Backend::Sqlite, 600, deeds::from_the_connection_on(false));
}

#[test]
fn a_shop_from_its_count_on() {
    play(Backend::Sqlite, 1_400, deeds::from_the_count_on());
}

#[test]
fn a_shop_without_the_plugin() {
    play(Backend::Sqlite, 150, deeds::from_the_connection_on(true));
}

#[test]
fn a_shop_on_postgres() {
    play(Backend::Postgres, 60, deeds::from_the_connection_on(false));
    play(Backend::Postgres, 60, deeds::from_the_count_on());
}

/// Found by chance once: whose stock the added line draws on is known only after that stock was counted, so that a
/// reading has to say whether the line is in the count.
#[test]
fn a_line_added_to_an_order_from_before_the_count() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let captured = |op| Step::Deed(Deed::Do(op, End::Captured));
    let paid = Op::Order { lines: vec![(5, 1)], paid: true };
    let opening = Opening {
        before: vec![
            Step::Deed(Deed::Do(paid, End::Open)),
            captured(Op::Status(0, "pending")),
            Step::Deed(Deed::Deliver(1, 1)),
        ],
        during: vec![],
    };
    let history = History {
        bare: true,
        stocks: vec![3, 2, 6],
        opening: Some(opening),
        after: vec![captured(Op::Add(0, 4, 1)), captured(Op::Status(0, "processing"))],
        reversed: false,
    };
    let differences = runtime.block_on(async {
        let (relay, town) = (TestRelay::new(Backend::Sqlite).await, Town::open().await);
        let world = World::new(&relay.relay, &town, &history).await;
        world.play(&history).await;
        verdict::differences(&world).await
    });
    assert_eq!(differences, Vec::<String>::new());
}
