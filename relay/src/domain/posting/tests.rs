//! The rule by itself, and against a model of what WooCommerce does to a stock.

use proptest::{collection::vec, prelude::*};
use serde_json::json;

use super::*;
use crate::domain::{Sale, testing::fixture};

use OrderStatus::{
    Cancelled, CheckoutDraft, Completed, Failed, OnHold, Pending, Processing, Refunded, Trash,
};

const ALL: [OrderStatus; 9] =
    [Pending, Processing, OnHold, Completed, Cancelled, Refunded, Failed, Trash, CheckoutDraft];

fn units(units: i64) -> Quantity {
    Quantity::from_thousandths(units * 1_000)
}

/// A line of three units, with or without WooCommerce's tally.
fn line(reduced: Option<i64>) -> SaleLine {
    let payload = fixture("order-dinar.json");
    let mut line = Sale::read(&payload, None).unwrap().lines.remove(0);
    assert_eq!(line.quantity, units(3));
    line.reduced = reduced.map(units);
    line
}

fn own() -> OrderStatus {
    OrderStatus::Other("being-engraved".to_owned())
}

#[test]
fn the_flag_follows_the_statuses_that_set_and_clear_it() {
    for last in [None, Some(false), Some(true)] {
        for status in [Processing, OnHold, Completed] {
            assert!(flag_after(&status, None, last));
        }
        for status in [Cancelled, Pending] {
            assert!(!flag_after(&status, None, last));
        }
        for status in [Failed, Refunded, Trash, CheckoutDraft, own()] {
            assert_eq!(flag_after(&status, None, last), last == Some(true), "{status}");
        }
        for status in ALL {
            assert!(flag_after(&status, Some(true), last));
            assert!(!flag_after(&status, Some(false), last));
        }
    }
}

#[test]
fn the_shops_own_tally_is_the_truth() {
    for status in ALL.into_iter().chain([own()]) {
        for flag in [None, Some(false), Some(true)] {
            for tally in [-1, 0, 2, 3, 4] {
                let mut line = line(Some(tally));
                assert_eq!(desired(&status, flag, &line, Some(units(9))), units(tally));
                line.managed = Some(false);
                assert_eq!(desired(&status, flag, &line, None), units(tally));
            }
        }
    }
}

#[test]
fn without_a_tally_the_flag_decides() {
    let line = line(None);
    for status in [Processing, OnHold, Completed, Failed, Refunded, own()] {
        assert_eq!(desired(&status, Some(true), &line, None), units(3), "{status}");
        assert_eq!(desired(&status, Some(false), &line, Some(units(3))), units(0), "{status}");
    }
    for status in [Cancelled, Pending] {
        for flag in [None, Some(false), Some(true)] {
            assert_eq!(desired(&status, flag, &line, Some(units(3))), units(0), "{status}");
        }
    }
}

#[test]
fn where_nobody_tells_what_is_known_stays() {
    let line = line(None);
    for status in [Failed, Refunded, Trash, own()] {
        assert_eq!(desired(&status, None, &line, Some(units(2))), units(2), "{status}");
        assert_eq!(desired(&status, None, &line, None), units(0), "{status}");
    }
    assert_eq!(desired(&Processing, None, &line, None), units(3));
}

#[test]
fn the_trash_keeps_an_order_as_it_last_stood() {
    assert_eq!(desired(&Trash, Some(true), &line(None), Some(units(2))), units(2));
    assert_eq!(desired(&Trash, Some(true), &line(None), None), units(0));
    assert_eq!(desired(&Trash, Some(false), &line(None), Some(units(2))), units(0));
    // What was missed before it came there is in the tally.
    assert_eq!(desired(&Trash, Some(true), &line(Some(3)), Some(units(0))), units(3));
}

#[test]
fn unmanaged_stock_was_never_taken_from() {
    let mut line = line(None);
    (line.managed, line.stock_id) = (Some(false), Some(51));
    for status in ALL.into_iter().filter(|status| *status != Trash) {
        assert_eq!(desired(&status, Some(true), &line, Some(units(3))), units(0), "{status}");
    }
    let unmanaged = &Sale::read(&fixture("order-unmanaged.json"), None).unwrap().lines[0];
    assert_eq!((unmanaged.reduced, unmanaged.managed), (None, None));
}

#[test]
fn a_deleted_products_line_neither_takes_nor_gives() {
    let mut line = line(None);
    (line.managed, line.stock_id) = (Some(false), None);
    assert_eq!(desired(&Completed, Some(true), &line, Some(units(3))), units(3));
    assert_eq!(desired(&Completed, Some(true), &line, None), units(0));
    assert_eq!(desired(&Cancelled, Some(false), &line, Some(units(3))), units(0));
}

