//! The command line: `nexpura-relay serve` and what an operator does around it.

mod conflicts;
mod doctor;
mod drifts;
mod events;
mod links;
mod listed;
mod named;
mod runs;
mod secret;
mod serve;
mod store_commands;
mod sync;
mod user;
mod webhooks;

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::{
    config::Config,
    plugin,
    service::{Relay, admin, credential::ConnectionId, runs::Kind},
    store, telemetry,
};

/// The relay between WooCommerce shops and the Nexpura ledger
#[derive(Debug, Parser)]
#[command(name = "nexpura-relay", version)]
pub struct Cli {
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve shops and the API until SIGTERM or Ctrl-C
    Serve,
    /// Bring the ledger's tables up to date
    Migrate,
    /// People's accounts
    #[command(subcommand)]
    User(user::Command),
    /// Connections of shops
    #[command(subcommand)]
    Connection(Connection),
    /// Stores, connected by their WooCommerce key
    #[command(subcommand)]
    Store(store_commands::Command),
    /// Pieces that a shop brings and the ledger has already
    #[command(subcommand)]
    Link(links::Command),
    /// Stocks that somebody changed in a shop, and whose number counts
    #[command(subcommand)]
    Drift(drifts::Command),
    /// Oversales, and paid orders that never left a shop's stock
    #[command(subcommand)]
    Conflict(conflicts::Command),
    /// What arrived from the shops, and what became of it
    #[command(subcommand)]
    Event(events::Command),
    /// Imports, pushes and comparisons, and their reports
    #[command(subcommand)]
    Run(runs::Command),
    /// The secrets at rest
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Tokens of the API
    #[command(subcommand)]
    Token(Token),
    /// WooCommerce's own webhooks, for stores without the extension
    #[command(subcommand)]
    Webhooks(webhooks::Command),
    /// Bring over, or push, everything of a kind
    Sync {
        /// What
        #[arg(value_enum)]
        kind: Sync,
        #[command(flatten)]
        store: sync::Store,
        /// Only show what a push of the inventory would change
        #[arg(long)]
        dry_run: bool,
    },
    /// Compare everything in a store with the ledger, and put right what may be
    Reconcile {
        #[command(flatten)]
        store: sync::Store,
    },
    /// Write the WordPress plugin that fits this relay, to be uploaded in WordPress
    Plugin {
        /// Where to, such as nexpura.zip
        file: PathBuf,
    },
    /// Check settings, database and stores, and say what to do
    Doctor,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Sync {
    Products,
    Customers,
    Orders,
    Inventory,
}

#[derive(Debug, Subcommand)]
enum Connection {
    /// Make a connection string, to be pasted into WordPress once
    Create {
        /// The jeweller whose shop it is; made if new
        #[arg(long)]
        tenant: String,
        /// Only the shop at this address may use it
        #[arg(long)]
        store_url: Option<String>,
    },
    /// Give a connection another secret; the one before counts until the shop uses the new one
    Rotate {
        /// The connection's id
        #[arg(long)]
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum VaultCommand {
    /// Seal every secret under the first key of NEXPURA_MASTER_KEY="new,old"
    Rotate,
}

#[derive(Debug, Subcommand)]
enum Token {
    /// Make a bearer token for the API
    Create {
        /// The jeweller whose data it opens; made if new
        #[arg(long)]
        tenant: String,
        /// What it is for
        #[arg(long, default_value = "API")]
        label: String,
    },
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// With a message that says what to do.
    pub async fn run(self) -> anyhow::Result<()> {
        telemetry::logs();
        let json = self.config.json;
        if let Command::Plugin { file } = &self.command {
            fs::write(file, plugin::ZIP).with_context(|| format!("writing {}", file.display()))?;
            print(json, &json!({ "file": file }), &format!("{} is written.", file.display()));
            return Ok(());
        }
        let relay = Relay::open(self.config).await?;
        let now = store::now();
        if !matches!(self.command, Command::Doctor) {
            relay.db.migrate().await?;
        }
        let (told, text) = match self.command {
            Command::Plugin { .. } => return Ok(()),
            Command::Serve => return serve::serve(relay).await,
            Command::Doctor => return doctor::doctor(&relay, json).await,
            Command::Sync { kind: Sync::Inventory, store, dry_run: true } => {
                return sync::dry_run(&relay, &store, json).await;
            }
            Command::Sync { kind, store, .. } => {
                return sync::run(&relay, &store, kind.kind(), json).await;
            }
            Command::Reconcile { store } => {
                return sync::run(&relay, &store, Kind::Reconcile, json).await;
            }
            Command::Migrate => {
                (json!({ "migrated": true }), "The ledger's tables are up to date.".to_owned())
            }
            Command::User(command) => command.run(&relay, now).await?,
            Command::Connection(Connection::Create { tenant, store_url }) => {
                let (id, string) =
                    admin::create_connection(&relay, &tenant, store_url.as_deref(), now).await?;
                let string = string.expose();
                (json!({ "connection_id": id.to_string(), "connection_string": string }), string)
            }
            Command::Webhooks(command) => command.run(&relay).await?,
            Command::Connection(Connection::Rotate { id }) => {
                let id = ConnectionId::parse(id.trim())
                    .context("a connection id is 64 hexadecimal digits")?;
                let string = admin::rotate_connection(&relay, id, now).await?.expose();
                (json!({ "connection_id": id.to_string(), "connection_string": string }), string)
            }
            Command::Vault(VaultCommand::Rotate) => {
                let done = admin::rotate_vault(&relay).await?;
                let text = format!(
                    "{} secrets sealed anew, {} stood under the first key already. The old key may go.",
                    done.resealed, done.current
                );
                (json!(done), text)
            }
            Command::Store(command) => command.run(&relay, now).await?,
            Command::Link(command) => command.run(&relay, now).await?,
            Command::Drift(command) => command.run(&relay, now).await?,
            Command::Conflict(command) => command.run(&relay, now).await?,
            Command::Event(command) => command.run(&relay, now).await?,
            Command::Run(command) => command.run(&relay).await?,
            Command::Token(Token::Create { tenant, label }) => {
                let token = admin::create_token(&relay, &tenant, &label, now).await?;
                (json!({ "token": token.expose() }), token.expose().to_owned())
            }
        };
        print(json, &told, &text);
        relay.db.close().await;
        Ok(())
    }
}

impl Sync {
    fn kind(self) -> Kind {
        match self {
            Self::Products => Kind::Products,
            Self::Customers => Kind::Customers,
            Self::Orders => Kind::Orders,
            Self::Inventory => Kind::Inventory,
        }
    }
}

fn print(json: bool, told: &Value, text: &str) {
    if json {
        println!("{told}");
    } else {
        println!("{text}");
    }
}
