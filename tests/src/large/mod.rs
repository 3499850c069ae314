//! A ledger made large: years of a jeweller's trade written straight into the tables, each row of it consistent.
//!
//! Movements are numbered, and all else follows from their numbers. In every group of them the first brings pieces in,
//! the second and third are the lines of one sale, and what is left was done by hand. One piece in particular has
//! moved more often than all others.

mod dialect;
mod reported;
mod waiting;

use anyhow::{Context, Result};
use chrono::{TimeDelta, Utc};

use crate::relay::{Database, Relay};

/// How long the trade has gone on.
const DAYS: i64 = 365;
/// One of so many movements is of the piece that moves most.
const OFTEN: u64 = 97;
/// Sales of the store that has sold nothing since.
const FEW: u64 = 200;
/// How often an event that arrived lately still has what it brought.
const KEPT_DAYS: i64 = 90;

/// How large a ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Movements.
    pub movements: u64,
    /// Movements to one sale; four at least.
    pub to_a_sale: u64,
    /// Pieces that move.
    pub pieces: u64,
    /// People who buy.
    pub customers: u64,
}

impl Size {
    /// How many sales there are, of two lines each.
    #[must_use]
    pub fn sales(self) -> u64 {
        self.movements / self.to_a_sale
    }

    /// How many events arrived: one a sale, and one of a product for every five.
    #[must_use]
    pub fn events(self) -> u64 {
        self.sales() + self.sales() / 5
    }
}

/// A relay's ledger, and the words to fill it with.
#[derive(Debug)]
pub struct Trade<'a> {
    relay: &'a Relay,
    database: Database,
    size: Size,
    /// The tenant's key, as it is written in SQL.
    tenant: String,
    /// The key of the store that sells.
    store: String,
    /// The keys of stores that sell little: one sold something long ago, the other every twentieth sale.
    others: Option<[String; 2]>,
    /// When it began, in milliseconds since 1970; odd, as all that follow.
    began: i64,
    /// Milliseconds from one movement to the next; even.
    step: i64,
}

impl<'a> Trade<'a> {
    /// A trade in the only tenant's newest store. The pieces that it moves are those which are listed there.
    ///
    /// # Errors
    /// When the ledger cannot be read, or has no store.
    pub fn new(relay: &'a Relay, size: Size) -> Result<Self> {
        let database = relay.database();
        let tenant = relay.key("SELECT id FROM tenants")?.context("no tenant")?;
        let store = relay.key("SELECT id FROM integrations ORDER BY created_at DESC LIMIT 1")?;
        let store = store.context("no store")?;
        let until = Utc::now() - TimeDelta::minutes(1);
        let span = TimeDelta::days(DAYS).num_milliseconds();
        let step = (span / i64::try_from(size.movements)?.max(1)).max(2) & !1;
        let began = (until.timestamp_millis() - step * i64::try_from(size.movements)?) | 1;
        Ok(Self { relay, database, size, tenant, store, others: None, began, step })
    }

