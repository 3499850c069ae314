//! How much of anything one shop may say, so that a compromised shop harms only itself.

use serde_json::Value;

use super::MappingError;

/// Lines of one order, and entries of any other list in it.
pub const MAX_LINES: usize = 1_000;
/// Units on one line.
pub const MAX_UNITS: i64 = 1_000_000;
/// Units that a shop may say it has of one thing.
pub const MAX_STOCK: i64 = 1_000_000_000;
/// Levels of nesting in a representation.
pub const MAX_DEPTH: usize = 32;
/// Characters of a name.
pub const MAX_NAME: usize = 500;
/// Characters of a short word: keys, codes, methods, transaction ids.
pub const MAX_CODE: usize = 200;
/// Characters of a note or a reason.
pub const MAX_NOTE: usize = 4_000;
/// Characters of an address on the web.
pub const MAX_URL: usize = 2_000;
/// Categories, and attributes, of one product; the rest is left out.
pub const MAX_LABELS: usize = 200;

/// Refuses what is nested deeper than `max` levels; a bare value has one.
///
/// # Errors
/// It is deeper.
pub fn check_depth(value: &Value, max: usize) -> Result<(), MappingError> {
    fn fits(value: &Value, left: usize) -> bool {
        left > 0
            && match value {
                Value::Array(items) => items.iter().all(|item| fits(item, left - 1)),
                Value::Object(fields) => fields.values().all(|field| fits(field, left - 1)),
                _ => true,
            }
    }
    if fits(value, max) { Ok(()) } else { Err(MappingError::TooDeep { max }) }
}

/// `text` without control characters (line breaks and tabs stay; PostgreSQL cannot store NUL) and
/// whitespace around it, cut at `max` characters. A text is never too long to be taken.
#[must_use]
pub fn bounded(text: &str, max: usize) -> String {
    let kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let cut: String = text.trim().chars().filter(kept).take(max).collect();
    cut.trim().to_owned()
}

/// An id told outside of a representation, if it is one that a signed 64-bit column can hold.
#[must_use]
pub fn id(told: u64) -> Option<u64> {
    (1..=i64::MAX as u64).contains(&told).then_some(told)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn depth_is_counted_from_the_value_itself() {
        assert_eq!(check_depth(&json!(1), 1), Ok(()));
        assert_eq!(check_depth(&json!([[1]]), 3), Ok(()));
        assert_eq!(check_depth(&json!({"a": [{}]}), 3), Ok(()));
        assert_eq!(check_depth(&json!({"a": [[1]]}), 3), Err(MappingError::TooDeep { max: 3 }));
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(bounded("ééé", 2), "éé");
        assert_eq!(bounded(" a\0b\r\nc ", 500), "ab\nc");
        assert_eq!(bounded("ab cd", 3), "ab");
        assert_eq!(bounded("💍💍", 1), "💍");
    }
}
