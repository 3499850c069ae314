//! Names as people read them: WordPress stores some of them with HTML entities.

use super::limits;

/// A name with its entities decoded, without control characters, and bounded.
pub(super) fn name(raw: &str) -> String {
    limits::bounded(&decode_entities(raw), limits::MAX_NAME)
}

/// Decodes numeric entities and the five that XML names, once: `&amp;lt;` becomes `&lt;`.
/// Everything else stays as it is.
fn decode_entities(raw: &str) -> String {
    let mut decoded = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        match entity(rest) {
            Some((character, length)) => {
                decoded.push(character);
                rest = &rest[length..];
            }
            None => {
                decoded.push('&');
                rest = &rest[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// The entity that `text` begins with, and its length in bytes.
fn entity(text: &str) -> Option<(char, usize)> {
    // `&#x10FFFF;` is the longest that has a meaning; leading zeros get a little room.
    let end = text.bytes().take(14).position(|byte| byte == b';')?;
    let character = match text.get(1..end)? {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        number => numeric(number.strip_prefix('#')?)?,
    };
    Some((character, end + 1))
}

fn numeric(digits: &str) -> Option<char> {
    let (digits, radix) = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16),
        None => (digits, 10),
    };
    // `from_str_radix` would take a sign.
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    char::from_u32(u32::from_str_radix(digits, radix).ok()?).filter(|c| !c.is_control())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entities_are_decoded_once() {
        for (raw, read) in [
            ("Salt &amp; Pepper", "Salt & Pepper"),
            ("O&#039;Neil&#x27;s &quot;x&quot; &apos;y&apos;", "O'Neil's \"x\" 'y'"),
            ("&lt;b&gt;", "<b>"),
            ("&amp;lt;", "&lt;"),
            ("&amp;#38;", "&#38;"),
            ("&#8211;&#x1F48D;", "–💍"),
        ] {
            assert_eq!(name(raw), read);
        }
    }

    #[test]
    fn what_is_no_entity_stays() {
        for raw in [
            "R&D",
            "&",
            "&;",
            "&#;",
            "&#x;",
            "&#+65;",
            "&#-1;",
            "&#0;",
            "&#10;",
            "&#xD800;",
            "&#99999999;",
            "&nbsp;",
            "&hellip",
            "&é;",
            "&#00000000000000000065;",
            "a & b; c",
        ] {
            assert_eq!(name(raw), raw);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(raw in "(&|&#|&#x|amp|;|[0-9a-fé]|\\PC){0,40}") {
            prop_assert!(name(&raw).chars().count() <= limits::MAX_NAME);
        }
    }
}
