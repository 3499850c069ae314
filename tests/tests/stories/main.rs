//! End-to-end stories: each on a real MariaDB, PHP-FPM, nginx, WordPress and WooCommerce of its own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod the_shop_itself;
