//! The relay from its outside: real databases, the real router, real workers, and shops that answer as
//! WooCommerce does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod shop;
mod support;

mod by_key;
mod commands;
mod conflicts;
mod connect;
mod drifting;
mod due;
mod history;
mod isolation;
mod lineage;
mod links;
mod marking;
mod money;
mod numbered;
mod once;
mod one_pace;
mod openapi;
mod opening;
mod other_relays;
mod panel;
mod plain_push;
mod plans;
mod privacy;
mod process;
mod progress;
mod rotation;
mod same_sku;
mod schema;
mod standing;
mod sweeping;
mod text;
mod touches;
mod trust;
mod webhooks;
