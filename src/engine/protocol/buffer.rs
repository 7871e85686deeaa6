//! Objects shaped like a serialised Node `Buffer`, which the codec writes as base64.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

use super::number::parse_number;
use super::scan::{Elements, finish_string, is_space, skip_space, skip_string, skip_value};
use super::text::{JsonText, raw_equals};

/// An object to replace, and where its array of bytes starts.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    data: usize,
}

/// The bytes of a span, on their way to base64.
#[derive(Debug)]
pub(super) struct Encoding {
    elements: Elements,
    bytes: Vec<u8>,
}

impl Encoding {
    pub(super) fn new(raw: &str, span: &Span) -> Self {
        Self {
            elements: Elements::at(raw, span.data),
            bytes: Vec::new(),
        }
    }

    /// Goes on up to about `until`; gives what the codec writes in place of the object once there
    /// is nothing left to do.
    pub(super) fn advance(&mut self, raw: &str, until: usize) -> Option<String> {
        while self.elements.pos() < until {
            match self.elements.next(raw) {
                Some(element) => self
                    .bytes
                    .push(byte_of(raw.get(element).unwrap_or_default())),
                None => return Some(self.text()),
            }
        }
        None
    }

    /// How far it has got.
    pub(super) fn pos(&self) -> usize {
        self.elements.pos()
    }

    fn text(&self) -> String {
        let mut out = String::from("{\"base64\":true,\"data\":\"");
        STANDARD.encode_string(&self.bytes, &mut out);
        out.push_str("\"}");
        out
    }
}

// To make one costs more than a search in a short message.
static WORD: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(b"\"Buffer\""));
static ESCAPE: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"\\u00"));

/// A fast test for the word `Buffer`, plain or with some of its letters escaped.
pub(super) fn is_possible(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    WORD.find(bytes).is_some()
        || ESCAPE
            .find_iter(bytes)
            .any(|at| matches!(bytes.get(at + 4), Some(b'4' | b'6' | b'7')))
}

/// What is known of an open object that has looked like a buffer so far.
#[derive(Debug)]
struct Candidate {
    depth: usize,
    named: bool,
    data: Option<usize>,
}

/// A walk over the objects of a text, to find those that are shaped like a buffer.
#[derive(Debug, Default)]
pub(super) struct Finder {
    pos: usize,
    /// Where the string starts that is being read.
    string: Option<usize>,
    /// Where the open objects start.
    open: Vec<usize>,
    /// Innermost last; most objects never have one.
    candidates: Vec<Candidate>,
    found: Vec<Span>,
}

impl Finder {
    /// Goes on by about `length` bytes of valid text. False while there is more.
    pub(super) fn advance(&mut self, raw: &str, length: usize) -> bool {
        let bytes = raw.as_bytes();
        let until = self.pos.saturating_add(length);
        while self.pos < until {
            let Some(byte) = bytes.get(self.pos) else {
                return true;
            };
            match byte {
                _ if self.string.is_some() => self.finish_string(raw, until),
                b'"' => {
                    self.string = Some(self.pos);
                    self.pos += 1;
                }
                b'{' => {
                    self.open.push(self.pos);
                    self.pos += 1;
                }
                b'}' => {
                    self.pos += 1;
                    self.close(self.pos);
                }
                _ => self.pos += 1,
            }
        }
        self.pos >= bytes.len()
    }

    /// The outermost ones, in order.
    pub(super) fn into_found(self) -> Vec<Span> {
        self.found
    }

    fn finish_string(&mut self, raw: &str, until: usize) {
        let bytes = raw.as_bytes();
        let end = match finish_string(bytes, self.pos, until) {
            Ok(end) => end,
            Err(pos) => {
                self.pos = pos;
                return;
            }
        };
        self.pos = end;
        let Some(start) = self.string.take() else {
            return;
        };
        let after = skip_space(bytes, end);
        // Only keys are followed by a colon.
        if bytes.get(after) == Some(&b':') {
            let key = raw.get(start + 1..end - 1).unwrap_or_default();
            self.pos = skip_space(bytes, after + 1);
            self.member(raw, key, self.pos);
        }
    }

