//! `nexpura-relay`.

use clap::Parser;
use nexpura_relay::cli::Cli;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    Cli::parse().run().await
}
