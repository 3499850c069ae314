//! The relay: verifies what shops push, posts it to the Nexpura ledger exactly once, and reads back
//! what is missing.
//!
//! `main → http, panel, worker → service → store, channel → domain → protocol`. `store` and `channel` never
//! import each other.

pub mod channel;
pub mod cli;
pub mod config;
pub mod domain;
pub mod http;
mod limit;
pub mod panel;
mod plugin;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod worker;
