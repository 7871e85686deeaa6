//! Checking JSON text, without building values and without recursion.

use super::outline::{LONG, Members, OUTLINED, Outline};
use super::scan::skip_space;

/// What the text of a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A single packet.
    Object,
    /// A batch of packets.
    Array,
}

/// What a check has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not JSON: a raw message.
    Raw,
    /// JSON to its end.
    Json(Kind),
    /// Containers within containers beyond [`Bounds::depth`]; what follows was not looked at.
    TooDeep,
    /// A batch of more packets than [`Bounds::batch`]; what follows was not looked at.
    TooMany,
}

/// What a message may hold at most.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Containers that are open at a time.
    pub depth: usize,
    /// Packets of a batch.
    pub batch: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            depth: usize::MAX,
            batch: usize::MAX,
        }
    }
}

/// Checks a frame: `None` when it is a raw message rather than JSON.
///
/// The grammar is the one of `JSON.parse`. Text that does not open an object or an array is
/// never JSON here: the codec does not try to parse it.
#[must_use]
pub fn validate(text: &str) -> Option<Kind> {
    match Check::default().advance(text, usize::MAX) {
        Some(Verdict::Json(kind)) => Some(kind),
        _ => None,
    }
}

/// A check that can be spread over several turns: text of any length then holds nobody up.
#[derive(Debug, Default)]
pub struct Check {
    bounds: Bounds,
    pos: usize,
    next: Next,
    open: Nesting,
    /// Packets begun so far, if it is a batch.
    elements: usize,
}

impl Check {
    /// A check that also ends where a message goes beyond `bounds`.
    #[must_use]
    pub fn within(bounds: Bounds) -> Self {
        Self {
            bounds,
            ..Self::default()
        }
    }

    /// Goes on by about `length` bytes of `text`, which must be the same each time; only a single
    /// number, or space, is never interrupted. `None` while there is more.
    pub fn advance(&mut self, text: &str, length: usize) -> Option<Verdict> {
        let bytes = text.as_bytes();
        let start = skip_space(bytes, 0);
        let kind = match bytes.get(start) {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            _ => return Some(Verdict::Raw),
        };
        if bytes.len() >= LONG && self.open.notes.is_none() {
            self.open.notes = Some(Box::default());
        }
        let until = self.pos.saturating_add(length);
        let mut scanner = Scanner {
            bytes,
            pos: self.pos.max(start),
            until,
            depth: self.bounds.depth,
        };
        while self.next != Next::End {
            let next = match self.next {
                Next::Value => scanner.value(&mut self.open),
                Next::Text { key } => scanner.text(key, &mut self.open),
                _ => scanner.after_value(&mut self.open),
            };
            match next {
                Some(next) => self.next = next,
                None if self.open.too_deep => return Some(Verdict::TooDeep),
                None => return Some(Verdict::Raw),
            }
            if kind == Kind::Array && self.open.depth == 1 && self.next == Next::Value {
                self.elements += 1;
                if self.elements > self.bounds.batch {
                    return Some(Verdict::TooMany);
                }
            }
            self.pos = scanner.pos;
            if self.pos >= until && self.next != Next::End {
                return None;
            }
        }
        Some(Verdict::Json(kind))
    }

    /// Packets of a batch that were seen so far.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// Where the long values are, once the text has turned out to be JSON.
    #[must_use]
    pub fn into_outline(self) -> Outline {
        let Nesting { notes, members, .. } = self.open;
        Outline::new(notes.map_or_else(Vec::new, |notes| notes.long), members)
    }
}

/// What must follow in the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Value,
    /// The rest of a string.
    Text {
        /// It is the key of a member.
        key: bool,
    },
    /// What can stand behind a value.
    After,
    /// Nothing: the text is complete.
    End,
}

/// The containers that are open, one bit each: depth must not cost more than the text that
/// opened it. The outermost ones are in a word that is always there.
#[derive(Debug, Default)]
struct Nesting {
    first: u64,
    words: Vec<u64>,
    depth: usize,
    too_deep: bool,
    /// Notes of the long values; short text has none.
    notes: Option<Box<Notes>>,
    /// Those of the outermost object.
    members: Members,
}

/// Where the long values near the top of a text are.
#[derive(Debug, Default)]
struct Notes {
    /// Start and end of each, by their start; the end of an open one is unknown.
    long: Vec<(usize, usize)>,
    /// Where the open containers are in the list.
    open: [usize; OUTLINED],
    /// Where the string that is being read starts, unless it is a key.
    string: usize,
}

impl Notes {
    fn container_begins(&mut self, depth: usize, start: usize) {
        if let Some(index) = self.open.get_mut(depth) {
            *index = self.long.len();
            self.long.push((start, start));
        }
    }