    /// Notes a member of the innermost object; a later one of the same name wins.
    fn member(&mut self, raw: &str, key: &str, value: usize) {
        if raw_equals(key, "type") {
            let named = is_buffer_name(raw, value);
            if let Some(candidate) = self.candidate(named) {
                candidate.named = named;
            }
        } else if raw_equals(key, "data") {
            let data = (raw.as_bytes().get(value) == Some(&b'[')).then_some(value);
            if let Some(candidate) = self.candidate(data.is_some()) {
                candidate.data = data;
            }
        }
    }

    /// The candidate for the innermost object, made when `wanted`.
    fn candidate(&mut self, wanted: bool) -> Option<&mut Candidate> {
        let depth = self.open.len();
        if wanted
            && self
                .candidates
                .last()
                .is_none_or(|last| last.depth != depth)
        {
            self.candidates.push(Candidate {
                depth,
                named: false,
                data: None,
            });
        }
        self.candidates
            .last_mut()
            .filter(|last| last.depth == depth)
    }

    fn close(&mut self, end: usize) {
        let depth = self.open.len();
        let Some(start) = self.open.pop() else {
            return;
        };
        let Some(candidate) = self.candidates.pop_if(|last| last.depth == depth) else {
            return;
        };
        if let (true, Some(data)) = (candidate.named, candidate.data) {
            // The outer object is replaced whole, whatever was found inside.
            while self.found.pop_if(|inner| inner.start > start).is_some() {}
            self.found.push(Span { start, end, data });
        }
    }
}

fn is_buffer_name(raw: &str, start: usize) -> bool {
    /// Room for the quotes and the name with all of its letters escaped, and more.
    const LONGEST: usize = 40;
    let bytes = raw.as_bytes();
    let bytes = bytes.get(..start + LONGEST).unwrap_or(bytes);
    bytes.get(start) == Some(&b'"')
        && raw
            .get(start + 1..skip_string(bytes, start) - 1)
            .is_some_and(|name| raw_equals(name, "Buffer"))
}

/// The byte an element becomes: its number value, modulo 256.
fn byte_of(raw: &str) -> u8 {
    // An array counts as the text of its only element, however deeply that is wrapped; with
    // more than one element there is a comma, which no number has.
    let inner = raw.trim_start_matches(['[', ' ', '\t', '\n', '\r']);
    let wrapped = inner.len() != raw.len();
    let end = skip_value(inner, 0);
    let (scalar, rest) = inner.split_at_checked(end).unwrap_or_default();
    if !rest.bytes().all(|byte| byte == b']' || is_space(byte)) {
        return 0;
    }
    let number = match scalar.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => parse_number(scalar),
        Some(b'"') => {
            let text = scalar.get(1..scalar.len() - 1).unwrap_or_default();
            string_to_number(&JsonText::from_raw(text).to_utf8_lossy())
        }
        Some(b't') if !wrapped => 1.0,
        _ => 0.0,
    };
    to_uint8(number)
}

/// `Number(text)`.
fn string_to_number(text: &str) -> f64 {
    let text = text.trim_matches(is_js_space);
    let radix = match text.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => return decimal_to_number(text),
    };
    let mut value = 0_u128;
    let mut digits = text.get(2..).unwrap_or_default().chars().peekable();
    if digits.peek().is_none() {
        return f64::NAN;
    }
    for digit in digits {
        let Some(digit) = digit.to_digit(radix) else {
            return f64::NAN;
        };
        value = value
            .saturating_mul(u128::from(radix))
            .saturating_add(u128::from(digit));
    }
    value as f64
}

fn decimal_to_number(text: &str) -> f64 {
    if text.is_empty() {
        return 0.0;
    }
    // Rust also reads words such as "nan"; infinite values end up as 0 like those that are no
    // number, so no letter but the exponent's is of interest.
    if !text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return f64::NAN;
    }
    text.parse().unwrap_or(f64::NAN)
}

fn is_js_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

/// `ToUint8`: truncates and wraps; what is not finite is 0.
fn to_uint8(number: f64) -> u8 {
    // NaN and the infinities give NaN here, which casts to 0.
    number.trunc().rem_euclid(256.0) as u8
}
