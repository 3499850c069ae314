//! WooCommerce's own webhooks: the way to hear of a shop that has no extension.

mod healing;
mod place;
mod receiving;
mod setting_up;
mod shop;
