//! An e-mail address: what customers are matched by.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// The longest address that mail can be sent to, in characters (RFC 5321's path of 256 without its
/// angle brackets).
const MAX_CHARS: usize = 254;

/// An address in lower case and Unicode's composed form, so that one person is one text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

/// Something is no e-mail address; the text itself is not repeated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct EmailError;

impl Email {
    /// From text. Whitespace around it is dropped. Only what no address can have is refused;
    /// whether mail arrives there is not for us to say.
    ///
    /// # Errors
    /// There are not exactly two non-empty sides of one `@`, there is whitespace or a control
    /// character within, or it is longer than 254 characters.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        // Before any work on it: an address is short, a hostile text need not be.
        if text.chars().nth(MAX_CHARS).is_some() {
            return Err(EmailError);
        }
        // Composed last, because lower case may decompose (İ becomes two characters).
        let folded: String = text.to_lowercase().nfc().collect();
        let (local, domain) = folded.split_once('@').ok_or(EmailError)?;
        let fits = !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !folded.chars().any(|c| c.is_whitespace() || c.is_control())
            && folded.chars().nth(MAX_CHARS).is_none();
        if fits { Ok(Self(folded)) } else { Err(EmailError) }
    }

    /// The folded address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        Self::parse(text)
    }
}

impl Serialize for Email {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_person_is_one_text() {
        let ana = Email::parse("ana@example.test").unwrap();
        assert_eq!(Email::parse(" ANA@Example.test\n"), Ok(ana));
        // é as one character, and as e with a combining accent, in either case.
        let composed = Email::parse("ren\u{e9}@x.test").unwrap();
        assert_eq!(Email::parse("REN\u{c9}@x.test"), Ok(composed.clone()));
        assert_eq!(Email::parse("REN\u{45}\u{301}@x.test"), Ok(composed));
        // The sign for kelvin is a K.
        assert_eq!(Email::parse("\u{212a}@x.test"), Email::parse("k@x.test"));
    }

    #[test]
    fn what_no_address_can_be_is_refused() {
        for text in ["", "ana", "@x", "ana@", "a@b@c", "a b@c", "a@b\0c", "a@\u{a0}b"] {
            assert_eq!(Email::parse(text), Err(EmailError), "{text:?}");
        }
        let at = |n: usize| format!("{}@x", "a".repeat(n - 2));
        assert!(Email::parse(&at(254)).is_ok());
        assert_eq!(Email::parse(&at(255)), Err(EmailError));
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{1,20}@\\PC{1,20}") {
            if let Ok(once) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(once.as_str()), Ok(once));
            }
        }
    }
}