    /// A trade in three stores that nobody has connected: most is sold in one of them, and little in the others. Its
    /// pieces have still to be listed.
    ///
    /// # Errors
    /// With the database's message.
    pub fn in_three_stores(relay: &'a Relay, size: Size) -> Result<Self> {
        let database = relay.database();
        let tenant = relay.key("SELECT id FROM tenants")?.context("no tenant")?;
        let now = Utc::now().timestamp_millis();
        let mut keys = Vec::new();
        for (at, name) in ["closed", "market", "aurelia"].into_iter().enumerate() {
            // Odd, and later than the one before: the newest is the store that sells most.
            let made = (now - 1_000 + 2 * i64::try_from(at)?) | 1;
            let (key, moment) = (
                database.key(&made.to_string(), '0', &at.to_string()),
                database.moment(&made.to_string()),
            );
            relay.execute(&format!(
                "INSERT INTO integrations (tenant_id, id, type, store_url, rest_root, status, mode, config, last_sync_at,
                     created_at, updated_at)
                   VALUES ({tenant}, {key}, 'woocommerce', 'http://{name}.example', '', 'connected', 'extension', '{{}}',
                     {moment}, {moment}, {moment})"
            ))?;
            keys.push(key);
        }
        let mut trade = Self::new(relay, size)?;
        trade.others = keys.into_iter().take(2).collect::<Vec<_>>().try_into().ok();
        Ok(trade)
    }

    /// Which store made the sale of that number.
    fn sold_in(&self, number: &str) -> String {
        let store = &self.store;
        self.others.as_ref().map_or_else(
            || store.clone(),
            |[closed, market]| {
                format!(
                    "(CASE WHEN {number} <= {FEW} THEN {closed} WHEN {number} % 20 = 0 THEN {market} ELSE {store} END)"
                )
            },
        )
    }

    /// Runs statements. What they refer to is there by their making: looking after each row would take most of the time.
    fn run(&self, sql: &str) -> Result<()> {
        self.relay.execute(&format!("{};\n{sql}", self.database.unchecked()))
    }

    /// When the movement of that number happened, in milliseconds.
    fn at(&self, number: &str) -> String {
        format!("({} + ({number}) * {})", self.began, self.step)
    }

    /// A number from 1 to `last` that follows from another one and looks as if it did not.
    fn some_of(number: &str, last: u64) -> String {
        format!("(1 + ((({number}) * 2654435761) % 4294967296) * {last} / 4294967296)")
    }

    fn customer(&self, number: &str) -> String {
        self.database.key(&self.at(number), '3', number)
    }

    fn sale(&self, number: &str) -> String {
        let last = format!("({number}) * {}", self.size.to_a_sale);
        self.database.key(&self.at(&last), '4', number)
    }

    /// Runs statements that may join `numbered AS v`, the pieces of the store numbered from 1 in its column `at`.
    fn run_on_pieces(&self, sql: &str) -> Result<()> {
        self.run(&format!(
            "CREATE TEMPORARY TABLE numbered AS
               SELECT p.id, p.sku, p.name, l.stock_id, row_number() OVER (ORDER BY p.created_at DESC, p.id) AS at
               FROM inventory p JOIN listings l ON l.tenant_id = p.tenant_id AND l.inventory_id = p.id
               WHERE l.tenant_id = {} AND l.integration_id = {};
             CREATE UNIQUE INDEX numbered_at ON numbered (at);
             {sql}",
            self.tenant, self.store
        ))
    }

    /// The number of the piece that the movement of that number is of.
    fn piece_of(&self, number: &str) -> String {
        let any = Self::some_of(number, self.size.pieces);
        format!("(CASE WHEN ({number}) % {OFTEN} = 2 THEN 1 ELSE {any} END)")
    }

    /// Adds pieces that the store lists until there are as many as the size says.
    ///
    /// # Errors
    /// With the database's message.
    pub fn list_pieces(&self) -> Result<()> {
        let (tenant, store, d) = (&self.tenant, &self.store, self.database);
        let there = self.relay.number(&format!(
            "SELECT COUNT(*) FROM listings WHERE integration_id = {store} AND inventory_id IS NOT NULL"
        ))?;
        let missing = self.size.pieces.saturating_sub(there);
        let (numbers, when) = (d.numbers(missing), self.at("-n"));
        let (piece, listing) = (d.key(&when, '1', "n"), d.key(&when, '2', "n"));
        let (sku, moment) = (format!("'SKU-' || {}", d.padded("n", 7)), d.moment(&when));
        let name = "CASE n % 8 WHEN 0 THEN 'Ring' WHEN 1 THEN 'Necklace' WHEN 2 THEN 'Bracelet' WHEN 3 THEN 'Brooch' \
            WHEN 4 THEN 'Earrings' WHEN 5 THEN 'Pendant' WHEN 6 THEN 'Watch' ELSE 'Chain' END || ' no. ' || n";
        self.run(&format!(
            "INSERT INTO inventory (tenant_id, id, sku, name, quantity, counted, backorders, price, currency, details,
                 origin_integration_id, created_at, updated_at)
               SELECT {tenant}, {piece}, {sku}, {name}, 0, TRUE, FALSE, (10 + n % 5000) * 1000000, 'GBP', '{{}}', {store},
                 {moment}, {moment} FROM {numbers};
             INSERT INTO products (tenant_id, integration_id, remote_id, stock_id, kind, sku, name, status, gone,
                 updated_at)
               SELECT {tenant}, {store}, 1000000 + n, 1000000 + n, 'simple', {sku}, {name}, 'publish', FALSE, {moment}
               FROM {numbers};
             INSERT INTO listings (tenant_id, id, integration_id, stock_id, inventory_id, state, mirror, backorders,
                 changes, opened_at, created_at, updated_at)
               SELECT {tenant}, {listing}, {store}, 1000000 + n, {piece}, 'open', 0, FALSE, 0, {moment}, {moment},
                 {moment} FROM {numbers};"
        ))
    }

    /// Customers, their sales and the events that told of them.
    ///
    /// # Errors
    /// With the database's message.
    pub fn sell(&self) -> Result<()> {
        let (tenant, store, d) = (&self.tenant, &self.store, self.database);
        let (people, sales) = (self.size.customers, self.size.sales());
        let (born, customer) = (d.moment(&self.at("n")), self.customer("n"));
        self.run(&format!(
            "INSERT INTO customers (tenant_id, id, email, first_name, last_name, company, phone, address,
                 origin_integration_id, created_at, updated_at)
               SELECT {tenant}, {customer}, 'buyer-' || n || '@buyers.example', 'Ann',
                 CASE n % 5 WHEN 0 THEN 'Archer' WHEN 1 THEN 'Baker' WHEN 2 THEN 'Cooper' WHEN 3 THEN 'Mason'
                   ELSE 'Tailor' END || '-' || n % 1000,
                 '', '', '{{\"city\":\"London\",\"country\":\"GB\"}}', {store}, {born}, {born} FROM {};",
            d.numbers(people)
        ))?;
        let numbers = d.numbers(sales);
        let (sale, buyer) = (self.sale("n"), Self::some_of("n", people));
        let placed = d.moment(&self.at(&format!("n * {}", self.size.to_a_sale)));
        let (who, sold_in) = (self.customer(&buyer), self.sold_in("n"));
        self.run(&format!(
            "INSERT INTO sales (tenant_id, id, integration_id, external_id, order_key, number, status, stock_flag, gone,
                 customer_id, email, currency, prices_include_tax, shipping, shipping_tax, fees, fees_tax, discount,
                 discount_tax, tax, rounding, total, refunded, payment_method, payment_title, transaction_id, details,
                 ordered_at, paid_at, created_at, updated_at)
               SELECT {tenant}, {sale}, {sold_in}, 10000000000 + n, 'many', 'M' || n,
                 CASE WHEN n % 50 = 0 THEN 'refunded' WHEN n % 40 = 0 THEN 'on-hold' WHEN n > {sales} - 500 THEN
                   'processing' ELSE 'completed' END,
                 TRUE, FALSE, {who}, 'buyer-' || {buyer} || '@buyers.example', 'GBP', FALSE, 0, 0, 0, 0, 0, 0, 0, 0,
                 200000000, 0, 'stripe', 'Card', 't' || n,
                 '{{\"billing\":{{\"first_name\":\"Ann\",\"city\":\"London\",\"country\":\"GB\"}},\"coupons\":[]}}',
                 {placed}, {placed}, {placed}, {placed} FROM {numbers};"
        ))?;
        for line in [1, 2] {
            let number = format!("((n - 1) * {} + {line} + 1)", self.size.to_a_sale);
            let piece = self.piece_of(&number);
            self.run_on_pieces(&format!(
                "INSERT INTO sale_items (tenant_id, sale_id, line_id, integration_id, product_id, variation_id,
                     stock_id, name, sku, quantity, subtotal, subtotal_tax, total, total_tax, desired, posted, gone)
                   SELECT {tenant}, {sale}, {line}, {sold_in}, v.stock_id, 0, v.stock_id, v.name, v.sku, 1000, 100000000,
                     0, 100000000, 0, 1000, 1000, FALSE FROM {numbers} JOIN numbered AS v ON v.at = {piece};"
            ))?;
        }
        self.tell()
    }

    /// What arrived of the sales and of products.
    fn tell(&self) -> Result<()> {
        let (tenant, d) = (&self.tenant, self.database);
        let (sales, events) = (self.size.sales(), self.size.events());
        let at = self.at(&format!("(n * {} / {})", self.size.movements, events.max(1)));
        let numbers = d.numbers(events);
        let kept = (Utc::now() - TimeDelta::days(KEPT_DAYS)).timestamp_millis();
        let filling = "x".repeat(1_500);
        self.run(&format!(
            "INSERT INTO inbox (tenant_id, integration_id, event_id, spool, seq, topic, resource, resource_id, rev,
                 occurred_at, received_at, status, detail, payload, facts, attempts)
               SELECT {tenant}, {told_by}, {event}, 'many', n,
                 CASE WHEN n % 6 = 0 THEN 'product.updated' ELSE 'order.created' END,
                 CASE WHEN n % 6 = 0 THEN 'product' ELSE 'order' END,
                 CASE WHEN n % 6 = 0 THEN 1000000 + n % 1000 ELSE 10000000000 + n - n / 6 END, 1, {moment}, {moment},
                 CASE WHEN n % 1000 = 1 THEN 'failed' WHEN n % 20 = 2 THEN 'superseded' ELSE 'applied' END,
                 CASE WHEN n % 1000 = 1 THEN 'the total is no number' END,
                 CASE WHEN {at} > {kept} THEN '{{\"id\":' || n || ',\"note\":\"{filling}\"}}' END,
                 CASE WHEN {at} > {kept} THEN '{{\"rev\":1}}' END, 1 FROM {numbers};
             INSERT INTO resources (tenant_id, integration_id, resource, remote_id, rev, arrived, arrived_at, applied_at,
                 attempts)
               SELECT {tenant}, {sold_in}, 'order', 10000000000 + n, 1, 1, {sold}, {sold}, 0 FROM {of_sales};",
            event = d.key(&at, '5', "n"),
            told_by = self.sold_in("(n - n / 6)"),
            sold_in = self.sold_in("n"),
            moment = d.moment(&at),
            sold = d.moment(&self.at(&format!("n * {}", self.size.to_a_sale))),
            of_sales = d.numbers(sales),
        ))
    }

    /// Everything that moved, and what there is of each piece after it.
    ///
    /// # Errors
    /// With the database's message.
    pub fn move_pieces(&self) -> Result<()> {
        let (tenant, d) = (&self.tenant, self.database);
        let (movements, group) = (self.size.movements, self.size.to_a_sale);
        let of_sale = format!("((n + {group} - 1) / {group})");
        let (at, sale, store) = (self.at("n"), self.sale(&of_sale), self.sold_in(&of_sale));
        let place = format!("((n - 1) % {group})");
        // The last group is left unfinished: what is in it was sold by nobody.
        let sold = format!("{place} IN (1, 2) AND n <= {}", self.size.sales() * group);
        self.run_on_pieces(&format!(
            "INSERT INTO stock_movements (tenant_id, id, inventory_id, movement_type, quantity_change, notes,
                 integration_id, sale_id, line_id, created_at)
               SELECT {tenant}, {key}, v.id,
                 CASE WHEN {sold} THEN 'sale' WHEN {place} = 0 THEN 'purchase' ELSE 'adjustment' END,
                 CASE WHEN {sold} THEN -1000 WHEN {place} = 0 THEN 3000 WHEN n % 8 < 4 THEN -1000 ELSE 1000 END, '',
                 CASE WHEN {sold} THEN {store} END, CASE WHEN {sold} THEN {sale} END,
                 CASE WHEN {sold} THEN {place} END, {moment}
               FROM {numbers} JOIN numbered AS v ON v.at = {piece};",
            key = d.key(&at, '6', "n"),
            moment = d.moment(&at),
            numbers = d.numbers(movements),
            piece = self.piece_of("n"),
        ))?;
        let sums = format!(
            "(SELECT m.inventory_id AS piece, CAST(SUM(m.quantity_change) AS BIGINT) AS units
              FROM stock_movements m WHERE m.tenant_id = {tenant} GROUP BY m.inventory_id) AS s"
        );
        self.run(&format!(
            "UPDATE listings SET mirror = mirror + s.units - v.quantity
               FROM {sums} JOIN inventory v ON v.tenant_id = {tenant} AND v.id = s.piece
               WHERE listings.tenant_id = {tenant} AND listings.inventory_id = s.piece AND listings.state = 'open';
             UPDATE inventory SET quantity = s.units FROM {sums}
               WHERE inventory.tenant_id = {tenant} AND inventory.id = s.piece;"
        ))
    }

    /// Lets the database look at what it has, as it would in time by itself.
    ///
    /// # Errors
    /// With the database's message.
    pub fn settle(&self) -> Result<()> {
        self.relay.execute(self.database.settle())
    }
}
