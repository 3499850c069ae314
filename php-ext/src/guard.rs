//! Nothing that goes wrong in here may reach the shop.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

static QUIET: Once = Once::new();

/// Runs `work`; a panic in it gives `otherwise` and prints nothing.
pub(crate) fn catch<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    // This library carries its own copy of Rust's runtime: the hook is nobody else's.
    QUIET.call_once(|| panic::set_hook(Box::new(|_| {})));
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(otherwise)
}
