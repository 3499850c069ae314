//! What travels: each shape with its fields, in the notation of [`super::typed`].

mod ledger;
mod shops;
mod stores;

/// Name (with `?` where it may be absent), type, meaning.
pub(super) type Field = (&'static str, &'static str, &'static str);

/// A shape: its name, its meaning, its fields.
pub(super) type Schema = (&'static str, &'static str, &'static [Field]);

/// Every shape.
pub(super) fn all() -> impl Iterator<Item = &'static Schema> {
    [ledger::SCHEMAS, stores::SCHEMAS, shops::SCHEMAS].into_iter().flatten()
}

/// Texts of a certain form: name, meaning, pattern.
pub(super) const SCALARS: &[(&str, &str, &str)] = &[
    ("Quantity", "Units, exact to a thousandth.", r"^-?[0-9]+(\.[0-9]{1,3})?$"),
    (
        "Money",
        "An amount in the sale's currency, exact to a millionth.",
        r"^-?[0-9]+(\.[0-9]{1,6})?$",
    ),
];

/// Parameters of queries: name, type, meaning.
pub(super) const QUERY: &[(&str, &str, &str)] = &[
    ("after", "string", "The `next` of the page before."),
    ("limit", "integer", "Rows of a page: 50, at most 500."),
    ("sku", "string", "Exactly this SKU."),
    ("external_id", "integer", "WooCommerce's id of the order."),
    ("status", "string", "Only rows with this status."),
    ("store", "string", "Only rows of this store: its address or id."),
    ("connection", "string", "The connection's id."),
];

const STORE: Field = ("store", "string", "The store's address.");
const NAMED: Field = ("store", "string", "The store's address or id.");
