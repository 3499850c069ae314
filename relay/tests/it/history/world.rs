//! A history's shop and relay, and how its deeds are done.

use std::sync::{Arc, Mutex};

use nexpura_protocol::{Event, Resource, Verb};
use nexpura_relay::service::{Relay, fetch};

use super::{
    counted,
    deeds::{Deed, End, History, Op, Opening, Step},
};
use crate::{
    shop::{Mark, Shop, Stock, server::Town},
    support::connected::Connected,
};

/// One shop and its relay.
#[derive(Clone)]
pub(super) struct World {
    pub(super) shop: Connected,
    /// What may be sold, by id.
    sold: Vec<u64>,
    told: Arc<Mutex<Told>>,
}

/// What became of events.
#[derive(Debug, Default)]
struct Told {
    delivered: Vec<Event>,
    /// Whether something happened that only a sweep can find.
    lost: bool,
}

impl World {
    pub(super) async fn new(relay: &Relay, town: &Town, history: &History) -> Self {
        let mut shop = Shop::new();
        shop.bare = history.bare;
        let sold = stock_up(&mut shop, &history.stocks);
        let shop = Connected::new(relay, town, shop).await;
        if history.opening.is_none() {
            counted::at_once(&shop).await;
        }
        let world = Self { shop, sold, told: Arc::default() };
        world.note_opened().await;
        world
    }

    pub(super) fn close(&self, town: &Town) {
        town.close(&self.shop.fake);
    }

    /// Plays a whole history until all is quiet.
    pub(super) async fn play(&self, history: &History) {
        if let Some(opening) = &history.opening {
            self.take(&opening.before).await;
            self.open(opening).await;
        }
        self.take(&history.after).await;
        self.come_to_rest(history.reversed).await;
    }

