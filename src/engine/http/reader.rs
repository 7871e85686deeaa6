//! Collects bytes until they are a whole head, at a cost that grows with their number only.

use super::head::{Head, Parsed};

/// The largest head that is read, Node.js' own limit.
const MAX_HEAD: usize = 16 * 1024;

/// What has arrived so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// A head that goes on.
    Partial,
    /// The head of an upgrade request.
    Upgrade(Head),
    /// Anything else.
    Other,
}

/// The first bytes of a connection.
#[derive(Debug, Default)]
pub struct HeadReader {
    bytes: Vec<u8>,
    /// Where to look for the end of the head.
    searched: usize,
    /// A head that is still open is parsed once it has this many bytes, to see whether it is one.
    parse_at: usize,
}

impl HeadReader {
    /// Takes what has arrived.
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        self.bytes.extend_from_slice(bytes);
        let ended = self.has_end();
        if !ended && self.bytes.len() < self.parse_at {
            return Progress::Partial;
        }
        self.parse_at = self.bytes.len() * 2;
        match Head::parse(&self.bytes) {
            Parsed::Partial if self.bytes.len() <= MAX_HEAD => Progress::Partial,
            Parsed::Upgrade(head) if head.length <= MAX_HEAD => Progress::Upgrade(head),
            _ => Progress::Other,
        }
    }

    /// Everything that has arrived.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn has_end(&mut self) -> bool {
        let from = self.searched.saturating_sub(3);
        self.searched = self.bytes.len();
        memchr::memmem::find(&self.bytes[from..], b"\r\n\r\n").is_some()
    }
}
