//! Support for the end-to-end stories and the demo: real MariaDB, PHP-FPM, nginx, WordPress, WooCommerce and relay,
//! started for one test and gone after it.

pub mod agent;
pub mod browser;
pub mod budgets;
pub mod http;
pub mod impostor;
pub mod large;
pub mod paths;
pub mod ports;
pub mod process;
pub mod push;
pub mod relay;
pub mod road;
pub mod shop;
pub mod stack;
pub mod times;
pub mod town;
pub mod wait;
