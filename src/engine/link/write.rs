//! Writing frames.

use super::kind;

/// A frame that is being written.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A frame of this kind.
    #[must_use]
    pub fn frame(kind: u8, id: u32) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.push(kind);
        bytes.extend_from_slice(&id.to_le_bytes());
        Self { bytes }
    }

    /// An answer to what had this id, which went well.
    #[must_use]
    pub fn ok(id: u32) -> Self {
        let mut writer = Self::frame(kind::ANSWER, id);
        writer.u8(0);
        writer
    }

    /// An answer to what had this id, which went wrong. `code` begins with `ERR_NC_`.
    #[must_use]
    pub fn error(id: u32, code: &str, message: &str) -> Self {
        let mut writer = Self::frame(kind::ANSWER, id);
        writer.u8(1).str(code).str(message);
        writer
    }

    /// A byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    /// Two bytes.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    /// Four bytes.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    /// Eight bytes.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    /// Eight bytes.
    pub fn f64(&mut self, value: f64) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    /// A length and UTF-8.
    pub fn str(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// A length and bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.length(bytes.len()).raw(bytes)
    }

    /// A tag, a length and bytes.
    pub fn value(&mut self, tag: u8, bytes: &[u8]) -> &mut Self {
        self.u8(tag).length(bytes.len()).raw(bytes)
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// The bytes, to be written to by who knows the format.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Bytes written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Nothing was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Values and names are bounded far below 4 GiB where they come in.
    fn length(&mut self, length: usize) -> &mut Self {
        self.u32(u32::try_from(length).unwrap_or(u32::MAX))
    }
}
