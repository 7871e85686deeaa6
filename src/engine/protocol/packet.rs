//! Reading packets: the few fields the protocol looks at, and raw slices for the rest.

use super::number::parse_number;
use super::scan::{skip_space, skip_string, skip_value};
use super::text::{JsonText, raw_equals};

/// The fields of a packet that the protocol looks at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Packet<'a> {
    /// The event name; absent unless it is a string.
    pub event: Option<JsonText>,
    /// The id of a call; absent unless it is a number.
    pub cid: Option<f64>,
    /// The id of the call this responds to; absent unless it is a number.
    pub rid: Option<f64>,
    /// The text of the payload.
    pub data: Option<&'a str>,
    /// The text of the error of a response.
    pub error: Option<&'a str>,
}

impl<'a> Packet<'a> {
    /// Reads valid text; what is not an object gives a packet without fields.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let [event, cid, rid, data, error] = fields(text, ["event", "cid", "rid", "data", "error"]);
        Self {
            event: event.and_then(string),
            cid: cid.and_then(number),
            rid: rid.and_then(number),
            data,
            error,
        }
    }
}

/// The text of the named members of an object, the last one where a key is repeated.
///
/// All are `None` when the (valid) text is not an object.
#[must_use]
pub fn fields<'a, const N: usize>(object_text: &'a str, names: [&str; N]) -> [Option<&'a str>; N] {
    let mut found = [None; N];
    let bytes = object_text.as_bytes();
    let start = skip_space(bytes, 0);
    if bytes.get(start) != Some(&b'{') {
        return found;
    }
    let mut pos = skip_space(bytes, start + 1);
    while bytes.get(pos) == Some(&b'"') {
        let key_end = skip_string(bytes, pos);
        let key = object_text.get(pos + 1..key_end - 1).unwrap_or_default();
        // Past the colon.
        let value = skip_space(bytes, skip_space(bytes, key_end) + 1);
        let end = skip_value(object_text, value);
        if let Some(slot) = names.iter().position(|name| raw_equals(key, name)) {
            found[slot] = object_text.get(value..end);
        }
        // Past the comma, or past the closing brace.
        pos = skip_space(bytes, skip_space(bytes, end) + 1);
    }
    found
}

/// The string that `raw` is the text of, if it is one.
#[must_use]
pub fn string(raw: &str) -> Option<JsonText> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    Some(JsonText::from_raw(inner))
}

/// The number that `raw` is the text of, if it is one.
#[must_use]
pub fn number(raw: &str) -> Option<f64> {
    matches!(raw.as_bytes().first()?, b'-' | b'0'..=b'9').then(|| parse_number(raw))
}

/// Whether JavaScript takes the value that `raw` is the text of for true.
#[must_use]
pub fn is_truthy(raw: &str) -> bool {
    match raw {
        "\"\"" | "null" | "false" => false,
        _ => number(raw) != Some(0.0),
    }
}
