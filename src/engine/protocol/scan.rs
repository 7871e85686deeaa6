//! Finding one's way in valid JSON text, without building values and without recursion.

use std::ops::Range;

use memchr::memchr2;

use super::outline::Outline;

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
    match finish_string(bytes, start + 1, usize::MAX) {
        Ok(end) | Err(end) => end,
    }
}

/// From within a valid string, not behind a backslash, to past its closing quote; or, as an error,
/// to where it can be taken up again, once there are backslashes at `until` or beyond.
pub(super) fn finish_string(bytes: &[u8], mut pos: usize, until: usize) -> Result<usize, usize> {
    while let Some(offset) = bytes.get(pos..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        pos += offset;
        if bytes.get(pos) == Some(&b'"') {
            return Ok(pos + 1);
        }
        pos += 2;
        if pos >= until {
            return Err(pos);
        }
    }
    Ok(bytes.len())
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

    /// Whether an element is left in `text`.
    #[must_use]
    pub fn has_next(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let next = bytes.get(skip_space(bytes, self.pos));
        next.is_some_and(|byte| *byte != b']')
    }

    /// How far it has got.
    pub(super) fn pos(&self) -> usize {
        self.pos
    }

    /// Where the next element is in `text`, which must be the text the cursor was made for.
    pub fn next(&mut self, text: &str) -> Option<Range<usize>> {
        self.next_with(text, &Outline::default())
    }

    /// [`Elements::next`], given the outline of the text.
    pub fn next_with(&mut self, text: &str, outline: &Outline) -> Option<Range<usize>> {
        let bytes = text.as_bytes();
        let start = skip_space(bytes, self.pos);
        let end = outline.skip_value(text, start);
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
