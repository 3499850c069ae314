//! WooCommerce as a storefront: its address, its keys, and reading orders, products and customers.

pub mod auth;
pub mod client;
mod manner;
mod permission;
mod read;
mod shape;
mod signed;
mod stock;
mod these;
pub mod url;

pub use auth::{Credentials, CredentialsError};
pub use client::Client;
pub use permission::{Doubt, Verified};
pub use read::{Listing, MAX_PER_PAGE, Page, PageQuery, SystemStatus};
pub use stock::{StockOutcome, StockWrite};
pub use url::{StoreUrl, StoreUrlError};

#[cfg(test)]
mod tests;
