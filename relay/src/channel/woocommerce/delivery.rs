//! What WooCommerce's own webhooks send: its signature, its ping, and what a delivery is about.
//!
//! Only the body is signed; every header is a claim. So a delivery is a touch and nothing more: whoever
//! plays one back under another topic makes the relay look at the shop once more.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use nexpura_protocol::event::{Resource, Topic};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;

/// The header with the signature.
pub const HEADER_SIGNATURE: &str = "x-wc-webhook-signature";
/// The header with the topic.
pub const HEADER_TOPIC: &str = "x-wc-webhook-topic";

/// `webhook_id=` and the digits of the largest id that MySQL gives.
const MAX_PING: usize = 11 + 20;

/// Whether this is the ping with which WooCommerce tries an address: unsigned, a form with the one field
/// `webhook_id` (`WC_Webhook::deliver_ping`).
#[must_use]
pub fn is_ping(content_type: Option<&str>, signed: bool, body: &[u8]) -> bool {
    let form = content_type.is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    let number = body.strip_prefix(b"webhook_id=").unwrap_or_default();
    form && !signed
        && body.len() <= MAX_PING
        && !number.is_empty()
        && number.iter().all(u8::is_ascii_digit)
}

/// Whether a delivery is signed with one of these secrets: base64 of the HMAC-SHA256 of the raw body
/// (`WC_Webhook::generate_signature`). Every secret costs the same, whichever fits.
#[must_use]
pub fn is_signed(secrets: &[SecretString], signature: Option<&str>, body: &[u8]) -> bool {
    // What is no base64 is compared like a signature that does not fit.
    let signature =
        signature.and_then(|text| STANDARD.decode(text.trim()).ok()).unwrap_or_default();
    let mut fits = false;
    for secret in secrets {
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
            continue;
        };
        fits |= mac.chain_update(body).verify_slice(&signature).is_ok();
    }
    fits
}

/// What a delivery is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// What happened to what kind of thing.
    pub topic: Topic,
    /// WooCommerce's id of it.
    pub id: u64,
}

impl Subject {
    /// Reads it; nothing for a topic that the ledger has no use for, and for a body without an id, such
    /// as WooCommerce builds for a thing that was deleted before the delivery.
    #[must_use]
    pub fn read(topic: Option<&str>, body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Identified {
            id: u64,
        }
        let topic: Topic = topic?.trim().parse().ok()?;
        if topic.resource == Resource::Lineage {
            return None;
        }
        let Identified { id } = serde_json::from_slice(body).ok()?;
        (id > 0 && i64::try_from(id).is_ok()).then_some(Self { topic, id })
    }
}

#[cfg(test)]
mod tests {
    use nexpura_protocol::event::Verb;
    use serde_json::Value;

    use super::*;

    /// A delivery as a real WooCommerce 10.0.2 made it.
    struct Recorded {
        headers: Value,
        body: String,
    }

    impl Recorded {
        fn read(text: &str) -> Self {
            let recorded: Value = serde_json::from_str(text).unwrap();
            let body = recorded["body_raw"].as_str().unwrap().to_owned();
            Self { headers: recorded["headers"].clone(), body }
        }

        fn header(&self, name: &str) -> Option<&str> {
            self.headers[name].as_str()
        }
    }

    fn created() -> Recorded {
        Recorded::read(include_str!("../../../tests/fixtures/webhook-order-created.json"))
    }

    fn deleted() -> Recorded {
        Recorded::read(include_str!("../../../tests/fixtures/webhook-order-deleted.json"))
    }

    fn ping() -> Recorded {
        Recorded::read(include_str!("../../../tests/fixtures/webhook-ping.json"))
    }

    fn secrets(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|text| SecretString::from(*text)).collect()
    }

    #[test]
    fn recorded_deliveries_are_signed_with_their_secret_and_no_other() {
        for recorded in [created(), deleted()] {
            let signature = recorded.header("X-WC-Webhook-Signature");
            let body = recorded.body.as_bytes();
            assert!(is_signed(&secrets(&["a shared secret"]), signature, body));
            assert!(is_signed(&secrets(&["another", "a shared secret"]), signature, body));
            assert!(!is_signed(&secrets(&["a shared secret "]), signature, body));
            assert!(!is_signed(&[], signature, body));
            let tampered = recorded.body.replacen("31", "32", 1);
            assert!(!is_signed(&secrets(&["a shared secret"]), signature, tampered.as_bytes()));
            for wrong in
                [None, Some(""), Some("???"), Some("YWJj"), Some(&signature.unwrap()[..40])]
            {
                assert!(!is_signed(&secrets(&["a shared secret"]), wrong, body), "{wrong:?}");
            }
        }
    }

    #[test]
    fn recorded_deliveries_say_what_they_are_about() {
        let subject = |recorded: &Recorded| {
            Subject::read(recorded.header("X-WC-Webhook-Topic"), recorded.body.as_bytes())
        };
        let order = |verb| Some(Subject { topic: Topic::new(Resource::Order, verb), id: 31 });
        assert_eq!(subject(&created()), order(Verb::Created));
        assert_eq!(subject(&deleted()), order(Verb::Deleted));
    }

    #[test]
    fn what_is_about_nothing_of_ours_is_told_apart() {
        let read = |topic, body: &str| Subject::read(topic, body.as_bytes());
        assert!(read(Some("order.updated"), r#"{"id":7}"#).is_some());
        for topic in
            [None, Some(""), Some("coupon.created"), Some("action.woocommerce_add_to_cart")]
        {
            assert_eq!(read(topic, r#"{"id":7}"#), None, "{topic:?}");
        }
        assert_eq!(read(Some("action.nexpura_lineage"), r#"{"id":7}"#), None);
        let gone = r#"{"code":"woocommerce_rest_shop_order_invalid_id","data":{"status":404}}"#;
        for body in ["", "[]", "<html>", r#"{"id":0}"#, r#"{"id":-1}"#, r#"{"id":"7"}"#, gone] {
            assert_eq!(read(Some("order.updated"), body), None, "{body}");
        }
        assert_eq!(read(Some("order.updated"), r#"{"id":9223372036854775808}"#), None);
    }

    #[test]
    fn only_the_very_ping_of_woocommerce_passes_unsigned() {
        let recorded = ping();
        let form = recorded.header("Content-Type");
        assert!(is_ping(form, false, recorded.body.as_bytes()));
        assert!(is_ping(
            Some("application/x-www-form-urlencoded; charset=UTF-8"),
            false,
            b"webhook_id=12"
        ));
        assert!(!is_ping(form, true, recorded.body.as_bytes()), "signed");
        assert!(!is_ping(Some("application/json"), false, recorded.body.as_bytes()));
        assert!(!is_ping(None, false, recorded.body.as_bytes()));
        let long = format!("webhook_id={}", "1".repeat(21));
        for body in
            ["", "webhook_id=", "webhook_id=x", "webhook_id=1&id=7", "id=1", "webhook_id=-1", &long]
        {
            assert!(!is_ping(form, false, body.as_bytes()), "{body}");
        }
    }
}
