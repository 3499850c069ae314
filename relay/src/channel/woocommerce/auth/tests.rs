//! Signatures against the published OAuth 1.0 examples and against WooCommerce's own way of checking.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sha1::Sha1;

use super::*;

const KEY: &str = "ck_0123456789abcdef0123456789abcdef01234567";
const SECRET: &str = "cs_fedcba9876543210fedcba9876543210fedcba98";

fn credentials() -> Credentials {
    Credentials::parse(KEY, SECRET).unwrap()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn hmac_sha1(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// OAuth Core 1.0, appendix A.5: the base string and its signature.
#[test]
fn the_example_of_oauth_core_gives_its_base_string_and_signature() {
    let url =
        Url::parse("http://photos.example.net/photos?file=vacation.jpg&size=original").unwrap();
    let parameters = pairs(&[
        ("size", "original"),
        ("file", "vacation.jpg"),
        ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
        ("oauth_token", "nnch734d00sl2jdk"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "1191242096"),
        ("oauth_nonce", "kllo9940pd9333jh"),
        ("oauth_version", "1.0"),
    ]);
    let base = signature_base("get", &url, "http", parameters);
    assert_eq!(
        base,
        "GET&http%3A%2F%2Fphotos.example.net%2Fphotos&file%3Dvacation.jpg%26\
         oauth_consumer_key%3Ddpf43f3p2l4k3l03%26oauth_nonce%3Dkllo9940pd9333jh%26\
         oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1191242096%26\
         oauth_token%3Dnnch734d00sl2jdk%26oauth_version%3D1.0%26size%3Doriginal"
    );
    let signature = hmac_sha1("kd94hf93k423kf44&pfkkdhi9sl3r4s00", &base);
    assert_eq!(signature, "tR3+Ty81lMeYAr/Fid0kMTYa/WM=");
}

/// RFC 5849, section 1.2: the last request of the walk-through.
#[test]
fn the_example_of_rfc_5849_gives_its_signature() {
    let url =
        Url::parse("http://photos.example.net/photos?file=vacation.jpg&size=original").unwrap();
    let parameters = pairs(&[
        ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
        ("oauth_token", "nnch734d00sl2jdk"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131202"),
        ("oauth_nonce", "chapoH"),
        ("file", "vacation.jpg"),
        ("size", "original"),
    ]);
    let base = signature_base("GET", &url, "http", parameters);
    let signature = hmac_sha1("kd94hf93k423kf44&pfkkdhi9sl3r4s00", &base);
    assert_eq!(signature, "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
}

#[test]
fn one_request_signed_at_one_moment_is_always_the_same() {
    let mut url =
        Url::parse("http://127.0.0.1:8080/wp-json/wc/v3/orders?status=any&nexpura=1").unwrap();
    let stamp = Stamp { timestamp: 1_700_000_000, nonce: "abc".into() };
    sign("GET", &mut url, "http", &credentials(), &stamp).unwrap();
    assert_eq!(
        url.query().unwrap(),
        "status=any&nexpura=1&\
         oauth_consumer_key=ck_0123456789abcdef0123456789abcdef01234567&oauth_nonce=abc&\
         oauth_signature_method=HMAC-SHA256&oauth_timestamp=1700000000&\
         oauth_signature=QbQ9M5lNbej%2FeNnHQsfdsBh3IcYwSI9a0BqC06OeFwk%3D"
    );
}

#[test]
fn the_key_is_read_as_pasted_and_never_shown() {
    let read = Credentials::parse(&format!(" {KEY}\n"), &format!("\t{SECRET} ")).unwrap();
    assert_eq!(read.consumer_key, KEY);
    assert_eq!(read.consumer_secret.expose_secret(), SECRET);
    let shown = format!("{read:?}");
    assert!(!shown.contains(SECRET) && !shown.contains(KEY), "{shown}");
    assert_eq!(
        basic(&read).expose_secret(),
        format!("Basic {}", STANDARD.encode(format!("{KEY}:{SECRET}")))
    );
}

#[test]
fn each_damage_to_a_key_is_told_apart() {
    use CredentialsError as E;
    for (key, secret, expected) in [
        ("", SECRET, E::Missing("consumer key")),
        (KEY, " ", E::Missing("consumer secret")),
        (SECRET, KEY, E::Swapped),
        (&KEY[1..], SECRET, E::Damaged("consumer key", "ck_")),
        (&KEY[..40], SECRET, E::Damaged("consumer key", "ck_")),
        (KEY, KEY, E::Damaged("consumer secret", "cs_")),
        (KEY, &SECRET[..42], E::Damaged("consumer secret", "cs_")),
        (KEY, "cs_fedcba9876543210 fedcba9876543210fedcba9", E::Damaged("consumer secret", "cs_")),
    ] {
        assert_eq!(Credentials::parse(key, secret).unwrap_err(), expected);
        assert!(!expected.to_string().contains("0123456789"));
    }
}

/// PHP's `rawurlencode` with WooCommerce's tilde (`wc_rest_urlencode_rfc3986`), byte by byte.
fn php_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

/// PHP's `urldecode`, as it fills `$_GET`.
fn php_decode(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap();
                out.push(u8::from_str_radix(digits, 16).unwrap());
            }
            other => out.push(other),
        }
    }
    String::from_utf8(out).unwrap()
}

/// What `check_oauth_signature` does with a GET request that reaches a shop whose home is `home`.
fn accepted_by_the_shop(url: &Url, home: &str, secret: &str) -> bool {
    let mut get: BTreeMap<String, String> = url
        .query()
        .unwrap()
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (php_decode(name), php_decode(value)))
        .collect();
    let given = get.remove("oauth_signature").unwrap().replace(' ', "+");
    let joined: Vec<String> = get
        .iter()
        .map(|(name, value)| php_encode(&format!("{}={}", php_encode(name), php_encode(value))))
        .collect();
    let address = php_encode(&format!("{home}{}", url.path()));
    let text = format!("GET&{address}&{}", joined.join("%26"));
    let mut mac = Hmac::<Sha256>::new_from_slice(format!("{secret}&").as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes()) == given
}

proptest! {
    #[test]
    fn whatever_is_asked_the_shop_accepts_the_signature(
        values in proptest::collection::btree_map("[a-z_]{1,12}", "\\PC{0,20}", 0..6),
        route in "[a-z0-9/]{1,30}",
        nonce in "[0-9a-f]{32}",
        timestamp in 0_i64..4_000_000_000,
        port in proptest::option::of(1024_u16..65535),
    ) {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let mut query = String::new();
        for (name, value) in &values {
            append(&mut query, name, value);
        }
        let mut url = Url::parse(&format!("https://shop.example{port}/wp-json/{route}")).unwrap();
        url.set_query((!query.is_empty()).then_some(query.as_str()));
        let stamp = Stamp { timestamp, nonce };
        for scheme in ["https", "http"] {
            let mut signed = url.clone();
            sign("GET", &mut signed, scheme, &credentials(), &stamp).unwrap();
            let home = format!("{scheme}://shop.example{port}");
            prop_assert!(accepted_by_the_shop(&signed, &home, SECRET), "{signed}");
            prop_assert!(!accepted_by_the_shop(&signed, &home, "cs_another"));
        }
    }
}
