//! Shared bytes known to be UTF-8.

use std::ops::Range;

use bytes::Bytes;

/// Text in a shared buffer: cheap to clone and to cut. Checked once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Utf8(Bytes);

impl Utf8 {
    /// The bytes as text; what is no UTF-8 is replaced as `Buffer.toString()` does.
    #[must_use]
    pub fn from_lossy(bytes: &Bytes) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(_) => Self(bytes.clone()),
            Err(_) => Self(Bytes::from(String::from_utf8_lossy(bytes).into_owned())),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // SAFETY: every constructor checks or cuts at character boundaries, and the contents of a
        // `Bytes` cannot change.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }

    /// A part of it; empty where the range does not lie on character boundaries.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        match self.as_str().get(range.clone()) {
            Some(_) => Self(self.0.slice(range)),
            None => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_utf8_is_replaced() {
        let text = Utf8::from_lossy(&Bytes::from_static(b"a\xffb"));
        assert_eq!(text.as_str(), "a\u{fffd}b");
    }

    #[test]
    fn a_cut_through_a_character_is_empty() {
        let text = Utf8::from_lossy(&Bytes::from_static("\u{e9}!".as_bytes()));
        assert_eq!(text.slice(2..3).as_str(), "!");
        assert_eq!(text.slice(1..3).as_str(), "");
        assert_eq!(text.slice(1..9).as_str(), "");
    }
}
