//! Checking JSON text, without building values and without recursion.

use super::scan::skip_space;

/// What the text of a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A single packet.
    Object,
    /// A batch of packets.
    Array,
}

/// Checks a frame: `None` when it is a raw message rather than JSON.
///
/// The grammar is the one of `JSON.parse`. Text that does not open an object or an array is
/// never JSON here: the codec does not try to parse it.
#[must_use]
pub fn validate(text: &str) -> Option<Kind> {
    Check::default().advance(text, usize::MAX).flatten()
}

/// A check that can be spread over several turns: text of any length then holds nobody up.
#[derive(Debug, Default)]
pub struct Check {
    pos: usize,
    next: Next,
    open: Nesting,
}

impl Check {
    /// Goes on by about `length` bytes of `text`, which must be the same each time; only a single
    /// string or number is never interrupted. `None` while there is more, then what
    /// [`validate`] gives.
    pub fn advance(&mut self, text: &str, length: usize) -> Option<Option<Kind>> {
        let bytes = text.as_bytes();
        let start = skip_space(bytes, 0);
        let kind = match bytes.get(start) {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            _ => return Some(None),
        };
        let until = self.pos.saturating_add(length);
        let mut scanner = Scanner {
            bytes,
            pos: self.pos.max(start),
        };
        while self.next != Next::End {
            let next = match self.next {
                Next::Value => scanner.value(&mut self.open),
                _ => scanner.after_value(&mut self.open),
            };
            match next {
                Some(next) => self.next = next,
                None => return Some(None),
            }
            self.pos = scanner.pos;
            if self.pos >= until && self.next != Next::End {
                return None;
            }
        }
        Some(Some(kind))
    }
}

/// What must follow in the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Value,
    /// What can stand behind a value.
    After,
    /// Nothing: the text is complete.
    End,
}

/// The containers that are open, one bit each: depth must not cost more than the text that
/// opened it.
#[derive(Debug, Default)]
struct Nesting {
    words: Vec<u64>,
    depth: usize,
}

impl Nesting {
    fn push(&mut self, object: bool) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        if word == self.words.len() {
            self.words.push(0);
        }
        if let Some(bits) = self.words.get_mut(word) {
            *bits = (*bits & !(1 << bit)) | (u64::from(object) << bit);
        }
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Whether the innermost container is an object; `None` at the top.
    fn in_object(&self) -> Option<bool> {
        let last = self.depth.checked_sub(1)?;
        Some(self.words.get(last / 64)? >> (last % 64) & 1 == 1)
    }
}

/// A reader that refuses what `JSON.parse` refuses.
struct Scanner<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    fn space(&mut self) {
        self.pos = skip_space(self.bytes, self.pos);
    }

    /// Takes `byte` or fails.
    fn expect(&mut self, byte: u8) -> Option<()> {
        self.accept(byte).then_some(())
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.pos += usize::from(found);
        found
    }

    /// Reads a scalar, an empty container, or up to the first value of a container.
    fn value(&mut self, open: &mut Nesting) -> Option<Next> {
        match self.peek()? {
            b'"' => self.string()?,
            b'{' => {
                self.pos += 1;
                self.space();
                if !self.accept(b'}') {
                    open.push(true);
                    self.key()?;
                    return Some(Next::Value);
                }
            }
            b'[' => {
                self.pos += 1;
                self.space();
                if !self.accept(b']') {
                    open.push(false);
                    return Some(Next::Value);
                }
            }
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.literal(b"true")?,
            b'f' => self.literal(b"false")?,
            b'n' => self.literal(b"null")?,
            _ => return None,
        }
        Some(Next::After)
    }

    /// Closes a container that ends after a value, or stops before the next value.
    fn after_value(&mut self, open: &mut Nesting) -> Option<Next> {
        self.space();
        let Some(object) = open.in_object() else {
            return (self.pos == self.bytes.len()).then_some(Next::End);
        };
        if self.accept(b',') {
            self.space();
            if object {
                self.key()?;
            }
            return Some(Next::Value);
        }
        self.expect(if object { b'}' } else { b']' })?;
        open.pop();
        Some(Next::After)
    }

    /// Reads a key, its colon and the space around it.
    fn key(&mut self) -> Option<()> {
        if self.peek() != Some(b'"') {
            return None;
        }
        self.string()?;
        self.space();
        self.expect(b':')?;
        self.space();
        Some(())
    }

    fn literal(&mut self, word: &[u8]) -> Option<()> {
        let end = self.pos + word.len();
        (self.bytes.get(self.pos..end)? == word).then(|| self.pos = end)
    }

    fn number(&mut self) -> Option<()> {
        self.accept(b'-');
        if !self.accept(b'0') {
            self.digits()?;
        }
        if self.accept(b'.') {
            self.digits()?;
        }
        if self.accept(b'e') || self.accept(b'E') {
            if !self.accept(b'+') {
                self.accept(b'-');
            }
            self.digits()?;
        }
        Some(())
    }

    /// Reads at least one digit.
    fn digits(&mut self) -> Option<()> {
        let start = self.pos;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.pos += 1;
        }
        (self.pos > start).then_some(())
    }

    fn string(&mut self) -> Option<()> {
        self.pos += 1;
        loop {
            self.plain_run();
            match self.peek()? {
                b'"' => {
                    self.pos += 1;
                    return Some(());
                }
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let escaped = *self.bytes.get(self.pos + 1)?;
        self.pos += 2;
        match escaped {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.bytes.get(self.pos..self.pos + 4)?;
                self.pos += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }

    /// Passes over the part of a string that stands for itself, eight bytes at a time.
    fn plain_run(&mut self) {
        while let Some(chunk) = self.bytes.get(self.pos..).and_then(<[u8]>::first_chunk) {
            let stops = stops(u64::from_le_bytes(*chunk));
            if stops != 0 {
                self.pos += stops.trailing_zeros() as usize / 8;
                return;
            }
            self.pos += 8;
        }
        while self
            .peek()
            .is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
        {
            self.pos += 1;
        }
    }
}

/// Marks the high bit of the bytes of `word` that are a quote, a backslash or a control
/// character. A borrow can mark a byte wrongly, but only above one that is rightly marked, so
/// the lowest mark is exact.
fn stops(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zero_in = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
    let quote = zero_in(word ^ (ONES * b'"' as u64));
    let backslash = zero_in(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGHS
}
