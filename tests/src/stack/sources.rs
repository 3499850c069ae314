//! Which WordPress and WooCommerce a shop runs on, and the tree of files that its shops share.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{LazyLock, Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};

use crate::{paths, process};

/// Versions asked for; nothing asked for means the newest that can be had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Wish {
    /// WordPress, such as `6.5`.
    pub wordpress: Option<String>,
    /// WooCommerce, such as `9.4`, or [`DOUBLE`].
    pub woocommerce: Option<String>,
}

/// The store double's name where a WooCommerce version is expected.
pub const DOUBLE: &str = "double";

/// What a shop sells with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// WooCommerce itself, unpacked there.
    WooCommerce(PathBuf),
    /// The store double, for machines where WooCommerce cannot be had.
    Double,
}

/// The files that were found, and a document root made of them.
#[derive(Debug, Clone)]
pub struct Sources {
    /// WordPress's files with our `wp-config.php` among them; shared by all shops and never written to.
    pub root: PathBuf,
    /// What the shops sell with.
    pub store: Store,
    /// For people: the versions.
    pub description: String,
    /// Tells these sources from others in the cache.
    pub key: String,
}

impl Wish {
    /// The store double, whether or not WooCommerce can be had.
    #[must_use]
    pub fn double() -> Self {
        Self { wordpress: None, woocommerce: Some(DOUBLE.to_owned()) }
    }
}

impl Sources {
    /// Finds them with `scripts/find-wordpress` and lays out the shared tree, once a process.
    ///
    /// # Errors
    /// When no WordPress can be had, or a WooCommerce asked for by version cannot.
    pub fn find(wish: &Wish) -> Result<Self> {
        static FOUND: LazyLock<Mutex<HashMap<Wish, Sources>>> = LazyLock::new(Mutex::default);
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = found.get(wish) {
            return Ok(known.clone());
        }
        let sources = Self::look(wish)?;
        found.insert(wish.clone(), sources.clone());
        Ok(sources)
    }

    fn look(wish: &Wish) -> Result<Self> {
        let mut command = Command::new(paths::repository().join("scripts/find-wordpress"));
        if let Some(version) = &wish.wordpress {
            command.args(["--wordpress", version]);
        }
        if let Some(version) = &wish.woocommerce {
            command.args(["--woocommerce", version]);
        }
        let output =
            command.stdin(Stdio::null()).output().context("running scripts/find-wordpress")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{said}");
        let printed = String::from_utf8(output.stdout)?;
        let value = |name: &str| {
            printed
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .with_context(|| format!("scripts/find-wordpress told no {name}: {printed}"))
        };
        let wordpress = PathBuf::from(value("wordpress")?);
        let store = match value("woocommerce")? {
            DOUBLE => Store::Double,
            path => Store::WooCommerce(PathBuf::from(path)),
        };
        let description = describe(&wordpress, &store)?;
        let key = paths::digest([wordpress.as_os_str().as_encoded_bytes(), description.as_bytes()]);
        let root = shared_tree(&wordpress, &store, &key)?;
        Ok(Self { root, store, description, key })
    }

    /// Where the plugins that may be linked into a shop lie.
    #[must_use]
    pub fn woocommerce(&self) -> PathBuf {
        self.root.with_file_name("woocommerce")
    }
}

/// Such as `WordPress 6.8.8, WooCommerce 10.0.2`.
fn describe(wordpress: &Path, store: &Store) -> Result<String> {
    let text = fs::read_to_string(wordpress.join("wp-includes/version.php"))?;
    let version = text
        .split("$wp_version")
        .find_map(|rest| rest.trim_start().strip_prefix('=')?.split('\'').nth(1));
    let wordpress = version.context("WordPress does not tell its version")?.to_owned();
    let store = match store {
        Store::Double => "the store double instead of WooCommerce".to_owned(),
        Store::WooCommerce(path) => {
            let text = fs::read_to_string(path.join("woocommerce.php"))?;
            let version = text.lines().find_map(|line| line.strip_prefix(" * Version: "));
            format!("WooCommerce {}", version.context("WooCommerce does not tell its version")?)
        }
    };
    Ok(format!("WordPress {wordpress}, {store}"))
}

/// Lays WordPress (with our `wp-config.php`) and WooCommerce side by side, once for all shops and processes.
///
/// One tree for all means that PHP's compiled code on disk serves all of them. The files are hard links where the
/// file system allows, so that this takes neither time nor room; shops write into folders of their own.
fn shared_tree(wordpress: &Path, store: &Store, key: &str) -> Result<PathBuf> {
    let ready = paths::cache("trees")?.join(key);
    let _others_wait = paths::lock("trees")?;
    if !ready.exists() {
        let making = ready.with_extension("making");
        if making.exists() {
            fs::remove_dir_all(&making)?;
        }
        fs::create_dir_all(&making)?;
        link(wordpress, &making.join("wordpress"))?;
        if let Store::WooCommerce(path) = store {
            link(path, &making.join("woocommerce"))?;
        }
        // Each shop has its own settings; which shop this request is for, its PHP-FPM pool tells.
        fs::write(
            making.join("wordpress/wp-config.php"),
            "<?php\nrequire getenv( 'NEXPURA_TESTS_SHOP' ) . '/wp-config.php';\nrequire_once ABSPATH . 'wp-settings.php';\n",
        )?;
        fs::rename(&making, &ready)?;
    }
    Ok(ready.join("wordpress"))
}

fn link(from: &Path, to: &Path) -> Result<()> {
    let linked = process::run(Command::new("cp").arg("-al").arg(from).arg(to));
    if linked.is_err() {
        if to.exists() {
            fs::remove_dir_all(to)?;
        }
        process::run(Command::new("cp").arg("-a").arg(from).arg(to))?;
    }
    Ok(())
}
