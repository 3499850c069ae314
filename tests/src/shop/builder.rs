//! What kind of shop a test wants, and its start from the snapshot.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use uuid::Uuid;

use super::{Shop, Storage, snapshot};
use crate::{
    http, paths, ports, process,
    road::Road,
    stack::{
        fpm::{Fpm, Workers},
        mariadb::MariaDb,
        nginx::{Nginx, Site},
        php::{Ini, Php},
        sources::{DOUBLE, Sources, Store, Wish},
        tls::Certificate,
        told,
    },
};

/// A shop that is asked for. What is not said: HPOS, pounds, no taxes, plain http, our plugin and extension on.
#[derive(Debug, Clone)]
pub struct ShopBuilder {
    pub(super) wish: Wish,
    pub(super) storage: Storage,
    currency: (String, u8),
    taxes: Option<Taxes>,
    https: bool,
    workers: Workers,
    plugin: bool,
    extension: bool,
    sender: String,
    ini: Vec<(String, String)>,
    pub(super) debug: bool,
    pub(super) environment: Vec<(String, String)>,
    road: Option<Arc<Road>>,
}

/// Taxes on everything, shipping too.
#[derive(Debug, Clone)]
pub struct Taxes {
    /// In percent, such as `20`.
    pub rate: String,
    /// Whether prices are entered with tax.
    pub included: bool,
}

impl Default for ShopBuilder {
    fn default() -> Self {
        Self {
            wish: Wish::default(),
            storage: Storage::Hpos,
            currency: ("GBP".to_owned(), 2),
            taxes: None,
            https: false,
            workers: Workers::Static(3),
            plugin: true,
            extension: true,
            sender: "auto".to_owned(),
            ini: Vec::new(),
            debug: true,
            environment: Vec::new(),
            road: None,
        }
    }
}

impl ShopBuilder {
    /// Other versions of WordPress and WooCommerce than the newest.
    #[must_use]
    pub fn on(mut self, wish: Wish) -> Self {
        self.wish = wish;
        self
    }

    /// Which order storage.
    #[must_use]
    pub fn storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// The currency, and how many decimals its prices have.
    #[must_use]
    pub fn currency(mut self, code: &str, decimals: u8) -> Self {
        self.currency = (code.to_owned(), decimals);
        self
    }

    /// Taxes on everything.
    #[must_use]
    pub fn taxes(mut self, rate: &str, included: bool) -> Self {
        self.taxes = Some(Taxes { rate: rate.to_owned(), included });
        self
    }

    /// Served over https, under a throw-away authority.
    #[must_use]
    pub fn https(mut self) -> Self {
        self.https = true;
        self
    }

    /// How PHP-FPM keeps its workers.
    #[must_use]
    pub fn workers(mut self, workers: Workers) -> Self {
        self.workers = workers;
        self
    }

