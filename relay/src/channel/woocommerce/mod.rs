//! WooCommerce as a storefront: its address, its keys, reading orders, products and customers, and its
//! own webhooks.

pub mod auth;
pub mod client;
pub mod delivery;
mod fields;
mod manner;
mod permission;
mod reach;
mod read;
mod shape;
mod signed;
mod stock;
mod synced;
mod these;
pub mod url;
mod webhooks;

pub use auth::{Credentials, CredentialsError};
pub use client::Client;
pub use fields::{Counting, OwnType, Saved, is_mark};
pub use permission::{Doubt, Verified};
pub use reach::{Met, Reach};
pub use read::{Listing, MAX_PER_PAGE, Page, PageQuery, SystemStatus};
pub use stock::{StockOutcome, StockWrite};
pub use synced::{MAX_SYNCED, Synced};
pub use url::{StoreUrl, StoreUrlError};
pub use webhooks::{Webhook, WebhookBatch, WebhookWish, WebhooksDone};

#[cfg(test)]
mod tests;
