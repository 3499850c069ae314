//! The extension in a real PHP: one folder a feature, with the script that PHP runs.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

#[path = "../../../crates/agent/tests/support/mod.rs"]
mod agent;
mod support;

mod crash;
mod drain;
mod fork;
mod fpm;
mod functions;
mod marks;
mod settings;
mod status;
mod thread;
