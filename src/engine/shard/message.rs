//! What goes into a channel, and what is kept of it.

use std::ops::Range;

use super::Position;
use super::refusal::Refusal;
use crate::engine::protocol::{Utf8, encode};

/// Longest key, in bytes of its canonical text: 256 characters, each of which may be an escape.
const MAX_KEY: usize = 256 * 6;

/// A message to append.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewMessage<'a> {
    /// The channel, as canonical JSON text.
    pub channel: &'a str,
    /// JSON text; `None` for `undefined`.
    pub data: Option<&'a str>,
    /// A key the same message has when it is sent again, 1 to 256 characters.
    pub key: Option<&'a str>,
    /// Who sent it, and as which of its messages.
    pub producer: Option<Producer>,
    /// Now, in milliseconds since 1970.
    pub unix_ms: u64,
}

impl NewMessage<'_> {
    pub(super) fn check_key(&self) -> Result<(), Refusal> {
        match self.key {
            Some(key) if key.is_empty() || key.len() > MAX_KEY => Err(Refusal::BadKey),
            _ => Ok(()),
        }
    }
}

/// A sender that numbers its messages to a shard: 1, 2, 3 and so on. One that starts again, or is
/// told to send number 1, takes another incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Producer {
    /// The sender; no two have the same.
    pub incarnation: u64,
    /// Which of its messages to this shard.
    pub sequence: u64,
}

/// A batch of records on its way to the store; later batches have greater ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticket(pub u64);

/// A message of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the epoch.
    pub offset: u64,
    /// When it was appended, in milliseconds since 1970; never less than the one before it.
    pub unix_ms: u64,
    /// The `#publish` packet as it is delivered. Cheap to clone.
    pub text: Utf8,
    /// Where in `text` the data is; empty if there is none.
    pub data: Range<u32>,
}

impl Entry {
    /// The data as JSON text.
    #[must_use]
    pub fn data(&self) -> Option<&str> {
        let range = self.data.start as usize..self.data.end as usize;
        self.text
            .as_str()
            .get(range)
            .filter(|data| !data.is_empty())
    }

    pub(super) fn new(
        channel: &str,
        data: Option<&str>,
        epoch: &str,
        (offset, unix_ms): (u64, u64),
    ) -> Self {
        let (text, data) = encode::publish_kept(channel, data, epoch, offset);
        Self {
            offset,
            unix_ms,
            text: Utf8::from(text),
            data: data.start as u32..data.end as u32,
        }
    }

    /// Bytes of payload.
    pub(super) fn bytes(&self) -> usize {
        self.data.len()
    }

    /// Bytes of memory, roughly.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + ALLOCATION + self.text.as_str().len()
    }
}

/// What an allocation costs beside its bytes, roughly: the allocator's and the counter's share.
pub(super) const ALLOCATION: usize = 64;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is kept and may be delivered.
    Done(Entry),
    /// It will be once the ticket is persisted. If that fails it never was.
    Waits {
        /// What it waits for.
        ticket: Ticket,
        /// The message.
        entry: Entry,
    },
    /// It had been appended before, here.
    Duplicate(Position),
    /// It had been appended before, but that is not persisted yet.
    DuplicateWaits {
        /// What that waits for.
        ticket: Ticket,
        /// Where it is.
        position: Position,
    },
}