    async fn take(&self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Deed(deed) => self.act(deed).await,
                Step::Fetch(meanwhile) => {
                    self.meanwhile("wc/v3/", meanwhile.clone());
                    fetch::fetch_due(&self.shop.relay, self.shop.tenant, self.shop.integration)
                        .await
                        .unwrap();
                    self.shop.fake.calm();
                }
            }
        }
    }

    /// Does these things during the next request to such a route.
    fn meanwhile(&self, route: &str, deeds: Vec<Deed>) {
        let world = self.clone();
        self.shop.fake.interrupt(route, move || async move {
            for deed in &deeds {
                world.act(deed).await;
            }
        });
    }

    /// The opening sweeps, with what happens meanwhile, until every stock is counted.
    async fn open(&self, opening: &Opening) {
        for (route, deeds) in &opening.during {
            self.meanwhile(route, deeds.clone());
        }
        // A spool that was never heard of cannot say what it holds.
        self.shop.push_events(Vec::new()).await;
        self.shop.want_sweep(true).await;
        for round in 0.. {
            self.shop.run_sweep().await;
            self.note_opened().await;
            assert!(round < 12, "stocks never settle: {:?}", self.shop.listings().await);
            if round > 1 {
                self.shop.fake.calm();
                self.capture_open();
                self.shop.push().await;
            }
            self.shop.push_events(Vec::new()).await;
            self.shop.let_time_pass().await;
            self.shop.fetch().await;
            if self.shop.opening().await == 0 {
                break;
            }
            self.shop.want_sweep(false).await;
        }
        self.shop.fake.calm();
    }

    /// What is edited from now on in a stock whose listing is open is drift.
    async fn note_opened(&self) {
        let listings = self.shop.listings().await;
        let open = listings.iter().filter(|(_, state, ..)| state == "open");
        let ids = open.filter_map(|(stock, ..)| u64::try_from(*stock).ok());
        self.shop.fake.shop().opened.extend(ids);
    }

    /// Ends open requests, delivers what is unsent, fetches and, where something was lost, sweeps.
    async fn come_to_rest(&self, reversed: bool) {
        self.capture_open();
        let mut events = self.shop.spool.lock().unwrap().take();
        if reversed {
            events.reverse();
            for event in events {
                self.shop.push_events(vec![event]).await;
            }
        } else {
            self.shop.push_events(events).await;
        }
        self.fetch_all().await;
        if self.told.lock().unwrap().lost || self.shop.fake.shop().bare {
            self.shop.let_time_pass().await;
            self.shop.want_sweep(true).await;
            self.shop.run_sweep().await;
            self.fetch_all().await;
        }
        // Where the relay has asked for another reading, it gets one.
        for _ in 0..6 {
            if self.shop.unsure().await == 0 {
                return;
            }
            self.shop.want_sweep(false).await;
            self.shop.run_sweep().await;
            self.shop.push_events(Vec::new()).await;
            self.shop.let_time_pass().await;
            self.fetch_all().await;
        }
    }

    /// Fetches what is due, and what a busy machine made the relay put off.
    async fn fetch_all(&self) {
        for _ in 0..10 {
            self.shop.fetch().await;
            if self.shop.make_due().await == 0 {
                return;
            }
        }
    }

    fn capture_open(&self) {
        let open = self.shop.spool.lock().unwrap().open.len();
        for _ in 0..open {
            self.capture(0);
        }
    }

    async fn act(&self, deed: &Deed) {
        match deed {
            Deed::Do(op, end) => self.perform(op, *end),
            Deed::Capture(at) => self.capture(*at),
            Deed::Deliver(at, events) => self.deliver(*at, *events).await,
            Deed::Again(at) => self.again(*at).await,
            Deed::Lose(at) => self.lose(*at),
            Deed::Fade(at) => self.fade(*at),
        }
    }

    fn perform(&self, op: &Op, end: End) {
        let mut shop = self.shop.fake.shop();
        let mut spool = self.shop.spool.lock().unwrap();
        if let Op::Delete(at) = op {
            if let Some(order) = nth_order(&shop, *at) {
                if shop.orders[&order].status == "checkout-draft" {
                    shop.orders.remove(&order);
                } else {
                    spool.delete_order(&mut shop, order);
                }
            }
            return;
        }
        let marks = self.change(&mut shop, op);
        match end {
            // Without the plugin WooCommerce's own webhooks tell that something happened.
            End::Captured if shop.bare => marks.into_iter().for_each(|mark| spool.touch(mark)),
            End::Captured => spool.capture_all(&mut shop, &marks),
            End::Open => spool.open.extend(marks),
            End::Died => marks.into_iter().for_each(|mark| spool.touch(mark)),
            End::Unnoticed if marks.is_empty() => {}
            End::Unnoticed => self.told.lock().unwrap().lost = true,
        }
    }

    fn change(&self, shop: &mut Shop, op: &Op) -> Vec<Mark> {
        let lines = |lines: &[(usize, i64)]| -> Vec<(u64, i64)> {
            lines.iter().map(|(at, units)| (self.sold[at % self.sold.len()], *units)).collect()
        };
        let on = |shop: &mut Shop, at: usize, act: &dyn Fn(&mut Shop, u64) -> Vec<Mark>| {
            nth_order(shop, at).map(|order| act(shop, order)).unwrap_or_default()
        };
        match op {
            Op::Order { lines: wanted, paid } => {
                let lines = lines(wanted);
                if *paid { shop.paid_order(&lines).1 } else { shop.order(&lines).1 }
            }
            Op::Draft { lines: wanted } => {
                shop.draft(&lines(wanted));
                Vec::new()
            }
            Op::Status(at, to) => on(shop, *at, &|shop, id| shop.enter(id, to)),
            Op::Edit(at, line, units) => on(shop, *at, &|shop, id| shop.edit(id, *line, *units)),
            Op::Add(at, product, units) => {
                let product = self.sold[product % self.sold.len()];
                on(shop, *at, &|shop, id| shop.add_line(id, product, *units))
            }
            Op::Remove(at, line) => on(shop, *at, &|shop, id| shop.remove_line(id, *line)),
            Op::Refund { order, line, units, restock } => {
                on(shop, *order, &|shop, id| shop.refund(id, *line, *units, *restock))
            }
            Op::Trash(at) => on(shop, *at, &|shop, id| shop.trash(id)),
            Op::Untrash(at) => on(shop, *at, &|shop, id| shop.untrash(id)),
            Op::SetStock(at, units) => {
                let stock = shop.owner(self.sold[at % self.sold.len()]);
                stock.map(|stock| shop.set_stock(stock, *units)).unwrap_or_default()
            }
            Op::Delete(_) => Vec::new(),
        }
    }

    fn capture(&self, at: usize) {
        let mut shop = self.shop.fake.shop();
        let mut spool = self.shop.spool.lock().unwrap();
        if let Some(at) = at.checked_rem(spool.open.len()) {
            let mark = spool.open.remove(at);
            let draft = shop.orders.get(&mark.id).is_some_and(|o| o.status == "checkout-draft");
            // A draft is told as a touch, and so is what is gone by now.
            if shop.bare || draft || shop.show(mark.resource, mark.id).is_none() {
                spool.touch(mark);
            } else {
                let verb = settled_verb(&shop, mark);
                spool.capture(&mut shop, Mark { verb, ..mark });
            }
        }
    }

    async fn deliver(&self, at: usize, events: usize) {
        let picked: Vec<Event> = {
            let mut spool = self.shop.spool.lock().unwrap();
            let Some(at) = at.checked_rem(spool.unsent.len()) else { return };
            let end = (at + events).min(spool.unsent.len());
            spool.unsent.drain(at..end).collect()
        };
        self.told.lock().unwrap().delivered.extend(picked.iter().cloned());
        self.shop.push_events(picked).await;
    }

    async fn again(&self, at: usize) {
        let event = {
            let told = self.told.lock().unwrap();
            let Some(at) = at.checked_rem(told.delivered.len()) else { return };
            told.delivered[at].clone()
        };
        self.shop.push_events(vec![event]).await;
    }

    fn lose(&self, at: usize) {
        let mut spool = self.shop.spool.lock().unwrap();
        if let Some(at) = at.checked_rem(spool.unsent.len())
            && may_go(&spool.unsent[at])
        {
            spool.unsent.remove(at);
            self.told.lock().unwrap().lost = true;
        }
    }

    fn fade(&self, at: usize) {
        let mut spool = self.shop.spool.lock().unwrap();
        if let Some(at) = at.checked_rem(spool.unsent.len())
            && may_go(&spool.unsent[at])
        {
            (spool.unsent[at].payload, spool.unsent[at].facts) = (None, None);
        }
    }
}

