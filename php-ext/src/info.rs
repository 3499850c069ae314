//! The section in `phpinfo()`. Secrets never show in it, nor does `nexpura.connection` as it was written.
#![allow(unsafe_code)]

use ext_php_rs::{
    info_table_end, info_table_header, info_table_row, info_table_start, zend::ModuleEntry,
};
use nexpura_protocol::ConnectionString;

use crate::{guard, settings};

pub(crate) extern "C" fn show(_module: *mut ModuleEntry) {
    guard::catch((), || {
        let connection = settings::read(settings::CONNECTION);
        let described = match ConnectionString::parse(&connection) {
            _ if connection.is_empty() => "no value".to_owned(),
            Ok(parsed) => format!("{}… at {} (secret hidden)", &parsed.id()[..8], parsed.relay()),
            Err(error) => error.to_string(),
        };
        let directory = settings::spool_dir().display().to_string();
        let max_bytes = settings::spool_max_bytes().to_string();
        let sender = settings::read(settings::SENDER);
        info_table_start!();
        info_table_row!("nexpura", "enabled");
        info_table_row!("Version", env!("CARGO_PKG_VERSION"));
        info_table_end!();
        info_table_start!();
        info_table_header!("Directive", "Value in effect");
        info_table_row!("nexpura.connection", described);
        info_table_row!("nexpura.spool_dir", directory);
        info_table_row!("nexpura.sender", sender);
        info_table_row!("nexpura.spool_max_bytes", max_bytes);
        info_table_end!();
    });
}
