//! A day on which shop and ledger sell the same few pieces, and the account of every unit at its end.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use nexpura_tests::{
    shop::{Shop, checkout::Payment},
    stack::fpm::Workers,
};
use serde_json::json;

/// Stocks that everybody wants.
pub(super) const SKUS: usize = 20;
/// Units of each in the morning.
const OPENING: i64 = 4;
/// Visitors at a time.
const BUYERS: u64 = 8;
/// Colleagues who write into the ledger at a time.
const COLLEAGUES: u64 = 4;
/// How long a colleague takes for a deed.
const DEED: Duration = Duration::from_millis(60);

/// A shop's twenty stocks, and a worker for each visitor and for those who write from outside.
pub(super) struct Goods {
    /// Their SKUs.
    pub skus: Vec<String>,
    /// Their ids in the shop.
    pub ids: Vec<u64>,
}

/// What a colleague does to a stock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deed {
    /// The movement's type.
    pub kind: &'static str,
    /// Units, with a sign.
    pub change: i64,
}

/// What a day came to.
pub(super) struct Day {
    /// Units by SKU that came and went otherwise than through the shop's orders.
    pub(super) moved: Vec<i64>,
    /// Orders of the shop.
    pub(super) orders: usize,
    /// Deeds of the colleagues.
    pub(super) deeds: usize,
}

/// Enough PHP workers for everybody at once.
pub(super) fn workers() -> Workers {
    Workers::Static(10)
}

impl Goods {
    /// Puts them up for sale.
    pub(super) async fn lay_out(shop: &Shop) -> Result<Self> {
        let skus: Vec<String> = (0..SKUS).map(|at| format!("RING-{at}")).collect();
        let mut ids = Vec::new();
        for sku in &skus {
            ids.push(shop.add_product(sku, "120.00", Some(OPENING)).await?);
        }
        Ok(Self { skus, ids })
    }

    /// Their SKUs, as most verbs want them.
    pub(super) fn names(&self) -> Vec<&str> {
        self.skus.iter().map(String::as_str).collect()
    }

    /// What the shop's database has of each, past all caches.
    pub(super) fn in_shop(&self, shop: &Shop) -> Result<Vec<i64>> {
        let rows =
            shop.sql("SELECT post_id, meta_value FROM wp_postmeta WHERE meta_key = '_stock'")?;
        let stocks: BTreeMap<u64, f64> = rows
            .lines()
            .filter_map(|row| row.split_once('\t'))
            .map(|(id, stock)| Ok((id.parse()?, stock.parse()?)))
            .collect::<Result<_>>()?;
        self.ids
            .iter()
            .map(|id| whole(*stocks.get(id).with_context(|| format!("{id} has no stock"))?))
            .collect()
    }

    /// What each must have in the end: what was there, what came and went, less what the shop's orders hold.
    pub(super) async fn accounted(&self, shop: &Shop, moved: &[i64]) -> Result<Vec<i64>> {
        let held = shop
            .php(
                "$held = array(); foreach ( wc_get_orders( array( 'limit' => -1, 'type' => 'shop_order' ) ) as $o ) { \
                 foreach ( $o->get_items() as $line ) { $id = $line->get_product_id(); \
                 $held[ $id ] = ( $held[ $id ] ?? 0 ) + (int) $line->get_meta( '_reduced_stock' ); } } \
                 return (object) $held;",
            )
            .await?;
        let held: BTreeMap<u64, i64> = serde_json::from_value(held)?;
        let left = |(id, moved): (&u64, &i64)| OPENING + moved - held.get(id).unwrap_or(&0);
        Ok(self.ids.iter().zip(moved).map(left).collect())
    }
}

/// A stock as a whole number.
pub(super) fn whole(stock: f64) -> Result<i64> {
    ensure!(stock.fract() == 0.0, "{stock} units");
    #[allow(clippy::cast_possible_truncation)]
    Ok(stock as i64)
}

/// Lets everybody loose. `count` tells what the ledger believes to have of a SKU; `does` is how a colleague's deed
/// becomes stock.
///
/// Each buyer visits `visits` times; the colleagues work until the last buyer has gone.
pub(super) async fn pass(
    shop: &Shop,
    goods: &Goods,
    visits: u32,
    seed: u64,
    count: impl AsyncFn(usize) -> Result<i64>,
    does: impl AsyncFn(usize, Deed) -> Result<()>,
) -> Result<Day> {
    let shopping = Cell::new(BUYERS);
    let sold = Cell::new(0_usize);
    let moved = RefCell::new(vec![0_i64; SKUS]);
    let deeds = Cell::new(0_usize);
    let buyers = try_join_all((0..BUYERS).map(|buyer| {
        let (shopping, sold) = (&shopping, &sold);
        async move {
            let mut dice = Dice::new(seed, buyer);
            for _ in 0..visits {
                let bought = visit(shop, goods, &mut dice).await?;
                sold.set(sold.get() + usize::from(bought));
            }
            shopping.set(shopping.get() - 1);
            anyhow::Ok(())
        }
    }));
    let colleagues = try_join_all((0..COLLEAGUES).map(|colleague| {
        let (shopping, moved, deeds) = (&shopping, &moved, &deeds);
        let (count, does) = (&count, &does);
        async move {
            let mut dice = Dice::new(seed, 1_000 + colleague);
            while shopping.get() > 0 {
                let which = dice.below(SKUS);
                let deed = choose(count(which).await?, &mut dice);
                does(which, deed).await?;
                moved.borrow_mut()[which] += deed.change;
                deeds.set(deeds.get() + 1);
                // The pace of a person, not a wait for something.
                tokio::time::sleep(DEED).await;
            }
            anyhow::Ok(())
        }
    }));
    futures::try_join!(buyers, colleagues)?;
    Ok(Day { moved: moved.into_inner(), orders: sold.get(), deeds: deeds.get() })
}

/// One visit: whether it ended with an order. What is sold out is refused, as it should be.
async fn visit(shop: &Shop, goods: &Goods, dice: &mut Dice) -> Result<bool> {
    let cart = shop.cart().await?;
    let mut filled = false;
    for _ in 0..1 + dice.below(2) {
        let wish = goods.ids[dice.below(SKUS)];
        filled |= cart.add(wish, 1).await.is_ok();
    }
    let payment = [Payment::Card, Payment::Cash, Payment::Transfer][dice.below(3)];
    if !filled {
        return Ok(false);
    }
    let Ok(order) = cart.check_out(payment).await else { return Ok(false) };
    // The merchant calls some off, and their units come back.
    if dice.below(6) == 0 {
        shop.call::<bool>("set_status", json!({ "order": order, "status": "cancelled" })).await?;
    }
    Ok(true)
}

/// What a colleague does who sees this many.
fn choose(has: i64, dice: &mut Dice) -> Deed {
    match dice.below(8) {
        _ if has <= 0 => Deed { kind: "purchase", change: 3 },
        0 => Deed { kind: "purchase", change: 2 },
        1 => Deed { kind: "adjustment", change: 1 },
        2 => Deed { kind: "adjustment", change: -1 },
        _ => Deed { kind: "sale", change: -1 },
    }
}

/// A row of numbers that looks like chance and is the same for the same seed.
pub(super) struct Dice(u64);

impl Dice {
    fn new(seed: u64, whose: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ whose.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    /// The next number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit
    }
}
