//! End-to-end stories: each on a real MariaDB, PHP-FPM, nginx, WordPress and WooCommerce of its own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

/// Ends a story, saying so, where WooCommerce itself cannot be had: the double is no judge of it. With
/// `NEXPURA_REQUIRE_WOOCOMMERCE=1` it fails instead.
macro_rules! on_woocommerce {
    () => {
        on_woocommerce!(nexpura_tests::stack::sources::Wish::default())
    };
    ($wish:expr) => {
        if !nexpura_tests::stack::told::can_be(&$wish)? {
            return Ok(());
        }
    };
}

mod bad_input;
mod bad_stores;
mod brought_over;
mod campaigns;
mod connecting;
mod imports;
mod in_wordpress;
mod kinds_of_stock;
mod lost_updates;
mod marked;
mod money;
mod other_shops;
mod panel;
mod stock_goes_back;
mod the_double;
mod the_life_of_an_order;
mod the_relay_is_down;
mod the_servers_command;
mod the_shop_itself;
mod three_relays;
mod two_at_once;
mod webhooks;
mod who_sends;
