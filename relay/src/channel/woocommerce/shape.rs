//! JSON from a store that may lie: bounded in depth and size before it is built, and checked after.

use serde_json::Value;

use crate::channel::ChannelError;

/// WooCommerce's own answers nest ten deep; other plugins' metadata some more.
const MAX_DEPTH: usize = 64;
/// Values in one answer. A value takes some 50 bytes once built, a `0,` in the text only two, so the
/// text's size alone does not bound memory. A hundred orders of ten lines have about 50,000.
const MAX_VALUES: usize = 300_000;

/// Builds a JSON value out of an answer's body.
///
/// # Errors
/// `NotJson` for a web page and the like, `Unreachable` for JSON that breaks off, `WrongShape` for one
/// nested too deeply or with too many values.
pub(super) fn parse(body: &[u8]) -> Result<Value, ChannelError> {
    // A theme's file saved with a byte order mark puts one before every answer of the shop.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    if !matches!(body.first(), Some(b'{' | b'[')) {
        return Err(ChannelError::NotJson);
    }
    within_bounds(body)?;
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => {
            ChannelError::Unreachable("its answer breaks off in the middle".to_owned())
        }
        _ => ChannelError::NotJson,
    })
}

/// Counts, without building anything, how deep the text nests and how many values it holds.
fn within_bounds(body: &[u8]) -> Result<(), ChannelError> {
    let (mut depth, mut values, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for &byte in body {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                values += 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(ChannelError::WrongShape("nested too deeply".to_owned()));
        }
        if values > MAX_VALUES {
            return Err(ChannelError::WrongShape("too many values".to_owned()));
        }
    }
    Ok(())
}

/// WooCommerce's error code in an answer's body, if it is one: `{"code":"…","message":…}`.
pub(super) fn error_code(body: &[u8]) -> Option<String> {
    let value = parse(body).ok()?;
    let code = value.get("code")?.as_str()?;
    let plain = code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    (plain && !code.is_empty() && code.len() <= 64).then(|| code.to_owned())
}

/// The value, if it is an object with a positive whole `id`, and the id.
///
/// # Errors
/// `WrongShape`.
pub(super) fn identified(value: &Value) -> Result<u64, ChannelError> {
    if !value.is_object() {
        return Err(ChannelError::WrongShape("not an object".to_owned()));
    }
    match value.get("id").and_then(Value::as_u64) {
        Some(id) if id > 0 => Ok(id),
        _ => Err(ChannelError::WrongShape("an object without an id".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(body: &[u8]) -> ChannelError {
        parse(body).unwrap_err()
    }

    #[test]
    fn json_is_read_even_behind_a_byte_order_mark() {
        assert_eq!(parse(b"\xef\xbb\xbf \n{\"id\":1}\n").unwrap()["id"], 1);
        assert_eq!(parse(b"[]").unwrap(), Value::Array(vec![]));
    }

    #[test]
    fn what_is_no_json_is_told_apart_from_what_breaks_off() {
        for body in [
            "",
            "<!doctype html><title>Log in</title>",
            "Warning: Undefined variable $x in /srv/x.php on line 3\n{\"id\":1}",
            "null",
            "0",
            "{\"id\":1}<script>",
            "{id:1}",
            "\u{1f}\u{8b}gzip",
        ] {
            assert_eq!(wrong(body.as_bytes()), ChannelError::NotJson, "{body}");
        }
        for body in ["{", "[{\"id\":1},", "{\"id\":1,\"name\":\"ri"] {
            assert!(matches!(wrong(body.as_bytes()), ChannelError::Unreachable(_)), "{body}");
        }
        assert_eq!(wrong(b"{\"name\":\"\xff\"}"), ChannelError::NotJson);
    }

    #[test]
    fn depth_is_bounded_and_brackets_in_text_do_not_count() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(matches!(wrong(nested(MAX_DEPTH + 1).as_bytes()), ChannelError::WrongShape(_)));
        assert!(matches!(wrong("[".repeat(2_000_000).as_bytes()), ChannelError::WrongShape(_)));
        let text = format!("[\"{}\\\"{}\"]", "[".repeat(1000), "{,".repeat(1000));
        assert!(parse(text.as_bytes()).is_ok());
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let list = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
        assert!(parse(list(MAX_VALUES).as_bytes()).is_ok());
        assert!(matches!(wrong(list(MAX_VALUES + 2).as_bytes()), ChannelError::WrongShape(_)));
        let empty = format!("[{}[]]", "[],".repeat(MAX_VALUES));
        assert!(matches!(wrong(empty.as_bytes()), ChannelError::WrongShape(_)));
    }

    #[test]
    fn only_a_plain_error_code_is_taken_from_a_refusal() {
        let code = |body: &str| error_code(body.as_bytes());
        assert_eq!(
            code(r#"{"code":"woocommerce_rest_cannot_view","message":"No","data":{"status":401}}"#),
            Some("woocommerce_rest_cannot_view".to_owned())
        );
        assert_eq!(code(r#"{"code":7}"#), None);
        assert_eq!(code(r#"{"code":""}"#), None);
        assert_eq!(code(r#"{"code":"<b>"}"#), None);
        assert_eq!(code("<html>"), None);
        assert_eq!(code(&format!("{{\"code\":\"{}\"}}", "x".repeat(65))), None);
    }

    #[test]
    fn an_identified_thing_has_a_positive_whole_id() {
        let id = |text: &str| identified(&serde_json::from_str(text).unwrap());
        assert_eq!(id(r#"{"id":7}"#), Ok(7));
        for text in ["[]", "{}", r#"{"id":0}"#, r#"{"id":-1}"#, r#"{"id":1.5}"#, r#"{"id":"7"}"#] {
            assert!(matches!(id(text), Err(ChannelError::WrongShape(_))), "{text}");
        }
    }
}
