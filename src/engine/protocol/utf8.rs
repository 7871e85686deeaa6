//! Shared bytes known to be UTF-8.

use std::ops::Range;

use bytes::Bytes;

use super::text::JsonText;

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

    /// The bytes as text, if they are UTF-8.
    #[must_use]
    pub fn checked(bytes: Bytes) -> Option<Self> {
        std::str::from_utf8(&bytes).is_ok().then_some(Self(bytes))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // SAFETY: every constructor checks or cuts at character boundaries, and the contents of a
        // `Bytes` cannot change.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }

    /// What `part`, a slice of this text, holds: without a copy.
    #[must_use]
    pub fn sharing(&self, part: &str) -> Self {
        let offset = (part.as_ptr() as usize).checked_sub(self.0.as_ptr() as usize);
        match offset {
            Some(start) if start + part.len() <= self.0.len() => {
                Self(self.0.slice(start..start + part.len()))
            }
            _ => Self::from(part.to_owned()),
        }
    }

    /// The same as bytes.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
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

impl From<String> for Utf8 {
    fn from(text: String) -> Self {
        Self(Bytes::from(text))
    }
}

impl From<&JsonText> for Utf8 {
    fn from(text: &JsonText) -> Self {
        Self::from(text.as_str().to_owned())
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
    fn a_part_is_shared_and_a_stranger_copied() {
        let text = Utf8::from("one two".to_owned());
        let part = text.sharing(&text.as_str()[4..]);
        assert_eq!(part.as_str(), "two");
        assert_eq!(part.0.as_ptr(), text.0[4..].as_ptr());
        assert_eq!(text.sharing("three").as_str(), "three");
    }

    #[test]
    fn a_cut_through_a_character_is_empty() {
        let text = Utf8::from_lossy(&Bytes::from_static("\u{e9}!".as_bytes()));
        assert_eq!(text.slice(2..3).as_str(), "!");
        assert_eq!(text.slice(1..3).as_str(), "");
        assert_eq!(text.slice(1..9).as_str(), "");
    }
}
