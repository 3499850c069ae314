//! End-to-end stories: each on a real MariaDB, PHP-FPM, nginx, WordPress and WooCommerce of its own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_input;
mod connected_by_key;
mod connecting;
mod kinds_of_stock;
mod money;
mod stock_goes_back;
mod the_life_of_an_order;
mod the_relay_is_down;
mod the_shop_itself;
mod two_at_once;
mod who_sends;
