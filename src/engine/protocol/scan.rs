//! Checking JSON text and finding one's way in it, without building values and without recursion.

use std::ops::Range;

use memchr::memchr2;

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
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        pos: 0,
    };
    scanner.space();
    let kind = match scanner.peek()? {
        b'{' => Kind::Object,
        b'[' => Kind::Array,
        _ => return None,
    };
    scanner.document()?;
    Some(kind)
}

/// The containers that are open, one bit each: depth must not cost more than the text that
/// opened it.
#[derive(Default)]
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

    fn document(&mut self) -> Option<()> {
        let mut open = Nesting::default();
        loop {
            if self.value(&mut open)? {
                continue;
            }
            if self.after_value(&mut open)? {
                return Some(());
            }
        }
    }

    /// Reads a scalar, an empty container, or up to the first value of a container; true in the
    /// last case, where a value must follow.
    fn value(&mut self, open: &mut Nesting) -> Option<bool> {
        match self.peek()? {
            b'"' => self.string()?,
            b'{' => {
                self.pos += 1;
                self.space();
                if !self.accept(b'}') {
                    open.push(true);
                    self.key()?;
                    return Some(true);
                }
            }
            b'[' => {
                self.pos += 1;
                self.space();
                if !self.accept(b']') {
                    open.push(false);
                    return Some(true);
                }
            }
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.literal(b"true")?,
            b'f' => self.literal(b"false")?,
            b'n' => self.literal(b"null")?,
            _ => return None,
        }
        Some(false)
    }

    /// Closes what ends after a value and stops before the next one; true at the end of the text.
    fn after_value(&mut self, open: &mut Nesting) -> Option<bool> {
        loop {
            self.space();
            let Some(object) = open.in_object() else {
                return (self.pos == self.bytes.len()).then_some(true);
            };
            if self.accept(b',') {
                self.space();
                if object {
                    self.key()?;
                }
                return Some(false);
            }
            self.expect(if object { b'}' } else { b']' })?;
            open.pop();
        }
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

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

pub(super) fn skip_space(bytes: &[u8], mut pos: usize) -> usize {
    while bytes.get(pos).copied().is_some_and(is_space) {
        pos += 1;
    }
    pos
}

/// From the opening quote of a valid string to past its closing one.
pub(super) fn skip_string(bytes: &[u8], start: usize) -> usize {
    let mut pos = start + 1;
    while let Some(offset) = bytes.get(pos..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        pos += offset;
        if bytes.get(pos) == Some(&b'"') {
            return pos + 1;
        }
        pos += 2;
    }
    bytes.len()
}

/// From the first byte of a number or a literal to past its last.
pub(super) fn skip_scalar(bytes: &[u8], mut pos: usize) -> usize {
    while bytes
        .get(pos)
        .is_some_and(|&byte| !is_space(byte) && !matches!(byte, b',' | b']' | b'}' | b':'))
    {
        pos += 1;
    }
    pos
}

/// From the first byte of a value of valid text to past its last.
#[must_use]
pub fn skip_value(text: &str, pos: usize) -> usize {
    let bytes = text.as_bytes();
    match bytes.get(pos) {
        Some(b'"') => skip_string(bytes, pos),
        Some(b'{' | b'[') => skip_container(bytes, pos),
        _ => skip_scalar(bytes, pos),
    }
}

fn skip_container(bytes: &[u8], mut pos: usize) -> usize {
    // The text is valid, so brackets need only be counted, not matched.
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(pos) {
        match byte {
            b'"' => {
                pos = skip_string(bytes, pos);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return pos + 1;
                }
            }
            _ => {}
        }
        pos += 1;
    }
    bytes.len()
}

/// Walks the elements of an array by position: it borrows nothing between two steps, so the text
/// can be owned next to it, and a batch of any length costs no memory beyond its text.
#[derive(Debug, Clone)]
pub struct Elements {
    pos: usize,
}

impl Elements {
    /// Starts on valid text; anything but an array has no elements.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let start = skip_space(text.as_bytes(), 0);
        Self::at(text, start)
    }

    /// Starts on the array whose bracket is at `start`.
    pub(super) fn at(text: &str, start: usize) -> Self {
        let array = text.as_bytes().get(start) == Some(&b'[');
        Self {
            pos: if array { start + 1 } else { text.len() },
        }
    }

    /// Where the next element is in `text`, which must be the text the cursor was made for.
    pub fn next(&mut self, text: &str) -> Option<Range<usize>> {
        let bytes = text.as_bytes();
        let start = skip_space(bytes, self.pos);
        let end = skip_value(text, start);
        // No value is empty: the array ends here.
        if end == start {
            self.pos = bytes.len();
            return None;
        }
        self.pos = skip_space(bytes, end);
        if bytes.get(self.pos) == Some(&b',') {
            self.pos += 1;
        }
        Some(start..end)
    }
}
