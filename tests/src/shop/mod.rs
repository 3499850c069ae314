//! A real WordPress shop of one test, and the verbs by which a test uses it.

pub mod admin;
pub mod builder;
pub mod checkout;
mod configuration;
mod cookies;
pub mod keys;
pub mod pictures;
pub mod requests;
mod snapshot;
pub mod verbs;

use std::{
    fs,
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tempfile::TempDir;

pub use self::builder::ShopBuilder;
use crate::{
    http, paths, process,
    stack::{
        fpm::Fpm,
        mariadb::MariaDb,
        nginx::Nginx,
        php::{Ini, Php},
        sources::Sources,
        tls::Certificate,
    },
};

/// How WooCommerce keeps its orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In tables of their own.
    Hpos,
    /// As posts.
    Legacy,
}

/// A running shop. Dropped, it and everything it started are gone.
#[derive(Debug)]
pub struct Shop {
    // Dropped in this order: the servers before the database and the files they use.
    nginx: Option<Nginx>,
    fpm: Option<Fpm>,
    database: String,
    mariadb: Arc<MariaDb>,
    folder: TempDir,
    /// Its address, without a slash at the end.
    pub url: String,
    /// Where nginx listens.
    port: u16,
    /// What it runs on.
    pub sources: Sources,
    /// A client of its own, which trusts its certificate.
    pub http: reqwest::Client,
    certificate: Option<Certificate>,
    php: Php,
    ini: Ini,
    builder: ShopBuilder,
    token: String,
}

/// The administrator's name in every shop.
pub const USER: &str = "admin";
/// The administrator's password in every shop; reachable from this machine only, and gone after the test.
pub const PASSWORD: &str = "nexpura-demo";

impl Shop {
    /// How a shop is asked for.
    #[must_use]
    pub fn builder() -> ShopBuilder {
        ShopBuilder::default()
    }

    /// Runs a verb of `tests/wordpress/verbs` in a PHP-FPM worker, as the administrator.
    ///
    /// # Errors
    /// With the verb's own message, or when its answer does not fit.
    pub async fn call<T: DeserializeOwned>(&self, verb: &str, args: impl Serialize) -> Result<T> {
        let value = self.ask(&json!({ "call": verb, "args": args })).await?;
        serde_json::from_value(value.clone()).with_context(|| format!("{verb} answered {value}"))
    }

    /// Runs PHP code in a worker, as the administrator; what it returns is the result.
    ///
    /// # Errors
    /// With the code's exception.
    pub async fn php(&self, code: &str) -> Result<Value> {
        self.ask(&json!({ "code": code })).await
    }

    async fn ask(&self, request: &Value) -> Result<Value> {
        let answer = self
            .http
            .post(format!("{}/", self.url))
            .header("x-nexpura-tests", &self.token)
            .json(request)
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        outcome(&text)
            .with_context(|| format!("{request} in the shop, HTTP {status}\n{}", self.log_tail()))
    }

    /// Runs a verb on PHP's command line, in a process of its own.
    ///
    /// # Errors
    /// With the verb's own message.
    pub fn call_cli(&self, verb: &str, args: impl Serialize) -> Result<Value> {
        self.cli(&json!({ "call": verb, "args": args }))
    }

