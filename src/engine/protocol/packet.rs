//! Reading packets: the few fields the protocol looks at, and raw slices for the rest.

use std::ops::Range;

use memchr::memchr;

use super::number::parse_number;
use super::outline::{Member, Outline};
use super::scan::{skip_space, skip_string, skip_value};
use super::text::{JsonText, raw_equals};

/// A string of a packet, as its canonical text.
#[derive(Debug, Clone, PartialEq)]
pub enum Name<'a> {
    /// It stands so in the packet.
    Plain(&'a str),
    /// It is written with escapes there.
    Escaped(JsonText),
}

impl Name<'_> {
    /// The canonical text, without the quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Escaped(text) => text.as_str(),
        }
    }

    /// The string, to keep.
    #[must_use]
    pub fn to_text(&self) -> JsonText {
        match self {
            Self::Plain(text) => JsonText::from_canonical(*text),
            Self::Escaped(text) => text.clone(),
        }
    }
}

/// The fields of a packet that the protocol looks at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Packet<'a> {
    /// The event name; absent unless it is a string.
    pub event: Option<Name<'a>>,
    /// The id of a call; absent unless it is a number.
    pub cid: Option<f64>,
    /// The id of the call this responds to; absent unless it is a number.
    pub rid: Option<f64>,
    /// The text of the payload.
    pub data: Option<&'a str>,
    /// The text of the error of a response.
    pub error: Option<&'a str>,
    /// Where the payload starts in the packet's text, that text, and its outline.
    data_at: usize,
    text: &'a str,
    outline: Option<&'a Outline>,
}

impl<'a> Packet<'a> {
    /// Reads valid text; what is not an object gives a packet without fields.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        Self::read(text, None)
    }

    /// [`Packet::parse`], given the outline of the text.
    #[must_use]
    pub fn outlined(text: &'a str, outline: &'a Outline) -> Self {
        Self::read(text, Some(outline))
    }

    fn read(text: &'a str, outline: Option<&'a Outline>) -> Self {
        let names = ["event", "cid", "rid", "data", "error"];
        let found = match outline.and_then(Outline::members) {
            Some(list) => noted(text, list, names),
            None => members(text, skip_space(text.as_bytes(), 0), outline, names),
        };
        let data_at = found[3].as_ref().map_or(text.len(), |range| range.start);
        let [event, cid, rid, data, error] = found.map(|range| text.get(range?));
        Self {
            event: event.and_then(name),
            cid: cid.and_then(number),
            rid: rid.and_then(number),
            data,
            error,
            data_at,
            text,
            outline,
        }
    }

    /// The text of the named members of the payload; see [`fields`].
    #[must_use]
    pub fn data_fields<const N: usize>(&self, names: [&str; N]) -> [Option<&'a str>; N] {
        self.data_members(names).map(|range| self.text.get(range?))
    }

    /// Where the named members of the payload are in the packet's text; see [`fields`].
    #[must_use]
    pub fn data_members<const N: usize>(&self, names: [&str; N]) -> [Option<Range<usize>>; N] {
        members(self.text, self.data_at, self.outline, names)
    }
}

/// The text of the named members of an object, the last one where a key is repeated.
///
/// All are `None` when the (valid) text is not an object.
#[must_use]
pub fn fields<'a, const N: usize>(object_text: &'a str, names: [&str; N]) -> [Option<&'a str>; N] {
    let start = skip_space(object_text.as_bytes(), 0);
    members(object_text, start, None, names).map(|range| object_text.get(range?))
}

/// Where the named members of the object at `start` are in the text.
fn members<const N: usize>(
    text: &str,
    start: usize,
    outline: Option<&Outline>,
    names: [&str; N],
) -> [Option<Range<usize>>; N] {
    let mut found = [const { None }; N];
    let bytes = text.as_bytes();
    if bytes.get(start) != Some(&b'{') {
        return found;
    }
    let mut pos = skip_space(bytes, start + 1);
    while bytes.get(pos) == Some(&b'"') {
        let key_end = skip_string(bytes, pos);
        let key = text.get(pos + 1..key_end - 1).unwrap_or_default();
        // Past the colon.
        let value = skip_space(bytes, skip_space(bytes, key_end) + 1);
        let end = match outline {
            Some(outline) => outline.skip_value(text, value),
            None => skip_value(text, value),
        };
        if let Some(slot) = place(key, &names) {
            found[slot] = Some(value..end);
        }
        // Past the comma; past the closing brace there is nothing of this object.
        pos = skip_space(bytes, end);
        if bytes.get(pos) != Some(&b',') {
            break;
        }
        pos = skip_space(bytes, pos + 1);
    }
    found
}

/// The named members among those of an object that were noted.
fn noted<const N: usize>(
    text: &str,
    list: &[Member],
    names: [&str; N],
) -> [Option<Range<usize>>; N] {
    let mut found = [const { None }; N];
    for member in list {
        if let Some(slot) = place(member.key(text), &names) {
            found[slot] = Some(member.value());
        }
    }
    found
}

/// Which of the names the raw text of a key spells.
fn place(key: &str, names: &[&str]) -> Option<usize> {
    match memchr(b'\\', key.as_bytes()) {
        None => names.iter().position(|name| key == *name),
        Some(_) => names.iter().position(|name| raw_equals(key, name)),
    }
}

/// The string that `raw` is the text of, if it is one.
#[must_use]
pub fn string(raw: &str) -> Option<JsonText> {
    name(raw).map(|name| name.to_text())
}

/// [`string`], without a copy where that is possible.
#[must_use]
pub fn name(raw: &str) -> Option<Name<'_>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    Some(match memchr(b'\\', inner.as_bytes()) {
        None => Name::Plain(inner),
        Some(_) => Name::Escaped(JsonText::from_raw(inner)),
    })
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
