//! What a shop's orders, products and customers mean to the ledger: pure rules, without I/O.
//!
//! Everything that enters goes through a `parse` or a `read` and is exact and bounded afterwards.
//! Deliberately absent: SQL, HTTP, clocks and randomness.

mod address;
pub mod customer;
mod decimal;
pub mod details;
pub mod email;
pub mod erasure;
pub mod limits;
pub mod money;
pub mod posting;
pub mod product;
pub mod quantity;
mod read;
mod refund;
pub mod role;
pub mod sale;
pub mod sku;
pub mod status;
#[cfg(test)]
mod testing;
mod text;

pub use address::Address;
pub use customer::Customer;
pub use details::Details;
pub use email::{Email, EmailError};
pub use money::{Currency, CurrencyError, Money, MoneyError};
pub use posting::{Posting, StockFlag};
pub use product::{Product, ProductStock};
pub use quantity::{Quantity, QuantityError};
pub use refund::{Refund, RefundLine};
pub use role::{Role, RoleError};
pub use sale::{Sale, SaleLine};
pub use sku::{Sku, SkuError};
pub use status::OrderStatus;

/// Why a shop's representation cannot become a row of the ledger.
///
/// It names the place and what belongs there, never what stood there: that may be personal data,
/// and this text is logged, stored with the event and shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Something stands there that cannot be read as what belongs there.
    #[error("{path}: expected {expected}, found {found}")]
    Unexpected {
        /// Where, such as `order.line_items[2].quantity`.
        path: String,
        /// What belongs there.
        expected: &'static str,
        /// Its kind only, such as `an object`.
        found: &'static str,
    },
    /// WooCommerce always sends it, and without it the meaning would be guessed.
    #[error("{path} is missing: expected {expected}")]
    Missing {
        /// Where it should have been.
        path: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// More entries than one resource may have ([`limits`]).
    #[error("{path}: more than {limit} entries")]
    TooMany {
        /// The list.
        path: String,
        /// How many it may have.
        limit: usize,
    },
    /// Two entries of a list claim the same id.
    #[error("{path}: the same id a second time")]
    Repeated {
        /// The second one.
        path: String,
    },
    /// Amounts that are fine by themselves but not together.
    #[error("{path}: the sum is out of range")]
    OutOfRange {
        /// Which sum.
        path: &'static str,
    },
    /// Nested deeper than [`limits::MAX_DEPTH`].
    #[error("nested deeper than {max} levels")]
    TooDeep {
        /// The deepest that is read.
        max: usize,
    },
}
