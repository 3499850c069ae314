//! What may happen in a random history.

use proptest::{collection::vec, prelude::*, sample::select};

/// Something a person, a visitor or a gateway does. Orders, lines and products are counted round.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Order {
        lines: Vec<(usize, i64)>,
        paid: bool,
    },
    /// A block checkout that is begun: no hook tells of it.
    Draft {
        lines: Vec<(usize, i64)>,
    },
    Status(usize, &'static str),
    Edit(usize, usize, i64),
    Add(usize, usize, i64),
    Remove(usize, usize),
    Refund {
        order: usize,
        line: usize,
        units: i64,
        restock: bool,
    },
    Trash(usize),
    Untrash(usize),
    Delete(usize),
    SetStock(usize, i64),
}

/// How the request ends in which it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// What was touched is captured at once.
    Captured,
    /// The request goes on while others come and go.
    Open,
    /// The process dies after its mark: a touch.
    Died,
    /// The process dies before its mark: nothing tells of it but a sweep.
    Unnoticed,
}

/// One thing that happens.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    Do(Op, End),
    /// A request that is still open ends: it reads what it had touched.
    Capture(usize),
    /// So many unsent events go out in one push, from this one on.
    Deliver(usize, usize),
    /// An old event comes once more.
    Again(usize),
    /// An unsent event is lost for good.
    Lose(usize),
    /// An unsent event becomes a touch, as where the spool is full.
    Fade(usize),
}

/// One step of a history.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Deed(Deed),
    /// The relay fetches what it wants; these things happen while the shop answers.
    Fetch(Vec<Deed>),
}

/// A shop's life.
#[derive(Debug, Clone)]
pub(super) struct History {
    /// Whether it does without the plugin.
    pub(super) bare: bool,
    pub(super) stocks: Vec<i64>,
    /// How it is connected and counted; nothing for a shop that was counted when it was empty.
    pub(super) opening: Option<Opening>,
    pub(super) after: Vec<Step>,
    /// Whether the last events go out in reverse.
    pub(super) reversed: bool,
}

/// What happens until the shop's stocks are counted.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    pub(super) before: Vec<Step>,
    /// During the requests of the opening sweeps to routes that begin so.
    pub(super) during: Vec<(&'static str, Vec<Deed>)>,
}

/// Routes whose requests an opening sweep makes.
const ROUTES: [&str; 5] =
    ["wc/v3/products", "wc/v3/orders", "wc/v3/customers", "wc/v3/products/", "wc/v3/orders"];

/// A shop with a past that is connected and counted while it sells, and its life after that; `bare`
/// without the plugin.
pub(super) fn from_the_connection_on(bare: bool) -> impl Strategy<Value = History> {
    let opening =
        (vec(step(bare), 0..8), vec((select(&ROUTES[..]), vec(deed(bare, false), 1..4)), 0..3))
            .prop_map(|(before, during)| Some(Opening { before, during }));
    history(bare, opening, 10)
}

/// The life of a shop whose stocks are counted.
pub(super) fn from_the_count_on() -> impl Strategy<Value = History> {
    history(false, Just(None), 24)
}

fn history(
    bare: bool,
    opening: impl Strategy<Value = Option<Opening>>,
    most: usize,
) -> impl Strategy<Value = History> {
    (vec(0i64..12, 1..4), opening, vec(step(bare), 0..most), any::<bool>()).prop_map(
        move |(stocks, opening, after, reversed)| History {
            bare,
            stocks,
            opening,
            after,
            reversed,
        },
    )
}

fn step(bare: bool) -> impl Strategy<Value = Step> {
    prop_oneof![
        9 => deed(bare, true).prop_map(Step::Deed),
        1 => vec(deed(bare, true), 0..3).prop_map(Step::Fetch),
    ]
}

fn deed(bare: bool, free: bool) -> impl Strategy<Value = Deed> {
    let some = 0usize..6;
    prop_oneof![
        10 => (op(bare, free), end(free)).prop_map(|(op, end)| Deed::Do(op, end)),
        3 => some.clone().prop_map(Deed::Capture),
        4 => (some.clone(), 1usize..4).prop_map(|(at, events)| Deed::Deliver(at, events)),
        1 => (0usize..20).prop_map(Deed::Again),
        1 => some.clone().prop_map(move |at| if free { Deed::Lose(at) } else { Deed::Fade(at) }),
        1 => some.prop_map(Deed::Fade),
    ]
}

/// While a stock is being counted every change of it is at least marked, and nobody counts by hand:
/// a sale and a count that make up for each other look like rest.
fn end(free: bool) -> impl Strategy<Value = End> {
    prop_oneof![
        8 => Just(End::Captured),
        4 => Just(End::Open),
        2 => Just(End::Died),
        1 => Just(if free { End::Unnoticed } else { End::Died }),
    ]
}

fn op(bare: bool, free: bool) -> BoxedStrategy<Op> {
    let order = 0usize..4;
    let line = 0usize..3;
    let lines = || vec((0usize..8, 1i64..4), 1..3);
    // Without the plugin nobody tells whether units came back before an order failed, say.
    let statuses: &[&'static str] = if bare {
        &["pending", "processing", "on-hold", "completed", "cancelled"]
    } else {
        &[
            "pending",
            "processing",
            "on-hold",
            "completed",
            "cancelled",
            "refunded",
            "failed",
            "being-engraved",
        ]
    };
    prop_oneof![
        6 => (lines(), any::<bool>()).prop_map(|(lines, paid)| Op::Order { lines, paid }),
        1 => lines().prop_map(|lines| Op::Draft { lines }),
        7 => (order.clone(), select(statuses)).prop_map(|(order, to)| Op::Status(order, to)),
        2 => (order.clone(), line.clone(), 1i64..6).prop_map(|(o, l, q)| Op::Edit(o, l, q)),
        1 => (order.clone(), 0usize..8, 1i64..3).prop_map(|(o, p, q)| Op::Add(o, p, q)),
        1 => (order.clone(), line.clone()).prop_map(|(o, l)| Op::Remove(o, l)),
        3 => (order.clone(), line, 1i64..3, any::<bool>()).prop_map(|(order, line, units, restock)| {
            Op::Refund { order, line, units, restock }
        }),
        // In the trash neither does anybody tell what came back on the way there.
        1 => order.clone().prop_map(move |at| match bare {
            true => Op::Status(at, "completed"),
            false => Op::Trash(at),
        }),
        1 => order.clone().prop_map(Op::Untrash),
        1 => order.prop_map(Op::Delete),
        1 => (0usize..8, 0i64..15).prop_map(move |(product, units)| match free {
            true => Op::SetStock(product, units),
            false => Op::Status(product, "cancelled"),
        }),
    ]
    .boxed()
}
