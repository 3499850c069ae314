//! The settings and links that make a folder one shop's.

use std::{fs, os::unix::fs::symlink, path::Path};

use anyhow::{Context, Result};

use super::Shop;
use crate::{paths, stack::sources::Store};

impl Shop {
    /// Writes `wp-config.php`, with `further` PHP lines in it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_config(&self, further: &str) -> Result<()> {
        self.write_config_of(&self.url, further)
    }

    /// The same, where the shop calls itself by this address from now on; what it is asked at is what it was.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn call_itself(&self, url: &str) -> Result<()> {
        self.write_config_of(url, "")
    }

    fn write_config_of(&self, url: &str, further: &str) -> Result<()> {
        let text = format!(
            r#"<?php
define( 'DB_NAME', '{database}' );
define( 'DB_USER', 'root' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:{socket}' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );
$table_prefix = 'wp_';

foreach ( array( 'AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE' ) as $nexpura_tests_key ) {{
	define( $nexpura_tests_key . '_KEY', '{token}' . $nexpura_tests_key . '_KEY' );
	define( $nexpura_tests_key . '_SALT', '{token}' . $nexpura_tests_key . '_SALT' );
}}

define( 'WP_HOME', '{url}' );
define( 'WP_SITEURL', '{url}' );
define( 'WP_CONTENT_DIR', '{content}' );
define( 'WP_CONTENT_URL', '{url}/wp-content' );

define( 'DISABLE_WP_CRON', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'WP_ACCESSIBLE_HOSTS', '127.0.0.1,localhost' );
define( 'WP_DEBUG', {debug} );
define( 'WP_DEBUG_DISPLAY', false );
define( 'WP_DEBUG_LOG', '{folder}/php.log' );

define( 'NEXPURA_TESTS_TOKEN', '{token}' );
{further}
"#,
            database = self.database,
            socket = self.mariadb.socket().display(),
            token = self.token,
            content = self.content().display(),
            folder = self.folder().display(),
            debug = self.builder.debug,
        );
        let path = self.folder().join("wp-config.php");
        // In one step: workers read it all the time.
        let next = path.with_extension("next");
        fs::write(&next, text)?;
        fs::rename(&next, &path).with_context(|| format!("writing {}", path.display()))
    }

    /// Lays out what stands for `wp-content`: links to what all shops share, folders for what is this shop's.
    pub(super) fn lay_out_content(&self) -> Result<()> {
        let content = self.content();
        for folder in ["plugins", "mu-plugins", "uploads"] {
            fs::create_dir_all(content.join(folder))?;
        }
        let repository = paths::repository();
        symlink(self.sources.root.join("wp-content/themes"), content.join("themes"))?;
        symlink(
            repository.join("tests/wordpress/mu-plugin.php"),
            content.join("mu-plugins/nexpura-tests.php"),
        )?;
        let plugins = content.join("plugins");
        match &self.sources.store {
            Store::WooCommerce(_) => {
                symlink(self.sources.woocommerce(), plugins.join("woocommerce"))?
            }
            Store::Double => symlink(repository.join("tests/double"), plugins.join("woocommerce"))?,
        }
        symlink(repository.join("wp-plugin"), plugins.join("nexpura"))?;
        Ok(())
    }

    /// The environment that PHP sees.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let mut environment = vec![
            ("NEXPURA_TESTS_SHOP".to_owned(), text(self.folder())),
            ("NEXPURA_TESTS_TREE".to_owned(), text(&self.sources.root)),
            (
                "NEXPURA_TESTS_HOST".to_owned(),
                self.url.split("://").nth(1).unwrap_or_default().to_owned(),
            ),
        ];
        environment.extend(self.builder.environment.iter().cloned());
        environment
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
