//! Links the extension so that PHP never unloads it: a sender thread may still run when PHP shuts down.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
