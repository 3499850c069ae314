//! The machine's PHP, and the settings under which a shop runs it.

use std::{
    env,
    ffi::OsString,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{paths, process};

/// PHP as it is installed here: its command line and its FPM, of one version.
#[derive(Debug, Clone)]
pub struct Php {
    /// The `php` on the PATH.
    pub cli: PathBuf,
    /// The `php-fpm` of the same version.
    pub fpm: PathBuf,
    /// Such as `8.2`.
    pub version: String,
}

impl Php {
    /// Finds it.
    ///
    /// # Errors
    /// When PHP or its FPM is missing.
    pub fn find() -> Result<Self> {
        let cli = paths::program("php", "php-cli")?;
        let printed = process::run(Command::new(&cli).args([
            "-n",
            "-r",
            "echo PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION;",
        ]))?;
        let version = String::from_utf8(printed).context("PHP's version")?;
        let fpm = paths::program(&format!("php-fpm{version}"), "php-fpm")
            .or_else(|_| paths::program("php-fpm", "php-fpm"))?;
        Ok(Self { cli, fpm, version })
    }
}

/// php.ini settings that are read after the system's own.
#[derive(Debug, Clone)]
pub struct Ini {
    folder: PathBuf,
}

impl Ini {
    /// Writes them to a folder of their own: those every shop of the tests has, then `further` ones.
    ///
    /// # Errors
    /// When the folder or the file cannot be written.
    pub fn write(folder: &Path, log: &Path, further: &[(&str, String)]) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let mut text = String::new();
        let mut set = |name: &str, value: &str| writeln!(text, "{name} = \"{value}\"");
        set("memory_limit", "256M")?;
        set("max_execution_time", "120")?;
        set("display_errors", "0")?;
        set("log_errors", "1")?;
        set("error_log", &log.to_string_lossy())?;
        set("opcache.enable", "1")?;
        set("opcache.enable_cli", "1")?;
        set("opcache.memory_consumption", "192")?;
        set("opcache.max_accelerated_files", "20000")?;
        set("opcache.revalidate_freq", "0")?;
        for (name, value) in further {
            set(name, value)?;
        }
        // `zz` sorts after the system's files, whose settings these override.
        fs::write(folder.join("zz-nexpura.ini"), text)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The value of `PHP_INI_SCAN_DIR`: an empty first entry stands for the folder compiled into PHP.
    #[must_use]
    pub fn scan(&self) -> OsString {
        let mut folders = env::var_os("PHP_INI_SCAN_DIR").unwrap_or_default();
        folders.push(":");
        folders.push(&self.folder);
        folders
    }
}
