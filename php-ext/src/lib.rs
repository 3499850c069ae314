//! nexpura.so: captures what happens in a WooCommerce shop and hands it to the spool.
//!
//! A layer as thin as it can be: PHP values in, calls into `nexpura-agent`, PHP values out. No function
//! throws, warns or prints; what is wrong shows in `nexpura_status()`. No thread is started before the first
//! capture, and nothing waits for MSHUTDOWN.

mod arguments;
mod functions;
mod guard;
mod info;
mod request;
mod settings;

use ext_php_rs::{
    builders::ModuleBuilder,
    zend::{ModuleEntry, StaticModuleEntry},
};

/// Where PHP begins: the description of this extension.
#[unsafe(no_mangle)]
#[allow(unsafe_code)] // SAFETY: PHP looks this name up in each extension, and calls it once, at startup.
pub extern "C" fn get_module() -> *mut ModuleEntry {
    static MODULE: StaticModuleEntry = StaticModuleEntry::new();
    MODULE.get_or_init(|| {
        let builder = functions::register(ModuleBuilder::new("nexpura", env!("CARGO_PKG_VERSION")))
            .startup_function(startup)
            .shutdown_function(shutdown)
            .request_shutdown_function(request_shutdown)
            .info_function(info::show);
        match builder.try_into() {
            Ok((entry, _, allocations)) => (entry, allocations),
            // Every name in the description is a literal without NUL; and PHP takes no "no" here.
            Err(error) => unreachable!("the extension describes itself badly: {error}"),
        }
    })
}

/// MINIT: settings only. A thread started here would not survive FPM's fork.
extern "C" fn startup(_kind: i32, module: i32) -> i32 {
    guard::catch(1, || {
        settings::register(module);
        0
    })
}

/// MSHUTDOWN, where it is called at all.
extern "C" fn shutdown(_kind: i32, module: i32) -> i32 {
    guard::catch(0, || {
        settings::unregister(module);
        0
    })
}

/// RSHUTDOWN: what the request marked and did not capture becomes touches; nothing of it is left.
extern "C" fn request_shutdown(_kind: i32, _module: i32) -> i32 {
    guard::catch(0, || {
        request::end();
        0
    })
}