    /// Without our plugin and without the extension: plain WooCommerce.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.plugin = false;
        self.extension = false;
        self
    }

    /// Whether our plugin is on.
    pub(crate) fn has_plugin(&self) -> bool {
        self.plugin
    }

    /// With our plugin, but without the extension.
    #[must_use]
    pub fn without_extension(mut self) -> Self {
        self.extension = false;
        self
    }

    /// `nexpura.sender`: `auto`, `agent` or `off`.
    #[must_use]
    pub fn sender(mut self, sender: &str) -> Self {
        sender.clone_into(&mut self.sender);
        self
    }

    /// A further php.ini setting.
    #[must_use]
    pub fn ini(mut self, name: &str, value: &str) -> Self {
        self.ini.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A variable in PHP's environment.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// At the end of a road: whoever visits it takes that way. Plain http only.
    #[must_use]
    pub fn behind(mut self, road: &Arc<Road>) -> Self {
        self.road = Some(Arc::clone(road));
        self
    }

    /// Without WordPress's debug log, as a live shop runs.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.debug = false;
        self
    }

    /// Starts it: from the snapshot of its versions and storage, which is made on first use.
    ///
    /// # Errors
    /// When a part is missing or does not start; the message holds the end of its log.
    pub async fn start(self) -> Result<Shop> {
        let sources = Sources::find(&self.wish)?;
        let double_wanted = self.wish.woocommerce.as_deref() == Some(DOUBLE);
        ensure!(
            double_wanted || sources.store != Store::Double,
            "this needs WooCommerce itself, which cannot be had here: see scripts/find-wordpress"
        );
        told::on(&sources)?;
        let snapshot = snapshot::ready(&sources, self.storage).await?;
        let mut shop = self.bare(sources)?;
        shop.mariadb.import(&shop.database, &snapshot.join("dump.sql"))?;
        process::run(
            Command::new("cp").arg("-a").arg(snapshot.join("uploads")).arg(shop.content()),
        )?;
        shop.serve()?;
        shop.set_up().await?;
        Ok(shop)
    }

    /// An empty database and a folder with everything in place, nothing started but MariaDB.
    pub(super) fn bare(self, sources: Sources) -> Result<Shop> {
        let mariadb = MariaDb::shared()?;
        let folder = tempfile::Builder::new().prefix("nexpura-shop-").tempdir()?;
        let id = Uuid::new_v4().simple().to_string();
        let database = format!("shop_{}", &id[..12]);
        mariadb.create(&database)?;
        let certificate =
            if self.https { Some(Certificate::make(&folder.path().join("tls"))?) } else { None };
        let scheme = if self.https { "https" } else { "http" };
        let mut settings = Vec::new();
        if self.extension {
            let spool = folder.path().join("spool");
            fs::create_dir_all(&spool)?;
            let library = paths::artefact("libnexpura.so", "nexpura-php")?;
            settings.push(("extension", library.to_string_lossy().into_owned()));
            settings.push(("nexpura.spool_dir", spool.to_string_lossy().into_owned()));
            settings.push(("nexpura.sender", self.sender.clone()));
        }
        settings.extend(self.ini.iter().map(|(name, value)| (name.as_str(), value.clone())));
        let ini =
            Ini::write(&folder.path().join("php"), &folder.path().join("php.log"), &settings)?;
        let port = ports::free()?;
        let visited_at = match &self.road {
            Some(road) => {
                road.lead_to(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
                road.port()
            }
            None => port,
        };
        let shop = Shop {
            nginx: None,
            fpm: None,
            database,
            mariadb,
            url: format!("{scheme}://127.0.0.1:{visited_at}"),
            port,
            sources,
            http: http::client(certificate.as_ref())?,
            certificate,
            php: Php::find()?,
            ini,
            token: id,
            folder,
            builder: self.clone(),
        };
        shop.lay_out_content()?;
        shop.write_config("")?;
        Ok(shop)
    }
}

impl Shop {
    /// Starts PHP-FPM and nginx.
    pub(super) fn serve(&mut self) -> Result<()> {
        let fpm = Fpm::start(
            &self.php,
            &self.ini,
            self.folder.path(),
            self.builder.workers,
            &self.environment(),
        )?;
        let nginx = self.nginx(&fpm, self.certificate.as_ref())?;
        self.fpm = Some(fpm);
        self.nginx = Some(nginx);
        Ok(())
    }

    fn nginx(&self, fpm: &Fpm, certificate: Option<&Certificate>) -> Result<Nginx> {
        let site = Site {
            root: &self.sources.root,
            content: &self.content(),
            fpm: fpm.socket(),
            port: self.port,
            certificate,
        };
        Nginx::start(self.folder.path(), &site)
    }

    /// Has nginx show a certificate that expired years ago, or its own again.
    ///
    /// # Errors
    /// When the shop is not on https, or nginx does not start again.
    pub fn show_expired_certificate(&mut self, expired: bool) -> Result<()> {
        let own = self.certificate.as_ref().context("the shop is not on https")?;
        let old = own.long_expired(&self.folder.path().join("tls-2020"))?;
        self.nginx = None;
        let fpm = self.fpm.as_ref().context("the shop is not open")?;
        self.nginx = Some(self.nginx(fpm, Some(if expired { &old } else { own }))?);
        Ok(())
    }

    /// Stops PHP-FPM in an orderly way and starts it again.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart_php(&mut self) -> Result<()> {
        self.fpm = None;
        let fpm = Fpm::start(
            &self.php,
            &self.ini,
            self.folder.path(),
            self.builder.workers,
            &self.environment(),
        )?;
        self.fpm = Some(fpm);
        Ok(())
    }

    async fn set_up(&self) -> Result<()> {
        let wishes = &self.builder;
        let taxes = wishes.taxes.as_ref();
        let plugins: &[&str] = if wishes.plugin { &["nexpura/nexpura.php"] } else { &[] };
        self.call(
            "set_up",
            json!({
                "currency": wishes.currency.0,
                "decimals": wishes.currency.1,
                "taxes": taxes.is_some(),
                "tax_rate": taxes.map_or("0", |taxes| &taxes.rate),
                "prices_include_tax": taxes.is_some_and(|taxes| taxes.included),
                "plugins": plugins,
            }),
        )
        .await
        .map(|_: bool| ())
    }
}
