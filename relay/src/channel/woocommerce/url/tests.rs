//! What people paste, and what it must come to.

use super::*;

fn normalised(text: &str) -> String {
    StoreUrl::parse(text, false).unwrap_or_else(|e| panic!("{text}: {e}")).to_string()
}

#[test]
fn whatever_leads_to_the_same_shop_is_the_same_store() {
    for text in [
        "https://shop.example",
        "https://shop.example/",
        "  https://shop.example \n",
        "HTTPS://Shop.EXAMPLE/",
        "shop.example",
        "Shop.Example/",
        "//shop.example/",
        "https://shop.example:443/",
        "shop.example:443",
        "https://shop.example./",
        "https://shop.example//",
        "https://shop.example/?utm_source=mail",
        "https://shop.example/#top",
        "https://shop.example?rest_route=/",
        "https://shop.example/index.php",
        "https://shop.example/index.php?rest_route=/wc/v3/orders",
        "https://shop.example/wp-json",
        "https://shop.example/wp-json/wc/v3/orders?per_page=1",
        "https://shop.example/wp-admin/",
        "https://shop.example/wp-admin/admin.php?page=wc-settings&tab=advanced",
        "https://shop.example/wp-login.php",
        "https:shop.example",
        "https:/shop.example",
    ] {
        assert_eq!(normalised(text), "https://shop.example", "{text}");
    }
}

#[test]
fn a_sub_directory_and_a_port_belong_to_the_store() {
    for (text, expected) in [
        ("https://example.com/Shop/", "https://example.com/Shop"),
        ("https://example.com//a///b/", "https://example.com/a/b"),
        ("example.com/fine/wp-admin/index.php", "https://example.com/fine"),
        ("https://example.com/fine/wp-json/wc/v3", "https://example.com/fine"),
        ("https://example.com/a/../b/", "https://example.com/b"),
        ("https://example.com/caf\u{e9}/", "https://example.com/caf%C3%A9"),
        ("shop.example:8443", "https://shop.example:8443"),
        ("localhost:8443/x", "https://localhost:8443/x"),
        ("https://B\u{fc}cher.example", "https://xn--bcher-kva.example"),
        ("https://[2606:4700::1]:8443/", "https://[2606:4700::1]:8443"),
    ] {
        assert_eq!(normalised(text), expected, "{text}");
    }
}

#[test]
fn what_is_normalised_stays_as_it_is() {
    for text in ["shop.example/a//b/?x#y", "https://b\u{fc}cher.example.:443/caf\u{e9}/wp-json/"] {
        let once = normalised(text);
        assert_eq!(normalised(&once), once);
    }
}

#[test]
fn each_refusal_tells_what_is_wrong() {
    use StoreUrlError as E;
    for (text, expected) in [
        ("", E::Empty),
        (" \t\n", E::Empty),
        ("my shop", E::Malformed),
        ("https://", E::Malformed),
        ("https://shop .example", E::Malformed),
        ("https://shop.example\\@evil.example", E::Malformed),
        ("https://shop.ex\nample", E::Malformed),
        ("https://256.1.1.1", E::Malformed),
        ("javascript:alert(1)", E::Malformed),
        ("http://shop.example", E::Insecure),
        ("ftp://shop.example", E::Scheme("ftp".into())),
        ("file:///etc/passwd", E::Scheme("file".into())),
        ("https://ck_1:cs_2@shop.example", E::UserInfo),
        ("https://user@shop.example", E::UserInfo),
        ("https://@shop.example", E::UserInfo),
        ("https://:@shop.example", E::UserInfo),
        ("user:secret@shop.example", E::UserInfo),
        ("mail@shop.example", E::UserInfo),
        ("mailto:mail@shop.example", E::UserInfo),
    ] {
        assert_eq!(StoreUrl::parse(text, false).unwrap_err(), expected, "{text:?}");
    }
    assert!(!E::UserInfo.to_string().contains("secret"));
}

#[test]
fn http_is_for_stores_that_the_caller_vouches_for() {
    let store = StoreUrl::parse("http://127.0.0.1:8080/shop/", true).unwrap();
    assert_eq!(store.normalised(), "http://127.0.0.1:8080/shop");
    assert!(!store.is_https());
    assert_eq!(store.host(), "127.0.0.1:8080");
    assert_eq!(StoreUrl::parse("http://x.example", false), Err(StoreUrlError::Insecure));
    assert!(StoreUrl::parse("shop.example", true).unwrap().is_https());
}

#[test]
fn routes_lie_under_the_shops_own_directory() {
    let store = StoreUrl::parse("https://example.com/shop", false).unwrap();
    assert_eq!(
        store.rest("wc/v3/orders/7").as_str(),
        "https://example.com/shop/wp-json/wc/v3/orders/7"
    );
    let root = StoreUrl::parse("https://shop.example", false).unwrap();
    assert_eq!(root.rest("/wc/v3/orders").as_str(), "https://shop.example/wp-json/wc/v3/orders");
}

#[test]
fn a_rest_root_elsewhere_in_the_shop_is_followed() {
    let store = || StoreUrl::parse("https://shop.example", false).unwrap();
    let moved = store().with_rest_root("https://shop.example/api/").unwrap();
    assert_eq!(moved.rest("wc/v3/orders").as_str(), "https://shop.example/api/wc/v3/orders");
    assert_eq!(moved.normalised(), "https://shop.example");

    for root in
        ["https://shop.example/index.php?rest_route=/", "https://shop.example/?rest_route=/"]
    {
        let plain = store().with_rest_root(root).unwrap();
        assert_eq!(
            plain.rest("wc/v3/orders").as_str(),
            "https://shop.example/index.php?rest_route=%2Fwc%2Fv3%2Forders&nexpura_prefix=wp-json/wc/"
        );
    }
}

#[test]
fn a_rest_root_on_another_host_is_refused() {
    use StoreUrlError as E;
    for (root, expected) in [
        ("https://evil.example/wp-json/", E::ForeignRestRoot),
        ("http://shop.example/wp-json/", E::ForeignRestRoot),
        ("https://shop.example:8443/wp-json/", E::ForeignRestRoot),
        ("https://shop.example@evil.example/wp-json/", E::UserInfo),
        ("", E::Malformed),
    ] {
        let store = StoreUrl::parse("https://shop.example", false).unwrap();
        assert_eq!(store.with_rest_root(root).unwrap_err(), expected, "{root}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic_or_gives_an_unstable_identity(text in "\\PC{0,60}") {
        if let Ok(store) = StoreUrl::parse(&text, true) {
            let again = StoreUrl::parse(store.normalised(), true);
            proptest::prop_assert_eq!(again.map(|s| s.to_string()), Ok(store.to_string()));
        }
    }

    #[test]
    fn addresses_survive_decoration(
        host in "[a-z]{1,12}(\\.[a-z]{2,8}){1,2}",
        path in "(/[a-zA-Z0-9_.%~!()-]{1,8}){0,3}",
        tail in "(/|//|/wp-json/wc/v3|/wp-admin/|/index\\.php|\\?a=b|#c)?",
    ) {
        if let Ok(plain) = StoreUrl::parse(&format!("https://{host}{path}"), false) {
            let decorated = StoreUrl::parse(&format!(" {host}{path}{tail} "), false);
            proptest::prop_assert_eq!(decorated, Ok(plain));
        }
    }
}
