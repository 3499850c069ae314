//! Nothing that goes wrong in here may reach the shop.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

static QUIET: Once = Once::new();

/// Runs `work`; a panic in it gives `otherwise` and prints nothing.
pub(crate) fn catch<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    guarded(otherwise, || {
        #[cfg(debug_assertions)]
        fail_on_purpose();
        work()
    })
}

/// The same for handing an answer to PHP, when the work is done.
pub(crate) fn answer(hand_over: impl FnOnce()) {
    guarded((), hand_over);
}

fn guarded<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    // This library carries its own copy of Rust's runtime: the hook is nobody else's.
    QUIET.call_once(|| panic::set_hook(Box::new(|_| {})));
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(otherwise)
}

/// For the test of this module's promise; not in a release.
#[cfg(debug_assertions)]
#[allow(clippy::panic)]
fn fail_on_purpose() {
    if std::env::var_os("NEXPURA_FAIL_ON_PURPOSE").is_some() {
        panic!("on purpose");
    }
}
