//! A relay and a shop connected to it, and what must hold between the two.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    relay::{Connection, Database, Relay, Sale},
    shop::{Shop, ShopBuilder, verbs::Order},
    wait,
};

/// How long the ledger may take to agree with the shop before a story has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How the relay hears of what happens in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Our extension pushes it.
    Extension,
    /// WooCommerce's own webhooks tell of it, once its Action Scheduler has run.
    Webhooks,
    /// Nobody tells: the relay sweeps the shop.
    Sweep,
}

/// A relay and a connected shop.
#[derive(Debug)]
pub struct Town {
    /// The shop; stopped before the relay.
    pub shop: Shop,
    /// The relay, with the ledger.
    pub relay: Relay,
    /// Their connection; a plain shop makes no use of it.
    pub connection: Connection,
    way: Way,
}

impl Town {
    /// Starts both and connects them.
    ///
    /// # Errors
    /// When a part does not start or the connection fails.
    pub async fn open(builder: ShopBuilder, database: Database) -> Result<Self> {
        let (relay, shop) = futures::join!(Relay::start(database), builder.start());
        Self::of(relay?, shop?).await
    }

    /// Connects a shop with our extension to a relay.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn of(relay: Relay, shop: Shop) -> Result<Self> {
        let connection = relay.connection()?;
        shop.connect(&connection.string).await.with_context(|| relay.log().unwrap_or_default())?;
        Ok(Self { shop, relay, connection, way: Way::Extension })
    }

    /// The same for a shop that the relay hears of in this way. A plain shop is connected by its key.
    ///
    /// # Errors
    /// When a part does not start or the connection fails.
    pub async fn open_by(way: Way, builder: ShopBuilder, database: Database) -> Result<Self> {
        if way == Way::Extension {
            return Self::open(builder, database).await;
        }
        let by_plugin = builder.has_plugin();
        let builder = builder.without_extension();
        // Only what is told counts, or only what is swept.
        let every = if way == Way::Sweep { "1" } else { "3600" };
        let settings = [("NEXPURA_SWEEP_SECONDS", every)];
        let relay = Relay::start_with(database, &settings);
        let (relay, shop) = futures::join!(relay, builder.start());
        let (relay, shop) = (relay?, shop?);
        let connection = relay.connection()?;
        if by_plugin {
            let connected = shop.connect(&connection.string).await;
            connected.with_context(|| relay.log().unwrap_or_default())?;
        } else {
            let key = shop.make_key("read_write").await?;
            let request = json!({
                "store_url": shop.url,
                "consumer_key": key.consumer_key,
                "consumer_secret": key.consumer_secret,
            });
            relay.post("/api/integrations/woocommerce/connect", &request).await?;
        }
        let town = Self { shop, relay, connection, way };
        if way == Way::Sweep {
            let which = json!({ "store": town.shop.url });
            town.relay.post("/api/integrations/woocommerce/webhooks/remove", &which).await?;
        }
        let mode = if way == Way::Sweep { "sweep" } else { "webhooks" };
        wait::until(&format!("the store's mode is {mode}"), PATIENCE, async || {
            Ok((town.relay.store(&town.shop.url).await?["mode"] == mode).then_some(()))
        })
        .await
        .with_context(|| town.relay.log().unwrap_or_default())?;
        Ok(town)
    }

    /// Lets WooCommerce's Action Scheduler deliver, where that is how the relay hears of things.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn hear(&self) -> Result<()> {
        if self.way == Way::Webhooks {
            self.shop.call_cli("run_action_scheduler", json!({}))?;
        }
        Ok(())
    }

    /// The same with the shop on https and a relay that trusts its authority.
    ///
    /// # Errors
    /// When a part does not start or the connection fails.
    pub async fn open_on_https(builder: ShopBuilder, database: Database) -> Result<Self> {
        let shop = builder.https().start().await?;
        let authority = shop.authority().context("a shop on https has an authority")?;
        // Where the relay looks for the system's authorities.
        let trust = ("SSL_CERT_FILE", authority.to_str().context("an odd temporary folder")?);
        let relay = Relay::start_with(database, &[trust]).await?;
        Self::of(relay, shop).await
    }

    /// Waits until the ledger has taken the opening count of each SKU, and it is the shop's.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn opened(&self, skus: &[&str]) -> Result<()> {
        self.hear()?;
        for sku in skus {
            let in_shop = self.shop.stock(sku).await?;
            let mut last = None;
            let opened = wait::until(
                &format!("the ledger has opened {sku} at {in_shop:?}"),
                PATIENCE,
                async || {
                    let row = self.relay.stock_row(sku).await?;
                    last.clone_from(&row);
                    let open = row.is_some_and(|row| row.is_open() && row.units() == in_shop);
                    Ok(open.then_some(()))
                },
            )
            .await;
            if let Err(error) = opened {
                let told = self.told().await;
                return Err(error.context(format!("the ledger has {last:?}\n{told}")));
            }
        }
        Ok(())
    }

    /// What the relay and the spool say of themselves, for whoever looks into a failure.
    async fn told(&self) -> String {
        let mut told = String::new();
        for path in ["/api/integrations/woocommerce", "/api/runs", "/api/events", "/api/drift"] {
            let list = self.relay.list(path).await;
            told.push_str(&format!("{path}: {list:?}\n"));
        }
        let spool: Result<Value> = self.shop.call("spool_status", ()).await;
        told.push_str(&format!("spool: {spool:?}\n"));
        told + &self.relay.log().unwrap_or_default()
    }

    /// Waits until all that was touched in the shop is captured, sent or not.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn captured(&self) -> Result<()> {
        wait::until("nothing has still to be captured", PATIENCE, async || {
            let status: Value = self.shop.call("spool_status", ()).await?;
            Ok((status["open_intents"] == 0).then_some(()))
        })
        .await
    }

    /// Waits until everything that the shop noticed has been sent and dealt with.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn quiet(&self) -> Result<()> {
        wait::until("everything noticed has been sent and dealt with", PATIENCE, async || {
            if self.way == Way::Extension {
                let status: Value = self.shop.call("spool_status", ()).await?;
                if status["unsent"] != 0 || status["open_intents"] != 0 {
                    return Ok(None);
                }
            }
            let queued = self.relay.events(Some("queued")).await?;
            Ok(queued.is_empty().then_some(()))
        })
        .await
        .with_context(|| self.relay.log().unwrap_or_default())
    }

    /// Waits until ledger and shop agree on an order and on the stock of each SKU; a SKU without managed stock moves
    /// nothing. Gives the sale.
    ///
    /// # Errors
    /// When they do not agree in time, saying in what.
    pub async fn agrees(&self, order: u64, skus: &[&str]) -> Result<Sale> {
        self.hear()?;
        let in_shop = self.shop.order(order).await?;
        let sale = self.sale_like(&in_shop).await?;
        self.stock_is(skus).await?;
        Ok(sale)
    }

    /// Waits until the ledger's sale is what the shop's order is.
    ///
    /// # Errors
    /// When it does not become so in time, saying in what it differs.
    pub async fn sale_like(&self, order: &Order) -> Result<Sale> {
        let mut last = None;
        let found = wait::until(&format!("the ledger has {order:?}"), PATIENCE, async || {
            let sale = self.relay.sale(order.id).await?;
            last.clone_from(&sale);
            Ok(sale.filter(|sale| {
                sale.status == order.status
                    && sale.currency == order.currency
                    && sale.number == order.number
                    && same_amount(&sale.total, &order.total)
            }))
        })
        .await;
        found.with_context(|| {
            format!("the ledger has {last:?}\n{}", self.relay.log().unwrap_or_default())
        })
    }

    /// Waits until the ledger's stock is the shop's, and is the sum of its movements.
    ///
    /// # Errors
    /// When it does not become so in time, saying which numbers stand on both sides.
    pub async fn stock_agrees(&self, skus: &[&str]) -> Result<()> {
        self.hear()?;
        self.stock_is(skus).await
    }

    async fn stock_is(&self, skus: &[&str]) -> Result<()> {
        self.quiet().await?;
        for sku in skus {
            let Some(in_shop) = self.shop.stock(sku).await? else {
                self.never_counted(sku).await?;
                continue;
            };
            let mut last = None;
            let what = format!("the ledger has {in_shop} of {sku}, as the shop has");
            let found = wait::until(&what, PATIENCE, async || {
                last = self.relay.quantity(sku).await?;
                Ok((last == Some(in_shop)).then_some(()))
            })
            .await;
            found.with_context(|| {
                format!(
                    "the ledger has {last:?} of {sku}\n{}",
                    self.relay.log().unwrap_or_default()
                )
            })?;
            let movements = self.relay.movements(sku).await?;
            let mut sum = 0.0;
            for movement in &movements {
                sum += movement.quantity_change.parse::<f64>()?;
            }
            ensure!(
                sum == in_shop,
                "the movements of {sku} add up to {sum}, not {in_shop}: {movements:?}"
            );
        }
        Ok(())
    }

    /// A SKU without managed stock has no count and no movements.
    async fn never_counted(&self, sku: &str) -> Result<()> {
        let movements = match self.relay.stock_row(sku).await? {
            Some(row) => {
                ensure!(
                    row.listings.iter().all(|listing| listing.mirror.is_none()),
                    "unmanaged {sku} has a mirror: {row:?}"
                );
                self.relay.movements(sku).await?
            }
            None => Vec::new(),
        };
        ensure!(movements.is_empty(), "unmanaged {sku} moved: {movements:?}");
        Ok(())
    }
}

/// Whether two decimal texts are the same number.
#[must_use]
pub fn same_amount(one: &str, other: &str) -> bool {
    matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(one), Ok(other)) if (one - other).abs() < 1e-9)
}
