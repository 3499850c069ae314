//! What the operator sets: flags, and `NEXPURA_*` variables of the same names. Nothing else in the
//! relay reads the environment.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

/// Settings of the relay. Every command takes them; most need the database only.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings")]
pub struct Config {
    /// The ledger: sqlite://FILE or postgres://USER@HOST/DATABASE
    #[arg(
        long,
        env = "NEXPURA_DATABASE_URL",
        default_value = "sqlite://nexpura.db",
        global = true,
        hide_env_values = true
    )]
    pub database_url: String,

    /// Where to listen
    #[arg(long, env = "NEXPURA_LISTEN", default_value = "127.0.0.1:7787", global = true)]
    pub listen: SocketAddr,

    /// The address under which shops reach this relay; it goes into connection strings
    #[arg(long, env = "NEXPURA_PUBLIC_URL", global = true, value_parser = public_url)]
    pub public_url: Option<Url>,

    /// 32 bytes in base64 that seal secrets at rest; without it a key file beside the SQLite file is
    /// used, and made on the first run. After a rotation: the new key, a comma, the old one
    #[arg(long, env = "NEXPURA_MASTER_KEY", global = true, hide_env_values = true)]
    pub master_key: Option<SecretString>,

    /// Private networks that outbound calls may reach nevertheless, such as 10.1.0.0/16
    #[arg(long, env = "NEXPURA_ALLOW_PRIVATE_STORES", value_delimiter = ',', global = true)]
    pub allow_private_stores: Vec<IpNet>,

    /// Proxies in front of the relay, whose X-Forwarded-For is believed when logins are counted by address
    #[arg(
        long,
        env = "NEXPURA_TRUSTED_PROXIES",
        value_delimiter = ',',
        default_value = "127.0.0.0/8,::1/128",
        global = true
    )]
    pub trusted_proxies: Vec<IpNet>,

    /// How far apart two equal readings of a stock must be before it is believed
    #[arg(long, env = "NEXPURA_SETTLE_SECONDS", default_value_t = 60, global = true)]
    pub settle_seconds: u32,

    /// How often each store is swept for changes that it did not tell of
    #[arg(
        long,
        env = "NEXPURA_SWEEP_SECONDS",
        default_value_t = 300,
        value_parser = clap::value_parser!(u32).range(1..=86_400),
        global = true
    )]
    pub sweep_seconds: u32,

    /// Print machine-readable JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// An address that is nothing but one: the panel's links and cookies are the whole host's.
fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !bare {
        return Err("the relay needs a host of its own, such as https://relay.example: \
                    an address without a path, a query or a password"
            .to_owned());
    }
    Ok(url)
}

impl Config {
    /// The address to put into connection strings.
    ///
    /// # Errors
    /// When an address that is not loopback would be reached over plain http.
    pub fn reachable_at(&self) -> anyhow::Result<Url> {
        let url = match &self.public_url {
            Some(url) => url.clone(),
            None => Url::parse(&format!("http://{}", self.listen))?,
        };
        let loopback = match url.host() {
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        };
        anyhow::ensure!(
            url.scheme() == "https" || (url.scheme() == "http" && loopback),
            "shops must reach the relay over https: set NEXPURA_PUBLIC_URL to its https:// address"
        );
        Ok(url)
    }

    /// From the end of one sweep of a store to the beginning of the next.
    #[must_use]
    pub fn sweep_every(&self) -> Duration {
        Duration::from_secs(self.sweep_seconds.into())
    }

    /// How far apart two equal readings must be.
    #[must_use]
    pub fn settle(&self) -> Duration {
        Duration::from_secs(self.settle_seconds.into())
    }
}
