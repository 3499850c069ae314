//! JSON from a store that may lie: bounded in depth and size before it is built, and checked after.

use serde_json::Value;

use crate::channel::ChannelError;

/// WooCommerce's own answers nest ten deep; other plugins' metadata some more.
const MAX_DEPTH: usize = 64;
/// Values in one answer. A value takes some 50 bytes once built, a `0,` in the text only two, so the
/// text's size alone does not bound memory. A hundred large orders have about 100,000.
const MAX_VALUES: usize = 400_000;

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
