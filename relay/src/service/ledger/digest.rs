//! Whether a representation says anything new.

use std::io::{self, Write};

use nexpura_protocol::Facts;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::channel::woocommerce::is_mark;

/// What WooCommerce sends along that is not about the thing itself: it differs between a REST answer, a
/// webhook and an event; from one reading to the next, as the related products do, and in older versions of WordPress the
/// picture of whoever has no address; or with each saving, whatever that changed.
const PASSING: [&str; 6] =
    ["_links", "avatar_url", "date_modified", "date_modified_gmt", "nexpura", "related_ids"];

/// A digest of a representation and its facts, the same for whatever way they came. `rev` is left out:
/// it counts what may have changed, not what did. So is the relay's own mark.
#[must_use]
pub fn digest(payload: &Value, facts: Option<&Facts>) -> Vec<u8> {
    let mut hasher = Hasher(Sha256::new());
    if let Some(fields) = payload.as_object() {
        for (name, value) in fields.iter().filter(|(name, _)| !PASSING.contains(&name.as_str())) {
            feed(&mut hasher, &json!(name));
            match value
                .as_array()
                .filter(|entries| name == "meta_data" && entries.iter().any(is_mark))
            {
                Some(entries) => {
                    let others = entries.iter().filter(|entry| !is_mark(entry));
                    feed(&mut hasher, &json!(others.collect::<Vec<_>>()));
                }
                None => feed(&mut hasher, value),
            }
        }
    }
    if let Some(facts) = facts {
        feed(&mut hasher, &json!(Facts { rev: None, ..facts.clone() }));
    }
    hasher.0.finalize().to_vec()
}

/// Objects come out sorted by key, so equal values feed equal bytes.
fn feed(hasher: &mut Hasher, value: &Value) {
    // Hashing never fails, and a value always has a JSON text.
    let _ = serde_json::to_writer(&mut *hasher, value);
    let _ = hasher.write_all(b"\n");
}

struct Hasher(Sha256);

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saving_it_and_marking_it_changes_nothing() {
        let vat = json!({ "id": 1, "key": "vat", "value": "GB1" });
        let mark =
            json!({ "id": 2, "key": "Synced with Nexpura", "value": "2026-11-21 10:00 UTC" });
        let with = |entries: Value, at: &str| {
            let one = json!({
                "id": 1, "meta_data": entries, "date_modified": at, "date_modified_gmt": at,
                "avatar_url": at, "related_ids": [at],
            });
            digest(&one, None)
        };
        let plain = with(json!([vat]), "1");
        assert_eq!(plain, with(json!([vat, mark]), "2"));
        assert_eq!(with(json!([]), "1"), with(json!([mark]), "2"));
        assert_ne!(plain, with(json!([mark]), "1"));
    }

    #[test]
    fn only_what_it_says_counts() {
        let one = json!({ "id": 1, "total": "5.00", "_links": { "self": [] } });
        let same = json!({ "total": "5.00", "id": 1 });
        assert_eq!(digest(&one, None), digest(&same, None));
        let other = json!({ "id": 1, "total": "5.01" });
        assert_ne!(digest(&one, None), digest(&other, None));
        let facts =
            |rev, key: &str| Facts { rev, order_key: Some(key.to_owned()), ..Facts::default() };
        let known = digest(&one, Some(&facts(Some(1), "a")));
        assert_eq!(known, digest(&one, Some(&facts(Some(2), "a"))));
        assert_ne!(known, digest(&one, Some(&facts(Some(1), "b"))));
    }
}
