//! A WooCommerce shop as a model: what its people and visitors do to orders and stock, as WooCommerce
//! 10.0.2 does it.
//!
//! Source: `includes/wc-stock-functions.php`, `includes/wc-order-functions.php` and
//! `includes/admin/wc-admin-functions.php` there. Units are whole here.

pub(crate) mod orders;
pub(crate) mod plugin;
mod rest;
pub(crate) mod server;
pub(crate) mod show;
pub(crate) mod spool;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use nexpura_protocol::{Resource, Verb};

pub(crate) use orders::{Line, Order, Refund};

/// How a product's stock is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stock {
    /// By itself: so many units.
    Own(i64),
    /// By the product that it is a variation of.
    Parent,
    /// By nobody.
    Unmanaged,
}

/// A product or a variation.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) id: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) kind: &'static str,
    pub(crate) sku: Option<String>,
    pub(crate) name: String,
    pub(crate) stock: Stock,
    pub(crate) backorders: &'static str,
    pub(crate) trashed: bool,
    pub(crate) modified: DateTime<Utc>,
}

/// A registered customer.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) id: u64,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) role: &'static str,
}

/// Something that the plugin's hooks say was touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) resource: Resource,
    pub(crate) id: u64,
    pub(crate) verb: Verb,
}

/// The shop's database.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shop {
    pub(crate) products: BTreeMap<u64, Product>,
    pub(crate) orders: BTreeMap<u64, Order>,
    /// Orders that were deleted for good, as they last stood.
    pub(crate) deleted: BTreeMap<u64, Order>,
    pub(crate) customers: BTreeMap<u64, Customer>,
    /// The plugin's counters.
    pub(crate) revisions: BTreeMap<(Resource, u64), u64>,
    /// By how much people have changed each stock by hand so far.
    pub(crate) edits: BTreeMap<u64, i64>,
    /// The same at the moment of each stock's last reading by the relay before its listing opened.
    pub(crate) edits_at_reading: BTreeMap<u64, i64>,
    /// Stocks whose listing is open: what is edited from then on is drift.
    pub(crate) opened: BTreeSet<u64>,
    /// Whether there is no plugin to tell facts.
    pub(crate) bare: bool,
    /// Orders that some other plugin shows in a way that nobody understands.
    pub(crate) damaged: BTreeSet<u64>,
    /// Whether its listings heed no `offset`.
    pub(crate) deaf: bool,
    /// The plugin's table of pushes.
    pub(crate) pushes: plugin::Pushes,
    /// The plugin's table of what was brought over.
    pub(crate) synced: BTreeSet<(Resource, u64)>,
    /// Private notes, each with its order.
    pub(crate) notes: Vec<(u64, String)>,
    /// What was given its custom field, in this order.
    pub(crate) fields: Vec<(Resource, u64)>,
    /// Products whose type's plugin is switched off, with the type that the database keeps.
    pub(crate) kept_types: BTreeMap<u64, &'static str>,
    /// A product that it refuses to save.
    pub(crate) refuses: Option<u64>,
    /// A product of which another plugin changes something whenever it is saved.
    pub(crate) alters: Option<u64>,
    /// So many units and fewer are none, by its settings.
    pub(crate) none_left: i64,
    /// Whom the shop has told that their address had changed.
    pub(crate) mailed: Vec<String>,
    /// WooCommerce's own id of the shop.
    pub(crate) woocommerce_id: String,
    last_id: u64,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let woocommerce_id = "d5ee28ae-c1c6-4f01-8aa0-1037ab798f5a".to_owned();
        Self { last_id: 10, woocommerce_id, ..Self::default() }
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A simple product with so many units.
    pub(crate) fn simple(&mut self, sku: &str, units: i64) -> u64 {
        self.product(None, "simple", Some(sku), Stock::Own(units))
    }

    pub(crate) fn product(
        &mut self,
        parent: Option<u64>,
        kind: &'static str,
        sku: Option<&str>,
        stock: Stock,
    ) -> u64 {
        let id = self.next_id();
        let product = Product {
            id,
            parent,
            kind,
            sku: sku.map(str::to_owned),
            name: format!("Ring {id}"),
            stock,
            backorders: "no",
            trashed: false,
            modified: Utc::now(),
        };
        self.products.insert(id, product);
        id
    }

    pub(crate) fn customer(&mut self, email: &str, first_name: &str) -> u64 {
        let id = self.next_id();
        let (email, first_name) = (email.to_owned(), first_name.to_owned());
        let customer = Customer { id, email, first_name, role: "customer" };
        self.customers.insert(id, customer);
        id
    }

    /// `get_stock_managed_by_id()`.
    pub(crate) fn owner(&self, product: u64) -> Option<u64> {
        let product = self.products.get(&product)?;
        match (product.stock, product.parent) {
            (Stock::Parent, Some(parent)) => Some(parent),
            _ => Some(product.id),
        }
    }

    /// `managing_stock()`.
    pub(crate) fn managed(&self, product: u64) -> bool {
        let owner = self.owner(product).and_then(|owner| self.products.get(&owner));
        owner.is_some_and(|owner| matches!(owner.stock, Stock::Own(_)))
    }

    /// The units of a stock that is managed.
    pub(crate) fn units(&self, stock: u64) -> Option<i64> {
        match self.products.get(&stock)?.stock {
            Stock::Own(units) => Some(units),
            Stock::Parent | Stock::Unmanaged => None,
        }
    }

    /// `wc_update_product_stock()`: one statement that adds, whatever there is.
    pub(super) fn add_to_stock(&mut self, product: u64, change: i64) -> Option<Mark> {
        let owner = self.owner(product)?;
        let owner = self.products.get_mut(&owner)?;
        let Stock::Own(units) = &mut owner.stock else { return None };
        *units += change;
        owner.modified = Utc::now();
        Some(Mark { resource: Resource::Product, id: owner.id, verb: Verb::Updated })
    }

    /// A person counts again and types the number in.
    pub(crate) fn set_stock(&mut self, product: u64, units: i64) -> Vec<Mark> {
        let Some(now) = self.units(product) else { return Vec::new() };
        *self.edits.entry(product).or_default() += units - now;
        self.add_to_stock(product, units - now).into_iter().collect()
    }

    /// A product is put into the trash, where its stock stays what it is.
    pub(crate) fn trash_product(&mut self, product: u64) -> Vec<Mark> {
        let Some(found) = self.products.get_mut(&product) else { return Vec::new() };
        found.trashed = true;
        found.modified = Utc::now();
        vec![Mark { resource: Resource::Product, id: product, verb: Verb::Deleted }]
    }

    /// A product is removed for good, its variations with it.
    pub(crate) fn delete_product(&mut self, product: u64) -> Vec<Mark> {
        let gone: Vec<u64> = self
            .products
            .values()
            .filter(|one| one.id == product || one.parent == Some(product))
            .map(|one| one.id)
            .collect();
        let mark = |id| Mark { resource: Resource::Product, id, verb: Verb::Deleted };
        gone.iter().for_each(|id| drop(self.products.remove(id)));
        gone.into_iter().map(mark).collect()
    }
}

impl Shop {
    /// A person switches a product's stock management.
    pub(crate) fn keep_stock(&mut self, product: u64, stock: Stock) -> Vec<Mark> {
        self.change(product, |product| product.stock = stock)
    }

    /// A person gives a product another SKU.
    pub(crate) fn name_sku(&mut self, product: u64, sku: &str) -> Vec<Mark> {
        self.change(product, |product| product.sku = Some(sku.to_owned()))
    }

    fn change(&mut self, product: u64, change: impl FnOnce(&mut Product)) -> Vec<Mark> {
        let Some(found) = self.products.get_mut(&product) else { return Vec::new() };
        change(found);
        found.modified = Utc::now();
        vec![Mark { resource: Resource::Product, id: product, verb: Verb::Updated }]
    }
}
