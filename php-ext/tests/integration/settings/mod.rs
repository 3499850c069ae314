//! php.ini settings, and what phpinfo() shows of them.

use serde_json::json;

use crate::{agent::SECRET, support::Site};

#[test]
fn phpinfo_has_a_section_and_no_secret() {
    let site = Site::alone();
    let setting = format!("nexpura.connection=\"{}\"", site.connection.expose());
    let settings = [setting.as_str()];
    let info = site.php_with("settings/info.php", &settings).output().unwrap();
    let text = String::from_utf8(info.stdout).unwrap();
    let secret = SECRET.strip_prefix("whsec_").unwrap();
    assert!(text.contains("nexpura => enabled"), "{text}");
    assert!(
        text.contains("nexpura.connection => 01900000… at http://127.0.0.1:9/ (secret hidden)"),
        "{text}"
    );
    assert!(text.contains("nexpura.spool_max_bytes => 268435456"));
    assert!(!text.contains(secret) && !text.contains("whsec"));
    assert!(info.stderr.is_empty());
}

#[test]
fn phpinfo_says_when_the_connection_is_missing_or_damaged() {
    let shown = |settings: &[&str]| {
        let output = Site::alone().php_with("settings/info.php", settings).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(shown(&[]).contains("nexpura.connection => no value"));
    let damaged = shown(&["nexpura.connection=https://secretpart@relay.example"]);
    assert!(damaged.contains("damaged") && !damaged.contains("secretpart"), "{damaged}");
}

#[test]
fn php_ini_connects_without_the_plugin_opening_anything() {
    let site = Site::alone();
    let setting = format!("nexpura.connection=\"{}\"", site.connection.expose());
    let told = site.run_with("settings/connection.php", &[&setting]);
    assert_eq!(told["mark"], true);
    assert_eq!(told["id"], site.connection.id());
    assert_eq!(told["changed_by_the_shop"], false, "ini_set cannot redirect the spool");
}

#[test]
fn the_bound_takes_php_s_units_and_nonsense_means_the_default() {
    let bound = |text: &str| {
        let setting = format!("nexpura.spool_max_bytes={text}");
        Site::alone().run_with("settings/bound.php", &[&setting])
    };
    assert_eq!(bound("64M"), json!(64 << 20));
    assert_eq!(bound("2G"), json!(2_u64 << 30));
    assert_eq!(bound("3000000"), json!(3_000_000));
    assert_eq!(bound("2048k"), json!(2 << 20));
    assert_eq!(bound("1"), json!(1 << 20), "never less than a mebibyte");
    for nonsense in ["", "many", "-5", "5X", "0", "99999999999999999999G"] {
        assert_eq!(bound(nonsense), json!(256 << 20), "{nonsense:?}");
    }
}

#[test]
fn without_a_directory_the_spool_lies_outside_any_web_root_and_is_the_owner_s_alone() {
    let site = Site::alone();
    let temporary = site.directory.path().display().to_string();
    let mut command = site.php_with("settings/place.php", &["nexpura.spool_dir="]);
    let told = crate::support::printed(&command.env("TMPDIR", &temporary).output().unwrap());
    let path = told["spool"].as_str().unwrap();
    let user = nexpura_agent::sys::effective_user();
    let expected = format!("{temporary}/nexpura-{user}/");
    assert!(path.starts_with(&expected) || path.starts_with("/var/lib/nexpura/"), "{path}");
    assert_eq!(told["directory_mode"], "700");
    for (file, mode) in told["files"].as_object().unwrap() {
        assert_eq!(mode, "600", "{file}");
    }
    assert!(told["files"].as_object().unwrap().len() >= 3);
}
