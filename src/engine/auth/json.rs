//! A scanner for JSON text with the grammar of `JSON.parse`.
//!
//! It accepts exactly what `JSON.parse` accepts, at any depth, and reports the kind of the
//! document and the named members of a top-level object; nothing else is built.

/// What a JSON text, or a member of it, is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(f64),
    /// The text between the quotes, escapes left as they are.
    String(&'a str),
    Array,
    Object,
}

/// A scanned text.
#[derive(Debug)]
pub(super) struct Document<'a, const N: usize> {
    pub(super) value: Value<'a>,
    /// The members asked for, in the order of the names; the last of equal keys counts.
    pub(super) members: [Option<Value<'a>>; N],
}

/// Scans `text`; `None` where `JSON.parse` throws.
pub(super) fn scan<'a, const N: usize>(text: &'a str, names: [&str; N]) -> Option<Document<'a, N>> {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        pos: 0,
    };
    // The open containers; `true` is an object.
    let mut open: Vec<bool> = Vec::new();
    let mut members = [None; N];
    let mut slot = None;
    loop {
        let mut value = match scanner.value()? {
            Started::Complete(value) => value,
            Started::Array => {
                open.push(false);
                continue;
            }
            Started::Object => {
                open.push(true);
                let key = scanner.key()?;
                if open.len() == 1 {
                    slot = position(&names, key);
                }
                continue;
            }
        };
        // A value is complete: close what ends with it.
        loop {
            let Some(&in_object) = open.last() else {
                scanner.skip_space();
                return scanner.at_end().then_some(Document { value, members });
            };
            if let (1, Some(member)) = (open.len(), slot.and_then(|i| members.get_mut(i))) {
                *member = Some(value);
            }
            scanner.skip_space();
            match (scanner.next()?, in_object) {
                (b',', true) => {
                    let key = scanner.key()?;
                    if open.len() == 1 {
                        slot = position(&names, key);
                    }
                    break;
                }
                (b',', false) => break,
                (b'}', true) => value = Value::Object,
                (b']', false) => value = Value::Array,
                _ => return None,
            }
            open.pop();
        }
    }
}

/// The string that the text between the quotes of a JSON string stands for; `None` if it has
/// an unpaired surrogate.
pub(super) fn unescape(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at)?);
        let code = *rest.as_bytes().get(at + 1)?;
        rest = rest.get(at + 2..)?;
        match code {
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let mut unit = u32::from_str_radix(rest.get(..4)?, 16).ok()?;
                rest = rest.get(4..)?;
                if (0xd800..0xdc00).contains(&unit) {
                    rest = rest.strip_prefix("\\u")?;
                    let low = u32::from_str_radix(rest.get(..4)?, 16).ok()?;
                    rest = rest.get(4..)?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return None;
                    }
                    unit = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                }
                out.push(char::from_u32(unit)?);
            }
            other => out.push(char::from(other)),
        }
    }
    out.push_str(rest);
    Some(out)
}

/// Appends `text` as a JSON string.
pub(super) fn quote(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{0}'..='\u{1f}' => {
                let code = usize::from(c as u8);
                out.push_str("\\u00");
                out.push(char::from(HEX[code >> 4]));
                out.push(char::from(HEX[code & 15]));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The index of the name that a key, given with its escapes, stands for.
fn position(names: &[&str], key: &str) -> Option<usize> {
    if key.contains('\\') {
        let key = unescape(key)?;
        names.iter().position(|name| *name == key)
    } else {
        names.iter().position(|name| *name == key)
    }
}

enum Started<'a> {
    Complete(Value<'a>),
    Array,
    Object,
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.pos += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let hit = self.peek() == Some(byte);
        if hit {
            self.pos += 1;
        }
        hit
    }

    fn at_end(&self) -> bool {
        self.pos == self.bytes.len()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.pos += 1;
        }
    }

    fn value(&mut self) -> Option<Started<'a>> {
        self.skip_space();
        let value = match self.peek()? {
            b'{' => {
                self.pos += 1;
                self.skip_space();
                if !self.eat(b'}') {
                    return Some(Started::Object);
                }
                Value::Object
            }
            b'[' => {
                self.pos += 1;
                self.skip_space();
                if !self.eat(b']') {
                    return Some(Started::Array);
                }
                Value::Array
            }
            b'"' => Value::String(self.string()?),
            b't' => self.literal("true", Value::Bool(true))?,
            b'f' => self.literal("false", Value::Bool(false))?,
            b'n' => self.literal("null", Value::Null)?,
            _ => Value::Number(self.number()?),
        };
        Some(Started::Complete(value))
    }

    /// A key and the colon after it.
    fn key(&mut self) -> Option<&'a str> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return None;
        }
        let key = self.string()?;
        self.skip_space();
        self.eat(b':').then_some(key)
    }

    fn literal(&mut self, word: &str, value: Value<'a>) -> Option<Value<'a>> {
        self.text.get(self.pos..)?.strip_prefix(word)?;
        self.pos += word.len();
        Some(value)
    }

    fn string(&mut self) -> Option<&'a str> {
        self.pos += 1;
        let start = self.pos;
        loop {
            match self.next()? {
                b'"' => return self.text.get(start..self.pos - 1),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            if !self.next()?.is_ascii_hexdigit() {
                                return None;
                            }
                        }
                    }
                    _ => return None,
                },
                0..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.pos;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.pos += 1;
        }
        (self.pos > start).then_some(())
    }

    fn number(&mut self) -> Option<f64> {
        let start = self.pos;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        self.text.get(start..self.pos)?.parse().ok()
    }
}
