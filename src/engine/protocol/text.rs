//! JavaScript strings, held as the text `JSON.stringify` writes for them.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::sync::Arc;

use memchr::memchr;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A JavaScript string, as the canonical text between the quotes of its JSON literal.
///
/// A JavaScript string may hold lone surrogates, which no Rust string can; its JSON text always
/// fits. The spelling is the one of well-formed `JSON.stringify`, so two JavaScript strings are
/// equal exactly when their texts are.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JsonText(Arc<str>);

impl JsonText {
    /// Reads the text between the quotes of a valid JSON string, whatever its escapes.
    #[must_use]
    pub fn from_raw(raw: &str) -> Self {
        match memchr(b'\\', raw.as_bytes()) {
            None => Self(Arc::from(raw)),
            Some(first) => Self(canonicalise(raw, first).into()),
        }
    }

    /// Holds a plain string.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "nothing can fail here, so the trait's Result would only be noise"
    )]
    pub fn from_str(plain: &str) -> Self {
        if !plain.bytes().any(needs_escape) {
            return Self(Arc::from(plain));
        }
        let mut out = String::with_capacity(plain.len() + 8);
        for c in plain.chars() {
            push_char(&mut out, c);
        }
        Self(out.into())
    }

    /// Takes text that is canonical already; the caller vouches for that.
    #[must_use]
    pub fn from_canonical(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The canonical text, without the quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the canonical text is the string itself: nothing in it is escaped.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        memchr(b'\\', self.0.as_bytes()).is_none()
    }

    /// The string as UTF-8, with U+FFFD in place of each lone surrogate, as Node writes it.
    #[must_use]
    pub fn to_utf8_lossy(&self) -> Cow<'_, str> {
        let Some(first) = memchr(b'\\', self.0.as_bytes()) else {
            return Cow::Borrowed(&self.0);
        };
        let mut out = String::with_capacity(self.0.len());
        walk(&self.0, first, &mut out, |out, unit| {
            out.push(unit.unwrap_or(char::REPLACEMENT_CHARACTER));
        });
        Cow::Owned(out)
    }

    /// Length of the canonical text in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is the empty string.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends the quoted literal.
    pub fn push_literal(&self, out: &mut String) {
        out.push('"');
        out.push_str(&self.0);
        out.push('"');
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

impl From<&str> for JsonText {
    fn from(plain: &str) -> Self {
        Self::from_str(plain)
    }
}

impl From<String> for JsonText {
    fn from(plain: String) -> Self {
        Self::from_str(&plain)
    }
}

// Maps keyed by `JsonText` can be searched with canonical text that is still a slice.
impl Borrow<str> for JsonText {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Whether the raw text of a JSON string spells `plain`.
pub(super) fn raw_equals(raw: &str, plain: &str) -> bool {
    if memchr(b'\\', raw.as_bytes()).is_none() {
        return raw == plain;
    }
    // No character takes more than six bytes for each of its own, so longer text cannot match.
    raw.len() <= plain.len().saturating_mul(6)
        && JsonText::from_raw(raw) == JsonText::from_str(plain)
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn canonicalise(raw: &str, first: usize) -> String {
    let mut out = String::with_capacity(raw.len());
    walk(raw, first, &mut out, |out, unit| match unit {
        Ok(c) => push_char(out, c),
        Err(lone) => push_unit(out, lone),
    });
    out
}

/// Copies what is literal and hands over what is escaped: a character, or a lone surrogate.
fn walk(
    raw: &str,
    first: usize,
    out: &mut String,
    mut escaped: impl FnMut(&mut String, Result<char, u16>),
) {
    let mut done = 0;
    let mut next = Some(first);
    while let Some(at) = next {
        out.push_str(raw.get(done..at).unwrap_or_default());
        let (unit, end) = read_escape(raw.as_bytes(), at);
        escaped(out, unit);
        done = end;
        next = raw
            .as_bytes()
            .get(end..)
            .and_then(|rest| memchr(b'\\', rest))
            .map(|offset| end + offset);
    }
    out.push_str(raw.get(done..).unwrap_or_default());
}

/// Reads the escape at `at`; gives what it stands for and where it ends.
fn read_escape(raw: &[u8], at: usize) -> (Result<char, u16>, usize) {
    let c = match raw.get(at + 1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return read_unicode(raw, at),
        Some(&other) => char::from(other),
        None => return (Ok(char::REPLACEMENT_CHARACTER), raw.len()),
    };
    (Ok(c), at + 2)
}

fn read_unicode(raw: &[u8], at: usize) -> (Result<char, u16>, usize) {
    let unit = hex_unit(raw, at);
    if (0xd800..0xdc00).contains(&unit) && raw.get(at + 6..at + 8) == Some(b"\\u") {
        let low = hex_unit(raw, at + 6);
        if let Some(Ok(c)) = char::decode_utf16([unit, low]).next() {
            return (Ok(c), at + 12);
        }
    }
    let value = char::from_u32(u32::from(unit)).ok_or(unit);
    (value, at + 6)
}

/// The four digits of the `\uXXXX` at `at`.
fn hex_unit(raw: &[u8], at: usize) -> u16 {
    raw.get(at + 2..at + 6)
        .unwrap_or_default()
        .iter()
        .fold(0, |unit, &digit| {
            (unit << 4)
                | char::from(digit)
                    .to_digit(16)
                    .map_or(0, |value| value as u16)
        })
}

fn push_char(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0'..'\u{20}' => push_unit(out, c as u16),
        _ => out.push(c),
    }
}

fn push_unit(out: &mut String, unit: u16) {
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        out.push(char::from(HEX[usize::from(unit >> shift & 0xf)]));
    }
}
