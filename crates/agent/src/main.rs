//! `nexpura-agent`: the production sender daemon, and the same spool looked at from a terminal.

use std::{
    fs,
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use nexpura_agent::{
    Kind, Sender, SharedConnection, Spool, Status, Timing, now_ms, place,
    sender::{Ended, thread},
    spool::DEFAULT_MAX_BYTES,
};
use nexpura_protocol::ConnectionString;
use tokio::sync::watch;

/// Sends what a shop has noticed to its Nexpura relay.
#[derive(Debug, Parser)]
#[command(name = "nexpura-agent", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send until stopped (SIGTERM or Ctrl-C). PHP then starts no sender thread.
    Run {
        #[command(flatten)]
        target: Target,
    },
    /// Show how the spool stands.
    Status {
        #[command(flatten)]
        target: Target,
        /// As JSON, one object.
        #[arg(long)]
        json: bool,
    },
    /// Send what is there, then end.
    Drain {
        #[command(flatten)]
        target: Target,
        /// Give up after this many seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Show the status as JSON afterwards.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct Target {
    /// Where the spool lies [default: /var/lib/nexpura if writable, else nexpura-<uid> in the temporary directory]
    #[arg(long, env = "NEXPURA_SPOOL_DIR")]
    spool_dir: Option<PathBuf>,
    /// The connection string. Other users of this machine can see it on the command line: prefer the
    /// environment or a file.
    #[arg(long, env = "NEXPURA_CONNECTION", hide_env_values = true)]
    connection: Option<String>,
    /// A file with the connection string, readable by this user only.
    #[arg(long, env = "NEXPURA_CONNECTION_FILE", conflicts_with = "connection")]
    connection_file: Option<PathBuf>,
    /// Bytes at which product and customer events give up their payloads.
    #[arg(long, env = "NEXPURA_SPOOL_MAX_BYTES", default_value_t = DEFAULT_MAX_BYTES)]
    spool_max_bytes: u64,
}

impl Target {
    fn open(&self) -> anyhow::Result<(Spool, ConnectionString)> {
        let text = match (&self.connection, &self.connection_file) {
            (Some(text), _) => text.clone(),
            (None, Some(file)) => fs::read_to_string(file).with_context(|| {
                format!("the connection file {} cannot be read", file.display())
            })?,
            (None, None) => bail!(
                "no connection: set NEXPURA_CONNECTION, or give --connection-file or --connection"
            ),
        };
        let connection = ConnectionString::parse(&text)?;
        let directory = self.spool_dir.clone().unwrap_or_else(place::default_directory);
        let spool = Spool::at(&directory, connection.id(), self.spool_max_bytes);
        Ok((spool, connection))
    }
}

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("NEXPURA_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match Cli::parse().command {
        Command::Run { target } => run(&target),
        Command::Status { target, json } => {
            let (spool, connection) = target.open()?;
            show(&Status::of(&spool, &connection, now_ms()), json)
        }
        Command::Drain { target, seconds, json } => drain(&target, seconds, json),
    }
}

fn run(target: &Target) -> anyhow::Result<()> {
    let (spool, connection) = target.open()?;
    tracing::info!(spool = %spool.path().display(), relay = %connection.relay(), "sending");
    let (stop, stopped) = watch::channel(false);
    // Signals have a thread of their own, so that the sender's runtime stays the one PHP runs.
    let listener = std::thread::Builder::new().name("signals".into()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(wait_for_stop())?;
        stop.send_replace(true);
        anyhow::Ok(())
    })?;
    let sender = Sender {
        spool,
        connection: SharedConnection::new(connection),
        kind: Kind::Agent,
        timing: Timing::default(),
        delivered: Arc::default(),
    };
    let ended = sender.run(stopped)?;
    let delivered = sender.delivered.load(Ordering::Relaxed);
    if listener.is_finished() && ended != Ended::Stopped {
        bail!("signals cannot be listened for");
    }
    tracing::info!(delivered, "stopped");
    Ok(())
}

async fn wait_for_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn drain(target: &Target, seconds: u64, json: bool) -> anyhow::Result<()> {
    let (spool, connection) = target.open()?;
    let limit = Duration::from_secs(seconds);
    let sent = thread::drain(&spool, &connection, limit, Timing::default())?;
    let status = Status::of(&spool, &connection, now_ms());
    tracing::info!(sent, unsent = status.unsent, "drained");
    show(&status, json)?;
    if status.unsent > 0 {
        bail!("{} events are left in {}", status.unsent, Path::new(&status.spool).display());
    }
    Ok(())
}

fn show(status: &Status, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(status)?);
        return Ok(());
    }
    let moment = |at: Option<i64>| {
        at.and_then(|at| chrono::DateTime::from_timestamp(at, 0))
            .map_or_else(|| "never".to_owned(), |at| at.to_rfc3339())
    };
    println!("connection    {}", status.connection_id);
    println!("relay         {}", status.relay);
    println!("spool         {}", status.spool);
    println!("unsent        {}", status.unsent);
    println!("open intents  {}", status.open_intents);
    println!("size          {} of {} bytes", status.bytes, status.max_bytes);
    println!("writable      {}", if status.writable { "yes" } else { "no" });
    println!("sender        {}", status.sender);
    println!("last sent     {}", moment(status.last_sent_at));
    println!("clock offset  {} s", status.clock_offset);
    println!("last error    {}", status.last_error.as_deref().unwrap_or("none"));
    Ok(())
}
