//! The golden vectors, which the plugin's PHP tests read too, and what a verifier must refuse.

#![allow(clippy::unwrap_used)]

use nexpura_protocol::{ConnectionString, ConnectionStringError, Signer, Verifier, VerifyError};
use proptest::prelude::*;
use secrecy::SecretString;
use serde::Deserialize;

const GOLDEN: &str = include_str!("../golden/signatures.json");
const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "whsec_8PHy8/T19vf4+fr7/P3+/w8ODQwLCgkIBwYFBAMCAQA=";

#[derive(Deserialize)]
struct Golden {
    vectors: Vec<Vector>,
    connection_strings: Vec<Pasted>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    secret: String,
    id: String,
    timestamp: i64,
    body: String,
    signature: String,
}

#[derive(Deserialize)]
struct Pasted {
    text: String,
    ok: bool,
    error: Option<String>,
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).unwrap()
}

fn signer(secrets: &[&str]) -> Signer {
    let secrets: Vec<_> = secrets.iter().copied().map(SecretString::from).collect();
    Signer::new(&secrets).unwrap()
}

fn verifier(secrets: &[&str]) -> Verifier {
    let secrets: Vec<_> = secrets.iter().copied().map(SecretString::from).collect();
    Verifier::new(&secrets).unwrap()
}

#[test]
fn every_golden_vector_is_signed_and_verified() {
    for vector in golden().vectors {
        let headers =
            signer(&[&vector.secret]).sign(&vector.id, vector.timestamp, vector.body.as_bytes());
        assert_eq!(headers.signature, vector.signature, "{}", vector.name);
        verifier(&[&vector.secret])
            .verify(
                Some(&vector.id),
                Some(&vector.timestamp.to_string()),
                Some(&vector.signature),
                vector.body.as_bytes(),
                vector.timestamp,
            )
            .unwrap();
    }
}

#[test]
fn every_golden_connection_string_is_judged_alike() {
    for pasted in golden().connection_strings {
        let judged = ConnectionString::parse(&pasted.text);
        assert_eq!(judged.is_ok(), pasted.ok, "{}", pasted.text);
        let told = judged.err().map(|error| match error {
            ConnectionStringError::Empty => "empty",
            ConnectionStringError::Malformed => "malformed",
            ConnectionStringError::Insecure => "insecure",
            ConnectionStringError::Missing("secret") => "missing_secret",
            ConnectionStringError::Missing(_) => "missing_id",
            ConnectionStringError::Damaged("secret") => "damaged_secret",
            ConnectionStringError::Damaged(_) => "damaged_id",
        });
        assert_eq!(told, pasted.error.as_deref(), "{}", pasted.text);
    }
}

fn check(
    verifier: &Verifier,
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: i64,
) -> Result<(), VerifyError> {
    verifier.verify(Some(id), Some(timestamp), Some(signature), body, now)
}

#[test]
fn a_rotation_signs_with_both_and_either_side_may_be_first() {
    let both = signer(&[SECRET, OTHER]).sign("a", 1_000, b"body");
    assert_eq!(both.signature.split(' ').count(), 2);
    for secrets in [&[SECRET][..], &[OTHER], &[OTHER, SECRET]] {
        check(&verifier(secrets), "a", "1000", &both.signature, b"body", 1_000).unwrap();
    }
    let new_only = signer(&[OTHER]).sign("a", 1_000, b"body");
    check(&verifier(&[SECRET, OTHER]), "a", "1000", &new_only.signature, b"body", 1_000).unwrap();
    assert_eq!(
        check(&verifier(&[SECRET]), "a", "1000", &new_only.signature, b"body", 1_000),
        Err(VerifyError::Signature)
    );
}

#[test]
fn five_minutes_either_way_and_not_a_second_more() {
    let headers = signer(&[SECRET]).sign("a", 10_000, b"x");
    let at = |now| check(&verifier(&[SECRET]), "a", "10000", &headers.signature, b"x", now);
    assert_eq!(at(10_300), Ok(()));
    assert_eq!(at(9_700), Ok(()));
    assert_eq!(at(10_301), Err(VerifyError::Stale(301)));
    assert_eq!(at(9_699), Err(VerifyError::Stale(-301)));
}

#[test]
fn a_stranger_never_learns_that_only_the_clock_is_wrong() {
    let headers = signer(&[OTHER]).sign("a", 1, b"x");
    assert_eq!(
        check(&verifier(&[SECRET]), "a", "1", &headers.signature, b"x", 1_000_000),
        Err(VerifyError::Signature)
    );
}

#[test]
fn missing_and_malformed_headers_are_named() {
    let verifier = verifier(&[SECRET]);
    let error = |id, stamp, signature| verifier.verify(id, stamp, signature, b"", 0).unwrap_err();
    assert_eq!(error(None, Some("0"), Some("v1,x")), VerifyError::Header("webhook-id"));
    assert_eq!(error(Some(""), Some("0"), Some("v1,x")), VerifyError::Header("webhook-id"));
    assert_eq!(error(Some("a"), None, Some("v1,x")), VerifyError::Header("webhook-timestamp"));
    assert_eq!(
        error(Some("a"), Some("soon"), Some("v1,x")),
        VerifyError::Header("webhook-timestamp")
    );
    assert_eq!(error(Some("a"), Some("0"), None), VerifyError::Header("webhook-signature"));
    assert_eq!(error(Some("a"), Some("0"), Some("v2,AAAA")), VerifyError::Signature);
    assert_eq!(error(Some("a"), Some("0"), Some("v1,***")), VerifyError::Signature);
}

#[test]
fn a_secret_that_is_no_base64_cannot_sign() {
    assert!(Signer::new(&[SecretString::from("whsec_***")]).is_err());
    assert!(Signer::new(&[SecretString::from("whsec_")]).is_err());
}

proptest! {
    #[test]
    fn one_changed_byte_anywhere_is_refused(
        body in proptest::collection::vec(any::<u8>(), 1..200),
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let headers = signer(&[SECRET]).sign("id", 5, &body);
        let mut tampered = body.clone();
        tampered[at.index(body.len())] ^= flip;
        prop_assert_eq!(
            check(&verifier(&[SECRET]), "id", "5", &headers.signature, &tampered, 5),
            Err(VerifyError::Signature)
        );
        prop_assert_eq!(
            check(&verifier(&[SECRET]), "id2", "5", &headers.signature, &body, 5),
            Err(VerifyError::Signature)
        );
        prop_assert_eq!(
            check(&verifier(&[SECRET]), "id", "6", &headers.signature, &body, 5),
            Err(VerifyError::Signature)
        );
    }

    #[test]
    fn no_garbage_in_any_header_panics(id in ".*", stamp in ".*", signature in ".*") {
        let _ = verifier(&[SECRET]).verify(Some(&id), Some(&stamp), Some(&signature), b"", 0);
    }
}