    /// Runs one request of `tests/wordpress/cli.php`.
    pub(crate) fn cli(&self, request: &Value) -> Result<Value> {
        let mut command = self.php_command();
        let mut child = command
            .arg(paths::repository().join("tests/wordpress/cli.php"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting php")?;
        child
            .stdin
            .take()
            .context("php takes no input")?
            .write_all(request.to_string().as_bytes())?;
        let output = child.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        // What plugins print comes before the last line, which is the answer.
        outcome(text.rsplit('\n').next().unwrap_or_default()).with_context(|| {
            format!(
                "{request} on the command line: {}{}",
                text,
                String::from_utf8_lossy(&output.stderr)
            )
        })
    }

    /// Where its web server listens, whatever road leads there.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// `php` with the shop's settings and environment, without a script.
    #[must_use]
    pub fn php_command(&self) -> Command {
        let mut command = Command::new(&self.php.cli);
        command.env("PHP_INI_SCAN_DIR", self.ini.scan()).envs(self.environment());
        command
    }

    /// Runs `wp nexpura …`: by wp-cli where `NEXPURA_TESTS_WP_CLI` names it, else by what stands for it. Gives
    /// whether it ended well, and what it printed on both streams.
    ///
    /// # Errors
    /// When PHP cannot be started.
    pub fn wp_nexpura(&self, typed: &[&str]) -> Result<(bool, String)> {
        let mut command = self.php_command();
        match std::env::var_os("NEXPURA_TESTS_WP_CLI") {
            Some(real) => {
                let tree = format!("--path={}", self.sources.root.display());
                command.arg(real).args(["--allow-root", &tree, &format!("--url={}", self.url)])
            }
            None => command.arg(paths::repository().join("tests/wordpress/wp-cli.php")),
        };
        let output = command.arg("nexpura").args(typed).output().context("starting php")?;
        let both = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&both).into_owned();
        let good = output.status.success();
        // What PHP dies of is in its log only.
        Ok((good, if good || !said.is_empty() { said } else { self.log_tail() }))
    }

    /// Runs what WordPress's cron and Action Scheduler have due, as a system's cron job does.
    ///
    /// # Errors
    /// When `wp-cron.php` fails.
    pub fn run_cron(&self) -> Result<()> {
        process::run(self.php_command().arg(self.sources.root.join("wp-cron.php")))?;
        Ok(())
    }

    /// Its own folder: settings, uploads, logs, the extension's spool.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What stands for `wp-content`.
    #[must_use]
    pub fn content(&self) -> PathBuf {
        self.folder().join("content")
    }

    /// Where the extension keeps its spools.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.folder().join("spool")
    }

    /// The certificate of the authority behind a shop on https.
    #[must_use]
    pub fn authority(&self) -> Option<&Path> {
        Some(&self.certificate.as_ref()?.authority)
    }

    /// How it was asked for.
    #[must_use]
    pub fn wishes(&self) -> &ShopBuilder {
        &self.builder
    }

    /// PHP's and WordPress's log so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder().join("php.log")).unwrap_or_default()
    }

    /// The ends of all its logs, for messages.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let logs =
            ["php.log", "fpm.log", "nginx.log"].map(|log| process::tail(&self.folder().join(log)));
        logs.join("\n")
    }

    /// Runs SQL on its database and gives the rows, columns separated by tabs.
    ///
    /// # Errors
    /// With the server's message.
    pub fn sql(&self, sql: &str) -> Result<String> {
        self.mariadb.query(Some(&self.database), sql)
    }

    /// Its PHP-FPM.
    ///
    /// # Errors
    /// When it is stopped.
    pub fn fpm(&self) -> Result<&Fpm> {
        self.fpm.as_ref().context("PHP-FPM is stopped")
    }

    /// Reads an address of the shop as a visitor does.
    ///
    /// # Errors
    /// When it cannot be reached or answers with an error.
    pub async fn visit(&self, path: &str) -> Result<String> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await?;
        let status = answer.status();
        let headers = answer.headers().clone();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!(
                "{path} answered {status} {headers:?}: {}\n{}",
                http::excerpt(&text),
                self.log_tail()
            );
        }
        Ok(text)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.nginx = None;
        self.fpm = None;
        if std::thread::panicking() {
            eprintln!("{}", self.log_tail());
        }
        if std::env::var_os("NEXPURA_TESTS_KEEP").is_some() {
            self.folder.disable_cleanup(true);
            eprintln!("kept: {}", self.folder().display());
        }
        let _server_gone = self.mariadb.remove(&self.database);
    }
}

/// What a verb or a piece of code answered.
fn outcome(text: &str) -> Result<Value> {
    let answer: Value =
        serde_json::from_str(text).map_err(|_| anyhow!("{}", http::excerpt(text)))?;
    if let Some(error) = answer.get("error") {
        bail!("{}", error.as_str().unwrap_or_default());
    }
    Ok(answer.get("result").cloned().unwrap_or_default())
}