/// What is deleted for good can be told by its event alone.
fn may_go(event: &Event) -> bool {
    event.topic.verb != Verb::Deleted
}

/// What the plugin makes of a mark once it has read the order.
fn settled_verb(shop: &Shop, mark: Mark) -> Verb {
    let Some(order) = shop.orders.get(&mark.id).filter(|_| mark.resource == Resource::Order) else {
        return mark.verb;
    };
    match mark.verb {
        Verb::Deleted | Verb::Restored if order.status == "trash" => Verb::Deleted,
        Verb::Deleted | Verb::Restored => Verb::Restored,
        verb => verb,
    }
}

fn nth_order(shop: &Shop, at: usize) -> Option<u64> {
    let at = at.checked_rem(shop.orders.len())?;
    shop.orders.keys().nth(at).copied()
}

/// A catalogue with every way of keeping a stock; the numbers say how many products there are of it.
fn stock_up(shop: &mut Shop, stocks: &[i64]) -> Vec<u64> {
    let mut sold = Vec::new();
    for (at, units) in stocks.iter().enumerate() {
        match (at + usize::try_from(*units).unwrap_or(0)) % 5 {
            0 | 1 => sold.push(shop.simple(&format!("RING-{at}"), *units)),
            2 => {
                let parent = shop.product(None, "variable", None, Stock::Unmanaged);
                let sku = format!("BAND-{at}");
                let own = shop.product(Some(parent), "variation", Some(&sku), Stock::Own(*units));
                sold.push(own);
            }
            3 => {
                let sku = format!("STUD-{at}");
                let parent = shop.product(None, "variable", Some(&sku), Stock::Own(*units));
                for _ in 0..2 {
                    sold.push(shop.product(Some(parent), "variation", None, Stock::Parent));
                }
            }
            _ => {
                sold.push(shop.product(None, "simple", Some("GIFT"), Stock::Unmanaged));
                sold.push(shop.product(None, "simple", None, Stock::Own(*units)));
            }
        }
    }
    sold
}
