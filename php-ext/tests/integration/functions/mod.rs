//! The functions' signatures, and that nothing passed to them makes them complain.

use crate::support::{Site, script};

#[test]
fn php_sees_exactly_what_the_stub_promises() {
    let stub = script("../../nexpura.stub.php");
    let told = Site::alone().php("functions/signatures.php").arg(stub).output().unwrap();
    let told = crate::support::printed(&told);
    assert_eq!(told["names"].as_array().unwrap().len(), 9);
    assert_eq!(told["declared"], told["promised"]);
}

#[test]
fn no_argument_of_any_kind_makes_a_function_throw_warn_or_print() {
    let site = Site::alone();
    let told = site.run("functions/odd.php");
    assert!(told["calls"].as_u64().unwrap() > 10_000, "{told}");
    assert_eq!(told["complaints"], serde_json::json!([]));
    assert_eq!(told["wrong_types"], serde_json::json!([]));
}

#[test]
fn odd_arguments_leave_the_extension_working() {
    let site = Site::alone();
    site.run("functions/odd.php");
    let told = site.run("functions/after.php");
    assert_eq!(
        told,
        serde_json::json!({"open": null, "mark": true, "capture": true, "finish": true})
    );
}

#[test]
fn a_panic_in_any_function_or_at_the_request_s_end_reaches_nobody() {
    let site = Site::alone();
    let mut php = site.php("functions/panic.php");
    let told = crate::support::printed(&php.env("NEXPURA_FAIL_ON_PURPOSE", "1").output().unwrap());
    let answers =
        serde_json::json!(["the extension failed", false, false, false, false, [], [], false, 0]);
    assert_eq!(told, answers);
}