#[test]
fn recorded_orders_post_what_their_shop_took() {
    for (name, taken) in [
        ("order-plain", vec![2, 3]),
        ("order-dinar", vec![3]),
        ("order-cancelled", vec![0]),
        ("order-refund-with-restock", vec![3]),
        ("order-refund-without-restock", vec![5]),
        ("order-tax-inclusive-coupon", vec![7, 3]),
    ] {
        let sale = Sale::read(&fixture(&format!("{name}.json")), None).unwrap();
        let flag = Some(flag_after(&sale.status, sale.stock_flag, None));
        let wanted: Vec<Quantity> =
            sale.lines.iter().map(|line| desired(&sale.status, flag, line, None)).collect();
        assert_eq!(wanted, taken.into_iter().map(units).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn only_the_difference_is_posted() {
    assert_eq!(Posting::of(7, units(3), units(3)), Ok(None));
    let posting = Posting::of(7, units(3), units(5)).unwrap().unwrap();
    assert_eq!((posting.line, posting.delta), (7, units(-2)));
    assert_eq!(posting.movement(), Ok(units(2)));
    let (least, most) =
        (Quantity::from_thousandths(i64::MIN), Quantity::from_thousandths(i64::MAX));
    assert_eq!(delta(least, most), Err(QuantityError::OutOfRange));
}

/// What a person or a gateway does to an order.
#[derive(Debug, Clone)]
enum Step {
    Status(OrderStatus),
    /// A refund of so many units that puts them back.
    Restock(i64),
    /// A person sets the line's quantity on the order's page.
    Edit(i64),
    Untrash,
}

/// One order line in one shop, as WooCommerce 10.0.2 treats it.
struct Shop {
    stock: i64,
    status: OrderStatus,
    before_trash: OrderStatus,
    quantity: i64,
    reduced: Option<i64>,
    restocked: i64,
    flag: bool,
}

impl Shop {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Status(Trash) => {
                if self.status != Trash {
                    self.before_trash = std::mem::replace(&mut self.status, Trash);
                }
            }
            Step::Status(status) => self.enter(status.clone()),
            Step::Untrash if self.status == Trash => self.enter(self.before_trash.clone()),
            Step::Untrash => {}
            Step::Restock(units) => {
                // A tally of 0 counts as none.
                if let Some(reduced) = self.reduced.filter(|reduced| *reduced != 0) {
                    self.stock += units;
                    self.reduced = Some(reduced - units);
                    self.restocked += units;
                }
            }
            Step::Edit(quantity) => {
                self.quantity = *quantity;
                if matches!(self.status, Processing | Completed | OnHold) {
                    let taken = quantity - self.restocked;
                    let diff = taken - self.reduced.unwrap_or(0);
                    if diff != 0 {
                        self.stock -= diff;
                        self.reduced = Some(taken);
                        self.flag = true;
                    }
                }
            }
        }
    }

    fn enter(&mut self, status: OrderStatus) {
        self.status = status;
        match self.status {
            Processing | OnHold | Completed if !self.flag => {
                if self.reduced.unwrap_or(0) == 0 {
                    self.stock -= self.quantity;
                    self.reduced = Some(self.quantity);
                }
                self.flag = true;
            }
            Cancelled | Pending if self.flag => {
                if let Some(reduced) = self.reduced.filter(|reduced| *reduced != 0) {
                    self.stock += reduced;
                    self.reduced = None;
                }
                self.flag = false;
            }
            _ => {}
        }
    }

    fn line(&self, template: &SaleLine) -> SaleLine {
        let mut line = template.clone();
        line.quantity = units(self.quantity);
        line.reduced = self.reduced.map(units);
        line
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::sample::select([&ALL[..], &[own()]].concat()).prop_map(Step::Status),
        2 => (1i64..5).prop_map(Step::Restock),
        2 => (1i64..9).prop_map(Step::Edit),
        1 => Just(Step::Untrash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// After every report the ledger has taken exactly what the shop has, whichever reports got
    /// lost on the way, however often each came, with the shop's plugin and without it.
    #[test]
    fn the_ledger_agrees_with_the_shop_after_every_report(
        steps in vec((step(), 0usize..3), 1..25),
        plugin: bool,
    ) {
        let template = line(None);
        let mut shop = Shop {
            stock: 100, status: Pending, before_trash: Pending,
            quantity: 3, reduced: None, restocked: 0, flag: false,
        };
        let (mut last_flag, mut posted) = (None, Quantity::ZERO);
        let mut ledger = units(100);
        for (step, reports) in steps {
            shop.take(&step);
            for _ in 0..reports {
                let told = plugin.then_some(shop.flag);
                let flag = flag_after(&shop.status, told, last_flag);
                let line = shop.line(&template);
                let wanted = desired(&shop.status, Some(flag), &line, Some(posted));
                if let Some(posting) = Posting::of(line.line_id, wanted, posted).unwrap() {
                    ledger = ledger.checked_add(posting.movement().unwrap()).unwrap();
                }
                (last_flag, posted) = (Some(flag), wanted);
                // Without the plugin nobody tells whether units came back before a payment
                // failed, say; a settled reading finds that.
                let told = plugin
                    || shop.reduced.is_some()
                    || !matches!(
                        shop.status,
                        Failed | Refunded | Trash | CheckoutDraft | OrderStatus::Other(_)
                    );
                if told {
                    prop_assert_eq!(ledger, units(shop.stock), "{:?}", step);
                }
            }
        }
    }
}

#[test]
fn a_status_is_written_as_woocommerce_does() {
    assert_eq!(json!(OnHold), json!("on-hold"));
}
