//! The installed shop that every test's shop is a copy of: made once for its versions, storage and scripts.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};
use serde_json::json;

use super::{PASSWORD, Shop, Storage, USER};
use crate::{
    paths, process,
    stack::sources::{Sources, Store},
};

/// The folder of the snapshot, with `dump.sql` and `uploads/`; made now if there is none yet.
pub(super) async fn ready(sources: &Sources, storage: Storage) -> Result<PathBuf> {
    let folder = paths::repository().join("tests/wordpress");
    let scripts: Vec<Vec<u8>> =
        [folder.join("cli.php"), folder.join("mu-plugin.php"), folder.join("verbs/setup.php")]
            .iter()
            .map(|path| fs::read(path).with_context(|| format!("reading {}", path.display())))
            .collect::<Result<_>>()?;
    // The double is of this repository, and changes with it.
    let mut scripts = scripts;
    if sources.store == Store::Double {
        for entry in fs::read_dir(paths::repository().join("tests/double/includes"))? {
            scripts.push(fs::read(entry?.path())?);
        }
        scripts.push(fs::read(paths::repository().join("tests/double/woocommerce.php"))?);
        // The folder lists them in no certain order.
        scripts.sort();
    }
    let name = match (&sources.store, storage) {
        (Store::Double, _) => "double",
        (_, Storage::Hpos) => "hpos",
        (_, Storage::Legacy) => "legacy",
    };
    let key = paths::digest(
        scripts.iter().map(Vec::as_slice).chain([sources.key.as_bytes(), name.as_bytes()]),
    );
    let ready = paths::cache("snapshots")?.join(format!("{name}-{key}"));
    if ready.exists() {
        return Ok(ready);
    }
    // Who holds it may be another shop of the same test, on this very thread.
    let _others_wait = tokio::task::spawn_blocking(|| paths::lock("snapshots")).await??;
    if ready.exists() {
        return Ok(ready);
    }
    let making = ready.with_extension("making");
    if making.exists() {
        fs::remove_dir_all(&making)?;
    }
    fs::create_dir_all(&making)?;
    let shop =
        installed(sources, storage).await.context("installing the shop that the tests copy")?;
    shop.mariadb.dump(&shop.database, &making.join("dump.sql"))?;
    process::run(Command::new("cp").arg("-a").arg(shop.content().join("uploads")).arg(&making))?;
    fs::rename(&making, &ready)?;
    Ok(ready)
}

/// Installs WordPress and WooCommerce from nothing.
async fn installed(sources: &Sources, storage: Storage) -> Result<Shop> {
    let mut shop = Shop::builder().plain().quiet().bare(sources.clone())?;
    shop.cli(&json!({
        "step": "install",
        "args": {
            "title": "Aurelia",
            "user": USER,
            "password": PASSWORD,
            "email": "owner@aurelia.example",
            "plugins": ["woocommerce/woocommerce.php"],
        },
    }))?;
    // The double's orders are posts, whatever was asked for.
    let hpos = storage == Storage::Hpos && sources.store != Store::Double;
    shop.call_cli("install_woocommerce", json!({ "hpos": hpos }))?;
    shop.serve()?;
    // The first visits fill caches and write the permalinks' rules; every copy has them then.
    for path in ["/", "/wp-json/", "/wp-json/wc/store/v1/cart", "/shop/"] {
        shop.visit(path).await?;
    }
    shop.run_cron()?;
    Ok(shop)
}
