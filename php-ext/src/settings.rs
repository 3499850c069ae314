//! The php.ini settings.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, c_char, c_int},
    path::PathBuf,
    ptr,
};

use ext_php_rs::{
    flags::IniEntryPermission,
    zend::{IniEntryDef, IniEntryDefs},
};
use nexpura_agent::{place, spool::DEFAULT_MAX_BYTES};

/// `nexpura.connection`, for php.ini or a pool's configuration.
pub(crate) const CONNECTION: &CStr = c"nexpura.connection";
/// `nexpura.spool_dir`; empty: a directory outside the web root is found.
pub(crate) const SPOOL_DIR: &CStr = c"nexpura.spool_dir";
/// `nexpura.sender`: `auto`, `agent` or `off`.
pub(crate) const SENDER: &CStr = c"nexpura.sender";
/// `nexpura.spool_max_bytes`, with PHP's K, M and G; empty: the default.
pub(crate) const SPOOL_MAX_BYTES: &CStr = c"nexpura.spool_max_bytes";

/// Not `ini_set`: a plugin in the shop must not redirect the spool.
const BY_ADMIN: IniEntryPermission = IniEntryPermission::PerDir.union(IniEntryPermission::System);

static TABLE: IniEntryDefs<5> = IniEntryDefs::new([
    IniEntryDef::new(CONNECTION, c"", BY_ADMIN),
    IniEntryDef::new(SPOOL_DIR, c"", BY_ADMIN),
    IniEntryDef::new(SENDER, c"auto", BY_ADMIN),
    IniEntryDef::new(SPOOL_MAX_BYTES, c"", BY_ADMIN),
    IniEntryDef::end(),
]);

/// Who may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SenderMode {
    /// A daemon where one runs, else a thread in a worker.
    Auto,
    /// A daemon only.
    Agent,
    /// Nobody but a drain.
    Off,
}

unsafe extern "C" {
    fn zend_ini_string_ex(
        name: *const c_char,
        length: usize,
        orig: c_int,
        exists: *mut bool,
    ) -> *mut c_char;
    fn zend_unregister_ini_entries(module: c_int);
}

pub(crate) fn register(module: i32) {
    IniEntryDef::register(TABLE.as_slice(), module);
}

pub(crate) fn unregister(module: i32) {
    // SAFETY: called by PHP in MSHUTDOWN, for the module number it gave in MINIT.
    unsafe { zend_unregister_ini_entries(module) };
}

/// The value of a setting in this request; empty when it is not set or no text.
pub(crate) fn read(name: &'static CStr) -> String {
    // SAFETY: `name` is NUL-terminated; the engine answers NULL or a NUL-terminated string that lives at
    // least until PHP code runs again, and it is copied before.
    unsafe {
        let value = zend_ini_string_ex(name.as_ptr(), name.count_bytes(), 0, ptr::null_mut());
        if value.is_null() {
            return String::new();
        }
        CStr::from_ptr(value).to_str().unwrap_or_default().trim().to_owned()
    }
}

pub(crate) fn spool_dir() -> PathBuf {
    match read(SPOOL_DIR) {
        text if text.is_empty() => place::default_directory(),
        text => PathBuf::from(text),
    }
}

pub(crate) fn sender() -> SenderMode {
    match read(SENDER).to_ascii_lowercase().as_str() {
        "agent" => SenderMode::Agent,
        "off" | "0" | "" => SenderMode::Off,
        _ => SenderMode::Auto,
    }
}

pub(crate) fn spool_max_bytes() -> u64 {
    bytes(&read(SPOOL_MAX_BYTES)).unwrap_or(DEFAULT_MAX_BYTES)
}

/// A size as in php.ini: `268435456`, `256M`, `1G`.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    digits.trim().parse::<u64>().ok()?.checked_mul(factor).filter(|size| *size > 0)
}
