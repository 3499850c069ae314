//! The real servers that a shop and a relay need, each started by a guard that stops it.

pub mod fpm;
pub mod mariadb;
pub mod nginx;
pub mod php;
pub mod postgres;
pub mod sources;
pub mod tls;
pub mod told;