    fn container_ends(&mut self, depth: usize, end: usize) {
        if let Some(&index) = self.open.get(depth)
            && let Some(entry) = self.long.get_mut(index)
        {
            entry.1 = end;
            // A short one holds no long one: it is the last in the list.
            if end - entry.0 < LONG {
                self.long.truncate(index);
            }
        }
    }

    fn string_ends(&mut self, depth: usize, end: usize) {
        if end - self.string >= LONG && depth < OUTLINED {
            self.long.push((self.string, end));
        }
    }
}

impl Nesting {
    fn push(&mut self, object: bool, start: usize) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        if word > self.words.len() {
            self.words.push(0);
        }
        let bits = match word.checked_sub(1) {
            None => Some(&mut self.first),
            Some(index) => self.words.get_mut(index),
        };
        if let Some(bits) = bits {
            *bits = (*bits & !(1 << bit)) | (u64::from(object) << bit);
        }
        if let Some(notes) = &mut self.notes {
            notes.container_begins(self.depth, start);
        }
        self.depth += 1;
    }

    fn pop(&mut self, end: usize) {
        self.depth = self.depth.saturating_sub(1);
        if let Some(notes) = &mut self.notes {
            notes.container_ends(self.depth, end);
        }
    }

    /// Whether the innermost container is an object; `None` at the top.
    fn in_object(&self) -> Option<bool> {
        let last = self.depth.checked_sub(1)?;
        let bits = match (last / 64).checked_sub(1) {
            None => self.first,
            Some(index) => *self.words.get(index)?,
        };
        Some(bits >> (last % 64) & 1 == 1)
    }
}

/// A reader that refuses what `JSON.parse` refuses.
struct Scanner<'a> {
    bytes: &'a [u8],
    pos: usize,
    /// Where a string may be interrupted.
    until: usize,
    /// Containers that may be open at a time.
    depth: usize,
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
            b'"' => {
                if let Some(notes) = &mut open.notes {
                    notes.string = self.pos;
                }
                self.pos += 1;
                return self.text(false, open);
            }
            b'{' => {
                let start = self.open(open)?;
                if !self.accept(b'}') {
                    open.push(true, start);
                    return self.key(open);
                }
            }
            b'[' => {
                let start = self.open(open)?;
                if !self.accept(b']') {
                    open.push(false, start);
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

    /// Passes an opening bracket, unless it is one too many; gives where it was.
    fn open(&mut self, open: &mut Nesting) -> Option<usize> {
        open.too_deep = open.depth >= self.depth;
        if open.too_deep {
            return None;
        }
        let start = self.pos;
        self.pos += 1;
        self.space();
        Some(start)
    }

    /// Closes a container that ends after a value, or stops before the next value.
    fn after_value(&mut self, open: &mut Nesting) -> Option<Next> {
        if open.depth == 1 {
            open.members.value_ends(self.pos);
        }
        self.space();
        let Some(object) = open.in_object() else {
            return (self.pos == self.bytes.len()).then_some(Next::End);
        };
        if self.accept(b',') {
            self.space();
            if object {
                return self.key(open);
            }
            return Some(Next::Value);
        }
        self.expect(if object { b'}' } else { b']' })?;
        open.pop(self.pos);
        Some(Next::After)
    }

    /// Reads a key, its colon and the space around it.
    fn key(&mut self, open: &mut Nesting) -> Option<Next> {
        open.members.key_begins(self.pos);
        self.expect(b'"')?;
        self.text(true, open)
    }

    /// Reads the rest of a string, and what belongs to a key; or a part of it.
    fn text(&mut self, key: bool, open: &mut Nesting) -> Option<Next> {
        loop {
            self.plain_run();
            if self.pos >= self.until {
                return Some(Next::Text { key });
            }
            match self.peek()? {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
        self.pos += 1;
        if !key {
            if let Some(notes) = &mut open.notes {
                notes.string_ends(open.depth, self.pos);
            }
            return Some(Next::After);
        }
        let end = self.pos;
        self.space();
        self.expect(b':')?;
        self.space();
        if open.depth == 1 {
            open.members.value_begins(end, self.pos);
        }
        Some(Next::Value)
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
        let end = self.bytes.len().min(self.until);
        let bytes = self.bytes.get(..end).unwrap_or_default();
        while let Some(chunk) = bytes.get(self.pos..).and_then(<[u8]>::first_chunk) {
            let stops = stops(u64::from_le_bytes(*chunk));
            if stops != 0 {
                self.pos += stops.trailing_zeros() as usize / 8;
                return;
            }
            self.pos += 8;
        }
        while bytes
            .get(self.pos)
            .is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
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
